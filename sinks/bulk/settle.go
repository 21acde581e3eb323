package bulk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
)

// apply turns what became of a request into fates, and into what must be sent again.
func (e *Engine) apply(r *request, v verdict) {
	switch v.result {
	case resultOK:
		e.settle(r, v)
	case resultTooLarge:
		e.split(r, v)
	default:
		e.failed(r, v)
	}
}

// failed sends all documents of a failed request again: whether they are stored is unknown, or nothing was.
func (e *Engine) failed(r *request, v verdict) {
	if e.ctx.Err() != nil {
		return // by Close
	}
	e.metrics.retries.WithLabelValues(v.result).Add(float64(r.docs))
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	stop := v.result == resultRefused
	why := r.why(v)
	e.outage.fail(r.sent, now, stop, why)
	if !stop {
		e.answered(r, 1, now)
	}
	if e.outage.stopped {
		e.complain("outage", "the sink is stopped until the cluster answers well again", zap.Error(why))
	}
	e.hush(v, now)
	wait := v.retryAfter
	if !e.outage.stopped || v.retryAfter > 0 {
		wait = max(wait, r.spans[0].w.delay())
	}
	e.later(r.spans, wait)
}

// hush keeps all requests back for as long as the cluster asks in an answer that is not a good one. The engine's lock is
// held.
func (e *Engine) hush(v verdict, now time.Time) {
	if until := now.Add(v.retryAfter); v.retryAfter > 0 && until.After(e.quiet) {
		e.quiet = until
	}
}

// why is the reason of a failed request for the operator.
func (r *request) why(v verdict) error {
	a := &r.answer
	switch {
	case v.result == resultLost:
		return fmt.Errorf("sending a bulk request: %w", v.err)
	case v.result == resultUnreadable && v.err != nil:
		return fmt.Errorf("%w: check that no proxy answers in the cluster's place", v.err)
	case v.result == resultUnreadable:
		return fmt.Errorf("the answer has %d items for %d documents: check that no proxy changes it", len(a.items), r.docs)
	}
	return trouble(v.status, string(a.of(a.problem.kind)), valid(a.of(a.problem.reason)))
}

// split halves what one request may hold and sends the documents again, down to one document. One that can never pass
// even alone is refused; one for which there is only no room at the moment waits.
func (e *Engine) split(r *request, v verdict) {
	e.metrics.retries.WithLabelValues(v.result).Add(float64(r.docs))
	if r.docs == 1 && v.never {
		s := &r.spans[0]
		if s.w.hold() {
			e.refuse(s.w, s.from, &pipeline.Refusal{
				Status: v.status, Type: typeTooLarge,
				Reason: fmt.Sprintf("the cluster takes no request of %d bytes, and this is one document", r.bytes),
			})
			s.w.settle(1)
			s.w.release()
		}
	}

	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hush(v, now)
	if r.docs == 1 && v.never {
		if s := &r.spans[0]; s.probe {
			e.unpark(s.ix)
		}
		return
	}
	if r.docs > 1 && e.size.refused(r.bytes, now) {
		e.log.Warn("the cluster refuses requests of this size: smaller ones for now",
			zap.Int("bytes", r.bytes), zap.Int("limit", e.size.limit))
	}
	wait := v.retryAfter
	if !v.never {
		e.outage.fail(r.sent, now, false, r.why(v))
		e.answered(r, 1, now)
		wait = max(wait, r.spans[0].w.delay())
	}
	e.later(r.spans, wait)
}

// A tally is what settling one span adds up.
type tally struct {
	gone     bool // the caller has taken the batch back
	accepted bool // a document was stored, or found to be
	fresh    bool // … since the index's streak of refusals was last looked at
	settled  int
}

// settle gives each document of an answered request its fate, or notes what else to do with it.
func (e *Engine) settle(r *request, v verdict) {
	at := 0
	for k := range r.spans {
		s := &r.spans[k]
		t := tally{gone: !s.w.hold()}
		if !t.gone {
			e.settleSpan(r, s, at, &t)
			s.w.settle(t.settled)
			s.w.release()
		}
		r.tallies = append(r.tallies, t)
		at += s.docs()
	}
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.outage.end() {
		e.log.Info("the cluster answers well again: the sink goes on")
	}
	for k, t := range r.tallies {
		e.learn(&r.spans[k], t, now)
	}
	e.size.accepted(r.bytes, r.limited, now)
	e.answered(r, float64(r.busy)/float64(r.docs), now)
	for _, s := range r.degrading {
		e.metrics.degraded.Inc()
		s.vouched = s.ix.stored.Equal(now)
		e.enqueue(s, now)
	}
	if len(r.again) > 0 {
		e.later(r.again, max(v.retryAfter, r.again[0].w.delay()))
	}
	e.detain(r, now)
}

// settleSpan settles the items of one span, the first of which is at. The caller holds the batch.
func (e *Engine) settleSpan(r *request, s *span, at int, t *tally) {
	before := len(r.again)
	for i := s.from; i < s.to; i++ {
		it := &r.answer.items[at+int(i-s.from)]
		if it.failureStore {
			e.metrics.failureStore.Inc()
		}
		switch c := r.answer.classify(it, e.o.DataStream); c {
		case stored, duplicate:
			s.w.fates[i].Outcome = pipeline.Indexed
			if c == duplicate {
				s.w.fates[i].Outcome = pipeline.Duplicate
			}
			if e.seen != nil {
				e.seen.add(s.w.batch.ID(int(i)))
			}
			t.accepted, t.fresh = true, true
			t.settled++
		case busy, unknown:
			r.busy++
			e.metrics.retries.WithLabelValues(retryReason(it.status)).Inc()
			r.again = s.note(r.again, i)
		case faulty:
			e.fault(r, s, i, it, t)
		default:
			r.hold(s, i, c, it)
		}
	}
	if !s.degraded {
		s.w.save(r.again[before:])
	}
}

