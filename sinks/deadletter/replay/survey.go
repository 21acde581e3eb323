package replay

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/trailship/trailship/sinks/deadletter"
)

// A Group are letters of one place that have one reason and were meant for one index.
type Group struct {
	Place, Reason  string
	Index          string // "" for records and objects that got never that far
	Letters        int
	Objects        int // of the letters, those that stand for a whole object
	Oldest, Newest time.Time
	Example        string // the reason of one of them, in full
}

// Survey groups the letters that a replay would send, the largest group first. It changes nothing. Letters that cannot be
// read are errors, joined, beside the groups.
func Survey(ctx context.Context, shelves []deadletter.Shelf, f deadletter.Filter) ([]Group, error) {
	if f.Until.IsZero() {
		f.Until = time.Now()
	}
	type name struct{ place, reason, index string }
	groups := map[name]*Group{}
	var errs []error
	for _, shelf := range shelves {
		for k, err := range letters(ctx, shelf, f) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			n := name{shelf.String(), k.Type, k.Index}
			g := groups[n]
			if g == nil {
				g = &Group{Place: n.place, Reason: n.reason, Index: n.index, Oldest: k.Time, Example: k.Reason}
				groups[n] = g
			}
			g.add(k)
		}
	}
	all := make([]Group, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(a.Letters, b.Letters), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Place, b.Place))
	})
	return all, errors.Join(errs...)
}

func (g *Group) add(k *deadletter.Kept) {
	g.Letters++
	if len(k.Record) == 0 {
		g.Objects++
	}
	if k.Time.Before(g.Oldest) {
		g.Oldest = k.Time
	}
	if k.Time.After(g.Newest) {
		g.Newest = k.Time
	}
}

// letters are those of a shelf that the filter chooses.
func letters(ctx context.Context, shelf deadletter.Shelf, f deadletter.Filter) iter.Seq2[*deadletter.Kept, error] {
	return func(yield func(*deadletter.Kept, error) bool) {
		for stack, err := range shelf.Stacks(ctx, f.Since, f.Until) {
			if err != nil {
				yield(nil, err)
				return
			}
			for k, err := range stack.Letters(ctx) {
				if (err != nil || f.Chooses(k)) && !yield(k, err) {
					return
				}
			}
		}
	}
}
