package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// noFormat writes no documents: the store keeps records.
type noFormat struct{}

func (noFormat) Append(dst []byte, _ *cloudtrail.Record) []byte { return dst }
func (noFormat) AppendDegraded(dst []byte, _ *cloudtrail.Record, _ string) []byte {
	return dst
}
func (noFormat) Stamp([]byte, time.Time) {}

// batch makes a batch of records as the pipeline does.
func batch(t testing.TB, records ...string) *pipeline.Batch {
	t.Helper()
	b := pipeline.NewBatch(1, noFormat{})
	for _, text := range records {
		var r cloudtrail.Record
		if err := r.Parse([]byte(text)); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		add(b, &r)
	}
	return b
}

func add(b *pipeline.Batch, r *cloudtrail.Record) {
	at, _ := r.Time()
	id := r.Field(cloudtrail.EventID).Bytes()
	if len(id) == 0 {
		id = fmt.Appendf(nil, "made-%d", b.Len())
	}
	b.Add(r, id, "index", at)
}

// samples reads the real records of the repository.
func samples(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "test", "samples", "invictus", "*.json.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sample files: %v", err)
	}
	var all [][]byte
	reader := cloudtrail.NewReader()
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		reader.Reset(file, nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, bytes.Clone(r.Raw))
		}
		file.Close()
	}
	return all
}

// corpus makes any number of different records of the samples: each has an id of its own, its time follows its number,
// ten a second, and addresses, keys, instances and users vary.
type corpus struct {
	samples [][]byte
	parts   []varied
}

// varied is where a sample's text is replaced.
type varied struct{ cuts []cutOut }

type cutOut struct {
	from, to int
	what     cloudtrail.Field
}

const corpusStart = 1_780_000_000 // 28 May 2026

func newCorpus(t testing.TB) *corpus {
	t.Helper()
	c := &corpus{samples: samples(t)}
	for _, raw := range c.samples {
		var r cloudtrail.Record
		if err := r.Parse(raw); err != nil {
			t.Fatal(err)
		}
		var v varied
		for _, f := range []cloudtrail.Field{cloudtrail.EventTime, cloudtrail.EventID, cloudtrail.SourceIPAddress} {
			value := r.Field(f)
			if !value.Exists() {
				continue
			}
			at := cap(r.Raw) - cap(value.Raw()) // one is a part of the other
			v.cuts = append(v.cuts, cutOut{at, at + len(value.Raw()), f})
		}
		if value := r.Field(cloudtrail.UserIdentity).Get("accessKeyId"); value.Exists() {
			at := cap(r.Raw) - cap(value.Raw())
			v.cuts = append(v.cuts, cutOut{at, at + len(value.Raw()), cloudtrail.UserIdentity})
		}
		for i := range v.cuts {
			for k := i; k > 0 && v.cuts[k].from < v.cuts[k-1].from; k-- {
				v.cuts[k], v.cuts[k-1] = v.cuts[k-1], v.cuts[k]
			}
		}
		c.parts = append(c.parts, v)
	}
	return c
}

// append appends record number i.
func (c *corpus) append(dst []byte, i int) []byte {
	k := i % len(c.samples)
	raw, at := c.samples[k], 0
	for _, x := range c.parts[k].cuts {
		dst = append(dst, raw[at:x.from]...)
		at = x.to
		switch x.what {
		case cloudtrail.EventTime:
			dst = append(time.Unix(corpusStart+int64(i/10), 0).UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05Z"), '"')
		case cloudtrail.EventID:
			dst = fmt.Appendf(dst, `"%08x-0000-4000-8000-%012x"`, uint32(i)*2654435761, i)
		case cloudtrail.SourceIPAddress:
			dst = fmt.Appendf(dst, `"10.%d.%d.%d"`, i%3, i*7%11, i*i%61)
		default:
			dst = fmt.Appendf(dst, `"ASIA%016d"`, i*i%5003)
		}
	}
	return append(dst, raw[at:]...)
}

// batch makes a batch of n records from number i on.
func (c *corpus) batch(t testing.TB, i, n int) *pipeline.Batch {
	t.Helper()
	b := pipeline.NewBatch(1, noFormat{})
	var r cloudtrail.Record
	var text []byte
	for k := i; k < i+n; k++ {
		text = c.append(text[:0], k)
		if err := r.Parse(text); err != nil {
			t.Fatal(err)
		}
		add(b, &r)
	}
	return b
}
