package bulk

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// models are clusters that take longer past some number of requests, each in its own way.
var models = []struct {
	name   string
	slower func(inFlight, knee float64) float64
	falls  bool // it gets less done with too many requests
}{
	{"a queue", nil, false},
	{"in proportion", steep(1), false},
	{"half as much again for each", slope(0.5), true},
	{"by the square", steep(2), true},
}

// TestPace: the number of requests in flight settles at what the cluster works on at once, within ten seconds, and gets as
// much done as the best fixed number.
func TestPace(t *testing.T) {
	for _, m := range models {
		for _, knee := range []int{2, 3, 5, 8, 24} {
			for _, base := range []time.Duration{15, 100, 200} {
				for _, noise := range []float64{0, 0.05, 0.2} {
					s := &server{base: base * time.Millisecond, knee: always(knee), slower: m.slower, noise: noise, think: time.Millisecond / 2}
					t.Run(fmt.Sprintf("%s, knee %d, %v, noise %v", m.name, knee, s.base, noise), func(t *testing.T) {
						part, within := 0.9, 0.3
						if noise > 0.1 {
							part, within = 0.87, 0.5 // nobody can tell a queue from chance so well
						}
						if m.falls {
							part -= 0.1 // each look for more costs much
						}
						p := newPace(32, time.Unix(0, 0))
						const from, to = 10 * time.Second, 30 * time.Second
						mean, done := simulate(s, &p, 0, from, to)
						if n := float64(knee); mean < n*(1-within) || mean > n*(1+within) {
							t.Errorf("in flight: got %.1f on average, want %d within %.0f %%", mean, knee, within*100)
						}
						if most := bestFixed(s, knee, from, to); done < part*most {
							t.Errorf("got %.0f answers, want %.0f %% of %.0f", done, part*100, most)
						}
					})
				}
			}
		}
	}
}

// TestPace_noisy: answers that differ by half and now and then take five times as long do not drive the limit down.
func TestPace_noisy(t *testing.T) {
	for _, knee := range []int{8, 24} {
		for _, base := range []time.Duration{20, 100} {
			s := &server{base: base * time.Millisecond, knee: always(knee), slower: steep(1), noise: 0.5, late: 0.02, think: time.Millisecond / 2}
			const from, to = 10 * time.Second, 60 * time.Second
			p := newPace(32, time.Unix(0, 0))
			_, done := simulate(s, &p, 0, from, to)
			if most := bestFixed(s, knee, from, to); done < 0.8*most {
				t.Errorf("knee %d, %v: got %.0f answers, want 80 %% of %.0f", knee, s.base, done, most)
			}
		}
	}
}

// TestPace_one: a cluster that works on one request at a time gets one or two.
func TestPace_one(t *testing.T) {
	for _, m := range models[:2] {
		for _, base := range []time.Duration{10, 50, 200} {
			s := &server{base: base * time.Millisecond, knee: always(1), slower: m.slower, noise: 0.05, think: time.Millisecond / 2}
			p := newPace(32, time.Unix(0, 0))
			if mean, _ := simulate(s, &p, 0, 10*time.Second, 40*time.Second); mean > 1.5 {
				t.Errorf("%s, %v: got %.1f in flight, want about 1", m.name, s.base, mean)
			}
		}
	}
}

// TestPace_changes: ten seconds behind each change the number fits again. That must be possible: 24 requests that a cluster
// answers after many seconds each cannot be fewer before.
func TestPace_changes(t *testing.T) {
	steps := []int{8, 2, 24, 8, 24, 2, 8}
	const each = 20 * time.Second
	for _, m := range models[:3] {
		for _, base := range []time.Duration{15, 50, 100, 150} {
			if m.falls && base > 100 {
				continue
			}
			for _, noise := range []float64{0, 0.03} {
				s := &server{base: base * time.Millisecond, slower: m.slower, noise: noise, think: time.Millisecond / 2, knee: func(at time.Duration) int {
					return steps[min(int(at/each), len(steps)-1)]
				}}
				p := newPace(32, time.Unix(0, 0))
				sim := newSimulation(s, &p, 0)
				for i, knee := range steps {
					from, to := time.Duration(i)*each+each/2, time.Duration(i+1)*each
					mean, _ := sim.run(from, to)
					if n := float64(knee); mean < 0.7*n || mean > 1.3*n {
						t.Errorf("%s, %v, noise %v: change %d: got %.1f in flight, want %d within 30 %%", m.name, s.base, noise, i, mean, knee)
					}
				}
			}
		}
	}
}

