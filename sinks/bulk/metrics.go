package bulk

import "github.com/prometheus/client_golang/prometheus"

// metrics are what the engine counts. Labels have few values, all of them the engine's own words.
type metrics struct {
	requests     *prometheus.CounterVec // result
	retries      *prometheus.CounterVec // reason, in documents
	refused      *prometheus.CounterVec // type
	bytes        prometheus.Counter
	wire         prometheus.Counter
	degraded     prometheus.Counter
	failureStore prometheus.Counter
	leftOut      prometheus.Counter
	seconds      prometheus.Histogram
	inFlight     prometheus.Gauge
	limit        prometheus.Gauge
	baseline     prometheus.Gauge
	parked       prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.CounterOpts { return prometheus.CounterOpts{Name: name, Help: help} }
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(counter("trailship_bulk_requests_total",
			"Bulk requests by result."), []string{"result"}),
		retries: prometheus.NewCounterVec(counter("trailship_bulk_retries_total",
			"Documents to be sent again, by reason."), []string{"reason"}),
		refused: prometheus.NewCounterVec(counter("trailship_bulk_refused_total",
			"Documents that the cluster refuses for good, by type of error."), []string{"type"}),
		bytes: prometheus.NewCounter(counter("trailship_bulk_bytes_total",
			"Bytes of bulk requests before compression.")),
		wire: prometheus.NewCounter(counter("trailship_bulk_compressed_bytes_total",
			"Bytes of bulk requests as sent.")),
		degraded: prometheus.NewCounter(counter("trailship_bulk_degraded_total",
			"Documents sent a second time with their free-form parts as plain text.")),
		failureStore: prometheus.NewCounter(counter("trailship_bulk_failure_store_total",
			"Documents that the cluster put into a data stream's failure store.")),
		leftOut: prometheus.NewCounter(counter("trailship_bulk_left_out_total",
			"Documents not sent to a data stream because this process has stored them before.")),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trailship_bulk_request_seconds", Help: "Time from sending a bulk request to its answer.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}),
		inFlight: gauge("trailship_bulk_requests_in_flight", "Bulk requests under way."),
		limit:    gauge("trailship_bulk_concurrency_limit", "Bulk requests that may be under way at the moment."),
		baseline: gauge("trailship_bulk_baseline_seconds_per_mib", "What a MiB of a bulk request takes as a rule, with as many under way as may be; when it changes the limit is found anew."),
		parked:   gauge("trailship_bulk_parked_indices", "Indices that take no documents or are being created."),
	}
	reg.MustRegister(m.requests, m.retries, m.refused, m.bytes, m.wire, m.degraded, m.failureStore, m.leftOut, m.seconds,
		m.inFlight, m.limit, m.baseline, m.parked)
	return m
}
