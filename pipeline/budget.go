package pipeline

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// What a delivery holds beside its compressed object, in bytes.
const (
	windowBytes = 64 << 10 // a reader's window
	expansion   = 32       // documents and records of a compressed byte in log files of CloudTrail; more needs more chunks
	maxChunks   = 8        // of one delivery at a time: a large object keeps the sink busy without crowding out the others
)

const chunkClasses = 8

// chunkSizes are the sizes that chunks come in: documents and the records they were made of, together.
func chunkSizes() [chunkClasses]int64 {
	return [...]int64{16 << 10, 32 << 10, 64 << 10, 96 << 10, 128 << 10, 192 << 10, 256 << 10, 384 << 10}
}

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
	r.reading = max(r.held-r.chunk, 0)
	if err := b.sem.Acquire(ctx, r.held); err != nil {
		return nil, err
	}
	b.held.Add(r.held)
	return r, nil
}

// reservation is what one delivery holds of the budget.
type reservation struct {
	budget  *budget
	held    int64
	reading int64 // of it, what the object and its window take until it is read
	chunk   int64 // the size of its chunks
	class   int   // the same, as an index into chunkSizes
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

// read gives back what only reading needs: for most of its time a delivery waits for its chunks to be written.
func (r *reservation) read() {
	r.less(r.reading)
	r.reading = 0
}

// written gives back what one chunk takes.
func (r *reservation) written() { r.less(min(r.chunk, r.held)) }

// release gives back the rest.
func (r *reservation) release() { r.less(r.held) }

func (r *reservation) less(n int64) {
	r.held -= n
	r.budget.held.Add(-n)
	r.budget.sem.Release(n)
}
