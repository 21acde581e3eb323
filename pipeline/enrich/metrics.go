package enrich

import "github.com/prometheus/client_golang/prometheus"

// metrics count what is asked and what could not be answered.
type metrics struct {
	calls    *prometheus.CounterVec
	untagged prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trailship_iam_calls_total", Help: "Calls to IAM, by their answer: ok or AWS's code.",
		}, []string{"answer"}),
		untagged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trailship_iam_unavailable_total", Help: "Records that went on without IAM tags because no answer came in time.",
		}),
	}
	reg.MustRegister(m.calls, m.untagged)
	return m
}

// call counts one call.
func (m *metrics) call(err error) {
	if err == nil {
		m.calls.WithLabelValues("ok").Inc()
		return
	}
	m.calls.WithLabelValues(cause(err)).Inc()
}
