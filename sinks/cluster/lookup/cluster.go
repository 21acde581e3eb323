package lookup

import (
	"cmp"
	"context"
	"time"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster"
)

// Cluster is the events in a cluster. It asks for the right to search and for nothing else, and is safe for concurrent use.
type Cluster struct {
	transport cluster.Transport
	index     string
	objects   bool  // documents have requests and responses as objects
	texts     bool  // and as texts
	most      int64 // bytes of an answer
	firsts    firsts
}

var _ history.Search = (*Cluster)(nil)

// New returns the events in an index, which may be a pattern with stars, as documents of the kind that retain says. It asks the
// cluster nothing: one that is away says so when it is asked.
func New(t cluster.Transport, index string, retain ecs.Retain) *Cluster {
	c := &Cluster{transport: t, index: index, most: maxAnswer, firsts: newFirsts()}
	c.objects = retain == "" || retain == ecs.RetainAll || retain == ecs.RetainFlattened
	c.texts = retain != ecs.RetainFlattened && retain != ecs.RetainNone
	return c
}

// Events answers a query.
func (c *Cluster) Events(ctx context.Context, q history.Query) (history.Page, error) {
	q.Limit = cmp.Or(q.Limit, history.DefaultLimit)
	p, after, err := c.ask(ctx, &q)
	if err != nil {
		return history.Page{}, err
	}
	var page history.Page
	w := walk{plan: p, oldest: q.Oldest, after: after, fields: fieldsFor(&q)}
	w.batch = min(q.Limit+1, maxBatch) // one more says whether there is a next page
	var last cursor
	err = c.walk(ctx, &w, func(f *found, at cursor) bool {
		if len(page.Events) == q.Limit {
			page.Next = last.text()
			return false
		}
		page.Events = append(page.Events, f.event(q.Records))
		last = at
		return true
	})
	if err != nil {
		return history.Page{}, err
	}
	if w.more && page.Next == "" {
		page.Next = w.after.text()
	}
	page.Lacks = w.lacks
	return page, nil
}

// ask checks a query and makes a plan of it. after is where the page begins.
func (c *Cluster) ask(ctx context.Context, q *history.Query) (p *plan, after cursor, err error) {
	if err := q.Validate(); err != nil {
		return nil, nil, err
	}
	if after, err = readCursor(q.After); err != nil {
		return nil, nil, err
	}
	p, err = c.planOf(ctx, q)
	return p, after, err
}

// Event returns an event with its record.
func (c *Cluster) Event(ctx context.Context, id string) (history.Event, error) {
	if id == "" {
		return history.Event{}, history.ErrNotFound
	}
	got, err := c.search(ctx, &search{Size: 1, Query: documents(id), Source: sourced{}})
	if err != nil {
		return history.Event{}, err
	}
	if len(got.Hits.Hits) == 0 {
		if lacks := got.lacks(); lacks != "" {
			return history.Event{}, &history.StoreError{Reason: lacks, Err: history.ErrNotFound}
		}
		return history.Event{}, history.ErrNotFound
	}
	return got.Hits.Hits[0].read().event(true), nil
}

// Extent says what the index holds.
func (c *Cluster) Extent(ctx context.Context) (x history.Extent, err error) {
	got, err := c.search(ctx, &search{Query: everything(), Total: true, Aggregations: span()})
	if err != nil {
		return x, err
	}
	x.Events = got.Hits.Total.Value
	x.Oldest, x.Newest = got.span()
	return x, nil
}

// span asks for the first and the last time.
func span() map[string]aggregation {
	return map[string]aggregation{"oldest": {Least: &field{fieldTime}}, "newest": {Most: &field{fieldTime}}}
}

// span is the answer to it, to the second; both are zero when there is no time.
func (a *answer) span() (oldest, newest time.Time) {
	return a.Aggregations["oldest"].time(), a.Aggregations["newest"].time()
}

// time is a value that is a date.
func (n counts) time() time.Time {
	if n.Value == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*n.Value)).UTC().Truncate(time.Second)
}
