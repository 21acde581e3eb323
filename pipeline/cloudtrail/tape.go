package cloudtrail

import "math/bits"

// scanner is the one pass over a record: it checks JSON's grammar (RFC 8259) to the letter, notes on the tape where every
// value stands, and which are void.
//
// Its methods take the index of the byte to read next and return that of the byte behind what they read, or -1 once err is
// set: so the index stays in a register, and a token costs no error value. CloudTrail writes neither white space nor
// escapes between and inside most tokens; the loop expects none, and leaves what is rare to the methods in rare.go.
type scanner struct {
	rec   *Record
	text  []byte
	marks *marks
	base  int   // where text begins in marks
	used  int   // how many of rec.nodes are on the tape
	depth int   // containers that are open
	in    frame // the innermost of them
	last  Field // the field of the record that was read last
	ascii bool  // no byte of 0x80 or more so far
	err   error
}

// tape reads the object that a text begins with onto the tape and returns where it ends.
func (r *Record) tape(m marked) (end int, ascii bool, err error) {
	r.Raw, r.nodes, r.text = m.text, r.nodes[:cap(r.nodes)], r.text[:0]
	r.fields, r.respelled, r.depth = [fieldCount]int32{}, false, 0
	if len(r.firsts) > 0 {
		clear(r.firsts)
	}
	s := scanner{rec: r, text: m.text, marks: m.marks, base: m.base, ascii: true}
	switch {
	case len(m.text) == 0:
		s.err = errShort
	case m.text[0] != '{':
		s.unexpected(0, "a record's {")
	default:
		end = s.record()
	}
	if s.err != nil {
		r.nodes = r.nodes[:0]
		return 0, s.ascii, s.err
	}
	r.Raw, r.nodes = m.text[:end:end], r.nodes[:s.used]
	if r.respelled {
		r.respell()
	}
	return end, s.ascii, nil
}

// record reads the object that is the record itself, with all that is in it: a member or an end of a container at a time.
// What nearly every member is, a key and a string that both end within sight, costs no call.
func (s *scanner) record() int {
	text := s.text
	i, more := s.open(0, s.node())
	for i >= 0 {
		var n *node
		if more { //nolint:nestif // the hot loop: a call in it costs as much as what it does
			n = s.node()
			if s.depth == 1 {
				i = s.field(i, n)
			} else if s.in.last == '}' {
				if end := s.endInSight(i + 1); endsKey(text, i, end) {
					n.keyStart, n.keyEnd = uint32(i+1), uint32(end-1)
					i = end + 1
				} else {
					i = s.key(i, n)
				}
				bit := hint(text, n)
				if s.in.seen&bit != 0 {
					s.hideRepeat()
				}
				s.in.seen |= bit
			}
			if i < 0 {
				break
			}
			switch text[i] {
			case '"':
				end := s.endInSight(i + 1)
				if end > i+len(`"none"`) {
					n.start, n.end, n.kind = uint32(i), uint32(end), KindString
					s.in.live = true
					i = end
				} else {
					i = s.quoted(i, end, n)
				}
			case '{', '[':
				i, more = s.open(i, n)
				continue
			default:
				i = s.scalar(i, n)
			}
			if i < 0 {
				break
			}
		} else {
			i, n = s.close(i)
			if s.depth == 0 {
				break
			}
		}
		s.in.count++
		if i+1 < len(text) && text[i] == ',' && text[i+1] > ' ' {
			i, more = i+1, true
		} else if i < len(text) && text[i] == s.in.last {
			more = false
			continue
		} else if i, more = s.comma(i); !more {
			continue
		}
		n.next = int32(s.used)
	}
	return i
}

// node takes the next node of the tape.
func (s *scanner) node() *node {
	at, nodes := s.used, s.rec.nodes
	s.used++
	if at >= len(nodes) {
		nodes = s.longer()
	}
	n := &nodes[at]
	*n = node{}
	return n
}

// field reads the key of a member of the record, with its colon, into n. AWS writes the fields in one order: the one that
// followed the last time is tried first, which costs a comparison instead of a search for the key's end and for its name.
func (s *scanner) field(i int, n *node) int {
	r, at := s.rec, int32(s.used-1)
	field := r.follows[s.last]
	name := &spellings[field]
	if text := s.text[i:]; r.fields[field] == 0 && len(text) >= len(name.words)*8 && name.begins(text) {
		n.keyStart, n.keyEnd = uint32(i+1), uint32(i+name.size-len(`":`))
		i += name.size
	} else {
		if i = s.key(i, n); i < 0 {
			return i
		}
		field = FieldOf(Value{rec: r, at: at}.Key())
		r.follows[s.last] = field
		if r.fields[field] != 0 {
			s.again(field)
		}
	}
	r.fields[field], s.last = at, field
	return i
}

// endsKey reports whether a key at i ends where endInSight says, with its colon and a value right behind it.
func endsKey(text []byte, i, end int) bool {
	return end > 0 && text[i] == '"' && end+1 < len(text) && text[end] == ':' && text[end+1] > ' '
}

// endInSight returns the index behind the quote that ends the string whose content begins at i, 0 when that is not in sight:
// the string is long, or has in it what ends plain text.
func (s *scanner) endInSight(i int) int {
	w := s.marks.at(s.base + i)
	if w == 0 {
		return 0
	}
	i += bits.TrailingZeros64(w)
	if uint(i) < uint(len(s.text)) && s.text[i] == '"' {
		return i + 1
	}
	return 0
}
