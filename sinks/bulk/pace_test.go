package bulk

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// server is a model of a cluster: how long an answer takes, by how many requests it has at the moment.
type server struct {
	base   time.Duration                  // for a request of one MiB when there is room
	knee   func(at time.Duration) int     // as many it works on at once
	steep  float64                        // 1: throughput stays the same behind the knee; 2: it falls
	noise  float64                        // standard deviation of the logarithm
	refuse float64                        // the part of documents answered with 429
	slow   func(at time.Duration) float64 // times the base
	small  bool                           // requests of 16 to 64 KiB in place of one MiB
}

func (s *server) takes(inFlight int, at time.Duration, random *rand.Rand) time.Duration {
	over := max(1, float64(inFlight)/float64(s.knee(at)))
	t := s.base.Seconds() * math.Pow(over, s.steep) * math.Exp(s.noise*random.NormFloat64())
	if s.slow != nil {
		t *= s.slow(at)
	}
	return time.Duration(t * float64(time.Second))
}

// answers are requests under way, the first to be answered first.
type answers []struct{ sent, done time.Duration }

func (a answers) Len() int           { return len(a) }
func (a answers) Less(i, j int) bool { return a[i].done < a[j].done }
func (a answers) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *answers) Push(x any)        { *a = append(*a, x.(struct{ sent, done time.Duration })) } //nolint:forcetypeassert // heap's own
func (a *answers) Pop() any {
	x := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return x
}

// simulate runs a pace, or a fixed number of requests where p is nil, against a server that always has work. It returns
// the mean number of requests in flight and the requests answered, between from and to.
func simulate(s *server, p *pace, fixed int, from, to time.Duration) (mean, done float64) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Unix(0, 0)
	if p != nil && !p.last.IsZero() {
		start = p.last
	}
	var under answers
	var now time.Duration
	for now < to {
		allowed := fixed
		if p != nil {
			allowed = p.allowed()
		}
		for len(under) < allowed {
			heap.Push(&under, struct{ sent, done time.Duration }{now, now + s.takes(len(under)+1, now, random)})
		}
		if p != nil {
			p.want()
		}
		next := heap.Pop(&under).(struct{ sent, done time.Duration }) //nolint:forcetypeassert // heap's own
		if next.done > from {
			mean += float64(len(under)+1) * (next.done - max(now, from)).Seconds()
			done++
		}
		now = next.done
		if p != nil {
			bytes := 1 << 20
			if s.small {
				bytes = 16<<10 + random.IntN(48<<10)
			}
			p.answer(sample{sent: start.Add(next.sent), took: now - next.sent, bytes: bytes, refused: s.refuse}, start.Add(now))
		}
	}
	return mean / (to - from).Seconds(), done
}

func always(n int) func(time.Duration) int { return func(time.Duration) int { return n } }

// TestPace: the number of requests in flight settles at what the cluster works on at once, within ten seconds, and gets as
// much done as the best fixed number.
func TestPace(t *testing.T) {
	for _, knee := range []int{1, 2, 3, 5, 8, 24} {
		for _, base := range []time.Duration{10, 50, 200} {
			for _, steep := range []float64{1, 2} {
				for _, noise := range []float64{0, 0.05, 0.2} {
					s := &server{base: base * time.Millisecond, knee: always(knee), steep: steep, noise: noise}
					name := fmt.Sprintf("knee %d, %v, steep %v, noise %v", knee, s.base, steep, noise)
					t.Run(name, func(t *testing.T) {
						p := newPace(32, time.Unix(0, 0))
						from := max(10*time.Second, 60*s.base)
						to := from + 50*time.Second
						mean, done := simulate(s, &p, 0, from, to)
						within, part := 0.3, 0.9
						if noise > 0.1 {
							within, part = 0.75, 0.85 // nobody can tell a queue from chance so well
						}
						if steep > 1 {
							part -= 0.08 // each look for more costs much
						}
						if n := float64(knee); mean < n*(1-within) || mean > n*(1+within) && mean > 2 {
							t.Errorf("in flight: got %.1f on average, want %d within %.0f %%", mean, knee, within*100)
						}
						if _, most := simulate(s, nil, knee, from, to); done < part*most {
							t.Errorf("got %.0f answers, want %.0f %% of %.0f", done, part*100, most)
						}
					})
				}
			}
		}
	}
}

// TestPace_changes: ten seconds behind each change the number fits again.
func TestPace_changes(t *testing.T) {
	steps := []int{8, 2, 24, 8, 24, 2, 8}
	const each = 20 * time.Second
	for _, base := range []time.Duration{10, 30, 60} {
		for _, steep := range []float64{1, 1.3} {
			s := &server{base: base * time.Millisecond, steep: steep, noise: 0.03, knee: func(at time.Duration) int {
				return steps[min(int(at/each), len(steps)-1)]
			}}
			for i, knee := range steps {
				p := newPace(32, time.Unix(0, 0))
				from, to := time.Duration(i)*each+each/2, time.Duration(i+1)*each
				mean, _ := simulate(s, &p, 0, from, to)
				if n := float64(knee); mean < 0.7*n || mean > 1.3*n {
					t.Errorf("%v, steep %v: change %d: got %.1f in flight, want %d within 30 %%", s.base, steep, i, mean, knee)
				}
			}
		}
	}
}

