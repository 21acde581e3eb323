package bulk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/pipelinetest"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestLetGo: documents whose memory was given back while the cluster had them are written again, the same but for the time
// of indexing, whether a request failed as a whole, some of its items did, or it was too large; whether the records were
// kept or are read again; and the dead letter of a document has its record. Nothing of the budget is held in the end.
func TestLetGo(t *testing.T) {
	for _, c := range []struct {
		name    string
		request func(n int) *standin.ClusterFault // of the n-th bulk request
		item    func(seen int) *standin.ItemFault // of a document that came so often before
		most    int
		refuses bool // each tenth document, in either form
	}{
		{name: "well"},
		{name: "503", request: func(n int) *standin.ClusterFault {
			if n%3 != 0 {
				return &standin.ClusterFault{Status: http.StatusServiceUnavailable}
			}
			return nil
		}},
		{name: "answers lost", request: func(n int) *standin.ClusterFault {
			return &standin.ClusterFault{Lose: n%2 == 0}
		}},
		{name: "items 429", item: func(seen int) *standin.ItemFault {
			if seen < 2 {
				return &standin.ItemFault{Status: http.StatusTooManyRequests, Type: "es_rejected_execution_exception"}
			}
			return nil
		}},
		{name: "too large", most: 20_000},
		{name: "refused", refuses: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := &standin.Cluster{MaxBytes: c.most}
				var mu sync.Mutex
				requests, seen := 0, map[string]int{}
				cluster.Fault = func(r *http.Request) *standin.ClusterFault {
					if c.request == nil || !strings.HasSuffix(r.URL.Path, "_bulk") {
						return nil
					}
					mu.Lock()
					defer mu.Unlock()
					requests++
					return c.request(requests)
				}
				if c.item != nil {
					cluster.Item = func(_ string, id, _ []byte) *standin.ItemFault {
						seen[string(id)]++
						return c.item(seen[string(id)] - 1)
					}
				}
				if c.refuses {
					cluster.Item = func(_ string, id, _ []byte) *standin.ItemFault {
						if bytes.HasSuffix(id, []byte("7")) {
							return &standin.ItemFault{Status: http.StatusBadRequest, Type: "mapper_parsing_exception", Reason: "failed to parse field [note]"}
						}
						return nil
					}
				}
				carryAll(t, cluster)
			})
		})
	}
}

// carryAll runs a pipeline of 20 deliveries of 100 records into the cluster and looks at what is there.
func carryAll(t *testing.T, cluster *standin.Cluster) {
	t.Helper()
	const files, each = 20, 100
	var source pipelinetest.Source
	var letters pipelinetest.DeadLetters
	want := map[string]string{}
	for f := range files {
		var records []string
		for i := range each {
			id := fmt.Sprintf("%d-%d", f, i)
			record := fmt.Sprintf(`{"eventID":%q,"eventTime":"2026-11-21T00:00:00Z","note":%q}`, id, strings.Repeat(id, 20))
			want[id] = record
			records = append(records, record)
		}
		source.Add(&pipelinetest.Delivery{Name: strconv.Itoa(f), Keeps: f%2 == 0, Files: []string{`{"Records":[` + strings.Join(records, ",") + `]}`}})
	}
	index, err := pipeline.ParseIndexPattern("logs-{yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	p := &pipeline.Pipeline{
		Source: &source, Sink: open(t, cluster).Engine, DeadLetters: &letters, Format: func() pipeline.Format { return sinktest.Format{} }, Index: index,
		Memory: 8 << 20, InFlight: 100, Drain: time.Second, Log: zap.NewNop(), Metrics: pipeline.NewMetrics(prometheus.NewRegistry()),
	}
	start := time.Now()
	if err = p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	docs, dead := cluster.Docs(), letters.Letters()
	for id, record := range want {
		if l, ok := dead[id]; ok {
			if string(l.Record) != record {
				t.Fatalf("dead letter %s: got the record %s, want %s", id, l.Record, record)
			}
			continue
		}
		var d struct {
			Event  struct{ Ingested time.Time }
			Record string
		}
		if err := json.Unmarshal(docs[id], &d); err != nil || d.Record != record || d.Event.Ingested.Before(start) {
			t.Fatalf("document %s: got %s, %v, want the record %s, indexed after %v", id, docs[id], err, record, start)
		}
	}
	if len(docs)+len(dead) != files*each || p.Metrics.Held() != 0 {
		t.Errorf("got %d documents, %d letters, and %d bytes are held, want %d and none", len(docs), len(dead), p.Metrics.Held(), files*each)
	}
}
