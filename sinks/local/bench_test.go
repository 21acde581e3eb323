package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
	b.Helper()
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

// BenchmarkEvents asks a store of 100,000 events for the newest fifty by each filter.
func BenchmarkEvents(b *testing.B) {
	c := newCorpus(b)
	s, err := local.Open(b.Context(), local.Config{Path: filepath.Join(b.TempDir(), "store.db")}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const events = 100_000
	for i := 0; i < events; i += 2000 {
		if _, err := s.Write(b.Context(), c.batch(b, i, 2000)); err != nil {
			b.Fatal(err)
		}
	}
	newest, err := s.Events(b.Context(), local.Query{})
	if err != nil {
		b.Fatal(err)
	}
	e := newest.Events[0]
	resource := ""
	for _, x := range newest.Events {
		if len(x.Resources) > 0 {
			resource = x.Resources[0].Name
		}
	}
	middle := time.Unix(corpusStart+events/20, 0)
	for _, tc := range []struct {
		name  string
		query local.Query
	}{
		{"none", local.Query{}},
		{"until", local.Query{Until: middle}},
		{"event name, frequent", by(local.EventName, "Decrypt")},
		{"event name, rare", by(local.EventName, "ConsoleLogin")},
		{"event name, absent", by(local.EventName, "NoSuchCall")},
		{"five event names", by(local.EventName, "Decrypt", "AssumeRole", "RunInstances", "GetSecretValue", "ConsoleLogin")},
		{"user", by(local.User, e.User)},
		{"resource name", by(local.ResourceName, resource)},
		{"resource type", by(local.ResourceType, "AWS::EC2::Instance")},
		{"event source", by(local.EventSource, "ec2.amazonaws.com")},
		{"access key", by(local.AccessKey, e.AccessKey)},
		{"event id", by(local.EventID, e.ID)},
		{"writes", by(local.ReadOnly, "false")},
		{"reads", by(local.ReadOnly, "true")},
		{"failures", by(local.OutcomeIs, "failure")},
		{"denied", by(local.OutcomeIs, "denied")},
		{"account", by(local.Account, e.Account)},
		{"region", by(local.Region, e.Region)},
		{"source ip", by(local.SourceIP, e.SourceIP)},
		{"failed writes of a user", local.Query{Filters: []local.Filter{
			{Attribute: local.User, Values: []string{e.User}},
			{Attribute: local.OutcomeIs, Values: []string{"failure"}},
			{Attribute: local.ReadOnly, Values: []string{"false"}},
		}}},
		{"two that never meet", local.Query{Filters: []local.Filter{
			{Attribute: local.EventSource, Values: []string{"ec2.amazonaws.com"}},
			{Attribute: local.EventName, Values: []string{"Decrypt"}},
		}}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			found := 0
			for b.Loop() {
				page, err := s.Events(b.Context(), tc.query)
				if err != nil {
					b.Fatal(err)
				}
				found = len(page.Events)
			}
			b.ReportMetric(float64(found), "events")
		})
	}
}

func by(a local.Attribute, values ...string) local.Query {
	return local.Query{Filters: []local.Filter{{Attribute: a, Values: values}}}
}
