package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/pipeline/pipelinetest"
	"github.com/trailship/trailship/pipeline/redact"
)

// Filtered records are terminal, and every count still adds up.
func TestPipeline_filter(t *testing.T) {
	r := newRig(t)
	set, err := filter.New(filter.Config{Drop: []filter.Rule{`{"eventID":[{"suffix":"-1"}]}`, `{"eventID":["a-3","b-3"]}`}})
	if err != nil {
		t.Fatal(err)
	}
	r.Filter = set
	d := &pipelinetest.Delivery{Name: "key", Files: []string{file("a", 3), file("b", 3) + "x"}}
	all := &pipelinetest.Delivery{Name: "all", Files: []string{file("c", 1)}}
	r.source.Add(d, all)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"read": 7, "indexed": 2, "filtered": 5}
	if diff := cmp.Diff(want, r.ended()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got := all.Settled(); len(got) != 1 || got[0] != nil {
		t.Errorf("a delivery of filtered records settled with %v, want nil: it is done", got)
	}
}

// What is redacted is in no document and in no dead letter, also not in event.original or in what cannot be read.
func TestPipeline_redact(t *testing.T) {
	r := newRig(t)
	r.Format = func() pipeline.Format { return ecs.NewEncoder(ecs.Config{KeepOriginal: true}) }
	r.Redactor = redact.New(redact.Config{Drop: []string{"requestParameters.password"}, Hash: []string{"userIdentity.userName"}, HashKey: "k"})
	r.sink.Refuse = func(id string) *pipeline.Refusal {
		if id == "b" {
			return &pipeline.Refusal{Status: 400, Type: "mapper_parsing_exception", Reason: "no"}
		}
		return nil
	}
	const record = `{"eventID":"ID","eventName":"X","requestParameters":{"password":"secret"},"userIdentity":{"type":"IAMUser","userName":"secret"}}`
	r.source.Add(&pipelinetest.Delivery{Name: "key", Files: []string{`{"Records":[` + strings.Replace(record, "ID", "a", 1) + "," +
		strings.Replace(record, "ID", "b", 1) + `,"a record that cannot be read: secret"]}`}})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(r.sink.Docs()) + len(r.letters.Letters()); got != 3 {
		t.Errorf("got %d documents and letters, want 3", got)
	}
	for id, doc := range r.sink.Docs() {
		if strings.Contains(doc, "secret") {
			t.Errorf("%s is stored as %s", id, doc)
		}
	}
	for id, letter := range r.letters.Letters() {
		if strings.Contains(string(letter.Record), "secret") {
			t.Errorf("%s is kept as %s", id, letter.Record)
		}
	}
}
