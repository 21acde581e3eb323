// Package index is an inverted index in immutable segments, as bytes: the store keeps them in tables.
//
// A segment is of up to MaxDocs events, numbered in the order of their ids: 0, 1, 2, … . Of each key, which is an
// attribute's code and a value, or a word, it has the list of the numbers of the events that have it. Keys are sorted and
// stand in chunks of some kilobytes, so that one key is found by reading one chunk. Small segments are merged into larger
// ones; nothing is ever changed in place. So adding events is appending, whatever they hold, and every question is an
// operation on bit sets.
//
//	chunk:  entry …        keys ascending, the first one whole
//	entry:  shared length, suffix length, suffix, n, list
//	list:   n == 1: the number; n > MaxDocs in the segment / 8: a bitmap; else its length in bytes, and differences
//
// All integers are unsigned varints. Whatever is read is checked: damaged bytes are an error and nothing else.
package index

import "errors"

// MaxDocs is how many events a segment has at most.
const MaxDocs = 1 << 16

// chunkBytes is the size up to which a chunk is filled: with its row's header it fits into a page of the store. A longer
// entry has a chunk of its own.
const chunkBytes = 8100

// ErrDamaged is the error of bytes that are no segment.
var ErrDamaged = errors.New("the index is damaged")
