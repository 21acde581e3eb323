package bulk

import "time"

// queue holds the spans that wait for a request, by owner. Requests are filled one span an owner in turn, so that a
// message of one record does not wait behind an object of forty thousand. It is used under the engine's lock.
type queue struct {
	owners map[uint64]*owned
	turn   fifo[*owned] // every owner with a span, the next one first
	bytes  int
	docs   int
	since  time.Time // when what waits began to wait
	spare  []*owned
}

type owned struct {
	owner uint64
	spans fifo[span]
}

func newQueue() queue { return queue{owners: map[uint64]*owned{}} }

func (q *queue) empty() bool { return q.turn.len() == 0 }

// full reports whether a request of the given limits could be filled.
func (q *queue) full(bytes, docs int) bool { return q.bytes >= bytes || q.docs >= docs }

func (q *queue) push(owner uint64, s span, now time.Time) {
	if q.empty() {
		q.since = now
	}
	o := q.owners[owner]
	if o == nil {
		o = q.fresh(owner)
		q.owners[owner] = o
		q.turn.push(o)
	}
	o.spans.push(s)
	q.bytes += s.bytes
	q.docs += s.docs()
}

// take moves spans of at most so many bytes and documents to into; at least one document, if there is any. Spans whose
// caller is gone are left out; those of them that were probes come back in lost.
func (q *queue) take(into []span, bytes, docs int, now time.Time) (taken []span, lost []*index) {
	roomBytes, roomDocs := bytes, docs
	for !q.empty() && roomDocs > 0 {
		o := *q.turn.first()
		s := *o.spans.first()
		if !s.w.hold() {
			if s.probe {
				lost = append(lost, s.ix)
			}
			q.shift(o)
			continue
		}
		fits := s.bytes <= roomBytes && s.docs() <= roomDocs
		if !fits && len(into) > 0 {
			s.w.release()
			break
		}
		head, tail := s, span{}
		if !fits {
			head, tail = s.cut(roomBytes, roomDocs)
		}
		s.w.release()
		into = append(into, head)
		roomBytes -= head.bytes
		roomDocs -= head.docs()
		q.shift(o)
		if tail.w != nil {
			q.push(o.owner, tail, now)
		}
	}
	q.since = now
	return into, lost
}

// shift removes the first span of the owner whose turn it is, and gives the turn to the next owner.
func (q *queue) shift(o *owned) {
	s := o.spans.shift()
	q.bytes -= s.bytes
	q.docs -= s.docs()
	q.turn.shift()
	if o.spans.len() > 0 {
		q.turn.push(o)
		return
	}
	delete(q.owners, o.owner)
	if len(q.spare) < 64 {
		q.spare = append(q.spare, o)
	}
}

func (q *queue) fresh(owner uint64) *owned {
	if n := len(q.spare); n > 0 {
		o := q.spare[n-1]
		q.spare = q.spare[:n-1]
		o.owner = owner
		return o
	}
	return &owned{owner: owner}
}

// fifo is a first-in, first-out list that keeps its memory.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int  { return len(f.items) - f.head }
func (f *fifo[T]) first() *T { return &f.items[f.head] }
func (f *fifo[T]) push(v T)  { f.items = append(f.items, v) }

func (f *fifo[T]) shift() T {
	v := f.items[f.head]
	var none T
	f.items[f.head] = none
	f.head++
	switch {
	case f.head == len(f.items):
		f.items, f.head = f.items[:0], 0
	case f.head >= 64 && f.head*2 >= len(f.items):
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	return v
}
