package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/pipelinetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is a format that writes the record itself.
type plain struct{}

func (plain) Append(dst []byte, r *cloudtrail.Record) []byte { return append(dst, r.Raw...) }
func (plain) AppendDegraded(dst []byte, _ *cloudtrail.Record, why string) []byte {
	return fmt.Appendf(dst, "{%q:%q}", "why", why)
}
func (plain) Stamp([]byte, time.Time) {}

// file is a log file of n records whose ids are prefix-1 to prefix-n.
func file(prefix string, n int) string {
	records := make([]string, n)
	for i := range records {
		records[i] = fmt.Sprintf(`{"eventTime":"2026-02-03T04:05:06Z","eventName":"RunInstances","eventID":"%s-%d"}`, prefix, i+1)
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// rig is a pipeline over memory.
type rig struct {
	source  pipelinetest.Source
	sink    pipelinetest.Sink
	letters pipelinetest.DeadLetters
	*pipeline.Pipeline
}

func newRig(t *testing.T) *rig {
	t.Helper()
	index, err := pipeline.ParseIndexPattern("logs-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	r.source.Tries = 1
	r.Pipeline = &pipeline.Pipeline{
		Source: &r.source, Sink: &r.sink, DeadLetters: &r.letters,
		Format: func() pipeline.Format { return plain{} }, Index: index,
		Memory: 64 << 20, InFlight: 100, Drain: 10 * time.Second,
		Log: zaptest.NewLogger(t), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}
	return r
}

// ended is what the counts should be, by outcome.
func (r *rig) ended() map[string]int64 {
	counts := r.Metrics.Counts()
	got := map[string]int64{"read": counts.Read, "in flight": counts.InFlight}
	for end, n := range counts.Ended {
		got[pipeline.Terminal(end).String()] = n
	}
	for name, n := range got {
		if n == 0 {
			delete(got, name)
		}
	}
	return got
}

func TestPipeline_ends(t *testing.T) {
	refuse := func(id string) func(string) *pipeline.Refusal {
		return func(got string) *pipeline.Refusal {
			if got == id {
				return &pipeline.Refusal{Status: 400, Type: "document_parsing_exception", Reason: "no"}
			}
			return nil
		}
	}
	gone := &pipeline.LostObject{Object: &cloudtrail.Object{Bucket: "b", Key: "k"}, Reason: "no_such_key", Err: errors.New("gone")}
	tests := []struct {
		name    string
		file    string
		change  func(*rig, *pipelinetest.Delivery)
		want    map[string]int64
		docs    int
		letters int
		failed  string // part of the outcome; "" when the delivery is done
	}{
		{name: "all indexed", file: file("a", 3), want: map[string]int64{"read": 3, "indexed": 3}, docs: 3},
		{name: "several chunks", file: file("a", 20000), want: map[string]int64{"read": 20000, "indexed": 20000}, docs: 20000},
		{name: "the same file twice", file: file("a", 2) + file("a", 2), want: map[string]int64{"read": 4, "indexed": 2, "duplicate": 2}, docs: 2},
		{
			name: "a record the sink refuses becomes a dead letter", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) { r.sink.Refuse = refuse("a-2") },
			want:   map[string]int64{"read": 3, "indexed": 2, "dead_letter": 1}, docs: 2, letters: 1,
		},
		{
			name: "no place for dead letters fails the delivery", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) { r.sink.Refuse = refuse("a-2"); r.DeadLetters = nil },
			want:   map[string]int64{"read": 3, "indexed": 2, "returned": 1}, docs: 2, failed: "set dead_letter",
		},
		{
			name: "a full place for dead letters fails the delivery", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) {
				r.sink.Refuse = refuse("a-2")
				r.letters.Err = errors.New("disk full")
			},
			want: map[string]int64{"read": 3, "indexed": 2, "returned": 1}, docs: 2, failed: "disk full",
		},
		{
			name: "a record that cannot be read", file: strings.Replace(file("a", 3), `"a-2"`, `"a-2`, 1),
			want: map[string]int64{"read": 3, "indexed": 2, "dead_letter": 1}, docs: 2, letters: 1,
		},
		{
			name: "a lost object is one dead letter and no record", file: file("a", 2),
			change: func(_ *rig, d *pipelinetest.Delivery) { d.Lost = []*pipeline.LostObject{gone} },
			want:   map[string]int64{"read": 2, "indexed": 2}, docs: 2, letters: 1,
		},
		{
			name: "the source breaks in the middle", file: file("a", 3),
			change: func(_ *rig, d *pipelinetest.Delivery) {
				d.Fail = func(n int) error {
					if n == 3 {
						return errors.New("connection reset")
					}
					return nil
				}
			},
			want: map[string]int64{"read": 2, "returned": 2}, failed: "connection reset",
		},
		{
			name: "the sink does not know", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) {
				r.sink.Answer = func(b *pipeline.Batch) ([]pipeline.Fate, error) {
					fates := make([]pipeline.Fate, b.Len())
					fates[0].Outcome = pipeline.Indexed
					return fates, errors.New("cluster away")
				}
			},
			want: map[string]int64{"read": 3, "indexed": 1, "returned": 2}, failed: "cluster away",
		},
		{
			name: "the sink answers too few fates", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) {
				r.sink.Answer = func(*pipeline.Batch) ([]pipeline.Fate, error) { return make([]pipeline.Fate, 2), nil }
			},
			want: map[string]int64{"read": 3, "returned": 3}, failed: "2 fates for 3 documents",
		},
		{
			name: "a panic in the source is the delivery's failure", file: file("a", 3),
			change: func(_ *rig, d *pipelinetest.Delivery) { d.Fail = func(int) error { panic("boom") } },
			want:   map[string]int64{}, failed: "boom",
		},
		{
			name: "a panic in the sink is the delivery's failure", file: file("a", 3),
			change: func(r *rig, _ *pipelinetest.Delivery) {
				r.sink.Answer = func(*pipeline.Batch) ([]pipeline.Fate, error) { panic("boom") }
			},
			want: map[string]int64{"read": 3, "returned": 3}, failed: "boom",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			d := &pipelinetest.Delivery{Name: "d", Files: []string{tt.file}}
			if tt.change != nil {
				tt.change(r, d)
			}
			r.source.Add(d)
			if err := r.Run(t.Context()); err != nil {
				t.Fatalf("Run: %v", err)
			}
			if diff := cmp.Diff(tt.want, r.ended()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if got := len(r.sink.Docs()); got != tt.docs {
				t.Errorf("got %d documents, want %d", got, tt.docs)
			}
			if got := len(r.letters.Letters()); got != tt.letters {
				t.Errorf("got %d letters, want %d", got, tt.letters)
			}
			settled := d.Settled()
			if len(settled) != 1 {
				t.Fatalf("settled %d times, want once", len(settled))
			}
			if got := fmt.Sprint(settled[0]); (tt.failed == "") != (settled[0] == nil) || !strings.Contains(got, tt.failed) && tt.failed != "" {
				t.Errorf("settled with %v, want %q in it", settled[0], tt.failed)
			}
		})
	}
}

