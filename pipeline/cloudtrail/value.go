package cloudtrail

import "unicode/utf8"

// Kind is the JSON kind of a value.
type Kind uint8

// The kinds of JSON values. The zero Kind is that of a value that is not there.
const (
	Absent Kind = iota
	KindNull
	KindFalse
	KindTrue
	KindNumber
	KindString
	KindObject
	KindArray
)

// A Value is one JSON value of a record, by reference. The zero Value is absent; every method may be called on it and
// answers as for a value that is not there. Walking skips void values (see Record) and the earlier of two equal keys.
type Value struct {
	rec *Record
	at  int32
}

// node is one value on a record's tape: parents before children, siblings linked by next.
type node struct {
	start, end       uint32 // the value's text in Record.Raw, quotes included
	keyStart, keyEnd uint32 // a member's key between its quotes; both 0 for elements and the root
	next             int32  // index of the next sibling, 0 at the last
	count            int32  // containers: children; of equal keys one is counted, void values are too
	kind             Kind
	flags            flags
}

type flags uint8

const (
	flagVoid       flags = 1 << iota // null, "", "-", "none", {}, [] or nothing but those inside
	flagShadowed                     // an equal key follows in the same object
	flagEscaped                      // a string with a backslash
	flagKeyEscaped                   // a key with a backslash
	flagRepeats                      // an object with a key that stands twice
	flagAgain                        // an equal key stood before in the same object
	flagUneven                       // a container with void or shadowed values or white space inside
)

func (v Value) node() *node { return &v.rec.nodes[v.at] }

// Kind is the value's JSON kind.
func (v Value) Kind() Kind {
	if v.rec == nil {
		return Absent
	}
	return v.node().kind
}

// Exists reports whether the value is there and not void.
func (v Value) Exists() bool { return v.rec != nil }

// Raw is the value's JSON text as it stands in the record; nil when absent.
func (v Value) Raw() []byte {
	if v.rec == nil {
		return nil
	}
	n := v.node()
	return v.rec.Raw[n.start:n.end]
}

// Scalar is Raw of a value that is no container, nil for one that is.
func (v Value) Scalar() []byte {
	if v.rec == nil {
		return nil
	}
	n := v.node()
	if n.kind >= KindObject {
		return nil
	}
	return v.rec.Raw[n.start:n.end]
}

// Even reports whether Raw may be copied into a document as it stands: it holds no void value, no key twice and no white
// space between its tokens.
func (v Value) Even() bool { return v.rec != nil && v.node().flags&flagUneven == 0 }

// Plain reports whether the value is a string without escapes, so that Raw is also how it is written elsewhere.
func (v Value) Plain() bool {
	return v.rec != nil && v.node().kind == KindString && v.node().flags&flagEscaped == 0
}

// Bytes is the value as text: a string without its quotes and with its escapes resolved (a lone surrogate is U+FFFD),
// any other kind as Raw; nil when absent.
func (v Value) Bytes() []byte {
	if v.rec == nil {
		return nil
	}
	n := v.node()
	if n.kind != KindString {
		return v.rec.Raw[n.start:n.end]
	}
	return v.rec.unescaped(n.start+1, n.end-1, n.flags&flagEscaped != 0)
}

// Content is the text of a string, its escapes resolved, or of a number, nil for every other kind; plain says that JSON
// writes it as it is. It is Kind, Bytes and Plain in one step, for who asks for many.
func (v Value) Content() (text []byte, plain bool) {
	if v.rec == nil {
		return nil, false
	}
	switch n := v.node(); {
	case n.kind == KindString && n.flags&flagEscaped == 0:
		return v.rec.Raw[n.start+1 : n.end-1], true
	case n.kind == KindString:
		return v.rec.unescape(v.rec.Raw[n.start+1 : n.end-1]), false
	case n.kind == KindNumber:
		return v.rec.Raw[n.start:n.end], true
	}
	return nil, false
}

// Text is Bytes of a string, nil for every other kind.
func (v Value) Text() []byte {
	if v.Kind() != KindString {
		return nil
	}
	return v.Bytes()
}

// Is reports whether the value is the string s.
func (v Value) Is(s string) bool { return v.Kind() == KindString && string(v.Bytes()) == s }

// Key is the member's key with its escapes resolved; nil for the root and for elements of an array.
func (v Value) Key() []byte {
	if v.rec == nil {
		return nil
	}
	n := v.node()
	return v.rec.unescaped(n.keyStart, n.keyEnd, n.flags&flagKeyEscaped != 0)
}

