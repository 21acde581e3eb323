package enrich

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
)

// digest stands for a text as the key of a cache, by a seed that nobody outside knows: a key of text would have to be
// copied for every look. What is found holds the text itself, so that two of one digest are never taken for each other.
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
	seed   maphash.Seed
	recent recent[remembered]
	cache  *otter.Cache[digest, *remembered]
}

type remembered struct {
	text     string
	fragment []byte
}

func newMemo(size int) *memo {
	return &memo{seed: maphash.MakeSeed(), cache: newCache[*remembered](size)}
}

// fragment is what render makes of text, remembered from the last time.
func (m *memo) fragment(text []byte, render func(string) []byte) []byte {
	key := digest(maphash.Bytes(m.seed, text))
	last := m.recent.at(key)
	if found := last.Load(); found != nil && found.text == string(text) {
		return found.fragment
	}
	if found, ok := m.cache.GetIfPresent(key); ok && found.text == string(text) {
		last.Store(found)
		return found.fragment
	}
	fresh := &remembered{text: string(text)}
	fresh.fragment = render(fresh.text)
	m.cache.Set(key, fresh)
	last.Store(fresh)
	return fresh.fragment
}
