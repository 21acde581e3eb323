package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// carry takes the delivery to settlement. work ends when the drain is over.
func (c *carrier) carry(work context.Context) {
	start := time.Now()
	outcome := ErrNotStarted
	if c.refused == nil {
		outcome = c.deliver(work)
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(work), settleTimeout)
	defer cancel()
	c.report(outcome, c.delivery.Settle(settling, outcome), time.Since(start))
}

// carrier is one delivery on its way.
type carrier struct {
	*Pipeline
	delivery Delivery
	owner    uint64
	sent     time.Time
	kit      *kit
	room     chunkRoom // of its chunks
	held     int64     // of the memory budget, for its objects
	rereads  bool      // records are not kept, but read again from its objects
	refused  error     // why it holds nothing and must not begin

	filling *Batch     // being filled; nil when there is none
	written chan error // of the batches that are with the sink, nil when each of its records is terminal
	out     int        // how many those are

	letters letterBox
	records int
}

// kit is what a goroutine needs to make documents; kits outlive deliveries.
type kit struct {
	namer namer
	id    []byte
	seen  map[[sha256.Size]byte]int // records without an eventID, for appendID

	filtered tally

	redacted cloudtrail.Record
	text     []byte // of redacted
}

func newKit(index IndexPattern) *kit {
	return &kit{namer: namer{pattern: index}, seen: map[[sha256.Size]byte]int{}}
}

// deliver returns nil when every record of the delivery is terminal.
func (c *carrier) deliver(work context.Context) error {
	c.written = make(chan error, maxChunks)
	c.letters = letterBox{place: c.DeadLetters, metrics: c.Metrics, redacted: c.Redactor != nil}
	err := c.read(work)
	c.keep()
	defer func() { c.budget.give(c.held) }()
	return c.finish(work, err)
}

// read fills batches within the CPU gate.
func (c *carrier) read(work context.Context) (err error) {
	defer recoverInto(&err)
	c.fetch(work)
	inside, leave, err := c.enter(work)
	if err != nil {
		return err
	}
	defer leave()
	c.kit, _ = c.kits.Get().(*kit)
	defer c.kits.Put(c.kit)
	clear(c.kit.seen)
	err = c.fill(inside)
	if c.filling != nil {
		c.filled(c.filling)
	}
	c.Metrics.filtering(&c.kit.filtered)
	return err
}

