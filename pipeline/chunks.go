package pipeline

import (
	"context"
	"sync"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	expansion   = 40 // documents and records of a compressed byte, at most, in log files of CloudTrail
	maxChunks   = 8  // of one delivery at a time: a large object keeps the sink busy without crowding out the others
	idleBatches = 128
	idleSlabs   = 2 << 20 // bytes of either kind of slabs that are kept for reuse although the budget is used up
)

// chunkRoom are the sizes that chunks are filled in: for documents, and for the records they were made of.
type chunkRoom struct{ lines, raw int }

func chunkRooms() [3]chunkRoom {
	return [...]chunkRoom{{10 << 10, 6 << 10}, {40 << 10, 24 << 10}, {256 << 10, 128 << 10}}
}

// chunkFor is the room of chunks for a compressed object: a file of one record does not take the memory of one that fills
// a whole chunk.
func chunkFor(size int64) chunkRoom {
	rooms := chunkRooms()
	for _, room := range rooms {
		if size*expansion <= room.bytes() {
			return room
		}
	}
	return rooms[len(rooms)-1]
}

func (r chunkRoom) bytes() int64 { return int64(r.lines + r.raw) }

// charge is what a chunk of n bytes costs of the budget: a third more is for what is kept beside it (where each document
// stands, its _id, its fate, its part of the compressed request) and for what the collector has not taken back yet.
func charge(n int64) int64 { return n + n/3 }

// chunks makes batches within the memory budget. A batch is filled in a chunk that is large enough, and then moves to as
// much memory as its documents need: it may wait for the sink for long, and only two or so are filled at a time.
type chunks struct {
	budget  *budget
	rooms   slabs       // that batches are filled in: the same few always
	slabs   slabs       // that filled ones wait in
	stamps  Format      // for Stamp alone
	scribes sync.Pool   // of *scribe
	batches chan *Batch // idle ones: what they keep of their last use is worth more than the collector knows
}

func newChunks(b *budget, format func() Format, enrichers []Enricher) *chunks {
	c := &chunks{budget: b, stamps: format(), batches: make(chan *Batch, idleBatches)}
	idle := func() int64 { // three quarters: see charge; a half of it for either kind
		return max(min((b.limit-b.held.Load())/4*3, b.limit/4)/2, idleSlabs)
	}
	c.rooms.most, c.slabs.most = idle, idle
	c.scribes.New = func() any { return &scribe{format: format(), enrichers: enrichers} }
	return c
}

// take returns an empty batch with a chunk of the given room. It waits for memory without the CPU slot that ctx carries.
func (c *chunks) take(ctx context.Context, room chunkRoom, owner uint64) (*Batch, error) {
	n := charge(room.bytes())
	if !c.budget.try(n) {
		var err error
		Blocking(ctx, func() { err = c.budget.take(ctx, n) })
		if err != nil {
			return nil, err
		}
	}
	b := c.batch()
	b.Owner, b.charge = owner, n
	b.scribe, _ = c.scribes.Get().(*scribe)
	b.lines, b.raw = c.rooms.take(room.lines), c.rooms.take(room.raw)
	return b, nil
}

// full reports whether the chunk that the batch is filled in is nearly used up.
func (b *Batch) full() bool { return len(b.lines) >= cap(b.lines)/8*7 || len(b.raw) >= cap(b.raw)/8*7 }

// pack moves a batch that was filled to as much memory as it needs. Nothing is added to it any more.
func (b *Batch) pack() {
	c := b.home
	c.scribes.Put(b.scribe)
	b.scribe = nil
	need := charge(int64(slabSize(len(b.lines)) + slabSize(len(b.raw))))
	if need+leastSlab > b.charge {
		return
	}
	b.lines, b.raw = c.move(b.lines), c.move(b.raw)
	b.packed = true
	c.budget.give(b.charge - need)
	b.charge = need
}

// move copies text to a slab that is not larger than it needs.
func (c *chunks) move(text []byte) []byte {
	defer c.rooms.give(text)
	return append(c.slabs.take(len(text)), text...)
}

// slabs are where the batch's memory comes from.
func (b *Batch) slabs() *slabs {
	if b.packed {
		return &b.home.slabs
	}
	return &b.home.rooms
}

// give takes a batch back that nobody uses any more.
func (c *chunks) give(b *Batch) {
	if b.scribe != nil {
		c.scribes.Put(b.scribe)
	}
	c.budget.give(b.charge)
	b.slabs().give(b.lines)
	b.slabs().give(b.raw)
	clear(b.docs)
	*b = Batch{home: c, stamps: c.stamps, docs: b.docs[:0], ids: b.ids[:0]}
	select {
	case c.batches <- b:
	default:
	}
}

func (c *chunks) batch() *Batch {
	select {
	case b := <-c.batches:
		return b
	default:
		return &Batch{home: c, stamps: c.stamps}
	}
}

// A scribe writes documents. One goroutine uses it at a time.
type scribe struct {
	format    Format
	enrichers []Enricher
	record    cloudtrail.Record // for records that are read again
}

// enrich asks every enricher about the record whose document comes next.
func (s *scribe) enrich(ctx context.Context, r *cloudtrail.Record) {
	if len(s.enrichers) == 0 {
		return
	}
	format, ok := s.format.(Enrichable)
	if !ok {
		return
	}
	f := format.Fragments()
	for _, e := range s.enrichers {
		e.Enrich(ctx, r, f)
	}
}
