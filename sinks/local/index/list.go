package index

import "encoding/binary"

// List is the events of a segment that have a key. It is a view into its chunk.
type List struct {
	N    int // how many
	docs int // of the segment
	data []byte
}

// isBitmap reports how a list of n of so many events is kept.
func isBitmap(n, docs int) bool { return n > 1 && n > docs/8 }

// appendList appends n and the list of docs, which are ascending.
func appendList(dst []byte, list []uint16, docs int) []byte {
	n := len(list)
	dst = binary.AppendUvarint(dst, uint64(n))
	if isBitmap(n, docs) {
		at := len(dst)
		dst = append(dst, make([]byte, (docs+7)/8)...)
		for _, doc := range list {
			dst[at+int(doc)/8] |= 1 << (doc % 8)
		}
		return dst
	}
	if n == 1 {
		return binary.AppendUvarint(dst, uint64(list[0]))
	}
	var text []byte
	if n <= 256 {
		text = make([]byte, 0, 3*256)
	}
	last := uint16(0)
	for _, doc := range list {
		text = binary.AppendUvarint(text, uint64(doc-last))
		last = doc
	}
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// readList reads n and a list and returns what follows.
func readList(data []byte, docs int) (l List, rest []byte, ok bool) {
	n, data, ok := uvarint(data)
	if !ok || n == 0 || n > uint64(docs) {
		return l, nil, false
	}
	l.N, l.docs = int(n), docs //nolint:gosec // docs at most
	size := uint64(0)
	switch {
	case isBitmap(l.N, docs):
		size = uint64(docs+7) / 8 //nolint:gosec // positive
	case n == 1:
		_, used := binary.Uvarint(data)
		size = uint64(max(used, 0)) //nolint:gosec // positive
	default:
		if size, data, ok = uvarint(data); !ok {
			return l, nil, false
		}
	}
	if size == 0 || size > uint64(len(data)) {
		return l, nil, false
	}
	l.data = data[:size]
	return l, data[size:], true
}

// each calls f with each number, ascending, until f says no. It reports whether the list was sound.
func (l List) each(f func(doc int)) error {
	if isBitmap(l.N, l.docs) {
		for i, b := range l.data {
			for ; b != 0; b &= b - 1 {
				doc := i*8 + trailing(b)
				if doc >= l.docs {
					return ErrDamaged
				}
				f(doc)
			}
		}
		return nil
	}
	doc, data := uint64(0), l.data
	for range l.N {
		delta, rest, ok := uvarint(data)
		if doc += delta; !ok || doc >= uint64(l.docs) || delta >= MaxDocs { //nolint:gosec // positive
			return ErrDamaged
		}
		f(int(doc)) //nolint:gosec // below docs
		data = rest
	}
	return nil
}

func trailing(b byte) int {
	n := 0
	for ; b&1 == 0; b >>= 1 {
		n++
	}
	return n
}

// AddTo puts the list's events into a set of its segment.
func (l List) AddTo(s Set) error {
	if isBitmap(l.N, l.docs) {
		last := (l.docs - 1) / 8
		if l.docs%8 != 0 && l.data[last]>>(l.docs%8) != 0 {
			return ErrDamaged
		}
		for i, b := range l.data {
			s[i/8] |= uint64(b) << (i % 8 * 8)
		}
		return nil
	}
	return l.each(s.Add)
}

// CountIn is how many of the list's events are in a set of its segment.
func (l List) CountIn(s Set) (n int, err error) {
	err = l.each(func(doc int) {
		if s.Has(doc) {
			n++
		}
	})
	return n, err
}

// uvarint reads an integer and returns what follows.
func uvarint(data []byte) (uint64, []byte, bool) {
	if len(data) > 0 && data[0] < 0x80 {
		return uint64(data[0]), data[1:], true
	}
	x, n := binary.Uvarint(data)
	if n <= 0 {
		return 0, nil, false
	}
	return x, data[n:], true
}
