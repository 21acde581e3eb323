package pipeline

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// What a delivery holds beside its compressed object, in bytes.
const (
	windowBytes = 64 << 10 // a reader's window
	expansion   = 40       // documents and records of a compressed byte, at most, in log files of CloudTrail
	maxChunks   = 8        // of one delivery at a time: a large object keeps the sink busy without crowding out the others
)

const chunkClasses = 3

// chunkSizes are the sizes that chunks come in: documents and the records they were made of, together.
func chunkSizes() [chunkClasses]int64 { return [...]int64{16 << 10, 64 << 10, 384 << 10} }

// chunkFor is the size of chunks for a compressed object, as an index into chunkSizes: a file of one record does not take
// the memory of one that fills a whole chunk.
func chunkFor(size int64) int {
	for class, bytes := range chunkSizes() {
		if size*expansion <= bytes {
			return class
		}
	}
	return chunkClasses - 1
}

// budget bounds the bytes that all deliveries hold together. A delivery reserves all it needs to finish before it
// begins, and only ever tries for more: none holds a part while it waits for the rest, so none can stall another.
// Waiting is in order of arrival. A delivery larger than the whole budget runs alone.
type budget struct {
	limit int64
	sem   *semaphore.Weighted
	held  *atomic.Int64 // what all deliveries hold at the moment, for the metrics
}

func newBudget(limit int64, held *atomic.Int64) *budget {
	return &budget{limit: limit, sem: semaphore.NewWeighted(limit), held: held}
}

// reserve waits until a delivery of this compressed size may begin.
func (b *budget) reserve(ctx context.Context, size int64) (*reservation, error) {
	r := &reservation{budget: b, class: chunkFor(size)}
	r.chunk = chunkSizes()[r.class]
	r.held = min(size+windowBytes+r.chunk, b.limit)
	if err := b.sem.Acquire(ctx, r.held); err != nil {
		return nil, err
	}
	b.held.Add(r.held)
	return r, nil
}

// reservation is what one delivery holds of the budget.
type reservation struct {
	budget *budget
	held   int64
	chunk  int64 // the size of its chunks
	class  int   // the same, as an index into chunkSizes
}

// another tries for one more chunk. It never waits.
func (r *reservation) another() bool {
	if !r.budget.sem.TryAcquire(r.chunk) {
		return false
	}
	r.held += r.chunk
	r.budget.held.Add(r.chunk)
	return true
}

func (r *reservation) release() {
	r.budget.held.Add(-r.held)
	r.budget.sem.Release(r.held)
}
