package pipeline

import (
	"math/bits"
	"sync"
)

// slabs keeps byte slices for reuse, in sizes at most a quarter apart. Unlike a sync.Pool it is not emptied by the
// collector: under a memory limit that runs several times a second, and making chunks again cost more than filling them.
// It is safe for concurrent use.
type slabs struct {
	most func() int64 // bytes that may be kept idle at the moment

	mu   sync.Mutex
	free map[int][][]byte // by size
	idle int64
}

const leastSlab = 4 << 10

// slabSize is the size of the slab for n bytes.
func slabSize(n int) int {
	n = max(n, leastSlab)
	step := bits.Len(uint(n-1)) - 3
	return (n + 1<<step - 1) >> step << step
}

// take returns an empty slice with room for n bytes.
func (s *slabs) take(n int) []byte {
	n = slabSize(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.free[n]
	if len(list) == 0 {
		s.trim()
		return make([]byte, 0, n)
	}
	last := len(list) - 1
	slab := list[last]
	list[last] = nil
	s.free[n] = list[:last]
	s.idle -= int64(n)
	return slab[:0]
}

// give takes a slice back, unless something else than slabs made it.
func (s *slabs) give(slab []byte) {
	n := cap(slab)
	if n == 0 || n != slabSize(n) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free == nil {
		s.free = map[int][][]byte{}
	}
	s.free[n] = append(s.free[n], slab)
	s.idle += int64(n)
	s.trim()
}

// trim leaves to the collector what is more than may be kept. The lock is held.
func (s *slabs) trim() {
	most := s.most()
	if s.idle <= most {
		return
	}
	for n, list := range s.free {
		for len(list) > 0 && s.idle > most {
			last := len(list) - 1
			list[last] = nil
			list = list[:last]
			s.idle -= int64(n)
		}
		s.free[n] = list
	}
}
