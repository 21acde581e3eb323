package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/pipelinetest"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestFair: a message of one record that arrives while objects of 40,000 are written is settled within half a second,
// though the cluster takes its time.
func TestFair(t *testing.T) {
	const most = 500 * time.Millisecond
	cases := []struct {
		name    string
		objects int
		delay   time.Duration // of each answer
	}{
		{"a quick cluster", 1, 5 * time.Millisecond},
		{"answers after 200 ms", 1, 200 * time.Millisecond},
		{"two objects, answers after 200 ms", 2, 200 * time.Millisecond},
	}
	if testing.Short() {
		cases = cases[1:2]
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &standin.Cluster{Counting: true, Fault: func(r *http.Request) *standin.ClusterFault {
					if strings.HasSuffix(r.URL.Path, "_bulk") {
						return &standin.ClusterFault{Delay: tc.delay}
					}
					return nil
				}}
				p, source := carrying(t, open(t, c).Engine)
				for i := range tc.objects {
					source.Add(&pipelinetest.Delivery{Name: fmt.Sprint("large", i), Files: []string{logFile(fmt.Sprint("large", i), 40_000)}, Bytes: 2 << 20})
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- p.Run(ctx) }()
				for i := range 5 {
					time.Sleep(130 * time.Millisecond)
					small := &pipelinetest.Delivery{Name: "small", Files: []string{logFile(fmt.Sprint("small", i), 1)}}
					start := time.Now()
					source.Add(small)
					for len(small.Settled()) == 0 {
						time.Sleep(time.Millisecond)
					}
					if took := time.Since(start); took > most || small.Settled()[0] != nil {
						t.Errorf("message %d: settled with %v after %v, want nil within %v", i, small.Settled()[0], took, most)
					}
				}
				if n := c.Count(); n > tc.objects*40_000 && tc.delay > 50*time.Millisecond {
					t.Errorf("all %d documents were stored by then: the small messages met no large one", n)
				}
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("Run: got %v", err)
				}
			})
		})
	}
}

// carrying is a pipeline from a source in memory to a sink.
func carrying(t *testing.T, sink pipeline.Sink) (*pipeline.Pipeline, *pipelinetest.Source) {
	t.Helper()
	index, err := pipeline.ParseIndexPattern("logs-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	source := &pipelinetest.Source{Endless: true, Tries: 1}
	return &pipeline.Pipeline{
		Source: source, Sink: sink, Format: func() pipeline.Format { return sinktest.Format{} }, Index: index,
		Memory: 64 << 20, InFlight: 1024, Drain: time.Second,
		Log: zap.NewNop(), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}, source
}

// logFile is a log file of n records as long as real ones.
func logFile(prefix string, n int) string {
	var b strings.Builder
	b.WriteString(`{"Records":[`)
	filler := strings.Repeat("x", 1200)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"eventTime":"2026-02-03T04:05:06Z","eventID":"%s-%d","userAgent":%q}`, prefix, i, filler)
	}
	b.WriteString("]}")
	return b.String()
}
