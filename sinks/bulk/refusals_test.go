package bulk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestRefusals: what is the document's fault, and what is not.
func TestRefusals(t *testing.T) {
	cases := []struct {
		name    string
		fault   standin.ItemFault
		refused bool // for good, at once
	}{
		{"parse error of OpenSearch", standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}, true},
		{"parse error of Elasticsearch", standin.ItemFault{Status: 400, Type: "document_parsing_exception", Reason: "[1:2] failed to parse"}, true},
		{"strict mapping", standin.ItemFault{Status: 400, Type: "strict_dynamic_mapping_exception", Reason: "introduction of [x]"}, true},
		{"immense term", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "Document contains at least one immense term in field=\"x\""}, true},
		{"too long bytes", standin.ItemFault{Status: 400, Type: "max_bytes_length_exceeded_exception", Reason: "bytes can be at most 32766"}, true},
		{"pipeline missing", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "pipeline with id [x] does not exist"}, false},
		{"fields full", standin.ItemFault{Status: 400, Type: "illegal_argument_exception", Reason: "Limit of total fields [1000] has been exceeded in field [x]"}, false},
		{"shards full", standin.ItemFault{Status: 400, Type: "validation_exception", Reason: "this action would add [2] shards"}, false},
		{"closed", standin.ItemFault{Status: 400, Type: "index_closed_exception", Reason: "closed"}, false},
		{"write block", standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [x] blocked by: [FORBIDDEN/8/index write (api)];"}, false},
		{"disk full", standin.ItemFault{Status: 429, Type: "cluster_block_exception", Reason: "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage]"}, false},
		{"no right", standin.ItemFault{Status: 403, Type: "security_exception", Reason: "no permissions for [indices:data/write/bulk[s]]"}, false},
		{"another 409", standin.ItemFault{Status: 409, Type: "conflict_exception", Reason: "x"}, false},
		{"unheard of", standin.ItemFault{Status: 418, Type: "teapot_exception", Reason: "short and stout"}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := map[string]int{}
				healed := false
				c := &standin.Cluster{Item: func(_ string, id, _ []byte) *standin.ItemFault {
					if tries[string(id)]++; string(id) == "w-3" && !healed {
						return &tc.fault
					}
					return nil
				}}
				r := open(t, c)
				done := make(chan map[pipeline.Outcome]int)
				go func() { done <- r.write(t, 1, "w", 10) }()
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case got := <-done:
					want := map[pipeline.Outcome]int{pipeline.Indexed: 9, pipeline.Refused: 1}
					if diff := cmp.Diff(want, got); !tc.refused || diff != "" {
						t.Errorf("finished with (-want +got):\n%s", diff)
					}
					if tries["w-3"] != 2 {
						t.Errorf("got %d tries of the refused document, want 2", tries["w-3"])
					}
					return
				default:
				}
				if tc.refused {
					t.Error("still waiting, want a refusal")
				}
				if n := tries["w-3"]; n < 3 || n > 40 {
					t.Errorf("got %d tries in a minute, want slow ones", n)
				}
				if n := r.log.FilterLevelExact(zap.ErrorLevel).Len(); n < 1 || n > 2 {
					t.Errorf("got %d lines of log in a minute, want one: %v", n, r.log.All())
				}
				c.Lock(func() { healed = true })
				if got := <-done; got[pipeline.Indexed] != 10 {
					t.Errorf("after the cure: got %v, want 10 indexed", got)
				}
			})
		})
	}
}

func TestDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(_ string, id, doc []byte) *standin.ItemFault {
			if string(id) == "w-1" && !bytes.Contains(doc, []byte("degraded")) {
				return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [rp]"}
			}
			return nil
		}}
		r := open(t, c)
		if got := r.write(t, 1, "w", 3); got[pipeline.Indexed] != 3 {
			t.Errorf("got %v, want 3 indexed", got)
		}
		var doc struct {
			Event struct{ Ingested time.Time }
			Error struct{ Message string }
		}
		if err := json.Unmarshal(c.Docs()["w-1"], &doc); err != nil {
			t.Fatal(err)
		}
		if got, want := doc.Error.Message, "mapper_parsing_exception: failed to parse field [rp]"; got != want {
			t.Errorf("error.message: got %q, want %q", got, want)
		}
		if age := time.Since(doc.Event.Ingested); age > time.Second {
			t.Errorf("event.ingested is %v old, want now", age)
		}
	})
}

// TestStreak: when all documents are refused it is not the documents' fault.
func TestStreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healed := false
		c := &standin.Cluster{Item: func(string, []byte, []byte) *standin.ItemFault {
			if healed {
				return nil
			}
			return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}
		}}
		r := open(t, c)
		done := make(chan map[pipeline.Outcome]int)
		go func() { done <- r.write(t, 1, "w", 200) }()
		time.Sleep(time.Minute)
		if err := r.Ready(); err == nil || !strings.Contains(err.Error(), "mapping") {
			t.Errorf("Ready: got %v, want advice about the mapping", err)
		}
		c.Lock(func() { healed = true })
		want := map[pipeline.Outcome]int{pipeline.Refused: 50, pipeline.Indexed: 150}
		if diff := cmp.Diff(want, <-done); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
	})
}

