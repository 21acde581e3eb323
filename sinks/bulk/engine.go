// Package bulk writes batches of documents to a cluster through its _bulk API: the part that Elasticsearch and
// OpenSearch share, and the part that keeps the promise "nothing lost, nothing doubled".
//
//	Write ─► queue, by owner ─┬─► request ─► gzip ─► POST /_bulk ─► answer, item by item ─┬─► fate
//	Write ─►  (spans)         │   5 MiB, 5000 documents or 50 ms                          ├─► again, after a pause
//	Write ─►                  └─◄ parked: the index takes no documents ◄──────────────────┘
//
// Concurrent writes are merged into one request (group commit) and each write returns when each of its documents is
// terminal. A document that meets its own _id is a duplicate, so sending again is always harmless and an unknown outcome
// is simply sent again. Only a listed set of refusals is believed to be the document's fault; everything else is
// operational: the document waits, and Ready says what to do.
package bulk

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
)

// Transport sends one request to a node of the cluster: it fills in host, credentials and signature, and tries only
// once. The transports of go-elasticsearch and opensearch-go are such.
type Transport interface {
	Perform(req *http.Request) (*http.Response, error)
}

// Limits bound the requests.
type Limits struct {
	Bytes    value.Bytes // of one request before compression; 0: 5 MiB
	Requests int         // in flight at once; 0: 32
	Rate     Rate        // of requests in all
	Parked   value.Bytes // of batches that wait for indices which take none, while others do; 0: 16 MiB
}

const (
	defaultBytes    = 5 << 20
	defaultRequests = 32
	defaultParked   = 16 << 20
	maxDocs         = 5000 // of one request
	linger          = 50 * time.Millisecond
	worthwhile      = 512 << 10 // bytes that need not wait for more while the cluster has nothing to do
	probeBytes      = 256 << 10 // of a request that only finds out whether the cluster is back
	idle            = 5 * time.Second
)

// Options are what an engine needs.
type Options struct {
	Transport  Transport
	Creator    Creator // nil: indices are not created before their first document
	Query      url.Values
	Limits     Limits
	Timeout    time.Duration // of one request; 0: 90 s
	DataStream bool          // the indices are data streams: answers that name .ds- indices are right, and doubles are not sent
	Log        *zap.Logger
	Metrics    prometheus.Registerer
	// Pulse announces a loop that must not stand still: the loop calls tick at least every ten seconds, and done when it
	// ends on purpose. nil: nobody watches.
	Pulse func(loop string) (tick, done func())
}

// Engine is a pipeline.Sink and pipeline.Readiness.
type Engine struct {
	o       Options
	url     url.URL
	log     *zap.Logger
	metrics *metrics
	ctx     context.Context //nolint:containedctx // ends with Close; requests are shared by many writes and end with none of them
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{}

	compressors chan *gzip.Writer // as many as may compress at once
	creating    chan struct{}     // as many indices as may be made at once
	payloads    chan *payload     // idle ones
	requests    sync.Pool
	seen        *seen // nil: the indices are no data streams

	mu       sync.Mutex // guards what follows
	queue    queue
	pace     pace
	size     sizing
	throttle throttle
	outage   outage
	quiet    time.Time // nothing is sent before: the cluster asked for that with Retry-After
	indices  map[string]*index
	parked   map[*index]struct{}
	detained int // bytes of the batches that have documents in the parkings
	inFlight int
	accepted time.Time // when a document was last stored, or found to be
	said     map[string]time.Time
}

// New returns an engine that runs until Close.
func New(o Options) *Engine {
	if o.Limits.Bytes <= 0 {
		o.Limits.Bytes = defaultBytes
	}
	if o.Limits.Requests <= 0 {
		o.Limits.Requests = defaultRequests
	}
	if o.Limits.Parked <= 0 {
		o.Limits.Parked = defaultParked
	}
	if o.Timeout <= 0 {
		o.Timeout = 90 * time.Second
	}
	if o.Pulse == nil {
		o.Pulse = func(string) (tick, done func()) { return func() {}, func() {} }
	}
	e := &Engine{
		o: o, url: bulkURL(o.Query), log: o.Log, metrics: newMetrics(o.Metrics),
		wake: make(chan struct{}, 1), compressors: make(chan *gzip.Writer, runtime.GOMAXPROCS(0)),
		creating: make(chan struct{}, 4), payloads: make(chan *payload, idlePayloads),
		queue: newQueue(), pace: newPace(o.Limits.Requests, time.Now()), size: newSizing(int(o.Limits.Bytes)), throttle: throttle{rate: o.Limits.Rate},
		indices: map[string]*index{}, parked: map[*index]struct{}{}, said: map[string]time.Time{},
	}
	if o.DataStream {
		e.seen = newSeen(seenGeneration)
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.requests.New = func() any { return new(request) }
	for range cap(e.compressors) {
		e.compressors <- nil // made when first needed
	}
	e.metrics.limit.Set(float64(e.pace.allowed()))
	e.running.Go(e.run)
	return e
}

// Close ends all requests and waits for them. Write must not be called any more; writes that still wait stay without
// fates until their contexts end.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.cancel() // under the lock: whoever holds it and sees the engine open may still start something
	e.mu.Unlock()
	e.running.Wait()
	return nil
}

