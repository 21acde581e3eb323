package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"
)

// extensions is the queue of a heartbeat under test: it remembers when each message becomes visible.
type extensions struct {
	mu      sync.Mutex
	start   time.Time
	log     []string // "message at seconds for seconds"
	visible map[string]time.Time
	answer  func(c change) error
	delay   time.Duration
}

func (e *extensions) extend(_ context.Context, changes []change) []error {
	pass(e.delay)
	e.mu.Lock()
	defer e.mu.Unlock()
	errs := make([]error, len(changes))
	now := time.Now()
	for i, c := range changes {
		if e.answer != nil {
			errs[i] = e.answer(c)
		}
		if errs[i] == nil {
			e.visible[c.message.id] = now.Add(c.timeout)
		}
		e.log = append(e.log, fmt.Sprintf("%s at %v for %v", c.message.id, now.Sub(e.start), c.timeout))
	}
	return errs
}

// until is when the message becomes visible, beats how often a message was extended.
func (e *extensions) until(id string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.visible[id]
}

func (e *extensions) beats() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.log)
}

// beating starts a heartbeat inside a synctest bubble; it ends with the test.
func beating(t *testing.T, visibility time.Duration) (*heartbeat, *extensions) {
	t.Helper()
	e := &extensions{start: time.Now(), visible: map[string]time.Time{}}
	h := newHeartbeat(visibility, e.extend, zaptest.NewLogger(t), NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go h.run(ctx, func(string) (tick, done func()) { return func() {}, func() {} }, "q")
	return h, e
}

func (h *heartbeat) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

func TestHeartbeat_keepsInvisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := beating(t, 5*time.Minute)
		m := &message{id: "a", received: time.Now()}
		e.visible[m.id] = time.Now().Add(5 * time.Minute)
		h.hold(m)
		for range 3600 { // ten hours
			pass(10 * time.Second)
			if left := time.Until(e.until("a")); left < 2*time.Minute {
				t.Fatalf("after %v it stays invisible for %v only, want two minutes to spare", time.Since(e.start), left)
			}
		}
		if n := e.beats(); n > 10*60*60/110 {
			t.Errorf("extended %d times in ten hours, want at most every 110 seconds", n)
		}
		h.release(t.Context(), m)
		before := e.beats()
		pass(time.Hour)
		if e.beats() != before {
			t.Errorf("extended after release: %s", e.log)
		}
	})
}

func TestHeartbeat_ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := beating(t, time.Hour)
		h.hold(&message{id: "a", received: time.Now()})
		pass(13 * time.Hour)
		if h.count() != 0 {
			t.Error("still held after 13 hours")
		}
		latest := e.until("a").Sub(e.start)
		if latest > maxHold || latest < maxHold-2*holdMargin {
			t.Errorf("invisible until %v after receipt, want just below %v: SQS refuses more", latest, maxHold)
		}
	})
}

func TestHeartbeat_batches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		var mu sync.Mutex
		h := newHeartbeat(time.Minute, func(_ context.Context, changes []change) []error {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(changes))
			return make([]error, len(changes))
		}, zaptest.NewLogger(t), NewMetrics(prometheus.NewRegistry()))
		for i := range 25 {
			h.hold(&message{id: strconv.Itoa(i), received: time.Now()})
		}
		pass(30 * time.Second)
		h.beat(t.Context())
		slices.Sort(sizes)
		if diff := cmp.Diff([]int{5, 10, 10}, sizes); diff != "" {
			t.Errorf("entries a call, -want +got:\n%s", diff)
		}
	})
}

func TestHeartbeat_failures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := beating(t, 80*time.Second)
		tries := map[string]int{}
		e.answer = func(c change) error {
			tries[c.message.id]++
			switch {
			case c.message.id == "lost":
				return &entryError{code: "ReceiptHandleIsInvalid", sender: true}
			case c.message.id == "late" && tries["late"] <= 2:
				return errors.New("the network is down")
			}
			return nil
		}
		for _, id := range []string{"good", "late", "lost"} {
			h.hold(&message{id: id, received: time.Now()})
		}
		pass(55 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff(map[string]int{"good": 1, "late": 3, "lost": 1}, tries); diff != "" {
			t.Errorf("tries, -want +got:\n%s", diff)
		}
		if h.count() != 2 {
			t.Errorf("%d messages held, want 2: the handle of one is gone", h.count())
		}
	})
}

func TestHeartbeat_releaseWaitsForTheExtensionUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, e := beating(t, 80*time.Second)
		e.delay = 3 * time.Second
		m := &message{id: "a", received: time.Now()}
		h.hold(m)
		pass(31 * time.Second) // the extension began a second ago
		h.release(t.Context(), m)
		if got, want := time.Since(e.start), 33*time.Second; got != want {
			t.Errorf("released after %v, want %v: the extension must not arrive after the delay that follows", got, want)
		}
	})
}
