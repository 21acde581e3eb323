package pipeline

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	expansion   = 40 // documents and records of a compressed byte, at most, in log files of CloudTrail
	leastChunk  = 16 << 10
	mostChunk   = 384 << 10
	maxChunks   = 8 // of one delivery at a time: a large object keeps the sink busy without crowding out the others
	idleBatches = 512
	idlePages   = 2 << 20 // bytes of pages that are kept in any case
	savedShare  = 8       // the part of the budget that saved records may take beside it, as its denominator
)

// chunkRoom is how large a chunk becomes: its documents, and the records they were made of.
type chunkRoom struct{ lines, raw int }

// chunkFor is the room of chunks for a compressed object: a file of one record does not reserve the memory of one that
// fills a whole chunk.
func chunkFor(size int64) chunkRoom {
	n := int(min(max(size*expansion, leastChunk), mostChunk))
	return chunkRoom{lines: n / 8 * 5, raw: n / 8 * 3}
}

func (r chunkRoom) bytes() int64 { return int64(r.lines + r.raw) }

// charge is what a chunk of n bytes costs of the budget: as much again is for what is kept beside it (where each document
// stands, its _id, its fate, its part of the compressed request) and for what the collector has not taken back yet.
func charge(n int64) int64 { return 2 * n }

// chunks makes batches within the memory budget. A batch reserves a whole chunk before it is filled, and gives back what
// it did not need when it is full: it may wait for the sink for long, and only two or so are filled at a time.
type chunks struct {
	budget  *budget
	pages   *pages
	stamps  Format    // for Stamp alone
	scribes sync.Pool // of *scribe
	serial  atomic.Uint64
	saved   atomic.Int64 // bytes of single records that batches keep beside the budget
	wanted  atomic.Int64 // when a record was last wanted again, in Unix nanoseconds
	batches chan *Batch  // idle ones: what they keep of their last use is worth more than the collector knows
}

func newChunks(b *budget, format func() Format, enrichers []Enricher) *chunks {
	c := &chunks{
		budget: b, pages: &pages{most: int(max(b.limit/4, idlePages) / pageSize)},
		stamps: format(), batches: make(chan *Batch, idleBatches),
	}
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
	b.Owner, b.serial, b.room, b.charge = owner, c.serial.Add(1), room, n
	b.scribe, _ = c.scribes.Get().(*scribe)
	return b, nil
}

// full reports whether the chunk that the batch is filled in is nearly used up.
func (b *Batch) full() bool {
	return b.lines.size >= b.room.lines/8*7 || b.again == nil && b.raw.size >= b.room.raw/8*7
}

// close ends the filling of a batch. Nothing is added to it any more.
func (b *Batch) close() {
	b.home.scribes.Put(b.scribe)
	b.scribe = nil
	b.settleCharge()
}

// give takes a batch back that nobody uses any more.
func (c *chunks) give(b *Batch) {
	if b.scribe != nil {
		c.scribes.Put(b.scribe)
	}
	c.budget.give(b.charge)
	b.lines.drop(c.pages)
	b.raw.drop(c.pages)
	c.saved.Add(-int64(len(b.saved)))
	clear(b.objects)
	*b = Batch{home: c, stamps: c.stamps, lines: b.lines, raw: b.raw, docs: b.docs[:0], ids: b.ids[:0], indices: b.indices[:0], objects: b.objects[:0]}
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
	line      []byte            // of the document being written
	record    cloudtrail.Record // for records that are read again

	recalled uint64 // the batch whose records were read again last
	raw      []byte // those records, one behind the other
	ends     []int  // of each in raw
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
