package pipeline

import "sync"

// chunks is the pool of batches, one for each chunk size, so that small deliveries do not sit on large buffers. Each batch
// has a format of its own, because the sink may degrade documents of one batch while the next is being filled.
type chunks struct {
	format    func() Format
	enrichers []Enricher
	pools     [chunkClasses]sync.Pool
}

// take returns an empty batch with room for a chunk of the class.
func (c *chunks) take(class int, owner uint64) *Batch {
	b, ok := c.pools[class].Get().(*Batch)
	if !ok {
		size := chunkSizes()[class]
		b = &Batch{format: c.format(), enrichers: c.enrichers, lines: make([]byte, 0, size*2/3), raw: make([]byte, 0, size/3)}
	}
	b.Owner = owner
	return b
}

// give takes a batch back. One that a huge record has made grow is left to the garbage collector.
func (c *chunks) give(class int, b *Batch) {
	if int64(cap(b.lines)+cap(b.raw)) > 2*chunkSizes()[class] {
		return
	}
	b.empty()
	c.pools[class].Put(b)
}

// empty lets go of everything but the buffers.
func (b *Batch) empty() {
	clear(b.docs)
	b.lines, b.raw, b.docs = b.lines[:0], b.raw[:0], b.docs[:0]
}