// TestPace_small: requests of various small sizes take about the same time, which is no sign of anything.
func TestPace_small(t *testing.T) {
	for _, knee := range []int{2, 8, 24} {
		s := &server{base: 100 * time.Millisecond, knee: always(knee), steep: 1, noise: 0.05, small: true}
		p := newPace(32, time.Unix(0, 0))
		mean, _ := simulate(s, &p, 0, 10*time.Second, 40*time.Second)
		if n := float64(knee); mean < 0.7*n || mean > 1.3*n {
			t.Errorf("got %.1f in flight, want %d within 30 %%", mean, knee)
		}
	}
}

// TestPace_slower: a cluster that is slower for reasons of its own is not taken for one that has too much.
func TestPace_slower(t *testing.T) {
	s := &server{base: 50 * time.Millisecond, knee: always(16), steep: 1, noise: 0.05, slow: func(at time.Duration) float64 {
		return []float64{1, 3, 1, 5, 2, 1}[min(int(at/(20*time.Second)), 5)]
	}}
	p := newPace(32, time.Unix(0, 0))
	const from, to = 10 * time.Second, 2 * time.Minute
	_, done := simulate(s, &p, 0, from, to)
	if _, most := simulate(s, nil, 16, from, to); done < 0.85*most {
		t.Errorf("got %.0f answers, want 85 %% of %.0f", done, most)
	}
}

// TestPace_start: answers that become faster while the daemon and the cluster warm up are no sign of too many requests.
func TestPace_start(t *testing.T) {
	for _, base := range []time.Duration{20, 200} {
		s := &server{base: base * time.Millisecond, knee: always(100), steep: 1, noise: 0.05, slow: func(at time.Duration) float64 {
			return 1 + 2*math.Exp(-at.Seconds())
		}}
		p := newPace(32, time.Unix(0, 0))
		if mean, _ := simulate(s, &p, 0, 0, 4*time.Second); mean < 4 {
			t.Errorf("answers of %v in the end: got %.1f in flight during the start, want 4 at least", s.base, mean)
		}
		if mean, _ := simulate(s, &p, 0, 8*time.Second, 20*time.Second); mean < 20 {
			t.Errorf("answers of %v: got %.1f in flight, want most of 32", s.base, mean)
		}
	}
}

// TestPace_refused: what is refused lowers the limit by its part, so that a tenth refused does not leave one request.
func TestPace_refused(t *testing.T) {
	for _, tc := range []struct {
		refused  float64
		low, top int
	}{{0, 30, 32}, {0.1, 12, 32}, {0.5, 2, 8}, {1, 1, 2}} {
		s := &server{base: 50 * time.Millisecond, knee: always(100), steep: 1, refuse: tc.refused}
		p := newPace(32, time.Unix(0, 0))
		simulate(s, &p, 0, 0, 30*time.Second)
		if got := p.allowed(); got < tc.low || got > tc.top {
			t.Errorf("%.0f %% refused: got %d, want %d to %d", tc.refused*100, got, tc.low, tc.top)
		}
	}
}

// TestPace_idle: without more work than is allowed nothing grows, whatever the answers; after a long pause it begins anew.
func TestPace_idle(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(32, now)
	for i := range 2000 {
		sent := now
		now = now.Add(time.Duration(5+i%50) * time.Millisecond)
		p.answer(sample{sent: sent, took: now.Sub(sent), bytes: 1000 + i*997%300_000}, now)
	}
	if got := p.allowed(); got != firstRequests {
		t.Errorf("a trickle of requests of any size: got %d, want %d still", got, firstRequests)
	}
	s := &server{base: 10 * time.Millisecond, knee: always(20), steep: 1}
	simulate(s, &p, 0, 0, 20*time.Second)
	if got := p.allowed(); got < 14 {
		t.Fatalf("under load: got %d, want about 20", got)
	}
	now = p.last.Add(time.Hour)
	p.answer(sample{sent: now, took: time.Millisecond, bytes: 1 << 20}, now)
	if got := p.allowed(); got != firstRequests {
		t.Errorf("after an hour: got %d, want %d", got, firstRequests)
	}
}

// TestPace_old: answers to requests that were sent before a decision do not count for the next.
func TestPace_old(t *testing.T) {
	now := time.Unix(1, 0)
	p := newPace(32, now)
	p.limit = 16
	p.since = now
	for range 100 {
		p.answer(sample{sent: now.Add(-time.Second), refused: 1}, now.Add(time.Second))
	}
	if got := p.allowed(); got != 16 {
		t.Errorf("got %d, want 16 still", got)
	}
	for range 16 {
		p.answer(sample{sent: now, refused: 1}, now.Add(2*time.Second))
	}
	if got := p.allowed(); got != 8 {
		t.Errorf("a round of failures: got %d, want 8", got)
	}
}

func BenchmarkPace(b *testing.B) {
	now := time.Unix(0, 0)
	p := newPace(32, now)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		p.want()
		p.answer(sample{sent: now, took: time.Millisecond, bytes: 1 << 20}, now)
	}
}
