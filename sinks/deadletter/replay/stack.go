package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/deadletter"
)

// stack is a delivery of letters.
type stack struct {
	source  *Source
	stack   deadletter.Stack
	letters []letter // by position
}

// letter is what is remembered of one until its stack is settled.
type letter struct {
	id    string
	state state
}

type state uint8

const (
	leftOut state = iota
	damaged
	sent
	stays
)

// unreadable is the type that the pipeline gives to records which it could not read. The ids of their letters say where they
// stood, not which event they are.
const unreadable = "unreadable_record"

// String is where the letters lie.
func (d *stack) String() string { return d.stack.String() }

// Records implements pipeline.Delivery.
func (d *stack) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		var record cloudtrail.Record
		for k, err := range d.stack.Letters(ctx) {
			switch {
			case errors.Is(err, deadletter.ErrNotLetter):
				d.damaged(err)
			case err != nil:
				yield(nil, err)
				return
			case !d.source.o.Filter.Chooses(k):
				d.letters = append(d.letters, letter{id: k.ID})
			case !d.send(ctx, k, &record, yield):
				return
			}
		}
	}
}

// damaged keeps the place of something that is no letter.
func (d *stack) damaged(err error) {
	d.letters = append(d.letters, letter{state: damaged})
	d.source.mu.Lock()
	d.source.count.Damaged++
	d.source.mu.Unlock()
	d.source.o.Log.Warn("left something where it is that is no dead letter", zap.Error(err))
}

// send gives the letter's record, or those of its object, to yield.
func (d *stack) send(ctx context.Context, k *deadletter.Kept, record *cloudtrail.Record, yield func(*cloudtrail.Record, error) bool) bool {
	d.source.take(k.ID)
	d.letters = append(d.letters, letter{k.ID, sent})
	if len(k.Record) == 0 {
		return d.sendObject(ctx, k, yield)
	}
	err := record.Parse(k.Record)
	if err == nil && strings.ContainsFunc(k.ID, notPlain) {
		err = errors.New("its id is none that trailship gives")
	}
	if err != nil {
		d.stay("record still cannot be read, its letter stays", k, err)
		return true
	}
	record.Object, record.Number, record.Offset, record.ID = k.Origin, k.Number, k.Offset, k.ID
	if k.Type == unreadable {
		record.ID = ""
	}
	return yield(record, nil)
}

// notPlain reports whether a character cannot stand in an id as it is: ids go into requests without escapes.
func notPlain(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }

// sendObject reads the letter's object again. What is wrong with it this time is no failure of the other letters.
func (d *stack) sendObject(ctx context.Context, k *deadletter.Kept, yield func(*cloudtrail.Record, error) bool) bool {
	if d.source.o.Objects == nil {
		d.stay("objects are not read again, its letter stays", k, nil)
		return true
	}
	for r, err := range d.source.o.Objects.Records(ctx, k.Origin.Bucket, k.Origin.Key) {
		var refused *cloudtrail.Refused
		var lost *pipeline.LostObject
		switch {
		case err == nil || errors.As(err, &refused) || errors.As(err, &lost) || ctx.Err() != nil:
			if !yield(r, err) {
				return false
			}
		default:
			d.stay("object still cannot be read, its letter stays", k, err)
		}
	}
	return true
}

// stay leaves the letter that was taken last where it is.
func (d *stack) stay(message string, k *deadletter.Kept, err error) {
	d.letters[len(d.letters)-1].state = stays
	d.source.o.Log.Warn(message, zap.String("bucket", k.Origin.Bucket), zap.String("key", k.Origin.Key), zap.Int("number", k.Number), zap.Error(err))
}

// Settle implements pipeline.Delivery: it removes the letters that went through. Nothing comes again by itself.
func (d *stack) Settle(ctx context.Context, outcome error) error {
	gone, err := d.decide(outcome), outcome
	if err == nil && slices.Contains(gone, true) {
		err = d.stack.Remove(ctx, func(i int) bool { return i < len(gone) && gone[i] })
	}
	if err != nil && !errors.Is(err, pipeline.ErrNotStarted) {
		d.source.fail(fmt.Errorf("replaying %s: %w", d.stack, err))
	}
	d.source.mu.Lock()
	defer d.source.mu.Unlock()
	d.source.count.Finished++
	removed := 0
	for _, yes := range gone {
		if yes {
			removed++
		}
	}
	if err == nil {
		d.source.count.Removed += removed
		return nil
	}
	d.source.count.Unknown += removed
	if outcome != nil {
		return nil // the pipeline knows
	}
	return err
}

// decide releases all letters and returns which of them are to go, by position.
func (d *stack) decide(outcome error) (gone []bool) {
	d.source.mu.Lock()
	defer d.source.mu.Unlock()
	gone = make([]bool, len(d.letters))
	for i, l := range d.letters {
		switch l.state {
		case leftOut:
			d.source.count.LeftOut++
			continue
		case damaged:
			continue
		}
		if refused := d.source.release(l.id); (refused || l.state == stays) && outcome == nil {
			d.source.count.Stayed++
			continue
		}
		gone[i] = true
	}
	return gone
}
