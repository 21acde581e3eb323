package enrich

import (
	"hash/maphash"

	"github.com/maypok86/otter/v2"
)

// digest stands for a text as the key of a cache: 128 bits of hashes whose seeds nobody outside knows. A key of its own
// length would have to be copied for every look.
type digest struct{ a, b uint64 }

// hasher makes digests.
type hasher struct{ a, b maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h hasher) of(text []byte) digest {
	return digest{maphash.Bytes(h.a, text), maphash.Bytes(h.b, text)}
}

// newCache makes a cache of at most size entries, of which those are kept that are asked for often.
func newCache[K comparable, V any](size int) *otter.Cache[K, V] {
	return otter.Must(&otter.Options[K, V]{MaximumSize: size})
}
