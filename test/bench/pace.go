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

// paced is how the daemon did while the cluster worked on so many requests at once.
type paced struct {
	knee     int
	inFlight float64
	rate     float64 // requests a second
}

// paceRow runs the daemon against a cluster whose answers take longer past so many requests at once, and measures how many
// there are ten seconds behind each change. What gets done is compared with the best fixed number of requests.
func paceRow(ctx context.Context, s setting) ([]figure, error) {
	knees := []int{8, 2, 24, 2}
	all, body, err := adapt(ctx, s, knees)
	if err != nil {
		return nil, err
	}
	best := map[int]constant{}
	var figures []figure
	for _, p := range all {
		if _, ok := best[p.knee]; !ok {
			if best[p.knee], err = bestConstant(ctx, s, p.knee, body); err != nil {
				return nil, err
			}
		}
		figures = append(figures, p.figures(best[p.knee])...)
	}
	return figures, nil
}

// adapt runs the daemon while the cluster changes, and returns one of its requests too.
func adapt(ctx context.Context, s setting, knees []int) (all []paced, body []byte, err error) {
	sc := s.scene(400_000, 53)
	sc.Knees, sc.KneeFor = knees, kneeFor
	s.limits = "{bulk_bytes: 64KiB}" // so that the requests are many
	st, err := newStage(ctx, s, sc)
	if err != nil {
		return nil, nil, err
	}
	defer st.close()
	var t tally
	for t.FirstBulk.IsZero() {
		if t, err = st.tally(ctx); err != nil {
			return nil, nil, err
		}
		if err = pause(ctx, pollEvery); err != nil {
			return nil, nil, err
		}
	}
	for i, knee := range knees {
		end := t.FirstBulk.Add(time.Duration(i+1) * kneeFor)
		p, err := st.paced(ctx, knee, end.Add(-kneeFor+kneeSettle), end)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, p)
	}
	body, err = st.get(ctx, "/request")
	return all, body, err
}

// paced watches the stand-in from one moment to another.
func (st *stage) paced(ctx context.Context, knee int, from, to time.Time) (p paced, err error) {
	if err = pause(ctx, time.Until(from)); err != nil {
		return p, err
	}
	before, err := st.tally(ctx)
	if err != nil {
		return p, err
	}
	start := time.Now()
	if err = pause(ctx, time.Until(to)); err != nil {
		return p, err
	}
	after, err := st.tally(ctx)
	if err != nil {
		return p, err
	}
	took := time.Since(start).Seconds()
	return paced{knee, (after.InFlight - before.InFlight).Seconds() / took, float64(after.Requests-before.Requests) / took}, nil
}

func (p paced) figures(best constant) []figure {
	n, part := float64(p.knee), p.rate/best.rate
	name := fmt.Sprintf("a cluster that works on %d requests at once: ", p.knee)
	return []figure{
		{name + "in flight", fmt.Sprintf("%.1f", p.inFlight), fmt.Sprintf("%.1f to %.1f", 0.7*n, 1.3*n), p.inFlight >= 0.7*n && p.inFlight <= 1.3*n},
		{
			name + "requests", fmt.Sprintf("%.1f/s, %.0f %% of %.1f/s with always %d", p.rate, part*100, best.rate, best.requests),
			"at least 90 %", part >= 0.9,
		},
	}
}
