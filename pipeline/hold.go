package pipeline

import (
	"context"
	"time"
)

// What a delivery holds of memory and CPU, and when: its object from admit to keep, or to its end where records are read again
// from it; the memory of a batch and a slot of the CPU from enter on.

// admit waits until there is memory to read the delivery's objects, and returns its carrier. When ctx ends first the
// carrier only hands the delivery back.
func (p *Pipeline) admit(ctx context.Context, d Delivery) *carrier {
	c := &carrier{Pipeline: p, delivery: d, owner: p.owners.Add(1)}
	if sent, ok := d.(Sent); ok {
		c.sent = sent.Sent()
	}
	c.held, c.refused = p.budget.object(ctx, reading(c.size()))
	return c
}

// size is how many bytes the delivery says it holds.
func (c *carrier) size() int64 {
	if sized, ok := c.delivery.(Sized); ok {
		return sized.Size()
	}
	return UnknownSize
}

// fetch waits for the delivery's first records, and then knows better how much it holds.
func (c *carrier) fetch(work context.Context) {
	if d, ok := c.delivery.(Fetched); ok {
		d.Fetch(work)
		c.held = c.budget.shrink(c.held, reading(c.size()))
	}
	c.room = chunkFor(c.size())
}

// keep lets go of what reading took, but for the object where records are read again from it: the sink may take long.
func (c *carrier) keep() {
	var need int64
	if c.rereads {
		need = c.size()
	}
	c.held = c.budget.read(c.held, need)
}

// again gives the delivery's records again, nil when they must be kept. Redacted ones must: no document may be made of what
// the source has.
func (c *carrier) again() Again {
	d, ok := c.delivery.(Rereadable)
	if !ok || c.Redactor != nil || c.pool.keeps(time.Now()) {
		return nil
	}
	return d.Again()
}

// filled ends the filling of a batch.
func (c *carrier) filled(b *Batch) {
	if d, ok := c.delivery.(Rereadable); ok && b.again != nil {
		b.again = d.Again() // the object may have been read anew meanwhile
	}
	b.close()
}

// enter waits for the memory of the first batch, and then for the CPU. It waits for both before anything is read: a window
// and a decompressor take more than a small object does. Few hold such memory while they wait for the CPU, since it is
// wanted by those who have it.
func (c *carrier) enter(work context.Context) (inside context.Context, leave func(), err error) {
	_, pass, err := c.door.Enter(work)
	if err != nil {
		return nil, nil, context.Cause(work)
	}
	defer pass()
	if c.filling, err = c.next(work); err != nil {
		return nil, nil, err
	}
	if inside, leave, err = c.gate.Enter(work); err != nil {
		return nil, nil, context.Cause(work)
	}
	return inside, leave, nil
}
