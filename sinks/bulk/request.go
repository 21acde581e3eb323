package bulk

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

// itemFields keeps a field on every item of an answer: objects in which nothing is left are dropped by the cluster, and
// the items behind them would move up.
const itemFields = "errors,took,items.*.status,items.*._index,items.*.failure_store," +
	"items.*.error.type,items.*.error.reason,error,status"

// maxErrorBody is how much of an answer is read when it is not a good one.
const maxErrorBody = 64 << 10

// A request is one call of the _bulk API. Requests are reused.
type request struct {
	spans   []span
	docs    int
	bytes   int  // before compression
	limited bool // more was waiting than it may hold
	sent    time.Time
	took    time.Duration
	answer  answer
	scratch []byte // for documents that are sent again

	tallies   []tally
	busy      int    // items that the cluster has no room for
	again     []span // settle's notes: to be sent again after a pause,
	degrading []span // to be sent at once in degraded form,
	waiting   []held // to wait for an index
}

// held is a span that has to wait for its index, and why.
type held struct {
	span
	class class
	why   error
}

func (r *request) reset() {
	clear(r.spans)
	clear(r.again)
	clear(r.degrading)
	clear(r.waiting)
	r.spans, r.again, r.degrading, r.waiting = r.spans[:0], r.again[:0], r.degrading[:0], r.waiting[:0]
	r.tallies = r.tallies[:0]
	r.docs, r.bytes, r.busy, r.limited = 0, 0, 0, false
}

// assemble compresses the lines of all spans into a payload. Spans whose caller is gone are left out; those of them
// that were probes come back in lost.
func (r *request) assemble(z *gzip.Writer, p *payload) (lost []*index) {
	z.Reset(&p.buf)
	now := time.Now()
	kept := r.spans[:0]
	for _, s := range r.spans {
		if !s.w.hold() {
			if s.probe {
				lost = append(lost, s.ix)
			}
			continue
		}
		r.bytes += s.writeTo(z, now, &r.scratch)
		s.passed()
		s.w.release()
		r.docs += s.docs()
		kept = append(kept, s)
	}
	clear(r.spans[len(kept):])
	r.spans = kept
	_ = z.Close()
	return lost
}

// payload is the compressed body of a request. The HTTP transport may go on reading a body after it has returned the
// answer, so the buffer is free only when the last reader of it is closed.
type payload struct {
	buf  bytes.Buffer
	refs atomic.Int32
	idle chan<- *payload // where it waits to be used again
}

// idlePayloads is how many wait at most. A sync.Pool would be emptied by the collector several times a second, and a new
// buffer grows to half a MiB by doubling.
const idlePayloads = 8

// payload returns an empty one.
func (e *Engine) payload() *payload {
	select {
	case p := <-e.payloads:
		return p
	default:
		return &payload{idle: e.payloads}
	}
}

func (p *payload) release() {
	if p.refs.Add(-1) == 0 {
		p.buf.Reset()
		select {
		case p.idle <- p:
		default:
		}
	}
}

// open returns a reader of the whole payload.
func (p *payload) open() (io.ReadCloser, error) {
	p.refs.Add(1)
	return &payloadReader{Reader: bytes.NewReader(p.buf.Bytes()), p: p}, nil
}

type payloadReader struct {
	*bytes.Reader
	p      *payload
	closed atomic.Bool
}

func (r *payloadReader) Close() error {
	if !r.closed.Swap(true) {
		r.p.release()
	}
	return nil
}

// A verdict is what became of a request as a whole.
type verdict struct {
	result     string // for the metric: one of the results below
	status     int
	retryAfter time.Duration
	never      bool  // of resultTooLarge: not even when nothing else is under way
	err        error // of the transport
}

