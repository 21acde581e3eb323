package pipeline

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Terminal is what finally became of a record, as metrics name it.
type Terminal uint8

// The ends of a record. Every record that was read has exactly one of them, or is in flight.
const (
	EndIndexed    Terminal = iota // stored by us
	EndDuplicate                  // stored before
	EndFiltered                   // left out by the user's own rule
	EndDeadLetter                 // kept as a dead letter
	EndReturned                   // handed back with its delivery, to be read again
	terminals
)

// String is the value of the label outcome.
func (t Terminal) String() string {
	return [terminals]string{"indexed", "duplicate", "filtered", "dead_letter", "returned"}[t]
}

// Counts is a consistent picture of all records: Read = the sum of Ended + InFlight.
type Counts struct {
	Read, InFlight int64
	Ended          [terminals]int64
}

// maxPlaces bounds how many accounts and regions are told apart by trailship_last_event_timestamp_seconds.
const maxPlaces = 10_000

type place struct{ account, region string }

// Metrics counts what the pipeline does. One lock guards all record counts, so that every scrape adds up. Its methods may
// be called concurrently.
type Metrics struct {
	mu     sync.Mutex
	counts Counts
	newest map[place]int64  // Unix seconds of the newest event stored
	rules  map[string]int64 // records that each rule left out: together those that ended as filtered

	held atomic.Int64 // bytes that deliveries hold of the memory budget

	deliveries *prometheus.CounterVec
	sent       prometheus.Histogram
	event      prometheus.Histogram

	read, ended, inFlight, last, filtered *prometheus.Desc
}

// NewMetrics returns the pipeline's metrics, registered with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		newest: map[place]int64{},
		rules:  map[string]int64{},
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trailship_deliveries_total", Help: "Deliveries carried, by how they ended.",
		}, []string{"result"}),
		sent: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trailship_sent_to_indexed_seconds", Help: "Time from the notice being sent to its records being stored, per chunk.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 20),
		}),
		event: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trailship_event_to_indexed_seconds", Help: "Time from the event happening to its document being stored.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 20),
		}),
		read:     prometheus.NewDesc("trailship_records_read_total", "Records read from log objects.", nil, nil),
		ended:    prometheus.NewDesc("trailship_records_total", "Records by what finally became of them.", []string{"outcome"}, nil),
		inFlight: prometheus.NewDesc("trailship_records_in_flight", "Records read whose end is not known yet.", nil, nil),
		filtered: prometheus.NewDesc("trailship_records_filtered_total", "Records left out, by the rule that said so.",
			[]string{"rule"}, nil),
		last: prometheus.NewDesc("trailship_last_event_timestamp_seconds", "Time of the newest event stored.",
			[]string{"account", "region"}, nil),
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trailship_memory_held_bytes", Help: "Bytes that deliveries in hand have reserved of limits.memory.",
	}, func() float64 { return float64(m.held.Load()) })
	reg.MustRegister(m, m.deliveries, m.sent, m.event, held)
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.read
	ch <- m.ended
	ch <- m.inFlight
	ch <- m.last
	ch <- m.filtered
}

// Collect implements prometheus.Collector. The record counts of one scrape are of one moment.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	counts := m.counts
	newest := make(map[place]int64, len(m.newest))
	maps.Copy(newest, m.newest)
	rules := maps.Clone(m.rules)
	m.mu.Unlock()

	ch <- prometheus.MustNewConstMetric(m.read, prometheus.CounterValue, float64(counts.Read))
	ch <- prometheus.MustNewConstMetric(m.inFlight, prometheus.GaugeValue, float64(counts.InFlight))
	for end, n := range counts.Ended {
		ch <- prometheus.MustNewConstMetric(m.ended, prometheus.CounterValue, float64(n), Terminal(end).String())
	}
	for rule, n := range rules {
		ch <- prometheus.MustNewConstMetric(m.filtered, prometheus.CounterValue, float64(n), rule)
	}
	for p, at := range newest {
		ch <- prometheus.MustNewConstMetric(m.last, prometheus.GaugeValue, float64(at), p.account, p.region)
	}
}

// Held is how many bytes the deliveries in hand have reserved of the memory budget.
func (m *Metrics) Held() int64 { return m.held.Load() }

// Counts returns the record counts of one moment.
func (m *Metrics) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts
}

// reading counts n records as read and in flight.
func (m *Metrics) reading(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.Read += int64(n)
	m.counts.InFlight += int64(n)
}

// ending counts records in flight as ended.
func (m *Metrics) ending(ended [terminals]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for end, n := range ended {
		m.counts.Ended[end] += n
		m.counts.InFlight -= n
	}
}

// stored measures the documents of b that were indexed just now. sent is when their notice was sent, zero if unknown.
func (m *Metrics) stored(b *Batch, fates []Fate, sent, now time.Time) {
	var object *cloudtrail.Object
	var newest int64
	for i := range fates {
		if fates[i].Outcome != Indexed || b.docs[i].time == 0 {
			continue
		}
		m.event.Observe(float64(now.Unix() - b.docs[i].time))
		if b.docs[i].time > newest {
			newest, object = b.docs[i].time, b.objects[b.docs[i].object]
		}
	}
	if !sent.IsZero() {
		m.sent.Observe(now.Sub(sent).Seconds())
	}
	if object != nil {
		m.sawEvent(place{object.Account, object.LogRegion}, newest)
	}
}

func (m *Metrics) sawEvent(p place, at int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, known := m.newest[p]; (known || len(m.newest) < maxPlaces) && at > old {
		m.newest[p] = at
	}
}
