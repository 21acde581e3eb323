package bulk

import (
	"math"
	"time"
)

// What pace goes by. Latencies are per MiB, and compared with those of requests of about the same size.
const (
	firstRequests = 4           // in flight before anything is known about the cluster
	fixedCost     = 256 << 10   // bytes that a request counts more than it has: the smallest costs something too
	sameSize      = 2           // times: requests of such sizes can be compared
	fewestAnswers = 4           // make a round, or as many as are in flight: one slow answer decides nothing
	mostAnswers   = 64          // a round needs no more, however they differ
	longestRound  = time.Second // nor longer, but for slow clusters
	outlier       = 3           // times what is usual: how much slower an answer is tells nothing more
	changed       = 1.25        // times what was usual: the cluster is not as it was
	worth         = 0.4         // of a step must prove right for the limit to move
	follow        = 0.3         // of a round's level goes into what is usual
	leastCut      = 1.0 / 3     // a look for less leaves that much of the limit
	forgetAfter   = time.Minute
)

// How often there is a look for more and for less. Each that finds nothing doubles the time to the next of its kind.
const (
	firstPatience = 250 * time.Millisecond
	mostPatience  = 4 * time.Second  // for more: so soon a cluster that has grown is noticed
	firstCheck    = time.Second      // for less
	mostCheck     = 16 * time.Second // a cluster that has shrunk is noticed at once by what answers take
	leastRounds   = 6                // between two looks, for slow clusters
)

// pace decides how many requests may be in flight, by experiment: now and then it lets a round go with more of them or
// with fewer, and compares what an answer takes. Say it takes w with the smaller number, and v with the larger one, b. A
// cluster that works on n requests at once and lets the others wait answers b of them after v = w·b/n, so that n = b·w/v:
// that is the new limit. It is b where a request more costs no time, and the smaller number where it only waits longer.
//
// Between the experiments what an answer takes is watched: when it changes, an experiment is made at once, since either
// the cluster works on fewer requests now, or it is slower whatever the number.
//
// It is plain arithmetic over what it is told, without a clock of its own, and is used under the engine's lock. Periods in
// which fewer requests are wanted than allowed teach it nothing but what is refused.
type pace struct {
	limit, most float64
	round       round
	base        baseline
	probe       probe
	since       time.Time // when the limit was last changed; requests sent before tell nothing about it
	lowered     time.Time
	slow        round
	last        time.Time // the last answer
	more, less  schedule
	gentle      int
	odd         bool
	unwanted    int // answers since a request had to wait
}

// baseline is what answers usually take with as many requests as allowed.
type baseline struct{ level, size float64 } // seconds per MiB; MiB

// probe is an experiment under way; from is 0 when there is none.
type probe struct {
	from   float64 // the limit before
	level  float64 // what answers took with it
	streak int     // so many before found what they looked for, without a pause between
	aim    float64 // what answers took before they all became slower; 0: they did not
	origin float64 // the limit at that time
}

// schedule is when there is a look for more, or for less.
type schedule struct {
	next        time.Time
	wait        time.Duration
	first, most time.Duration
}

// soon plans the next look as if nothing were known.
func (s *schedule) soon(now time.Time) { s.wait, s.next = s.first, now.Add(s.first) }

// later plans the next look behind one that found nothing. round is what a round takes.
func (s *schedule) later(now time.Time, round time.Duration) {
	s.wait = min(2*s.wait, s.most)
	s.next = now.Add(max(s.wait, leastRounds*round*s.wait/s.most))
}

// sample is one answer.
type sample struct {
	sent    time.Time
	took    time.Duration
	bytes   int
	refused float64 // the part of its documents that the cluster had no room for; 1 for a request that failed
}

func newPace(most int, now time.Time) pace {
	p := pace{limit: float64(min(firstRequests, most)), most: float64(most), since: now}
	p.more = schedule{first: firstPatience, most: mostPatience, wait: firstPatience}
	p.less = schedule{first: firstCheck, most: mostCheck, wait: firstCheck}
	p.round.began = now
	p.probe.streak = 3
	return p
}

// allowed is how many requests may be in flight now.
func (p *pace) allowed() int { return max(1, int(math.Round(p.limit))) }

// want notes that a request was due but not allowed.
func (p *pace) want() { p.unwanted = 0 }

// answer notes an answer, or that there was none.
func (p *pace) answer(s sample, now time.Time) {
	if now.Sub(p.last) > forgetAfter && !p.last.IsZero() {
		*p = newPace(int(p.most), s.sent)
	}
	p.last = now
	if s.sent.Before(p.since) {
		p.warn(s, now)
		return
	}
	p.unwanted++
	p.round.add(s, outlier*p.base.level)
	if p.enough(now) {
		p.decide(now)
		p.round = round{began: now}
	}
}

