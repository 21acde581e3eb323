package index

import (
	"math/bits"
	"slices"
)

// Set is a set of the events of a segment, by their numbers.
type Set []uint64

// NewSet is an empty set for a segment of so many events.
func NewSet(docs int) Set { return make(Set, (docs+63)/64) }

// Add puts one event into the set.
func (s Set) Add(doc int) { s[doc/64] |= 1 << (doc % 64) }

// Has reports whether an event is in the set.
func (s Set) Has(doc int) bool { return s[doc/64]&(1<<(doc%64)) != 0 }

// AddRange puts the events from, and up to, in.
func (s Set) AddRange(from, to int) {
	for ; from < to && from%64 != 0; from++ {
		s.Add(from)
	}
	for ; from+64 <= to; from += 64 {
		s[from/64] = ^uint64(0)
	}
	for ; from < to; from++ {
		s.Add(from)
	}
}

// And leaves what is in both.
func (s Set) And(other Set) {
	for i := range s {
		s[i] &= other[i]
	}
}

// AndNot takes away what is in other.
func (s Set) AndNot(other Set) {
	for i := range s {
		s[i] &^= other[i]
	}
}

// Or adds what is in other.
func (s Set) Or(other Set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// Empty reports whether nothing is in the set.
func (s Set) Empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// Count is how many events are in the set.
func (s Set) Count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// CountRange is how many of the events from, and up to, are in the set.
func (s Set) CountRange(from, to int) int {
	n := 0
	for ; from < to && from%64 != 0; from++ {
		if s.Has(from) {
			n++
		}
	}
	for ; from+64 <= to; from += 64 {
		n += bits.OnesCount64(s[from/64])
	}
	for ; from < to; from++ {
		if s.Has(from) {
			n++
		}
	}
	return n
}

// Ascending yields the set's events in order.
func (s Set) Ascending(yield func(doc int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// Descending yields the set's events from the last to the first.
func (s Set) Descending(yield func(doc int) bool) {
	for i, w := range slices.Backward(s) {
		for w != 0 {
			bit := 63 - bits.LeadingZeros64(w)
			if !yield(i*64 + bit) {
				return
			}
			w &^= 1 << bit
		}
	}
}

// Remove takes one event out of the set.
func (s Set) Remove(doc int) { s[doc/64] &^= 1 << (doc % 64) }
