package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/test/standin"
)

const home = "eu-west-1"

// rig is a source with the SDK's real clients on stand-ins of SQS and S3.
type rig struct {
	sqs      *standin.SQS
	s3       *standin.S3
	address  string
	source   *source.SQS
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
	config   source.Config
	inFlight int
	stop     context.CancelFunc
}

// newRig makes the stand-ins with one queue, "q". Change its fields, then call start.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{sqs: standin.NewSQS(), s3: standin.NewS3(), registry: prometheus.NewRegistry()}
	server := httptest.NewServer(standin.AWS(r.sqs, r.s3))
	t.Cleanup(server.Close)
	r.address = server.URL
	r.queue("q", standin.QueueOptions{})
	return r
}

// queue adds a queue to the service and to the source.
func (r *rig) queue(name string, o standin.QueueOptions) *source.QueueConfig {
	r.config.SQS = append(r.config.SQS, source.QueueConfig{QueueURL: r.address + r.sqs.AddQueue(name, o)})
	return &r.config.SQS[len(r.config.SQS)-1]
}

// start starts the source; it is closed when the test ends.
func (r *rig) start(t testing.TB) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	r.logs = logs
	loader, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: home, EndpointURL: r.address}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	r.source, err = source.New(r.config, source.Options{AWS: loader, Metrics: source.NewMetrics(r.registry), Log: zap.New(core), InFlight: r.inFlight})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // t.Context ends before cleanups run
	r.stop = stop
	r.source.Start(ctx)
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.source.Close(closing); err != nil {
			t.Errorf("Close: %v", err)
		}
		stop()
	})
}

// receive returns the next delivery.
func (r *rig) receive(t testing.TB) pipeline.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := r.source.Receive(ctx)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	return d
}

// count is the value of a counter or a gauge.
func (r *rig) count(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			values := map[string]bool{}
			for _, l := range m.GetLabel() {
				values[l.GetValue()] = true
			}
			all := true
			for _, l := range labels {
				all = all && values[l]
			}
			if all {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// awaits polls until the condition holds.
func awaits(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for: %s", what)
		case <-poll.C:
		}
	}
}

// drained is what a delivery's Records gave.
type drained struct {
	events  []string // eventIDs
	objects []*cloudtrail.Object
	lost    []*pipeline.LostObject
	refused int
	err     error // of the delivery
}

func drain(t *testing.T, d pipeline.Delivery) drained {
	t.Helper()
	if f, ok := d.(pipeline.Fetched); ok {
		f.Fetch(t.Context())
	}
	gate := pipeline.NewGate(1)
	ctx, leave, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	var got drained
	for r, err := range d.Records(ctx) {
		var lost *pipeline.LostObject
		var refused *cloudtrail.Refused
		switch {
		case errors.As(err, &refused):
			got.refused++
		case errors.As(err, &lost):
			got.lost = append(got.lost, lost)
		case err != nil:
			got.err = err
		default:
			got.events = append(got.events, string(r.Field(cloudtrail.EventID).Bytes()))
			got.objects = append(got.objects, r.Object)
		}
	}
	return got
}

func settle(t *testing.T, d pipeline.Delivery, outcome error) {
	t.Helper()
	if err := d.Settle(t.Context(), outcome); err != nil {
		t.Errorf("Settle: %v", err)
	}
}

// logFile is a CloudTrail file of records with these eventIDs, gzipped.
func logFile(ids ...string) []byte {
	records := make([]string, len(ids))
	for i, id := range ids {
		records[i] = fmt.Sprintf(`{"eventVersion":"1.08","eventTime":"2026-02-03T04:05:06Z","eventName":"GetUser","eventID":%q}`, id)
	}
	return zipped(`{"Records":[`+strings.Join(records, ",")+`]}`, gzip.DefaultCompression)
}

func zipped(text string, level int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		panic(err) // the level exists
	}
	if _, err := z.Write([]byte(text)); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func key(name string) string {
	return "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/" + name + ".json.gz"
}

// put stores a log file and announces it in the queue "q". It returns the message's id.
func (r *rig) put(name string, body []byte) string {
	r.s3.Put("audit", key(name), body)
	return r.sqs.Send("q", standin.Notice("audit", key(name), int64(len(body))))
}

// onGets makes every get of an object fail.
func (r *rig) onGets(f standin.S3Fault) {
	r.s3.Fault = func(method, _, _ string) *standin.S3Fault {
		if method == http.MethodGet {
			return &f
		}
		return nil
	}
}
