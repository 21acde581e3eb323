package history

import (
	"context"
	"errors"
	"time"
)

// Search answers questions about stored events. Its methods may be called concurrently and end with ctx: work under way
// is given up. A *QueryError says what is wrong with the question itself, or that this store cannot answer it; a *StoreError
// what its operator can do. *local.Store, *local.Reader and *lookup.Cluster are Searches.
type Search interface {
	// Events answers a query with a page of events.
	Events(ctx context.Context, q Query) (Page, error)
	// Event returns an event with its record. The error wraps ErrNotFound when there is none.
	Event(ctx context.Context, id string) (Event, error)
	// Facets counts the most frequent values of each attribute among the events of q, most values of each. Cursor, limit
	// and order of q do not count. Attributes that are not Counted are wrong here and in Values.
	Facets(ctx context.Context, q Query, attributes []Attribute, most int) (Facets, error)
	// Histogram counts the events of q over time, in at most so many bars. Cursor, limit and order of q do not count.
	Histogram(ctx context.Context, q Query, bars int) (Histogram, error)
	// Values finds values of an attribute that contain text, without case, anywhere in the store; the most frequent first.
	Values(ctx context.Context, a Attribute, text string, most int) (Facet, error)
	// Extent says what the store holds. It is quick: the page asks often while a store is loading.
	Extent(ctx context.Context) (Extent, error)
}

// ErrNotFound is the error of an event that a store does not have.
var ErrNotFound = errors.New("there is no such event")

// A StoreError is why a store cannot answer, in words for whoever asks: they hold nothing of events and no secret.
type StoreError struct {
	Reason string
	Err    error // what the store itself said, for a log
}

func (e *StoreError) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap is what the store itself said.
func (e *StoreError) Unwrap() error { return e.Err }

// A Page is one answer to a Query. It may have fewer events than the Query's limit, or none, and a Next all the same: where
// a store must look at events one by one it answers after so many.
type Page struct {
	Events []Event
	Next   Cursor // where the next page begins, "" when there is none
	Lacks  string // what is missing from this page that should be here, in words for people; "" when it is whole
}

// Count is a value and how many events have it.
type Count struct {
	Value string
	Count int64
}

// A Facet is the values of one attribute, the most frequent first.
type Facet struct {
	Attribute Attribute
	Values    []Count
	More      bool // there are further values
}

// Facets are the most frequent values among some events. An event with several values of an attribute counts for each.
type Facets struct {
	Facets []Facet // in the order that was asked for
	Base   int64   // how many events were counted
	Exact  bool    // Base is all events of the query; else it is the newest ones
	Lacks  string  // as Page's
}

// The bounds of questions other than Events.
const (
	MaxBars   = 500
	MaxFacets = 500 // values of one attribute
)

// A Bar is a part of a Histogram: the events from From up to, and without, To.
type Bar struct {
	From, To                 time.Time
	Success, Failure, Denied int64 // Failure is without Denied
}

// Count is how many events the bar stands for.
func (b Bar) Count() int64 { return b.Success + b.Failure + b.Denied }

// A Histogram counts events over time. The bars are of one width, stand without gaps, and cover the time range as far as
// there are events.
type Histogram struct {
	Bars []Bar
	Step time.Duration // a bar's width; a whole number of seconds
	// Total is how many events there are, those of no time included, which are in no bar. Failed is how many of them failed
	// or were denied.
	Total, Failed int64
	Exact         bool   // all events of the query were counted; else the newest ones, and older bars are missing
	Lacks         string // as Page's
}

// Extent says what a store holds.
type Extent struct {
	Oldest, Newest time.Time // both zero when there is no event of a known time
	Events         int64     // about how many
	Loading        *Loading  // nil when nothing is being loaded
}

// Loading says how far a load has come.
type Loading struct {
	Files, FilesDone int64 // Files is 0 while they are being listed
	Events           int64 // read so far
	Refused          int64 // records or files that could not be read
}
