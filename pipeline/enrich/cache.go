package enrich

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
)

// digest stands for a text as the key of a cache, by a seed that nobody outside knows: a key of text would have to be
// copied for every look. What is found tells whether it is of this text indeed.
type digest uint64

// newCache makes a cache of at most size entries, of which those are kept that are asked for often.
func newCache[V any](size int) *otter.Cache[digest, V] {
	return otter.Must(&otter.Options[digest, V]{MaximumSize: size})
}

// recent is what was put into a cache last, found without the cache's own bookkeeping, which is most of what a look costs.
type recent[V any] [4096]atomic.Pointer[V]

func (r *recent[V]) at(key digest) *atomic.Pointer[V] { return &r[key%digest(len(r))] }

// memo remembers the fragments that texts became. It may be used concurrently.
type memo struct {
	seed, proof maphash.Seed
	recent      recent[remembered]
	cache       *otter.Cache[digest, *remembered]
}

// remembered holds a second digest of its text and not the text: two of one key are never taken for each other, and the
// text, which by now is in no cache of the CPU, need not be read.
type remembered struct {
	proof    uint64
	fragment []byte
}

func newMemo(size int) *memo {
	return &memo{seed: maphash.MakeSeed(), proof: maphash.MakeSeed(), cache: newCache[*remembered](size)}
}

// fragment is what render makes of text, remembered from the last time.
func (m *memo) fragment(text []byte, render func(string) []byte) []byte {
	key, proof := digest(maphash.Bytes(m.seed, text)), maphash.Bytes(m.proof, text)
	last := m.recent.at(key)
	if found := last.Load(); found != nil && found.proof == proof {
		return found.fragment
	}
	found, ok := m.cache.GetIfPresent(key)
	if !ok || found.proof != proof {
		found = &remembered{proof: proof, fragment: render(string(text))}
		m.cache.Set(key, found)
	}
	last.Store(found)
	return found.fragment
}
