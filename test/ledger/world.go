package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// world is the stand-in's process: queue, buckets and cluster, the faults in them, and the book.
type world struct {
	row     *row
	book    *book
	queues  *standin.SQS
	buckets *standin.S3
	cluster *standin.Cluster
	people  *standin.IAM
	keys    *keys

	asked  chan struct{}             // closed when a daemon first asks for messages
	began  atomic.Pointer[time.Time] // when the first message was announced; nil before
	fed    atomic.Bool
	faults []*armed
	mu     sync.Mutex // guards dice
	dice   *rand.Rand
}

// armed is a fault and how often it happened.
type armed struct {
	fault
	hits   atomic.Int64
	lifted atomic.Bool // before its time, because it lasts only while others wait
}

// over reports whether the fault's time is over.
func (f *armed) over(since time.Duration) bool {
	return f.until > 0 && since >= f.until || f.lifted.Load()
}

const queueName = "audit"

// indexOf is the name that output.index gives the index of a day.
func indexOf(day time.Time) string {
	return "logs-aws.cloudtrail-trailship-" + day.Format("2006.01.02")
}

func newWorld(r *row, seed uint64) *world {
	w := &world{
		row: r, asked: make(chan struct{}), queues: standin.NewSQS(), buckets: standin.NewS3(), dice: r.source(seed, "faults"),
		cluster: &standin.Cluster{Version: "8.19.7", Counting: true, BuiltinLogs: true},
	}
	for _, f := range r.faults {
		w.faults = append(w.faults, &armed{fault: f})
	}
	w.book = newBook(indexOf, w.refused)
	w.queues.AddQueue(queueName, standin.QueueOptions{Visibility: 30 * time.Second})
	go w.book.late.measure()
	w.book.stepped = r.more.clock
	w.keys = &keys{life: r.more.credentials, issued: map[string]time.Time{}}
	w.people = w.iam()
	w.hookQueues()
	w.hookBuckets()
	w.hookCluster()
	return w
}

// has reports whether the row has a fault of this kind.
func (w *world) has(k kind) bool {
	return slices.ContainsFunc(w.faults, func(f *armed) bool { return f.kind == k })
}

// strike returns a fault of this kind if one is to happen now, and counts it. Each happens once at least where that is not
// left to chance: the first that could meet it does, even behind its time.
func (w *world) strike(k kind, matches func(f *fault) bool) *fault {
	began := w.began.Load()
	if began == nil {
		return nil
	}
	since := time.Since(*began)
	for _, f := range w.faults {
		if f.kind != k || since < f.from || matches != nil && !matches(&f.fault) {
			continue
		}
		due := !w.row.chance && f.hits.Load() == 0
		if !due && (f.over(since) || f.rate > 0 && !w.roll(f.rate)) {
			continue
		}
		f.hits.Add(1)
		return &f.fault
	}
	return nil
}

func (w *world) roll(rate float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dice.Float64() < rate
}

// tally is what the stand-in has seen, as it tells the ledger.
type tally struct {
	Began      bool           `json:"began"`
	Calm       bool           `json:"calm"` // all messages are sent, and the last trouble is over
	Sums       sums           `json:"sums"`
	Faults     map[kind]int64 `json:"faults"`
	Duplicates int            `json:"duplicates"` // documents that met themselves
	Requests   int            `json:"requests"`   // of _bulk that were answered
}

func (w *world) tally() tally {
	stats := w.cluster.Stats()
	t := tally{
		Began: w.began.Load() != nil, Calm: w.calm(), Sums: w.book.snapshot(), Faults: map[kind]int64{},
		Duplicates: stats.Duplicates, Requests: stats.Requests,
	}
	for _, f := range w.faults {
		t.Faults[f.kind] += f.hits.Load()
	}
	return t
}

// calm reports whether all messages are sent and the last trouble is over. It ends a trouble that nobody waits for any more.
func (w *world) calm() bool {
	if !w.fed.Load() {
		return false
	}
	since := time.Since(*w.began.Load())
	calm := since >= w.row.lasts()
	for _, f := range w.faults {
		if f.whileOthersWait && !f.over(since) {
			f.lifted.Store(w.book.openBeside(indexOf(firstDay().AddDate(0, 0, f.day))) == 0)
			calm = calm && f.lifted.Load()
		}
	}
	return calm
}

// places are the addresses of the stand-in, as it tells them on its standard output.
type places struct {
	AWS     string `json:"aws"`
	Cluster string `json:"cluster"`
	Control string `json:"control"`
	Names   string `json:"names"` // address of the DNS server, "" when there is none
}

// serve is the stand-in's process: it listens, tells where, and serves until it is killed.
func serve(ctx context.Context, r *row, seed uint64) error {
	w := newWorld(r, seed)
	control := http.NewServeMux()
	control.HandleFunc("/begin", func(http.ResponseWriter, *http.Request) { go w.feed(ctx) })
	control.HandleFunc("/tally", func(rw http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(rw).Encode(w.tally()) })
	control.Handle("/keys", w.keys)
	control.HandleFunc("/disk", func(_ http.ResponseWriter, r *http.Request) {
		w.book.readFrom((&disk{world: w, path: r.FormValue("path"), read: map[string]int{}}).look)
	})
	at, err := w.listen(ctx, control)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return fmt.Errorf("telling the addresses: %w", err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // whoever started it is gone when its input ends
	return nil
}

// listen serves AWS, the cluster and the control at addresses of their own.
func (w *world) listen(ctx context.Context, control http.Handler) (at places, err error) {
	for _, s := range []struct {
		address *string
		handler http.Handler
		door    bool
	}{{&at.AWS, w.aws(), false}, {&at.Cluster, w.search(), true}, {&at.Control, control, false}} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return at, err
		}
		*s.address = "http://" + l.Addr().String()
		if s.door {
			l = &door{Listener: l, shut: func() bool { return w.strike(kindAway, nil) != nil }}
		}
		server := &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute}
		server.SetKeepAlivesEnabled(!w.row.more.names) // a connection that lasts asks for no name
		go func() { _ = server.Serve(l) }()            // it ends with the process
	}
	if w.row.more.names {
		if at, err = w.byName(ctx, at); err != nil {
			return at, err
		}
	}
	return at, nil
}
