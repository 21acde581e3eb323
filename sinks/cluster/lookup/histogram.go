package lookup

import (
	"context"
	"strconv"
	"time"

	"github.com/trailship/trailship/history"
)

// Histogram counts events over time: by the cluster where it can tell them, else the newest ones.
func (c *Cluster) Histogram(ctx context.Context, q history.Query, most int) (history.Histogram, error) {
	if most < 1 || most > history.MaxBars {
		return history.Histogram{}, history.Wrong("ask for 1 to %d bars, not %d", history.MaxBars, most)
	}
	p, _, err := c.ask(ctx, &history.Query{Filters: q.Filters, Text: q.Text, Since: q.Since, Until: q.Until})
	if err != nil {
		return history.Histogram{}, err
	}
	if !p.sure() {
		sum, err := c.tally(ctx, p, fieldsToCount(p, nil))
		if err != nil {
			return history.Histogram{}, err
		}
		return sum.histogram(most), nil
	}
	failed := ended(history.Failure.String())
	s := &search{Query: p.query(), Total: true, Aggregations: span()}
	s.Aggregations["failed"] = aggregation{Filter: &failed}
	got, err := c.search(ctx, s)
	if err != nil {
		return history.Histogram{}, err
	}
	h := history.Histogram{Total: got.Hits.Total.Value, Failed: got.Aggregations["failed"].Count, Lacks: got.lacks()}
	if oldest, newest := got.span(); !oldest.IsZero() {
		h.Step = history.StepFor(oldest.Unix(), newest.Unix(), most)
		h.Bars = history.BarsFor(oldest.Unix(), newest.Unix(), h.Step)
		err = c.fill(ctx, p, &h)
	}
	h.Exact = h.Lacks == ""
	return h, err
}

// fill counts the events of each bar.
func (c *Cluster) fill(ctx context.Context, p *plan, h *history.Histogram) error {
	failed, denied := ended(history.Failure.String()), ended(history.Denied.String())
	within := query{Range: map[string]bounds{fieldTime: { // no other bars: events go on being written
		From: h.Bars[0].From.Format(time.RFC3339), Below: h.Bars[len(h.Bars)-1].To.Format(time.RFC3339), Format: "strict_date_optional_time",
	}}}
	got, err := c.search(ctx, &search{Query: all(p.query(), within), Aggregations: map[string]aggregation{"bars": {
		Bars:   &bars{Field: fieldTime, Width: strconv.FormatInt(int64(h.Step/time.Second), 10) + "s", Least: 1},
		Within: map[string]aggregation{"failed": {Filter: &failed}, "denied": {Filter: &denied}},
	}}})
	if err != nil {
		return err
	}
	if h.Lacks == "" {
		h.Lacks = got.lacks()
	}
	for _, b := range got.Aggregations["bars"].Buckets {
		at, err := strconv.ParseInt(string(b.Key), 10, 64)
		i := (at/1000 - h.Bars[0].From.Unix()) / int64(h.Step/time.Second)
		if err != nil || i < 0 || i >= int64(len(h.Bars)) {
			continue
		}
		bar := &h.Bars[i]
		bar.Denied += b.Denied.Count
		bar.Failure += b.Failed.Count - b.Denied.Count
		bar.Success += b.Count - b.Failed.Count
	}
	return nil
}
