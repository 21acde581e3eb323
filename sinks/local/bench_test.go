package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/local"
)

const perBatch = 200 // a chunk of 256 KiB

// BenchmarkWrite stores b.N batches of different records with sixteen writers.
func BenchmarkWrite(b *testing.B) {
	b.Run("live", func(b *testing.B) { benchmarkWrite(b, false) })
	b.Run("load", func(b *testing.B) { benchmarkWrite(b, true) })
}

func benchmarkWrite(b *testing.B, load bool) {
	c := newCorpus(b)
	path := filepath.Join(b.TempDir(), "store.db")
	s, err := local.Open(b.Context(), local.Config{Path: path}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	if load {
		if err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	batches := make([]*pipeline.Batch, b.N)
	for i := range batches {
		batches[i] = c.batch(b, i*perBatch, perBatch)
	}
	b.ResetTimer()
	var writers sync.WaitGroup
	next := make(chan *pipeline.Batch)
	for range 16 {
		writers.Go(func() {
			for batch := range next {
				if _, err := s.Write(b.Context(), batch); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, batch := range batches {
		next <- batch
	}
	close(next)
	writers.Wait()
	if load {
		if err := s.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	records := float64(b.N * perBatch)
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(info.Size())/records, "bytes/record")
}
