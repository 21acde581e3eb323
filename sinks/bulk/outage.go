package bulk

import (
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/trailship/trailship/pipeline"
)

// failuresToStop is how many requests must fail in a row, with no good one between them, before the sink stops sending
// and only probes.
const failuresToStop = 3

// How often a delivery is tried while the one index that gets documents takes none.
const (
	tryOften  = time.Second
	trySeldom = 10 * time.Second
)

// outage is the state of the cluster as a whole. While the sink is stopped nothing is sent except one small request
// after each pause, until one is answered well. It is used under the engine's lock.
type outage struct {
	failures int
	stopped  bool
	until    time.Time // no probe before
	moved    time.Time // when until was last set: requests sent before it tell nothing new
	pause    *backoff.ExponentialBackOff
	why      error // for the operator, with the cure
}

// fail notes a failed request. stop says that one failure is enough: nothing will pass until a person acts.
func (o *outage) fail(sent, now time.Time, stop bool, why error) {
	o.failures++
	if !stop && o.failures < failuresToStop {
		return
	}
	if o.stopped && sent.Before(o.moved) {
		return
	}
	if !o.stopped {
		o.pause = jitter(time.Second, 5*time.Second)
		if stop {
			o.pause = jitter(2*time.Second, 10*time.Second)
		}
	}
	o.stopped, o.why, o.moved = true, why, now
	o.until = now.Add(o.pause.NextBackOff())
}

// end notes a request that was answered well; it reports whether that ends an outage.
func (o *outage) end() bool {
	was := o.stopped
	*o = outage{}
	return was
}

// Figures are what the engine is doing at the moment, by name, for people who look. It answers at once and may be called
// concurrently.
func (e *Engine) Figures() map[string]float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return map[string]float64{
		"requests_in_flight":       float64(e.inFlight),
		"requests_allowed":         float64(e.pace.allowed()),
		"request_bytes_allowed":    float64(e.size.limit),
		"baseline_seconds_per_mib": e.pace.base.level,
		"documents_waiting":        float64(e.queue.docs),
		"bytes_waiting":            float64(e.queue.bytes),
		"indices_parked":           float64(len(e.parked)),
		"bytes_parked":             float64(e.detained),
	}
}

// Ready is nil when documents can be written. Otherwise the error says what is wrong and what to do; sources should not
// receive more until it is nil again, except what a *pipeline.Partly allows: that is the error while an index takes no
// documents and none came for another one since. It answers at once and may be called concurrently.
func (e *Engine) Ready() (part error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if o := &e.outage; o.stopped && (e.inFlight > 0 || !e.queue.empty() || now.Before(o.until)) {
		return fmt.Errorf("the sink is stopped: %w", o.why)
	}
	for ix := range e.parked {
		p := ix.parking
		if p.why == nil || p.class != clusterWide && !e.accepted.Before(p.since) {
			continue
		}
		err := fmt.Errorf("index %s takes no documents: %w", ix.name, p.why)
		if p.class == clusterWide {
			return err
		}
		part = &pipeline.Partly{Every: e.tryEvery(), Err: err}
	}
	return part
}

// tryEvery is how often a delivery may come while nothing is known to be accepted: less often when as much waits for
// parked indices as may. The engine's lock is held.
func (e *Engine) tryEvery() time.Duration {
	if e.detained < int(e.o.Limits.Parked) {
		return tryOften
	}
	return trySeldom
}
