package local

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// noDocuments writes none: the store keeps records.
type noDocuments struct{}

func (noDocuments) Append(dst []byte, _ *cloudtrail.Record) []byte                   { return dst }
func (noDocuments) AppendDegraded(dst []byte, _ *cloudtrail.Record, _ string) []byte { return dst }
func (noDocuments) Stamp([]byte, time.Time)                                          {}

// keeping is a new store that keeps everything but what the test deletes.
func keeping(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "store.db")}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// store writes n events from a time on, one a second; a zero time is none. They differ, so that they take room.
func store(t *testing.T, s *Store, name string, at time.Time, n int) {
	t.Helper()
	b := pipeline.NewBatch(1, noDocuments{})
	for i := range n {
		id, when := fmt.Sprintf("%s-%d", name, i), ""
		if !at.IsZero() {
			when = fmt.Sprintf(`"eventTime":%q,`, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
		}
		text := fmt.Sprintf(`{"eventID":%q,%s"eventName":%q,"requestParameters":{"token":"%x"}}`, id, when, name, uint64(i)*0x9e3779b97f4a7c15)
		var r cloudtrail.Record
		if err := r.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		second, _ := r.Time()
		b.Add(&r, []byte(id), "index", second)
	}
	if _, err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// counted is how many events of a name the store finds, by its index and by its counts.
func counted(t *testing.T, s *Store, name string) int64 {
	t.Helper()
	q := history.Query{Filters: []history.Filter{{Attribute: history.EventName, Values: []string{name}}}, Limit: history.MaxLimit}
	page, err := s.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Histogram(t.Context(), q, 10)
	if err != nil {
		t.Fatal(err)
	}
	if n := int64(len(page.Events)); n < history.MaxLimit && n != h.Total {
		t.Errorf("%s: got %d events and a count of %d", name, n, h.Total)
	}
	return h.Total
}

// What is too old is not seen any more at once, goes in steps, and takes those of no time along.
func TestStore_retainAge(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	keep := Retention{Age: Age(90 * day)}
	s := keeping(t)
	store(t, s, "undated", time.Time{}, 5)
	store(t, s, "old", now.Add(-100*day), deleteAtOnce+10)
	store(t, s, "young", now.Add(-89*day), 20)
	store(t, s, "late", now.Add(-100*day).Add(time.Hour), 3) // old ones that came after young ones
	if more := s.retain(t.Context(), keep, now); !more {
		t.Error("got no more to delete after the first step")
	}
	for name, want := range map[string]int64{"undated": 0, "old": 0, "late": 0, "young": 20} {
		if got := counted(t, s, name); got != want {
			t.Errorf("%s: got %d events, want %d", name, got, want)
		}
	}
	if more := s.retain(t.Context(), keep, now); more {
		t.Error("got more to delete after the second step")
	}
	if x, err := s.Extent(t.Context()); err != nil || !x.Oldest.Equal(now.Add(-89*day)) || x.Events != 20 {
		t.Errorf("got %+v, %v; want the 20 young events", x, err)
	}
	if _, err := s.Event(t.Context(), "old-0"); err == nil {
		t.Error("got an event that was deleted")
	}
	// The same file once more: what is gone stays gone, and is not taken for a duplicate.
	store(t, s, "young", now.Add(-89*day), 20)
	s.retain(t.Context(), keep, now.Add(2*day))
	if got := counted(t, s, "young"); got != 0 {
		t.Errorf("two days later: got %d events, want none", got)
	}
}

// A store that is too large loses its oldest events, and no more of them than it must.
func TestStore_retainSize(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	keep := Retention{Size: 1 << 20}
	s := keeping(t)
	const hours = 12
	for hour := range hours {
		store(t, s, fmt.Sprintf("hour%d", hour), now.Add(time.Duration(hour)*time.Hour), 1000)
	}
	used := func() int64 {
		var pages, free, page int64
		for text, to := range map[string]*int64{"PRAGMA page_count": &pages, "PRAGMA freelist_count": &free, "PRAGMA page_size": &page} {
			if err := s.Reader.db.QueryRowContext(t.Context(), text).Scan(to); err != nil {
				t.Fatal(err)
			}
		}
		return (pages - free) * page
	}
	before := used()
	for range 30 { // until it is small enough, as every few minutes
		if used() <= 1<<20 {
			break
		}
		s.retain(t.Context(), keep, now)
	}
	gone := 0
	for hour := range hours {
		switch got := counted(t, s, fmt.Sprintf("hour%d", hour)); {
		case got == 0 && gone == hour:
			gone++
		case got == 0:
			t.Errorf("the events of hour %d are gone, those of hour %d are not", hour, gone)
		}
	}
	t.Logf("%d of %d hours are gone, %d of %d bytes are in use", gone, hours, used(), before)
	if gone == 0 || gone == hours {
		t.Errorf("got %d of %d hours deleted", gone, hours)
	}
	if got := used(); got > 1<<20 {
		t.Errorf("got %d bytes in use, want at most 1 MiB", got)
	}
}
