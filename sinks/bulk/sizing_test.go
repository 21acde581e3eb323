package bulk

import (
	"testing"
	"time"
)

// TestSizing: the limit falls to what a cluster takes, comes back slowly when it takes more, and is not lowered for long by
// tries of more.
func TestSizing(t *testing.T) {
	const most = 5 << 20
	cases := []struct {
		name   string
		takes  func(at time.Duration) int // what the cluster takes
		hours  int
		within [2]int // the limit at the end
		lost   int    // requests refused, at most
	}{
		{"everything", func(time.Duration) int { return most }, 1, [2]int{most, most}, 0},
		{"one MiB, always", func(time.Duration) int { return 1 << 20 }, 24, [2]int{700 << 10, 1 << 20}, 40},
		{"one MiB for an hour", func(at time.Duration) int {
			if at < time.Hour {
				return 1 << 20
			}
			return most
		}, 6, [2]int{most, most}, 20},
		{"less and less", func(at time.Duration) int { return most >> int(at/time.Hour) }, 5, [2]int{(most >> 5) / 2, most >> 4}, 60},
		{"one document at a time", func(time.Duration) int { return 2000 }, 1, [2]int{1000, 2000}, 30},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, lost := newSizing(most), 0
			start := time.Now()
			for at := time.Duration(0); at < time.Duration(tc.hours)*time.Hour; at += time.Second {
				bytes, now := s.limit, start.Add(at)
				if bytes <= tc.takes(at) {
					s.accepted(bytes, true, now)
					continue
				}
				lost++
				s.refused(bytes, now)
			}
			if s.limit < tc.within[0] || s.limit > tc.within[1] {
				t.Errorf("limit: got %d, want %d to %d", s.limit, tc.within[0], tc.within[1])
			}
			if lost > tc.lost {
				t.Errorf("got %d requests refused, want at most %d", lost, tc.lost)
			}
		})
	}
}

// TestSizing_late: answers to requests that were sent before the limit fell do not lower it further, and small requests
// say nothing about large ones.
func TestSizing_late(t *testing.T) {
	now := time.Now()
	s := newSizing(4000)
	for range 10 {
		s.refused(4000, now)
	}
	if got, want := s.limit, 2000; got != want {
		t.Errorf("ten refusals of the same size: limit %d, want %d", got, want)
	}
	for range 100 {
		now = now.Add(time.Hour)
		s.accepted(100, false, now)
	}
	if got, want := s.limit, 2000; got != want {
		t.Errorf("small requests: limit %d, want %d", got, want)
	}
}
