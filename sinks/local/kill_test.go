package local_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local"
)

// victim names the store that this process, started by TestStore_kill, writes until it is killed.
const victim = "TRAILSHIP_TEST_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victim); path != "" {
		writeForever(path)
		return
	}
	goleak.VerifyTestMain(m)
}

const perWrite = 50

// writeForever writes batches with several goroutines and prints the number of each when it is stored.
func writeForever(path string) {
	s, err := local.Open(context.Background(), local.Config{Path: path}, zap.NewNop())
	if err != nil {
		panic(err)
	}
	var out sync.Mutex
	next := make(chan int)
	for range 4 {
		go func() {
			for n := range next {
				if _, err := s.Write(context.Background(), numbered(n)); err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Fprintln(os.Stdout, n)
				out.Unlock()
			}
		}()
	}
	for n := 0; ; n++ {
		next <- n
	}
}

// numbered is batch number n.
func numbered(n int) *pipeline.Batch {
	b := pipeline.NewBatch(1, noFormat{})
	var r cloudtrail.Record
	for i := range perWrite {
		text := fmt.Sprintf(`{"eventID":"%s","eventTime":"2026-11-21T10:00:%02dZ","eventName":"E%d","userIdentity":{"userName":"u%d"}}`,
			numberedID(n, i), i%60, i, n)
		if err := r.Parse([]byte(text)); err != nil {
			panic(err)
		}
		add(b, &r)
	}
	return b
}

func numberedID(n, i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, i) }

// A process that is killed at any moment keeps all that Write has reported, and its store opens again.
func TestStore_kill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	var stored []int
	for round := range 3 {
		stored = append(stored, killAfter(t, path, 5+20*round)...)
		s, err := local.Open(t.Context(), local.Config{Path: path}, zap.NewNop())
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, n := range stored {
			for i := range perWrite {
				if _, err := s.Event(t.Context(), numberedID(n, i)); err != nil {
					t.Fatalf("round %d, batch %d was reported: %v", round, n, err)
				}
			}
			page, err := s.Events(t.Context(), by(history.User, fmt.Sprint("u", n)))
			if err != nil || len(page.Events) != perWrite {
				t.Fatalf("round %d: user of batch %d: got %d events, %v; want %d", round, n, len(page.Events), err, perWrite)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter lets a process write until it has reported so many batches, kills it, and returns which ones it reported.
func killAfter(t *testing.T, path string, reports int) (stored []int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // the test itself
	child.Env = append(os.Environ(), victim+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // half a line is no report
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if stored = append(stored, n); len(stored) == reports {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	child.Wait() //nolint:errcheck // it was killed
	if len(stored) < reports {
		t.Fatalf("the writer ended by itself after %d reports", len(stored))
	}
	return stored
}
