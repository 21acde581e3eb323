package bulk

import (
	"crypto/sha256"
	"sync"
)

// seenGeneration is how many ids a generation of seen holds: two take about 14 MiB.
const seenGeneration = 1 << 18

// seen remembers the ids of the documents that were stored last, between one and two generations of them. A data stream
// needs that: ids are unique in each of its backing indices only, so a document that comes again after a rollover would be
// stored twice. (A general cache keeps what is asked for often and lets the newest go first, which is the wrong way round
// here.) It is safe for concurrent use.
type seen struct {
	most int

	mu         sync.Mutex
	young, old map[seenKey]struct{}
}

// seenKey is the beginning of the id's SHA-256: two ids never have the same.
type seenKey [16]byte

func newSeen(most int) *seen { return &seen{most: most, young: map[seenKey]struct{}{}} }

func keyOf(id []byte) seenKey {
	sum := sha256.Sum256(id)
	return seenKey(sum[:len(seenKey{})])
}

// has reports whether the id is remembered.
func (s *seen) has(id []byte) bool {
	k := keyOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.young[k]
	if !ok {
		_, ok = s.old[k]
	}
	return ok
}

// add remembers an id.
func (s *seen) add(id []byte) {
	k := keyOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.young[k] = struct{}{}
	if len(s.young) >= s.most {
		s.young, s.old = map[seenKey]struct{}{}, s.young
	}
}
