package enrich

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// IAM throttles an account's callers together, people at the console included. We stay far below: four calls a second, so
// that it is never more than five that reach IAM within one, however the network spreads them.
// Source: IAM User Guide, "IAM and AWS STS quotas", which gives no figure; AWS support names 15 to 25 a second.
const (
	perCall    = 250 * time.Millisecond
	clerks     = 4    // calls under way at once, so that a slow one does not hold up the others
	maxQueue   = 1024 // principals waiting to be asked for: more go untagged at once
	callLimit  = 10 * time.Second
	firstPause = 2 * time.Second
	lastPause  = 5 * time.Minute
	listLimit  = time.Second // longest that questions wait for the list
)

// newLimiter keeps the pace of all calls to IAM.
func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(perCall), 1) }

// flight is one question to IAM on its way. Whoever has the same question waits for the same flight.
type flight struct {
	key       digest
	principal principal
	why       why
	done      chan struct{}
	entry     *entry // when done is closed; nil when there was no answer

	// guarded by desk.mu
	asked    bool // IAM has the question
	overdue  bool // somebody waited in vain: nobody else does
	outdated bool // the principal changed while it was asked for
}

// why a question is asked.
type why uint8

const (
	cold why = iota // there is no answer: one from anywhere will do
	anew            // the answer is old, or the principal changed
)

// desk asks IAM, each question once at a time and never faster than it should.
type desk struct {
	ask     func(ctx context.Context, p principal) (answer, error)
	keep    func(f *flight, a answer) *entry
	known   func(f *flight) *entry // what came in meanwhile, nil for nothing
	failed  func(p principal, err error)
	limiter *rate.Limiter

	mu      sync.Mutex
	flights map[digest]*flight
	health  map[counter]*health
	queue   chan *flight
}

// counter is what answers well or badly as a whole: users and roles take rights of their own.
type counter struct {
	account string
	kind    kind
}

// health is how well a counter answers.
type health struct {
	until time.Time     // no questions before then
	pause time.Duration // the last one
	slow  bool          // an answer came too late for somebody, and none has come since
}

// resting reports whether no questions are to be asked. A nil health is a good one.
func (h *health) resting() bool { return h != nil && time.Now().Before(h.until) }

func newDesk(limiter *rate.Limiter) *desk {
	return &desk{
		limiter: limiter, flights: map[digest]*flight{}, health: map[counter]*health{}, queue: make(chan *flight, maxQueue),
	}
}

// fly returns the flight that asks for v, a new one if need be; nil when IAM is resting after an error or too many wait
// already.
func (d *desk) fly(key digest, v view, because why) *flight {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.flights[key]; f != nil {
		return f
	}
	if h := d.health[counter{string(v.account), v.kind}]; h.resting() {
		return nil
	}
	f := &flight{key: key, principal: v.own(), why: because, done: make(chan struct{})}
	select {
	case d.queue <- f:
		d.flights[key] = f
		return f
	default:
		return nil
	}
}

// spare asks anew for v when no other question waits.
func (d *desk) spare(key digest, v view) {
	if len(d.queue) == 0 {
		d.fly(key, v, anew)
	}
}

// worth reports whether it is worth to wait for the flight: not when IAM is slow, nor when somebody has waited for this one
// in vain.
func (d *desk) worth(f *flight) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.health[f.counter()]
	return (h == nil || !h.slow) && !f.overdue
}

func (f *flight) counter() counter { return counter{f.principal.account, f.principal.kind} }

// late notes that somebody waited for the flight in vain. When it was the queue that took the time, IAM is not to blame.
func (d *desk) late(f *flight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.overdue = true
	if f.asked {
		d.of(f.counter()).slow = true
	}
}

// again makes a flight that is under way ask once more, and reports whether there is one.
func (d *desk) again(key digest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.flights[key]
	if f == nil {
		return false
	}
	f.outdated = true
	return true
}

// of is a counter's health. The caller holds d.mu.
func (d *desk) of(c counter) *health {
	h := d.health[c]
	if h == nil {
		h = &health{}
		d.health[c] = h
	}
	return h
}

// work answers questions until ctx ends. It begins when the list of all principals is there, or cannot be had, or takes too
// long: what is on it need not be asked for.
func (d *desk) work(ctx context.Context, listed <-chan struct{}) {
	limit := time.NewTimer(listLimit)
	defer limit.Stop()
	select {
	case <-listed:
	case <-limit.C:
	case <-ctx.Done():
	}
	var all sync.WaitGroup
	for range clerks {
		all.Go(func() {
			for {
				select {
				case f := <-d.queue:
					d.answer(ctx, f)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	all.Wait()
	for { // whoever still waits need not wait longer
		select {
		case f := <-d.queue:
			d.land(f, nil)
		default:
			return
		}
	}
}

func (d *desk) answer(ctx context.Context, f *flight) {
	for {
		e := d.meanwhile(f)
		if e == nil && !d.resting(f.counter()) && d.limiter.Wait(ctx) == nil {
			e = d.meanwhile(f)
			if e == nil && !d.resting(f.counter()) {
				e = d.call(ctx, f)
			}
		}
		if d.land(f, e) {
			return
		}
	}
}

func (d *desk) resting(c counter) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.health[c].resting()
}

// meanwhile is the answer to a cold question that came in another way, nil when there is none.
func (d *desk) meanwhile(f *flight) *entry {
	d.mu.Lock()
	wanted := f.why == cold && !f.outdated
	d.mu.Unlock()
	if !wanted {
		return nil
	}
	return d.known(f)
}

// call asks IAM, and notes how well it answers.
func (d *desk) call(ctx context.Context, f *flight) *entry {
	d.mu.Lock()
	f.asked = true
	d.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	a, err := d.ask(limited, f.principal)
	if err != nil && ctx.Err() == nil {
		d.failed(f.principal, err)
	}
	d.heard(f.counter(), err)
	if err != nil {
		return nil
	}
	return d.keep(f, a)
}

// heard notes how a counter answered.
func (d *desk) heard(c counter, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.health, c)
		return
	}
	h := d.of(c)
	if h.resting() {
		return // this question was under way with the one that failed first
	}
	h.pause = min(max(2*h.pause, firstPause), lastPause)
	if denied(err) {
		h.pause = lastPause // it takes a person to change that
	}
	h.until = time.Now().Add(h.pause)
}

// land ends a flight, unless the principal changed meanwhile and the answer may be the old one.
func (d *desk) land(f *flight, e *entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.outdated && e != nil {
		f.outdated, f.why = false, anew
		return false
	}
	delete(d.flights, f.key)
	f.entry = e
	close(f.done)
	return true
}
