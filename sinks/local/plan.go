package local

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/local/index"
)

// span is a range of ids, both included.
type span struct{ from, to int64 }

// plan is a query in terms of the store.
type plan struct {
	span
	conditions []condition
	pieces     []piece // of the text to look for
}

// A condition passes events, or with not leaves them out. One of its parts is set.
type condition struct {
	not  bool
	keys []string // events with one of the keys
	code byte     // events with a key of this code
	like *pattern // that the pattern matches
	ids  []int64  // these events, ascending
}

// planOf makes a plan of a valid query.
func (v *view) planOf(ctx context.Context, q *history.Query) (*plan, error) {
	p := &plan{span: spanOf(q), pieces: piecesOf(q.Text)}
	p.from = max(p.from, v.floor)
	for i := range p.pieces {
		var err error
		if p.pieces[i].ids, err = v.idsOf(ctx, []string{string(p.pieces[i].text)}); err != nil {
			return nil, err
		}
	}
	for i := range q.Filters {
		c, err := v.conditionOf(ctx, &q.Filters[i])
		if err != nil {
			return nil, err
		}
		p.conditions = append(p.conditions, c...)
	}
	// What costs least comes first; after it there is less to look at, or nothing.
	slices.SortStableFunc(p.conditions, func(a, b condition) int { return a.cost() - b.cost() })
	return p, nil
}

func (c *condition) cost() int {
	switch {
	case c.ids != nil:
		return 0
	case c.like == nil && !c.not:
		return 1
	case c.like == nil:
		return 2
	}
	return 3
}

// spanOf says which ids a query's time range leaves.
func spanOf(q *history.Query) span {
	s := span{math.MinInt64, math.MaxInt64}
	if !q.Since.IsZero() {
		since := q.Since.At.Unix()
		if q.Since.At.Nanosecond() > 0 {
			since++
		}
		s.from = inRange(since) << sequenceBits
	}
	if !q.Until.IsZero() {
		s.to = (inRange(q.Until.At.Unix())+1)<<sequenceBits - 1
	}
	return s
}

// inRange keeps a time within what an id can say.
func inRange(second int64) int64 { return max(-1<<45, min(second, 1<<45)) }

// seek narrows a span to what follows a cursor.
func (s *span) seek(q *history.Query) error {
	if q.After == "" {
		return nil
	}
	at, err := strconv.ParseInt(string(q.After), 36, 64)
	if err != nil || at == math.MinInt64 || at == math.MaxInt64 {
		return history.Wrong("%q is no place in a list", q.After)
	}
	if q.Oldest {
		s.from = max(s.from, at+1)
	} else {
		s.to = min(s.to, at-1)
	}
	return nil
}

func cursorAt(id int64) history.Cursor { return history.Cursor(strconv.FormatInt(id, 36)) }

// conditionOf turns a filter into conditions that must all be true.
func (v *view) conditionOf(ctx context.Context, f *history.Filter) ([]condition, error) {
	switch f.Attribute {
	case history.EventID:
		if f.Glob {
			return nil, history.Wrong("eventId takes no *: write the whole id")
		}
		ids, err := v.idsOf(ctx, f.Values)
		return []condition{{not: f.Not, ids: ids}}, err
	case history.First:
		ids, err := v.firstEvents(ctx, f.Values)
		return []condition{{not: f.Not, ids: ids}}, err
	}
	if !f.Glob {
		return []condition{{not: f.Not, keys: keysOf(f)}}, nil
	}
	like := newPattern(f.Values)
	return []condition{{not: f.Not, code: codeOf(f.Attribute), like: like}}, nil
}

func keysOf(f *history.Filter) (keys []string) {
	for _, value := range f.Values {
		if f.Attribute == history.LeafValue {
			keys = append(keys, string(appendLeafKey(nil, []byte(value))))
			continue
		}
		keys = append(keys, indexKey(f.Attribute, value))
		if f.Attribute == history.OutcomeIs && value == history.Failure.String() {
			keys = append(keys, indexKey(f.Attribute, history.Denied.String()))
		}
	}
	return keys
}

// idsOf finds events by their eventIDs.
func (v *view) idsOf(ctx context.Context, values []string) ([]int64, error) {
	ids := make([]int64, 0, len(values))
	for _, value := range values {
		var id int64
		err := v.tx.QueryRowContext(ctx, "SELECT id FROM event WHERE event_id = ?", keyOf(value)).Scan(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// firstEvents finds all first events of some kinds.
func (v *view) firstEvents(ctx context.Context, kinds []string) ([]int64, error) {
	ids := []int64{}
	for _, kind := range kinds {
		from := int64(slices.Index(history.Words(history.First), kind)+1) << firstShift
		rows, err := v.tx.QueryContext(ctx, "SELECT id FROM first WHERE hash BETWEEN ? AND ?", from, from|(1<<firstShift-1))
		if err != nil {
			return nil, err
		}
		if ids, err = appendRows(ids, rows); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func appendRows(ids []int64, rows *sql.Rows) ([]int64, error) {
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// match says which events of a part pass the plan. unsure are, for each piece of text, those of them whose record has the
// words but may have them elsewhere.
func (p *plan) match(ctx context.Context, part *part) (found index.Set, unsure []index.Set, err error) {
	found = index.NewSet(part.Docs())
	found.AddRange(part.Range(p.from, p.to))
	for i := range p.conditions {
		c := &p.conditions[i]
		if found.Empty() {
			return found, nil, nil
		}
		some := index.NewSet(part.Docs())
		if err := c.find(ctx, part, some); err != nil {
			return nil, nil, err
		}
		if c.not {
			found.AndNot(some)
		} else {
			found.And(some)
		}
	}
	for i := range p.pieces {
		if found.Empty() {
			return found, nil, nil
		}
		sure, words, err := p.pieces[i].find(ctx, part)
		if err != nil {
			return nil, nil, err
		}
		words.AndNot(sure)
		sure.Or(words)
		found.And(sure)
		if !p.pieces[i].exact {
			unsure = append(unsure, words)
		} else {
			unsure = append(unsure, nil)
		}
	}
	return found, unsure, nil
}

// find adds a condition's events to a set.
func (c *condition) find(ctx context.Context, part *part, to index.Set) error {
	switch {
	case c.ids != nil:
		for at, _ := slices.BinarySearch(c.ids, part.oldest); at < len(c.ids) && c.ids[at] <= part.newest; at++ {
			if doc, ok := slices.BinarySearch(part.IDs, c.ids[at]); ok {
				to.Add(doc)
			}
		}
		return nil
	case c.like != nil:
		return part.scanCode(ctx, c.code, func(key []byte, l index.List) error {
			if c.like.matches(key[1:]) {
				return l.AddTo(to)
			}
			return nil
		})
	}
	for _, key := range c.keys {
		if err := part.find(ctx, key, to); err != nil {
			return err
		}
	}
	return nil
}

// pattern matches values in which * stands for any text. Case does not count.
type pattern struct{ any [][]string }

func newPattern(values []string) *pattern {
	p := &pattern{}
	for _, v := range values {
		p.any = append(p.any, strings.Split(strings.ToLower(v), "*"))
	}
	return p
}

func (p *pattern) matches(value []byte) bool {
	text := strings.ToLower(string(value))
	return slices.ContainsFunc(p.any, func(parts []string) bool { return matchParts(text, parts) })
}

// matchParts reports whether text is the parts, in order, with anything between them.
func matchParts(text string, parts []string) bool {
	if len(parts) == 1 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
