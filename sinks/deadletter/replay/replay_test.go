package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/pipelinetest"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/deadletter/replay"
	"github.com/trailship/trailship/sinks/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a replay of a directory's letters into a sink in memory.
type rig struct {
	folder string
	places *deadletter.Places
	sink   *pipelinetest.Sink
	files  files
	filter deadletter.Filter
}

func newRig(t *testing.T) *rig {
	t.Helper()
	folder := t.TempDir()
	p, err := deadletter.New(deadletter.Config{Directory: folder}, deadletter.Options{Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{folder: folder, places: p, sink: &pipelinetest.Sink{}, files: files{}}
}

// run replays once.
func (r *rig) run(t *testing.T, ctx context.Context) *replay.Source { //nolint:revive // the test comes first, as everywhere
	t.Helper()
	from := replay.New(replay.Options{
		Shelves: r.places.Shelves(), Filter: r.filter, Objects: r.files, Places: r.places, Log: zaptest.NewLogger(t),
	})
	index, err := pipeline.ParseIndexPattern("logs-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	p := &pipeline.Pipeline{
		Source: from, Sink: r.sink, DeadLetters: from, Format: func() pipeline.Format { return sinktest.Format{} },
		Index: index, Memory: 64 << 20, InFlight: 4, Drain: time.Second,
		Log: zaptest.NewLogger(t), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}
	if err := p.Run(ctx); err != nil && ctx.Err() == nil {
		t.Errorf("Run: %v", err)
	}
	from.Close()
	return from
}

// left are the ids of the letters in the place, sorted; one that is there twice twice.
func (r *rig) left(t *testing.T) []string {
	t.Helper()
	ids := []string{}
	for s, err := range r.places.Shelves()[0].Stacks(t.Context(), time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		for k, err := range s.Letters(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, k.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// docs are the documents in the sink, sorted.
func (r *rig) docs() []string {
	docs := []string{}
	for id := range r.sink.Docs() {
		docs = append(docs, id)
	}
	slices.Sort(docs)
	return docs
}

func (r *rig) bury(t *testing.T, letters ...pipeline.Letter) {
	t.Helper()
	if err := r.places.Bury(t.Context(), letters); err != nil {
		t.Fatal(err)
	}
}

func record(id string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventTime":"2026-02-03T04:05:06Z","eventName":"GetUser","eventID":%q}`, id)
}

func event(id, reason string) pipeline.Letter { return sinktest.Letter(id, reason, record(id)) }

// object is the letter of a whole object, as the pipeline names it.
func object(key string) pipeline.Letter {
	lost := &pipeline.LostObject{Object: &cloudtrail.Object{Bucket: "b", Key: key}, Reason: "truncated", Err: errors.New("cut")}
	box := &pipelinetest.DeadLetters{}
	from := &pipelinetest.Source{}
	from.Add(&pipelinetest.Delivery{Lost: []*pipeline.LostObject{lost}})
	p := &pipeline.Pipeline{
		Source: from, Sink: &pipelinetest.Sink{}, DeadLetters: box, Format: func() pipeline.Format { return sinktest.Format{} },
		Memory: 8 << 20, InFlight: 1, Log: zaptest.NewLogger(nopTB{}), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}
	_ = p.Run(context.Background()) // the letter says it
	for _, l := range box.Letters() {
		return l
	}
	panic("a lost object left no letter")
}

// nopTB keeps object's log quiet.
type nopTB struct{}

func (nopTB) Logf(string, ...any)   {}
func (nopTB) Errorf(string, ...any) {}
func (nopTB) Fail()                 {}
func (nopTB) Failed() bool          { return false }
func (nopTB) Name() string          { return "object" }
func (nopTB) FailNow()              {}

// files are the objects of bucket b by key: a file, or the error of reading it.
type files map[string]any

func (f files) Records(_ context.Context, bucket, key string) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		o := &cloudtrail.Object{Bucket: bucket, Key: key}
		text, ok := f[key].(string)
		if !ok {
			err, _ := f[key].(error)
			if err == nil {
				err = &pipeline.LostObject{Object: o, Reason: "no_such_key", Err: errors.New("gone")}
			}
			yield(nil, err)
			return
		}
		reader := cloudtrail.NewReader()
		reader.Reset(strings.NewReader(text), o)
		for r, err := reader.Next(); ; r, err = reader.Next() {
			var refused *cloudtrail.Refused
			if err != nil && !errors.As(err, &refused) || !yield(r, err) {
				return
			}
		}
	}
}

func TestReplay(t *testing.T) {
	const day = "logs-2026.02.03/"
	for _, c := range []struct {
		name    string
		letters []pipeline.Letter
		change  func(r *rig)
		docs    []string
		left    []string
		count   replay.Progress
	}{
		{"nothing", nil, nil, nil, nil, replay.Progress{}},
		{
			"what goes through is removed",
			[]pipeline.Letter{event("a", "x"), event("b", "x")},
			nil,
			[]string{day + "a", day + "b"},
			nil,
			replay.Progress{Chosen: 2, Removed: 2},
		},
		{
			"what is refused again stays",
			[]pipeline.Letter{event("a", "x"), event("b", "x"), event("c", "x")},
			func(r *rig) { r.sink.Refuse = refuse("b") },
			[]string{day + "a", day + "c"},
			[]string{"b"},
			replay.Progress{Chosen: 3, Removed: 2, Stayed: 1},
		},
		{
			"buried twice and refused again",
			[]pipeline.Letter{event("a", "x"), event("a", "x")},
			func(r *rig) { r.sink.Refuse = refuse("a") },
			nil,
			[]string{"a", "a"},
			replay.Progress{Chosen: 2, Stayed: 2},
		},
		{
			"buried twice",
			[]pipeline.Letter{event("a", "x"), event("a", "x")},
			nil,
			[]string{day + "a"},
			nil,
			replay.Progress{Chosen: 2, Removed: 2},
		},
		{
			"only the chosen ones",
			[]pipeline.Letter{event("a", "x"), event("b", "index_blocked")},
			func(r *rig) { r.filter.Reasons = []string{"index_blocked"} },
			[]string{day + "b"},
			[]string{"a"},
			replay.Progress{Chosen: 1, Removed: 1, LeftOut: 1},
		},
		{
			"a record without an eventID keeps its id",
			[]pipeline.Letter{sinktest.Letter("hash", "x", `{"eventName":"GetUser"}`)},
			nil,
			[]string{"logs-undated/hash"},
			nil,
			replay.Progress{Chosen: 1, Removed: 1},
		},
		{
			"no record",
			[]pipeline.Letter{sinktest.Letter("object-1-3", "unreadable_record", `{"eventID":`)},
			nil,
			nil,
			[]string{"object-1-3"},
			replay.Progress{Chosen: 1, Stayed: 1},
		},
		{
			"a record that can be read by now",
			[]pipeline.Letter{sinktest.Letter("object-1-3", "unreadable_record", record("a"))},
			nil,
			[]string{day + "a"},
			nil,
			replay.Progress{Chosen: 1, Removed: 1},
		},
		{
			"an id that is none",
			[]pipeline.Letter{sinktest.Letter("\"}}\n", "x", record("a"))},
			nil,
			nil,
			[]string{"\"}}\n"},
			replay.Progress{Chosen: 1, Stayed: 1},
		},
		{
			"an object that is back",
			[]pipeline.Letter{object("k"), event("a", "x")},
			func(r *rig) { r.files["k"] = `{"Records":[` + record("b") + "," + record("c") + `]}` },
			[]string{day + "a", day + "b", day + "c"},
			nil,
			replay.Progress{Chosen: 2, Removed: 2},
		},
		{
			"an object that is still gone",
			[]pipeline.Letter{object("k"), event("a", "x")},
			nil,
			[]string{day + "a"},
			[]string{object("k").ID},
			replay.Progress{Chosen: 2, Removed: 1, Stayed: 1},
		},
		{
			"an object that is forbidden",
			[]pipeline.Letter{object("k"), event("a", "x")},
			func(r *rig) { r.files["k"] = errors.New("access denied") },
			[]string{day + "a"},
			[]string{object("k").ID},
			replay.Progress{Chosen: 2, Removed: 1, Stayed: 1},
		},
		{
			"a record of an object that is back is refused",
			[]pipeline.Letter{object("k")},
			func(r *rig) {
				r.files["k"] = `{"Records":[` + record("b") + "," + record("c") + `]}`
				r.sink.Refuse = refuse("c")
			},
			[]string{day + "b"},
			[]string{"c"},
			replay.Progress{Chosen: 1, Removed: 1},
		},
		{
			"the sink cannot tell",
			[]pipeline.Letter{event("a", "x"), event("b", "x")},
			func(r *rig) {
				r.sink.Answer = func(b *pipeline.Batch) ([]pipeline.Fate, error) {
					return make([]pipeline.Fate, b.Len()), errors.New("no answer")
				}
			},
			nil,
			[]string{"a", "b"},
			replay.Progress{Chosen: 2, Unknown: 2},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			if len(c.letters) > 0 {
				r.bury(t, c.letters...)
			}
			if c.change != nil {
				c.change(r)
			}
			from := r.run(t, t.Context())
			if diff := cmp.Diff(append([]string{}, c.docs...), r.docs()); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, c.left...), r.left(t)); diff != "" {
				t.Errorf("letters left (-want +got):\n%s", diff)
			}
			got := from.Progress()
			got.Stacks, got.Finished = 0, 0
			if diff := cmp.Diff(c.count, got); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			if failed := from.Err() != nil; failed != (c.count.Unknown > 0) {
				t.Errorf("Err: %v", from.Err())
			}
		})
	}
}

