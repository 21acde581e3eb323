package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// A Source hands out deliveries. Receive blocks until one is ready; it returns io.EOF when there will never be another,
// and ctx's error when ctx ends first. An error of the service is the source's own to retry and report: it is not
// returned. Receive may be called concurrently.
type Source interface {
	Receive(ctx context.Context) (Delivery, error)
}

// A Delivery is a set of records that stands or falls together: for SQS, one message. One goroutine uses it at a time.
// A delivery may also say its Size (see Sized), when it was Sent (see Sent) and its name (fmt.Stringer, for logs), and be
// Fetched before it is read.
type Delivery interface {
	// Records reads the records one by one, each good until the next. It is called once, inside a slot of the CPU gate:
	// whatever waits for the network or a disk in it does so through Blocking. Errors come in three kinds: a
	// *cloudtrail.Refused is one record that cannot be read, the sequence goes on; a *LostObject is one object that is
	// gone or corrupt for good, the sequence goes on with the next; any other error ends the sequence and fails the
	// delivery.
	Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error]
	// Settle ends the delivery, once: nil removes it from the source, an error hands it back to be delivered again. An
	// outcome that wraps ErrNotStarted hands it back at once. ctx is not the one that ends at shutdown.
	Settle(ctx context.Context, outcome error) error
}

// ErrNotStarted is the outcome of a delivery that was handed out but never begun: the source gives it back at once.
var ErrNotStarted = errors.New("not started: shutting down")

// Postponed is an outcome that knows for how long a new try is of no use. The source hands the delivery back for at least
// After.
type Postponed struct {
	After time.Duration
	Err   error
}

func (e *Postponed) Error() string { return e.Err.Error() }

func (e *Postponed) Unwrap() error { return e.Err }

// UnknownSize is what a delivery without a Size counts as, in bytes.
const UnknownSize = 1 << 20

// Sized is a Delivery that knows how many bytes it holds at once while its records are read: its largest compressed
// object, up to what is read whole; or what that really is, once it was fetched. Without it a delivery counts as
// UnknownSize.
type Sized interface{ Size() int64 }

// Fetched is a Delivery whose first records must be waited for. Fetch is called once, before Records, outside of the CPU gate
// and before there is memory for documents: many deliveries wait in it, few in Records. What went wrong Records says. A
// delivery that was fetched may be settled without its records having been read.
type Fetched interface{ Fetch(ctx context.Context) }

// Rereadable is a Delivery that may keep in memory what it gives records from, until it is settled: the records need not
// be kept then for what seldom goes wrong. Again is called before the first record, between two or behind the last; what
// it returns gives those that were given so far once more, at least, but for those that cannot be read. That may be called
// concurrently. Again is always nil where nothing is kept, and never where something is.
type Rereadable interface{ Again() Again }

// Sent is a Delivery that knows when its notice was sent. The time from there to the index is measured.
type Sent interface{ Sent() time.Time }

// A Sink stores documents. Write returns when each document of the batch is terminal, with one Fate a document, by
// position. An error means that every document whose fate is Unknown may be stored or not; writing it again must be
// harmless. The batch is the sink's until Write returns. Write is called concurrently.
type Sink interface {
	Write(ctx context.Context, b *Batch) ([]Fate, error)
}

// DeadLetters keeps what no sink will take. Bury returns when every letter is durable; an error means that some may not
// be, and none of them counts as kept. Burying a letter again must be harmless. Bury is called concurrently.
type DeadLetters interface {
	Bury(ctx context.Context, letters []Letter) error
}

// A Filter leaves records out. Drops names the rule that says so; the record is then terminal, counted by that rule. It is
// called concurrently, inside a slot of the CPU gate, and keeps nothing of the record.
type Filter interface {
	Drops(r *cloudtrail.Record) (rule string, drops bool)
}

// A Redactor takes what must not leave the process out of records. Append appends the record's text without it, and
// reports whether there was any; it is called concurrently.
type Redactor interface {
	Append(dst []byte, r *cloudtrail.Record) (text []byte, changed bool)
}

// An Enricher adds to a record's document what the record itself does not say. It never fails: what it cannot find out in
// time is left out, and it says so itself, with a tag and a metric. It keeps nothing of the record. It is called
// concurrently, inside a slot of the CPU gate: whatever waits does so through Blocking, and no longer than ctx lives.
type Enricher interface {
	Enrich(ctx context.Context, r *cloudtrail.Record, f *ecs.Fragments)
}

// Enrichable is a Format that takes what enrichers add. Fragments are those of the next document; Append uses them up.
type Enrichable interface{ Fragments() *ecs.Fragments }

// Readiness is a Source or Sink that knows whether it can work at the moment. The error is for the operator: it says
// what is wrong and what to do. Ready may be called concurrently and answers at once.
type Readiness interface{ Ready() error }

// Partly is the error of a Sink that cannot write some documents while it may write others. One delivery is tried every
// Every, to find out what its documents are: without that, those that wait would keep out those that could be written.
type Partly struct {
	Every time.Duration
	Err   error
}

func (e *Partly) Error() string { return e.Err.Error() }

func (e *Partly) Unwrap() error { return e.Err }

// A Fate is what became of one document.
type Fate struct {
	Outcome Outcome
	Refusal *Refusal // of a Refused document
}

// Outcome is the kind of a fate.
type Outcome uint8

// The outcomes of a document. The zero Outcome is Unknown.
const (
	Unknown   Outcome = iota // stored or not: it must be written again
	Indexed                  // stored by this write
	Duplicate                // stored before: the sink already has a document of this id
	Refused                  // the document itself is at fault; writing it again will not help
)

// A Refusal is why a sink does not take a document, in the sink's own terms. Reason may quote parts of the document.
type Refusal struct {
	Status int    // HTTP status of the item, 0 if there is none
	Type   string // the sink's name for the error, such as document_parsing_exception
	Reason string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("the sink refuses the document: %s (status %d): %s", r.Type, r.Status, r.Reason)
}

// A Letter is one record, or one object, that could not be delivered, with all that is needed to find out why and to
// send it again. Its slices are good until Bury returns.
type Letter struct {
	ID     string             // the document's _id; of an object, a hash of its bucket and key
	Record []byte             // the record's bytes as read; nil when the letter stands for a whole object
	Origin *cloudtrail.Object // where it came from
	Number int                // the record's position in the object, from 1; 0 for an object
	Offset int64              // where the record begins in the decompressed object
	Index  string             // the index it was meant for, "" if it never got that far
	Refusal
}

// A LostObject is the error of an object that is gone or cannot be read whole, after fresh tries. It becomes one dead
// letter; its other records, if any, were delivered.
type LostObject struct {
	Object *cloudtrail.Object
	Reason string // a short name: no_such_key, truncated, not_gzip, …
	Err    error
}

func (e *LostObject) Error() string {
	if e.Object.Bucket == "" {
		return fmt.Sprintf("reading %s: %v", e.Object.Key, e.Err)
	}
	return fmt.Sprintf("reading s3://%s/%s: %v", e.Object.Bucket, e.Object.Key, e.Err)
}

func (e *LostObject) Unwrap() error { return e.Err }
