//go:build servers

package servers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// deadLetters is the index of dead letters.
const deadLetters = "trailship-dead-letters"

// testTroubles brings real servers into the states that a daemon has to sit out, and lifts them again: nothing may be
// lost, doubled or given up meanwhile.
func (r *rig) testTroubles(t *testing.T, to sink) {
	t.Helper()
	names := r.emptyIndices(t, to)
	for _, tt := range []struct {
		name      string
		set, lift func(t *testing.T)
	}{
		{
			"write block",
			func(t *testing.T) {
				t.Helper()
				r.settings(t, names, "index.blocks.write", true)
			},
			func(t *testing.T) {
				t.Helper()
				r.settings(t, names, "index.blocks.write", nil)
			},
		},
		{
			"disk watermark",
			func(t *testing.T) {
				t.Helper()
				r.watermark(t, "1000000gb")
				r.untilBlocked(t, names)
			},
			func(t *testing.T) {
				t.Helper()
				r.watermark(t, "1b")
			}, // the server lifts its block itself
		},
		{
			"shard limit",
			func(t *testing.T) {
				t.Helper()
				r.forget(t) // so that the indices have to be made
				r.must(t, http.MethodPut, "/one-shard-at-least", map[string]any{})
				r.clusterSettings(t, map[string]any{"cluster.max_shards_per_node": 1})
			},
			func(t *testing.T) {
				t.Helper()
				r.clusterSettings(t, map[string]any{"cluster.max_shards_per_node": nil})
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.set(t)
			lifted := false
			lift := func() {
				if !lifted {
					lifted = true
					tt.lift(t)
				}
			}
			defer lift()
			r.sitOut(t, to, strings.ReplaceAll(tt.name, " ", "-"), lift)
		})
		r.forget(t)
		r.makeIndices(t, names)
	}
	t.Run("mapping conflict", func(t *testing.T) { r.testConflict(t, to, names) })
	r.forget(t)
	boot := func() { r.cluster.Boot(t) } // it outlives the next test
	t.Run("server killed", func(t *testing.T) { r.testServerKilled(t, to, boot) })
	r.forget(t)
}

// sitOut runs a daemon over a cluster that takes no documents, and then does.
func (r *rig) sitOut(t *testing.T, to sink, name string, lift func()) {
	t.Helper()
	trail := r.trail(t, name)
	before, err := trail.Messages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := r.run(t, name, trail, to, "")
	until(t, func(ctx context.Context) error {
		code, text, err := d.get(ctx, "/readyz")
		if err == nil && code == http.StatusOK {
			err = fmt.Errorf("the daemon is ready: %s", text)
		}
		return err
	})
	if got, err := trail.Messages(t.Context()); err != nil || got < before-1 { // the test event may go
		t.Errorf("got %d messages (%v) while nothing can be stored, want %d", got, err, before)
	}
	lift()
	untilEmpty(t, trail)
	r.checkAllOnce(t)
	if got := d.records(t)["dead_letter"]; got > 0 {
		t.Errorf("got %d dead letters, want 0: no document was at fault", got)
	}
	d.stop(t)
}

// testConflict gives a field a type that some of the documents do not fit. Those become dead letters, the others are stored.
func (r *rig) testConflict(t *testing.T, to sink, names []string) {
	t.Helper()
	r.forget(t)
	for _, name := range names {
		r.must(t, http.MethodPut, "/"+name, `{"settings":{"index.mapping.ignore_malformed":false},"mappings":{"properties":{"aws":{"properties":{"cloudtrail":{"properties":{"error_code":{"type":"boolean"}}}}}}}}`)
	}
	trail := r.trail(t, "conflict")
	d := r.run(t, "conflict", trail, to, "")
	untilEmpty(t, trail)
	counts := d.records(t)
	d.stop(t)
	r.must(t, http.MethodPost, "/"+deadLetters+"/_refresh", nil)
	var letters struct{ Count int }
	if err := r.cluster.Do(t.Context(), http.MethodGet, "/"+deadLetters+"/_count", nil, &letters); err != nil {
		t.Fatal(err)
	}
	if got, want := r.stored(t)+letters.Count, len(r.samples.ids); got != want {
		t.Errorf("got %d documents and dead letters, want %d", got, want)
	}
	if letters.Count == 0 || counts["dead_letter"] < letters.Count { // moto may give a message to two receives at once
		t.Errorf("got %d dead letters and %d counted, want some and at least as many", letters.Count, counts["dead_letter"])
	}
	r.testReplay(t, trail, to, letters.Count)
	r.must(t, http.MethodDelete, "/"+deadLetters, nil)
}

