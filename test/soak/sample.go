package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"time"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// sample is what the daemon's metrics said at one time.
type sample struct {
	at                               time.Duration // since the beginning
	records                          float64       // that have ended, whatever became of them
	sent                             histogram     // seconds from a notice to its records being stored
	resident, heap, goroutines, open float64
}

func (s *sample) residentMiB() float64 { return s.resident / (1 << 20) }
func (s *sample) heapMiB() float64     { return s.heap / (1 << 20) }
func (s *sample) routines() float64    { return s.goroutines }
func (s *sample) files() float64       { return s.open }

// look asks the daemon of this configuration for its metrics.
func look(ctx context.Context, config string) (*sample, error) {
	address, err := addressIn(config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	return &sample{
		records:    sum(families["trailship_records_total"]),
		sent:       histogramOf(families["trailship_sent_to_indexed_seconds"]),
		resident:   sum(families["process_resident_memory_bytes"]),
		heap:       sum(families["go_memstats_heap_inuse_bytes"]),
		goroutines: sum(families["go_goroutines"]),
		open:       sum(families["process_open_fds"]),
	}, nil
}

// addressIn is where the daemon of a configuration serves its metrics.
func addressIn(config string) (string, error) {
	text, err := os.ReadFile(config)
	if err != nil {
		return "", err
	}
	var c struct {
		Server struct{ Listen string }
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return "", err
	}
	return c.Server.Listen, nil
}

// sum adds up a counter or gauge over its labels.
func sum(f *dto.MetricFamily) (total float64) {
	for _, m := range f.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}

// histogram counts observations that are at most each bound.
type histogram struct {
	bounds []float64
	counts []uint64
}

func histogramOf(f *dto.MetricFamily) (h histogram) {
	for _, m := range f.GetMetric() {
		for _, b := range m.GetHistogram().GetBucket() {
			h.bounds, h.counts = append(h.bounds, b.GetUpperBound()), append(h.counts, b.GetCumulativeCount())
		}
	}
	return h
}

// since is what was observed after an earlier look at the same histogram.
func (h *histogram) since(before *histogram) *histogram {
	d := &histogram{bounds: h.bounds, counts: append([]uint64(nil), h.counts...)}
	for i := range before.counts {
		d.counts[i] -= before.counts[i]
	}
	return d
}

// quantile is the bound below which this share of the observations lies, with even spacing inside a bucket.
func (h *histogram) quantile(q float64) string {
	if len(h.counts) == 0 || h.counts[len(h.counts)-1] == 0 {
		return "-"
	}
	rank := q * float64(h.counts[len(h.counts)-1])
	var low, below float64
	for i, n := range h.counts {
		if float64(n) < rank || float64(n) == below {
			low, below = h.bounds[i], float64(n)
			continue
		}
		if math.IsInf(h.bounds[i], 1) {
			break
		}
		return rounded(low + (h.bounds[i]-low)*(rank-below)/(float64(n)-below))
	}
	return "over " + rounded(low)
}

func rounded(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
