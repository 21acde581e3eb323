package bulk

import (
	"math"
	"time"
)

// What pace goes by. Levels are seconds per MiB, and compared with those of requests of about the same size.
const (
	firstRequests = 4           // in flight before anything is known about the cluster
	sameSize      = 2           // times: requests of such sizes can be compared
	fewestAnswers = 4           // make a round without a probe: one slow answer decides nothing
	fewestProbed  = 2           // make a round of a probe
	mostAnswers   = 64          // a round needs no more, however they differ
	longestRound  = time.Second // nor longer, but for slow clusters
	sure          = 3           // standard errors
	changed       = 1.25        // times what was usual: the cluster is not as it was
	far           = 2           // times what was usual: so much that a few answers prove it
	climbing      = 1.3         // times the first answer, when nothing is known: there are too many from the start
	follow        = 0.3         // of a round's level goes into what is usual
	forgetAfter   = time.Minute
)

// How often there is a look for more and for less. Each that finds nothing doubles the time to the next of its kind.
const (
	firstPatience = 250 * time.Millisecond
	lastPatience  = 4 * time.Second // so soon it is noticed at the latest that a cluster takes more
	firstCheck    = time.Second
	lastCheck     = 16 * time.Second // what answers take shows at once when a cluster takes less; this is for the rest
	leastRounds   = 6                // between two looks, for slow clusters
)

// pace decides how many requests may be in flight, by experiment: now and then it lets a round go with more of them or
// with fewer, and compares what an answer takes (probe.go). Between the experiments what an answer takes is watched. When
// it becomes more, an experiment with fewer is made at once: either the cluster works on fewer requests now, or it is
// slower whatever their number.
//
// It is plain arithmetic over what it is told, without a clock of its own, and is used under the engine's lock. Times in
// which fewer requests are wanted than allowed teach it nothing but what is refused.
type pace struct {
	limit, most float64
	unwanted    int // answers since a request had to wait
	round       round
	base        baseline
	probe       probe
	ceiling     ceiling
	more, less  schedule
	since       time.Time // when the limit was last changed: requests sent before tell little about it
	lowered     time.Time // when it was last lowered
	late        round     // slow answers in a row to requests sent between the two
	last        time.Time // the last answer
}

// baseline is what answers usually take with as many requests as are allowed.
type baseline struct {
	level float64 // 0: not known
	size  float64 // of the requests, in MiB
}

// schedule is when there is a look for more, or for less.
type schedule struct {
	next        time.Time
	wait        time.Duration
	first, last time.Duration
}

// soon plans the next look as if nothing were known.
func (s *schedule) soon(now time.Time) { s.wait, s.next = s.first, now.Add(s.first) }

// later plans the next look behind one that found nothing and took so long.
func (s *schedule) later(now time.Time, took time.Duration) {
	s.wait = min(2*s.wait, s.last)
	s.next = now.Add(max(s.wait, leastRounds*took*s.wait/s.last))
}

// due reports whether it is time for a look.
func (s *schedule) due(now time.Time) bool { return !now.Before(s.next) }

// confirmed reports whether a look has found nothing since soon.
func (s *schedule) confirmed() bool { return s.wait > s.first }

// sample is one answer.
type sample struct {
	sent    time.Time
	took    time.Duration
	bytes   int
	refused float64 // the part of its documents that the cluster had no room for; 1 for a request that failed
}

func newPace(most int, now time.Time) pace {
	return pace{
		limit: float64(min(firstRequests, most)), most: float64(most), since: now,
		more:  schedule{first: firstPatience, last: lastPatience, wait: firstPatience},
		less:  schedule{first: firstCheck, last: lastCheck, wait: firstCheck},
		round: round{began: now}, probe: probe{streak: longStreak},
	}
}

// allowed is how many requests may be in flight now.
func (p *pace) allowed() int { return max(1, int(math.Round(p.limit))) }

// want notes that a request was due but not allowed.
func (p *pace) want() { p.unwanted, p.round.wanted = 0, true }