// warn looks at an answer to a request of before the last change, when fewer were allowed.
func (p *pace) warn(s sample, now time.Time) {
	if s.sent.Before(p.lowered) || p.base.level == 0 || s.refused >= 1 {
		return
	}
	var one round
	one.add(s, 0)
	if one.level() < 2*p.base.level {
		p.slow = round{}
		return
	}
	p.slow.add(s, 0)
	if p.slow.n >= fewestAnswers {
		p.shock(p.slow.late, now)
		p.round = round{began: now}
	}
}

// shock
func (p *pace) shock(level float64, now time.Time) {
	p.more.soon(now)
	p.less.soon(now)
	p.slow = round{}
	p.probe = probe{aim: p.base.level, origin: p.limit}
	p.base.level = level
	if p.limit > 1 {
		p.lower(level, now)
	}
}

// enough reports whether the round has seen what a decision needs: where answers differ much, more of them.
func (p *pace) enough(now time.Time) bool {
	r := &p.round
	if r.n >= min(fewestAnswers, max(p.limit, 2)) && p.base.level > 0 && r.level()*(1-3*r.spread()) > 2*p.base.level {
		return true
	}
	if r.answers < fewestAnswers && !(p.probe.from > 0 && r.answers >= 2) {
		return false
	}
	if r.answers < p.allowed() || now.Sub(p.since).Seconds() < p.generations()*r.took/r.n {
		return false
	}
	return r.n < 2 || r.answers >= max(mostAnswers, p.allowed()) || now.Sub(r.began) > longestRound || 4*r.spread() < p.step()
}

func (p *pace) generations() float64 {
	switch {
	case p.probe.from == 0 && p.round.began.After(p.since):
		return 0
	case p.probe.aim > 0, p.base.level == 0:
		return 1
	case p.allowed() <= 4 && p.probe.from > 0:
		return 3
	}
	return 2
}

// step is by what part the limit of a probe differs.
func (p *pace) step() float64 {
	if p.probe.from == 0 {
		return changed - 1
	}
	return math.Abs(p.limit/p.probe.from - 1)
}

// decide ends a round.
func (p *pace) decide(now time.Time) {
	r := &p.round
	refused := r.refused / float64(r.answers)
	switch {
	case r.n == 0:
		p.settle(p.limit/2, now)
	case p.unwanted > 2*p.allowed() || p.base.level > 0 && (r.size() > sameSize*p.base.size || r.size() < p.base.size/sameSize):
		p.abandon(now)
	case p.probe.from > 0:
		p.judge(r.level()/(1-refused), now)
		if refused > 0 {
			p.settle(p.limit*(1-refused/2), now)
			p.more.next = now
		}
	default:
		if refused > 0 {
			p.set(p.limit*(1-refused/2), now)
			p.more.next = now
		}
		p.watch(r.level()/(1-refused), now)
	}
}

// abandon ends a probe without a result, and begins anew with what is usual.
func (p *pace) abandon(now time.Time) {
	if p.probe.from > 0 {
		p.settle(p.probe.from, now)
	}
	p.base = baseline{}
	if p.unwanted <= 2*p.allowed() {
		p.base = baseline{p.round.level(), p.round.size()}
	}
}

// settle ends a probe, and goes on with a limit.
func (p *pace) settle(limit float64, now time.Time) {
	p.probe = probe{}
	p.set(limit, now)
}

func (p *pace) set(limit float64, now time.Time) {
	limit = min(max(1, limit), p.most)
	if limit != p.limit {
		p.since = now
	}
	if limit < p.limit {
		p.lowered = now
	}
	p.limit = limit
}

// try begins a probe with another limit.
func (p *pace) try(limit, level float64, now time.Time) {
	p.probe.from, p.probe.level = p.limit, level
	p.set(limit, now)
}

// watch compares a round without a probe with what is usual, and begins a probe where it is time for one.
func (p *pace) watch(level float64, now time.Time) {
	r := &p.round
	doubt := 3 * r.spread()
	switch ratio := level / p.base.level; {
	case p.base.level == 0:
		p.base = baseline{level, r.size()}
		if p.limit > 1 && level > 1.3*r.first {
			p.lower(level, now)
			return
		}
	case ratio > changed+doubt:
		p.shock(r.late, now)
		return
	case ratio < 1/changed-doubt:
		p.base.level = level
		p.more.soon(now)
		p.more.next = now
	default:
		p.base.level += follow * (level - p.base.level)
		p.base.size += follow * (r.size() - p.base.size)
	}
	switch {
	case !now.Before(p.more.next) && p.limit < p.most:
		p.raise(level, now)
	case !now.Before(p.less.next) && p.limit > 1:
		p.lower(level, now)
	}
}

