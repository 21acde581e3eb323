package cloudtrail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how deep a record may nest; a deeper one is refused. CloudTrail's own records nest at most 11 deep.
const MaxDepth = 256

// errShort says that the text ends before the value does: with more input it may still be a whole one.
var errShort = errors.New("the record ends in the middle")

// syntaxError says where in a record its JSON breaks.
type syntaxError struct {
	at   int
	want string
	got  byte
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("byte %d of the record is %q where %s should be", e.at, e.got, e.want)
}

// frame is a container whose end the scanner has not seen yet.
type frame struct {
	node   int32
	last   int32  // last child linked
	seen   uint64 // one bit for each key's hint: a clear bit proves that a key is new
	solid  bool   // some child is not void
	hidden bool   // some child is shadowed: solid may be that child's doing
	uneven bool
}

// Parse makes r the record that text holds: one JSON object and nothing after it but white space. r keeps views into
// text, which must stay as it is while r is used. Invalid UTF-8 is replaced by U+FFFD, in a copy.
func (r *Record) Parse(text []byte) error {
	end, err := r.scan(text)
	if err != nil {
		return err
	}
	for _, c := range text[end:] {
		if !space(c) {
			return &syntaxError{at: end, want: "the record's end", got: c}
		}
	}
	return nil
}

// scan reads the object that text begins with onto the tape and returns where it ends.
func (r *Record) scan(text []byte) (end int, err error) {
	end, ascii, err := r.tape(text)
	if err != nil {
		r.nodes = r.nodes[:0]
		return end, err
	}
	if !ascii && !utf8.Valid(text[:end]) {
		if _, _, err = r.tape(validUTF8(text[:end])); err != nil {
			return end, err // cannot be: the repair changes nothing that JSON's grammar sees
		}
	}
	return end, nil
}

// validUTF8 copies text with U+FFFD for each byte that is part of no character.
func validUTF8(text []byte) []byte {
	valid := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		u, size := utf8.DecodeRune(text)
		valid = utf8.AppendRune(valid, u)
		text = text[size:]
	}
	return valid
}

// scanner is the one pass over a record: it checks JSON's grammar (RFC 8259) to the letter, notes on the tape where every
// value stands, and which are void.
type scanner struct {
	rec   *Record
	text  []byte
	i     int  // the next byte to read
	key   node // the next value's key: keyStart, keyEnd and flags
	ascii bool // no byte of 0x80 or more so far
}

func (r *Record) tape(text []byte) (end int, ascii bool, err error) {
	r.Raw, r.nodes, r.frames, r.text = text, r.nodes[:0], r.frames[:0], r.text[:0]
	r.fields, r.respelled, r.depth = [fieldCount]int32{}, false, 0
	s := scanner{rec: r, text: text, ascii: true}
	if len(text) == 0 {
		return 0, true, errShort
	}
	if text[0] != '{' {
		return 0, true, &syntaxError{at: 0, want: "a record's {", got: text[0]}
	}
	for err = s.open('{'); err == nil && len(r.frames) > 0; {
		err = s.member()
	}
	r.Raw = text[:s.i]
	if r.respelled {
		r.respell()
	}
	return s.i, s.ascii, err
}

// member reads the next member or element of the innermost container, or its end.
func (s *scanner) member() error {
	r := s.rec
	c, err := s.token()
	if err != nil {
		return err
	}
	top := &r.frames[len(r.frames)-1]
	if c == '}' || c == ']' {
		return s.close(c)
	}
	if top.last != 0 {
		if c != ',' {
			return s.unexpected("a comma or the end of the object or array")
		}
		s.i++
		if c, err = s.token(); err != nil {
			return err
		}
	}
	s.key = node{}
	if r.nodes[top.node].kind == KindObject {
		if err = s.readKey(c); err != nil {
			return err
		}
		if c, err = s.token(); err != nil {
			return err
		}
	}
	switch c {
	case '"':
		return s.string()
	case '{', '[':
		return s.open(c)
	}
	return s.scalar()
}

// token skips white space and returns the byte that follows, without reading it.
func (s *scanner) token() (byte, error) {
	for s.i < len(s.text) {
		c := s.text[s.i]
		if !space(c) {
			return c, nil
		}
		s.rec.frames[len(s.rec.frames)-1].uneven = true
		s.i++
	}
	return 0, errShort
}

func (s *scanner) unexpected(want string) error {
	return &syntaxError{at: s.i, want: want, got: s.text[s.i]}
}

