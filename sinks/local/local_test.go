package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/sinks/sinktest"
)

// open opens the store at path and closes it after the test.
func open(t *testing.T, path string) *local.Store {
	t.Helper()
	s, err := local.Open(t.Context(), local.Config{Path: path}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fresh opens a new store.
func fresh(t *testing.T) *local.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "store.db"))
}

// write writes records and returns their outcomes.
func write(t *testing.T, s *local.Store, records ...string) []pipeline.Outcome {
	t.Helper()
	fates, err := s.Write(t.Context(), batch(t, records...))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]pipeline.Outcome, len(fates))
	for i, f := range fates {
		got[i] = f.Outcome
	}
	return got
}

// find returns the ids of the events a query finds, and fails when there is a next page.
func find(t *testing.T, s *local.Store, q history.Query) []string {
	t.Helper()
	page, err := s.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if page.Next != "" {
		t.Errorf("got a next page %q, want none", page.Next)
	}
	return idsOf(page)
}

func idsOf(page history.Page) []string {
	var ids []string
	for _, e := range page.Events {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestStore_contract(t *testing.T) {
	sinktest.Contract(t, func(t *testing.T) pipeline.Sink {
		t.Helper()
		return fresh(t)
	})
}

func TestStore_duplicates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	one := `{"eventID":"0b0c2bc6-0000-4000-8000-00000000000a","eventTime":"2026-11-21T10:00:00Z"}`
	upper := `{"eventID":"0B0C2BC6-0000-4000-8000-00000000000A","eventTime":"2026-11-21T10:00:01Z"}`
	odd := `{"eventID":"not a uuid","eventTime":"2026-11-21T10:00:02Z"}`
	const yes, no = pipeline.Indexed, pipeline.Duplicate
	if diff := cmp.Diff([]pipeline.Outcome{yes, no, yes, yes, no}, write(t, s, one, one, upper, odd, odd)); diff != "" {
		t.Errorf("first write (-want +got):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if diff := cmp.Diff([]pipeline.Outcome{no, no, no}, write(t, s, odd, upper, one)); diff != "" {
		t.Errorf("after opening again (-want +got):\n%s", diff)
	}
	want := []string{"not a uuid", "0B0C2BC6-0000-4000-8000-00000000000A", "0b0c2bc6-0000-4000-8000-00000000000a"}
	if diff := cmp.Diff(want, find(t, s, history.Query{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// Every real record comes back byte for byte, before and after there is a compression dictionary, also for a reader that
// was opened before there was one.
func TestStore_records(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	reader, err := local.OpenReader(t.Context(), local.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	all := samples(t)
	for from := 0; from < len(all); from += 500 {
		var records []string
		for _, raw := range all[from:min(from+500, len(all))] {
			records = append(records, string(raw))
		}
		write(t, s, records...)
	}
	for _, raw := range all {
		var r cloudtrail.Record
		if err := r.Parse(raw); err != nil {
			t.Fatal(err)
		}
		e, err := reader.Event(t.Context(), string(r.Field(cloudtrail.EventID).Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(e.Record, raw) {
			t.Fatalf("got %s, want %s", e.Record, raw)
		}
		if at, _ := r.Time(); !e.Time.Equal(at) {
			t.Errorf("got time %v, want %v", e.Time, at)
		}
	}
	if _, err := reader.Event(t.Context(), "nobody"); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("got %v, want %v", err, history.ErrNotFound)
	}
}

// tagging writes documents as the encoder does with what enrichment has found.
type tagging struct {
	noFormat
	iam string
}

func (f tagging) Append(dst []byte, _ *cloudtrail.Record) []byte {
	return append(dst, `{"event":{"action":"A"},"aws":{"cloudtrail":{"x":"\"iam\":{"},"iam":`+f.iam+`}}`...)
}

// The IAM tags that a document has are shown with its event.
func TestStore_tags(t *testing.T) {
	s := fresh(t)
	for id, tc := range map[string]struct {
		iam  string
		want []history.Tag
	}{
		"user":   {`{"user":{"name":"alice","tags":{"team":"red","cost.center":"42","empty":""}}}`, []history.Tag{{Of: "user", Key: "team", Value: "red"}, {Of: "user", Key: "cost.center", Value: "42"}, {Of: "user", Key: "empty"}}},
		"role":   {`{"role":{"tags":{"a":"<b>\u202e"}},"user":{"tags":{}}}`, []history.Tag{{Of: "role", Key: "a", Value: "<b>\u202e"}}},
		"none":   {`{"user":{"name":"alice"}}`, nil},
		"no iam": {`null`, nil},
	} {
		for n := range 2 { // the second event has the same tags
			b := pipeline.NewBatch(1, tagging{iam: tc.iam})
			var r cloudtrail.Record
			if err := r.Parse(fmt.Appendf(nil, `{"eventID":"%s %d","eventName":"A","requestParameters":{"x":"\"iam\":{"}}`, id, n)); err != nil {
				t.Fatal(err)
			}
			add(b, &r)
			if _, err := s.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			e, err := s.Event(t.Context(), fmt.Sprint(id, " ", n))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, e.Tags); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
	}
	page, err := s.Events(t.Context(), by(history.EventID, "user 1"))
	if err != nil || len(page.Events) != 1 || len(page.Events[0].Tags) != 3 {
		t.Errorf("got %+v, %v; want the event with its tags in a list, too", page, err)
	}
}

// Two programs may write the same store, also events of the same second.
func TestStore_twoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	stores := []*local.Store{open(t, path), open(t, path)}
	var writers sync.WaitGroup
	const each, size = 10, 20
	for k, s := range stores {
		writers.Go(func() {
			for i := range each {
				var records []string
				for n := range size {
					records = append(records, fmt.Sprintf(`{"eventID":"w%d-%d-%d","eventTime":"2026-11-21T10:00:00Z","eventName":"E%d"}`, k, i, n, n))
				}
				for n, outcome := range write(t, s, records...) {
					if outcome != pipeline.Indexed {
						t.Errorf("writer %d, batch %d, record %d: got outcome %d, want indexed", k, i, n, outcome)
					}
				}
			}
		})
	}
	writers.Wait()
	if got := len(find(t, stores[0], history.Query{Limit: history.MaxLimit})); got != 2*each*size {
		t.Errorf("got %d events, want %d", got, 2*each*size)
	}
}

func TestStore_closed(t *testing.T) {
	s := fresh(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Write(t.Context(), batch(t, `{"eventID":"late"}`)); !errors.Is(err, local.ErrClosed) {
		t.Errorf("got %v, want %v", err, local.ErrClosed)
	}
}

// While the store cannot be written, Write says so, Ready too, and both recover.
func TestStore_failure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	write(t, s, `{"eventID":"before","eventName":"A"}`)
	execute(t, path, "ALTER TABLE event RENAME TO away")
	_, err := s.Write(t.Context(), batch(t, `{"eventID":"during","eventName":"B"}`))
	if err == nil || s.Ready() == nil {
		t.Fatalf("got %v and %v, want errors", err, s.Ready())
	}
	execute(t, path, "ALTER TABLE away RENAME TO event")
	write(t, s, `{"eventID":"during","eventName":"B"}`, `{"eventID":"after","eventName":"B"}`)
	if err := s.Ready(); err != nil {
		t.Errorf("got %v, want ready", err)
	}
	if diff := cmp.Diff([]string{"after", "during"}, find(t, s, by(history.EventName, "B"))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestConfig_Validate(t *testing.T) {
	if err := (local.Config{}).Validate(); err == nil || !strings.Contains(err.Error(), "path") {
		t.Errorf("got %v, want an error that names path", err)
	}
	if err := (local.Config{Path: "x"}).Validate(); err != nil {
		t.Error(err)
	}
}

// ended is a context that ends by itself when it has been looked at so many times.
type ended struct {
	context.Context //nolint:containedctx // it is one
	cancel          context.CancelFunc
	looks           atomic.Int32
}

func (e *ended) Err() error {
	if e.looks.Add(-1) == 0 {
		e.cancel()
	}
	return e.Context.Err()
}

func (e *ended) Done() <-chan struct{} {
	if e.looks.Add(-1) == 0 {
		e.cancel()
	}
	return e.Context.Done()
}

// Every question ends with its context, wherever it is with its work.
func TestReader_context(t *testing.T) {
	s := fresh(t)
	for n := range 2 {
		write(t, s, fmt.Sprintf(`{"eventID":"%d","requestParameters":{"a":"no such words"}}`, n))
	}
	q := history.Query{Text: `"no words"`} // each record must be read
	asks := map[string]func(context.Context) error{
		"events":    func(ctx context.Context) error { _, err := s.Events(ctx, q); return err },
		"histogram": func(ctx context.Context) error { _, err := s.Histogram(ctx, q, 10); return err },
		"facets": func(ctx context.Context) error {
			_, err := s.Facets(ctx, q, []history.Attribute{history.EventName}, 10)
			return err
		},
		"values": func(ctx context.Context) error { _, err := s.Values(ctx, history.EventName, "a", 10); return err },
		"event":  func(ctx context.Context) error { _, err := s.Event(ctx, "1"); return err },
		"extent": func(ctx context.Context) error { _, err := s.Extent(ctx); return err },
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			past, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
			defer cancel()
			if err := ask(past); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after the deadline: got %v, want %v", err, context.DeadlineExceeded)
			}
			for looks := int32(1); ; looks += 1 + looks/4 {
				ctx, cancel := context.WithCancel(t.Context())
				given := &ended{Context: ctx, cancel: cancel}
				given.looks.Store(looks)
				err := ask(given)
				cancel()
				if err == nil && given.looks.Load() > 0 {
					break // it was done before
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Fatalf("given up at look %d: got %v, want %v", looks, err, context.Canceled)
				}
			}
		})
	}
}
