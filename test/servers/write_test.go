//go:build servers

package servers_test

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/sinks/elasticsearch"
	"github.com/trailship/trailship/sinks/opensearch"
	"github.com/trailship/trailship/test/servers"
)

// sinkConfig is the section sinks for a cluster and an account of it.
func sinkConfig(c *servers.Cluster) (config sinks.Config) {
	if c.Name == "elasticsearch" {
		config.Elasticsearch = &elasticsearch.Config{URLs: []string{c.URL}}
		return config
	}
	config.OpenSearch = &opensearch.Config{URLs: []string{c.URL}, Username: c.Username, Password: value.Secret(c.Password), CAFile: c.CAFile}
	return config
}

// transportTo is what the daemon would use.
func transportTo(t testing.TB, c *servers.Cluster) cluster.Transport {
	t.Helper()
	transport, err := sinks.Transport(sinkConfig(c), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// writer writes records with our own sink, as a daemon does.
type writer struct {
	rig    *rig
	sink   *sinks.Opened
	format ecs.Config
	number int
}

func (r *rig) writer(t testing.TB, format ecs.Config) *writer {
	t.Helper()
	index, err := pipeline.ParseIndexPattern("logs-aws.cloudtrail-trailship-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sinks.Open(sinkConfig(r.cluster), sinks.Options{Index: index, Log: zap.NewNop(), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	format.LeafLimit = opened.LeafLimit
	return &writer{rig: r, sink: opened, format: format}
}

// write writes records, each into the index of its day. All of them must be new.
func (w *writer) write(t testing.TB, records []string) {
	t.Helper()
	b := pipeline.NewBatch(1, ecs.NewEncoder(w.format))
	object := &cloudtrail.Object{Bucket: "trail", Key: "AWSLogs/1.json.gz"}
	for _, text := range records {
		var rec cloudtrail.Record
		if err := rec.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		w.number++
		rec.Object, rec.Number = object, w.number
		at, _ := rec.Time()
		b.Add(&rec, rec.Field(cloudtrail.EventID).Bytes(), "logs-aws.cloudtrail-trailship-"+at.Format("2006.01.02"), at)
	}
	fates, err := w.sink.Sink.Write(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	for i, fate := range fates {
		if fate.Outcome != pipeline.Indexed {
			t.Fatalf("record %d: got %+v, want it indexed", i, fate)
		}
	}
}

// end closes the sink and makes what it wrote searchable.
func (w *writer) end(t testing.TB) {
	t.Helper()
	if err := w.sink.Close(); err != nil {
		t.Error(err)
	}
	if err := w.rig.cluster.Do(t.Context(), http.MethodPost, "/"+indices+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
}
