package sinks_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

const stream = "logs-aws.cloudtrail-default"

// openStream opens a sink that writes to the data stream of c.
func openStream(t *testing.T, kind string, c *standin.Cluster) *sinks.Opened {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	name, err := pipeline.ParseIndexPattern(stream)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sinks.Open(kinds(server.URL)[kind], sinks.Options{
		Index: name, DataStream: true, DeadLetters: deadletter.Config{Index: "trailship-dead-letters"},
		Log: zaptest.NewLogger(t), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// TestDataStream: the stream is made under a template of its own, and what this process has stored is not stored again
// behind a rollover. Another process cannot know: that is what a data stream costs.
func TestDataStream(t *testing.T) {
	for kind := range kinds("") {
		t.Run(kind, func(t *testing.T) {
			c := &standin.Cluster{BuiltinLogs: true, OpenSearch: kind == "opensearch"}
			write := func(s *sinks.Opened, want pipeline.Outcome, names ...string) {
				t.Helper()
				fates, err := s.Sink.Write(t.Context(), sinktest.Batch(t, 1, stream, names...))
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range fates {
					if f.Outcome != want {
						t.Errorf("%s: got outcome %d, want %d", names[i], f.Outcome, want)
					}
				}
			}
			s := openStream(t, kind, c)
			write(s, pipeline.Indexed, "a", "b", "c")
			if diff := cmp.Diff([]string{stream}, second(c.Indices())); diff != "" {
				t.Errorf("streams made by a request (-want +got):\n%s", diff)
			}
			write(s, pipeline.Duplicate, "a", "b")
			c.Rollover(stream)
			write(s, pipeline.Duplicate, "c", "a")
			if got := c.Count(); got != 3 {
				t.Errorf("got %d documents behind the rollover, want 3", got)
			}
			write(s, pipeline.Indexed, "d")
			write(openStream(t, kind, c), pipeline.Indexed, "a")
		})
	}
}

func second[A, B any](_ A, b B) B { return b }

func TestDataStream_setup(t *testing.T) {
	c := &standin.Cluster{}
	if err := openStream(t, "elasticsearch", c).Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Patterns   []string       `json:"index_patterns"`
		Priority   int            `json:"priority"`
		DataStream map[string]any `json:"data_stream"`
	}
	if err := json.Unmarshal(c.Template("trailship-cloudtrail-logs-aws.cloudtrail-default-stream"), &got); err != nil {
		t.Fatal(err)
	}
	if got.DataStream == nil || got.Priority <= 200 || len(got.Patterns) != 1 || got.Patterns[0] != stream {
		t.Errorf("got %+v, want a data stream of exactly this name, above the priority of Elastic's integrations", got)
	}
}
