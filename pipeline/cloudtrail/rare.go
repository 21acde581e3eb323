package cloudtrail

import "encoding/binary"

// open goes into the container at i, which ends with the given byte. It returns its first token and whether that is a
// member.
func (s *scanner) open(i int, end byte, in *contents) (int, bool) {
	if s.depth == MaxDepth {
		return s.unexpected(i, "a value at most 256 levels deep"), false
	}
	s.depth++
	s.rec.depth = max(s.rec.depth, s.depth)
	if i++; i >= len(s.text) || s.text[i] <= ' ' {
		if i = s.token(i, in); i < 0 {
			return i, false
		}
	}
	switch s.text[i] {
	case end:
		return i, false
	case ']', '}':
		return s.unexpected(i, "the other closing bracket"), false
	}
	return i, true
}

// close ends the container at, whose bracket stands at i.
func (s *scanner) close(i int, at int32, in *contents) int {
	if i < 0 {
		return i
	}
	s.depth--
	i++
	n := &s.rec.nodes[at]
	n.end, n.count = uint32(i), in.count
	if in.any&(flagVoid|flagUneven) != 0 {
		n.flags |= flagUneven
	}
	empty := in.all&flagVoid != 0
	if in.hidden {
		n.flags |= flagRepeats
		empty = !s.rec.visible(at + 1).Exists()
	}
	if empty {
		n.flags |= flagVoid
	}
	return i
}

// comma reads what stands behind a member: a comma, or the end of the container. It returns the next token and whether
// that is a member.
func (s *scanner) comma(i int, end byte, in *contents) (int, bool) {
	if i = s.token(i, in); i < 0 {
		return i, false
	}
	switch s.text[i] {
	case end:
		return i, false
	case ',':
		i = s.token(i+1, in)
		return i, i >= 0
	case ']', '}':
		return s.unexpected(i, "the other closing bracket"), false
	}
	return s.unexpected(i, "a comma or the end of the object or array"), false
}

// colon reads what stands behind a key.
func (s *scanner) colon(i int, in *contents) int {
	if i = s.token(i, in); i < 0 {
		return i
	}
	if s.text[i] != ':' {
		return s.unexpected(i, "a colon")
	}
	return s.token(i+1, in)
}

// token skips white space. There is a byte at the index that it returns.
func (s *scanner) token(i int, in *contents) int {
	for ; i < len(s.text); i++ {
		if !space(s.text[i]) {
			return i
		}
		in.any |= flagUneven
	}
	return s.fail(errShort)
}

// unusual reads a string on that is not plain ASCII, or stands at the end of the text.
func (s *scanner) unusual(i int) (int, flags) {
	end, f, ascii, err := scanString(s.text, i)
	if err != nil {
		return s.fail(err), 0
	}
	s.ascii = s.ascii && ascii
	return end, f
}

func (s *scanner) unexpected(i int, want string) int {
	return s.fail(&syntaxError{at: i, want: want, got: s.text[i]})
}

func (s *scanner) fail(err error) int {
	s.err = err
	return -1
}

// scalar reads a number or a word into n.
func (s *scanner) scalar(i int, n *node) int {
	end, kind, err := scanScalar(s.text, i)
	if err != nil {
		return s.fail(err)
	}
	n.end, n.kind = uint32(end), kind
	if kind == KindNull {
		n.flags |= flagVoid
	}
	return end
}

// again settles a field that was seen before, under this key or another.
func (s *scanner) again(f Field, member int32, in *contents) {
	s.rec.respelled = s.rec.respelled || f != Unknown
	if s.rec.shadow(0, member) {
		in.hide()
	}
}

// hide notes that a member hides another of the same key.
func (in *contents) hide() {
	in.any |= flagUneven
	in.hidden = true
	in.count--
}

// hint maps the key of a member to one of 64 bits, cheaply: by its length and first eight bytes. An escaped key hits every bit.
func (r *Record) hint(member int32) uint64 {
	n := &r.nodes[member]
	start := int(n.keyStart)
	if n.flags&flagKeyEscaped != 0 || start+8 > len(r.Raw) {
		return ^uint64(0)
	}
	w, size := binary.LittleEndian.Uint64(r.Raw[start:start+8:start+8]), n.keyEnd-n.keyStart
	w &= 1<<(8*size) - 1
	return 1 << ((w ^ uint64(size)<<56) * 0x9E3779B97F4A7C15 >> 58)
}

// shadow looks among the members of parent for an earlier one with the key of the member at, and hides it.
func (r *Record) shadow(parent, at int32) bool {
	key := Value{rec: r, at: at}.Key()
	for i := parent + 1; i != 0 && i != at; i = r.nodes[i].next {
		if r.nodes[i].flags&flagShadowed == 0 && string(Value{rec: r, at: i}.Key()) == string(key) {
			r.nodes[i].flags |= flagShadowed
			return true
		}
	}
	return false
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// voidText reports whether a string of this content counts as absent. Source: MAPPING section 1.
func voidText(s []byte) bool {
	return len(s) == 0 || string(s) == "-" || string(s) == "none"
}
