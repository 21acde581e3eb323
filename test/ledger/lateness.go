package main

import (
	"slices"
	"sync"
	"time"
)

// A lateness is how late timers fire in this process, because other programs have the CPU. The daemon beside it fares no
// better: between the stamp of a document and the arrival of its request it waits for the CPU several times.
type lateness struct {
	mu    sync.Mutex
	last  [100]time.Duration // of the last five seconds
	at    int
	worst time.Duration // since the beginning
}

const (
	lookEvery = 50 * time.Millisecond
	turns     = 8 // that a request takes, at most: encode, compress, send, two kernels' buffers, read, decompress, store
	// tooLate is the lateness from which on a machine is so busy that a row cannot tell its delays from the daemon's.
	tooLate = 100 * time.Millisecond
)

// measure goes on for as long as the process lives.
func (l *lateness) measure() {
	for before := time.Now(); ; {
		<-time.After(lookEvery)
		now := time.Now()
		late := now.Sub(before) - lookEvery
		l.mu.Lock()
		l.last[l.at%len(l.last)], l.worst = late, max(l.worst, late)
		l.at++
		l.mu.Unlock()
		before = now
	}
}

// request is what to allow for a request at the moment.
func (l *lateness) request() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return turns * slices.Max(l.last[:])
}

// most is how late a timer was at worst.
func (l *lateness) most() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.worst
}
