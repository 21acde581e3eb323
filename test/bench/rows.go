package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// setting is what all rows share.
type setting struct {
	binary, samples string
	records         int
	idle            time.Duration
	strict          bool
}

// figure is one line of the table.
type figure struct {
	what, got, bound string
	ok               bool
}

const (
	warmUp    = 3 * time.Second
	pollEvery = 50 * time.Millisecond
	mebibyte  = 1 << 20
)

// throughput drains objects of perObject records and measures rate, CPU and memory behind the warm-up.
func throughput(ctx context.Context, s setting, records, perObject int, minRate float64) ([]figure, error) {
	st, err := newStage(ctx, s, records/perObject, perObject)
	if err != nil {
		return nil, err
	}
	defer st.close()
	records = records / perObject * perObject
	run, err := st.drain(ctx, records)
	if err != nil {
		return nil, err
	}
	peak := st.daemon.peak()
	name := fmt.Sprintf("%d records in objects of %d: ", records, perObject)
	figures := []figure{
		{
			name + "resident memory", fmt.Sprintf("%.0f MiB", float64(peak)/mebibyte), "at most 128 MiB", peak <= 128*mebibyte,
		},
		{name + "doubled", strconv.Itoa(run.last.Duplicates), "0", run.last.Duplicates == 0},
	}
	if minRate > 0 {
		n, took := float64(run.last.Stored-run.warm.Stored), run.end.Sub(run.warmAt).Seconds()
		cpu := (run.cpuEnd - run.cpuWarm).Seconds() / n * 1e6
		figures = append([]figure{{
			name + "rate", fmt.Sprintf("%.0f records/s", n/took), fmt.Sprintf("at least %.0f", minRate), n/took >= minRate,
		}, {
			name + "CPU of the daemon", fmt.Sprintf("%.1f µs a record", cpu), "", true,
		}, {
			name + "CPU of the stand-in", fmt.Sprintf("%.1f µs a record", (run.standInEnd-run.standInWarm).Seconds()/n*1e6), "", true,
		}, {
			name + "records a bulk request", fmt.Sprintf("%.0f", n/float64(run.last.Requests-run.warm.Requests)), "", true,
		}}, figures...)
	}
	if _, err = st.daemon.stop(); err != nil {
		return nil, fmt.Errorf("stopping the daemon: %w", err)
	}
	return figures, nil
}

// drained is what was seen while a queue was worked off.
type drained struct {
	warm, last              tally
	warmAt, end             time.Time
	cpuWarm, cpuEnd         time.Duration
	standInWarm, standInEnd time.Duration
}

// drain polls until every record is stored and every message deleted.
func (st *stage) drain(ctx context.Context, records int) (d drained, err error) {
	deadline := time.Now().Add(5 * time.Minute)
	for {
		if d.last, err = st.tally(ctx); err != nil {
			return d, err
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
			return d, fmt.Errorf("%d of %d records are stored after 5 minutes", d.last.Stored, records)
		}
		if err = pause(ctx, pollEvery); err != nil {
			return d, err
		}
	}
}

// life measures start, idleness and stop.
func life(ctx context.Context, s setting) ([]figure, error) {
	st, err := newStage(ctx, s, 0, 1)
	if err != nil {
		return nil, err
	}
	defer st.close()
	var t tally
	for t.FirstReceive.IsZero() {
		if t, err = st.tally(ctx); err != nil {
			return nil, err
		}
		if time.Since(st.daemon.started) > 30*time.Second {
			return nil, errors.New("the daemon receives nothing for 30 seconds")
		}
		if err = pause(ctx, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
	start := t.FirstReceive.Sub(st.daemon.started)
	if err = pause(ctx, time.Second); err != nil {
		return nil, err
	}
	before := st.daemon.cpu()
	if err = pause(ctx, s.idle); err != nil {
		return nil, err
	}
	idle := (st.daemon.cpu() - before).Seconds() / s.idle.Seconds() * 100
	stop, err := st.daemon.stop()
	if err != nil {
		return nil, fmt.Errorf("stopping the daemon: %w", err)
	}
	return []figure{
		{"start to first receive", fmt.Sprintf("%d ms", start.Milliseconds()), "under 1000 ms", start < time.Second},
		{"idle CPU", fmt.Sprintf("%.2f %% of a core", idle), "under 1 %", idle < 1},
		{"SIGTERM to exit when idle", fmt.Sprintf("%d ms", stop.Milliseconds()), "under 2000 ms", stop < 2*time.Second},
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
