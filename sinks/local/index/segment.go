package index

import (
	"encoding/binary"
	"slices"
	"sort"
)

// Written is a segment as it is stored.
type Written struct {
	Docs           int
	Oldest, Newest int64  // the least and the greatest id
	IDs            []byte // the events' ids
	Firsts         []byte // the first key of each chunk
	Chunks         [][]byte
}

// Segment is a segment's table of contents. It may be used concurrently.
type Segment struct {
	IDs    []int64  // ascending; an event's number is its place
	firsts []string // the first key of each chunk
}

// Open reads the parts IDs and Firsts of a Written.
func Open(ids, firsts []byte) (*Segment, error) {
	s := &Segment{IDs: make([]int64, 0, len(ids)/2)}
	id := int64(0)
	for first := true; len(ids) > 0; first = false {
		delta, rest, ok := uvarint(ids)
		if !ok || len(s.IDs) >= MaxDocs {
			return nil, ErrDamaged
		}
		if first {
			id = int64(delta>>1) ^ -int64(delta&1) //nolint:gosec // zigzag
		} else if delta == 0 || id+int64(delta) <= id { //nolint:gosec // checked
			return nil, ErrDamaged
		} else {
			id += int64(delta) //nolint:gosec // checked
		}
		s.IDs = append(s.IDs, id)
		ids = rest
	}
	var key []byte
	for len(firsts) > 0 {
		var ok bool
		if key, firsts, ok = readKey(key, firsts); !ok {
			return nil, ErrDamaged
		}
		s.firsts = append(s.firsts, string(key))
	}
	if len(s.IDs) == 0 {
		return nil, ErrDamaged
	}
	return s, nil
}

func appendIDs(dst []byte, ids []int64) []byte {
	dst = binary.AppendVarint(dst, ids[0])
	for i := 1; i < len(ids); i++ {
		dst = binary.AppendUvarint(dst, uint64(ids[i]-ids[i-1])) //nolint:gosec // they ascend
	}
	return dst
}

// Docs is how many events the segment has.
func (s *Segment) Docs() int { return len(s.IDs) }

// Range is the numbers of the events with ids from first to last, both included: from, and up to.
func (s *Segment) Range(first, last int64) (from, to int) {
	from = sort.Search(len(s.IDs), func(i int) bool { return s.IDs[i] >= first })
	return from, max(from, sort.Search(len(s.IDs), func(i int) bool { return s.IDs[i] > last }))
}

// Chunks says which chunks may hold keys from, and up to, two keys: the numbers from, and up to. With to == "" there is no
// upper bound.
func (s *Segment) Chunks(from, to string) (first, last int) {
	first = sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > from })
	last = len(s.firsts)
	if to != "" {
		last = sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] >= to })
	}
	first = max(0, first-1)
	return first, max(first, last)
}

// Chunk says which chunk holds a key if there is one, -1 for none.
func (s *Segment) Chunk(key string) int {
	return sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > key }) - 1
}

// Find looks a key up in its chunk. The list's N is 0 when it is not there.
func (s *Segment) Find(chunk []byte, key string) (found List, err error) {
	err = s.Scan(chunk, func(k []byte, l List) bool {
		if string(k) == key {
			found = l
		}
		return string(k) < key
	})
	return found, err
}

// Scan calls f with the entries of a chunk until f says no. The key is good until f returns, the list as long as the chunk.
func (s *Segment) Scan(chunk []byte, f func(key []byte, l List) bool) error {
	key := make([]byte, 0, 256)
	for len(chunk) > 0 {
		var ok bool
		if key, chunk, ok = readKey(key, chunk); !ok {
			return ErrDamaged
		}
		var l List
		if l, chunk, ok = readList(chunk, len(s.IDs)); !ok {
			return ErrDamaged
		}
		if !f(key, l) {
			return nil
		}
	}
	return nil
}

// readKey reads the key that follows key, into the same memory.
func readKey(key, data []byte) (next, rest []byte, ok bool) {
	shared, data, ok := uvarint(data)
	if !ok || shared > uint64(len(key)) {
		return nil, nil, false
	}
	size, data, ok := uvarint(data)
	if !ok || size > uint64(len(data)) {
		return nil, nil, false
	}
	return append(key[:shared], data[:size]...), data[size:], true
}

func appendKey(dst []byte, last, key string) []byte {
	shared := 0
	for shared < len(last) && shared < len(key) && last[shared] == key[shared] {
		shared++
	}
	dst = binary.AppendUvarint(dst, uint64(shared))          //nolint:gosec // a length
	dst = binary.AppendUvarint(dst, uint64(len(key)-shared)) //nolint:gosec // a length
	return append(dst, key[shared:]...)
}

// writer writes the entries of a segment, in the order of their keys.
type writer struct {
	out   *Written
	chunk []byte
	key   string // the last one
	first string // the last chunk's
	entry []byte // scratch
	begun bool
}

func newWriter(ids []int64) *writer {
	return &writer{out: &Written{Docs: len(ids), Oldest: ids[0], Newest: ids[len(ids)-1], IDs: appendIDs(nil, ids)}}
}

func (w *writer) add(key string, list []uint16) {
	w.entry = appendList(w.entry[:0], list, w.out.Docs)
	if w.begun && len(w.chunk)+len(key)+len(w.entry)+6 > chunkBytes {
		w.flush()
	}
	if !w.begun {
		w.begun, w.key = true, ""
		w.out.Firsts = appendKey(w.out.Firsts, w.first, key)
		w.first = key
	}
	w.chunk = append(appendKey(w.chunk, w.key, key), w.entry...)
	w.key = key
}

func (w *writer) flush() {
	if w.begun {
		w.out.Chunks = append(w.out.Chunks, slices.Clone(w.chunk))
		w.chunk, w.begun = w.chunk[:0], false
	}
}

func (w *writer) end() *Written {
	w.flush()
	return w.out
}
