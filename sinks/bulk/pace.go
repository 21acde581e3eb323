package bulk

import (
	"math"
	"slices"
	"time"
)

// What pace goes by. Latencies are per MiB, and compared with those of requests of about the same size.
const (
	firstRequests  = 4           // in flight before anything is known about the cluster
	roundAnswers   = 4           // at least so many answers make a round, so that one slow answer decides nothing
	mostAnswers    = 32          // a round needs no more, however they differ
	longestRound   = time.Second // nor longer
	faster         = 0.85        // of the baseline, with less in flight: there were too many requests all the time
	slower         = 1.2         // times the baseline: there are more requests than the cluster works on
	asFast         = 1.1         // times the baseline: there may be room for more
	leastCut       = 1.0 / 3     // a round leaves that much of the limit
	sameSize       = 1.5         // times: requests of such sizes can be compared
	fixedCost      = 256 << 10   // bytes that a request counts more than it has: the smallest costs something too
	firstPatience  = 200 * time.Millisecond
	lastPatience   = 3 * time.Second
	patienceRounds = 8 // or so many rounds, for slow clusters
	drainEvery     = 8 * time.Second
	drainRounds    = 40 // or so many latencies, for slow clusters
	forgetAfter    = time.Minute
)

// pace decides how many requests may be in flight: additive increase while more are wanted and answers come as fast as
// before, multiplicative decrease by what is refused (429, 5xx, lost) and by how much slower answers have become than
// they were with fewer requests. It decides once a round, by the answers to requests sent since the last decision.
//
// The baseline is the lowest latency of the last rounds. Held at the knee it would creep upwards with the queue it is to
// detect, so now and then a round is drained: sent with fewer requests, to see what an answer costs without the queue.
// Where fewer requests make nothing faster the cluster itself is slower, and the baseline begins anew.
//
// It is plain arithmetic over what it is told, without a clock of its own, and is used under the engine's lock.
type pace struct {
	limit, most float64
	round       round
	base        baseline
	last        time.Time // the last answer

	eager  bool    // nothing has ever been too much: grow by half at a time
	streak float64 // rounds of growth in a row

	safe     float64 // the most that was as fast as the baseline
	ceiling  float64 // where it was too much
	patience time.Duration
	until    time.Time // before, no growth to the ceiling again

	cut struct{ limit, level float64 } // before the last decrease by latency; zero when it proved right

	nextDrain time.Time
	resume    float64 // the limit behind a drain

	// The first drained round that was faster, until a round with the limit of before says whether that was the reason: at
	// the start the cluster and this process become faster by themselves.
	doubt struct{ limit, level float64 } // zero when there is none
}

// round is what was seen since the last decision.
type round struct {
	since   time.Time // requests sent before tell nothing about the limit of now
	answers int
	refused float64   // of the answers; a request part of whose documents had no room counts as that part
	levels  []float64 // seconds per MiB
	sizes   float64   // in MiB, all of them added up
	took    time.Duration
	wanted  bool // more requests were wanted than allowed
	drain   bool
}

// sample is one answer.
type sample struct {
	sent    time.Time
	took    time.Duration
	bytes   int
	refused float64 // the part of its documents that the cluster had no room for; 1 for a request that failed
}

func newPace(most int, now time.Time) pace {
	p := pace{limit: float64(min(firstRequests, most)), most: float64(most), eager: true, patience: firstPatience}
	p.begin(now)
	return p
}

// allowed is how many requests may be in flight now.
func (p *pace) allowed() int { return max(1, int(math.Round(p.limit))) }

// want notes that a request was due but not allowed.
func (p *pace) want() { p.round.wanted = true }

// answer notes an answer, or that there was none.
func (p *pace) answer(s sample, now time.Time) {
	if now.Sub(p.last) > forgetAfter && !p.last.IsZero() {
		p.forget(now)
	}
	p.last = now
	r := &p.round
	if s.sent.Before(r.since) {
		return
	}
	r.answers++
	r.refused += s.refused
	if s.refused < 1 && s.bytes > 0 {
		size := float64(s.bytes+fixedCost) / (1 << 20)
		r.levels = append(r.levels, s.took.Seconds()/size)
		r.sizes += size
		r.took += s.took
	}
	if p.enough(now) {
		p.decide(now)
		p.begin(now)
	}
}

// enough reports whether the round has seen what a decision needs: where answers differ much, more of them.
func (p *pace) enough(now time.Time) bool {
	r := &p.round
	if r.answers < max(roundAnswers, p.allowed()) {
		return false
	}
	if r.answers >= mostAnswers || now.Sub(r.since) > longestRound || len(r.levels) < roundAnswers {
		return true
	}
	_, spread := middle(r.levels)
	return tolerance(spread, len(r.levels)) < (slower-1)/2
}

// tolerance is by how much the median of n latencies may be off, as a part of it: four times its standard error.
func tolerance(spread float64, n int) float64 { return 5 * spread / math.Sqrt(float64(n)) }

// forget begins anew after a long pause: what was learnt may be long over.
func (p *pace) forget(now time.Time) {
	p.limit, p.base, p.nextDrain, p.doubt.limit = min(p.limit, firstRequests), baseline{}, time.Time{}, 0
	p.round = round{levels: p.round.levels[:0]}
	p.begin(now.Add(-forgetAfter)) // this answer counts
}