func TestPipeline_letter(t *testing.T) {
	r := newRig(t)
	r.sink.Refuse = func(string) *pipeline.Refusal {
		return &pipeline.Refusal{Status: 400, Type: "mapper_parsing_exception", Reason: "no"}
	}
	r.source.Add(&pipelinetest.Delivery{Name: "key", Files: []string{file("a", 1)}})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := r.letters.Letters()["a-1"]
	want := pipeline.Letter{
		ID: "a-1", Record: []byte(`{"eventTime":"2026-02-03T04:05:06Z","eventName":"RunInstances","eventID":"a-1"}`),
		Origin: &cloudtrail.Object{Bucket: "bucket", Key: "key"}, Number: 1, Offset: 12, Index: "logs-2026.02.03",
		Refusal: pipeline.Refusal{Status: 400, Type: "mapper_parsing_exception", Reason: "no"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
}

func TestPipeline_handedBackComesAgain(t *testing.T) {
	r := newRig(t)
	r.source.Tries = 3
	tries := 0
	d := &pipelinetest.Delivery{Name: "d", Files: []string{file("a", 5)}, Fail: func(n int) error {
		if n == 3 && tries < 2 {
			tries++
			return errors.New("connection reset")
		}
		return nil
	}}
	r.source.Add(d)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(r.sink.Docs()); got != 5 || len(d.Settled()) != 3 {
		t.Errorf("got %d documents after %d tries, want 5 after 3", got, len(d.Settled()))
	}
}

func TestPipeline_shutdown(t *testing.T) {
	tests := []struct {
		name    string
		hold    time.Duration // how long the work in hand takes
		settled error
	}{
		{name: "work in hand is finished", hold: 5 * time.Second},
		{name: "work that takes longer than the drain is handed back", hold: time.Minute, settled: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.source.Endless = true
				r.sink.Delay = tt.hold
				d := &pipelinetest.Delivery{Name: "d", Files: []string{file("a", 1)}}
				r.source.Add(d)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				if err := r.Run(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("Run: got %v, want %v", err, context.Canceled)
				}
				if took := time.Since(start); took > 11*time.Second {
					t.Errorf("Run returned after %s", took)
				}
				got := d.Settled()
				if len(got) != 1 || (got[0] == nil) != (tt.settled == nil) {
					t.Errorf("settled with %v, want %v", got, tt.settled)
				}
			})
		})
	}
}

// paused is a sink that cannot work until its time comes.
type paused struct {
	*pipelinetest.Sink
	until time.Time
}

func (p paused) Ready() error {
	if time.Now().Before(p.until) {
		return errors.New("away")
	}
	return nil
}

// partly is a sink that wants to try a delivery a minute.
type partly struct{ *pipelinetest.Sink }

func (partly) Ready() error {
	return &pipeline.Partly{Every: time.Minute, Err: errors.New("an index takes no documents")}
}

func TestPipeline_triesWhileTheSinkIsPartlyReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Sink = partly{&r.sink}
		var begun []time.Time
		for _, name := range []string{"a", "b", "c"} {
			r.source.Add(&pipelinetest.Delivery{Files: []string{file(name, 1)}, Hold: func(context.Context) { begun = append(begun, time.Now()) }})
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(begun); i++ {
			if got := begun[i].Sub(begun[i-1]); got < time.Minute || got > 2*time.Minute {
				t.Errorf("delivery %d was begun after %s, want about a minute", i, got)
			}
		}
	})
}

func TestPipeline_receivesNothingWhileTheSinkIsPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		start := time.Now()
		r.Sink = paused{&r.sink, start.Add(time.Minute)}
		var begun time.Time
		r.source.Add(&pipelinetest.Delivery{Files: []string{file("a", 1)}, Hold: func(context.Context) { begun = time.Now() }})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := begun.Sub(start); got < time.Minute {
			t.Errorf("the delivery was begun after %s, want a minute", got)
		}
	})
}
