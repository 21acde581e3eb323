package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestBook: the book sees what it is there to see.
func TestBook(t *testing.T) {
	const good = "logs-aws.cloudtrail-trailship-2024.02.27"
	now := time.Now().UTC()
	doc := func(serial int, at time.Time) []byte {
		return []byte(`{"event":{"ingested":"` + at.Format(time.RFC3339Nano) + `"},"request":"` + markOf(serial) + `"}`)
	}
	store := func(b *book, serials ...int) {
		for _, s := range serials {
			b.store(good, doc(s, now), now)
		}
	}
	tests := []struct {
		name string
		do   func(b *book)
		want sums
	}{
		{"all is well", func(b *book) { store(b, 0, 1); b.removed("m") }, sums{Stored: 2}},
		{"deleted before the second is stored", func(b *book) { store(b, 0); b.removed("m"); store(b, 1) }, sums{Stored: 2, DeletedEarly: 1}},
		{"never stored", func(b *book) { store(b, 0); b.removed("m") }, sums{Stored: 1, DeletedEarly: 1, Open: 1, Lost: 1}},
		{"still to come", func(b *book) { store(b, 0) }, sums{Stored: 1, Open: 1, Left: 1}},
		{"stored twice", func(b *book) { store(b, 0, 1, 1); b.removed("m") }, sums{Stored: 2, Doubled: 1}},
		{"in the clock's index", func(b *book) {
			store(b, 0)
			b.store("logs-aws.cloudtrail-trailship-2026.01.01", doc(1, now), now)
			b.removed("m")
		}, sums{Stored: 2, Misplaced: 1}},
		{"ingested when it was first tried", func(b *book) {
			store(b, 0)
			b.store(good, doc(1, now.Add(-2*time.Second)), now)
			b.removed("m")
		}, sums{Stored: 2, Stale: 1}},
		{"a dead letter that was due", func(b *book) {
			store(b, 0)
			b.letter([]byte(`{"record":"{\"requestID\":\"` + markOf(1) + `\"}"}`))
			b.removed("m")
		}, sums{Stored: 1, Letters: 1}},
		{"a dead letter for no reason", func(b *book) {
			store(b, 1)
			b.letter([]byte(markOf(0)))
			b.removed("m")
		}, sums{Stored: 1, Letters: 1, Needless: 1}},
		{"a whole object that is there", func(b *book) {
			b.letter([]byte(`{"type":"no_such_key","bucket":"audit","key":"` + makeObject("audit", 0, 0, 2, firstDay()).key + `"}`))
			b.removed("m")
		}, sums{Letters: 2, Needless: 2}},
		{"announced, and still to be sent", func(b *book) {
			b.announce(makeObject("audit", 1, 2, 0, firstDay()), false)
			store(b, 0, 1)
			b.removed("m")
		}, sums{Stored: 2}},
		{"delivered again", func(b *book) {
			b.order("m")
			b.received("m", 1)
			b.received("m", 2)
			b.received("m", 3)
			store(b, 0, 1)
			b.removed("m")
		}, sums{Stored: 2, Receives: 3, Redelivered: 1}},
		{"sent again before Retry-After", func(b *book) {
			b.wait(1, now.Add(time.Hour))
			store(b, 0, 1)
			b.removed("m")
		}, sums{Stored: 2, TooSoon: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(indexOf, func(serial int) bool { return serial == 1 })
			o := makeObject("audit", 0, 0, 2, firstDay())
			b.begin(now)
			b.announce(o, false)
			b.send("m", &entry{objects: []*object{o}})
			test.do(b)
			test.want.Events, test.want.Messages = 2, 1
			got := b.snapshot()
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(sums{}, "Rates", "Last", "Pending")); diff != "" {
				t.Errorf("the sums differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRandomRow: a seed makes one schedule.
func TestRandomRow(t *testing.T) {
	a, again, other := randomRow(time.Minute, 7), randomRow(time.Minute, 7), randomRow(time.Minute, 8)
	if diff := cmp.Diff(a.faults, again.faults, cmp.AllowUnexported(fault{})); diff != "" {
		t.Errorf("the same seed gives another schedule:\n%s", diff)
	}
	if cmp.Equal(a.faults, other.faults, cmp.AllowUnexported(fault{})) {
		t.Error("another seed gives the same schedule")
	}
}

func TestSerialIn(t *testing.T) {
	for text, want := range map[string]int{
		"": -1, "LDGR": -1, "LDGR1234567": -1, "xLDGR00000042y": 42, "LDGRLDGR00000007": 7, "LDGRabcdefgh LDGR00000001": 1,
	} {
		if got := serialIn([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
