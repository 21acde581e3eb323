package lookup

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/trailship/trailship/history"
)

// plan is a question in terms of the cluster.
type plan struct {
	clauses []query
	// What the clauses pass must still pass these: the cluster cannot tell. Without them it counts by itself.
	filters []history.Filter
	pieces  []string // of the text, in small letters
}

// sure reports whether the cluster itself can tell which documents pass.
func (p *plan) sure() bool { return len(p.filters) == 0 && len(p.pieces) == 0 }

func (p *plan) query() query { return all(p.clauses...) }

// pass reports whether a document passes what the cluster could not tell.
func (p *plan) pass(f *found) bool {
	for i := range p.filters {
		if !p.filters[i].Pass(&f.Description) {
			return false
		}
	}
	for _, piece := range p.pieces {
		if !f.contains(piece) {
			return false
		}
	}
	return true
}

// planOf makes a plan of a valid question. It may ask the cluster.
func (c *Cluster) planOf(ctx context.Context, q *history.Query) (*plan, error) {
	p := &plan{}
	if span, ok := spanOf(q); ok {
		p.clauses = append(p.clauses, span)
	}
	for i := range q.Filters {
		if err := c.addFilter(ctx, p, &q.Filters[i], q.Until); err != nil {
			return nil, err
		}
	}
	for _, piece := range history.Pieces(q.Text) {
		p.pieces = append(p.pieces, strings.ToLower(piece))
		p.clauses = append(p.clauses, c.containingPiece(piece))
	}
	return p, nil
}

// spanOf is the time range. Bounds are to the second, the last one with all of it.
func spanOf(q *history.Query) (query, bool) {
	var b bounds
	if !q.Since.IsZero() {
		b.From = q.Since.At.UTC().Format(time.RFC3339Nano)
	}
	if !q.Until.IsZero() {
		b.Below = q.Until.At.UTC().Truncate(time.Second).Add(time.Second).Format(time.RFC3339Nano)
	}
	b.Format = "strict_date_optional_time_nanos"
	return query{Range: map[string]bounds{fieldTime: b}}, b.From != "" || b.Below != ""
}

// addFilter adds a filter to a plan: as a clause as far as the cluster can tell, and to be looked at as far as not.
func (c *Cluster) addFilter(ctx context.Context, p *plan, f *history.Filter, until history.Bound) error {
	clause, sure, err := c.clauseOf(ctx, f, until)
	switch {
	case err != nil:
		return err
	case f.Not && sure:
		p.clauses = append(p.clauses, neither(clause))
	case !f.Not:
		p.clauses = append(p.clauses, clause)
	}
	if !sure {
		p.filters = append(p.filters, *f)
	}
	return nil
}

// clauseOf passes what a filter without Not passes. When it is not sure it passes more.
func (c *Cluster) clauseOf(ctx context.Context, f *history.Filter, until history.Bound) (clause query, sure bool, err error) {
	if err := c.checkObjects(f.Attribute); err != nil {
		return query{}, false, err
	}
	switch f.Attribute {
	case history.EventID:
		if f.Glob {
			return query{}, false, history.Wrong("eventId takes no *: write the whole id")
		}
		return documents(withoutEmpty(f.Values)...), true, nil
	case history.First:
		clause, err = c.firstOf(ctx, f.Values, until)
		return clause, true, err
	case history.TraitIs:
		return c.traits(ctx, f.Values)
	}
	clause, sure = simpleClause(f)
	return clause, sure, nil
}

// checkObjects refuses what only the objects of requests and responses tell, where the documents do not have them.
func (c *Cluster) checkObjects(a history.Attribute) error {
	if !c.objects && ofObjects(a) {
		return history.Wrong("%s cannot be told: by output.retain the documents do not have requests and responses as objects; with all or flattened new ones do", a)
	}
	return nil
}

// ofObjects reports whether an attribute is told from the objects of requests and responses.
func ofObjects(a history.Attribute) bool {
	switch a {
	case history.ResourceName, history.ResourceType, history.Issued, history.TraitIs, history.LeafValue:
		return true
	}
	return false
}

func withoutEmpty(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
}

// simpleClause is a clause that needs no question of its own.
func simpleClause(f *history.Filter) (clause query, sure bool) {
	if name := fieldOf(f.Attribute); name != "" {
		return inField(name, f), true
	}
	if history.Words(f.Attribute) != nil {
		return eitherOf(f.Values, func(v string) query { return word(f.Attribute, v) }), true
	}
	switch f.Attribute {
	case history.Account:
		return either(inField(fieldRecipient, f), all(neither(has(fieldRecipient)), inField(fieldAccount, f))), true
	case history.User:
		if f.Glob {
			return eitherOf(f.Values, userLike), false
		}
		return user(f.Values...), true
	case history.Session:
		if f.Glob {
			return has(fieldIdentity), false
		}
		return eitherOf(f.Values, session), true
	case history.Issued:
		if f.Glob {
			return has(fieldAction), false
		}
		return eitherOf(f.Values, issued), false
	case history.LeafValue:
		return eitherOf(objects(), func(name string) query { return inField(name, f) }), true
	case history.ResourceName:
		if f.Glob {
			return eitherOf(f.Values, resourceLike), false
		}
		return resource(f.Values...), false
	}
	return everything(), false
}

func eitherOf(values []string, clause func(string) query) query {
	clauses := make([]query, len(values))
	for i, v := range values {
		clauses[i] = clause(v)
	}
	return either(clauses...)
}

// inField passes the values of a filter in a field.
func inField(name string, f *history.Filter) query {
	if !f.Glob {
		return is(name, f.Values...)
	}
	return eitherOf(f.Values, func(v string) query { return matches(name, glob(v)) })
}
