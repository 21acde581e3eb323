package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
// own bytes kept until its fate is known. Documents have positions from 0. A Batch is filled by the pipeline and read by
// one sink at a time; every slice it returns is good until Write returns.
type Batch struct {
	Owner uint64 // the delivery's number: sinks are fair between owners

	lines []byte // action line, document, action line, document, …; nil once they were let go
	raw   []byte
	ids   []byte
	docs  []document

	stamps Format  // for Stamp
	scribe *scribe // writes the documents; of a pipeline's batch, while it is filled

	// Of a pipeline's batch.
	home   *chunks
	charge int64 // what it holds of the memory budget
	packed bool  // it moved to as much memory as it needs
	keeps  bool  // the documents cannot be written again: see LetGo
}

// document says where a document stands in its batch. Offsets count from the start of lines, ids or raw.
type document struct {
	action, body, end uint32 // the action line starts at action, the document at body; end is behind the final \n
	id, idEnd         uint32 // the _id, in ids
	raw, rawEnd       uint32
	index             string
	object            *cloudtrail.Object
	number            int
	offset            int64
	time              int64 // the event's own time in Unix seconds, 0 when it has none
}

// Len is the number of documents.
func (b *Batch) Len() int { return len(b.docs) }

// ID is the _id of document i: the eventID, or a hash where the record has none.
func (b *Batch) ID(i int) []byte { return b.ids[b.docs[i].id:b.docs[i].idEnd] }

// Index is the index that document i belongs into.
func (b *Batch) Index(i int) string { return b.docs[i].index }

// Document is document i without a line end.
func (b *Batch) Document(i int) []byte { return b.lines[b.docs[i].body : b.docs[i].end-1] }

// Lines are the action line and the document of positions i to j-1, as the _bulk API wants them.
func (b *Batch) Lines(i, j int) []byte { return b.lines[b.docs[i].action:b.docs[j-1].end] }

// Size is the number of bytes of the action lines and documents of positions i to j-1, as they were when they were added.
func (b *Batch) Size(i, j int) int { return int(b.docs[j-1].end - b.docs[i].action) }

// LetGo gives the memory of the action lines and documents back, for a sink that has all of them on the wire and needs
// them again only where something went wrong: then AppendAgain writes them anew. Afterwards neither Lines, Document nor
// Stamp may be called. It does nothing where the documents cannot be written again, or where no pipeline made the batch.
// What is called at the same time must not use lines.
func (b *Batch) LetGo() {
	if b.keeps || b.home == nil || b.lines == nil {
		return
	}
	lines := b.lines
	b.lines = nil
	n := min(charge(int64(cap(lines))), b.charge)
	b.charge -= n
	b.home.budget.give(n)
	b.slabs().give(lines)
}

// Gone reports whether the lines were let go.
func (b *Batch) Gone() bool { return b.lines == nil }

// AppendAgain appends the action lines and documents of positions i to j-1 to dst, with at as the time of indexing:
// copies of them or, after LetGo, new ones from the records. One goroutine of all that use the batch may call it at a time.
func (b *Batch) AppendAgain(dst []byte, i, j int, at time.Time) []byte {
	if b.lines != nil {
		b.Stamp(i, j, at)
		return append(dst, b.Lines(i, j)...)
	}
	s, done := b.borrow()
	defer done()
	now := expired()
	for k := i; k < j; k++ {
		if r := b.reread(s, k); r != nil {
			dst = b.appendAction(dst, k)
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

// reread parses the record behind document i again.
func (b *Batch) reread(s *scribe, i int) *cloudtrail.Record {
	if err := s.record.Parse(b.Record(i)); err != nil {
		return nil // cannot be: the record was parsed when it was read
	}
	d := &b.docs[i]
	s.record.Object, s.record.Number, s.record.Offset = d.object, d.number, d.offset
	return &s.record
}

// Record is the record behind document i, byte for byte as it was read.
func (b *Batch) Record(i int) []byte { return b.raw[b.docs[i].raw:b.docs[i].rawEnd] }

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
	dst = b.appendAction(dst, i)
	s.enrich(expired(), r)
	return append(s.format.AppendDegraded(dst, r, refusal.Type+": "+refusal.Reason), '\n')
}

// StampDegraded writes at as the time of indexing into what Degrade appended, in place.
func (b *Batch) StampDegraded(lines []byte, at time.Time) {
	if i := bytes.IndexByte(lines, '\n'); i >= 0 && i+1 < len(lines) {
		b.stamps.Stamp(lines[i+1:len(lines)-1], at)
	}
}

// Letter is the dead letter of document i. It refers to the batch's bytes.
func (b *Batch) Letter(i int, refusal Refusal) Letter {
	d := &b.docs[i]
	return Letter{
		ID: string(b.ID(i)), Record: b.Record(i), Origin: d.object, Number: d.number, Offset: d.offset,
		Index: d.index, Refusal: refusal,
	}
}

// NewBatch returns an empty batch of the delivery number owner. The pipeline keeps a pool of its own; tests of sinks, and
// users who write records to a sink without a pipeline, make batches with it.
func NewBatch(owner uint64, format Format) *Batch {
	return &Batch{Owner: owner, stamps: format, scribe: &scribe{format: format}}
}

// Add appends a record's action line and document. id is the document's _id as it stands inside a JSON string, index the
// name of its index, at the event's own time, zero when it has none. The record's bytes are copied.
func (b *Batch) Add(r *cloudtrail.Record, id []byte, index string, at time.Time) {
	d := document{action: uint32(len(b.lines)), index: index, object: r.Object, number: r.Number, offset: r.Offset}
	if !at.IsZero() {
		d.time = at.Unix()
	}
	d.id = uint32(len(b.ids))
	b.ids = append(b.ids, id...)
	d.idEnd = uint32(len(b.ids))
	b.docs = append(b.docs, d)
	last := len(b.docs) - 1
	b.lines = b.appendAction(b.lines, last)
	d.body = uint32(len(b.lines))
	b.lines = append(b.scribe.format.Append(b.lines, r), '\n')
	d.end = uint32(len(b.lines))
	d.raw = uint32(len(b.raw))
	b.raw = append(b.raw, r.Raw...)
	d.rawEnd = uint32(len(b.raw))
	b.docs[last] = d
}

// appendAction appends the action line of document i.
func (b *Batch) appendAction(dst []byte, i int) []byte {
	dst = append(dst, `{"create":{"_index":"`...)
	dst = append(dst, b.docs[i].index...)
	dst = append(dst, `","_id":"`...)
	dst = append(dst, b.ID(i)...)
	return append(dst, "\"}}\n"...)
}

// Held is the number of bytes of documents and records that the batch keeps in memory.
func (b *Batch) Held() int { return len(b.lines) + len(b.raw) }

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
