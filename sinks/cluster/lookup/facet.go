package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trailship/trailship/history"
)

// Facets counts values: by the cluster where it can tell both the events and their values, else among the newest events.
func (c *Cluster) Facets(ctx context.Context, q history.Query, attributes []history.Attribute, most int) (history.Facets, error) {
	if err := c.checkFacets(attributes, most); err != nil {
		return history.Facets{}, err
	}
	p, _, err := c.ask(ctx, &history.Query{Filters: q.Filters, Text: q.Text, Since: q.Since, Until: q.Until})
	if err != nil {
		return history.Facets{}, err
	}
	if p.sure() && !slices.ContainsFunc(attributes, func(a history.Attribute) bool { return !aggregated(a) }) {
		return c.aggregate(ctx, p, attributes, most)
	}
	sum, err := c.tally(ctx, p, fieldsToCount(p, attributes))
	if err != nil {
		return history.Facets{}, err
	}
	out := history.Facets{Base: int64(len(sum.events)), Exact: sum.exact(), Lacks: sum.lacks}
	for _, a := range attributes {
		out.Facets = append(out.Facets, facetOf(a, sum.count(a), most))
	}
	return out, nil
}

func (c *Cluster) checkFacets(attributes []history.Attribute, most int) error {
	for _, a := range attributes {
		if !history.Counted(a) || !slices.Contains(history.Attributes(), a) {
			return history.Wrong("values of %q are not counted", a)
		}
		if err := c.checkObjects(a); err != nil {
			return err
		}
	}
	if most < 1 || most > history.MaxFacets {
		return history.Wrong("ask for 1 to %d values, not %d", history.MaxFacets, most)
	}
	return nil
}

// aggregated reports whether the cluster can count the values of an attribute.
func aggregated(a history.Attribute) bool {
	return sources(a) != nil || a != history.TraitIs && history.Words(a) != nil
}

// aggregate lets the cluster count.
func (c *Cluster) aggregate(ctx context.Context, p *plan, attributes []history.Attribute, most int) (history.Facets, error) {
	s := &search{Query: p.query(), Total: true, Aggregations: map[string]aggregation{}}
	for _, a := range attributes {
		aggregateOf(a, most, s.Aggregations)
	}
	got, err := c.search(ctx, s)
	if err != nil {
		return history.Facets{}, err
	}
	out := history.Facets{Base: got.Hits.Total.Value, Lacks: got.lacks()}
	out.Exact = out.Lacks == ""
	for _, a := range attributes {
		counted, exact := got.count(a)
		out.Exact = out.Exact && exact
		out.Facets = append(out.Facets, facetOf(a, counted, most))
	}
	return out, nil
}

// aggregateOf adds the aggregations that count an attribute.
func aggregateOf(a history.Attribute, most int, to map[string]aggregation) {
	for i, from := range sources(a) {
		to[fmt.Sprintf("%s %d", a, i)] = aggregation{Filter: &from.when, Within: map[string]aggregation{
			"values": {Terms: &terms{Field: from.field, Size: most + 1, Each: max(4*most, 500)}},
		}}
	}
	if sources(a) != nil {
		return
	}
	for _, says := range history.Words(a) {
		clause := word(a, says)
		to[string(a)+" "+says] = aggregation{Filter: &clause}
	}
}

// count is what the cluster has counted of an attribute. It is not exact when a shard may have left out a value.
func (a *answer) count(of history.Attribute) (counted map[string]int64, exact bool) {
	counted, exact = map[string]int64{}, true
	for i := range sources(of) {
		values := a.Aggregations[fmt.Sprintf("%s %d", of, i)].Values
		if values == nil {
			continue
		}
		exact = exact && values.Error == 0
		for j := range values.Buckets {
			counted[values.Buckets[j].text()] += values.Buckets[j].Count
		}
	}
	for _, says := range history.Words(of) {
		if n := a.Aggregations[string(of)+" "+says].Count; n > 0 {
			counted[says] = n
		}
	}
	return counted, exact
}

// facetOf is the most frequent of the values.
func facetOf(a history.Attribute, counted map[string]int64, most int) history.Facet {
	facet := history.Facet{Attribute: a}
	for v, n := range counted {
		facet.Values = append(facet.Values, history.Count{Value: v, Count: n})
	}
	slices.SortFunc(facet.Values, func(x, y history.Count) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Value, y.Value))
	})
	if facet.More = len(facet.Values) > most; facet.More {
		facet.Values = facet.Values[:most]
	}
	return facet
}

// Values finds values that contain a text: in the whole index where the cluster can tell them, else among the newest events
// that may have them.
func (c *Cluster) Values(ctx context.Context, a history.Attribute, text string, most int) (history.Facet, error) {
	if err := c.checkFacets([]history.Attribute{a}, most); err != nil {
		return history.Facet{}, err
	}
	if len(text) > history.MaxText {
		return history.Facet{}, history.Wrong("the text to look for has %d bytes: give at most %d", len(text), history.MaxText)
	}
	p := &plan{}
	var fields []query
	for _, from := range sources(a) {
		fields = append(fields, matches(from.field, containing(text)))
	}
	switch {
	case fields != nil:
		p.clauses = append(p.clauses, either(fields...))
	case history.Words(a) == nil:
		clause, _ := simpleClause(&history.Filter{Attribute: a, Values: []string{"*" + text + "*"}, Glob: true})
		p.clauses = append(p.clauses, clause)
	}
	var counted map[string]int64
	more := false
	if aggregated(a) {
		found, err := c.aggregate(ctx, p, []history.Attribute{a}, most)
		if err != nil {
			return history.Facet{}, err
		}
		counted, more = countsOf(&found.Facets[0]), found.Facets[0].More || !found.Exact
	} else {
		sum, err := c.tally(ctx, p, fieldsToCount(p, []history.Attribute{a}))
		if err != nil {
			return history.Facet{}, err
		}
		counted, more = sum.count(a), !sum.exact()
	}
	for v := range counted {
		if !strings.Contains(strings.ToLower(v), strings.ToLower(text)) {
			delete(counted, v)
		}
	}
	facet := facetOf(a, counted, most)
	facet.More = facet.More || more
	return facet, nil
}

func countsOf(f *history.Facet) map[string]int64 {
	counted := make(map[string]int64, len(f.Values))
	for _, v := range f.Values {
		counted[v.Value] = v.Count
	}
	return counted
}
