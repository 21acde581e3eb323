package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A Format writes records as documents. A Format has scratch space of its own: one goroutine uses it at a time.
type Format interface {
	// Append appends the record's document: one JSON object on one line, without a line end.
	Append(dst []byte, r *cloudtrail.Record) []byte
	// AppendDegraded appends a document that any mapping takes: free-form parts as unindexed text, and why in
	// error.message. Used for a second try after a refusal.
	AppendDegraded(dst []byte, r *cloudtrail.Record, why string) []byte
	// Stamp writes the time of indexing into a document made by this format, in place. It changes no length.
	Stamp(doc []byte, at time.Time)
}

// A Batch is one chunk of a delivery's documents, each with the action line of the _bulk API before it and the record's
// own bytes to be had until its fate is known. Documents have positions from 0. A Batch is filled by the pipeline and read by
// one sink at a time; every slice it returns is good until Write returns.
type Batch struct {
	Owner uint64 // the delivery's number: sinks are fair between owners

	lines text   // action line, document, action line, document, …; empty once they were let go
	raw   text   // records, where all of them are kept
	saved []byte // records, where few of them are: see Save
	ids   []byte
	docs  []document

	indices []string             // that documents belong into
	objects []*cloudtrail.Object // that records came from

	stamps Format  // for Stamp
	scribe *scribe // writes the documents; of a pipeline's batch, while it is filled

	// Of a pipeline's batch.
	home   *chunks
	serial uint64 // tells it from others that were made in the same place
	room   chunkRoom
	charge int64 // what it holds of the memory budget
	keeps  bool  // the documents cannot be written again: see LetGo
	again  Again // gives its records again; nil: all of them are kept
}

// document says where a document stands in its batch. Offsets count from the start of lines, ids or raw.
type document struct {
	action, body, end uint32 // the action line starts at action, the document at body; end is behind the final \n
	id, idEnd         uint32 // the _id, in ids
	raw, rawEnd       uint32 // of a record that is not kept, 0
	number            uint32 // of the record, in its object
	offset            int64
	time              int64  // the event's own time in Unix seconds, 0 when it has none
	page, rawPage     uint16 // of lines and raw; savedPage: the record is in saved
	index, object     uint16 // in indices and objects
}

// Len is the number of documents.
func (b *Batch) Len() int { return len(b.docs) }

// ID is the _id of document i: the eventID, or a hash where the record has none.
func (b *Batch) ID(i int) []byte { return b.ids[b.docs[i].id:b.docs[i].idEnd] }

// Index is the index that document i belongs into.
func (b *Batch) Index(i int) string { return b.indices[b.docs[i].index] }

// Document is document i without a line end.
func (b *Batch) Document(i int) []byte {
	d := &b.docs[i]
	return b.lines.at(d.page, d.body, d.end-1)
}

// Lines are the action lines and documents of positions i to j-1, as the _bulk API wants them, in pieces.
func (b *Batch) Lines(i, j int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i < j {
			first, n := &b.docs[i], i+1
			for n < j && b.docs[n].page == first.page {
				n++
			}
			if !yield(b.lines.at(first.page, first.action, b.docs[n-1].end)) {
				return
			}
			i = n
		}
	}
}

// Size is the number of bytes of the action lines and documents of positions i to j-1, as they were when they were added.
func (b *Batch) Size(i, j int) int { return int(b.docs[j-1].end - b.docs[i].action) }

// LetGo gives the memory of the action lines and documents back, for a sink that has all of them on the wire and needs
// them again only where something went wrong: then AppendAgain writes them anew. Afterwards neither Lines, Document nor
// Stamp may be called. It does nothing where the documents cannot be written again, or where no pipeline made the batch.
// What is called at the same time must not use lines.
func (b *Batch) LetGo() {
	if b.keeps || b.home == nil || b.Gone() {
		return
	}
	b.lines.drop(b.home.pages)
	b.settleCharge()
}

// settleCharge gives back what the batch holds no longer of the memory budget.
func (b *Batch) settleCharge() {
	need := min(charge(b.lines.held()+b.raw.held()), b.charge)
	b.home.budget.give(b.charge - need)
	b.charge = need
}

// Gone reports whether the lines were let go.
func (b *Batch) Gone() bool { return b.lines.size == 0 && len(b.docs) > 0 }

// AppendAgain appends the action lines and documents of positions i to j-1 to dst, with at as the time of indexing:
// copies of them or, after LetGo, new ones from the records. One goroutine of all that use the batch may call it at a time.
func (b *Batch) AppendAgain(dst []byte, i, j int, at time.Time) []byte {
	if !b.Gone() {
		b.Stamp(i, j, at)
		for piece := range b.Lines(i, j) {
			dst = append(dst, piece...)
		}
		return dst
	}
	s, done := b.borrow()
	defer done()
	now := expired()
	for k := i; k < j; k++ {
		if r := b.reread(s, k); r != nil {
			dst = appendAction(dst, b.Index(k), b.ID(k))
			body := len(dst)
			s.enrich(now, r)
			dst = append(s.format.Append(dst, r), '\n')
			b.stamps.Stamp(dst[body:len(dst)-1], at)
		}
	}
	return dst
}

// borrow returns a scribe until done.
func (b *Batch) borrow() (s *scribe, done func()) {
	if b.scribe != nil {
		return b.scribe, func() {}
	}
	s, _ = b.home.scribes.Get().(*scribe)
	return s, func() { b.home.scribes.Put(s) }
}

