package bulk

import (
	"math"
	"time"
)

const (
	fixedCost = 256 << 10 // bytes that a request counts more than it has: the smallest costs something too
	outlier   = 3         // times what is usual: how much slower an answer is tells nothing more
	leastTime = 1e-6      // seconds that any answer takes
)

// round is what pace has seen since its last decision.
type round struct {
	began   time.Time
	wanted  bool // a request was due that was not allowed
	answers int
	refused float64 // of the answers; a request part of whose documents had no room counts as that part

	// Of the answers that were no failures: how many, what they took and the sizes of their requests added up, and the
	// sums of the products of these.
	n                               float64
	took, sizes                     float64 // seconds, MiB
	tookTook, tookSizes, sizesSizes float64

	first, latest float64 // levels of the first one, and a moving mean of the last ones
}

// size is what a request counts for, in MiB.
func (s *sample) size() float64 { return float64(s.bytes+fixedCost) / (1 << 20) }

// level is what an answer took, in seconds per MiB.
func (s *sample) level() float64 { return max(s.took.Seconds(), leastTime) / s.size() }

// add notes an answer. usual is the level that answers have, 0 if it is not known.
func (r *round) add(s sample, usual float64) {
	r.answers++
	r.refused += s.refused
	if s.refused >= 1 || s.bytes <= 0 {
		return
	}
	size, level := s.size(), s.level()
	if r.n == 0 {
		r.first, r.latest = level, level
	}
	r.latest += (level - r.latest) / 3
	if usual > 0 {
		level = min(level, outlier*usual)
	}
	took := level * size
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