// KeyRaw is the member's key as it stands in the record, between its quotes.
func (v Value) KeyRaw() []byte {
	if v.rec == nil {
		return nil
	}
	n := v.node()
	return v.rec.Raw[n.keyStart:n.keyEnd]
}

// KeyEscaped reports whether the member's key holds a backslash, so that Key and KeyRaw differ.
func (v Value) KeyEscaped() bool { return v.rec != nil && v.node().flags&flagKeyEscaped != 0 }

// Rank orders the members of v as a map does that keeps the place of a key when it is put again: by where each key first
// stood. m is a member of v.
func (v Value) Rank(m Value) uint32 {
	if m.node().flags&flagAgain == 0 {
		return uint32(m.at)
	}
	return uint32(v.rec.firsts[m.at])
}

// Count is the number of members (distinct keys) or elements, void ones included. 0 for scalars.
func (v Value) Count() int {
	if v.rec == nil {
		return 0
	}
	return int(v.node().count)
}

// First is the first member or element that is not void, absent when there is none. With Next it walks a container:
//
//	for m := v.First(); m.Exists(); m = m.Next() { … }
func (v Value) First() Value {
	if v.Count() == 0 {
		return Value{}
	}
	return v.rec.visible(v.at + 1)
}

// Next is the next sibling that is not void, absent at the end.
func (v Value) Next() Value {
	if v.rec == nil || v.node().next == 0 {
		return Value{}
	}
	return v.rec.visible(v.node().next)
}

// visible is the value at i or the first sibling after it that readers may see.
func (r *Record) visible(i int32) Value {
	for i != 0 && r.nodes[i].flags&(flagVoid|flagShadowed) != 0 {
		i = r.nodes[i].next
	}
	if i == 0 {
		return Value{}
	}
	return Value{rec: r, at: i}
}

// Get is the member with this key, absent for anything but an object that has it.
func (v Value) Get(key string) Value {
	if v.Kind() != KindObject {
		return Value{}
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if hasKey(m, key) {
			return m
		}
	}
	return Value{}
}

// AppendJSON appends the value as compact JSON without its void values, the form in which Elastic's pipeline sees it.
// Strings are copied as they stand.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Kind() {
	case Absent:
		return dst
	case KindObject, KindArray:
	default:
		return append(dst, v.Raw()...)
	}
	if v.Even() {
		return append(dst, v.Raw()...)
	}
	open, end := byte('{'), byte('}')
	if v.Kind() == KindArray {
		open, end = '[', ']'
	}
	if v.node().flags&flagVoid != 0 {
		return append(dst, open, end)
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		dst = append(dst, open)
		open = ','
		if v.Kind() == KindObject {
			dst = append(dst, '"')
			dst = append(dst, m.KeyRaw()...)
			dst = append(dst, '"', ':')
		}
		dst = m.AppendJSON(dst)
	}
	return append(dst, end)
}

// unescaped returns Raw[start:end], a string's content, resolving its escapes into the record's own scratch when it has any.
func (r *Record) unescaped(start, end uint32, escaped bool) []byte {
	if !escaped {
		return r.Raw[start:end]
	}
	return r.unescape(r.Raw[start:end])
}

// unescape is apart so that unescaped is inlined.
func (r *Record) unescape(s []byte) []byte {
	from := len(r.text)
	r.text = appendUnescaped(r.text, s)
	return r.text[from:len(r.text):len(r.text)]
}

// appendUnescaped appends the content of a JSON string that the scanner has found valid.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		c = s[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			var u rune
			u, i = codePoint(s, i)
			dst = utf8.AppendRune(dst, u)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// codePoint reads the four hex digits at i, and the low surrogate's escape after a high one. A lone surrogate is U+FFFD.
func codePoint(s []byte, i int) (rune, int) {
	u := hex4(s[i:])
	i += 4
	if u < 0xD800 || u > 0xDFFF {
		return u, i
	}
	if u < 0xDC00 && i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
		if low := hex4(s[i+2:]); low >= 0xDC00 && low <= 0xDFFF {
			return 0x10000 + (u-0xD800)<<10 + (low - 0xDC00), i + 6
		}
	}
	return utf8.RuneError, i
}

func hex4(s []byte) rune {
	var u rune
	for _, c := range s[:4] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		u = u<<4 | rune(c)
	}
	return u
}