// Write returns when each document of b is terminal, or with ctx's error when ctx ends first: documents without a fate
// may then be stored or not. While some index takes no documents but others do, Write keeps only so many waiting for it;
// for the rest it returns a *pipeline.Postponed. It is called concurrently, and should be: writes under way at the same time share requests.
func (e *Engine) Write(ctx context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	w := newWrite(b)
	if b.Len() == 0 {
		return w.fates, nil
	}
	e.submit(w)
	select {
	case <-w.done:
		if w.err != nil {
			w.leave()
		}
		return w.fates, w.err
	case <-ctx.Done():
		w.leave()
		return w.fates, ctx.Err()
	}
}

// submit queues the documents of a write, one span for each run of the same index.
func (e *Engine) submit(w *write) {
	doubles := e.leaveOut(w)
	w.first.Add(-int64(doubles))
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for from, n := 0, w.batch.Len(); from < n; {
		to := from + 1
		if w.fates[from].Outcome == pipeline.Unknown {
			for to < n && w.fates[to].Outcome == pipeline.Unknown && w.batch.Index(to) == w.batch.Index(from) {
				to++
			}
			e.enqueue(w.span(e.indexOf(w.batch.Index(from)), int32(from), int32(to)), now)
		}
		from = to
	}
	w.settle(doubles)
}

// leaveOut gives the documents their fate that this engine has stored before, and returns how many those are. It is for
// data streams, in which they might not meet their own ids.
func (e *Engine) leaveOut(w *write) (n int) {
	if e.seen == nil {
		return 0
	}
	for i := range w.fates {
		if e.seen.has(w.batch.ID(i)) {
			w.fates[i].Outcome = pipeline.Duplicate
			n++
		}
	}
	e.metrics.leftOut.Add(float64(n))
	return n
}

// run sends requests as they become due.
func (e *Engine) run() {
	tick, done := e.o.Pulse("bulk")
	defer done()
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		tick()
		r, wait := e.next(time.Now())
		if r != nil {
			e.background(func() { e.carry(r) })
			continue
		}
		timer.Reset(wait)
		select {
		case <-e.wake:
		case <-timer.C:
		case <-e.ctx.Done():
			return
		}
	}
}

// next returns a request that is due, or how long to wait for one.
func (e *Engine) next(now time.Time) (*request, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	bytes, docs := e.throttle.most(e.size.limit, maxDocs)
	full := e.queue.full(bytes, docs)
	due := e.queue.since.Add(linger)
	if full || e.inFlight == 0 && e.queue.bytes >= worthwhile {
		due = now
	}
	switch {
	case e.queue.empty():
		return nil, idle
	case now.Before(e.quiet):
		return nil, min(idle, e.quiet.Sub(now))
	case e.outage.stopped && e.inFlight > 0:
		return nil, idle
	case e.outage.stopped && now.Before(e.outage.until):
		return nil, min(idle, e.outage.until.Sub(now))
	case e.outage.stopped:
		bytes = min(bytes, probeBytes)
	case e.throttle.wait(now) > 0:
		return nil, min(idle, e.throttle.wait(now))
	case e.inFlight >= e.pace.allowed():
		if now.Before(due) {
			return nil, due.Sub(now)
		}
		e.pace.want()
		return nil, idle
	case now.Before(due):
		return nil, due.Sub(now)
	}
	r := e.requests.Get().(*request)
	var lost []*index
	r.spans, lost = e.queue.take(r.spans, bytes, docs, now)
	e.reprobe(lost)
	if len(r.spans) == 0 {
		e.requests.Put(r)
		return nil, time.Millisecond
	}
	for _, s := range r.spans {
		e.throttle.take(s.docs(), s.bytes, now)
	}
	r.limited = full
	e.inFlight++
	e.metrics.inFlight.Inc()
	return r, 0
}

// carry takes one request from assembly to the fates of its documents.
func (e *Engine) carry(r *request) {
	p := e.payload()
	p.refs.Store(1)
	z := <-e.compressors
	if z == nil {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // its only error is a wrong level
	}
	lost := r.assemble(z, p)
	e.compressors <- z
	if r.docs > 0 {
		e.metrics.bytes.Add(float64(r.bytes))
		e.metrics.wire.Add(float64(p.buf.Len()))
		v := e.send(r, p)
		e.metrics.requests.WithLabelValues(v.result).Inc()
		e.metrics.seconds.Observe(r.took.Seconds())
		e.apply(r, v)
	}
	p.release()
	r.reset()
	e.requests.Put(r)

	e.mu.Lock()
	e.reprobe(lost)
	e.inFlight--
	e.metrics.inFlight.Dec()
	e.nudge()
	e.mu.Unlock()
}

// reprobe tries indices again whose probe was lost because its caller went away. The engine's lock is held.
func (e *Engine) reprobe(lost []*index) {
	for _, ix := range lost {
		time.AfterFunc(0, func() { e.probe(ix) })
	}
}

// nudge wakes the loop.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// background runs f so that Close waits for it. It is called from the loop, or with the lock held while not closed.
func (e *Engine) background(f func()) {
	if e.ctx.Err() == nil {
		e.running.Go(f)
	}
}

// complain logs a trouble, each kind at most once a minute. The engine's lock is held.
func (e *Engine) complain(kind, message string, fields ...zap.Field) {
	now := time.Now()
	if last, ok := e.said[kind]; ok && now.Sub(last) < time.Minute {
		return
	}
	e.said[kind] = now
	e.log.Error(message, fields...)
}