// fill reads the delivery's records into batches and hands full ones to the sink.
func (c *carrier) fill(ctx context.Context) (err error) {
	defer recoverInto(&err)
	for record, err := range c.delivery.Records(ctx) {
		if err != nil {
			Blocking(ctx, func() { err = c.letters.unreadable(ctx, err) })
		} else {
			err = c.add(ctx, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add puts a record's document into the batch being filled.
func (c *carrier) add(ctx context.Context, r *cloudtrail.Record) error {
	if c.drops(r) {
		return nil
	}
	if c.filling == nil {
		b, err := c.next(ctx)
		if err != nil {
			return err
		}
		c.filling = b
	}
	c.records++
	at, own := indexTime(r)
	day := at
	if !own {
		at = time.Time{}
	}
	c.kit.id = appendID(c.kit.id[:0], r, c.kit.seen)
	c.filling.scribe.enrich(ctx, r)
	r, err := c.redact(r)
	if err != nil {
		return err
	}
	index := c.kit.namer.name(r, day)
	c.filling.Add(r, c.kit.id, index, at)
	if c.filling.full() {
		c.send(ctx)
	}
	return nil
}

// drops reports whether the user's filter leaves the record out, and counts it then.
func (c *carrier) drops(r *cloudtrail.Record) bool {
	if c.Filter == nil {
		return false
	}
	rule, drops := c.Filter.Drops(r)
	if drops {
		c.records++
		c.kit.filtered.add(rule)
	}
	return drops
}

// redact returns the record as it may leave the process. It is good as long as r.
func (c *carrier) redact(r *cloudtrail.Record) (*cloudtrail.Record, error) {
	if c.Redactor == nil {
		return r, nil
	}
	text, changed := c.Redactor.Append(c.kit.text[:0], r)
	if !changed {
		return r, nil
	}
	k := c.kit
	k.text = text
	if err := k.redacted.Parse(text); err != nil {
		return nil, fmt.Errorf("redacting record %d of s3://%s/%s: %w", r.Number, r.Object.Bucket, r.Object.Key, err)
	}
	k.redacted.Object, k.redacted.Number, k.redacted.Offset, k.redacted.ID = r.Object, r.Number, r.Offset, r.ID
	return &k.redacted, nil
}

// next returns an empty batch, once there is memory for it and few enough are with the sink.
func (c *carrier) next(ctx context.Context) (*Batch, error) {
	select {
	case err := <-c.written:
		c.out--
		if err != nil {
			return nil, err
		}
	default:
	}
	if c.out == maxChunks {
		var err error
		Blocking(ctx, func() { err = <-c.written })
		c.out--
		if err != nil {
			return nil, err
		}
	}
	room, again := c.room, c.again()
	if again != nil {
		c.rereads, room.raw = true, 0
	}
	b, err := c.pool.take(ctx, room, c.owner)
	if err != nil {
		return nil, err
	}
	b.again = again
	b.keeps = c.Redactor != nil // enrichers have to see what the kept record does not say
	return b, nil
}

// send gives the batch being filled to the sink and goes on, after others who wait for the CPU: a large object that the
// sink keeps up with would otherwise never let go of it.
func (c *carrier) send(ctx context.Context) {
	b := c.filling
	c.filling = nil
	c.out++
	c.filled(b)
	c.Metrics.filtering(&c.kit.filtered)
	go func() {
		err := c.write(outside(ctx), b)
		c.pool.give(b)
		c.written <- err
	}()
	yield(ctx)
}

// finish writes the last batch, waits for those before it and keeps the letters. failed is why reading ended early: what
// was not given to the sink yet is then returned.
func (c *carrier) finish(ctx context.Context, failed error) error {
	errs := []error{failed}
	if b := c.filling; b != nil {
		if failed == nil && b.Len() > 0 {
			errs = append(errs, c.write(ctx, b))
		} else {
			c.Metrics.reading(b.Len())
			c.Metrics.ending([terminals]int64{EndReturned: int64(b.Len())})
		}
		c.pool.give(b)
	}
	for ; c.out > 0; c.out-- {
		errs = append(errs, <-c.written)
	}
	if err := errors.Join(errs...); err != nil {
		c.letters.giveUp()
		return err
	}
	return c.letters.bury(ctx)
}

// write gives a batch to the sink and keeps what the sink refuses. It returns nil when every record of it is terminal.
// Several batches of a delivery are written at once.
func (c *carrier) write(ctx context.Context, b *Batch) (err error) {
	n := b.Len()
	c.Metrics.reading(n)
	var ended [terminals]int64
	defer func() {
		ended[EndReturned] = int64(n) - ended[EndIndexed] - ended[EndDuplicate] - ended[EndDeadLetter]
		c.Metrics.ending(ended)
	}()
	defer recoverInto(&err)

	fates, err := c.Sink.Write(ctx, b)
	if len(fates) != n {
		return errors.Join(err, fmt.Errorf("the sink gave %d fates for %d documents", len(fates), n))
	}
	var letters []Letter
	unknown := 0
	for i := range fates {
		switch fates[i].Outcome {
		case Indexed:
			ended[EndIndexed]++
		case Duplicate:
			ended[EndDuplicate]++
		case Refused:
			letters = append(letters, b.Letter(i, *fates[i].Refusal))
		case Unknown:
			unknown++
		}
	}
	if unknown > 0 {
		err = errors.Join(err, fmt.Errorf("the sink cannot tell whether %d of %d documents are stored", unknown, n))
	}
	if len(letters) > 0 {
		if buried := bury(ctx, c.DeadLetters, letters); buried != nil {
			return errors.Join(err, buried)
		}
		ended[EndDeadLetter] = int64(len(letters))
		c.Log.Warn("the sink refused records, they are kept as dead letters",
			zap.Int("refused", len(letters)), zap.String("reason", letters[0].Type), zap.String("index", letters[0].Index))
	}
	c.Metrics.stored(b, fates, c.sent, time.Now())
	return err
}

// report logs and counts how the delivery ended. It is the one place that does.
func (c *carrier) report(outcome, settled error, took time.Duration) {
	fields := func(err error) []zap.Field { // only made for lines that are written
		all := []zap.Field{zap.Int("records", c.records), zap.Duration("took", took), zap.Error(err)}
		if name, ok := c.delivery.(fmt.Stringer); ok {
			all = append(all, zap.String("delivery", name.String()))
		}
		return all
	}
	result := "done"
	switch {
	case errors.Is(outcome, ErrNotStarted):
		result = "not_started"
	case outcome != nil:
		result = "returned"
		c.Log.Warn("delivery goes back to its source, it will come again", fields(outcome)...)
	default:
		if line := c.Log.Check(zap.DebugLevel, "delivery done"); line != nil {
			line.Write(fields(nil)...)
		}
	}
	if settled != nil {
		c.Log.Warn("settling the delivery did not work, it will come again", fields(settled)...)
		result = "unsettled"
	}
	c.Metrics.deliveries.WithLabelValues(result).Inc()
}

// recoverInto turns a panic into an error: a bug that one delivery sets off is that delivery's failure.
func recoverInto(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic, please report it: %v\n%s", p, debug.Stack())
	}
}

// objectID is the dead letter's id of an object that is lost as a whole.
func objectID(o *cloudtrail.Object) string {
	sum := sha256.Sum256([]byte(o.Bucket + "\n" + o.Key))
	return "object-" + hex.EncodeToString(sum[:16])
}
