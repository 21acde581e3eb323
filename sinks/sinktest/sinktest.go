// Package sinktest is the promise of a pipeline.Sink as one reusable test, and batches to write in tests of sinks.
package sinktest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline"
)

// Contract checks what the pipeline relies on. open makes a new sink with a new store behind it, and cleans up after the
// test. A sink that cannot know what it stored before passes too: each write may then count as indexed.
func Contract(t *testing.T, open func(t *testing.T) pipeline.Sink) {
	t.Helper()
	t.Run("nothing to write", func(t *testing.T) {
		fates, err := open(t).Write(timeout(t), Batch(t, 1, Index))
		if len(fates) != 0 || err != nil {
			t.Errorf("got %v, %v, want no fates and no error", fates, err)
		}
	})
	t.Run("one fate a document, by position", func(t *testing.T) {
		b := Batch(t, 1, Index, ids("a", 300)...)
		want := outcomes(300, pipeline.Indexed)
		if diff := cmp.Diff(want, write(t, open(t), b)); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
	})
	t.Run("several indices in one batch", func(t *testing.T) {
		b := pipeline.NewBatch(1, Format{})
		for i := range 40 {
			Add(t, b, fmt.Sprint(Index, "-", i%3), fmt.Sprint("x", i))
		}
		if diff := cmp.Diff(outcomes(40, pipeline.Indexed), write(t, open(t), b)); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
	})
	t.Run("writing again is harmless", func(t *testing.T) { again(t, open(t)) })
	t.Run("writes at the same time", func(t *testing.T) { concurrent(t, open(t)) })
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		fates, err := open(t).Write(ctx, Batch(t, 1, Index, "late"))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want nothing or the context's error", err)
		}
		if err == nil && (len(fates) != 1 || fates[0].Outcome == pipeline.Unknown) {
			t.Errorf("got %v and no error, want a known fate", fates)
		}
	})
	t.Run("the batch is the caller's again", func(t *testing.T) {
		s := open(t)
		for i := range 20 {
			b := Batch(t, uint64(i), Index, ids(fmt.Sprint("r", i), 20)...)
			write(t, s, b)
			for piece := range b.Lines(0, b.Len()) {
				clear(piece) // a sink that still looked at it would store rubbish, or race
			}
		}
	})
}

// again writes the same batch twice: the second time each document is a duplicate, or indexed where a sink cannot know.
func again(t *testing.T, s pipeline.Sink) {
	t.Helper()
	b := Batch(t, 1, Index, ids("again", 50)...)
	write(t, s, b)
	for i, outcome := range write(t, s, b) {
		if outcome != pipeline.Duplicate && outcome != pipeline.Indexed {
			t.Errorf("document %d: got outcome %d the second time, want a duplicate", i, outcome)
		}
	}
}

func concurrent(t *testing.T, s pipeline.Sink) {
	t.Helper()
	var all sync.WaitGroup
	for owner := range 30 {
		b := Batch(t, uint64(owner), Index, ids(fmt.Sprint("c", owner), 10+owner)...)
		all.Go(func() {
			if diff := cmp.Diff(outcomes(b.Len(), pipeline.Indexed), write(t, s, b)); diff != "" {
				t.Errorf("fates of writer %d (-want +got):\n%s", owner, diff)
			}
		})
	}
	all.Wait()
}

func write(t *testing.T, s pipeline.Sink, b *pipeline.Batch) []pipeline.Outcome {
	t.Helper()
	fates, err := s.Write(timeout(t), b)
	if err != nil {
		t.Errorf("writing %d documents: %v", b.Len(), err)
	}
	got := make([]pipeline.Outcome, len(fates))
	for i, f := range fates {
		got[i] = f.Outcome
	}
	return got
}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func ids(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(prefix, "-", i)
	}
	return ids
}

func outcomes(n int, o pipeline.Outcome) []pipeline.Outcome {
	all := make([]pipeline.Outcome, n)
	for i := range all {
		all[i] = o
	}
	return all
}
