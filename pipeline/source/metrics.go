package source

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// What may become of a message: the result label of trailship_messages_total.
const (
	messageReceived     = "received"
	messageDeleted      = "deleted"
	messageReturned     = "returned"
	messageUnknown      = "unknown"
	messageForeign      = "foreign"
	messageDeleteFailed = "delete_failed"
	messageReturnFailed = "return_failed"
	messageExpired      = "expired"
)

// What may become of an announced object: the result label of trailship_objects_total.
const (
	objectRead     = "read"
	objectSkipped  = "skipped"
	objectExcluded = "excluded"
	objectLost     = "lost"
	objectFailed   = "failed"
)

// Metrics counts what the source does. Its methods may be called concurrently.
type Metrics struct {
	messages *prometheus.CounterVec
	objects  *prometheus.CounterVec
	bytes    prometheus.Counter
	closed   *prometheus.GaugeVec
}

// NewMetrics registers the counters with r, once per registry.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trailship_messages_total",
			Help: "Messages by what happened to them: received; deleted, returned (its delay set) or unknown and foreign" +
				" (left to the redrive policy, a warning says why); delete_failed, return_failed and expired (held longer than" +
				" the queue allows) are delivered again.",
		}, []string{"result"}),
		objects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trailship_objects_total",
			Help: "Announced objects by content and by what happened: read to the end, skipped (digest, marker), excluded by" +
				" the queue's keys, lost (gone or corrupt: a dead letter), failed (the message comes back).",
		}, []string{"content", "result"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trailship_object_bytes_total",
			Help: "Bytes of objects read from S3, compressed as they are, repeated reads included.",
		}),
	}
	m.closed = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "trailship_bucket_open",
		Help: "1 for each bucket whose breaker is open: it cannot be read, its messages are put off. Absent when it can.",
	}, []string{"queue", "bucket"})
	r.MustRegister(m.messages, m.objects, m.bytes, m.closed)
	return m
}

func (m *Metrics) message(result string, n int) { m.messages.WithLabelValues(result).Add(float64(n)) }

func (m *Metrics) object(c cloudtrail.Content, result string) {
	m.objects.WithLabelValues(c.String(), result).Inc()
}
