package ecs_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// sampleRecords are the records of the real files in test/samples, each parsed, with the objects they come from.
func sampleRecords(t testing.TB) []*cloudtrail.Record {
	t.Helper()
	names, err := filepath.Glob("../../test/samples/*/*.json.gz")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sample files: %v", err)
	}
	var records []*cloudtrail.Record
	d := cloudtrail.NewReader()
	for _, name := range names {
		key := "AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/" + filepath.Base(name)
		object := &cloudtrail.Object{
			Bucket: "trail", Key: key, Region: "us-east-1", Read: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
			KeyInfo: cloudtrail.ParseKey(key),
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		d.Reset(f, object)
		for {
			r, err := d.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("reading %s: %v", name, err)
			}
			c := &cloudtrail.Record{Object: object, Number: r.Number, Offset: r.Offset}
			if err := c.Parse(bytes.Clone(r.Raw)); err != nil {
				t.Fatal(err)
			}
			records = append(records, c)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// TestAppendAllocates: a record costs no allocation once the scratch space has grown.
func TestAppendAllocates(t *testing.T) {
	records := sampleRecords(t)
	for _, limit := range []int{0, 32000} {
		e := ecs.NewEncoder(ecs.Config{LeafLimit: limit, KeepOriginal: true})
		dst := make([]byte, 0, 1<<20)
		var r cloudtrail.Record
		round := func() {
			for _, sample := range records {
				if err := r.Parse(sample.Raw); err != nil {
					t.Fatal(err)
				}
				r.Object = records[0].Object // what is said of an object is written once for all its records
				dst = e.Append(dst[:0], &r)
			}
		}
		round()
		if got := testing.AllocsPerRun(3, round); got > 0 {
			t.Errorf("leaf limit %d: got %v allocations for %d records, want none", limit, got, len(records))
		}
	}
}

// BenchmarkAppend parses real records and encodes them, as the pipeline does. What "parse" takes is the share of parsing.
func BenchmarkAppend(b *testing.B) {
	records := sampleRecords(b)
	var r cloudtrail.Record
	run := func(b *testing.B, encode func() int) {
		b.Helper()
		in, out, i := 0, 0, 0
		b.ReportAllocs()
		for b.Loop() {
			sample := records[i%len(records)]
			if err := r.Parse(sample.Raw); err != nil {
				b.Fatal(err)
			}
			r.Object, r.Offset = sample.Object, sample.Offset
			in, out, i = in+len(r.Raw), out+encode(), i+1
		}
		b.ReportMetric(float64(in)/float64(i), "in-B/op")
		b.ReportMetric(float64(out)/float64(i), "out-B/op")
	}
	b.Run("parse", func(b *testing.B) { run(b, func() int { return 0 }) })
	for _, c := range []struct {
		name string
		cfg  ecs.Config
	}{
		{"default", ecs.Config{}},
		{"opensearch", ecs.Config{LeafLimit: 32000}},
		{"original", ecs.Config{KeepOriginal: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := ecs.NewEncoder(c.cfg)
			dst := make([]byte, 0, 1<<20)
			run(b, func() int {
				dst = e.Append(dst[:0], &r)
				return len(dst)
			})
		})
	}
}