func refuse(id string) func(string) *pipeline.Refusal {
	return func(got string) *pipeline.Refusal {
		if got == id {
			return &pipeline.Refusal{Status: 400, Type: "x", Reason: "still no"}
		}
		return nil
	}
}

// A line that is no letter stays, is counted as that alone, and holds up no other.
func TestReplay_damaged(t *testing.T) {
	r := newRig(t)
	r.bury(t, event("a", "x"), event("b", "y"))
	names, err := filepath.Glob(filepath.Join(r.folder, "*.ndjson"))
	if err != nil || len(names) != 1 {
		t.Fatalf("got files %v, error %v, want one", names, err)
	}
	file, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[0], append([]byte("oops\n"), file...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.filter = deadletter.Filter{Reasons: []string{"x"}}
	got := r.run(t, t.Context()).Progress()
	want := replay.Progress{Chosen: 1, Removed: 1, LeftOut: 1, Damaged: 1, Stacks: 1, Finished: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rest, err := os.ReadFile(names[0])
	if err != nil || !bytes.HasPrefix(rest, []byte("oops\n")) || bytes.Count(rest, []byte("\n")) != 2 {
		t.Errorf("got %q and error %v, want the line that is no letter and one letter", rest, err)
	}
}

// TestReplay_interrupted stops replays in the middle until one gets to its end.
func TestReplay_interrupted(t *testing.T) {
	r := newRig(t)
	const n = 300
	for i := range n {
		r.bury(t, event(fmt.Sprintf("%03d", i), "x"))
	}
	for after := 20; len(r.left(t)) > 0; after *= 2 {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		r.sink.Refuse = func(string) *pipeline.Refusal { // called for each document
			if seen++; seen == after {
				cancel()
			}
			return nil
		}
		r.run(t, ctx)
		cancel()
		if got := len(r.docs()) + len(r.left(t)); got < n {
			t.Fatalf("%d documents and letters, want at least %d: some are lost", got, n)
		}
	}
	if got := len(r.docs()); got != n {
		t.Errorf("%d documents, want %d", got, n)
	}
}

func TestSurvey(t *testing.T) {
	r := newRig(t)
	r.bury(t, event("a", "index_blocked"), event("b", "index_blocked"), object("k"), event("c", "x"))
	got, err := replay.Survey(t.Context(), r.places.Shelves(), deadletter.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		reason, index    string
		letters, objects int
	}
	var rows []row
	for _, g := range got {
		rows = append(rows, row{g.Reason, g.Index, g.Letters, g.Objects})
	}
	want := []row{{"index_blocked", sinktest.Index, 2, 0}, {"truncated", "", 1, 1}, {"x", sinktest.Index, 1, 0}}
	if diff := cmp.Diff(want, rows, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.left(t)) != 4 {
		t.Error("looking has changed what there is")
	}
}
