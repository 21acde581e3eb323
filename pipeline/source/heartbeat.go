package source

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// The longest SQS lets one receipt of a message live. Source: Amazon SQS Developer Guide, "Amazon SQS visibility timeout".
// The margin is for clocks and requests on their way.
const (
	maxHold    = 12 * time.Hour
	holdMargin = time.Minute
)

// beatsAtOnce bounds the calls that one round of the heartbeat makes at the same time.
const beatsAtOnce = 4

// heartbeat keeps messages invisible from their receipt until they are dropped or released. It looks at them at least eight
// times in a visibility timeout and extends those for which half of it will have passed before the next look. Where the
// call fails it tries again at the next look: there are at least four before the message becomes visible.
type heartbeat struct {
	visibility time.Duration
	extend     func(ctx context.Context, changes []change) []error
	log        *zap.Logger
	metrics    *Metrics

	mu   sync.Mutex
	held map[*message]struct{}
}

func newHeartbeat(visibility time.Duration, extend func(context.Context, []change) []error, log *zap.Logger, m *Metrics) *heartbeat {
	return &heartbeat{visibility: visibility, extend: extend, log: log, metrics: m, held: map[*message]struct{}{}}
}

func (h *heartbeat) look() time.Duration { return h.visibility / 8 }

// hold begins to keep m alive.
func (h *heartbeat) hold(m *message) {
	h.mu.Lock()
	m.due = m.received.Add(h.visibility/2 - h.look())
	h.held[m] = struct{}{}
	h.mu.Unlock()
}

// drop ends keeping m alive. An extension may still be on its way.
func (h *heartbeat) drop(m *message) (underWay <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.held, m)
	return m.beating
}

// release is drop, and waits for an extension on its way: it must not arrive behind the delay that comes next.
func (h *heartbeat) release(ctx context.Context, m *message) {
	if underWay := h.drop(m); underWay != nil {
		select {
		case <-underWay:
		case <-ctx.Done():
		}
	}
}

// run extends what is due, until ctx ends.
func (h *heartbeat) run(ctx context.Context, watch func(string) (tick, done func()), queue string) {
	tick, done := watch("heartbeat " + queue)
	defer done()
	ticker := time.NewTicker(min(h.look(), tickEvery))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			tick()
			h.beat(ctx)
		}
	}
}

// beat extends every message that is due.
func (h *heartbeat) beat(ctx context.Context) {
	due, beaten := h.collect(time.Now())
	if len(due) == 0 {
		return
	}
	errs := make([]error, len(due))
	round, cancel := context.WithTimeout(ctx, max(h.look(), time.Second)) // one slow call must not keep the others waiting
	defer cancel()
	var calls errgroup.Group
	calls.SetLimit(beatsAtOnce)
	for from := 0; from < len(due); from += batchSize {
		to := min(from+batchSize, len(due))
		calls.Go(func() error {
			copy(errs[from:to], h.extend(round, due[from:to]))
			return nil
		})
	}
	_ = calls.Wait() // the calls return their errors entry by entry
	h.conclude(due, errs, beaten)
}

// collect marks and returns what is due, and lets go of what has been held for as long as SQS allows.
func (h *heartbeat) collect(now time.Time) (due []change, beaten chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	beaten = make(chan struct{})
	for m := range h.held {
		if now.Before(m.due) {
			continue
		}
		left := m.received.Add(maxHold - holdMargin).Sub(now).Truncate(time.Second)
		if left < time.Second {
			delete(h.held, m)
			h.metrics.message(messageExpired, 1)
			h.log.Warn("message held for as long as the queue allows, it will be delivered again", zap.String("message_id", m.id))
			continue
		}
		m.beating = beaten
		due = append(due, change{message: m, timeout: min(h.visibility, left)})
	}
	return due, beaten
}

// conclude sets when each message is due again. A handle that is no good any more is let go; a call that failed leaves its
// messages due.
func (h *heartbeat) conclude(due []change, errs []error, beaten chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer close(beaten)
	now := time.Now()
	failed := 0
	var last error
	for i, c := range due {
		m := c.message
		m.beating = nil
		if _, held := h.held[m]; !held {
			continue // settled meanwhile: an error only says so
		}
		switch {
		case errs[i] == nil:
			m.due = now.Add(c.timeout/2 - h.look())
		case senderFault(errs[i]):
			delete(h.held, m)
			h.metrics.message(messageExpired, 1)
			h.log.Warn("message can no longer be held, it will be delivered again", zap.String("message_id", m.id), zap.Error(errs[i]))
		default:
			failed++
			last = errs[i]
		}
	}
	if failed > 0 {
		h.log.Warn("holding messages failed, trying again", zap.Int("messages", failed), zap.Error(last))
	}
}
