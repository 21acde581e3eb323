package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

const lookEvery = 5 * time.Second

// watch looks at a daemon again and again, and writes a line each period.
type watch struct {
	config string // path of the daemon's configuration, which tells its address; written before the daemon starts
	period time.Duration
	out    io.Writer

	began   time.Time
	samples []*sample // one each lookEvery
	from    int       // the first sample of the period under way
}

// until looks until done is closed.
func (w *watch) until(ctx context.Context, done <-chan struct{}) error {
	w.began = time.Now()
	fmt.Fprintln(w.out, "minutes   records   p50      p90      p99      MiB resident   heap   goroutines   files")
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
			return w.line()
		case <-tick.C:
		}
		if s, err := look(ctx, w.config); err == nil { // it is starting, or ending
			s.at = time.Since(w.began)
			w.samples = append(w.samples, s)
		}
		if w.due() {
			if err := w.line(); err != nil {
				return err
			}
		}
	}
}

// due reports whether the period under way is over.
func (w *watch) due() bool {
	n := len(w.samples)
	return n > w.from && w.samples[n-1].at >= w.period*(w.samples[w.from].at/w.period+1)
}

// line writes what the period under way was like, and begins the next one.
func (w *watch) line() error {
	part := w.samples[w.from:]
	if len(part) < 2 {
		return nil
	}
	first, last := part[0], part[len(part)-1]
	most := func(of func(*sample) float64) float64 {
		return of(slices.MaxFunc(part, func(a, b *sample) int { return int(of(a) - of(b)) }))
	}
	sent := last.sent.since(&first.sent)
	_, err := fmt.Fprintf(w.out, "%3.0f-%-3.0f  %9.0f  %-7s  %-7s  %-7s  %12.0f  %5.0f  %11.0f  %6.0f\n",
		first.at.Minutes(), last.at.Minutes(), last.records-first.records, sent.quantile(0.5), sent.quantile(0.9), sent.quantile(0.99),
		most((*sample).residentMiB), most((*sample).heapMiB), most((*sample).routines), most((*sample).files))
	w.from = len(w.samples) - 1
	return err
}

// summary writes how things changed with time, after a tenth of it in which buffers and caches fill.
func (w *watch) summary() error {
	settled := w.samples[len(w.samples)/10:]
	if len(settled) < 3 {
		return fmt.Errorf("judging the growth: %d looks are too few", len(w.samples))
	}
	fmt.Fprintf(w.out, "\nleast squares over the %s after the first tenth:\n", (settled[len(settled)-1].at - settled[0].at).Round(time.Second))
	for _, f := range []struct {
		name string
		of   func(*sample) float64
	}{
		{"MiB of resident memory", (*sample).residentMiB},
		{"MiB of heap in use", (*sample).heapMiB},
		{"goroutines", (*sample).routines},
		{"open files", (*sample).files},
	} {
		mean, slope := trend(settled, f.of)
		if _, err := fmt.Fprintf(w.out, "  %-24s %8.1f on average, %+8.2f an hour\n", f.name, mean, slope); err != nil {
			return err
		}
	}
	return nil
}

// trend is the mean of a figure and how it grows in an hour, by least squares.
func trend(samples []*sample, of func(*sample) float64) (mean, slope float64) {
	n := float64(len(samples))
	var at float64
	for _, s := range samples {
		at += s.at.Hours() / n
		mean += of(s) / n
	}
	var up, across float64
	for _, s := range samples {
		d := s.at.Hours() - at
		up += d * (of(s) - mean)
		across += d * d
	}
	return mean, up / across
}
