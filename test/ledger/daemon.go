package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long a daemon may take from SIGTERM to its end: its own 25 seconds, and more on a busy machine.
const stopTime = time.Minute

// daemon is one running trailship.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read it when done is closed
}

// start starts the n-th daemon. Its output is appended to a file of its own.
func (st *stage) start(n int) (*daemon, error) {
	log, err := os.OpenFile(filepath.Join(st.dir, fmt.Sprintf("daemon-%d.log", n)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append(append([]string(nil), st.prefix...), st.binary, "run", "--config", st.config(n))
	d := &daemon{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})} //nolint:noctx // it is stopped by signals
	d.cmd.Stderr, d.cmd.Env = log, st.environ()
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(d.done)
		d.err = d.cmd.Wait()
	}()
	return d, nil
}

// stop sends a signal and waits for the end. A daemon that was asked to end has to do so in time, and well.
func (d *daemon) stop(signal os.Signal) error {
	select {
	case <-d.done:
		return fmt.Errorf("the daemon ended by itself: %w", d.err)
	default:
	}
	_ = d.cmd.Process.Signal(signal) // it may have ended since
	select {
	case <-d.done:
	case <-time.After(stopTime):
		_ = d.cmd.Process.Kill()
		<-d.done
		return fmt.Errorf("the daemon did not end within %s of %s", stopTime, signal)
	}
	if signal == syscall.SIGTERM && d.err != nil {
		return fmt.Errorf("the daemon ended badly: %w", d.err)
	}
	return nil
}

// peak is the largest resident memory that the daemon has had, in bytes; 0 where /proc does not tell.
func (d *daemon) peak() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	if !ok {
		return 0
	}
	kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kib << 10
}

// live runs one daemon through the row's life until ctx ends, and then ends it by SIGTERM. It returns the daemon's peak.
func (st *stage) live(ctx context.Context, n int, dice *rand.Rand) (peak int64, err error) {
	var began time.Time
	l := st.row.life
	for {
		d, err := st.start(n)
		if err != nil {
			return peak, err
		}
		if st.row.more.disk != "" {
			if err := st.showDisk(ctx, d); err != nil {
				return peak, errors.Join(err, d.stop(syscall.SIGTERM))
			}
		}
		if began.IsZero() {
			select {
			case <-st.begun:
			case <-ctx.Done():
			case <-d.done:
			}
			began = time.Now()
		}
		if st.row.more.disk != "" {
			if err := st.growDisk(ctx, d); err != nil {
				return peak, errors.Join(err, d.stop(syscall.SIGTERM))
			}
		}
		wait := l.every[0]
		if spread := l.every[1] - l.every[0]; spread > 0 {
			wait += time.Duration(dice.Int64N(int64(spread)))
		}
		last := len(l.signals) == 0 || time.Since(began)+wait > l.until
		if !last {
			last = pause(ctx, wait) != nil
		}
		if last {
			select {
			case <-ctx.Done():
			case <-d.done:
			}
		}
		peak = max(peak, d.peak())
		if last {
			return peak, d.stop(syscall.SIGTERM)
		}
		if err := d.stop(l.signals[dice.IntN(len(l.signals))]); err != nil {
			return peak, err
		}
		st.signals.Add(1)
	}
}