// raise begins a look for more.
func (p *pace) raise(level float64, now time.Time) {
	part := []float64{0.25, 0.5, 0.5, 1}[min(p.probe.streak, 3)]
	part /= float64(int(1) << p.gentle)
	if p.odd && p.probe.streak == 0 {
		part /= 2
	}
	p.try(p.limit+max(1, math.Round(p.limit*part)), level, now)
}

// lower begins a look for less.
func (p *pace) lower(level float64, now time.Time) {
	part := []float64{0.25, 0.5, 0.67}[min(p.probe.streak, 2)]
	if p.probe.aim > 0 {
		part = 1 - max(leastCut, p.probe.aim/level)
	}
	p.try(p.limit-max(1, math.Round(p.limit*part)), level, now)
}

// judge ends a probe.
func (p *pace) judge(level float64, now time.Time) {
	from, to := p.probe.from, p.limit
	took := now.Sub(p.since)
	small, big := p.probe.level, level
	if to < from {
		small, big = big, small
	}
	n := min(max(from, to)*small/big, max(from, to))
	n = max(n, min(from, to))
	moved := (n - from) / (to - from)
	p.probe.streak++
	if p.probe.aim > 0 && p.probe.streak == 1 {
		p.base = baseline{level, p.round.size()}
		p.set(to, now)
		if level > changed*p.probe.aim && to > 1 {
			p.lower(level, now)
			return
		}
		p.settle(to, now)
		p.more.soon(now)
		p.less.soon(now)
		return
	}
	switch {
	case p.probe.aim > 0 && moved < worth && p.probe.streak == 2:
		p.base = baseline{level, p.round.size()}
		p.settle(p.probe.origin, now)
		p.more.later(now, took)
	case to > from && (moved < worth || to == from+1 && moved < 0.6):
		p.settle(from, now)
		p.more.later(now, took)
		p.odd = !p.odd
		switch found := to * small / big; {
		case found < 0.85*from && from > 1 && p.less.wait == p.less.first:
			p.lower(small, now)
		case found < 0.75*from:
			p.gentle = min(p.gentle+1, 3)
		case found > 0.9*from:
			p.gentle = max(p.gentle-1, 0)
		}
	case moved < worth:
		p.settle(from, now)
		p.less.later(now, took)
	case moved > 0.8 && to > from && to < p.most && p.round.refused == 0:
		p.base = baseline{level, p.round.size()}
		p.gentle = 0
		p.set(to, now)
		p.raise(level, now)
	case to < from:
		aim := p.probe.aim
		p.base = baseline{small, p.round.size()}
		p.set(math.Round(n), now)
		if p.limit > 1 && (moved > 0.8 || aim > 0 && small > changed*aim) {
			p.lower(small, now)
			return
		}
		p.settle(p.limit, now)
		p.more.soon(now)
		p.less.soon(now)
	default:
		p.base = baseline{small, p.round.size()}
		p.settle(math.Round(n), now)
		p.more.soon(now)
		p.less.soon(now)
	}
}

// round is what was seen since the last decision.
type round struct {
	began   time.Time
	answers int
	refused float64 // of the answers; a request part of whose documents had no room counts as that part

	late, first                     float64
	n                               float64 // answers that were no failures,
	took, sizes                     float64 // what they took, in seconds, and their sizes, in MiB, added up,
	tookTook, tookSizes, sizesSizes float64 // and the sums of their products
}

// add notes an answer. One that took more than the level most is taken for one that took so much.
func (r *round) add(s sample, most float64) {
	r.answers++
	r.refused += s.refused
	if s.refused >= 1 || s.bytes <= 0 {
		return
	}
	size := float64(s.bytes+fixedCost) / (1 << 20)
	took := s.took.Seconds()
	if r.n == 0 {
		r.first = took / size
		r.late = took / size
	}
	r.late += (took/size - r.late) / 3
	if most > 0 {
		took = min(took, most*size)
	}
	r.n++
	r.took += took
	r.sizes += size
	r.tookTook += took * took
	r.tookSizes += took * size
	r.sizesSizes += size * size
}

// level is what a MiB took.
func (r *round) level() float64 { return r.took / r.sizes }

// size is that of a request.
func (r *round) size() float64 { return r.sizes / r.n }

// spread is the standard error of the level, as a part of it.
func (r *round) spread() float64 {
	level := r.level()
	return math.Sqrt(max(0, r.tookTook-2*level*r.tookSizes+level*level*r.sizesSizes)) / r.took
}