// testServerKilled kills the server in the middle and starts it again on another port, behind a proxy that stays.
func (r *rig) testServerKilled(t *testing.T, to sink, boot func()) {
	t.Helper()
	var target atomic.Pointer[url.URL]
	aim := func() {
		u, err := url.Parse(r.cluster.URL)
		if err != nil {
			t.Fatal(err)
		}
		target.Store(u)
	}
	aim()
	requests := make(chan struct{}, 1000)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // a server that was killed does not answer
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target.Load())
			if p.In.URL.Path == "/_bulk" {
				requests <- struct{}{}
			}
		},
	})
	t.Cleanup(proxy.Close)
	trail := r.trail(t, "server-killed")
	d := r.run(t, "server-killed", trail, to.at(proxy.URL), "limits: {bulk_bytes: 128KiB, bulk_requests: 2}")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 6 {
		select {
		case <-requests:
		case <-ctx.Done():
			t.Fatal("the daemon sent no sixth bulk request")
		}
	}
	r.cluster.Kill()
	if got, err := trail.Messages(t.Context()); err != nil || got == 0 {
		t.Errorf("got %d messages (%v), want some left", got, err)
	}
	boot()
	aim()
	untilEmpty(t, trail)
	until(t, func(ctx context.Context) error {
		return r.cluster.Do(ctx, http.MethodGet, "/_cluster/health?wait_for_status=yellow&timeout=10s", nil, nil)
	})
	r.checkAllOnce(t)
	d.stop(t)
}

// emptyIndices returns the names of the indices that the samples go to, and leaves them empty.
func (r *rig) emptyIndices(t *testing.T, to sink) []string {
	t.Helper()
	trail := r.trail(t, "names")
	d := r.run(t, "names", trail, to, "")
	untilEmpty(t, trail)
	d.stop(t)
	var names []string
	for name := range r.indices(t) {
		names = append(names, name)
	}
	r.forget(t)
	r.makeIndices(t, names)
	return names
}

func (r *rig) makeIndices(t *testing.T, names []string) {
	t.Helper()
	for _, name := range names {
		r.must(t, http.MethodPut, "/"+name, nil)
	}
}

// must asks the cluster for something that has to work.
func (r *rig) must(t *testing.T, method, path string, body any) {
	t.Helper()
	if err := r.cluster.Do(t.Context(), method, path, body, nil); err != nil {
		t.Fatal(err)
	}
}

// settings sets one setting of indices.
func (r *rig) settings(t *testing.T, names []string, setting string, value any) {
	t.Helper()
	r.must(t, http.MethodPut, "/"+strings.Join(names, ",")+"/_settings", map[string]any{setting: value})
}

// clusterSettings sets settings of the cluster until it is restarted.
func (r *rig) clusterSettings(t *testing.T, settings map[string]any) {
	t.Helper()
	r.must(t, http.MethodPut, "/_cluster/settings", map[string]any{"transient": settings})
}

// watermark sets how much of its disk must be free.
func (r *rig) watermark(t *testing.T, free string) {
	t.Helper()
	const disk = "cluster.routing.allocation.disk."
	r.clusterSettings(t, map[string]any{
		disk + "threshold_enabled": true, disk + "reroute_interval": "5s",
		disk + "watermark.low": free, disk + "watermark.high": free, disk + "watermark.flood_stage": free,
	})
}

// untilBlocked waits until the server has blocked the indices because its disk is full.
func (r *rig) untilBlocked(t *testing.T, names []string) {
	t.Helper()
	until(t, func(ctx context.Context) error {
		var found map[string]struct {
			Settings map[string]string
		}
		err := r.cluster.Do(ctx, http.MethodGet, "/"+strings.Join(names, ",")+"/_settings?flat_settings=true", nil, &found)
		for _, index := range found {
			if index.Settings["index.blocks.read_only_allow_delete"] != "true" {
				err = errors.Join(err, errors.New("an index is not blocked yet"))
			}
		}
		return err
	})
}
