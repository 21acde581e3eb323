package bulk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inside calls the cluster without a network, so that tests can run under synthetic time.
type inside struct{ http.Handler }

func (c inside) Perform(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() == http.ErrAbortHandler {
			resp, err = nil, io.ErrUnexpectedEOF
		}
	}()
	defer r.Body.Close()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return w.Result(), nil
}

// creator makes indices in the cluster.
type creator struct {
	inside
	calls atomic.Int32
}

func (c *creator) CreateIndex(ctx context.Context, name string) error {
	c.calls.Add(1)
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, "/"+name, http.NoBody)
	resp, err := c.Perform(r)
	if err != nil {
		return err
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK && !bytes.Contains(body, []byte("resource_already_exists_exception")) {
		return errors.New(string(body))
	}
	return nil
}

// rig is an engine, its cluster and its log.
type rig struct {
	*bulk.Engine
	cluster *standin.Cluster
	creator *creator
	log     *observer.ObservedLogs
	metrics *prometheus.Registry
}

func open(t *testing.T, c *standin.Cluster, change ...func(*bulk.Options)) *rig {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	r := &rig{cluster: c, creator: &creator{inside: inside{c}}, log: logs, metrics: prometheus.NewRegistry()}
	o := bulk.Options{Transport: inside{c}, Creator: r.creator, Log: zap.New(core), Metrics: r.metrics}
	for _, f := range change {
		f(&o)
	}
	r.Engine = bulk.New(o)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// write writes n documents and returns how many had which outcome.
func (r *rig) write(t *testing.T, owner uint64, prefix string, n int) map[pipeline.Outcome]int {
	t.Helper()
	fates, err := r.Write(t.Context(), sinktest.Batch(t, owner, sinktest.Index, ids(prefix, n)...))
	if err != nil {
		t.Errorf("writing %s: %v", prefix, err)
	}
	return tally(fates)
}

func tally(fates []pipeline.Fate) map[pipeline.Outcome]int {
	got := map[pipeline.Outcome]int{}
	for _, f := range fates {
		got[f.Outcome]++
	}
	return got
}

func ids(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(prefix, "-", i)
	}
	return ids
}

func TestContract(t *testing.T) {
	sinktest.Contract(t, func(t *testing.T) pipeline.Sink { return open(t, &standin.Cluster{}) })
}

// TestHTTP writes through real sockets, where a body may be read after the answer came.
func TestHTTP(t *testing.T) {
	c := &standin.Cluster{}
	server := httptest.NewServer(c)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r := open(t, c, func(o *bulk.Options) {
		o.Transport = perform(func(req *http.Request) (*http.Response, error) {
			req.URL.Scheme, req.URL.Host = "http", strings.TrimPrefix(server.URL, "http://")
			return transport.RoundTrip(req)
		})
	})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { r.write(t, uint64(i), fmt.Sprint("w", i), 40) })
	}
	all.Wait()
	if got, want := c.Count(), 2000; got != want {
		t.Errorf("stored: got %d, want %d", got, want)
	}
}

type perform func(*http.Request) (*http.Response, error)

func (f perform) Perform(r *http.Request) (*http.Response, error) { return f(r) }

