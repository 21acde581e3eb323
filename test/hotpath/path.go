package main

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// path is what one worker of the daemon does with a file, without its queues and sockets.
type path struct {
	reader  *cloudtrail.Reader
	encoder *ecs.Encoder
	zip     *gzip.Writer
	source  bytes.Reader
	object  cloudtrail.Object
	lines   []byte       // action lines and documents
	packed  bytes.Buffer // the request's body
	keep    func(lines []byte)
	before  func(*cloudtrail.Record, *ecs.Fragments) // filters and enrichers; nil for none
}

// objectKey is a key like that of a real log file.
const objectKey = "AWSLogs/111122223333/CloudTrail/eu-west-1/2024/03/01/" +
	"111122223333_CloudTrail_eu-west-1_20240301T0000Z_AbCdEfGhIjKlMnOp.json.gz"

func newPath() *path {
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // its only error is a wrong level
	return &path{
		reader: cloudtrail.NewReader(), encoder: ecs.NewEncoder(ecs.Config{}), zip: zip,
		object: cloudtrail.Object{Bucket: "audit", Key: objectKey, KeyInfo: cloudtrail.ParseKey(objectKey)},
	}
}

// chunk is how many bytes of lines are compressed at a time.
const chunk = 256 << 10

// run takes a file of n records from its compressed bytes to those of a request.
func (p *path) run(file []byte, n int) error {
	p.source.Reset(file)
	p.reader.Reset(&p.source, &p.object)
	p.packed.Reset()
	p.zip.Reset(&p.packed)
	p.lines = p.lines[:0]
	for {
		record, err := p.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		p.add(record)
		n--
		if len(p.lines) >= chunk {
			p.flush()
		}
	}
	if n != 0 {
		return errors.New("the file did not have as many records as were written to it")
	}
	p.flush()
	return p.zip.Close()
}

func (p *path) add(r *cloudtrail.Record) {
	if p.before != nil {
		p.before(r, p.encoder.Fragments())
	}
	p.lines = append(p.lines, `{"create":{"_index":"logs-aws.cloudtrail-trailship-2024.03.01","_id":"`...)
	p.lines = append(p.lines, r.Field(cloudtrail.EventID).Bytes()...)
	p.lines = append(p.lines, "\"}}\n"...)
	p.lines = p.encoder.Append(p.lines, r)
	p.lines = append(p.lines, '\n')
}

func (p *path) flush() {
	_, _ = p.zip.Write(p.lines) // memory takes everything
	if p.keep != nil {
		p.keep(p.lines)
	}
	p.lines = p.lines[:0]
}

// all runs every file and returns the CPU time that took, of the whole process.
func (p *path) all(c *corpus) (time.Duration, error) {
	began := now()
	for _, file := range c.files {
		if err := p.run(file, c.records/len(c.files)); err != nil {
			return 0, err
		}
	}
	return now() - began, nil
}

// floor is what the two compressions take.
type floor struct {
	unzip  gzip.Reader
	zip    *gzip.Writer
	source bytes.Reader
	window []byte
	packed bytes.Buffer
}

func newFloor() *floor {
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return &floor{zip: zip, window: make([]byte, 64<<10)}
}

// inflate decompresses every file.
func (f *floor) inflate(c *corpus) (time.Duration, error) {
	began := now()
	for _, file := range c.files {
		f.source.Reset(file)
		if err := f.unzip.Reset(&f.source); err != nil {
			return 0, err
		}
		for {
			_, err := f.unzip.Read(f.window)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return now() - began, nil
}

// deflate compresses the lines of every file, one body a file, in the pieces in which the path did.
func (f *floor) deflate(bodies [][][]byte) time.Duration {
	began := now()
	for _, body := range bodies {
		f.packed.Reset()
		f.zip.Reset(&f.packed)
		for _, lines := range body {
			_, _ = f.zip.Write(lines)
		}
		_ = f.zip.Close()
	}
	return now() - began
}

// all inflates every file and compresses what comes out: two compressions side by side, with nothing between them.
func (f *floor) all(c *corpus) (time.Duration, error) {
	began := now()
	for _, file := range c.files {
		f.source.Reset(file)
		if err := f.unzip.Reset(&f.source); err != nil {
			return 0, err
		}
		f.packed.Reset()
		f.zip.Reset(&f.packed)
		if _, err := io.CopyBuffer(struct{ io.Writer }{f.zip}, struct{ io.Reader }{&f.unzip}, f.window); err != nil {
			return 0, err
		}
		_ = f.zip.Close()
	}
	return now() - began, nil
}
