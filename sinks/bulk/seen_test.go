package bulk

import (
	"fmt"
	"sync"
	"testing"
)

func TestSeen(t *testing.T) {
	const most = 1000
	s := newSeen(most)
	id := func(i int) []byte { return fmt.Append(nil, i) }
	for i := range 20 * most {
		if s.has(id(i)) {
			t.Fatalf("%d is remembered before it was added", i)
		}
		s.add(id(i))
		if last := i - most + 1; last >= 0 && !s.has(id(last)) {
			t.Fatalf("%d is forgotten when %d is added, want the last %d remembered", last, i, most)
		}
		if len(s.young)+len(s.old) > 2*most {
			t.Fatalf("%d ids are kept, want at most %d", len(s.young)+len(s.old), 2*most)
		}
	}
	if s.has(id(0)) {
		t.Error("the oldest id is remembered, want a bound")
	}
}

func TestSeen_concurrent(t *testing.T) {
	s := newSeen(100)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 1000 {
				s.add(fmt.Append(nil, w, i))
				s.has(fmt.Append(nil, i))
			}
		})
	}
	all.Wait()
}

func BenchmarkSeen(b *testing.B) {
	s, id, i := newSeen(seenGeneration), make([]byte, 36), 0
	b.ReportAllocs()
	for b.Loop() {
		id[0], id[1], id[2] = byte(i), byte(i>>8), byte(i>>16)
		i++
		if !s.has(id) {
			s.add(id)
		}
	}
}
