package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"
)

// systemd stands in for the service manager: it returns what it is told.
func systemd(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Skip("no unix datagram sockets here:", err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return socket
}

// told reads one message, "" when none comes within wait.
func told(t *testing.T, socket *net.UnixConn, wait time.Duration) string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 100)
	n, err := socket.Read(text)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

func TestFeedWatchdog(t *testing.T) {
	defer goleak.VerifyNone(t)
	socket := systemd(t)
	t.Setenv("WATCHDOG_USEC", "30000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	ctx, cancel := context.WithCancel(t.Context())
	var dead atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		feedWatchdog(ctx, func() error {
			if dead.Load() {
				return errors.New("loop receive has not ticked")
			}
			return nil
		}, zaptest.NewLogger(t))
	}()
	for range 3 {
		if got := told(t, socket, time.Minute); got != "WATCHDOG=1" {
			t.Errorf("got %q, want WATCHDOG=1", got)
		}
	}
	dead.Store(true)
	stood := time.Now() // what was told until then may wait in the socket
	for told(t, socket, 100*time.Millisecond) != "" {
		if time.Since(stood) > 10*time.Second {
			t.Fatal("the watchdog is fed though a loop stands still")
		}
	}
	cancel()
	<-done
}

func TestFeedWatchdog_none(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "")
	feedWatchdog(t.Context(), func() error { return nil }, zaptest.NewLogger(t)) // returns at once
}

func TestUntilSignal(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreAnyFunction("os/signal.loop"))
	codes := make(chan int, 1)
	ctx, stop := untilSignal(t.Context(), func(code int) { codes <- code })
	defer stop()
	send := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	send()
	<-ctx.Done()
	select {
	case code := <-codes:
		t.Errorf("the first signal ends the process with %d", code)
	default:
	}
	send()
	if got := <-codes; got != 143 {
		t.Errorf("exit code: got %d, want 143", got)
	}
}