// The results of a request.
const (
	resultOK         = "ok"
	resultLost       = "lost"       // no answer: stored or not
	resultUnreadable = "unreadable" // an answer, but not of a _bulk API, or not of as many items
	resultBusy       = "busy"       // 429
	resultFailed     = "failed"     // 5xx
	resultTooLarge   = "too_large"  // smaller requests may pass
	resultRefused    = "refused"    // anything else: a person must act
)

// send sends the payload and reads the answer into r.answer.
func (e *Engine) send(r *request, p *payload) verdict {
	ctx, cancel := context.WithTimeout(e.ctx, e.o.Timeout)
	defer cancel()
	body, _ := p.open()
	u := e.url
	req := (&http.Request{
		Method: http.MethodPost, URL: &u, Body: body, GetBody: p.open, ContentLength: int64(p.buf.Len()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":     {"application/x-ndjson"},
			"Content-Encoding": {"gzip"},
			"Accept":           {"application/json"},
		},
	}).WithContext(ctx)
	r.sent = time.Now()
	resp, err := e.o.Transport.Perform(req)
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		_ = body.Close() // for a transport that gave up before it sent anything
		r.took = time.Since(r.sent)
		return verdict{result: resultLost, err: err}
	}
	defer resp.Body.Close()
	v := r.judge(resp)
	r.took = time.Since(r.sent)
	return v
}

// judge reads the answer.
func (r *request) judge(resp *http.Response) verdict {
	v := verdict{status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	if v.status >= 200 && v.status < 300 {
		v.result = resultOK
		err := r.answer.read(resp.Body)
		if err != nil || len(r.answer.items) != r.docs {
			v.result, v.err = resultUnreadable, err
		}
		return v
	}
	// What cannot be read is judged by its status alone.
	a := &r.answer
	if err := a.read(io.LimitReader(resp.Body, maxErrorBody)); err != nil {
		a.problem, a.text = item{}, a.text[:0]
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody)) // so that the connection can be used again
	switch {
	case v.status == http.StatusRequestEntityTooLarge:
		v.result, v.never = resultTooLarge, true
	case v.status == http.StatusTooManyRequests && has(a.of(a.problem.reason), coordinating):
		v.result, v.never = resultTooLarge, a.neverFits()
	case v.status == http.StatusTooManyRequests && string(a.of(a.problem.kind)) != "cluster_block_exception":
		v.result = resultBusy
	case v.status >= 500, v.status == http.StatusRequestTimeout:
		v.result = resultFailed
	default:
		v.result = resultRefused
	}
	return v
}

// coordinating stands in the reason of a cluster whose memory for requests is used up: "rejected execution of coordinating
// operation [… coordinating_operation_bytes=N, max_coordinating_and_primary_bytes=M]". A smaller request may have room.
const coordinating = "coordinating operation"

// neverFits reports whether such a request alone is larger than all that the cluster takes at once.
func (a *answer) neverFits() bool {
	reason := a.of(a.problem.reason)
	own, ok := numberAfter(reason, "operation_bytes=")
	most, ok2 := numberAfter(reason, "max_coordinating_and_primary_bytes=")
	if !ok2 {
		most, ok2 = numberAfter(reason, "max_coordinating_bytes=")
	}
	return ok && ok2 && own > most
}

func numberAfter(text []byte, name string) (int64, bool) {
	_, rest, ok := bytes.Cut(text, []byte(name))
	if !ok {
		return 0, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, err == nil
}

// retryAfter reads the Retry-After header, seconds or a date (RFC 9110, section 10.2.3), at most five minutes.
func retryAfter(header string, now time.Time) time.Duration {
	const most = 5 * time.Minute
	if header == "" {
		return 0
	}
	if s, err := strconv.Atoi(header); err == nil {
		return min(max(time.Duration(s)*time.Second, 0), most)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), most)
}

// bulkURL is the path and query of every request.
func bulkURL(extra url.Values) url.URL {
	q := url.Values{"filter_path": {itemFields}}
	maps.Copy(q, extra)
	return url.URL{Path: "/_bulk", RawQuery: q.Encode()}
}
