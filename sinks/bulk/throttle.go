package bulk

import (
	"time"

	"github.com/trailship/trailship/config/value"
)

// Rate bounds what is sent to a cluster that others use too, tries that failed included. 0 is no bound.
type Rate struct {
	Documents int         // a second
	Bytes     value.Bytes // a second, before compression
}

// smoothness is how many requests a second a bound is spread over, at least: the whole second's worth at once would be a
// wave.
const smoothness = 8

// leastRequest is what a request may hold however low the rate is, in bytes.
const leastRequest = 16 << 10

// throttle holds requests back so that they keep to a Rate. A request may always be sent when those before it are paid
// for, so one that is larger than the rate goes too, and the next one waits for longer. It is used under the engine's lock.
type throttle struct {
	rate Rate
	free time.Time // when all that was sent is paid for
}

// wait is how long nothing may be sent.
func (t *throttle) wait(now time.Time) time.Duration { return max(0, t.free.Sub(now)) }

// take notes what is sent.
func (t *throttle) take(docs, bytes int, now time.Time) {
	if t.free.Before(now) {
		t.free = now
	}
	cost := max(cost(docs, float64(t.rate.Documents)), cost(bytes, float64(t.rate.Bytes)))
	t.free = t.free.Add(cost)
}

func cost(n int, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / rate * float64(time.Second))
}

// most lowers what one request may hold.
func (t *throttle) most(bytes, docs int) (int, int) {
	if t.rate.Bytes > 0 {
		bytes = min(bytes, max(leastRequest, int(t.rate.Bytes)/smoothness))
	}
	if t.rate.Documents > 0 {
		docs = min(docs, max(1, t.rate.Documents/smoothness))
	}
	return bytes, docs
}
