package bulk_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/test/standin"
)

// queueing is a cluster that works on some requests at once, for so long each, while the others wait.
type queueing struct {
	inside
	base  time.Duration
	knee  atomic.Int32
	mu    sync.Mutex
	ends  []time.Time // of those under way, for each place
	under atomic.Int32
	time  atomic.Int64 // that requests were in flight, added up
	done  atomic.Int32
}

func (q *queueing) Perform(r *http.Request) (*http.Response, error) {
	start := time.Now()
	q.under.Add(1)
	time.Sleep(time.Until(q.place(start)))
	defer func() {
		q.under.Add(-1)
		q.done.Add(1)
		q.time.Add(int64(time.Since(start)))
	}()
	return q.inside.Perform(r)
}

// place takes the place that is free first, and returns when the request is done.
func (q *queueing) place(now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	knee := int(q.knee.Load())
	for len(q.ends) < knee {
		q.ends = append(q.ends, now)
	}
	first := 0
	for i := range q.ends[:knee] {
		if q.ends[i].Before(q.ends[first]) {
			first = i
		}
	}
	if q.ends[first].Before(now) {
		q.ends[first] = now
	}
	q.ends[first] = q.ends[first].Add(q.base)
	return q.ends[first]
}

// TestPacing runs the engine against a cluster that works on 8, 2, 24 and 2 requests at once in turn: ten seconds behind each
// change as many are in flight, and 90 % of what is possible gets done. Looks for more are in the mean of 20 seconds: in that of ten
// a single one weighs so much that 8 became 10.4 once. How many there are in the first phase follows from the order in which the
// goroutines run, which no fake clock decides: over a hundred plays 8 became 9.7 with a standard deviation of 0.3.
func TestPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Counting: true}
		q := &queueing{inside: inside{c}, base: 100 * time.Millisecond}
		q.knee.Store(8)
		r := open(t, c, func(o *bulk.Options) {
			o.Transport, o.Limits = q, bulk.Limits{Bytes: 1 << 10}
		})
		var writers sync.WaitGroup
		defer writers.Wait()
		var stop atomic.Bool
		defer stop.Store(true)
		for w := range 50 {
			writers.Go(func() {
				for i := 0; !stop.Load(); i++ {
					r.write(t, uint64(w), fmt.Sprint(w, "-", i), 20)
				}
			})
		}
		for _, phase := range []struct {
			knee int
			most float64
		}{{8, 1.5}, {2, 1.3}, {24, 1.3}, {2, 1.3}} {
			knee, least, most := phase.knee, 0.7*float64(phase.knee), phase.most*float64(phase.knee)
			q.knee.Store(int32(knee))
			time.Sleep(10 * time.Second)
			inFlight, done := q.time.Load(), q.done.Load()
			const watched, looks = 20 * time.Second, 200
			allowed := 0.0
			for range looks {
				time.Sleep(watched / looks)
				allowed += r.Figures()["requests_allowed"] / looks
			}
			mean := float64(q.time.Load()-inFlight) / float64(watched)
			if mean < least || mean > most {
				t.Errorf("a cluster that works on %d: got %.1f in flight, want %.1f to %.1f", knee, mean, least, most)
			}
			possible := float64(knee) * float64(watched) / float64(q.base)
			if got := float64(q.done.Load() - done); got < 0.9*possible {
				t.Errorf("a cluster that works on %d: got %.0f requests done, want 90 %% of %.0f", knee, got, possible)
			}
			if allowed < least || allowed > most {
				t.Errorf("a cluster that works on %d: the figure says that %.1f are allowed, want %.1f to %.1f", knee, allowed, least, most)
			}
		}
	})
}
