package main

import (
	"context"
	"fmt"
	"time"
)

const (
	kneeFor    = 20 * time.Second // each
	kneeSettle = 10 * time.Second // of them are left out
)

// paceRow runs the daemon against a cluster whose answers take longer past so many requests at once, and measures how many
// there are ten seconds behind each change. What gets done is compared with the most that such a cluster can do.
func paceRow(ctx context.Context, s setting) ([]figure, error) {
	knees := []int{8, 2, 24, 8}
	sc := s.scene(400_000, 53)
	sc.Knees, sc.KneeFor = knees, kneeFor
	s.limits = "{bulk_bytes: 64KiB}" // so that the requests are many
	st, err := newStage(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	defer st.close()
	var t tally
	for t.FirstBulk.IsZero() {
		if t, err = st.tally(ctx); err != nil {
			return nil, err
		}
		if err = pause(ctx, pollEvery); err != nil {
			return nil, err
		}
	}
	var figures []figure
	for i, knee := range knees {
		end := t.FirstBulk.Add(time.Duration(i+1) * kneeFor)
		if err = pause(ctx, time.Until(end.Add(-kneeFor+kneeSettle))); err != nil {
			return nil, err
		}
		before, err := st.tally(ctx)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		if err = pause(ctx, time.Until(end)); err != nil {
			return nil, err
		}
		after, err := st.tally(ctx)
		if err != nil {
			return nil, err
		}
		figures = append(figures, settled(knee, before, after, time.Since(start))...)
	}
	return figures, nil
}

// settled are the figures of one knee.
func settled(knee int, before, after tally, took time.Duration) []figure {
	n := float64(knee)
	mean := (after.InFlight - before.InFlight).Seconds() / took.Seconds()
	requests := float64(after.Requests-before.Requests) / took.Seconds()
	best := n / kneeBase.Seconds()
	name := fmt.Sprintf("a cluster that works on %d requests at once: ", knee)
	return []figure{
		{name + "in flight", fmt.Sprintf("%.1f", mean), fmt.Sprintf("%.1f to %.1f", 0.7*n, 1.3*n), mean >= 0.7*n && mean <= 1.3*n},
		{name + "requests", fmt.Sprintf("%.0f %% of the %.0f/s it can do", requests/best*100, best), "at least 90 %", requests >= 0.9*best},
	}
}
