package pipeline_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/pipelinetest"
)

// TestPipeline_redelivery delivers the same file on two days and to two processes: every record, also one without an eventID
// or a time of its own, meets its own document.
func TestPipeline_redelivery(t *testing.T) {
	const key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/111122223333_CloudTrail_eu-west-1_20260203T2355Z_ABCDEFGHIJKLMNOP.json.gz"
	for _, c := range []struct {
		name    string
		key     string
		records []string
		docs    int
		indices []string
	}{
		{"as usual", key, []string{`{"eventTime":"2026-02-03T23:59:59Z","eventID":"a"}`, `{"eventTime":"2026-02-04T00:00:00Z","eventID":"b"}`}, 2, []string{"logs-2026.02.03", "logs-2026.02.04"}},
		{"no eventID", key, []string{`{"eventTime":"2026-02-03T23:59:59Z"}`, `{"eventTime":"2026-02-03T23:59:59Z","x":1}`}, 2, []string{"logs-2026.02.03"}},
		{"no eventID, the same bytes three times", key, []string{`{"eventTime":"2026-02-03T23:59:59Z"}`, `{"eventTime":"2026-02-03T23:59:59Z"}`, `{"eventTime":"2026-02-03T23:59:59Z"}`}, 3, []string{"logs-2026.02.03"}},
		{"an eventID that cannot be an id", key, []string{`{"eventTime":"2026-02-03T23:59:59Z","eventID":7}`, `{"eventTime":"2026-02-03T23:59:59Z","eventID":"` + strings.Repeat("x", 600) + `"}`}, 2, []string{"logs-2026.02.03"}},
		{"no eventTime", key, []string{`{"eventID":"a"}`}, 1, []string{"logs-2026.02.03"}},
		{"an eventTime that is none", key, []string{`{"eventID":"a","eventTime":"yesterday"}`}, 1, []string{"logs-2026.02.03"}},
		{"no time at all", "some/file.json", []string{`{"eventID":"a"}`, `{"eventName":"x"}`}, 2, []string{"logs-undated"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sink pipelinetest.Sink
				text := `{"Records":[` + strings.Join(c.records, ",") + `]}`
				run := func() map[string]int64 {
					r := newRig(t)
					r.Sink, r.Metrics = &sink, pipeline.NewMetrics(prometheus.NewRegistry())
					r.source.Add(&pipelinetest.Delivery{Name: c.key, Files: []string{text}})
					if err := r.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					return r.ended()
				}
				n := int64(len(c.records))
				if diff := cmp.Diff(map[string]int64{"read": n, "indexed": n}, run()); diff != "" {
					t.Errorf("the first time (-want +got):\n%s", diff)
				}
				time.Sleep(36 * time.Hour)
				if diff := cmp.Diff(map[string]int64{"read": n, "duplicate": n}, run()); diff != "" {
					t.Errorf("another day (-want +got):\n%s", diff)
				}
				indices := map[string]bool{}
				for id := range sink.Docs() {
					index, _, _ := strings.Cut(id, "/")
					indices[index] = true
				}
				if got := slices.Sorted(maps.Keys(indices)); len(sink.Docs()) != c.docs || !slices.Equal(got, c.indices) {
					t.Errorf("%d documents in %v, want %d in %v", len(sink.Docs()), got, c.docs, c.indices)
				}
			})
		})
	}
}