// TestStreak_mixed: documents that are refused among others that are stored are at fault, however many they are.
func TestStreak_mixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(_ string, id, _ []byte) *standin.ItemFault {
			if id[len(id)-1]%2 == 0 {
				return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "failed to parse field [x]"}
			}
			return nil
		}}
		r := open(t, c)
		start := time.Now()
		want := map[pipeline.Outcome]int{pipeline.Refused: 200, pipeline.Indexed: 200}
		if diff := cmp.Diff(want, r.write(t, 1, "w", 400)); diff != "" {
			t.Errorf("fates (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v, want no pause", took)
		}
	})
}

// TestParking: one sick index does not hold up the others; after ten minutes its documents are refused.
func TestParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [sick] blocked by: [FORBIDDEN/8/index write (api)];"}
		c := &standin.Cluster{Item: func(index string, _, _ []byte) *standin.ItemFault {
			if index == "sick" {
				return &blocked
			}
			return nil
		}}
		r := open(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				start := time.Now()
				r.write(t, 2, fmt.Sprint("ok", i), 5)
				if took := time.Since(start); took > time.Second {
					t.Errorf("a write to another index took %v", took)
				}
				time.Sleep(10 * time.Second)
			}
		}()
		time.Sleep(time.Second)
		start := time.Now()
		fates, err := r.Write(t.Context(), sinktest.Batch(t, 1, "sick", ids("s", 20)...))
		cancel()
		if got := tally(fates); err != nil || got[pipeline.Refused] != 20 {
			t.Errorf("got %v, %v, want 20 refused", got, err)
		}
		if took := time.Since(start); took < 10*time.Minute || took > 12*time.Minute {
			t.Errorf("refused after %v, want about 10 minutes", took)
		}
		if got, want := fates[0].Refusal.Type, "index_blocked"; got != want {
			t.Errorf("type: got %q, want %q", got, want)
		}
		time.Sleep(time.Minute)
	})
}

// TestLonelyIndex: an index is not given up while nothing else is accepted.
func TestLonelyIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{Item: func(string, []byte, []byte) *standin.ItemFault {
			return &standin.ItemFault{Status: 400, Type: "index_closed_exception", Reason: "closed"}
		}}
		r := open(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		fates, err := r.Write(ctx, sinktest.Batch(t, 1, sinktest.Index, "x"))
		if !errors.Is(err, context.DeadlineExceeded) || fates[0].Outcome != pipeline.Unknown {
			t.Errorf("got %v, %v, want an unknown fate and the deadline", fates, err)
		}
		if n := r.log.FilterLevelExact(zap.ErrorLevel).Len(); n < 50 || n > 61 {
			t.Errorf("got %d lines of log in an hour, want one a minute", n)
		}
		time.Sleep(time.Minute)
		if err := r.Ready(); err != nil {
			t.Errorf("Ready when nobody waits any more: %v, want nil so that work comes again", err)
		}
	})
}

// TestIndices: each index is made once before its first document, and again when somebody deletes it.
func TestIndices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{}
		r := open(t, c)
		for i := range 5 {
			b := pipeline.NewBatch(uint64(i), sinktest.Format{})
			for j := range 12 {
				sinktest.Add(t, b, fmt.Sprint("ix-", j%3), fmt.Sprint(i, "-", j))
			}
			if _, err := r.Write(t.Context(), b); err != nil {
				t.Error(err)
			}
		}
		all, created := c.Indices()
		if diff := cmp.Diff([]string{"ix-0", "ix-1", "ix-2"}, created); diff != "" || len(all) != 3 || r.creator.calls.Load() != 3 {
			t.Errorf("after %d calls, indices %v, of them created (-want +got):\n%s", r.creator.calls.Load(), all, diff)
		}
		c.Lock(func() {
			c.Item = func(index string, _, _ []byte) *standin.ItemFault {
				if r.creator.calls.Load() < 4 {
					return &standin.ItemFault{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]"}
				}
				return nil
			}
		})
		if got := r.write(t, 9, "again", 4); got[pipeline.Indexed] != 4 || r.creator.calls.Load() < 4 {
			t.Errorf("after a deletion: got %v and %d creations", got, r.creator.calls.Load())
		}
	})
}

// TestNoIndex: an index that cannot be made holds up nothing but itself, and says why.
func TestNoIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{BuiltinLogs: true}
		r := open(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.Write(ctx, sinktest.Batch(t, 1, sinktest.Index, "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want to wait", err)
		}
		if err := r.Ready(); err == nil || !strings.Contains(err.Error(), "data streams only") {
			t.Errorf("Ready: got %v, want the cluster's reason", err)
		}
		if got := c.Count(); got != 0 {
			t.Errorf("stored: got %d, want nothing in an index that is not ours", got)
		}
		if _, err := r.Write(t.Context(), sinktest.Batch(t, 1, "other", "y")); err != nil {
			t.Error(err)
		}
	})
}

// TestDataStream: an answer that names a backing index stops the index, unless data streams are wanted.
func TestDataStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := func(o *bulk.Options) { o.Creator = nil }
		r := open(t, &standin.Cluster{BuiltinLogs: true}, stream)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.Write(ctx, sinktest.Batch(t, 1, sinktest.Index, "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want to wait", err)
		}
		if err := r.Ready(); err == nil || !strings.Contains(err.Error(), "has become a data stream") {
			t.Errorf("Ready: got %v, want to hear of the data stream", err)
		}
		r = open(t, &standin.Cluster{BuiltinLogs: true}, stream, func(o *bulk.Options) { o.DataStream = true })
		if got := r.write(t, 1, "w", 3); got[pipeline.Indexed] != 3 {
			t.Errorf("wanted: got %v, want 3 indexed", got)
		}
	})
}
