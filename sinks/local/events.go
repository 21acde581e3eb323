package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local/index"
)

// answer checks a query and hands a view and its plan to f.
func (r *Reader) answer(ctx context.Context, q *history.Query, f func(*view, *plan) error) error {
	if err := q.Validate(); err != nil {
		return err
	}
	err := r.look(ctx, func(v *view) error {
		p, err := v.planOf(ctx, q)
		if err != nil {
			return err
		}
		return f(v, p)
	})
	if wrong := (*history.QueryError)(nil); errors.As(err, &wrong) {
		return err
	}
	if err != nil { // a database that is interrupted does not always say by what
		return fmt.Errorf("looking events up: %w", cmp.Or(ctx.Err(), storeError(r.path, err)))
	}
	return nil
}

// Events answers a query.
func (r *Reader) Events(ctx context.Context, q history.Query) (page history.Page, err error) {
	q.Limit = cmp.Or(q.Limit, history.DefaultLimit)
	err = r.answer(ctx, &q, func(v *view, p *plan) error {
		if err := p.seek(&q); err != nil {
			return err
		}
		ids, err := v.list(ctx, p, q.Oldest, q.Limit+1) // one more says whether there is a next page
		if err != nil {
			return err
		}
		if len(ids) > q.Limit {
			ids = ids[:q.Limit]
			page.Next = cursorAt(ids[len(ids)-1])
		}
		page.Events, err = v.events(ctx, ids, q.Records)
		return err
	})
	if err != nil {
		return history.Page{}, err
	}
	return page, nil
}

// list finds the ids of the first events of a plan.
func (v *view) list(ctx context.Context, p *plan, oldest bool, limit int) ([]int64, error) {
	if len(p.conditions) == 0 && len(p.pieces) == 0 {
		direction := "DESC"
		if oldest {
			direction = "ASC"
		}
		rows, err := v.tx.QueryContext(ctx, "SELECT id FROM event WHERE id BETWEEN ? AND ? ORDER BY id "+direction+" LIMIT ?", p.from, p.to, limit)
		if err != nil {
			return nil, err
		}
		return appendRows(nil, rows)
	}
	v.order(oldest)
	var ids []int64
	for _, x := range v.parts {
		if len(ids) == limit && before(ids[limit-1], x, oldest) {
			break
		}
		if x.newest < p.from || x.oldest > p.to {
			continue
		}
		found, err := v.listPart(ctx, p, x, walk{oldest, limit})
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
		slices.Sort(ids)
		if !oldest {
			slices.Reverse(ids)
		}
		ids = ids[:min(limit, len(ids))]
	}
	return ids, nil
}

// before reports whether an event comes before all of a segment.
func before(id int64, x stored, oldest bool) bool {
	if oldest {
		return id < x.oldest
	}
	return id > x.newest
}

// walk says in which order events are taken from a part, and how many.
type walk struct {
	oldest bool
	limit  int
}

// listPart finds the first events of one segment.
func (v *view) listPart(ctx context.Context, p *plan, x stored, w walk) (ids []int64, err error) {
	part, err := v.open(ctx, x)
	if err != nil {
		return nil, err
	}
	found, unsure, err := p.match(ctx, part)
	if err != nil {
		return nil, err
	}
	order := found.Descending
	if w.oldest {
		order = found.Ascending
	}
	var record cloudtrail.Record
	for doc := range order {
		ok, err := p.check(ctx, part, doc, unsure, &record)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if ids = append(ids, part.IDs[doc]); len(ids) == w.limit {
			break
		}
	}
	return ids, nil
}

// check reads an event's record if need be to see whether it has the pieces of text. record is scratch space.
func (p *plan) check(ctx context.Context, part *part, doc int, unsure []index.Set, record *cloudtrail.Record) (bool, error) {
	read := false
	for i, set := range unsure {
		if set == nil || !set.Has(doc) {
			continue
		}
		if !read {
			var packed []byte
			err := part.view.tx.QueryRowContext(ctx, "SELECT record FROM event WHERE id = ?", part.IDs[doc]).Scan(&packed)
			if err == nil {
				_, err = part.view.reader.record(ctx, packed, record)
			}
			if err != nil {
				return false, err
			}
			read = true
		}
		if !p.pieces[i].isIn(record) {
			return false, nil
		}
	}
	return true, nil
}
