package bulk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestFaults: whatever the cluster does for a while, each document ends stored exactly once, in bounded time.
func TestFaults(t *testing.T) {
	const most = 2 * time.Minute
	every := func(n int, f *standin.ClusterFault) func(*http.Request) *standin.ClusterFault {
		var k atomic.Int32
		return func(r *http.Request) *standin.ClusterFault {
			if strings.HasSuffix(r.URL.Path, "_bulk") && int(k.Add(1))%n == 0 {
				return f
			}
			return nil
		}
	}
	until := func(d time.Duration, f *standin.ClusterFault) func(*http.Request) *standin.ClusterFault {
		start := time.Now()
		return func(*http.Request) *standin.ClusterFault {
			if time.Since(start) < d {
				return f
			}
			return nil
		}
	}
	item := func(n int, f standin.ItemFault) func(string, []byte, []byte) *standin.ItemFault {
		k := 0
		return func(string, []byte, []byte) *standin.ItemFault {
			if k++; k%n == 0 {
				return &f
			}
			return nil
		}
	}
	cases := []struct {
		name    string
		cluster func() *standin.Cluster
	}{
		{"no fault", func() *standin.Cluster { return &standin.Cluster{} }},
		{"every fourth request 503", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(4, &standin.ClusterFault{Status: 503})}
		}},
		{"429 with Retry-After", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(4, &standin.ClusterFault{Status: 429, RetryAfter: "2", Body: "429 Too Many Requests /_bulk"})}
		}},
		{"answers lost after the write", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{Lose: true})}
		}},
		{"answers cut short", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{CutAnswer: true})}
		}},
		{"one item too few", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{DropItem: true})}
		}},
		{"HTML from a proxy", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{Status: 200, Body: "<html>please log in</html>"})}
		}},
		{"away for 20 s", func() *standin.Cluster {
			return &standin.Cluster{Fault: until(20*time.Second, &standin.ClusterFault{Status: 502, Body: "<html>bad gateway"})}
		}},
		{"401 for 10 s", func() *standin.Cluster {
			return &standin.Cluster{Fault: until(10*time.Second, &standin.ClusterFault{Status: 401, Body: "Unauthorized"})}
		}},
		{"413 above 2 KiB", func() *standin.Cluster { return &standin.Cluster{MaxBytes: 2 << 10} }},
		{"a fifth of the items 429", func() *standin.Cluster {
			return &standin.Cluster{Item: item(5, standin.ItemFault{Status: 429, Type: "es_rejected_execution_exception", Reason: "full"})}
		}},
		{"items 503", func() *standin.Cluster {
			return &standin.Cluster{Item: item(7, standin.ItemFault{Status: 503, Type: "unavailable_shards_exception", Reason: "primary"})}
		}},
		{"items whose status cannot be read", func() *standin.Cluster {
			return &standin.Cluster{Item: item(7, standin.ItemFault{})}
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, tc.cluster())
				start := time.Now()
				var all sync.WaitGroup
				for i := range 20 {
					all.Go(func() {
						time.Sleep(time.Duration(i) * 300 * time.Millisecond)
						got := r.write(t, uint64(i), fmt.Sprint("w", i), 30)
						if got[pipeline.Indexed]+got[pipeline.Duplicate] != 30 {
							t.Errorf("writer %d: got %v, want 30 stored", i, got)
						}
					})
				}
				all.Wait()
				if got, want := len(r.cluster.Docs()), 600; got != want || r.cluster.Count() != want {
					t.Errorf("stored: got %d documents and %d ids, want %d", r.cluster.Count(), got, want)
				}
				if took := time.Since(start); took > most {
					t.Errorf("took %v, want at most %v", took, most)
				}
				synctest.Wait()
				if err := r.Ready(); err != nil {
					t.Errorf("Ready after all is well: %v", err)
				}
			})
		})
	}
}

