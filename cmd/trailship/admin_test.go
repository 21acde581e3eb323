package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
)

// busy is a part that says how it is and what it does.
type busy struct{ err error }

func (b busy) Ready() error              { return b.err }
func (busy) Figures() map[string]float64 { return map[string]float64{"requests_allowed": 7} }

func newAdmin(sink error) *admin {
	registry := prometheus.NewRegistry()
	metrics := pipeline.NewMetrics(registry)
	return &admin{
		started: time.Now(),
		alive:   func() error { return nil },
		parts:   []part{partOf("source", "says nothing"), partOf("sink", busy{sink})},
		counts:  metrics.Counts,
		memory:  64 << 20,
		held:    metrics.Held,
		metrics: registry,
	}
}

func TestAdmin(t *testing.T) {
	broken := errors.New(`asking "https://user:hunter2@es:9200": refused; start the cluster`)
	standing := newAdmin(broken)
	standing.alive = func() error { return errors.New("loop receive has not ticked for 3m0s: restart the process") }
	profiled := newAdmin(nil)
	profiled.pprof = true
	cases := []struct {
		name, method, path string
		admin              *admin
		status             int
		body               string
	}{
		{"alive", "GET", "/healthz", newAdmin(nil), 200, "ok"},
		{"alive, though not ready", "GET", "/healthz", newAdmin(broken), 200, "ok"},
		{"standing still", "GET", "/healthz", standing, 503, "has not ticked"},
		{"ready", "GET", "/readyz", newAdmin(nil), 200, "ok"},
		{"not ready", "GET", "/readyz", newAdmin(broken), 503, `sink: asking "https://<secret>@es:9200": refused; start the cluster`},
		{"metrics", "GET", "/metrics", newAdmin(nil), 200, "\ntrailship_records_read_total 0\n"},
		{"status", "GET", "/status", newAdmin(broken), 200, `"problem": "asking \"https://<secret>@es:9200\": refused; start the cluster"`},
		{"status with figures", "GET", "/status", newAdmin(nil), 200, `"requests_allowed": 7`},
		{"profiles, asked for", "GET", "/debug/pprof/goroutine?debug=1", profiled, 200, "goroutine profile: total"},
		{"only reading", "POST", "/status", newAdmin(nil), 405, ""},
		{"nothing else", "GET", "/debug/pprof/", newAdmin(nil), 404, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.admin.handler().ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("got %d\n%s\nwant %d with %s", w.Code, w.Body, c.status, c.body)
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("a password is shown: %s", w.Body)
			}
		})
	}
}

func TestAdmin_status(t *testing.T) {
	w := httptest.NewRecorder()
	newAdmin(nil).handler().ServeHTTP(w, httptest.NewRequest("GET", "/status", nil))
	var got status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.version != readVersion() || got.MemoryBudget != 64<<20 || !got.Parts["sink"].Ready || !got.Parts["source"].Ready {
		t.Errorf("got %+v", got)
	}
	for _, name := range []string{"read", "in_flight", "indexed", "duplicate", "filtered", "dead_letter", "returned"} {
		if _, ok := got.Records[name]; !ok {
			t.Errorf("records.%s is missing", name)
		}
	}
}

func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if _, err := listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), address+" is taken") {
		t.Errorf("a taken port: got %v", err)
	}
	if _, err := listen(t.Context(), "192.0.2.1:9600"); err == nil || !strings.Contains(err.Error(), "write an address of this machine") {
		t.Errorf("a foreign address: got %v", err)
	}
	stop := newAdmin(nil).serve(l, zaptest.NewLogger(t))
	if answer, err := ask(t.Context(), "http://"+address+"/readyz"); err != nil || answer != "ok\n" {
		t.Errorf("got %q, %v", answer, err)
	}
	stop()
	if _, err := ask(t.Context(), "http://"+address+"/readyz"); err == nil {
		t.Error("it answers after its end")
	}
}

func TestAsk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "sink: start the cluster\n") //nolint:errcheck // the test would see it
	}))
	defer server.Close()
	if got, err := ask(t.Context(), server.URL+"/healthz"); err != nil || got != "sink: start the cluster\n" {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := ask(t.Context(), server.URL+"/readyz")
	if want := server.URL + "/readyz answers 503 Service Unavailable: sink: start the cluster"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(ended, server.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAdminURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:9600": "http://127.0.0.1:9600", ":9600": "http://127.0.0.1:9600", "0.0.0.0:80": "http://127.0.0.1:80",
		"[::]:9600": "http://[::1]:9600", "10.0.0.7:1": "http://10.0.0.7:1", "": "", "nonsense": "",
	} {
		got, err := adminURL(listen)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", listen, got, err, want)
		}
	}
}
