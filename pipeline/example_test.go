package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// oneFile is a source of one log file.
type oneFile struct {
	text string
	done atomic.Bool
}

// Receive implements pipeline.Source.
func (s *oneFile) Receive(context.Context) (pipeline.Delivery, error) {
	if s.done.Swap(true) {
		return nil, io.EOF
	}
	return s, nil
}

// Records implements pipeline.Delivery.
func (s *oneFile) Records(context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		reader := cloudtrail.NewReader()
		reader.Reset(strings.NewReader(s.text), &cloudtrail.Object{Key: "trail.json"})
		for {
			record, err := reader.Next()
			if errors.Is(err, io.EOF) || !yield(record, err) {
				return
			}
		}
	}
}

// Settle implements pipeline.Delivery.
func (s *oneFile) Settle(_ context.Context, outcome error) error {
	fmt.Println("settled:", outcome)
	return nil
}

// printer is a sink that prints.
type printer struct{}

// Write implements pipeline.Sink.
func (printer) Write(_ context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	fates := make([]pipeline.Fate, b.Len())
	for i := range fates {
		_, labels, _ := strings.Cut(string(b.Document(i)), `"labels":`)
		fmt.Printf("%s %s labels: %s\n", b.Index(i), b.ID(i), labels)
		fates[i].Outcome = pipeline.Indexed
	}
	return fates, nil
}

// readOnly is a filter that leaves out events that change nothing.
type readOnly struct{}

// Drops implements pipeline.Filter.
func (readOnly) Drops(r *cloudtrail.Record) (rule string, drops bool) {
	return "read_only", r.Field(cloudtrail.ReadOnly).Kind() == cloudtrail.KindTrue
}

// shift is an enricher that says whether people were at work.
type shift struct{}

// Enrich implements pipeline.Enricher.
func (shift) Enrich(_ context.Context, r *cloudtrail.Record, f *ecs.Fragments) {
	if at, ok := r.Time(); ok && (at.Hour() < 7 || at.Hour() > 19) {
		f.Labels = []byte(`"shift":"night",`)
	}
}

// A source, a filter, an enricher and a sink of one's own.
func Example() {
	index, err := pipeline.ParseIndexPattern("audit-{yyyy}")
	if err != nil {
		panic(err)
	}
	p := &pipeline.Pipeline{
		Source: &oneFile{text: `{"Records":[
			{"eventID":"1","eventTime":"2026-02-03T03:00:00Z","eventName":"DeleteTrail","readOnly":false},
			{"eventID":"2","eventTime":"2026-02-03T03:00:01Z","eventName":"GetTrail","readOnly":true}]}`},
		Sink:      printer{},
		Filter:    readOnly{},
		Enrichers: []pipeline.Enricher{shift{}},
		Format:    func() pipeline.Format { return ecs.NewEncoder(ecs.Config{}) },
		Index:     index,
		Memory:    64 << 20, InFlight: 8, Drain: time.Second,
		Log: zap.NewNop(), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}
	if err := p.Run(context.Background()); err != nil {
		panic(err)
	}
	counts := p.Metrics.Counts()
	fmt.Println("read", counts.Read, "indexed", counts.Ended[pipeline.EndIndexed], "filtered", counts.Ended[pipeline.EndFiltered])
	// Output:
	// audit-2026 1 labels: {"shift":"night"}}
	// settled: <nil>
	// read 2 indexed 1 filtered 1
}