// Time is the event's own time of document i, zero when it has none.
func (b *Batch) Time(i int) time.Time {
	if b.docs[i].time == 0 {
		return time.Time{}
	}
	return time.Unix(b.docs[i].time, 0).UTC()
}

// Stamp writes at as the time of indexing into the documents of positions i to j-1. A sink calls it before each attempt,
// so that event.ingested says when the store really got the document.
func (b *Batch) Stamp(i, j int, at time.Time) {
	for k := i; k < j; k++ {
		b.stamps.Stamp(b.Document(k), at)
	}
}

// Degrade appends the action line and the degraded document of position i to dst, for a second try after refusal. One
// goroutine of all that use the batch may call it at a time.
func (b *Batch) Degrade(dst []byte, i int, refusal *Refusal) []byte {
	s, done := b.borrow()
	defer done()
	r := b.reread(s, i)
	if r == nil {
		return dst
	}
	dst = appendAction(dst, b.Index(i), b.ID(i))
	s.enrich(expired(), r)
	return append(s.format.AppendDegraded(dst, r, refusal.Type+": "+refusal.Reason), '\n')
}

// StampDegraded writes at as the time of indexing into what Degrade appended, in place.
func (b *Batch) StampDegraded(lines []byte, at time.Time) {
	if i := bytes.IndexByte(lines, '\n'); i >= 0 && i+1 < len(lines) {
		b.stamps.Stamp(lines[i+1:len(lines)-1], at)
	}
}

// Letter is the dead letter of document i.
func (b *Batch) Letter(i int, refusal Refusal) Letter {
	s, done := b.borrow()
	defer done()
	d := &b.docs[i]
	return Letter{
		ID: string(b.ID(i)), Record: bytes.Clone(b.text(s, i)), Origin: b.objects[d.object],
		Number: int(d.number), Offset: d.offset, Index: b.Index(i), Refusal: refusal,
	}
}

// NewBatch returns an empty batch of the delivery number owner. The pipeline keeps a pool of its own; tests of sinks, and
// users who write records to a sink without a pipeline, make batches with it.
func NewBatch(owner uint64, format Format) *Batch {
	return &Batch{Owner: owner, stamps: format, scribe: &scribe{format: format}}
}

// Add appends a record's action line and document. id is the document's _id as it stands inside a JSON string, index the
// name of its index, at the event's own time, zero when it has none. The record's bytes are copied where they are kept.
func (b *Batch) Add(r *cloudtrail.Record, id []byte, index string, at time.Time) {
	d := document{number: uint32(r.Number), offset: r.Offset}
	b.indices, d.index = position(b.indices, index)
	b.objects, d.object = position(b.objects, r.Object)
	if !at.IsZero() {
		d.time = at.Unix()
	}
	d.id = uint32(len(b.ids))
	b.ids = append(b.ids, id...)
	d.idEnd = uint32(len(b.ids))

	line := appendAction(b.scribe.line[:0], index, id)
	d.action = uint32(b.lines.size)
	d.body = d.action + uint32(len(line))
	line = append(b.scribe.format.Append(line, r), '\n')
	b.scribe.line = line
	d.page = b.lines.add(b.pages(), line)
	d.end = uint32(b.lines.size)

	if b.again == nil {
		d.raw = uint32(b.raw.size)
		d.rawPage = b.raw.add(b.pages(), r.Raw)
		d.rawEnd = uint32(b.raw.size)
	}
	b.docs = append(b.docs, d)
}

// position is where v stands in a short list, to which it is added if need be.
func position[T comparable](list []T, v T) (longer []T, at uint16) {
	for i := range slices.Backward(list) {
		if list[i] == v {
			return list, uint16(i)
		}
	}
	return append(list, v), uint16(len(list))
}

// pages is where the batch's memory comes from.
func (b *Batch) pages() *pages {
	if b.home == nil {
		return nil
	}
	return b.home.pages
}

// appendAction appends a document's action line.
func appendAction(dst []byte, index string, id []byte) []byte {
	dst = append(dst, `{"create":{"_index":"`...)
	dst = append(dst, index...)
	dst = append(dst, `","_id":"`...)
	dst = append(dst, id...)
	return append(dst, "\"}}\n"...)
}

// Held is the number of bytes of documents and records that the batch keeps in memory.
func (b *Batch) Held() int { return b.lines.size + b.raw.size }

// expired is a context in which an enricher waits for nothing: it says what it knows at once.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// maxID is the longest _id that Elasticsearch and OpenSearch take.
const maxID = 512

// appendID appends the record's _id: its eventID, or, where it has none that can be one, the SHA-256 of the record's
// bytes and of how many times the same bytes stood in the object before. The same object therefore gives the same ids
// every time it is read. A record that comes back from a dead letter brings its _id.
func appendID(dst []byte, r *cloudtrail.Record, seen map[[sha256.Size]byte]int) []byte {
	if r.ID != "" {
		return append(dst, r.ID...)
	}
	if v := r.Field(cloudtrail.EventID); v.Plain() && len(v.Bytes()) <= maxID {
		return append(dst, v.Bytes()...)
	}
	sum := sha256.Sum256(r.Raw)
	seen[sum]++
	if n := seen[sum]; n > 1 {
		sum = sha256.Sum256(strconv.AppendInt(sum[:], int64(n), 10))
	}
	return hex.AppendEncode(dst, sum[:])
}
