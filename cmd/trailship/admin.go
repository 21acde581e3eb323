package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/source"
)

// admin answers for the daemon over HTTP. What it says is for operators and their tools: it holds no secret and no record,
// trusts nothing of a request, and changes nothing.
type admin struct {
	started time.Time
	alive   func() error // every loop ticks
	parts   []part
	counts  func() pipeline.Counts
	memory  int64 // the budget, in bytes
	held    func() int64
	metrics prometheus.Gatherer
	pprof   bool                       // profiles too
	buckets func() []source.SickBucket // those that cannot be read
}

// part is a component of the daemon that knows whether it can work at the moment.
type part struct {
	name    string
	ready   func() error
	figures func() map[string]float64
}

// partOf asks c whether it is ready, and what it is doing, where it can say so; otherwise it is always ready and says
// nothing.
func partOf(name string, c any) part {
	p := part{name, func() error { return nil }, func() map[string]float64 { return nil }}
	if r, ok := c.(pipeline.Readiness); ok {
		p.ready = r.Ready
	}
	if f, ok := c.(interface{ Figures() map[string]float64 }); ok {
		p.figures = f.Figures
	}
	return p
}

// handler routes the four pages, and profiles where they were asked for.
func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { verdict(w, a.alive()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { verdict(w, a.ready()) })
	mux.HandleFunc("GET /status", a.status)
	if a.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index) // the named profiles too
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// ready says which parts cannot work at the moment, and what to do.
func (a *admin) ready() error {
	var errs []error
	for _, p := range a.parts {
		if err := p.ready(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}

// verdict answers a probe: 200 and ok, or 503 and what is wrong.
func verdict(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok"
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = value.Mask(err.Error())
	}
	fmt.Fprintln(w, text)
}

// status is the answer of /status.
type status struct {
	version
	UptimeSeconds int64            `json:"uptime_seconds"`
	Parts         map[string]state `json:"parts"`
	Records       map[string]int64 `json:"records"` // read, in_flight, and by outcome
	MemoryBudget  int64            `json:"memory_budget_bytes"`
	MemoryHeld    int64            `json:"memory_held_bytes"`

	SickBuckets []source.SickBucket `json:"sick_buckets,omitempty"`
}

type state struct {
	Ready   bool   `json:"ready"`
	Problem string `json:"problem,omitempty"`

	Figures map[string]float64 `json:"figures,omitempty"`
}

func (a *admin) status(w http.ResponseWriter, _ *http.Request) {
	counts := a.counts()
	s := status{
		version:       readVersion(),
		UptimeSeconds: int64(time.Since(a.started).Seconds()),
		Parts:         map[string]state{},
		Records:       map[string]int64{"read": counts.Read, "in_flight": counts.InFlight},
		MemoryBudget:  a.memory,
		MemoryHeld:    a.held(),
	}
	for end, n := range counts.Ended {
		s.Records[pipeline.Terminal(end).String()] = n
	}
	for _, p := range a.parts {
		now := state{Ready: true, Figures: p.figures()}
		if err := p.ready(); err != nil {
			now.Ready, now.Problem = false, value.Mask(err.Error())
		}
		s.Parts[p.name] = now
	}
	if a.buckets != nil {
		s.SickBuckets = a.buckets()
	}
	for i := range s.SickBuckets {
		s.SickBuckets[i].Problem = value.Mask(s.SickBuckets[i].Problem)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	encoder.Encode(s) //nolint:errcheck,errchkjson // the client went away: nobody to tell
}

// listen opens the address of server.listen.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("server.listen: %s is taken, maybe by another trailship: end that one, or write another address, or \"\" for no server", address)
	}
	if err != nil {
		return nil, fmt.Errorf("server.listen: %w: write an address of this machine such as 127.0.0.1:9600, or \"\" for no server", err)
	}
	return l, nil
}

// serve answers on l until stop is called, which waits for answers under way for a second.
func (a *admin) serve(l net.Listener, log *zap.Logger) (stop func()) {
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          zap.NewStdLog(log.Named("admin")),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin server ended", zap.Error(err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		<-done
	}
}
