package enrich

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// IAM throttles an account's callers together, people at the console included. We stay far below: five calls a second.
// Source: IAM User Guide, "IAM and AWS STS quotas", which gives no figure; AWS support names 15 to 25 a second.
const (
	perCall    = 205 * time.Millisecond
	clerks     = 4    // calls under way at once, so that a slow one does not hold up the others
	maxQueue   = 1024 // principals waiting to be asked for: more go untagged at once
	callLimit  = 10 * time.Second
	firstPause = 2 * time.Second
	lastPause  = 5 * time.Minute
)

// flight is one question to IAM on its way. Whoever has the same question waits for the same flight.
type flight struct {
	key       digest
	principal principal
	done      chan struct{}
	entry     *entry // when done is closed; nil when there was no answer

	overdue  atomic.Bool // somebody waited in vain: nobody else does
	outdated bool        // the principal changed while it was asked for; guarded by desk.mu
}

// desk asks IAM, each question once at a time and never faster than it should.
type desk struct {
	ask     func(ctx context.Context, p principal) (answer, error)
	keep    func(f *flight, a answer) *entry
	failed  func(p principal, err error)
	limiter *rate.Limiter

	mu      sync.Mutex
	flights map[digest]*flight
	health  map[string]*health // by account
	queue   chan *flight
}

// health is how well an account's IAM answers.
type health struct {
	until time.Time     // no questions before then
	pause time.Duration // the last one
	slow  bool          // an answer came too late for somebody, and none has come since
}

func newDesk() *desk {
	return &desk{
		limiter: rate.NewLimiter(rate.Every(perCall), 1), flights: map[digest]*flight{}, health: map[string]*health{},
		queue: make(chan *flight, maxQueue),
	}
}

// fly returns the flight that asks for v, a new one if need be; nil when the account is resting after an error or too many
// wait already. worth says whether an answer can be expected within wait.
func (d *desk) fly(key digest, v view, wait time.Duration) (f *flight, worth bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.health[string(v.account)]
	if f = d.flights[key]; f == nil {
		if h != nil && time.Now().Before(h.until) {
			return nil, false
		}
		f = &flight{key: key, principal: v.own(), done: make(chan struct{})}
		select {
		case d.queue <- f:
			d.flights[key] = f
		default:
			return nil, false
		}
	}
	slow := h != nil && h.slow
	return f, !slow && !f.overdue.Load() && time.Duration(len(d.queue))*perCall <= wait
}

// late notes that somebody waited for the flight in vain.
func (d *desk) late(f *flight) {
	f.overdue.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of(f.principal.account).slow = true
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

// of is an account's health. The caller holds d.mu.
func (d *desk) of(account string) *health {
	h := d.health[account]
	if h == nil {
		h = &health{}
		d.health[account] = h
	}
	return h
}

// work answers questions until ctx ends.
func (d *desk) work(ctx context.Context) {
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
		var e *entry
		if err := d.limiter.Wait(ctx); err == nil {
			call, cancel := context.WithTimeout(ctx, callLimit)
			a, err := d.ask(call, f.principal)
			cancel()
			if d.heard(ctx, f.principal, err) {
				e = d.keep(f, a)
			}
		}
		if d.land(f, e) {
			return
		}
	}
}

// heard notes how the account's IAM answered, and reports whether it did.
func (d *desk) heard(ctx context.Context, p principal, err error) bool {
	if err != nil && ctx.Err() == nil {
		d.failed(p, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.of(p.account)
	if err == nil {
		*h = health{}
		return true
	}
	h.pause = min(max(2*h.pause, firstPause), lastPause)
	if denied(err) {
		h.pause = lastPause // it takes a person to change that
	}
	h.until = time.Now().Add(h.pause)
	return false
}

// land ends a flight, unless the principal changed meanwhile and the answer may be the old one.
func (d *desk) land(f *flight, e *entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.outdated && e != nil {
		f.outdated = false
		return false
	}
	delete(d.flights, f.key)
	f.entry = e
	close(f.done)
	return true
}
