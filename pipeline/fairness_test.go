package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/pipelinetest"
)

// laborious is a format that takes its time for each record.
type laborious struct {
	plain
	each time.Duration
}

func (l laborious) Append(dst []byte, r *cloudtrail.Record) []byte {
	time.Sleep(l.each)
	return l.plain.Append(dst, r)
}

// TestPipeline_fair: large objects that the sink keeps up with, one for each CPU, let a message of one record through.
func TestPipeline_fair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Format = func() pipeline.Format { return laborious{each: 30 * time.Microsecond} }
		large := file("large", 40_000)
		for i := range runtime.GOMAXPROCS(0) {
			r.source.Add(&pipelinetest.Delivery{Name: fmt.Sprint("large", i), Files: []string{large}})
		}
		start := time.Now()
		r.source.Add(
			&pipelinetest.Delivery{Name: "small", Files: []string{file("small", 1)}},
			&pipelinetest.Delivery{Name: "another", Files: []string{file("another", 1)}},
		)
		var took [2]time.Duration
		var n atomic.Int32
		r.sink.Answer = func(b *pipeline.Batch) ([]pipeline.Fate, error) {
			if b.Len() == 1 {
				took[n.Add(1)-1] = time.Since(start)
			}
			return stored(b), nil
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if total := time.Since(start); total < time.Second {
			t.Fatalf("the large objects took %s, too short to stand in anybody's way", total)
		}
		if took[0] > 100*time.Millisecond || took[1] > 100*time.Millisecond || n.Load() != 2 {
			t.Errorf("messages of one record took %s, want at most 100ms each", took)
		}
	})
}

func stored(b *pipeline.Batch) []pipeline.Fate {
	fates := make([]pipeline.Fate, b.Len())
	for i := range fates {
		fates[i].Outcome = pipeline.Indexed
	}
	return fates
}

// unsized is a delivery that does not know its size.
type unsized struct{ pipeline.Delivery }

// mixed hands out every third delivery of a source without its size.
type mixed struct {
	*pipelinetest.Source
	n atomic.Int32
}

func (m *mixed) Receive(ctx context.Context) (pipeline.Delivery, error) {
	d, err := m.Source.Receive(ctx)
	if err == nil && m.n.Add(1)%3 == 0 {
		return unsized{d}, nil
	}
	return d, err
}

var errCut = errors.New("connection reset")

// TestPipeline_budgetNeverStalls runs random mixes of deliveries, from one byte to twice the budget and of unknown size,
// some of which fail and come again. Under synctest a stall is a deadlock, which fails the test at once.
func TestPipeline_budgetNeverStalls(t *testing.T) {
	seeds, many := uint64(40), 20_000
	if testing.Short() {
		seeds, many = 10, 5_000
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { budgetRun(t, seed, many) })
		})
	}
}

// budgetRun is one mix. Some of its deliveries have many records.
func budgetRun(t *testing.T, seed uint64, many int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	r := newRig(t)
	r.Memory = 8 << 20 // the least that the configuration takes
	r.InFlight = 1 + random.IntN(64)
	r.source.Tries = 5
	r.Source = &mixed{Source: &r.source}
	var mu sync.Mutex
	var most int64
	r.sink.Answer = func(b *pipeline.Batch) ([]pipeline.Fate, error) {
		time.Sleep(time.Duration(b.Len()%50) * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		most = max(most, r.Metrics.Held())
		return stored(b), nil
	}
	records := 0
	for i := range 60 {
		n := 1 + random.IntN(300)
		size := 1 + random.Int64N(1<<random.IntN(25)) // even in its magnitude: 1 byte to 16 MiB
		if random.IntN(20) == 0 {
			n = many
		}
		records += n
		d := &pipelinetest.Delivery{Name: strconv.Itoa(i), Files: []string{file(strconv.Itoa(i), n)}, Bytes: size}
		if random.IntN(5) == 0 {
			d.Fail = failOnce(random.IntN(n) + 1)
		}
		r.source.Add(d)
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.ended()["indexed"]; got < int64(records) {
		t.Errorf("got %d records indexed, want %d", got, records)
	}
	if got := r.Metrics.Held(); got != 0 || most > r.Memory || most == 0 {
		t.Errorf("%d bytes of the budget are still held, and were at most %d, want 0 and at most %d", got, most, r.Memory)
	}
}

// failOnce makes a delivery fail at its nth record, the first time.
func failOnce(n int) func(int) error {
	done := false
	return func(i int) error {
		if i == n && !done {
			done = true
			return errCut
		}
		return nil
	}
}
