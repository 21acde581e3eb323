package main

import (
	"slices"
	"sync"
	"time"
)

// A lateness is how late timers fire in this process, because other programs have the CPU. The daemon beside it fares no
// better: between the stamp of a document and the arrival of its request it waits for the CPU several times.
type lateness struct {
	mu   sync.Mutex
	last [100]time.Duration // of the last five seconds
	at   int
}

const (
	lookEvery = 50 * time.Millisecond
	turns     = 8 // that a request takes, at most: encode, compress, send, two kernels' buffers, read, decompress, store
)

// start begins to measure, for as long as the process lives. The function it returns says what to allow for a request.
func (l *lateness) start() func() time.Duration {
	go func() {
		for before := time.Now(); ; {
			<-time.After(lookEvery)
			now := time.Now()
			l.mu.Lock()
			l.last[l.at%len(l.last)] = now.Sub(before) - lookEvery
			l.at++
			l.mu.Unlock()
			before = now
		}
	}()
	return func() time.Duration {
		l.mu.Lock()
		defer l.mu.Unlock()
		return turns * slices.Max(l.last[:])
	}
}
