package bulk

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// server is a model of a cluster: how long an answer takes, by how many requests it has at the moment.
type server struct {
	base   time.Duration                        // for a request of one MiB when there is room
	knee   func(at time.Duration) int           // as many it works on at once
	slower func(inFlight, knee float64) float64 // times the base, with more than the knee; nil: the others wait for their turn
	noise  float64                              // standard deviation of the logarithm
	late   float64                              // the part of answers that take five times as long
	refuse float64                              // the part of documents answered with 429
	slow   func(at time.Duration) float64       // times the base
	small  bool                                 // requests of 16 to 64 KiB in place of one MiB
	think  time.Duration                        // between an answer and the next request
	offers func(at time.Duration) float64       // requests a second; nil: there is always another one
}

// steep is a cluster that takes longer by a power of how many more there are than it works on. With 1 it does as much as
// before, with more it does less.
func steep(power float64) func(inFlight, knee float64) float64 {
	return func(inFlight, knee float64) float64 { return math.Pow(max(1, inFlight/knee), power) }
}

// slope is a cluster that takes longer by a part of the base for each request more.
func slope(each float64) func(inFlight, knee float64) float64 {
	return func(inFlight, knee float64) float64 { return 1 + each*max(0, inFlight-knee) }
}

// done is when a request will be answered that is sent now, by those under way.
func (s *server) done(under answers, at time.Duration, random *rand.Rand) time.Duration {
	t := s.base.Seconds() * math.Exp(s.noise*random.NormFloat64())
	if s.late > 0 && random.Float64() < s.late {
		t *= 5
	}
	if s.slow != nil {
		t *= s.slow(at)
	}
	knee, start := s.knee(at), at
	switch {
	case s.slower != nil:
		t *= s.slower(float64(len(under)+1), float64(knee))
	case len(under) >= knee:
		var ends []time.Duration
		for _, a := range under {
			ends = append(ends, a.done)
		}
		slices.Sort(ends)
		start = ends[len(ends)-knee]
	}
	return start + time.Duration(t*float64(time.Second))
}

// simulated is a request under way.
type simulated struct{ sent, done time.Duration }

// answers are requests under way, the first to be answered first.
type answers []simulated

func (a answers) Len() int           { return len(a) }
func (a answers) Less(i, j int) bool { return a[i].done < a[j].done }
func (a answers) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *answers) Push(x any)        { *a = append(*a, x.(simulated)) } //nolint:forcetypeassert // heap's own
func (a *answers) Pop() any {
	x := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return x
}

// simulation runs a pace, or a fixed number of requests where there is none, against a server.
type simulation struct {
	*server
	pace   *pace
	fixed  int
	random *rand.Rand
	start  time.Time
	now    time.Duration
	under  answers
	queued float64 // requests that wait to be sent, where they are offered
}

// simulate is one simulation from its beginning.
func simulate(s *server, p *pace, fixed int, from, to time.Duration) (mean, done float64) {
	return newSimulation(s, p, fixed).run(from, to)
}

func newSimulation(s *server, p *pace, fixed int) *simulation {
	sim := &simulation{server: s, pace: p, fixed: fixed, random: rand.New(rand.NewPCG(1, 2)), start: time.Unix(0, 0)}
	if p != nil && !p.last.IsZero() {
		sim.start = p.last
	}
	return sim
}

// run goes on until a moment, and returns the mean number of requests in flight and the requests answered since another.
func (s *simulation) run(from, to time.Duration) (mean, done float64) {
	for s.now < to {
		before := s.now
		s.send()
		n := len(s.under)
		if n == 0 {
			s.offer(time.Millisecond)
			continue
		}
		next := heap.Pop(&s.under).(simulated) //nolint:forcetypeassert // heap's own
		s.offer(next.done - s.now)
		if next.done > from {
			mean += float64(n) * (next.done - max(before, from)).Seconds()
			done++
		}
		s.answered(next)
	}
	return mean / (to - from).Seconds(), done
}

// offer lets time pass.
func (s *simulation) offer(d time.Duration) {
	if s.offers != nil {
		s.queued = min(s.queued+s.offers(s.now)*d.Seconds(), 1000)
	}
	s.now += d
}

// send sends what may be sent.
func (s *simulation) send() {
	allowed := s.fixed
	if s.pace != nil {
		allowed = s.pace.allowed()
	}
	for len(s.under) < allowed && (s.offers == nil || s.queued >= 1) {
		at := s.now + s.think
		heap.Push(&s.under, simulated{at, s.done(s.under, at, s.random)})
		s.queued--
	}
	if s.pace != nil && (s.offers == nil || s.queued >= 1) {
		s.pace.want()
	}
}

// answered tells the pace.
func (s *simulation) answered(a simulated) {
	if s.pace == nil {
		return
	}
	bytes := 1 << 20
	if s.small {
		bytes = 16<<10 + s.random.IntN(48<<10)
	}
	s.pace.answer(sample{sent: s.start.Add(a.sent), took: a.done - a.sent, bytes: bytes, refused: s.refuse}, s.start.Add(s.now))
}

func always(n int) func(time.Duration) int { return func(time.Duration) int { return n } }

// bestFixed is the most that a fixed number of requests gets done by a cluster that works on so many at once.
func bestFixed(s *server, knee int, from, to time.Duration) (most float64) {
	for _, n := range []int{knee, knee + 1, knee + (knee+3)/4, knee + (knee+1)/2, 32} {
		_, done := simulate(s, nil, n, from, to)
		most = max(most, done)
	}
	return most
}
