package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/test/samples"
)

// A corpus is log files that are equal whenever the same number of them is made.
type corpus struct {
	files   [][]byte // gzip
	records int      // in all
}

// makeCorpus makes n files of perFile records each.
func makeCorpus(n, perFile int) (*corpus, error) {
	records, err := sampleRecords()
	if err != nil {
		return nil, err
	}
	c := &corpus{records: n * perFile}
	w := writer{rnd: rand.New(rand.NewPCG(1, uint64(perFile))), at: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)}
	for range n {
		c.files = append(c.files, w.file(records, perFile))
	}
	return c, nil
}

// sampleRecords reads the sample files.
func sampleRecords() ([][]byte, error) {
	var all [][]byte
	reader := cloudtrail.NewReader()
	files := samples.Files()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".gz") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		reader.Reset(bytes.NewReader(content), nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
			all = append(all, bytes.Clone(r.Raw))
		}
	})
	return all, err
}

// writer writes log files.
type writer struct {
	rnd *rand.Rand
	at  time.Time // of the next record
	zip *gzip.Writer

	steady bool // most records come from one address
}

var (
	uuid    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	hour    = regexp.MustCompile(`"eventTime":"[^"]+"`)
	key     = regexp.MustCompile(`(AKIA|ASIA)[A-Z2-7]{16}`)
	address = regexp.MustCompile(`"sourceIPAddress":"[0-9.]+"`)
)

// file is a log file of n records picked at random.
func (w *writer) file(records [][]byte, n int) []byte {
	var text, packed bytes.Buffer
	text.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		text.Write(w.vary(records[w.rnd.IntN(len(records))]))
	}
	text.WriteString("]}")
	if w.zip == nil {
		w.zip = gzip.NewWriter(nil)
	}
	w.zip.Reset(&packed)
	_, _ = w.zip.Write(text.Bytes()) // memory takes everything
	_ = w.zip.Close()
	return packed.Bytes()
}

// vary gives a record identifiers, a time, a key and an address of its own.
func (w *writer) vary(record []byte) []byte {
	w.at = w.at.Add(time.Duration(w.rnd.IntN(3)) * time.Second)
	record = uuid.ReplaceAllFunc(record, func([]byte) []byte {
		a, b := w.rnd.Uint64(), w.rnd.Uint64()
		return fmt.Appendf(nil, "%08x-%04x-%04x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48), uint16(b), b>>16)
	})
	record = hour.ReplaceAll(record, w.at.AppendFormat(nil, `"eventTime":"2006-01-02T15:04:05Z"`))
	record = key.ReplaceAllFunc(record, func(old []byte) []byte {
		return fmt.Appendf(bytes.Clone(old[:16]), "%c%c%c%c", 'A'+w.rnd.IntN(26), 'A'+w.rnd.IntN(26), 'A'+w.rnd.IntN(26), 'A'+w.rnd.IntN(26))
	})
	return address.ReplaceAllFunc(record, func([]byte) []byte {
		if w.steady {
			n := max(w.rnd.IntN(400)-300, 0) // 0 in three of four cases
			return fmt.Appendf(nil, `"sourceIPAddress":"203.0.%d.5"`, n)
		}
		return fmt.Appendf(nil, `"sourceIPAddress":"203.0.%d.%d"`, w.rnd.IntN(256), w.rnd.IntN(256))
	})
}