// TestPace_offered: while less is offered than the cluster can do, nothing is learnt, and what was known stays.
func TestPace_offered(t *testing.T) {
	s := &server{base: 50 * time.Millisecond, knee: always(8), slower: steep(1), noise: 0.05, offers: func(at time.Duration) float64 {
		if at > 30*time.Second && at < 60*time.Second {
			return 30 // 160 are possible
		}
		return 200
	}}
	p := newPace(32, time.Unix(0, 0))
	simulate(s, &p, 0, 0, 30*time.Second)
	before := p.allowed()
	p = newPace(32, time.Unix(0, 0))
	simulate(s, &p, 0, 0, 60*time.Second)
	if got := p.allowed(); got < before-2 || got > before+2 {
		t.Errorf("after 30 s of little work: got %d, want about %d still", got, before)
	}
	p = newPace(32, time.Unix(0, 0))
	if mean, _ := simulate(s, &p, 0, 62*time.Second, 80*time.Second); mean < 5.6 || mean > 10.4 {
		t.Errorf("when there is work again: got %.1f in flight, want 8 within 30 %%", mean)
	}
}

// TestPace_atOnce: answers that take no time at all leave a limit that is a number.
func TestPace_atOnce(t *testing.T) {
	now := time.Unix(0, 0)
	p := newPace(32, now)
	for range 10_000 {
		p.want()
		p.answer(sample{sent: now, bytes: 1 << 20}, now)
		now = now.Add(time.Millisecond)
		if got := p.allowed(); got < 1 || got > 32 {
			t.Fatalf("got %d, want 1 to 32", got)
		}
	}
}

// TestPace_small: requests of various small sizes take about the same time, which is no sign of anything.
func TestPace_small(t *testing.T) {
	for _, knee := range []int{2, 8, 24} {
		s := &server{base: 100 * time.Millisecond, knee: always(knee), slower: steep(1), noise: 0.05, small: true}
		p := newPace(32, time.Unix(0, 0))
		mean, _ := simulate(s, &p, 0, 10*time.Second, 40*time.Second)
		if n := float64(knee); mean < 0.7*n || mean > 1.3*n {
			t.Errorf("got %.1f in flight, want %d within 30 %%", mean, knee)
		}
	}
}

// TestPace_slower: a cluster that is slower for reasons of its own is not taken for one that has too much.
func TestPace_slower(t *testing.T) {
	s := &server{base: 50 * time.Millisecond, knee: always(16), slower: steep(1), noise: 0.05, slow: func(at time.Duration) float64 {
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
		s := &server{base: base * time.Millisecond, knee: always(100), slower: steep(1), noise: 0.05, slow: func(at time.Duration) float64 {
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
		s := &server{base: 50 * time.Millisecond, knee: always(100), slower: steep(1), refuse: tc.refused}
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
	p = newPace(32, now)
	for range 2000 {
		sent := now
		now = now.Add(10 * time.Millisecond)
		p.answer(sample{sent: sent, took: now.Sub(sent), bytes: 100_000}, now)
	}
	if got := p.allowed(); got != firstRequests {
		t.Errorf("a trickle of requests that are all the same: got %d, want %d still", got, firstRequests)
	}
	s := &server{base: 10 * time.Millisecond, knee: always(20), slower: steep(1)}
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
