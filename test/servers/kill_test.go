//go:build servers

package servers_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// testKill kills the daemon at the worst moment, when the cluster has stored documents and the daemon does not know, and
// starts another one.
func (r *rig) testKill(t *testing.T, to sink) {
	t.Helper()
	trail := r.trail(t, "kill")
	gate := r.gate(t, 3)
	first := r.run(t, "kill-first", trail, to.at(gate.url), "limits: {bulk_bytes: 256KiB, bulk_requests: 1}")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-gate.stored:
	case <-ctx.Done():
		t.Fatal("the daemon sent no third bulk request")
	}
	first.Kill()
	close(gate.open)
	t.Run("killed in the middle", func(t *testing.T) {
		if got := r.stored(t); got == 0 || got >= len(r.samples.ids) {
			t.Errorf("got %d documents, want some and not all", got)
		}
		if got, err := trail.Messages(t.Context()); err != nil || got == 0 {
			t.Errorf("got %d messages (%v), want some left", got, err)
		}
	})
	t.Run("the next one loses and doubles nothing", func(t *testing.T) {
		second := r.run(t, "kill-second", trail, to, "")
		untilEmpty(t, trail)
		r.checkAllOnce(t)
		if second.records(t)["duplicate"] == 0 {
			t.Error("got no duplicate, want those that the first one had stored")
		}
		second.stop(t)
	})
	r.forget(t)
}

// A gate stands before a cluster and lets everything through, until it keeps the answer to one bulk request back.
type gate struct {
	url    string
	stored chan struct{} // gets a value when the cluster has answered that request
	open   chan struct{} // closed by the test to let the gate end
}

// gate opens a gate that keeps the answer to the nth bulk request.
func (r *rig) gate(t *testing.T, nth int32) *gate {
	t.Helper()
	g := &gate{stored: make(chan struct{}, 1), open: make(chan struct{})}
	to, err := url.Parse(r.cluster.URL)
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int32
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(to) },
		Transport: r.cluster.Client.Transport,
		ModifyResponse: func(resp *http.Response) error {
			if resp.Request.URL.Path == "/_bulk" && count.Add(1) == nth {
				g.stored <- struct{}{}
				<-g.open
			}
			return nil
		},
	}
	server := httptest.NewUnstartedServer(proxy)
	if r.cluster.CAFile != "" {
		dir := filepath.Dir(r.cluster.CAFile)
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.pem"), filepath.Join(dir, "node.key"))
		if err != nil {
			t.Fatal(err)
		}
		server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}
