package local

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local/index"
)

// maxChecks is how many records are read to count the events that have a text in them; older ones are not counted then.
const maxChecks = 10_000

// matched is a part and its events that pass a plan.
type matched struct {
	*part
	found index.Set
	all   bool // every event of the part passes
}

// matchAll finds all events of a plan. exact is false when there were too many to be checked.
func (v *view) matchAll(ctx context.Context, p *plan) (all []matched, exact bool, err error) {
	v.order(false)
	checks := maxChecks
	for _, x := range v.parts {
		if x.newest < p.from || x.oldest > p.to {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		part, err := v.open(ctx, x)
		if err != nil {
			return nil, false, err
		}
		m := matched{part: part, all: len(p.conditions) == 0 && len(p.pieces) == 0 && x.oldest >= p.from && x.newest <= p.to}
		found, unsure, err := p.match(ctx, part)
		if err != nil {
			return nil, false, err
		}
		if err := p.checkAll(ctx, part, found, unsure, &checks); err != nil {
			return nil, false, err
		}
		if m.found = found; !found.Empty() {
			all = append(all, m)
		}
	}
	return all, checks >= 0, nil
}

// checkAll takes out of found what does not have the text, and what is not checked any more.
func (p *plan) checkAll(ctx context.Context, part *part, found index.Set, unsure []index.Set, checks *int) error {
	doubtful := index.NewSet(part.Docs())
	for _, set := range unsure {
		if set != nil {
			doubtful.Or(set)
		}
	}
	doubtful.And(found)
	var record cloudtrail.Record
	for doc := range doubtful.Descending {
		ok := false
		if *checks--; *checks >= 0 {
			var err error
			if ok, err = p.check(ctx, part, doc, unsure, &record); err != nil {
				return err
			}
		}
		if !ok {
			found.Remove(doc)
		}
	}
	return nil
}

// Facets counts values among all events of the query.
func (r *Reader) Facets(ctx context.Context, q history.Query, attributes []history.Attribute, most int) (history.Facets, error) {
	if err := checkFacets(attributes, most); err != nil {
		return history.Facets{}, err
	}
	out := history.Facets{Facets: make([]history.Facet, 0, len(attributes))}
	err := r.answer(ctx, &q, func(v *view, p *plan) error {
		all, exact, err := v.matchAll(ctx, p)
		if err != nil {
			return err
		}
		out.Exact = exact
		for _, m := range all {
			out.Base += int64(m.found.Count())
		}
		for _, a := range attributes {
			facet, err := facetOf(ctx, all, a, most)
			if err != nil {
				return err
			}
			out.Facets = append(out.Facets, facet)
		}
		return nil
	})
	return out, err
}

func checkFacets(attributes []history.Attribute, most int) error {
	for _, a := range attributes {
		if !history.Counted(a) || shownCode(a) == 0 {
			return history.Wrong("values of %q are not counted", a)
		}
	}
	if most < 1 || most > history.MaxFacets {
		return history.Wrong("ask for 1 to %d values, not %d", history.MaxFacets, most)
	}
	return nil
}

func facetOf(ctx context.Context, all []matched, a history.Attribute, most int) (history.Facet, error) {
	counts := make(map[string]int64)
	for _, m := range all {
		err := m.scanCode(ctx, shownCode(a), func(key []byte, l index.List) (err error) {
			n := l.N
			if !m.all {
				n, err = l.CountIn(m.found)
			}
			if n > 0 {
				counts[string(key)] += int64(n)
			}
			return err
		})
		if err != nil {
			return history.Facet{}, err
		}
	}
	return top(a, counts, most), nil
}

// top is the most frequent of the values that keys stand for. A denied call is a failed one, too.
func top(a history.Attribute, counts map[string]int64, most int) history.Facet {
	facet := history.Facet{Attribute: a}
	for key, n := range counts {
		facet.Values = append(facet.Values, history.Count{Value: valueOf([]byte(key)), Count: n})
	}
	if denied := counts[indexKey(a, history.Denied.String())]; a == history.OutcomeIs && denied > 0 {
		failure := history.Failure.String()
		i := slices.IndexFunc(facet.Values, func(c history.Count) bool { return c.Value == failure })
		if i < 0 {
			i = len(facet.Values)
			facet.Values = append(facet.Values, history.Count{Value: failure})
		}
		facet.Values[i].Count += denied
	}
	slices.SortFunc(facet.Values, func(a, b history.Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if facet.More = len(facet.Values) > most; facet.More {
		facet.Values = facet.Values[:most]
	}
	return facet
}

// Values finds values that contain a text in the whole store.
func (r *Reader) Values(ctx context.Context, a history.Attribute, text string, most int) (facet history.Facet, err error) {
	if err := checkFacets([]history.Attribute{a}, most); err != nil {
		return facet, err
	}
	if len(text) > history.MaxText {
		return facet, history.Wrong("the text to look for has %d bytes: give at most %d", len(text), history.MaxText)
	}
	small := newPiece(text).text
	err = r.answer(ctx, &history.Query{}, func(v *view, _ *plan) error {
		counts := make(map[string]int64)
		for _, x := range v.parts {
			part, err := v.open(ctx, x)
			if err != nil {
				return err
			}
			if err := part.scanCode(ctx, shownCode(a), func(key []byte, l index.List) error {
				if containsFold([]byte(valueOf(key)), small) {
					counts[string(key)] += int64(l.N)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		facet = top(a, counts, most)
		return nil
	})
	return facet, err
}

// Histogram counts all events of the query over time.
func (r *Reader) Histogram(ctx context.Context, q history.Query, bars int) (history.Histogram, error) {
	if bars < 1 || bars > history.MaxBars {
		return history.Histogram{}, history.Wrong("ask for 1 to %d bars, not %d", history.MaxBars, bars)
	}
	var h history.Histogram
	err := r.answer(ctx, &q, func(v *view, p *plan) error {
		all, exact, err := v.matchAll(ctx, p)
		if err != nil {
			return err
		}
		h.Exact = exact
		first, last := extentOf(all)
		if first <= last {
			h.Step = history.StepFor(first, last, bars)
			h.Bars = history.BarsFor(first, last, h.Step)
		}
		for _, m := range all {
			if err := m.tally(ctx, &h); err != nil {
				return err
			}
		}
		return nil
	})
	return h, err
}

// extentOf is the first and the last second of matched events whose time is known.
func extentOf(all []matched) (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	for _, m := range all {
		from, _ := m.Range(dated, math.MaxInt64)
		for doc := range m.found.Ascending {
			if doc >= from {
				first = min(first, m.IDs[doc]>>sequenceBits)
				break
			}
		}
		for doc := range m.found.Descending {
			if doc >= from {
				last = max(last, m.IDs[doc]>>sequenceBits)
			}
			break
		}
	}
	return first, last
}

// tally adds the events of a part to a histogram.
func (m *matched) tally(ctx context.Context, h *history.Histogram) error {
	var ended [2]index.Set
	for i, o := range []history.Outcome{history.Failure, history.Denied} {
		ended[i] = index.NewSet(m.Docs())
		if err := m.find(ctx, indexKey(history.OutcomeIs, o.String()), ended[i]); err != nil {
			return err
		}
		ended[i].And(m.found)
		h.Failed += int64(ended[i].Count())
	}
	h.Total += int64(m.found.Count())
	for i := range h.Bars {
		bar := &h.Bars[i]
		from, to := m.Range(max(dated, bar.From.Unix()<<sequenceBits), bar.To.Unix()<<sequenceBits-1)
		if from == to {
			continue
		}
		failed, denied := int64(ended[0].CountRange(from, to)), int64(ended[1].CountRange(from, to))
		bar.Failure += failed
		bar.Denied += denied
		bar.Success += int64(m.found.CountRange(from, to)) - failed - denied
	}
	return nil
}

// Extent says what the store holds.
func (r *Reader) Extent(ctx context.Context) (x history.Extent, err error) {
	err = r.look(ctx, func(v *view) error {
		var first, last int64
		err := v.tx.QueryRowContext(ctx, "SELECT ifnull(min(id), 0) FROM event WHERE id >= ?", max(dated, v.floor)).Scan(&first)
		if err == nil {
			err = v.tx.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM event WHERE id >= ?", max(dated, v.floor)).Scan(&last)
		}
		if first != 0 {
			x.Oldest, x.Newest = time.Unix(first>>sequenceBits, 0).UTC(), time.Unix(last>>sequenceBits, 0).UTC()
		}
		for _, s := range v.parts {
			x.Events += int64(s.docs)
		}
		return err
	})
	if err != nil {
		return x, fmt.Errorf("looking up the times of events: %w", cmp.Or(ctx.Err(), storeError(r.path, err)))
	}
	return x, nil
}

// dated is the first id of an event whose time is known: those of second 0 and some that follow, if it is full, have none.
const dated = 1_000_000 << sequenceBits
