package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Query asks for events. The zero Query asks for the newest DefaultLimit of all.
type Query struct {
	Filters      []Filter // an event must pass all of them
	Text         string   // words that the record holds, each one somewhere; "in quotes" is one piece. Case does not count.
	Since, Until Bound    // both included, to the second. Events of no time are older than all.
	Oldest       bool     // begin with the oldest instead of the newest
	After        Cursor   // a Page's Next; "" begins at the beginning
	Limit        int      // up to MaxLimit; 0 is DefaultLimit
	Records      bool     // fill in each Event's Record
}

// A Filter passes events of which one value of the attribute is one of Values, case included. With Glob, a * in a value
// stands for any text, and case does not count. With Not it passes all other events, those without a value included.
type Filter struct {
	Attribute Attribute
	Values    []string // at least one, at most MaxValues
	Not, Glob bool
}

// A Bound is an end of a time range; the zero Bound is none. Text is how it was written, so that -24h stays what it is
// in a link and on a command line.
type Bound struct {
	At   time.Time
	Text string
}

// At is a bound at a time.
func At(t time.Time) Bound { return Bound{At: t} }

// IsZero reports that there is no bound.
func (b Bound) IsZero() bool { return b.At.IsZero() }

// String is the bound as it was written, else its time.
func (b Bound) String() string {
	if b.Text != "" || b.At.IsZero() {
		return b.Text
	}
	return b.At.UTC().Format(time.RFC3339)
}

// A Cursor is a place in the list of events, between two of them. It stays good while events are added, and is good for
// the store that gave it only.
type Cursor string

// The bounds of a query.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	MaxValues    = 100
	MaxFilters   = 30
	MaxText      = 1000 // bytes
)

// A QueryError is what is wrong with a Query itself.
type QueryError struct{ Reason string }

func (e *QueryError) Error() string { return "the query is wrong: " + e.Reason }

// Wrong makes a QueryError.
func Wrong(format string, args ...any) error { return &QueryError{fmt.Sprintf(format, args...)} }

// Validate says what is wrong with the query, as a *QueryError. Every Search calls it. A cursor is the store's own matter.
func (q *Query) Validate() error {
	switch {
	case q.Limit < 0 || q.Limit > MaxLimit:
		return Wrong("the limit is %d: give 1 to %d", q.Limit, MaxLimit)
	case len(q.Filters) > MaxFilters:
		return Wrong("there are %d filters: give at most %d", len(q.Filters), MaxFilters)
	case len(q.Text) > MaxText:
		return Wrong("the text to look for has %d bytes: give at most %d", len(q.Text), MaxText)
	case !utf8.ValidString(q.Text):
		return Wrong("the text to look for is not UTF-8")
	case !q.Since.IsZero() && !q.Until.IsZero() && q.Since.At.After(q.Until.At):
		return Wrong("the time range ends before it begins")
	}
	for i := range q.Filters {
		if err := q.Filters[i].validate(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) validate() error {
	if !slices.Contains(Attributes(), f.Attribute) {
		return Wrong("there is no attribute %q", f.Attribute)
	}
	if len(f.Values) == 0 || len(f.Values) > MaxValues {
		return Wrong("a filter by %s has %d values: give 1 to %d", f.Attribute, len(f.Values), MaxValues)
	}
	if f.Glob && f.Attribute == LeafValue {
		return Wrong("%s takes no *: write the whole value, or look for text", LeafValue)
	}
	words := Words(f.Attribute)
	if words == nil {
		return nil
	}
	if f.Glob {
		return Wrong("%s takes no *: it is one of %s", f.Attribute, strings.Join(words, ", "))
	}
	for _, v := range f.Values {
		if !slices.Contains(words, v) {
			return Wrong("%s is one of %s, not %q", f.Attribute, strings.Join(words, ", "), v)
		}
	}
	return nil
}
