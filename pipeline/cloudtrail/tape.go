package cloudtrail

import (
	"encoding/binary"
	"math/bits"
)

// scanner is the one pass over a record: it checks JSON's grammar (RFC 8259) to the letter, notes on the tape where every
// value stands, and which are void.
//
// Its methods take the index of the byte to read next and return that of the byte behind what they read, or -1 once err is
// set: so the index stays in a register, and a token costs no error value. CloudTrail writes neither white space nor
// escapes between and inside most tokens; the loops below expect none, and leave what is rare to the methods in rare.go.
type scanner struct {
	rec   *Record
	text  []byte
	used  int32 // how many of rec.nodes are on the tape
	depth int   // containers that are open
	ascii bool  // no byte of 0x80 or more so far
	err   error
}

// contents is what is known of a container while it is read.
type contents struct {
	any, all flags // of its members: set in some of them, set in all of them
	count    int32
	hidden   bool // some member is shadowed: any and all may be that member's doing
}

// tape reads the object that text begins with onto the tape and returns where it ends.
func (r *Record) tape(text []byte) (end int, ascii bool, err error) {
	r.Raw, r.nodes, r.text = text, r.nodes[:cap(r.nodes)], r.text[:0]
	r.fields, r.respelled, r.depth = [fieldCount]int32{}, false, 0
	s := scanner{rec: r, text: text, ascii: true}
	switch {
	case len(text) == 0:
		s.err = errShort
	case text[0] != '{':
		s.unexpected(0, "a record's {")
	default:
		root := &r.nodes[s.node(0, 0, 0)]
		root.start, root.kind = 0, KindObject
		end = s.record()
	}
	if s.err != nil {
		r.nodes = r.nodes[:0]
		return 0, s.ascii, s.err
	}
	r.Raw, r.nodes = text[:end:end], r.nodes[:s.used]
	if r.respelled {
		r.respell()
	}
	return end, s.ascii, nil
}

// record reads the object that is the record itself. AWS writes the fields in one order: the one that followed the last
// time is tried first, which costs a comparison instead of a search for the key's end and for its name.
func (s *scanner) record() int {
	r, in := s.rec, contents{all: flagVoid}
	i, more := s.open(0, '}', &in)
	for last := Unknown; more; {
		member, field := s.used, r.follows[last]
		if name := names[field]; r.fields[field] == 0 && s.reads(i, name) {
			s.node(i+1, i+len(name)-len(`":`), 0)
			i += len(name)
		} else {
			if i = s.key(i, &in); i < 0 {
				return i
			}
			field = FieldOf(Value{rec: r, at: member}.Key())
			r.follows[last] = field
			if r.fields[field] != 0 {
				s.again(field, member, &in)
			}
		}
		r.fields[field], last = member, field
		i, more = s.value(i, member, '}', &in)
	}
	return s.close(i, 0, &in)
}

// reads reports whether the text at i is this key with its colon, and a value right behind them.
func (s *scanner) reads(i int, name string) bool {
	end := i + len(name)
	return end < len(s.text) && string(s.text[i:end]) == name && s.text[end] > ' '
}

// object reads the object that begins at i and is the node at.
func (s *scanner) object(i int, at int32) int {
	in, seen := contents{all: flagVoid}, uint64(0)
	i, more := s.open(i, '}', &in)
	for more {
		member := s.used
		if i = s.key(i, &in); i < 0 {
			return i
		}
		if bit := s.rec.hint(member); seen&bit == 0 {
			seen |= bit
		} else if s.rec.shadow(at, member) {
			in.hide()
		}
		i, more = s.value(i, member, '}', &in)
	}
	return s.close(i, at, &in)
}

// array reads the array that begins at i and is the node at.
func (s *scanner) array(i int, at int32) int {
	in := contents{all: flagVoid}
	i, more := s.open(i, ']', &in)
	for more {
		i, more = s.value(i, s.node(0, 0, 0), ']', &in)
	}
	return s.close(i, at, &in)
}

// key reads the key at i, with its colon, into a new node.
func (s *scanner) key(i int, in *contents) int {
	text := s.text
	if text[i] != '"' {
		return s.unexpected(i, "a key's quote")
	}
	end, escaped := s.quoted(i + 1)
	if end < 0 {
		return end
	}
	s.node(i+1, end-1, escaped*(flagKeyEscaped/flagEscaped))
	if end+1 < len(text) && text[end] == ':' && text[end+1] > ' ' {
		return end + 1
	}
	return s.colon(end, in)
}

// value reads the value at i into the node at, and what separates it from the next. It returns the next token of the
// container, which ends with the given byte, and whether a member begins there.
func (s *scanner) value(i int, at int32, last byte, in *contents) (int, bool) {
	text, n := s.text, &s.rec.nodes[at]
	n.start = uint32(i)
	switch text[i] {
	case '"':
		end, f := s.quoted(i + 1)
		if end < 0 {
			return end, false
		}
		if end-i <= len(`"none"`) && voidText(text[i+1:end-1]) {
			f = flagVoid
		}
		n.end, n.kind = uint32(end), KindString
		n.flags |= f
		i = end
	case '{':
		n.kind = KindObject
		i = s.object(i, at)
	case '[':
		n.kind = KindArray
		i = s.array(i, at)
	default:
		i = s.scalar(i, n)
	}
	if i < 0 {
		return i, false
	}
	n = &s.rec.nodes[at]
	in.any |= n.flags
	in.all &= n.flags
	in.count++
	if i < len(text) && text[i] == last {
		return i, false
	}
	if i+1 < len(text) && text[i] == ',' && text[i+1] > ' ' {
		n.next = s.used
		return i + 1, true
	}
	i, more := s.comma(i, last, in)
	if more {
		n.next = s.used
	}
	return i, more
}

// node takes the next node of the tape, for a value with this key.
func (s *scanner) node(keyStart, keyEnd int, f flags) int32 {
	r, at := s.rec, s.used
	if int(at) == len(r.nodes) {
		r.nodes = append(r.nodes, make([]node, len(r.nodes)+64)...)
	}
	n := &r.nodes[at]
	n.keyStart, n.keyEnd, n.next, n.count, n.flags = uint32(keyStart), uint32(keyEnd), 0, 0, f
	s.used++
	return at
}

// quoted reads a string's content from i, just behind its opening quote, to behind the closing one. Nearly every string
// is plain ASCII, and most are short: two words at a time, with no branch on which of them holds the quote.
func (s *scanner) quoted(i int) (end int, f flags) {
	text := s.text
	for i+16 <= len(text) {
		two := text[i : i+16 : i+16]
		stop, second := stops(two[:8]), stops(two[8:])
		if stop|second == 0 {
			i += 16
			continue
		}
		n := bits.TrailingZeros64(stop) >> 3 // 8 when it is not in the first word
		if i += n + bits.TrailingZeros64(second)>>3&-(n>>3); text[i] == '"' {
			return i + 1, 0
		}
		break
	}
	return s.unusual(i)
}

// stops marks, in the first eight bytes of text, the high bit of each that may end a run of plain text: a quote, a
// backslash, a control character or a byte of 0x80 or more. Bits above the first may be wrong.
func stops(text []byte) uint64 {
	w := binary.LittleEndian.Uint64(text)
	quote := (w ^ ones*2) - ones*0x21 // of all bytes, just these are below 0x21 with the second bit turned: 0 to 0x1f, and the quote
	slash := (w ^ ones*'\\') - ones
	return (quote | slash | w) & highs
}