// wanted reports whether as many requests as allowed are in flight most of the time of this round.
func (p *pace) wanted() bool { return p.round.wanted && p.unwanted <= 2*p.allowed() }

// answer notes an answer, or that there was none.
func (p *pace) answer(s sample, now time.Time) {
	if now.Sub(p.last) > forgetAfter && !p.last.IsZero() {
		*p = newPace(int(p.most), s.sent)
	}
	p.last = now
	p.unwanted++
	if s.sent.Before(p.since) {
		p.warn(s, now)
		return
	}
	p.round.add(s, p.base.level)
	if p.enough(now) {
		p.decide(now)
		p.round = round{began: now}
	}
}

// warn looks at an answer to a request of before the last change. With fewer requests than now it says nothing of the
// limit unless it was slow all the same: then there is no need to wait for what follows.
func (p *pace) warn(s sample, now time.Time) {
	if s.sent.Before(p.lowered) || p.base.level == 0 || s.refused >= 1 || !p.wanted() {
		return
	}
	if s.level() < far*p.base.level {
		p.late = round{}
		return
	}
	p.late.add(s, 0)
	if p.late.n >= max(fewestAnswers, p.limit/2) {
		p.alarm(p.late.latest, now)
		p.round = round{began: now}
	}
}

// enough reports whether the round has seen what a decision needs: where answers differ much, more of them.
func (p *pace) enough(now time.Time) bool {
	r := &p.round
	if p.base.level > 0 && r.n >= max(min(fewestAnswers, max(fewestProbed, p.limit)), p.limit/2) &&
		r.level()*(1-sure*r.spread()) > far*p.base.level {
		return true
	}
	fewest, step := fewestAnswers, changed-1
	if p.probe.from > 0 {
		fewest, step = fewestProbed, math.Abs(p.limit/p.probe.from-1)
	}
	switch {
	case r.answers < max(fewest, p.allowed()):
		return false
	case r.n == 0 || r.answers >= max(mostAnswers, p.allowed()):
		return true
	case now.Sub(p.since).Seconds() < p.generations()*r.took/r.n:
		return false
	}
	return now.Sub(r.began) > longestRound || (1+sure)*r.spread() < step
}

// generations is how many times as long as an answer a round takes behind a change of the limit, at least. The first
// answers are those of the fastest requests.
func (p *pace) generations() float64 {
	switch {
	case p.probe.from == 0 && p.round.began.After(p.since):
		return 0
	case p.probe.usual > 0 || p.base.level == 0:
		return 1 // there is no time to lose
	case p.probe.from > 0 && p.limit <= firstRequests:
		return 3
	}
	return 2
}

// decide ends a round.
func (p *pace) decide(now time.Time) {
	r := &p.round
	accepted := 1 - r.refused/float64(r.answers)
	probed := p.probe.from > 0
	switch {
	case r.n == 0 || !p.wanted():
		p.settle(p.before(), now)
	case p.base.level > 0 && (r.size() > sameSize*p.base.size || r.size() < p.base.size/sameSize):
		p.settle(p.before(), now)
		p.base = baseline{r.level(), r.size()}
	case probed:
		p.judge(r.level()/accepted, now)
	}
	if accepted < 1 {
		p.settle(p.limit*(1+accepted)/2, now)
		p.more.next = now
	}
	if r.n > 0 && p.wanted() && !probed {
		p.watch(r.level()/accepted, now)
	}
}

// watch compares a round without a probe with what is usual, and begins a probe where it is time for one.
func (p *pace) watch(level float64, now time.Time) {
	r := &p.round
	doubt := sure * r.spread()
	switch ratio := level / p.base.level; {
	case p.base.level == 0:
		p.base = baseline{level, r.size()}
		if p.limit > 1 && level > climbing*r.first {
			p.lower(level, now)
			return
		}
	case ratio > changed+doubt:
		p.alarm(r.latest, now)
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
	case p.more.due(now) && p.limit < p.most:
		p.raise(level, now)
	case p.less.due(now) && p.limit > 1:
		p.lower(level, now)
	}
}

// set changes the limit.
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
