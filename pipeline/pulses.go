package pipeline

import (
	"fmt"
	"sync"
	"time"
)

// Pulses is what liveness is judged by: the daemon is alive while every loop that said it would tick does. It says
// nothing of whether records move. The zero value is ready; all methods may be called concurrently.
type Pulses struct {
	mu    sync.Mutex
	loops map[*pulse]struct{}
}

type pulse struct {
	name    string
	silence time.Duration
	last    time.Time
}

// Loop registers a loop that promises to tick at least every silence. tick is called by the loop each time round, done
// when it ends.
func (p *Pulses) Loop(name string, silence time.Duration) (tick, done func()) {
	own := &pulse{name: name, silence: silence, last: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loops == nil {
		p.loops = map[*pulse]struct{}{}
	}
	p.loops[own] = struct{}{}
	tick = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		own.last = time.Now()
	}
	done = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.loops, own)
	}
	return tick, done
}

// Check returns an error that names a loop which has not ticked in time, or nil.
func (p *Pulses) Check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for own := range p.loops {
		if silent := time.Since(own.last); silent > own.silence {
			return fmt.Errorf("loop %s has not ticked for %s: restart the process", own.name, silent.Round(time.Second))
		}
	}
	return nil
}
