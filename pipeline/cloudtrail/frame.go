package cloudtrail

import "encoding/binary"

// frame is a container while it is read.
type frame struct {
	seen  uint64 // of an object: the hints of its keys so far
	at    int    // its node
	count int32  // of its members, those counted once that have one key
	again int32  // its members whose key stood before
	last  byte   // its closing bracket
	flags flags  // flagUneven and flagRepeats, of what was read so far
	live  bool   // some member is not void
}

// open goes into the container at i, whose node is the last on the tape. It returns its first token and whether that is a
// member.
func (s *scanner) open(i int, n *node) (int, bool) {
	if s.depth == MaxDepth {
		return s.unexpected(i, "a value at most 256 levels deep"), false
	}
	r := s.rec
	if s.depth == len(r.outer) {
		r.outer = append(r.outer, frame{})
	}
	r.outer[s.depth] = s.in
	s.depth++
	r.depth = max(r.depth, s.depth)
	n.start, n.kind = uint32(i), KindObject
	s.in = frame{at: s.used - 1, last: '}'}
	if s.text[i] == '[' {
		n.kind, s.in.last = KindArray, ']'
	}
	if i++; i >= len(s.text) || s.text[i] <= ' ' {
		if i = s.token(i); i < 0 {
			return i, false
		}
	}
	switch s.text[i] {
	case s.in.last:
		return i, false
	case ']', '}':
		return s.unexpected(i, "the other closing bracket"), false
	}
	return i, true
}

// close ends the innermost container, whose bracket stands at i, and returns its node.
func (s *scanner) close(i int) (int, *node) {
	in := &s.in
	n := &s.rec.nodes[in.at]
	if in.count+in.again >= manyMembers && in.last == '}' {
		s.hideAllRepeats()
	}
	n.end, n.count = uint32(i+1), in.count
	n.flags |= in.flags
	live, f := in.live, in.flags&flagUneven
	if in.flags&flagRepeats != 0 { // what is live may be hidden
		live = s.rec.visible(int32(in.at) + 1).Exists()
	}
	if !live {
		n.flags |= flagVoid
		f = flagUneven
	}
	s.depth--
	s.in = s.rec.outer[s.depth]
	s.in.flags |= f
	s.in.live = s.in.live || live
	return i + 1, n
}

// judge notes whether a value that is no container is void.
func (s *scanner) judge(n *node, void bool) {
	if void {
		n.flags |= flagVoid
		s.in.flags |= flagUneven
	} else {
		s.in.live = true
	}
}

// hint maps a key to one of 64 bits, cheaply: by its length and first eight bytes. An escaped key hits every bit.
func hint(text []byte, n *node) uint64 {
	start := int(n.keyStart)
	if n.flags&flagKeyEscaped != 0 || start+8 > len(text) {
		return ^uint64(0)
	}
	w, size := binary.LittleEndian.Uint64(text[start:start+8:start+8]), n.keyEnd-n.keyStart
	w &= 1<<(8*size) - 1
	return 1 << ((w ^ uint64(size)<<56) * 0x9E3779B97F4A7C15 >> 58)
}
