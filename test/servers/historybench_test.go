//go:build servers

package servers_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster/lookup"
	"github.com/trailship/trailship/test/servers"
)

// BenchmarkHistory asks a hundred thousand events, or as many as TRAILSHIP_TEST_EVENTS says, made of the sample records, of ten
// days. It takes an index a day, and a cluster of one node and little memory.
func BenchmarkHistory(b *testing.B) {
	cache, logs := folders(b)
	for _, kind := range servers.Kinds() {
		if kind.Name == "opensearch-security" {
			continue
		}
		b.Run(kind.Name, func(b *testing.B) {
			r := &rig{cluster: servers.StartCluster(b, kind, cache, logs)}
			r.fill(b, eventsToAsk(b))
			benchmarkQuestions(b, lookup.New(transportTo(b, r.cluster), indices, ""))
		})
	}
}

func eventsToAsk(b *testing.B) int {
	b.Helper()
	text := os.Getenv("TRAILSHIP_TEST_EVENTS")
	if text == "" {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// fill writes events made of the sample records: each has an id of its own, and their times are those of ten days.
func (r *rig) fill(b *testing.B, events int) {
	b.Helper()
	samples := sampleRecords(b)
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	step := 10 * 24 * time.Hour / time.Duration(events)
	w := r.writer(b, ecs.Config{})
	batch := make([]string, 0, 2000)
	for i := range events {
		s := samples[i%len(samples)]
		id, at := fmt.Sprintf("%08x-%s", i, s.id), first.Add(time.Duration(i)*step).Format(time.RFC3339)
		text := strings.Replace(s.text, `"eventID":"`+s.id, `"eventID":"`+id, 1)
		batch = append(batch, strings.Replace(text, `"eventTime":"`+s.at, `"eventTime":"`+at, 1))
		if len(batch) == cap(batch) || i == events-1 {
			w.write(b, batch)
			batch = batch[:0]
		}
	}
	w.end(b)
}

// sample is a record and what of it is made anew.
type sample struct{ text, id, at string }

func sampleRecords(b *testing.B) (samples []sample) {
	b.Helper()
	eachRecord(b, func(r *cloudtrail.Record) {
		s := sample{string(r.Raw), string(r.Field(cloudtrail.EventID).Bytes()), string(r.Field(cloudtrail.EventTime).Bytes())}
		if s.id != "" && strings.Contains(s.text, `"eventTime":"`+s.at) && strings.Contains(s.text, `"eventID":"`+s.id) {
			samples = append(samples, s)
		}
	})
	return samples
}

func benchmarkQuestions(b *testing.B, s history.Search) {
	b.Helper()
	by := func(a history.Attribute, values ...string) history.Query {
		return history.Query{Filters: []history.Filter{{Attribute: a, Values: values}}}
	}
	question := func(name string) history.Query {
		q, _ := history.FindQuestion(name)
		return q.Query
	}
	for _, tc := range []struct {
		name  string
		query history.Query
	}{
		{"no filter", history.Query{}},
		{"event name", by(history.EventName, "AssumeRole")},
		{"user", by(history.User, "bert-jan")},
		{"address", by(history.SourceIP, "192.168.10.20")},
		{"no such address", by(history.SourceIP, "192.0.2.200")},
		{"resource", by(history.ResourceName, "arn:aws:iam::123837392027:role/stratus-red-team-ec2-get-user-data-role")},
		{"no such resource", by(history.ResourceName, "no-such-bucket")},
		{"resource type", by(history.ResourceType, "AWS::EC2::Instance")},
		{"value", by(history.LeafValue, "0.0.0.0/0")},
		{"writes", by(history.ReadOnly, "false")},
		{"failures", by(history.OutcomeIs, "failure")},
		{"frequent text", history.Query{Text: "stratus"}},
		{"rare text", history.Query{Text: "AdministratorAccess"}},
		{"text of no event", history.Query{Text: "nowhere-at-all"}},
		{"deletions", question("deletions")},
		{"first calls", question("first-calls")},
		{"calls across accounts", question("cross-account")},
	} {
		b.Run("events/"+tc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Events(b.Context(), tc.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, tc := range []struct {
		name  string
		query history.Query
	}{{"everything", history.Query{}}, {"event name", by(history.EventName, "AssumeRole")}, {"text", history.Query{Text: "stratus"}}} {
		b.Run("histogram/"+tc.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Histogram(b.Context(), tc.query, 120); err != nil {
					b.Fatal(err)
				}
			}
		})
		for name, attributes := range map[string][]history.Attribute{
			"names and sources": {history.EventName, history.EventSource}, "users": {history.User},
		} {
			b.Run("counts of "+name+"/"+tc.name, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Facets(b.Context(), tc.query, attributes, 10); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
