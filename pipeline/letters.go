package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// letterBytes is how much a letterBox gathers before it buries.
const letterBytes = 256 << 10

// letterBox gathers the dead letters of what a delivery's source could not read.
type letterBox struct {
	place   DeadLetters
	metrics *Metrics
	// redacted: records are redacted. One that cannot be read cannot be, so that its letter has only its place.
	redacted bool
	letters  []Letter
	records  int // of the letters, those that stand for a record
	size     int
}

// unreadable makes a letter of an error of Records. It returns the error itself when that is not one record's or one
// object's, and an error when the letters cannot be kept.
func (l *letterBox) unreadable(ctx context.Context, err error) error {
	var refused *cloudtrail.Refused
	var lost *LostObject
	switch {
	case errors.As(err, &refused):
		l.metrics.reading(1)
		l.records++
		l.letters = append(l.letters, recordLetter(refused))
		if l.redacted {
			l.letters[len(l.letters)-1].Record = nil
		}
	case errors.As(err, &lost):
		l.letters = append(l.letters, Letter{
			ID: objectID(lost.Object), Origin: lost.Object, Refusal: Refusal{Type: lost.Reason, Reason: lost.Err.Error()},
		})
	default:
		return err
	}
	l.size += len(l.letters[len(l.letters)-1].Record)
	if l.size < letterBytes {
		return nil
	}
	return l.bury(ctx)
}

// recordLetter is the letter of a record that cannot be read. Its id follows from where the record stands, since what it
// says cannot be trusted.
func recordLetter(r *cloudtrail.Refused) Letter {
	return Letter{
		ID:     fmt.Sprintf("%s-%d", objectID(r.Object), r.Number),
		Record: bytes.Clone(r.Raw), Origin: r.Object, Number: r.Number, Offset: r.Offset,
		Refusal: Refusal{Type: "unreadable_record", Reason: r.Err.Error()},
	}
}

// bury keeps the letters gathered so far.
func (l *letterBox) bury(ctx context.Context) error {
	if len(l.letters) == 0 {
		return nil
	}
	end := EndDeadLetter
	err := bury(ctx, l.place, l.letters)
	if err != nil {
		end = EndReturned
	}
	l.empty(end)
	return err
}

// giveUp counts the records of the letters as returned: their delivery fails.
func (l *letterBox) giveUp() { l.empty(EndReturned) }

func (l *letterBox) empty(end Terminal) {
	var ended [terminals]int64
	ended[end] = int64(l.records)
	l.metrics.ending(ended)
	l.letters, l.records, l.size = nil, 0, 0
}

// bury keeps letters in a place that may not be there.
func bury(ctx context.Context, place DeadLetters, letters []Letter) error {
	if place == nil {
		return fmt.Errorf("keeping %d dead letters: no place for them is configured: set dead_letter", len(letters))
	}
	if err := place.Bury(ctx, letters); err != nil {
		return fmt.Errorf("keeping %d dead letters: %w", len(letters), err)
	}
	return nil
}
