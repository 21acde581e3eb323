package source

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/trailship/trailship/pipeline"
)

// How long a message waits after it failed. A redrive policy takes a message after so many receives, five as a rule, and
// each failure costs one. The delays are chosen so that five receives outlast what they wait for:
//
//	one unlucky read of a bucket that works    10 s, 20 s, 40 s, 80 s, … 15 min
//	any other failure                          10 s, 1 min, 20 min, 4 h, 6 h     five receives span 3.2 to 5.5 h
//	a bucket that cannot be read               15 min, 2.5 h, 6 h, 6 h           five receives span 14 h, and 12 h still
//	                                                                             when the first one was spent before it was known
//
// All are jittered, so that messages that failed together do not come back together.
const (
	firstRetry = 10 * time.Second
	lastRetry  = 15 * time.Minute // of what is unlucky, or not understood
	mostDelay  = 6 * time.Hour
)

// delay is how long the message stays invisible after this outcome, which is not nil. It is 0 for what was never started,
// which happens at shutdown only, and short for what shutdown cut off.
func (d *delivery) delay(outcome error) time.Duration {
	n := d.message.receives
	var delay time.Duration
	var closed *bucketClosed
	var unlucky *unluckyRead
	switch {
	case errors.Is(outcome, pipeline.ErrNotStarted):
	case errors.As(outcome, &closed):
		delay = sickDelay(n)
	case errors.As(outcome, &unlucky):
		delay = unluckyDelay(n)
	case d.queue.stopping():
		delay = unluckyDelay(1)
	default:
		delay = failedDelay(n)
	}
	if later := (*pipeline.Postponed)(nil); errors.As(outcome, &later) {
		delay = max(delay, later.After)
	}
	return d.message.allowed(delay)
}

// allowed cuts a delay to what SQS allows from the receipt on.
func (m *message) allowed(delay time.Duration) time.Duration {
	return max(0, min(delay, maxHold-holdMargin-time.Since(m.received)))
}

// unluckyDelay is how long a message waits after its n-th receive when there is no reason why it should fail again.
func unluckyDelay(n int) time.Duration {
	delay := lastRetry
	if n = max(n, 1); n < 8 {
		delay = min(firstRetry<<(n-1), lastRetry)
	}
	return delay*3/4 + rand.N(delay/2)
}

// failedDelay is how long a message waits after its n-th receive when nothing is known about why it failed.
func failedDelay(n int) time.Duration {
	steps := [...]time.Duration{firstRetry, time.Minute, 20 * time.Minute, 4 * time.Hour, 5 * time.Hour}
	delay := steps[min(max(n, 1), len(steps))-1]
	return min(delay*3/4+rand.N(delay/2), mostDelay)
}

// sickDelay is how long a message waits after its n-th receive while its bucket cannot be read.
func sickDelay(n int) time.Duration {
	steps := [...]time.Duration{16 * time.Minute, 150 * time.Minute, mostDelay}
	delay := steps[min(max(n, 1), len(steps))-1]
	return delay - rand.N(delay/20)
}
