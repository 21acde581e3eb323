package sinktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A LetterRig is a place for dead letters under test.
type LetterRig struct {
	Place pipeline.DeadLetters
	// Kept reads back what the place holds, as anybody else would: each letter's record by the letter's id. A letter that
	// is there twice stands there once.
	Kept func(t *testing.T) map[string]string
	// Break makes the place fail until mend is called; nil: it cannot be made to.
	Break func(t *testing.T) (mend func())
}

// Letter is the dead letter of a record, as a refusal makes it.
func Letter(id, reason, record string) pipeline.Letter {
	return pipeline.Letter{
		ID: id, Record: []byte(record), Number: 7, Offset: 1234, Index: Index,
		Origin:  &cloudtrail.Object{Bucket: "trail", Key: "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/k.json.gz"},
		Refusal: pipeline.Refusal{Status: 400, Type: reason, Reason: "it does not fit"},
	}
}

// DeadLetters checks what the pipeline relies on. open makes a new place, and cleans up after the test.
func DeadLetters(t *testing.T, open func(t *testing.T) LetterRig) {
	t.Helper()
	t.Run("nothing to bury", func(t *testing.T) {
		if err := open(t).Place.Bury(timeout(t), nil); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
	t.Run("kept when Bury returns", func(t *testing.T) {
		r := open(t)
		want := map[string]string{}
		for n := range 3 {
			letters, records := some(n, 40)
			bury(t, r.Place, letters)
			maps.Copy(want, records)
			compare(t, want, r.Kept(t))
		}
	})
	t.Run("any bytes", func(t *testing.T) {
		r := open(t)
		want := map[string]string{"plain": `{"a":"b<c>&"}`, "odd": "\xff\x00{", "lines": "{\n\r}", "object": ""}
		var letters []pipeline.Letter
		for id, record := range want {
			letters = append(letters, Letter(id, "odd bytes / in a reason", record))
		}
		bury(t, r.Place, letters)
		compare(t, want, r.Kept(t))
	})
	t.Run("burying again is harmless", func(t *testing.T) {
		r := open(t)
		letters, want := some(0, 20)
		bury(t, r.Place, letters)
		bury(t, r.Place, letters)
		compare(t, want, r.Kept(t))
	})
	t.Run("the letters are the caller's again", func(t *testing.T) {
		r := open(t)
		letters, want := some(0, 20)
		bury(t, r.Place, letters)
		for _, l := range letters {
			clear(l.Record) // a place that still looked at it would keep rubbish, or race
		}
		compare(t, want, r.Kept(t))
	})
	t.Run("at the same time", func(t *testing.T) { buryAtOnce(t, open(t)) })
	t.Run("a context that has ended", func(t *testing.T) {
		r := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		letters, want := some(0, 3)
		switch err := r.Place.Bury(ctx, letters); {
		case err == nil:
			compare(t, want, r.Kept(t))
		case !errors.Is(err, context.Canceled):
			t.Errorf("got %v, want nil or the context's error", err)
		}
	})
	t.Run("broken, then mended", func(t *testing.T) { breaks(t, open(t)) })
}

// buryAtOnce buries from many deliveries, each with letters of two reasons.
func buryAtOnce(t *testing.T, r LetterRig) {
	t.Helper()
	want := map[string]string{}
	var all sync.WaitGroup
	for n := range 30 {
		letters, records := some(n, 10+n)
		maps.Copy(want, records)
		all.Go(func() { bury(t, r.Place, letters) })
	}
	all.Wait()
	compare(t, want, r.Kept(t))
}

// breaks checks that a place which fails says so, and loses nothing that it took before or after.
func breaks(t *testing.T, r LetterRig) {
	t.Helper()
	if r.Break == nil {
		return
	}
	before, want := some(0, 10)
	bury(t, r.Place, before)
	mend := r.Break(t)
	letters, _ := some(1, 10)
	if err := r.Place.Bury(timeout(t), letters); err == nil {
		t.Error("a broken place took letters")
	}
	mend()
	after, records := some(2, 10)
	bury(t, r.Place, after)
	maps.Copy(want, records)
	got := r.Kept(t)
	for id := range got {
		if _, ok := want[id]; !ok {
			delete(got, id) // of the failed call some may be there
		}
	}
	compare(t, want, got)
}

// some makes n letters, and what they are to be kept as.
func some(owner, n int) ([]pipeline.Letter, map[string]string) {
	letters := make([]pipeline.Letter, n)
	records := map[string]string{}
	for i := range letters {
		id := fmt.Sprintf("letter-%d-%d", owner, i)
		records[id] = fmt.Sprintf(`{"eventID":%q}`, id)
		letters[i] = Letter(id, [...]string{"mapper_parsing_exception", "index_blocked"}[i%2], records[id])
	}
	return letters, records
}

func bury(t *testing.T, place pipeline.DeadLetters, letters []pipeline.Letter) {
	t.Helper()
	if err := place.Bury(timeout(t), letters); err != nil {
		t.Errorf("burying %d letters: %v", len(letters), err)
	}
}

func compare(t *testing.T, want, got map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
}
