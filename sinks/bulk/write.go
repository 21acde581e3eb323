package bulk

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/trailship/trailship/pipeline"
)

// A write is one call of Write: a batch and what became of its documents so far. Requests take parts of it, called
// spans, and several requests may work for one write at once.
type write struct {
	batch *pipeline.Batch
	size  int // bytes that the batch keeps in memory
	fates []pipeline.Fate
	left  atomic.Int64  // documents that are not terminal
	first atomic.Int64  // documents that were in no request so far
	done  chan struct{} // closed by end
	ended atomic.Bool
	err   error // why it ends before each document is terminal; written before end

	parked int // spans that wait for indices; under the engine's lock

	using sync.RWMutex // held for reading while the batch's bytes are in use
	gone  bool         // the caller does not wait any more: the batch is not ours. Guarded by using.

	slow     sync.Mutex // guards what follows, and the batch while it renders a degraded document
	pause    *backoff.ExponentialBackOff
	degraded map[int32][]byte
}

// A span is a run of documents of one write that belong into the same index, and the unit that requests are made of.
type span struct {
	w        *write
	ix       *index
	from, to int32
	bytes    int  // of the lines
	again    bool // its documents were in a request before
	degraded bool // one document, in its degraded form
	vouched  bool // the answer that made it degraded stored other documents of its index
	probe    bool // sent to see whether a parked index takes documents again
}

// docs is the number of documents.
func (s *span) docs() int { return int(s.to - s.from) }

func newWrite(b *pipeline.Batch) *write {
	w := &write{batch: b, size: b.Held(), fates: make([]pipeline.Fate, b.Len()), done: make(chan struct{})}
	w.left.Store(int64(b.Len()))
	w.first.Store(int64(b.Len()))
	return w
}

// span returns documents from to to-1 as one span. The caller holds the batch.
func (w *write) span(ix *index, from, to int32) span {
	return span{w: w, ix: ix, from: from, to: to, bytes: w.batch.Size(int(from), int(to)), again: w.batch.Gone()}
}

// writeTo writes what the span adds to a request, stamped with the time of the attempt, and returns how many bytes that
// is. The caller holds the batch.
func (s *span) writeTo(z io.Writer, now time.Time, scratch *[]byte) (n int) {
	b := s.w.batch
	if !s.degraded && !s.again {
		b.Stamp(int(s.from), int(s.to), now)
		for piece := range b.Lines(int(s.from), int(s.to)) {
			_, _ = z.Write(piece) // memory takes everything
		}
		return s.bytes
	}
	s.w.slow.Lock()
	defer s.w.slow.Unlock()
	lines := s.w.degraded[s.from]
	if s.degraded {
		b.StampDegraded(lines, now)
	} else {
		lines = b.AppendAgain((*scratch)[:0], int(s.from), int(s.to), now)
		*scratch = lines
	}
	_, _ = z.Write(lines)
	return len(lines)
}

// passed notes that the span is part of a request now. When every document of its write has been, their memory is given
// back: while the cluster works they are needed as records alone. The caller holds the batch.
func (s *span) passed() {
	if s.again {
		return
	}
	s.again = true
	if s.w.first.Add(-int64(s.docs())) == 0 {
		s.w.slow.Lock()
		defer s.w.slow.Unlock()
		s.w.batch.LetGo()
	}
}

// save keeps the records of some of the write's documents, which will be sent again.
func (w *write) save(spans []span) {
	if len(spans) == 0 {
		return
	}
	w.slow.Lock()
	defer w.slow.Unlock()
	for _, s := range spans {
		w.batch.Save(int(s.from), int(s.to))
	}
}

// cut splits a span behind as many documents as fit into room bytes and docs documents, one at least. The caller holds
// the batch.
func (s span) cut(room, docs int) (head, tail span) {
	n := min(s.docs(), max(docs, 1)) // a degraded span is one document and never cut
	lines := func(n int) int { return s.w.batch.Size(int(s.from), int(s.from)+n) }
	for n > 1 && lines(n) > room {
		n = max(1, min(n-1, n*room/lines(n))) // a first guess by the mean size, then down by ones
	}
	if n == s.docs() {
		return s, span{}
	}
	head, tail = s, s
	head.to = s.from + int32(n)
	tail.from = head.to
	head.bytes = lines(n)
	tail.bytes = s.bytes - head.bytes
	return head, tail
}

// hold begins to use the batch's bytes; it is false, and nothing is held, when the caller has taken the batch back.
func (w *write) hold() bool {
	// While the caller waits to take the batch back it counts as gone: waiting for it here, with the engine's lock held,
	// would wait for ever where another request holds the batch and wants the lock.
	if !w.using.TryRLock() {
		return false
	}
	if w.gone {
		w.using.RUnlock()
		return false
	}
	return true
}

func (w *write) release() { w.using.RUnlock() }

// leave takes the batch back for the caller. It waits until no request uses its bytes, which is never longer than it
// takes to compress one span.
func (w *write) leave() {
	w.using.Lock()
	defer w.using.Unlock()
	w.gone = true
}

// settle counts n documents, whose fates are written, as terminal. The caller holds the batch.
func (w *write) settle(n int) {
	if n > 0 && w.left.Add(int64(-n)) == 0 {
		w.end()
	}
}

// end lets Write return.
func (w *write) end() {
	if !w.ended.Swap(true) {
		close(w.done)
	}
}

// delay is how long documents of this write wait before their next try: exponential with full jitter.
func (w *write) delay() time.Duration {
	w.slow.Lock()
	defer w.slow.Unlock()
	if w.pause == nil {
		w.pause = jitter(100*time.Millisecond, 10*time.Second)
	}
	return w.pause.NextBackOff()
}

// degrade renders the degraded form of document i of s for its second try; ok is false when there is none. The caller
// holds the batch.
func (w *write) degrade(s *span, i int32, refusal *pipeline.Refusal) (second span, ok bool) {
	w.slow.Lock()
	defer w.slow.Unlock()
	lines := w.batch.Degrade(nil, int(i), refusal)
	if len(lines) == 0 {
		return span{}, false
	}
	if w.degraded == nil {
		w.degraded = map[int32][]byte{}
	}
	w.degraded[i] = lines
	return span{w: w, ix: s.ix, from: i, to: i + 1, bytes: len(lines), again: true, degraded: true, probe: s.probe}, true
}

// jitter returns waits that double from first to most, each drawn evenly between nothing and itself.
func jitter(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(first/2), // the library draws from [0, 2 × interval] when the factor is 1
		backoff.WithMaxInterval(most/2),
		backoff.WithRandomizationFactor(1),
		backoff.WithMultiplier(2),
		backoff.WithMaxElapsedTime(0),
	)
}