// begin begins a round.
func (p *pace) begin(now time.Time) {
	wanted, known := p.round.wanted, p.base.level > 0
	p.round = round{since: now, levels: p.round.levels[:0]}
	if known && wanted && p.limit > 1 && p.doubt.limit == 0 && !now.Before(p.nextDrain) {
		share := 0.7
		if p.limit <= firstRequests {
			share = 0.5
		}
		p.round.drain, p.resume = true, p.limit
		p.limit = max(1, math.Round(p.limit*share))
	}
}

// decide ends a round.
func (p *pace) decide(now time.Time) {
	r := &p.round
	drained := p.limit
	if r.drain {
		p.limit = p.resume
	}
	if r.refused > 0 {
		p.limit = max(1, p.limit*(1-r.refused/float64(r.answers)/2))
		p.eager, p.streak = false, 0
	}
	if len(r.levels) == 0 {
		return
	}
	level, spread := middle(r.levels)
	n := float64(len(r.levels))
	took := r.took / time.Duration(n)
	was := p.base.level
	p.base.see(level, r.sizes/n, r.drain)
	switch {
	case was == 0:
		return // nothing to compare with: first it is drained
	case r.drain && level < faster*was && !p.eager:
		p.lower(drained, now) // and drain again at once
		return
	case r.drain && level < faster*was:
		p.doubt.limit, p.doubt.level = drained, level
		return
	case p.doubt.limit > 0 && p.doubt.level < faster*level:
		p.lower(p.doubt.limit, now) // and drain again at once
		p.doubt.limit = 0
		return
	case p.doubt.limit > 0:
		p.doubt.limit = 0
		p.nextDrain = now.Add(max(drainEvery, drainRounds*took))
		return
	case r.drain:
		p.nextDrain = now.Add(max(drainEvery, drainRounds*took))
		return
	case !r.wanted:
		p.streak = 0
		return
	}
	p.adjust(level, tolerance(spread, len(r.levels)), now)
}

// adjust changes the limit by how a round without a drain compares with the baseline.
func (p *pace) adjust(level, noise float64, now time.Time) {
	r := &p.round
	switch ratio := level / p.base.level; {
	case p.cut.limit > 0 && p.limit <= 0.8*p.cut.limit && level > 0.85*p.cut.level:
		p.limit, p.cut.limit = p.cut.limit, 0 // it was not our doing
		p.base = baseline{level: level, size: r.sizes / float64(len(r.levels))}
	case ratio > slower+noise:
		p.cut.limit, p.cut.level = p.limit, level
		if p.safe >= p.limit {
			p.safe = 0 // it is not as it was
		}
		p.lower(min(p.limit-1, math.Round(max(p.limit/ratio, p.safe))), now)
		p.until = now.Add(max(p.patience, patienceRounds*now.Sub(r.since)*p.patience/lastPatience))
	case ratio < asFast+noise*3/4:
		p.cut.limit = 0
		p.safe = max(p.safe, p.limit)
		p.raise(now)
	default:
		p.cut.limit, p.streak = 0, 0
	}
}

// lower takes the limit down, but leaves a third.
func (p *pace) lower(to float64, now time.Time) {
	if p.limit > 1.2*p.ceiling || p.limit < 0.8*p.ceiling {
		p.patience = firstPatience // a ceiling that was not known
	} else {
		p.patience = min(2*p.patience, lastPatience)
	}
	p.ceiling, p.until = p.limit, now.Add(p.patience)
	p.limit = max(1, math.Round(p.limit*leastCut), to)
	p.eager, p.streak = false, 0
}

// raise adds to the limit: one, and one more for each round before that did well.
func (p *pace) raise(now time.Time) {
	step := max(1, math.Floor(p.limit/2))
	if !p.eager {
		step = min(1+p.streak, step)
	}
	if p.limit+step > 0.9*p.ceiling && p.limit < p.ceiling && now.Before(p.until) {
		if step = math.Floor(0.9*p.ceiling - p.limit); step < 1 {
			p.streak = 0
			return
		}
	}
	p.streak++
	p.limit = min(p.most, p.limit+step)
}

// baseline is the latency per MiB without a queue, for requests of about one size: the lowest of the rounds since the
// drain before the last.
type baseline struct {
	level  float64
	size   float64 // MiB
	recent float64 // the lowest since the last drain
}

// see takes the level of a round into account.
func (b *baseline) see(level, size float64, drained bool) {
	if b.level == 0 || size > sameSize*b.size || size < b.size/sameSize {
		*b = baseline{level: level, size: size, recent: level}
		return
	}
	if drained {
		b.level, b.recent = b.recent, level
	}
	if b.recent == 0 || level < b.recent {
		b.recent = level
	}
	b.level = min(b.level, level, b.recent)
}

// middle is the median of a list, which it sorts, and how far apart its middle half lies, as a part of the median.
func middle(list []float64) (median, spread float64) {
	slices.Sort(list)
	n := len(list)
	median = (list[(n-1)/2] + list[n/2]) / 2
	return median, (list[n*3/4] - list[n/4]) / median * 0.74 // of a normal distribution: its standard deviation
}
