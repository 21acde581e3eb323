package main

import (
	"context"
	"fmt"
	"time"
)

// drained is what was seen while a queue was worked off.
type drained struct {
	warm, last              tally
	warmAt, end             time.Time
	cpuWarm, cpuEnd         time.Duration
	standInWarm, standInEnd time.Duration
	peak                    int64
	doubled                 int // documents sent again that were stored, where nothing is faulty
}

func (d *drained) stored() float64 { return float64(d.last.Stored - d.warm.Stored) }

// rate is records a second, cpu the daemon's microseconds a record, standIn the stand-in's; all behind the warm-up.
func (d *drained) rate() float64 { return d.stored() / d.end.Sub(d.warmAt).Seconds() }
func (d *drained) cpu() float64  { return (d.cpuEnd - d.cpuWarm).Seconds() / d.stored() * 1e6 }
func (d *drained) standIn() float64 {
	return (d.standInEnd - d.standInWarm).Seconds() / d.stored() * 1e6
}

// drain runs the daemon over a scene until every record is stored, and ends it.
func drain(ctx context.Context, s setting, sc scene) (*drained, error) {
	st, err := newStage(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	defer st.close()
	d, err := st.drain(ctx, sc.Objects*sc.PerObject)
	if err != nil {
		return nil, err
	}
	d.peak, d.doubled = st.daemon.peak(), d.last.Duplicates
	if _, err = st.daemon.stop(); err != nil {
		return nil, fmt.Errorf("stopping the daemon: %w", err)
	}
	return d, nil
}

// drain polls until every record is stored.
func (st *stage) drain(ctx context.Context, records int) (*drained, error) {
	d := &drained{}
	deadline := time.Now().Add(5 * time.Minute)
	for {
		var err error
		if d.last, err = st.tally(ctx); err != nil {
			return nil, err
		}
		now := time.Now()
		if d.warmAt.IsZero() && !d.last.FirstReceive.IsZero() && now.Sub(d.last.FirstReceive) >= warmUp {
			d.warm, d.warmAt, d.cpuWarm, d.standInWarm = d.last, now, st.daemon.cpu(), st.standIn.cpu()
		}
		if d.last.Stored >= records {
			d.end, d.cpuEnd, d.standInEnd = now, st.daemon.cpu(), st.standIn.cpu()
			if d.warmAt.IsZero() {
				d.warmAt = d.last.FirstReceive // too short a run to leave anything out
			}
			return d, nil
		}
		if now.After(deadline) {
			return nil, fmt.Errorf("%d of %d records are stored after 5 minutes, and %d messages deleted; the daemon says:\n%s",
				d.last.Stored, records, d.last.Deleted, st.said())
		}
		if err = pause(ctx, pollEvery); err != nil {
			return nil, err
		}
	}
}
