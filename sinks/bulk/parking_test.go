package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestParking_room: what waits for a sick index may hold so much and no more while others take documents; the rest goes
// back for later. When nothing takes documents, or the whole cluster is at fault, nothing goes back.
func TestParking_room(t *testing.T) {
	const writes, room = 50, 10
	one := sinktest.Batch(t, 1, "sick", ids("s00", 20)...).Held()
	cases := []struct {
		name      string
		fault     standin.ItemFault
		others    bool // other indices take documents
		postponed int
	}{
		{"others take documents", standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [sick] blocked by: [FORBIDDEN/8/index write (api)];"}, true, writes - room},
		{"nothing takes documents", standin.ItemFault{Status: 400, Type: "index_closed_exception", Reason: "closed"}, false, 0},
		{"the cluster is full", standin.ItemFault{Status: 400, Type: "validation_exception", Reason: "this action would add [2] shards"}, true, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var healed atomic.Bool
				c := &standin.Cluster{Item: func(index string, _, _ []byte) *standin.ItemFault {
					if index == "sick" && !healed.Load() {
						return &tc.fault
					}
					return nil
				}}
				r := open(t, c, func(o *bulk.Options) { o.Limits.Parked = value.Bytes(room * one) })
				var postponed, stored atomic.Int32
				var all sync.WaitGroup
				for i := range writes {
					time.Sleep(time.Second)
					all.Go(func() {
						fates, err := r.Write(t.Context(), sinktest.Batch(t, uint64(i), "sick", ids(fmt.Sprintf("s%02d", i), 20)...))
						if later := (*pipeline.Postponed)(nil); errors.As(err, &later) && later.After >= 15*time.Minute {
							postponed.Add(1)
							return
						}
						if err != nil || tally(fates)[pipeline.Indexed] != 20 {
							t.Errorf("write %d: got %v, %v", i, tally(fates), err)
						}
						stored.Add(1)
					})
					if !tc.others {
						continue
					}
					start := time.Now()
					r.write(t, 1000, fmt.Sprint("ok", i), 5)
					if took := time.Since(start); took > time.Second {
						t.Errorf("a write to another index took %v", took)
					}
				}
				healed.Store(true)
				all.Wait()
				if got := int(postponed.Load()); got != tc.postponed || int(stored.Load()) != writes-tc.postponed {
					t.Errorf("got %d writes postponed and %d stored, want %d and %d", got, stored.Load(), tc.postponed, writes-tc.postponed)
				}
				if r.Detained() != 0 {
					t.Errorf("%d bytes count as waiting when nothing waits", r.Detained())
				}
			})
		})
	}
}

// TestParking_first: an index that takes nothing from the first document on does not keep out what is for others.
func TestParking_first(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(index string, _, _ []byte) *standin.ItemFault {
			if index == "sick" {
				return &standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [sick] blocked by: [FORBIDDEN/8/index write (api)];"}
			}
			return nil
		}}
		r := open(t, c, func(o *bulk.Options) { o.Limits.Parked = 1 })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _, _ = r.Write(ctx, sinktest.Batch(t, 1, "sick", "a")) }()
		time.Sleep(time.Second)
		var partly *pipeline.Partly
		if err := r.Ready(); !errors.As(err, &partly) || partly.Every != 10*time.Second {
			t.Errorf("got %v, want that a delivery may be tried every ten seconds", err)
		}
		r.write(t, 2, "b", 5)
		synctest.Wait() // a write is told of its documents before the rest of the answer is read
		if err := r.Ready(); err != nil {
			t.Errorf("got %v when another index takes documents, want nil", err)
		}
	})
}

// TestStreamed: whatever an answer says that names a backing index or a failure store, the index stops and the advice is
// there; the documents wait, and are stored when somebody has mended it.
func TestStreamed(t *testing.T) {
	for _, item := range []string{
		`{"create":{"_index":".ds-logs-x-2026.11.21-000001","status":201}}`,
		`{"create":{"_index":".ds-logs-x-2026.11.21-000001","status":409,"error":{"type":"version_conflict_engine_exception","reason":"x"}}}`,
		`{"create":{"_index":".fs-logs-x-2026.11.21-000002","status":201,"failure_store":"used"}}`,
		`{"create":{"_index":".ds-logs-x-2026.11.21-000001","status":400,"error":{"type":"document_parsing_exception","reason":"x"}}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			var mended atomic.Bool
			c := &standin.Cluster{}
			r := open(t, c, answering(c, func(text string) string {
				if mended.Load() {
					return text
				}
				return `{"errors":true,"items":[` + item + `]}`
			}))
			done := make(chan map[pipeline.Outcome]int)
			go func() { done <- r.write(t, 1, "w", 1) }()
			time.Sleep(time.Hour)
			if err := r.Ready(); err == nil || !strings.Contains(err.Error(), "delete the data stream, run trailship setup") {
				t.Errorf("%s: Ready: got %v, want the cure", item, err)
			}
			mended.Store(true)
			if got := <-done; got[pipeline.Indexed]+got[pipeline.Duplicate] != 1 {
				t.Errorf("%s: mended: got %v, want the document stored", item, got)
			}
		})
	}
}

// TestLeave_underRefusals: callers that leave while their documents are being refused do not stop the engine.
func TestLeave_underRefusals(t *testing.T) {
	c := &standin.Cluster{Item: func(string, []byte, []byte) *standin.ItemFault {
		return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}
	}}
	r := open(t, c)
	for i := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7)*10*time.Millisecond)
		var all sync.WaitGroup
		for owner := range 8 {
			all.Go(func() {
				_, _ = r.Write(ctx, sinktest.Batch(t, uint64(owner), sinktest.Index, ids(fmt.Sprint(i, owner), 60)...))
			})
		}
		all.Wait()
		cancel()
	}
}
