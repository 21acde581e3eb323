package bulk

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/sinktest"
)

func batchOf(tb testing.TB, owner uint64, n int) *pipeline.Batch {
	tb.Helper()
	b := pipeline.NewBatch(owner, sinktest.Format{})
	for i := range n {
		sinktest.Add(tb, b, sinktest.Index, fmt.Sprint(owner, "-", i))
	}
	return b
}

// TestQueue: owners take turns, so that the one document of a late owner is in the next request.
func TestQueue(t *testing.T) {
	q, now, ix := newQueue(), time.Now(), &index{}
	for range 50 {
		w := newWrite(batchOf(t, 1, 10))
		q.push(1, w.span(ix, 0, 10), now)
	}
	late := newWrite(batchOf(t, 2, 1))
	q.push(2, late.span(ix, 0, 1), now)
	size := late.batch.Size(0, 1) * 40
	taken, _ := q.take(nil, size, 5000, now)
	found := false
	for _, s := range taken {
		found = found || s.w == late
	}
	if !found {
		t.Errorf("the late owner is not among the first %d spans", len(taken))
	}
	docs := 0
	for !q.empty() {
		for _, s := range taken {
			docs += s.docs()
		}
		taken, _ = q.take(taken[:0], size, 5000, now)
	}
	for _, s := range taken {
		docs += s.docs()
	}
	if docs != 501 || q.bytes != 0 || q.docs != 0 || len(q.owners) != 0 {
		t.Errorf("got %d documents and %d bytes, %d documents, %d owners left, want 501 and nothing left", docs, q.bytes, q.docs, len(q.owners))
	}
}

func TestQueue_limits(t *testing.T) {
	ix, now := &index{}, time.Now()
	one := batchOf(t, 1, 1).Size(0, 1)
	cases := []struct {
		name        string
		bytes, docs int
		want        []int // documents of each request
	}{
		{"all at once", 1 << 20, 100, []int{9}},
		{"by documents", 1 << 20, 4, []int{4, 4, 1}},
		{"by bytes", 3 * one, 100, []int{3, 3, 3}},
		{"one at least", 1, 100, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			q := newQueue()
			w := newWrite(batchOf(t, 1, 9))
			q.push(1, w.span(ix, 0, 9), now)
			var got []int
			for !q.empty() {
				taken, _ := q.take(nil, tc.bytes, tc.docs, now)
				n := 0
				for _, s := range taken {
					n += s.docs()
				}
				got = append(got, n)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("documents of each request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueue_gone(t *testing.T) {
	q, now, ix := newQueue(), time.Now(), &index{}
	w := newWrite(batchOf(t, 1, 5))
	s := w.span(ix, 0, 5)
	s.probe = true
	q.push(1, s, now)
	w.leave()
	taken, lost := q.take(nil, 1<<20, 100, now)
	if len(taken) != 0 || len(lost) != 1 || !q.empty() {
		t.Errorf("got %d spans, %d lost probes, want nothing to send and the probe lost", len(taken), len(lost))
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-1": 0, "86400": 5 * time.Minute, "soon": 0,
		now.Add(10 * time.Second).Format(http.TimeFormat): 10 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

// assembled makes requests of chunks and returns what one round costs.
func assembled(tb testing.TB, chunks, docs int) (round func(), bytes int) {
	tb.Helper()
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	p, r, q, ix := &payload{}, &request{}, newQueue(), &index{}
	spans := make([]span, chunks)
	for i := range spans {
		w := newWrite(batchOf(tb, uint64(i), docs))
		spans[i] = w.span(ix, 0, int32(docs))
		bytes += spans[i].bytes
	}
	return func() {
		now := time.Now()
		for i := range spans {
			q.push(uint64(i), spans[i], now)
		}
		r.spans, _ = q.take(r.spans, 1<<30, 1<<30, now)
		r.assemble(z, p)
		r.reset()
		p.buf.Reset()
	}, bytes
}

func TestAssemble_allocations(t *testing.T) {
	const chunks, docs = 20, 50
	round, _ := assembled(t, chunks, docs)
	if got := testing.AllocsPerRun(10, round); got > chunks {
		t.Errorf("assembling %d documents allocates %v times, want never for a document", chunks*docs, got)
	}
}

// TestSettle_allocations: the fates of stored documents cost nothing either.
func TestSettle_allocations(t *testing.T) {
	const docs = 1000
	e := New(Options{Log: zap.NewNop(), Metrics: prometheus.NewRegistry()})
	defer e.Close()
	w := newWrite(batchOf(t, 1, docs))
	r := &request{docs: docs}
	if err := r.answer.read(bytes.NewReader(answerOf(docs))); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(10, func() {
		r.reset()
		r.spans = append(r.spans, w.span(&index{}, 0, docs))
		w.left.Store(2 * docs)
		e.settle(r, verdict{})
	})
	if got > 5 || w.fates[docs-1].Outcome != pipeline.Indexed {
		t.Errorf("settling %d documents allocates %v times, want never for a document", docs, got)
	}
}

func BenchmarkAssemble(b *testing.B) {
	const chunks, docs = 50, 50
	round, bytes := assembled(b, chunks, docs)
	round()
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(chunks*docs), "ns/doc")
}
