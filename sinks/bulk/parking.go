package bulk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
)

const (
	maxIndices    = 4096             // whose state is remembered
	maxStreak     = 50               // refusals for one reason, with no document accepted between them, that are believed
	giveUpAfter   = 10 * time.Minute // an index that takes nothing is given up, if others take documents meanwhile
	othersAccept  = time.Minute      // "meanwhile": the last document was accepted no longer ago
	createTimeout = time.Minute
	postponed     = 15 * time.Minute // until a delivery comes again for which there is no room to wait
)

// A Creator makes an index before its first document is written. An index that is there already is fine. The error is
// for the operator. CreateIndex is called concurrently, never twice at once for one name.
type Creator interface {
	CreateIndex(ctx context.Context, name string) error
}

// index is what the engine knows about one index. It is used under the engine's lock.
type index struct {
	name    string
	there   bool // created, or seen to accept documents
	parking *parking
	streak  streak
	stored  time.Time // when it last accepted a document
}

// streak counts refusals of one type since the index last accepted a document.
type streak struct {
	kind string
	n    int
}

// parking is where documents of an index wait while the index is being created, or takes none. From time to time one of
// them is sent to see whether that has changed; other indices go on.
type parking struct {
	spans []span
	asked bool // a probe or the index's creation is due or under way
	since time.Time
	class class
	why   error // with the cure; nil while the index is being created for the first time
	pause *backoff.ExponentialBackOff
	due   *time.Timer // of the next probe
}

// indexOf returns the state of an index.
func (e *Engine) indexOf(name string) *index {
	if ix := e.indices[name]; ix != nil {
		return ix
	}
	if len(e.indices) >= maxIndices {
		for other, ix := range e.indices {
			if ix.parking == nil {
				delete(e.indices, other)
			}
		}
	}
	ix := &index{name: name}
	e.indices[name] = ix
	return ix
}

// enqueue puts a span where it has to wait: before a request, or in the parking of its index.
func (e *Engine) enqueue(s span, now time.Time) {
	ix := s.ix
	if ix.parking == nil && !ix.there && e.o.Creator != nil {
		ix.parking = &parking{since: now, class: operational, asked: true}
		e.parked[ix] = struct{}{}
		e.background(func() { e.create(ix) })
	}
	if ix.parking != nil && !s.probe {
		e.wait(ix, s, now)
		return
	}
	e.queue.push(s.w.batch.Owner, s, now)
	e.nudge()
}

// create makes an index and lets its documents go, or parks it for good reasons.
func (e *Engine) create(ix *index) {
	select {
	case e.creating <- struct{}{}:
		defer func() { <-e.creating }()
	case <-e.ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, createTimeout)
	err := e.o.Creator.CreateIndex(ctx, ix.name)
	cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if ix.parking != nil {
			ix.parking.asked = false
		}
		e.park(ix, operational, err, time.Now())
		return
	}
	ix.there = true
	e.unpark(ix)
}

// park keeps an index from getting documents until a probe finds that it takes them again. The engine's lock is held.
func (e *Engine) park(ix *index, c class, why error, now time.Time) {
	p := ix.parking
	if p == nil {
		p = &parking{since: now}
		ix.parking = p
		e.parked[ix] = struct{}{}
	}
	if p.pause == nil {
		p.pause = jitter(2*time.Second, 10*time.Second)
	}
	p.class, p.why = c, why
	if p.asked || e.ctx.Err() != nil {
		return
	}
	p.asked = true
	e.metrics.parked.Set(float64(len(e.parked)))
	e.complain("index", "an index takes no documents", zap.String("index", ix.name), zap.Int("parked", len(e.parked)),
		zap.Error(why))
	// At least a second: a probe that fails at once would otherwise come back at once.
	p.due = time.AfterFunc(time.Second+p.pause.NextBackOff(), func() { e.probe(ix) })
}

// unpark lets the documents of an index go. The engine's lock is held.
func (e *Engine) unpark(ix *index) {
	p := ix.parking
	if p == nil {
		return
	}
	ix.parking = nil
	delete(e.parked, ix)
	e.metrics.parked.Set(float64(len(e.parked)))
	if p.why != nil {
		e.log.Info("the index takes documents again", zap.String("index", ix.name))
		e.hasten()
	}
	now := time.Now()
	for _, s := range p.spans {
		e.freed(s.w)
		s.probe = false
		e.queue.push(s.w.batch.Owner, s, now)
	}
	e.nudge()
}