// TestStopped: what the operator and the pipeline see while nothing works, and that a probe is all that is sent.
func TestStopped(t *testing.T) {
	cases := []struct {
		name  string
		fault standin.ClusterFault
		want  string // in Ready's advice
	}{
		{"unauthorized", standin.ClusterFault{Status: 401, Body: "Unauthorized"}, "check the sink's api_key"},
		{"forbidden", standin.ClusterFault{Status: 403}, "writer role"},
		{"no such path", standin.ClusterFault{Status: 404, Body: "<html>"}, "check the sink's urls"},
		{"a block", standin.ClusterFault{Status: 429, Body: `{"error":{"type":"cluster_block_exception","reason":"blocked by: [TOO_MANY_REQUESTS/12/disk]"},"status":429}`}, "disk"},
		{"no answer", standin.ClusterFault{Lose: true}, "sending a bulk request"},
		{"nonsense", standin.ClusterFault{Status: 200, Body: "{}"}, "proxy"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				c := &standin.Cluster{}
				var well atomic.Bool
				c.Fault = func(r *http.Request) *standin.ClusterFault {
					if !strings.HasSuffix(r.URL.Path, "_bulk") || well.Load() {
						return nil
					}
					requests.Add(1)
					return &tc.fault
				}
				r := open(t, c)
				if err := r.Ready(); err != nil {
					t.Errorf("Ready before anything: %v", err)
				}
				var all sync.WaitGroup
				for i := range 5 {
					all.Go(func() { r.write(t, uint64(i), fmt.Sprint("w", i), 100) })
				}
				time.Sleep(5 * time.Minute)
				if err := r.Ready(); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("Ready: got %v, want %q in it", err, tc.want)
				}
				if n := requests.Load(); n < 5 || n > 250 {
					t.Errorf("got %d requests in 5 minutes, want a probe now and then", n)
				}
				if n := r.log.FilterMessageSnippet("stopped").Len(); n < 3 || n > 5 {
					t.Errorf("got %d lines of log in 5 minutes, want one a minute", n)
				}
				well.Store(true)
				all.Wait()
				synctest.Wait() // the outage ends a moment after the fates are known
				if err := r.Ready(); err != nil {
					t.Errorf("Ready when all is well: %v", err)
				}
			})
		})
	}
}

// TestTooLarge: a request is cut down to one document, the lower size is kept, and only a document that is too large by
// itself is refused.
func TestTooLarge(t *testing.T) {
	for _, body := range []string{
		"", `{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation ` +
			`[coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=9999, ` +
			`max_coordinating_and_primary_bytes=4000]"},"status":429}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &standin.Cluster{MaxBytes: 4000}
			if body != "" {
				c.MaxBytes = 0
				c.Fault = func(r *http.Request) *standin.ClusterFault {
					if r.ContentLength > 330 {
						return &standin.ClusterFault{Status: 429, Body: body}
					}
					return nil
				}
			}
			r := open(t, c)
			b := sinktest.Batch(t, 1, sinktest.Index, ids("small", 60)...)
			sinktest.Add(t, b, sinktest.Index, noise(8000))
			fates, err := r.Write(t.Context(), b)
			if got := tally(fates); err != nil || got[pipeline.Indexed] != 60 || got[pipeline.Refused] != 1 {
				t.Errorf("got %v, %v, want 60 indexed and 1 refused", got, err)
			}
			if f := fates[60].Refusal; f == nil || f.Type != "request_entity_too_large" {
				t.Errorf("got %+v, want the long document refused as too large", f)
			}
			before := c.Stats().Requests
			r.write(t, 2, "later", 10)
			if got := c.Stats().Requests - before; r.Cut() > 8000 || got > 3 {
				t.Errorf("afterwards: limit %d and %d requests for 10 documents, want the lower cut kept", r.Cut(), got)
			}
		})
	}
}

// noise is an id that does not compress.
func noise(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[r.IntN(64)]
	}
	return string(b)
}

// TestLeave: a caller that leaves has its batch back at once, and nobody else notices.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Fault: func(*http.Request) *standin.ClusterFault {
			return &standin.ClusterFault{Delay: time.Second}
		}}
		r := open(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // index creation takes a second, too
		defer cancel()
		b := sinktest.Batch(t, 1, sinktest.Index, ids("gone", 50)...)
		other := make(chan map[pipeline.Outcome]int)
		go func() { other <- r.write(t, 2, "stays", 50) }()
		fates, err := r.Write(ctx, b)
		if !errors.Is(err, context.DeadlineExceeded) || len(fates) != 50 {
			t.Errorf("got %d fates and %v, want 50 and the deadline", len(fates), err)
		}
		for piece := range b.Lines(0, b.Len()) {
			clear(piece)
		}
		if got := <-other; got[pipeline.Indexed] != 50 {
			t.Errorf("the other caller: got %v, want 50 indexed", got)
		}
	})
}

// TestIngested: event.ingested says when the cluster really got the document, not when it was first sent.
func TestIngested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := &standin.Cluster{}
		c.Fault = func(r *http.Request) *standin.ClusterFault {
			if strings.HasSuffix(r.URL.Path, "_bulk") && time.Since(start) < time.Hour {
				return &standin.ClusterFault{Status: 503}
			}
			return nil
		}
		c.Stored = func(_ string, doc []byte, _ time.Time) {
			var d struct{ Event struct{ Ingested time.Time } }
			if err := json.Unmarshal(doc, &d); err != nil || time.Since(d.Event.Ingested) > time.Second {
				t.Errorf("stored at %v with event.ingested %v, %v", time.Now(), d.Event.Ingested, err)
			}
		}
		r := open(t, c)
		r.write(t, 1, "w", 3)
	})
}