// TestFaults: whatever the cluster does for a while, each document ends stored exactly once, in bounded time.
func TestFaults(t *testing.T) {
	const most = 2 * time.Minute
	every := func(n int, f *standin.ClusterFault) func(*http.Request) *standin.ClusterFault {
		var k atomic.Int32
		return func(r *http.Request) *standin.ClusterFault {
			if strings.HasSuffix(r.URL.Path, "_bulk") && int(k.Add(1))%n == 0 {
				return f
			}
			return nil
		}
	}
	until := func(d time.Duration, f *standin.ClusterFault) func(*http.Request) *standin.ClusterFault {
		start := time.Now()
		return func(*http.Request) *standin.ClusterFault {
			if time.Since(start) < d {
				return f
			}
			return nil
		}
	}
	item := func(n int, f standin.ItemFault) func(string, []byte, []byte) *standin.ItemFault {
		k := 0
		return func(string, []byte, []byte) *standin.ItemFault {
			if k++; k%n == 0 {
				return &f
			}
			return nil
		}
	}
	cases := []struct {
		name    string
		cluster func() *standin.Cluster
	}{
		{"no fault", func() *standin.Cluster { return &standin.Cluster{} }},
		{"every fourth request 503", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(4, &standin.ClusterFault{Status: 503})}
		}},
		{"429 with Retry-After", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(4, &standin.ClusterFault{Status: 429, RetryAfter: "2", Body: "429 Too Many Requests /_bulk"})}
		}},
		{"answers lost after the write", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{Lose: true})}
		}},
		{"answers cut short", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{CutAnswer: true})}
		}},
		{"one item too few", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{DropItem: true})}
		}},
		{"HTML from a proxy", func() *standin.Cluster {
			return &standin.Cluster{Fault: every(3, &standin.ClusterFault{Status: 200, Body: "<html>please log in</html>"})}
		}},
		{"away for 20 s", func() *standin.Cluster {
			return &standin.Cluster{Fault: until(20*time.Second, &standin.ClusterFault{Status: 502, Body: "<html>bad gateway"})}
		}},
		{"401 for 10 s", func() *standin.Cluster {
			return &standin.Cluster{Fault: until(10*time.Second, &standin.ClusterFault{Status: 401, Body: "Unauthorized"})}
		}},
		{"413 above 2 KiB", func() *standin.Cluster { return &standin.Cluster{MaxBytes: 2 << 10} }},
		{"a fifth of the items 429", func() *standin.Cluster {
			return &standin.Cluster{Item: item(5, standin.ItemFault{Status: 429, Type: "es_rejected_execution_exception", Reason: "full"})}
		}},
		{"items 503", func() *standin.Cluster {
			return &standin.Cluster{Item: item(7, standin.ItemFault{Status: 503, Type: "unavailable_shards_exception", Reason: "primary"})}
		}},
		{"items whose status cannot be read", func() *standin.Cluster {
			return &standin.Cluster{Item: item(7, standin.ItemFault{})}
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, tc.cluster())
				start := time.Now()
				var all sync.WaitGroup
				for i := range 20 {
					all.Go(func() {
						time.Sleep(time.Duration(i) * 300 * time.Millisecond)
						got := r.write(t, uint64(i), fmt.Sprint("w", i), 30)
						if got[pipeline.Indexed]+got[pipeline.Duplicate] != 30 {
							t.Errorf("writer %d: got %v, want 30 stored", i, got)
						}
					})
				}
				all.Wait()
				if got, want := len(r.cluster.Docs()), 600; got != want || r.cluster.Count() != want {
					t.Errorf("stored: got %d documents and %d ids, want %d", r.cluster.Count(), got, want)
				}
				if took := time.Since(start); took > most {
					t.Errorf("took %v, want at most %v", took, most)
				}
				if err := r.Ready(); err != nil {
					t.Errorf("Ready after all is well: %v", err)
				}
			})
		})
	}
}

// TestRefusals: what is the document's fault, and what is not.
func TestRefusals(t *testing.T) {
	cases := []struct {
		name    string
		fault   standin.ItemFault
		refused bool // for good, at once
	}{
		{"parse error of OpenSearch", standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}, true},
		{"parse error of Elasticsearch", standin.ItemFault{Status: 400, Type: "document_parsing_exception", Reason: "[1:2] failed to parse"}, true},
		{"strict mapping", standin.ItemFault{Status: 400, Type: "strict_dynamic_mapping_exception", Reason: "introduction of [x]"}, true},
		{"immense term", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "Document contains at least one immense term in field=\"x\""}, true},
		{"too long bytes", standin.ItemFault{Status: 400, Type: "max_bytes_length_exceeded_exception", Reason: "bytes can be at most 32766"}, true},
		{"pipeline missing", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "pipeline with id [x] does not exist"}, false},
		{"fields full", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "Limit of total fields [1000] has been exceeded in field [x]"}, false},
		{"shards full", standin.ItemFault{Status: 400, Type: "validation_exception", Reason: "this action would add [2] shards"}, false},
		{"closed", standin.ItemFault{Status: 400, Type: "index_closed_exception", Reason: "closed"}, false},
		{"write block", standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [x] blocked by: [FORBIDDEN/8/index write (api)];"}, false},
		{"disk full", standin.ItemFault{Status: 429, Type: "cluster_block_exception", Reason: "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage]"}, false},
		{"no right", standin.ItemFault{Status: 403, Type: "security_exception", Reason: "no permissions for [indices:data/write/bulk[s]]"}, false},
		{"another 409", standin.ItemFault{Status: 409, Type: "conflict_exception", Reason: "x"}, false},
		{"unheard of", standin.ItemFault{Status: 418, Type: "teapot_exception", Reason: "short and stout"}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := map[string]int{}
				healed := false
				c := &standin.Cluster{Item: func(_ string, id, _ []byte) *standin.ItemFault {
					if tries[string(id)]++; string(id) == "w-3" && !healed {
						return &tc.fault
					}
					return nil
				}}
				r := open(t, c)
				done := make(chan map[pipeline.Outcome]int)
				go func() { done <- r.write(t, 1, "w", 10) }()
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case got := <-done:
					want := map[pipeline.Outcome]int{pipeline.Indexed: 9, pipeline.Refused: 1}
					if diff := cmp.Diff(want, got); !tc.refused || diff != "" {
						t.Errorf("finished with (-want +got):\n%s", diff)
					}
					if tries["w-3"] != 2 {
						t.Errorf("got %d tries of the refused document, want 2", tries["w-3"])
					}
					return
				default:
				}
				if tc.refused {
					t.Error("still waiting, want a refusal")
				}
				if n := tries["w-3"]; n < 3 || n > 40 {
					t.Errorf("got %d tries in a minute, want slow ones", n)
				}
				if n := r.log.FilterLevelExact(zap.ErrorLevel).Len(); n < 1 || n > 2 {
					t.Errorf("got %d lines of log in a minute, want one: %v", n, r.log.All())
				}
				c.Lock(func() { healed = true })
				if got := <-done; got[pipeline.Indexed] != 10 {
					t.Errorf("after the cure: got %v, want 10 indexed", got)
				}
			})
		})
	}
}

func TestDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(_ string, id, doc []byte) *standin.ItemFault {
			if string(id) == "w-1" && !bytes.Contains(doc, []byte("degraded")) {
				return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [rp]"}
			}
			return nil
		}}
		r := open(t, c)
		if got := r.write(t, 1, "w", 3); got[pipeline.Indexed] != 3 {
			t.Errorf("got %v, want 3 indexed", got)
		}
		var doc struct {
			Event struct{ Ingested time.Time }
			Error struct{ Message string }
		}
		if err := json.Unmarshal(c.Docs()["w-1"], &doc); err != nil {
			t.Fatal(err)
		}
		if got, want := doc.Error.Message, "mapper_parsing_exception: failed to parse field [rp]"; got != want {
			t.Errorf("error.message: got %q, want %q", got, want)
		}
		if age := time.Since(doc.Event.Ingested); age > time.Second {
			t.Errorf("event.ingested is %v old, want now", age)
		}
	})
}

// TestStreak: when all documents are refused it is not the documents' fault.
func TestStreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healed := false
		c := &standin.Cluster{Item: func(string, []byte, []byte) *standin.ItemFault {
			if healed {
				return nil
			}
			return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}
		}}
		r := open(t, c)
		done := make(chan map[pipeline.Outcome]int)
		go func() { done <- r.write(t, 1, "w", 200) }()
		time.Sleep(time.Minute)
		if err := r.Ready(); err == nil || !strings.Contains(err.Error(), "mapping") {
			t.Errorf("Ready: got %v, want advice about the mapping", err)
		}
		c.Lock(func() { healed = true })
		want := map[pipeline.Outcome]int{pipeline.Refused: 50, pipeline.Indexed: 150}
		if diff := cmp.Diff(want, <-done); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
	})
}

// TestParking: one sick index does not hold up the others; after ten minutes its documents are refused.
func TestParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [sick] blocked by: [FORBIDDEN/8/index write (api)];"}
		c := &standin.Cluster{Item: func(index string, _, _ []byte) *standin.ItemFault {
			if index == "sick" {
				return &blocked
			}
			return nil
		}}
		r := open(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				start := time.Now()
				r.write(t, 2, fmt.Sprint("ok", i), 5)
				if took := time.Since(start); took > time.Second {
					t.Errorf("a write to another index took %v", took)
				}
				time.Sleep(10 * time.Second)
			}
		}()
		time.Sleep(time.Second)
		start := time.Now()
		fates, err := r.Write(t.Context(), sinktest.Batch(t, 1, "sick", ids("s", 20)...))
		cancel()
		if got := tally(fates); err != nil || got[pipeline.Refused] != 20 {
			t.Errorf("got %v, %v, want 20 refused", got, err)
		}
		if took := time.Since(start); took < 10*time.Minute || took > 12*time.Minute {
			t.Errorf("refused after %v, want about 10 minutes", took)
		}
		if got, want := fates[0].Refusal.Type, "index_blocked"; got != want {
			t.Errorf("type: got %q, want %q", got, want)
		}
		time.Sleep(time.Minute)
	})
}

// TestLonelyIndex: an index is not given up while nothing else is accepted.
func TestLonelyIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(string, []byte, []byte) *standin.ItemFault {
			return &standin.ItemFault{Status: 400, Type: "index_closed_exception", Reason: "closed"}
		}}
		r := open(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		fates, err := r.Write(ctx, sinktest.Batch(t, 1, sinktest.Index, "x"))
		if !errors.Is(err, context.DeadlineExceeded) || fates[0].Outcome != pipeline.Unknown {
			t.Errorf("got %v, %v, want an unknown fate and the deadline", fates, err)
		}
		if n := r.log.FilterLevelExact(zap.ErrorLevel).Len(); n < 50 || n > 61 {
			t.Errorf("got %d lines of log in an hour, want one a minute", n)
		}
		time.Sleep(time.Minute)
		if err := r.Ready(); err != nil {
			t.Errorf("Ready when nobody waits any more: %v, want nil so that work comes again", err)
		}
	})
}
