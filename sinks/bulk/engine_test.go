package bulk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
		if aborted, ok := recover().(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
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
	defer resp.Body.Close()
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
	sinktest.Contract(t, func(t *testing.T) pipeline.Sink {
		t.Helper()
		return open(t, &standin.Cluster{})
	})
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
