package source

import (
	"context"
	"fmt"
	"iter"
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

// Settle deletes the message, or gives it back for as long as delay says. An error means that the message comes again, which
// does no harm.
func (d *delivery) Settle(ctx context.Context, outcome error) error {
	q, m := d.queue, d.message
	defer q.buckets.leave(d.bucket())
	if outcome == nil {
		q.beats.drop(m)
		return q.deletes.do(ctx, m)
	}
	q.beats.release(ctx, m)
	return q.returns.do(ctx, change{message: m, timeout: d.delay(outcome)})
}

// bucket is the bucket in whose name the message is in hand: that of its first object. Messages name one bucket.
func (d *delivery) bucket() string { return d.objects[0].bucket }

var (
	_ pipeline.Sized = (*delivery)(nil)
	_ pipeline.Sent  = (*delivery)(nil)
	_ fmt.Stringer   = (*delivery)(nil)
)
