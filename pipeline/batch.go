package pipeline

import (
	"bytes"
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

	format    Format
	enrichers []Enricher

	lines  []byte // action line, document, action line, document, …
	raw    []byte
	docs   []document
	parsed cloudtrail.Record // for Degrade
}

// document says where a document stands in its batch. Offsets count from the start of lines or raw.
type document struct {
	action, body, end uint32 // the action line starts at action, the document at body; end is behind the final \n
	id, idEnd         uint32 // the _id, in lines
	raw, rawEnd       uint32
	index             string
	object            *cloudtrail.Object
	number            int
	offset            int64
	time              int64 // the event's own time in Unix seconds, 0 when it has none
}

// Len is the number of documents.
func (b *Batch) Len() int { return len(b.docs) }

// Size is the number of bytes of the action lines and documents.
func (b *Batch) Size() int { return len(b.lines) }

// ID is the _id of document i: the eventID, or a hash where the record has none.
func (b *Batch) ID(i int) []byte { return b.lines[b.docs[i].id:b.docs[i].idEnd] }

// Index is the index that document i belongs into.
func (b *Batch) Index(i int) string { return b.docs[i].index }

// Document is document i without a line end.
func (b *Batch) Document(i int) []byte { return b.lines[b.docs[i].body : b.docs[i].end-1] }

// Lines are the action line and the document of positions i to j-1, as the _bulk API wants them.
func (b *Batch) Lines(i, j int) []byte { return b.lines[b.docs[i].action:b.docs[j-1].end] }

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
		b.format.Stamp(b.Document(k), at)
	}
}

// Degrade appends the action line and the degraded document of position i to dst, for a second try after refusal.
func (b *Batch) Degrade(dst []byte, i int, refusal *Refusal) []byte {
	d := &b.docs[i]
	if err := b.parsed.Parse(b.Record(i)); err != nil {
		return dst // cannot be: the record was parsed when it was read
	}
	b.parsed.Object, b.parsed.Number, b.parsed.Offset = d.object, d.number, d.offset
	dst = append(dst, b.lines[d.action:d.body]...)
	b.enrich(expired(), &b.parsed)
	dst = b.format.AppendDegraded(dst, &b.parsed, refusal.Type+": "+refusal.Reason)
	return append(dst, '\n')
}

// StampDegraded writes at as the time of indexing into what Degrade appended, in place.
func (b *Batch) StampDegraded(lines []byte, at time.Time) {
	if i := bytes.IndexByte(lines, '\n'); i >= 0 && i+1 < len(lines) {
		b.format.Stamp(lines[i+1:len(lines)-1], at)
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
func NewBatch(owner uint64, format Format) *Batch { return &Batch{Owner: owner, format: format} }

// Add appends a record's action line and document. id is the document's _id as it stands inside a JSON string, index the
// name of its index, at the event's own time, zero when it has none. The record's bytes are copied.
func (b *Batch) Add(r *cloudtrail.Record, id []byte, index string, at time.Time) {
	d := document{action: uint32(len(b.lines)), index: index, object: r.Object, number: r.Number, offset: r.Offset}
	if !at.IsZero() {
		d.time = at.Unix()
	}
	b.lines = append(b.lines, `{"create":{"_index":"`...)
	b.lines = append(b.lines, index...)
	b.lines = append(b.lines, `","_id":"`...)
	d.id = uint32(len(b.lines))
	b.lines = append(b.lines, id...)
	d.idEnd = uint32(len(b.lines))
	b.lines = append(b.lines, "\"}}\n"...)
	d.body = uint32(len(b.lines))
	b.lines = append(b.format.Append(b.lines, r), '\n')
	d.end = uint32(len(b.lines))
	d.raw = uint32(len(b.raw))
	b.raw = append(b.raw, r.Raw...)
	d.rawEnd = uint32(len(b.raw))
	b.docs = append(b.docs, d)
}

// Held is the number of bytes of documents and records that the batch keeps in memory.
func (b *Batch) Held() int { return len(b.lines) + len(b.raw) }

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