// hasten tries the other parked indices at once: what kept one of them, such as the cluster's number of shards, may have
// kept them all. The engine's lock is held.
func (e *Engine) hasten() {
	for ix := range e.parked {
		if due := ix.parking.due; due != nil && due.Stop() {
			ix.parking.due = time.AfterFunc(0, func() { e.probe(ix) })
		}
	}
}

// probe tries a parked index again: with its creation where it is not there, else with one of its spans.
func (e *Engine) probe(ix *index) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := ix.parking
	if p == nil || e.ctx.Err() != nil {
		return
	}
	for len(p.spans) > 0 && !p.spans[0].w.hold() { // its caller is gone
		e.freed(p.spans[0].w)
		p.spans = p.spans[1:]
	}
	if len(p.spans) == 0 {
		p.why = nil // nobody waits: the next document will tell
		e.unpark(ix)
		return
	}
	p.spans[0].w.release()
	if !ix.there && e.o.Creator != nil {
		e.background(func() { e.create(ix) })
		return
	}
	s := p.spans[0]
	e.freed(s.w)
	p.spans = p.spans[1:]
	s.probe = true
	e.enqueue(s, time.Now())
}

// giveUp reports whether the documents of an index should be refused instead of waiting: it alone is at fault, it has
// been for long, and others take documents all the while.
func (e *Engine) giveUp(ix *index, now time.Time) bool {
	p := ix.parking
	return p != nil && p.class == indexWide && now.Sub(p.since) >= giveUpAfter && now.Sub(e.accepted) <= othersAccept
}

// abandon refuses everything that waits for an index, and last. The engine's lock is held.
func (e *Engine) abandon(ix *index, last held) {
	e.complain("abandoned", "an index takes no documents for long: they are refused as "+typeIndexBlocked,
		zap.String("index", ix.name), zap.Error(last.why))
	spans := slices.Concat(ix.parking.spans, []span{last.span})
	for _, s := range ix.parking.spans {
		e.freed(s.w)
	}
	ix.parking.spans, ix.parking.why = nil, nil
	for _, s := range spans {
		if !s.w.hold() {
			continue
		}
		for i := s.from; i < s.to; i++ {
			e.refuse(s.w, i, &pipeline.Refusal{Type: typeIndexBlocked, Reason: last.why.Error()})
		}
		s.w.settle(s.docs())
		s.w.release()
	}
	e.unpark(ix) // the next document finds out whether it is so still
}

// wait adds a span to those that wait for a parked index. When they hold as much as they may and other indices take
// documents, the write ends instead and its delivery comes again later: one sick index must not use up the memory that
// the others need. The engine's lock is held.
func (e *Engine) wait(ix *index, s span, now time.Time) {
	p := ix.parking
	othersDo := p.why != nil && p.class != clusterWide && e.accepted.After(p.since) && now.Sub(e.accepted) <= othersAccept
	if s.w.parked == 0 && othersDo && e.detained >= int(e.o.Limits.Parked) {
		if s.w.err == nil && s.w.left.Load() > 0 {
			s.w.err = &pipeline.Postponed{After: postponed, Err: fmt.Errorf("index %s takes no documents: %w", ix.name, p.why)}
			e.metrics.retries.WithLabelValues("postponed").Add(float64(s.docs()))
			s.w.end()
		}
		return
	}
	if s.w.parked++; s.w.parked == 1 {
		e.detained += s.w.size
	}
	p.spans = append(p.spans, s)
}

// freed notes that a span of a write waits for its index no longer. The engine's lock is held.
func (e *Engine) freed(w *write) {
	if w.parked--; w.parked == 0 {
		e.detained -= w.size
	}
}

// add counts a refusal; false when there are too many in a row to be believed.
func (s *streak) add(kind string) bool {
	if s.kind != kind {
		*s = streak{kind: kind}
	}
	s.n++
	return s.n <= maxStreak
}
