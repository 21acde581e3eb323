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
	first   *reading // of the first object, from Fetch to Records; of an only one, to Settle
}

// String is the message's id.
func (d *delivery) String() string { return d.message.id }

// Sent is when the message came into the queue, zero when the service does not say.
func (d *delivery) Sent() time.Time { return d.message.sent }

// Size is what its largest object takes while it is read: its compressed size up to what is read whole. A notice may be
// wrong or silent about sizes, so no object is ever read whole that is larger than this. Of an only object it is what it
// really takes, once it was read whole.
func (d *delivery) Size() int64 {
	if d.only() && d.first != nil && d.first.body.inMemory() {
		return int64(cap(*d.first.body.buffer))
	}
	var size int64
	for _, o := range d.objects {
		if o.size < 0 {
			size = max(size, pipeline.UnknownSize)
		}
		size = max(size, min(o.size, maxWhole))
	}
	return size
}

// only reports whether the message names one object, as most do.
func (d *delivery) only() bool { return len(d.objects) == 1 }

// Fetch gets the first object.
func (d *delivery) Fetch(ctx context.Context) {
	d.first = d.queue.objects.begin(d.objects[0], d.Size())
	d.first.fetch(ctx)
}

// Records reads the objects one after another.
func (d *delivery) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		whole := d.Size()
		for i, o := range d.objects {
			r := d.first
			if i > 0 || r == nil {
				r = d.queue.objects.begin(o, whole)
			}
			goOn := r.read(ctx, yield)
			if r != d.first || !d.only() {
				r.end()
				d.first = nil
			}
			if !goOn {
				return
			}
		}
	}
}

// Again gives the records of a small object again: reading a large one would take longer than it is worth.
func (d *delivery) Again() pipeline.Again {
	if !d.only() || d.first == nil || !d.first.kept {
		return nil
	}
	return d.first.again()
}

// Settle deletes the message, or gives it back for as long as delay says. An error means that the message comes again, which
// does no harm.
func (d *delivery) Settle(ctx context.Context, outcome error) error {
	q, m := d.queue, d.message
	defer q.buckets.leave(d.bucket())
	if d.first != nil {
		d.first.end()
	}
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
	_ pipeline.Sized      = (*delivery)(nil)
	_ pipeline.Sent       = (*delivery)(nil)
	_ pipeline.Fetched    = (*delivery)(nil)
	_ pipeline.Rereadable = (*delivery)(nil)
	_ fmt.Stringer        = (*delivery)(nil)
)
