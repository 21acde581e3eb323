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
	strict, short   bool
	opensearch      string // the address of a real one
	sink, limits    string // YAML, in place of the stand-in's cluster and the defaults
	visibility      string // of messages; "" is the default
	listen          string // the address of the daemon's status page; "" is none
}

// figure is one line of the table.
type figure struct {
	what, got, bound string
	ok               bool
}

// row is a named measurement.
type row struct {
	name, what string
	run        func(ctx context.Context, s setting) ([]figure, error)
}

// rows are all there are, in the order of the table. Those that are not usual are measured when they are named.
func rows() (usual, more []row) {
	usual = []row{
		{"records53", "objects of 53 records", records53},
		{"records1", "objects of 1 record", records1},
		{"large", "one object of 40,000 records", large},
		{"latency", "sent to indexed at 1,000 records/s", latency},
		{"slow", "answers after 200 ms, S3 after 100 ms", slow},
		{"faults", "10 % item 429, 5 % HTTP 503, 5 % S3 503", faults},
		{"life", "start, idleness, stop", life},
	}
	more = []row{
		{"replicas", "three daemons on one queue, one killed every 20 seconds", replicas},
		{"pace", "a cluster that works on 2, 8, 24 requests at once", paceRow},
		{"opensearch", "a real OpenSearch 3.5.0", openSearch},
	}
	return usual, more
}

const (
	warmUp    = 3 * time.Second
	pollEvery = 50 * time.Millisecond
	mebibyte  = 1 << 20
)

func (s setting) scene(records, perObject int) scene {
	return scene{Samples: s.samples, Objects: max(records/perObject, 1), PerObject: perObject}
}

// rate is a bound on records or objects a second and on the CPU of each; 0 is no bound.
type rate struct {
	unit  string
	least float64 // a second
	cpu   float64 // microseconds
}

func records53(ctx context.Context, s setting) ([]figure, error) {
	return throughput(ctx, s, s.scene(s.records, 53), rate{"record", 60_000, 18})
}

func records1(ctx context.Context, s setting) ([]figure, error) {
	return throughput(ctx, s, s.scene(s.records/10, 1), rate{"object", 2500, 400})
}

func large(ctx context.Context, s setting) ([]figure, error) {
	const records = 40_000
	return throughput(ctx, s, s.scene(records, records), rate{unit: "record"})
}

// throughput drains a scene and measures CPU, rate and memory behind the warm-up.
func throughput(ctx context.Context, s setting, sc scene, r rate) ([]figure, error) {
	run, err := drain(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d objects of %d: ", sc.Objects, sc.PerObject)
	cpu, each := run.cpu(), run.rate()
	figures := []figure{
		{name + "CPU of the daemon", fmt.Sprintf("%.1f µs a %s", cpu, r.unit), atMost(r.cpu, "µs"), r.cpu == 0 || cpu <= r.cpu},
		{name + "rate", fmt.Sprintf("%.0f %ss/s", each, r.unit), atLeast(r.least), each >= r.least},
		{name + "CPU of the stand-in", fmt.Sprintf("%.1f µs a %s", run.standIn(), r.unit), "", true},
		{name + "records a bulk request", fmt.Sprintf("%.0f", run.stored()/float64(run.last.Requests-run.warm.Requests)), "", true},
	}
	return append(figures, run.memory(name)...), nil
}

func atMost(n float64, unit string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("at most %.0f %s", n, unit)
}

func atLeast(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("at least %.0f/s", n)
}

// latency offers 1,000 records a second for half a minute.
func latency(ctx context.Context, s setting) ([]figure, error) {
	const offered = 1000
	seconds := 30
	if s.short {
		seconds = 6
	}
	sc := s.scene(offered*seconds, 53)
	sc.Offer = offered
	run, err := drain(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	took := run.last.Latency
	at := func(part float64) time.Duration { return took[int(part*float64(len(took)-1))] }
	p50, p99 := at(0.5), at(0.99)
	const name = "sent to indexed at 1,000 records/s: "
	figures := []figure{
		{name + "median", milliseconds(p50), "at most 150 ms", p50 <= 150*time.Millisecond},
		{name + "99th percentile", milliseconds(p99), "at most 500 ms", p99 <= 500*time.Millisecond},
		{name + "CPU of the daemon", fmt.Sprintf("%.1f µs a record", run.cpu()), "", true},
	}
	return append(figures, run.memory(name)...), nil
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// slow and faults compare with the same scene without what is wrong with it.
func slow(ctx context.Context, s setting) ([]figure, error) {
	sc := s.scene(s.records, 53)
	sc.BulkDelay, sc.S3Delay = 200*time.Millisecond, 100*time.Millisecond
	return compare(ctx, s, sc, "answers after 200 ms, S3 after 100 ms: ", 0.9)
}

func faults(ctx context.Context, s setting) ([]figure, error) {
	sc := s.scene(s.records, 53)
	sc.ItemBusy, sc.BulkBusy, sc.S3Busy = 0.1, 0.05, 0.05
	return compare(ctx, s, sc, "10 % item 429, 5 % HTTP 503, 5 % S3 503: ", 0.5)
}

// compare runs the scene between two runs without what is wrong with it: a machine's speed changes.
func compare(ctx context.Context, s setting, sc scene, name string, least float64) ([]figure, error) {
	plain := s.scene(sc.Objects*sc.PerObject, sc.PerObject)
	var runs [3]*drained
	for i, sc := range []scene{plain, sc, plain} {
		var err error
		if runs[i], err = drain(ctx, s, sc); err != nil {
			return nil, err
		}
	}
	run := runs[1]
	usual := (runs[0].rate() + runs[2].rate()) / 2
	part := run.rate() / usual
	figures := []figure{
		{name + "part of the rate without", fmt.Sprintf("%.0f %% of %.0f records/s", part*100, usual), fmt.Sprintf("at least %.0f %%", least*100), part >= least},
		{name + "CPU of the daemon", fmt.Sprintf("%.1f µs a record, %.1f without", run.cpu(), (runs[0].cpu()+runs[2].cpu())/2), "", true},
	}
	return append(figures, run.memory(name)...), nil
}

// life measures start, idleness and stop.
func life(ctx context.Context, s setting) ([]figure, error) {
	st, err := newStage(ctx, s, scene{Samples: s.samples, PerObject: 1})
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
		{"start to first receive", milliseconds(start), "under 1000 ms", start < time.Second},
		{"idle CPU", fmt.Sprintf("%.2f %% of a core", idle), "under 1 %", idle < 1},
		{"SIGTERM to exit when idle", milliseconds(stop), "under 2000 ms", stop < 2*time.Second},
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// memory are the figures that every row has.
func (d *drained) memory(name string) []figure {
	return []figure{
		{name + "resident memory", fmt.Sprintf("%.0f MiB", float64(d.peak)/mebibyte), "at most 128 MiB", d.peak <= 128*mebibyte},
		{name + "doubled", strconv.Itoa(d.doubled), "0", d.doubled == 0},
	}
}
