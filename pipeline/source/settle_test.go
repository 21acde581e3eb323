package source

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestBatcher(t *testing.T) {
	for _, c := range []struct {
		name  string
		items int
		calls []int
		took  time.Duration
	}{
		{"one lingers", 1, []int{1}, linger},
		{"nine linger", 9, []int{9}, linger},
		{"ten go at once", 10, []int{10}, 0},
		{"eleven", 11, []int{10, 1}, linger},
		{"twenty", 20, []int{10, 10}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls []int
				b := &batcher[int]{linger: linger, send: func(_ context.Context, items []int) []error {
					calls = append(calls, len(items))
					errs := make([]error, len(items))
					for i, item := range items {
						errs[i] = fmt.Errorf("item %d", item)
					}
					return errs
				}}
				start := time.Now()
				var all sync.WaitGroup
				for i := range c.items {
					all.Go(func() {
						if got, want := b.do(t.Context(), i).Error(), fmt.Sprintf("item %d", i); got != want {
							t.Errorf("got the result of %s, want of %s", got, want)
						}
					})
					synctest.Wait()
				}
				all.Wait()
				b.wait()
				if diff := cmp.Diff(c.calls, calls); diff != "" {
					t.Errorf("items a call, -want +got:\n%s", diff)
				}
				if got := time.Since(start); got != c.took {
					t.Errorf("took %v, want %v", got, c.took)
				}
			})
		})
	}
}

func TestBatcher_aCallerThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		b := &batcher[int]{linger: linger, send: func(ctx context.Context, items []int) []error {
			pass(time.Second)
			if ctx.Err() == nil {
				sent += len(items)
			}
			return make([]error, len(items))
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := b.do(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the caller's own deadline", err)
		}
		b.wait()
		if sent != 1 {
			t.Error("the call was cut short by the caller: others may share it")
		}
	})
}

func TestEntries(t *testing.T) {
	fail := func(sender bool) func(id int) *types.BatchResultErrorEntry {
		return func(id int) *types.BatchResultErrorEntry {
			return &types.BatchResultErrorEntry{Id: aws.String(strconv.Itoa(id)), Code: aws.String("C"), Message: aws.String("m"), SenderFault: sender}
		}
	}
	for _, c := range []struct {
		name  string
		entry func(id, try int) (*types.BatchResultErrorEntry, bool) // a failure, and whether the answer has the entry at all
		err   func(try int) error
		tries int
		want  string // result of entry 1 of 0 to 2; the others are done at once
	}{
		{name: "all done", tries: 1},
		{name: "sender's fault", tries: 1, want: "C: m", entry: func(id, _ int) (*types.BatchResultErrorEntry, bool) { return fail(true)(id), true }},
		{name: "the service's fault", tries: entryTries, want: "C: m", entry: func(id, _ int) (*types.BatchResultErrorEntry, bool) { return fail(false)(id), true }},
		{name: "done at the third try", tries: 3, entry: func(id, try int) (*types.BatchResultErrorEntry, bool) {
			if try < 3 {
				return fail(false)(id), true
			}
			return nil, true
		}},
		{name: "not in the answer", tries: entryTries, want: errNoAnswer.Error(), entry: func(int, int) (*types.BatchResultErrorEntry, bool) { return nil, false }},
		{name: "the call fails once", tries: 2, err: func(try int) error {
			if try == 1 {
				return errors.New("down")
			}
			return nil
		}},
		{name: "the call fails", tries: entryTries, want: "down", err: func(int) error { return errors.New("down") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				errs := entries(t.Context(), 3, entryTries, func(_ context.Context, some []int) (answer, error) {
					tries++
					var a answer
					if c.err != nil && c.err(tries) != nil {
						return a, c.err(tries)
					}
					for _, i := range some {
						f, there := (*types.BatchResultErrorEntry)(nil), true
						if i == 1 && c.entry != nil {
							f, there = c.entry(i, tries)
						}
						if f != nil {
							a.failed = append(a.failed, *f)
						} else if there {
							a.done = append(a.done, strconv.Itoa(i))
						}
					}
					return a, nil
				})
				got := ""
				if errs[1] != nil {
					got = errs[1].Error()
				}
				if diff := cmp.Diff([]any{c.tries, c.want}, []any{tries, got}); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestUnluckyDelay(t *testing.T) {
	for _, c := range []struct {
		receives int
		middle   time.Duration
	}{{0, 10 * time.Second}, {1, 10 * time.Second}, {2, 20 * time.Second}, {5, 160 * time.Second}, {7, 640 * time.Second}, {8, lastRetry}, {1 << 40, lastRetry}} {
		for range 100 {
			if got := unluckyDelay(c.receives); got < c.middle*3/4 || got > c.middle*5/4 {
				t.Fatalf("after %d receives it waits %v, want %v give or take a quarter", c.receives, got, c.middle)
			}
		}
	}
}

func TestBuffers(t *testing.T) {
	var b buffers
	for _, n := range []int{1, 4096, 4097, 100_000, maxWhole, maxWhole + 1, 3 * maxWhole} {
		p := b.take(n)
		if len(*p) != n || n > 4096 && cap(*p) > n*5/4+1 {
			t.Errorf("%d bytes come in a buffer of %d, cap %d", n, len(*p), cap(*p))
		}
		b.give(p)
	}
}
