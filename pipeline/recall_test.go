package pipeline_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/pipelinetest"
)

// recorder is a sink that wants the records.
type recorder struct {
	mu      sync.Mutex
	records map[string]string
}

func (s *recorder) Write(_ context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Save(0, min(2, b.Len()))
	b.Recall()
	fates := make([]pipeline.Fate, b.Len())
	for i := range fates {
		s.records[string(b.ID(i))] = string(b.Record(i))
		fates[i].Outcome = pipeline.Indexed
	}
	return fates, nil
}

// A sink gets the records, byte for byte, whether they were kept, read again as a whole, or some of them before.
func TestBatch_Recall(t *testing.T) {
	r := newRig(t)
	want := map[string]string{}
	for f := range 6 {
		var records []string
		for i := range 400 {
			id := fmt.Sprintf("%d-%d", f, i)
			want[id] = fmt.Sprintf(`{"eventID": %q,"note":%q}`, id, strings.Repeat("x", i))
			records = append(records, want[id])
		}
		records[3] = "{!}" // refused, and left out when they are read again
		delete(want, fmt.Sprintf("%d-3", f))
		r.source.Add(&pipelinetest.Delivery{Name: strconv.Itoa(f), Keeps: f%2 == 0, Files: []string{`{"Records":[` + strings.Join(records, ",") + `]}`}})
	}
	sink := &recorder{records: map[string]string{}}
	r.Sink = sink
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sink.records); diff != "" {
		t.Errorf("records, -want +got:\n%s", diff)
	}
}
