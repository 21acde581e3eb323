package bulk

import (
	"math"
	"time"
)

// What probes go by.
const (
	worth      = 0.4     // of a step must prove right for the limit to move
	worthOne   = 0.6     // of a step of one
	likely     = 1.5     // standard errors: by chance it looks so seldom enough
	all        = 0.8     // of a step: what proved right goes on at once
	loss       = 0.85    // of what was done before: more requests do harm
	heavyLoss  = 0.75    // … so much that the next step is as small as can be
	leastStep  = 1.0 / 8 // of the limit, where they do none: what is less cannot be told from chance
	leastCut   = 1.0 / 3 // a look for less leaves that much of the limit
	longStreak = 3
)

// probe is an experiment: a round with another limit. Say an answer takes w with the smaller number of requests and v with
// the larger one, b. A cluster that works on n at once and lets the others wait has v = w·b/n, so n = b·w/v is as many as
// it works on: b where more requests cost no time, and the smaller number or less where they only wait longer. So one
// comparison says where between the two the limit belongs, with no need to know what an idle cluster would take.
type probe struct {
	from   float64 // the limit before; 0: there is no probe
	level  float64 // what answers took with it
	spread float64 // of that round
	streak int     // so many before it found what they looked for, without a pause between

	usual  float64 // what answers took before they became slower by themselves; 0: they did not
	origin float64 // the limit at that time
}

// ceiling is where more requests were of no use, so that the next look goes half the way only: where a large step goes too
// far a smaller one may not. 0: it is not known.
type ceiling struct {
	limit float64
	harm  bool // they did harm
}

// step is how many requests a look for more adds to a limit.
func (c *ceiling) step(limit float64, streak int) float64 {
	step := limit * [...]float64{0.25, 0.5, 0.5, 1}[min(streak, longStreak)]
	if c.limit > limit {
		least := limit * leastStep
		if c.harm {
			least = 1
		}
		step = min(step, max(least, (c.limit-limit)/2))
	}
	return max(1, math.Round(step))
}

// raise begins a look for more. level is what answers take now.
func (p *pace) raise(level float64, now time.Time) {
	p.try(p.limit+p.ceiling.step(p.limit, p.probe.streak), level, now)
}

// lower begins a look for less. level is what answers take now.
func (p *pace) lower(level float64, now time.Time) {
	part := [...]float64{0.25, 0.5, 0.67}[min(p.probe.streak, 2)]
	if p.probe.usual > 0 {
		part = 1 - max(leastCut, p.probe.usual/level)
	}
	p.try(p.limit-max(1, math.Round(p.limit*part)), level, now)
}

func (p *pace) try(limit, level float64, now time.Time) {
	p.probe.from, p.probe.level, p.probe.spread = p.limit, level, p.round.spread()
	p.set(limit, now)
}

// alarm begins a look for less because answers have become slower.
func (p *pace) alarm(level float64, now time.Time) {
	p.late = round{}
	p.more.soon(now)
	p.less.soon(now)
	usual := p.base.level
	p.base.level = level
	p.settle(p.before(), now)
	if p.limit > 1 {
		p.probe = probe{usual: usual, origin: p.limit}
		p.lower(level, now)
	}
}

// before is the limit without the probe.
func (p *pace) before() float64 {
	if p.probe.from > 0 {
		return p.probe.from
	}
	return p.limit
}

// settle ends a probe, if there is one, and goes on with a limit.
func (p *pace) settle(limit float64, now time.Time) {
	p.probe = probe{}
	p.set(limit, now)
}

// judge ends a probe in which answers took level.
func (p *pace) judge(level float64, now time.Time) {
	p.probe.streak++
	switch {
	case p.probe.usual > 0 && p.probe.streak == 1:
		p.judgeAlarm(level, now)
	case p.limit > p.probe.from:
		p.judgeMore(level, now)
	default:
		p.judgeLess(level, now)
	}
}

// judgeAlarm ends the first look for less behind an alarm. What answers took before is not known well, since they were
// becoming slower: it takes a second look, from here, to know whether fewer requests help, or whether it is over.
func (p *pace) judgeAlarm(level float64, now time.Time) {
	p.base = baseline{level, p.round.size()}
	if level > changed*p.probe.usual && p.limit > 1 {
		p.lower(level, now)
		return
	}
	origin := p.probe.origin
	p.probe = probe{}
	p.more.soon(now)
	p.less.soon(now)
	p.try(origin, level, now) // it may have been for a moment only
}

// judgeMore ends a look for more.
func (p *pace) judgeMore(level float64, now time.Time) {
	from, to, was := p.probe.from, p.limit, p.probe.level
	n := to * was / level // as many as the cluster works on
	moved := (n - from) / (to - from)
	switch {
	case moved < worth || to == from+1 && moved < worthOne:
		took := now.Sub(p.since)
		p.settle(from, now)
		p.more.later(now, took)
		p.ceiling = ceiling{to, n < heavyLoss*from}
		if n < loss*from && from > 1 && !p.less.confirmed() {
			p.lower(was, now) // it may have been too many before
		}
	case moved > all && to < p.most && p.round.refused == 0:
		p.base = baseline{level, p.round.size()}
		p.raised(to)
		p.raise(level, now)
	default:
		p.base = baseline{was, p.round.size()}
		p.raised(min(n, to))
		p.found(min(n, to), now)
	}
}

// raised notes that more requests were of use.
func (p *pace) raised(to float64) {
	if to >= p.ceiling.limit {
		p.ceiling = ceiling{}
	}
}

// judgeLess ends a look for less.
func (p *pace) judgeLess(level float64, now time.Time) {
	from, to, was := p.probe.from, p.limit, p.probe.level
	n := from * level / was // as many as the cluster works on
	moved := (from - n) / (from - to)
	took := now.Sub(p.since)
	switch {
	case moved < worth && p.probe.usual > 0 && p.probe.streak == 2:
		p.base = baseline{level, p.round.size()} // it is slower whatever their number
		p.settle(p.probe.origin, now)
		p.more.later(now, took)
	case moved < worth || p.probe.usual == 0 && from-n < from*likely*math.Hypot(p.probe.spread, p.round.spread()):
		p.settle(from, now)
		p.less.later(now, took)
	default:
		p.base = baseline{level, p.round.size()}
		p.set(math.Round(max(n, to)), now)
		if p.limit > 1 && (moved > all || level > changed*p.probe.usual && p.probe.usual > 0) {
			p.lower(level, now)
			return
		}
		p.found(p.limit, now)
	}
}

// found goes on with a limit that a probe has found, and looks soon whether it can be better yet.
func (p *pace) found(limit float64, now time.Time) {
	p.settle(limit, now)
	p.more.soon(now)
	p.less.soon(now)
}
