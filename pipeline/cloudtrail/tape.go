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
	last     int32 // the last member linked
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
		end = s.value(0, s.node(0, 0, 0))
	}
	if s.err != nil {
		r.nodes = r.nodes[:0]
		return 0, s.ascii, s.err
	}
	r.Raw, r.nodes = text[:end], r.nodes[:s.used]
	if r.respelled {
		r.respell()
	}
	return end, s.ascii, nil
}

// object reads the object that begins at i and is the node at.
func (s *scanner) object(i int, at int32) int {
	text, in, seen := s.text, contents{all: flagVoid}, uint64(0)
	i, more := s.open(i, '}', &in)
	for more {
		if text[i] != '"' {
			return s.unexpected(i, "a key's quote")
		}
		start := i + 1
		end, escaped := s.quoted(start)
		if end < 0 {
			return end
		}
		member := s.node(start, end-1, escaped*(flagKeyEscaped/flagEscaped))
		s.link(member, &in)
		if bit := keyHint(text, start, end-1, escaped); seen&bit == 0 {
			seen |= bit
		} else if s.rec.shadow(at, member) {
			in.any |= flagUneven
			in.hidden = true
			in.count--
		}
		if at == 0 {
			s.rec.field(member)
		}
		if i = end; i+1 < len(text) && text[i] == ':' && text[i+1] > ' ' {
			i++
		} else if i = s.colon(i, &in); i < 0 {
			return i
		}
		if i = s.value(i, member); i < 0 {
			return i
		}
		in.add(s.rec.nodes[member].flags)
		if i+1 < len(text) && text[i] == ',' && text[i+1] > ' ' {
			i++
		} else if i, more = s.comma(i, '}', &in); i < 0 {
			return i
		}
	}
	return s.close(i, at, &in)
}

// array reads the array that begins at i and is the node at.
func (s *scanner) array(i int, at int32) int {
	in := contents{all: flagVoid}
	i, more := s.open(i, ']', &in)
	for more {
		element := s.node(0, 0, 0)
		s.link(element, &in)
		if i = s.value(i, element); i < 0 {
			return i
		}
		in.add(s.rec.nodes[element].flags)
		i, more = s.comma(i, ']', &in)
	}
	return s.close(i, at, &in)
}

// value reads the value at i into the node at.
func (s *scanner) value(i int, at int32) int {
	n := &s.rec.nodes[at]
	n.start = uint32(i)
	switch s.text[i] {
	case '"':
		end, escaped := s.quoted(i + 1)
		if end < 0 {
			return end
		}
		if end-i <= len(`"none"`) && voidText(s.text[i+1:end-1]) {
			escaped = flagVoid
		}
		n.end, n.kind, n.flags = uint32(end), KindString, n.flags|escaped
		return end
	case '{':
		n.kind = KindObject
		return s.object(i, at)
	case '[':
		n.kind = KindArray
		return s.array(i, at)
	}
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

// link makes a node the last member of a container.
func (s *scanner) link(member int32, in *contents) {
	if in.last != 0 {
		s.rec.nodes[in.last].next = member
	}
	in.last = member
	in.count++
}

func (in *contents) add(f flags) {
	in.any |= f
	in.all &= f
}

// quoted reads a string's content from i, just behind its opening quote, to behind the closing one. Nearly every string
// is plain ASCII, and most are short: two words at a time.
func (s *scanner) quoted(i int) (end int, f flags) {
	text := s.text
	for i+16 <= len(text) {
		two := text[i : i+16 : i+16]
		stop, second := stops(two[:8]), stops(two[8:])
		if stop|second == 0 {
			i += 16
			continue
		}
		if stop == 0 {
			stop = second
			i += 8
		}
		if i += bits.TrailingZeros64(stop) >> 3; text[i] == '"' {
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
