package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal returns a context that ends with the first SIGINT or SIGTERM, which means: finish what is in hand. The
// second one ends the process at once, as the exit code 128 + its number says. stop gives the signals back.
func untilSignal(ctx context.Context, exit func(int)) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for again := false; ; again = true {
			select {
			case s := <-signals:
				if number, ok := s.(syscall.Signal); ok && again {
					exit(128 + int(number))
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
