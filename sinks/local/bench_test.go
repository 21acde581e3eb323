package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/local"
)

// BenchmarkWrite stores different records: live, as many messages of a file's median of records at once as a daemon has, and
// in bulk, as the files of a folder. Each iteration is a batch. Both take everything along: the index, words, first events.
func BenchmarkWrite(b *testing.B) {
	for _, tc := range []struct {
		name             string
		writers, records int
	}{{"live", 256, 20}, {"bulk", 16, 200}} { // a chunk of 256 KiB has some 200
		b.Run(tc.name, func(b *testing.B) { benchmarkWrite(b, tc.writers, tc.records) })
	}
}

func benchmarkWrite(b *testing.B, writers, perBatch int) {
	b.Helper()
	c := newCorpus(b)
	path := filepath.Join(b.TempDir(), "store.db")
	s, err := local.Open(b.Context(), local.Config{Path: path}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	batches := make([]*pipeline.Batch, b.N)
	for i := range batches {
		batches[i] = c.batch(b, i*perBatch, perBatch)
	}
	b.ResetTimer()
	var all sync.WaitGroup
	next := make(chan *pipeline.Batch)
	for range writers {
		all.Go(func() {
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
	all.Wait()
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

// BenchmarkEvents asks a store of 100,000 events, a million with TRAILSHIP_TEST_FULL, for the newest fifty by each filter,
// and for counts.
func BenchmarkEvents(b *testing.B) {
	c := newCorpus(b)
	s, err := local.Open(b.Context(), local.Config{Path: filepath.Join(b.TempDir(), "store.db")}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	events := 100_000
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		events = 1_000_000
	}
	for i := 0; i < events; i += 2000 {
		if _, err := s.Write(b.Context(), c.batch(b, i, 2000)); err != nil {
			b.Fatal(err)
		}
	}
	newest, err := s.Events(b.Context(), history.Query{})
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
	middle := time.Unix(corpusStart+int64(events)/20, 0)
	for _, tc := range []struct {
		name  string
		query history.Query
	}{
		{"none", history.Query{}},
		{"until", history.Query{Until: history.At(middle)}},
		{"event name, frequent", by(history.EventName, "Decrypt")},
		{"event name, rare", by(history.EventName, "ConsoleLogin")},
		{"event name, absent", by(history.EventName, "NoSuchCall")},
		{"five event names", by(history.EventName, "Decrypt", "AssumeRole", "RunInstances", "GetSecretValue", "ConsoleLogin")},
		{"user", by(history.User, e.User)},
		{"resource name", by(history.ResourceName, resource)},
		{"resource type", by(history.ResourceType, "AWS::EC2::Instance")},
		{"event source", by(history.EventSource, "ec2.amazonaws.com")},
		{"access key", by(history.AccessKey, e.AccessKey)},
		{"event id", by(history.EventID, e.ID)},
		{"writes", by(history.ReadOnly, "false")},
		{"reads", by(history.ReadOnly, "true")},
		{"failures", by(history.OutcomeIs, "failure")},
		{"denied", by(history.OutcomeIs, "denied")},
		{"account", by(history.Account, e.Account)},
		{"region", by(history.Region, e.Region)},
		{"source ip", by(history.SourceIP, e.SourceIP)},
		{"failed writes of a user", history.Query{Filters: []history.Filter{
			{Attribute: history.User, Values: []string{e.User}},
			{Attribute: history.OutcomeIs, Values: []string{"failure"}},
			{Attribute: history.ReadOnly, Values: []string{"false"}},
		}}},
		{"two that never meet", history.Query{Filters: []history.Filter{
			{Attribute: history.EventSource, Values: []string{"ec2.amazonaws.com"}},
			{Attribute: history.EventName, Values: []string{"Decrypt"}},
		}}},
		{"text, frequent", history.Query{Text: "ec2"}},
		{"text, rare", history.Query{Text: resource}},
		{"text, absent", history.Query{Text: "no such words"}},
		{"value, frequent", by(history.LeafValue, "false")},
		{"value, left out", history.Query{Filters: []history.Filter{{Attribute: history.LeafValue, Values: []string{"false"}, Not: true}}}},
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
	counts(b, s)
}

// counts measures what the histogram and the lists of values take, of all events and of those of one name.
func counts(b *testing.B, s *local.Store) {
	b.Helper()
	for _, tc := range []struct {
		name  string
		query history.Query
	}{
		{"all", history.Query{}},
		{"event name, frequent", by(history.EventName, "Decrypt")},
		{"text", history.Query{Text: "ec2"}},
	} {
		b.Run("histogram/"+tc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Histogram(b.Context(), tc.query, 60); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("facets/"+tc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Facets(b.Context(), tc.query, []history.Attribute{history.User, history.EventName}, 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func by(a history.Attribute, values ...string) history.Query {
	return history.Query{Filters: []history.Filter{{Attribute: a, Values: values}}}
}
