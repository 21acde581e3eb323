package enrich

import (
	"hash/maphash"

	"github.com/maypok86/otter/v2"
)

// digest stands for a text as the key of a cache, by a seed that nobody outside knows: a key of text would have to be
// copied for every look. What is found holds the text itself, so that two of one digest are never taken for each other.
type digest uint64

// newCache makes a cache of at most size entries, of which those are kept that are asked for often.
func newCache[V any](size int) *otter.Cache[digest, V] {
	return otter.Must(&otter.Options[digest, V]{MaximumSize: size})
}

// memo remembers the fragments that texts became. It may be used concurrently.
type memo struct {
	seed  maphash.Seed
	cache *otter.Cache[digest, *remembered]
}

type remembered struct {
	text     string
	fragment []byte
}

func newMemo(size int) *memo { return &memo{maphash.MakeSeed(), newCache[*remembered](size)} }

// fragment is what render makes of text, remembered from the last time.
func (m *memo) fragment(text []byte, render func(string) []byte) []byte {
	key := digest(maphash.Bytes(m.seed, text))
	if found, ok := m.cache.GetIfPresent(key); ok && found.text == string(text) {
		return found.fragment
	}
	fresh := &remembered{text: string(text)}
	fresh.fragment = render(fresh.text)
	m.cache.Set(key, fresh)
	return fresh.fragment
}
