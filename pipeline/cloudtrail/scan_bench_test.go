package cloudtrail_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func BenchmarkParse(b *testing.B) {
	var records [][]byte
	size := 0
	reader := cloudtrail.NewReader()
	for _, file := range samples(b) {
		reader.Reset(bytes.NewReader(file), nil)
		for {
			r, err := reader.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			records = append(records, bytes.Clone(r.Raw))
			size += len(r.Raw)
		}
	}
	r := new(cloudtrail.Record)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range records {
			if err := r.Parse(text); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
