package pipeline

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	fetchBytes  = 48 << 10 // a connection and what waits for it
	windowBytes = 64 << 10 // a reader's window
	bodyShare   = 4        // the part of the budget that compressed objects may take, as its denominator
)

// budget bounds the bytes that all deliveries hold together, in two kinds. First a delivery takes what its compressed
// object and the window to read it need; then, chunk by chunk, the memory of documents. Whoever waits for a chunk may hold
// an object, and whoever waits for an object holds nothing. Objects have a share of the budget only and chunks come back
// from the sink whatever others wait for, so that there is always a chunk to come. Waiting is in order of arrival.
type budget struct {
	limit int64
	whole *semaphore.Weighted // objects and chunks
	share *semaphore.Weighted // objects
	held  *atomic.Int64       // what all deliveries hold at the moment, for the metrics
}

func newBudget(limit int64, held *atomic.Int64) *budget {
	return &budget{
		limit: limit, held: held,
		whole: semaphore.NewWeighted(limit), share: semaphore.NewWeighted(limit / bodyShare),
	}
}

// reading is what a delivery of this size holds of the budget until it is read. The window of one that fits into a single
// chunk is there for a moment only, and counts as part of that.
func reading(size int64) int64 {
	if size*expansion > mostChunk {
		return size + windowBytes
	}
	return size + fetchBytes
}

// object waits until so many bytes of an object may be held, and returns what is held until read. An object
// that is larger than its share is the only one.
func (b *budget) object(ctx context.Context, size int64) (held int64, err error) {
	held = min(size, b.limit/bodyShare)
	if err = b.share.Acquire(ctx, held); err != nil {
		return 0, err
	}
	if err = b.take(ctx, held); err != nil {
		b.share.Release(held)
		return 0, err
	}
	return held, nil
}

// shrink gives back what is not needed of an object that is smaller than was said, and returns what is.
func (b *budget) shrink(held, need int64) int64 {
	need = min(need, held)
	b.give(held - need)
	b.share.Release(held - need)
	return need
}

// read ends the reading of an object. need of its bytes are still held, and given back by give, but others may be read.
func (b *budget) read(held, need int64) int64 {
	need = b.shrink(held, need)
	b.share.Release(need)
	return need
}

// take waits for the bytes of a chunk.
func (b *budget) take(ctx context.Context, n int64) error {
	if err := b.whole.Acquire(ctx, n); err != nil {
		return err
	}
	b.held.Add(n)
	return nil
}

// try is take that does not wait.
func (b *budget) try(n int64) bool {
	if !b.whole.TryAcquire(n) {
		return false
	}
	b.held.Add(n)
	return true
}

// give gives bytes of chunks back.
func (b *budget) give(n int64) {
	b.held.Add(-n)
	b.whole.Release(n)
}
