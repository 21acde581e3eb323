package source

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeep: everything is run, panics come back to the caller, and no goroutine stays when there is nothing to do.
func TestDeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeep()
		var ran atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				for range 20 {
					d.run(func() { time.Sleep(time.Millisecond); ran.Add(1) })
				}
			})
		}
		all.Wait()
		if got := ran.Load(); got != 1000 {
			t.Errorf("got %d runs, want 1000", got)
		}
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v, want boom", got)
				}
			}()
			d.run(func() { panic("boom") })
		}()
		d.run(func() {}) // the goroutine lives on
		time.Sleep(2 * deepIdle)
	}) // which fails when a goroutine is left
}
