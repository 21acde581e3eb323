package deadletter

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// A Shelf is a place whose letters can be read back and taken out again, while others bury in it. One goroutine uses it at
// a time.
type Shelf interface {
	fmt.Stringer
	// Stacks gives all letters of the time between since and until, and maybe some more, a stack at a time, those of one day
	// behind those of the day before. An error ends the sequence.
	Stacks(ctx context.Context, since, until time.Time) iter.Seq2[Stack, error]
}

// A Stack are letters that lie together: those of a file, of an object, or of one page of an index. One goroutine uses it at
// a time.
type Stack interface {
	fmt.Stringer
	// Letters gives the letters in an order that stays. An error that wraps ErrNotLetter stands for one of them that cannot be
	// read, and the sequence goes on; any other ends it.
	Letters(ctx context.Context) iter.Seq2[*Kept, error]
	// Remove takes the letters out whose position, from 0, is gone; at no moment is another one missing. It is called once,
	// after Letters. An error means that some of them may still be there.
	Remove(ctx context.Context, gone func(position int) bool) error
}

// Filter chooses letters. The zero Filter chooses all.
type Filter struct {
	Reasons      []string // the letter's type, such as index_blocked
	Since, Until time.Time
	Key          string // a path glob over bucket/key; a file's path alone
}

// Validate returns what is wrong with the filter.
func (f Filter) Validate() error {
	if f.Key != "" && !doublestar.ValidatePattern(f.Key) {
		return fmt.Errorf("%q is no path glob: write one such as my-bucket/**/us-east-1/**", f.Key)
	}
	return nil
}

// Chooses reports whether the letter is one of those.
func (f Filter) Chooses(k *Kept) bool {
	name := k.Origin.Key
	if k.Origin.Bucket != "" {
		name = k.Origin.Bucket + "/" + name
	}
	return (len(f.Reasons) == 0 || slices.Contains(f.Reasons, k.Type)) &&
		!k.Time.Before(f.Since) && (f.Until.IsZero() || k.Time.Before(f.Until)) &&
		(f.Key == "" || doublestar.MatchUnvalidated(f.Key, name))
}

// Shelves are the places as they can be read back, in the order of burying.
func (p *Places) Shelves() []Shelf {
	shelves := make([]Shelf, 0, len(p.places))
	for _, place := range p.places {
		if s, ok := place.(Shelf); ok {
			shelves = append(shelves, s)
		}
	}
	return shelves
}
