package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopTimeout is how long a process may take to end after SIGTERM.
const stopTimeout = time.Minute

// A Process is a running program whose output goes to a file. Its input ends when the test does, however it ends: a
// server that watches its input outlives no test.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	term sync.Once     // SIGTERM is sent once: a second one asks for a hasty end
	done chan struct{} // closed when the process has ended
}

// Start starts a program made with exec.CommandContext. Its output is the file name.log in the folder logs. It is stopped
// when its context or the test ends.
func Start(t testing.TB, logs, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: name, log: filepath.Join(logs, name+".log"), cmd: cmd, done: make(chan struct{})}
	cmd.Cancel = func() error { p.terminate(); return nil }
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.Stdin == nil {
		// The pipe's writing end stays open in this process and in no other.
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Log is the path of the file with the process's output.
func (p *Process) Log() string { return p.log }

// Said waits until the process's output matches pattern and returns the match with its groups.
func (p *Process) Said(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	var match []string
	err := Until(ctx, func() error {
		out, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if match = pattern.FindStringSubmatch(string(out)); match == nil {
			return fmt.Errorf("%s has not said %q; its output is in %s", p.name, pattern, p.log)
		}
		return nil
	}, p.done)
	return match, err
}

// Stop sends SIGTERM and waits for the end. A process that does not end is killed, which is an error. A process that has
// ended already is left alone.
func (p *Process) Stop() error {
	p.terminate()
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM; its output is in %s", p.name, stopTimeout, p.log)
	}
}

func (p *Process) terminate() {
	p.term.Do(func() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }) // it fails when the process has ended
}

// Kill ends the process at once, as kill -9 does, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ExitCode is the process's exit code once it has ended: -1 before that and after a kill.
func (p *Process) ExitCode() int {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// pollEvery is how often Until looks.
const pollEvery = 50 * time.Millisecond

// Until calls check again and again until it returns nil, ctx ends or one of the given channels closes; then its last
// error is returned.
func Until(ctx context.Context, check func() error, over <-chan struct{}) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-over:
			return fmt.Errorf("the process has ended: %w", err)
		}
	}
}