// fault handles an item that is its document's own fault: degraded the first time, refused the second, unless so many
// were refused in a row that it cannot be the documents. Those that were refused among others that were stored do not
// count: their second tries come together, with nothing between them that could be stored.
func (e *Engine) fault(r *request, s *span, i int32, it *item, t *tally) {
	refusal := r.refusal(it)
	if !s.degraded {
		if d, ok := s.w.degrade(s, i, refusal); ok {
			r.degrading = append(r.degrading, d)
			return
		}
	}
	if !s.vouched && !e.believe(s.ix, t, refusal.Type) {
		r.hold(s, i, indexWide, it)
		return
	}
	e.refuse(s.w, i, refusal)
	t.settled++
}

// believe counts a refusal of an index's document; false when there are too many in a row.
func (e *Engine) believe(ix *index, t *tally, kind string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.fresh {
		ix.streak, t.fresh = streak{}, false
	}
	return ix.streak.add(kind)
}

// refusal is what an item says against its document.
func (r *request) refusal(it *item) *pipeline.Refusal {
	kind, reason := string(r.answer.of(it.kind)), valid(r.answer.of(it.reason))
	if it.failureStore {
		kind, reason = typeFailureStore, "the cluster could not index the document and put it into its data stream's failure store"
	}
	return &pipeline.Refusal{Status: it.status, Type: kind, Reason: reason}
}

// learn takes over what a span's answer says about its index. The engine's lock is held.
func (e *Engine) learn(s *span, t tally, now time.Time) {
	ix := s.ix
	if t.accepted {
		ix.there = true
		ix.stored, e.accepted = now, now
	}
	if t.fresh {
		ix.streak = streak{}
	}
	switch {
	case t.gone && s.probe:
		e.reprobe([]*index{ix})
	case t.settled > 0:
		e.unpark(ix)
	}
}

// detain parks the indices that take no documents, with those documents. The engine's lock is held.
func (e *Engine) detain(r *request, now time.Time) {
	for _, h := range r.waiting {
		e.metrics.retries.WithLabelValues("operational").Add(float64(h.docs()))
		ix := h.ix
		if h.class == missing {
			ix.there = false // a Creator makes it again
			h.class = operational
		}
		if h.probe && ix.parking != nil {
			ix.parking.asked = false
		}
		if e.giveUp(ix, now) {
			e.abandon(ix, h)
			continue
		}
		e.park(ix, h.class, h.why, now)
		h.probe = false
		e.wait(ix, h.span, now)
	}
}

// later queues spans again after a pause. The engine's lock is held.
func (e *Engine) later(spans []span, wait time.Duration) {
	if wait <= 0 {
		e.enqueueAll(spans)
		return
	}
	kept := slices.Clone(spans)
	time.AfterFunc(wait, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.enqueueAll(kept)
	})
}

func (e *Engine) enqueueAll(spans []span) {
	now := time.Now()
	for _, s := range spans {
		e.enqueue(s, now)
	}
}

// answered tells the pace of a request, and what part of it the cluster had no room for. The engine's lock is held.
func (e *Engine) answered(r *request, refused float64, now time.Time) {
	e.pace.answer(sample{sent: r.sent, took: r.took, bytes: r.bytes, refused: refused}, now)
	e.metrics.limit.Set(float64(e.pace.allowed()))
	e.metrics.baseline.Set(e.pace.base.level)
}

// refuse gives a document its refusal. The caller holds the batch and settles the write.
func (e *Engine) refuse(w *write, i int32, refusal *pipeline.Refusal) {
	w.fates[i] = pipeline.Fate{Outcome: pipeline.Refused, Refusal: refusal}
	e.metrics.refused.WithLabelValues(kindLabel(refusal.Type)).Inc()
}

// note appends document i to a list of spans, to the last one where that goes on.
func (s *span) note(list []span, i int32) []span {
	if n := len(list); n > 0 && list[n-1].w == s.w && list[n-1].to == i && !s.degraded {
		list[n-1].to++
		list[n-1].bytes += s.w.batch.Size(int(i), int(i)+1)
		return list
	}
	return append(list, s.one(i))
}

// one is document i of the span as a span. The caller holds the batch.
func (s *span) one(i int32) span {
	one := *s
	if !s.degraded {
		one.from, one.to, one.bytes = i, i+1, s.w.batch.Size(int(i), int(i)+1)
	}
	return one
}

// hold notes that document i has to wait for its index.
func (r *request) hold(s *span, i int32, c class, it *item) {
	if n := len(r.waiting); n > 0 && !s.degraded {
		if last := &r.waiting[n-1]; last.w == s.w && last.to == i && last.class == c {
			last.to++
			last.bytes += s.w.batch.Size(int(i), int(i)+1)
			return
		}
	}
	why := errDataStream
	if c != streamed {
		said := r.refusal(it)
		why = trouble(said.Status, said.Type, said.Reason)
		if c == indexWide && (it.failureStore || atFault([]byte(said.Type), []byte(said.Reason))) {
			why = fmt.Errorf("more than %d documents in a row were refused, which is not the documents' fault: "+
				"check the index's mapping against the template: %w", maxStreak, why)
		}
	}
	r.waiting = append(r.waiting, held{s.one(i), c, why})
}

// retryReason is the metric's word for an item that is sent again.
func retryReason(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return resultBusy
	case status >= 500:
		return resultFailed
	}
	return resultUnreadable
}

// valid makes a string of what the cluster said, which may have been cut inside a character.
func valid(text []byte) string { return strings.ToValidUTF8(string(text), "") }
