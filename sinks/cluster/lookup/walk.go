package lookup

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/cluster"
)

const (
	maxBatch = 1000
	// maxLooked is how many documents are looked at one by one for one answer.
	maxLooked = 5000
)

// walk goes through the documents of a plan.
type walk struct {
	plan   *plan
	oldest bool // the oldest first
	after  cursor
	fields sourced
	batch  int // documents asked for at first; the next times more

	looked int
	more   bool   // there are further documents, after the cursor
	lacks  string // what is missing
}

// walk calls visit with each document that passes the plan until it returns false, there are no more, or so many were looked
// at that could not be told by the cluster.
func (c *Cluster) walk(ctx context.Context, w *walk, visit func(*found, cursor) bool) error {
	for most := maxBatch; ; w.batch = min(4*w.batch, most) {
		got, err := c.search(ctx, &search{
			Size: w.batch, Query: w.plan.query(), Sort: ordered(w.oldest), After: w.after, Source: w.fields,
		})
		if errors.Is(err, cluster.ErrTooLarge) && w.batch > 1 {
			most = w.batch / 2
			continue
		}
		if err != nil {
			return err
		}
		if lacks := got.lacks(); lacks != "" {
			w.lacks = lacks
		}
		for i := range got.Hits.Hits {
			h := &got.Hits.Hits[i]
			w.after = h.Sort
			w.looked++
			if f := h.read(); w.plan.pass(f) && !visit(f, w.after) {
				return nil
			}
		}
		if len(got.Hits.Hits) < w.batch {
			return nil
		}
		if w.looked >= maxLooked {
			w.more = true
			return nil
		}
	}
}

// ordered is the order of a list. Events of no time are older than all; those of one time are in the order of their ids, and
// those without ids in that of their places in log files.
func ordered(oldest bool) []map[string]order {
	direction, missing := "desc", "_last"
	if oldest {
		direction, missing = "asc", "_first"
	}
	by := func(name, kind string) map[string]order { return map[string]order{name: {direction, missing, kind}} }
	return []map[string]order{by(fieldTime, "date"), by(fieldID, "keyword"), by("log.file.path", "keyword"), by("log.offset", "long")}
}

// cursor is a place in a list: the values that a document was sorted by.
type cursor []json.RawMessage

func (at cursor) text() history.Cursor {
	text, err := json.Marshal(at)
	if err != nil {
		return ""
	}
	return history.Cursor(base64.RawURLEncoding.EncodeToString(text))
}

// readCursor reads a cursor: strings, numbers and nulls, as many as a list is sorted by.
func readCursor(text history.Cursor) (cursor, error) {
	if text == "" {
		return nil, nil
	}
	var at cursor
	raw, err := base64.RawURLEncoding.DecodeString(string(text))
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	if err != nil || len(at) != len(ordered(false)) {
		return nil, history.Wrong("%q is no place in a list", text)
	}
	for _, v := range at {
		if bytes.ContainsAny(v[:1], "[{tf") {
			return nil, history.Wrong("%q is no place in a list", text)
		}
	}
	return at, nil
}

// fieldsFor says which fields of documents the answer to a query needs. The texts of free-form objects are for searching, and
// where they are kept alone there is nothing else to look through.
func fieldsFor(q *history.Query) sourced {
	s := sourced{Excludes: []string{"event.ingested", "related", "entity", "actor", "target"}}
	if q.Text == "" && !q.Records {
		for _, form := range freeForm() {
			s.Excludes = append(s.Excludes, trailFields+form)
		}
	}
	return s
}

// fieldsToCount says which fields the counts of attributes need. Requests, responses and the records themselves are most of a
// document, and who did something can be told without.
func fieldsToCount(p *plan, attributes []history.Attribute) sourced {
	if len(p.pieces) > 0 {
		return fieldsFor(&history.Query{Text: p.pieces[0]})
	}
	s := fieldsFor(&history.Query{})
	for _, f := range p.filters {
		attributes = append(slices.Clip(attributes), f.Attribute)
	}
	if !slices.ContainsFunc(attributes, ofObjects) {
		s.Excludes = append(s.Excludes, "event.original", flattenedFields+"request_parameters", flattenedFields+"response_elements",
			flattenedFields+"service_event_details")
	}
	return s
}
