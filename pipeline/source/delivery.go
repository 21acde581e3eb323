package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// delivery is one message that names objects to read.
type delivery struct {
	queue   *queue
	message *message
	objects []notice
}

// String is the message's id.
func (d *delivery) String() string { return d.message.id }

// Sent is when the message came into the queue, zero when the service does not say.
func (d *delivery) Sent() time.Time { return d.message.sent }

// Size is what its largest object takes while it is read: its compressed size up to what is read whole. A notice may be
// wrong or silent about sizes, so no object is ever read whole that is larger than this.
func (d *delivery) Size() int64 {
	var size int64
	for _, o := range d.objects {
		if o.size < 0 {
			size = max(size, pipeline.UnknownSize)
		}
		size = max(size, min(o.size, maxWhole))
	}
	return size
}

// Records reads the objects one after another.
func (d *delivery) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		whole := d.Size()
		for _, o := range d.objects {
			if !d.queue.objects.read(ctx, o, whole, yield) {
				return
			}
		}
	}
}

// Settle deletes the message, or gives it back: at once when it was not started, which happens at shutdown only; else after
// a delay that grows with the receive count. An error means that the message comes again, which does no harm.
func (d *delivery) Settle(ctx context.Context, outcome error) error {
	q, m := d.queue, d.message
	if outcome == nil {
		q.beats.drop(m)
		return q.deletes.do(ctx, m)
	}
	var delay time.Duration
	if !errors.Is(outcome, pipeline.ErrNotStarted) {
		delay = retryDelay(m.receives)
	}
	if later := (*pipeline.Postponed)(nil); errors.As(outcome, &later) {
		delay = max(delay, later.After)
	}
	q.beats.release(ctx, m)
	return q.returns.do(ctx, change{message: m, timeout: delay})
}

const (
	firstRetry = 10 * time.Second
	lastRetry  = 15 * time.Minute
)

// retryDelay is how long a message waits after its n-th receive: 10 s doubled each time up to 15 min, give or take a
// quarter, so that messages that failed together do not come back together.
func retryDelay(n int) time.Duration {
	delay := lastRetry
	if n = max(n, 1); n < 8 {
		delay = min(firstRetry<<(n-1), lastRetry)
	}
	return delay*3/4 + rand.N(delay/2)
}

var (
	_ pipeline.Sized = (*delivery)(nil)
	_ pipeline.Sent  = (*delivery)(nil)
	_ fmt.Stringer   = (*delivery)(nil)
)
