package source

import "time"

// deepIdle is how long a goroutine waits for more work. Where there is less there is nothing to save.
const deepIdle = 300 * time.Millisecond

// deep runs functions that call deeply, as the SDK's operations do through some fifty middlewares, on goroutines that are
// used again. A new goroutine begins with a small stack and copies it each time it has to grow; with a request for each
// small object that was a fifth of all CPU. It is safe for concurrent use.
type deep struct{ idle chan func() }

func newDeep() deep { return deep{idle: make(chan func())} }

// run returns when f has. A panic of f is the caller's.
func (d deep) run(f func()) {
	done := make(chan any, 1)
	work := func() {
		defer func() { done <- recover() }()
		f()
	}
	select {
	case d.idle <- work:
	default:
		go d.serve(work)
	}
	if p := <-done; p != nil {
		panic(p)
	}
}

// serve runs work, and what comes then, until nothing comes.
func (d deep) serve(work func()) {
	timer := time.NewTimer(deepIdle)
	defer timer.Stop()
	for {
		work()
		timer.Reset(deepIdle)
		select {
		case work = <-d.idle:
		case <-timer.C:
			return
		}
	}
}
