package lookup

import (
	"context"
	"time"

	"github.com/trailship/trailship/history"
)

// tally is the newest events of a plan, to be counted here.
type tally struct {
	events []history.Description
	more   bool // there are older ones, which are not among them
	lacks  string
}

func (s *tally) exact() bool { return !s.more && s.lacks == "" }

// tally gathers the newest events of a plan, out of maxLooked.
func (c *Cluster) tally(ctx context.Context, p *plan, fields sourced) (*tally, error) {
	s := &tally{}
	w := walk{plan: p, fields: fields, batch: maxBatch}
	err := c.walk(ctx, &w, func(f *found, _ cursor) bool {
		f.Record = nil
		s.events = append(s.events, f.Description)
		return true
	})
	s.more, s.lacks = w.more, w.lacks
	return s, err
}

// count counts the values of an attribute. Of the names of a user the one is counted that is shown.
func (s *tally) count(a history.Attribute) map[string]int64 {
	counted := map[string]int64{}
	for i := range s.events {
		d := &s.events[i]
		if a == history.User {
			if d.User != "" {
				counted[d.User]++
			}
			continue
		}
		for _, v := range d.Values(a) {
			counted[v]++
		}
	}
	return counted
}

// histogram is the histogram of the events.
func (s *tally) histogram(most int) history.Histogram {
	h := history.Histogram{Total: int64(len(s.events)), Exact: s.exact(), Lacks: s.lacks}
	var oldest, newest time.Time
	for i := range s.events {
		d := &s.events[i]
		if d.Outcome != history.Success {
			h.Failed++
		}
		if d.Time.IsZero() {
			continue
		}
		if oldest.IsZero() || d.Time.Before(oldest) {
			oldest = d.Time
		}
		if d.Time.After(newest) {
			newest = d.Time
		}
	}
	if oldest.IsZero() {
		return h
	}
	h.Step = history.StepFor(oldest.Unix(), newest.Unix(), most)
	h.Bars = history.BarsFor(oldest.Unix(), newest.Unix(), h.Step)
	for i := range s.events {
		if d := &s.events[i]; !d.Time.IsZero() {
			add(&h.Bars[int(d.Time.Sub(h.Bars[0].From)/h.Step)], d.Outcome)
		}
	}
	return h
}

func add(b *history.Bar, o history.Outcome) {
	switch o {
	case history.Success:
		b.Success++
	case history.Failure:
		b.Failure++
	case history.Denied:
		b.Denied++
	}
}