// readKey reads a key and its colon.
func (s *scanner) readKey(c byte) error {
	if c != '"' {
		return s.unexpected("a key's quote")
	}
	start := s.i + 1
	end, f, ascii, err := scanString(s.text, start)
	s.i = end
	if err != nil {
		return err
	}
	s.ascii = s.ascii && ascii
	s.key = node{keyStart: uint32(start), keyEnd: uint32(end - 1)}
	if f != 0 {
		s.key.flags = flagKeyEscaped
	}
	if c, err = s.token(); err != nil {
		return err
	}
	if c != ':' {
		return s.unexpected("a colon")
	}
	s.i++
	return nil
}

func (s *scanner) string() error {
	start := s.i
	end, f, ascii, err := scanString(s.text, start+1)
	s.i = end
	if err != nil {
		return err
	}
	s.ascii = s.ascii && ascii
	if end-start <= len(`"none"`) && voidText(s.text[start+1:end-1]) {
		f |= flagVoid
	}
	s.add(start, KindString, f)
	return nil
}

func (s *scanner) scalar() error {
	start := s.i
	end, kind, err := scanScalar(s.text, start)
	s.i = end
	if err != nil {
		return err
	}
	var f flags
	if kind == KindNull {
		f = flagVoid
	}
	s.add(start, kind, f)
	return nil
}

func (s *scanner) open(c byte) error {
	if len(s.rec.frames) == MaxDepth {
		return s.unexpected("a value at most 256 levels deep")
	}
	kind := KindObject
	if c == '[' {
		kind = KindArray
	}
	at := s.add(s.i, kind, 0)
	s.rec.frames = append(s.rec.frames, frame{node: at})
	s.rec.depth = max(s.rec.depth, len(s.rec.frames))
	s.i++
	return nil
}

// close ends the innermost container and tells its parent what was in it.
func (s *scanner) close(c byte) error {
	r := s.rec
	top := r.frames[len(r.frames)-1]
	n := &r.nodes[top.node]
	if (c == '}') != (n.kind == KindObject) {
		return s.unexpected("the other closing bracket")
	}
	s.i++
	n.end = uint32(s.i)
	r.frames = r.frames[:len(r.frames)-1]
	if top.uneven {
		n.flags |= flagUneven
	}
	if top.hidden {
		top.solid = r.visible(top.node + 1).Exists()
	}
	if !top.solid {
		n.flags |= flagVoid
	}
	if len(r.frames) > 0 {
		parent := &r.frames[len(r.frames)-1]
		parent.solid = parent.solid || top.solid
		parent.uneven = parent.uneven || top.uneven || !top.solid
	}
	return nil
}

// add puts the value that was just read, or a container that begins, on the tape and links it to its parent and to the
// sibling before it.
func (s *scanner) add(start int, kind Kind, f flags) int32 {
	r := s.rec
	at := int32(len(r.nodes))
	r.nodes = append(r.nodes, node{
		start: uint32(start), end: uint32(s.i),
		keyStart: s.key.keyStart, keyEnd: s.key.keyEnd, kind: kind, flags: f | s.key.flags,
	})
	if len(r.frames) == 0 {
		return at
	}
	top := &r.frames[len(r.frames)-1]
	parent := &r.nodes[top.node]
	if top.last != 0 {
		r.nodes[top.last].next = at
	}
	top.last = at
	parent.count++
	if kind < KindObject { // a container tells its parent when it closes
		top.uneven = top.uneven || f&flagVoid != 0
		top.solid = top.solid || f&flagVoid == 0
	}
	if parent.kind != KindObject {
		return at
	}
	if bit := keyHint(s.text, s.key); top.seen&bit == 0 {
		top.seen |= bit
	} else if r.shadow(top.node, at) {
		parent.count--
		parent.flags |= flagRepeats
		top.uneven, top.hidden = true, true
	}
	if len(r.frames) == 1 {
		f := FieldOf(Value{rec: r, at: at}.Key())
		r.respelled = r.respelled || f != Unknown && r.fields[f] != 0
		r.fields[f] = at
	}
	return at
}

// keyHint maps a key to one of 64 bits, cheaply: by its length and first eight bytes. An escaped key hits every bit.
func keyHint(text []byte, key node) uint64 {
	if key.flags&flagKeyEscaped != 0 || int(key.keyStart)+8 > len(text) {
		return ^uint64(0)
	}
	w := binary.LittleEndian.Uint64(text[key.keyStart:])
	n := key.keyEnd - key.keyStart
	if n < 8 {
		w &= 1<<(8*n) - 1
	}
	return 1 << ((w ^ uint64(n)<<56) * 0x9E3779B97F4A7C15 >> 58)
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
