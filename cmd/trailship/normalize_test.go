package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/ecs"
)

const record = `{"eventVersion":"1.11","eventTime":"2026-11-20T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"First","eventID":"a%d"}` + "\n"

// In a pipe each document comes out before the next record goes in.
func TestNormalizer_stream(t *testing.T) {
	in, feed := io.Pipe()
	out, sink := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- newNormalizer(ecs.Config{}, sink, io.Discard).files([]string{"-"}, in)
		sink.Close()
	}()
	documents := bufio.NewReader(out)
	for i := range 3 {
		fmt.Fprintf(feed, record, i)
		line, err := documents.ReadString('\n')
		if want := fmt.Sprintf(`"id":"a%d"`, i); err != nil || !strings.Contains(line, want) {
			t.Fatalf("got %q, %v; want %s", line, err, want)
		}
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What it holds does not grow with the input.
func TestNormalizer_memory(t *testing.T) {
	n := newNormalizer(ecs.Config{}, io.Discard, io.Discard)
	one := strings.Repeat(fmt.Sprintf(record, 7), 1000)
	feed := func(times int) {
		inputs := make([]io.Reader, times)
		for i := range inputs {
			inputs[i] = strings.NewReader(one)
		}
		if err := n.files([]string{"-"}, io.MultiReader(inputs...)); err != nil {
			t.Fatal(err)
		}
	}
	feed(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	feed(100)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("100,000 records allocate %d bytes, want next to nothing", got)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestNormalizer_write(t *testing.T) {
	var errs bytes.Buffer
	err := newNormalizer(ecs.Config{}, fullDisk{}, &errs).files([]string{"-", "-"}, strings.NewReader(fmt.Sprintf(record, 1)))
	if err == nil || err.Error() != "writing documents: no space left" || errs.Len() > 0 {
		t.Errorf("got %v and %q, want one error", err, errs.String())
	}
}
