package cloudtrail

import (
	"bytes"
	"strings"
)

// This file goes into the objects and arrays that hold the records, and out of them.

// standsForComma reports whether the closing bracket that comes next is a damaged comma: a record follows, where the Records
// array's own end has at most further members of its wrapper behind it.
func (d *Reader) standsForComma() bool {
	rest := bytes.TrimLeft(d.peek(maxKey)[1:], whiteSpace)
	return bytes.HasPrefix(rest, []byte(`{"`)) && !bytes.HasPrefix(rest, []byte(wrapperName))
}

// standsForBrace reports whether the bracket that comes next is a record's damaged brace: a key and its colon follow. Where
// they follow an opening bracket behind white space, that may be the brace.
func (d *Reader) standsForBrace() bool {
	next := d.peek(2)
	if rest := bytes.TrimLeft(d.window[d.start+1:d.end], whiteSpace); len(rest) > 0 && rest[0] != '"' {
		return false // without a look ahead: what is read while it is written may have nothing more yet
	}
	if next[0] == '[' && space(next[len(next)-1]) && (d.wrapped || d.number == 0) {
		return false
	}
	_, ok := beginsMember(bytes.TrimLeft(d.peek(maxKey)[1:], whiteSpace))
	return ok
}

// standsForLineEnd reports whether the opening bracket that comes next is a damaged line end: it stands on the line of a
// record, behind which only a file or an array on the same line could have it, and not at the file's end.
func (d *Reader) standsForLineEnd() bool {
	return d.onLine && (!d.wrapped || len(d.peek(2)) == 1)
}

// tail reads what stands behind the Records of a wrapper object. CloudTrail leaves it empty; but where the wrapper's own end
// is damaged, or there are Records twice, more records stand here. What is the value of a member is none.
func (d *Reader) tail(c byte) {
	switch {
	case c == ':':
		ahead := d.peek(maxKey)
		value := bytes.TrimLeft(ahead[1:], " ") // behind a line end it is a record again
		d.start += len(ahead) - len(bytes.TrimPrefix(value, []byte("{")))
		return
	case c == '{' && d.recordAt(0):
		d.inside = inWrapper
		return
	case c == '}':
		d.inside, d.around = d.around, atTop
	}
	d.start++
}

// wrapper reads the beginning of {"Records":[ and reports whether it stood there.
func (d *Reader) wrapper() bool {
	size, short := d.opening(d.window[d.start:d.end])
	if short { // only then: what is read while it is written may have nothing more yet
		size, _ = d.opening(d.peek(maxKey))
	}
	if size == 0 {
		return false
	}
	d.start += size
	d.begin(inWrapper)
	return true
}

// opening is how long the beginning of a wrapper is that text begins with, 0 when it is none. short says that text ends
// before that can be told.
func (d *Reader) opening(text []byte) (size int, short bool) {
	rest := text
	for _, token := range []string{"{", `"Records"`, ":", "["} {
		rest = bytes.TrimLeft(rest, whiteSpace)
		if token == "[" && d.inside == atTop && bytes.HasPrefix(rest, []byte(`{"`)) {
			break // a space stands for the bracket: what follows is a record all the same
		}
		if !bytes.HasPrefix(rest, []byte(token)) {
			return 0, strings.HasPrefix(token, string(rest[:min(len(rest), len(token))]))
		}
		rest = rest[len(token):]
	}
	return len(text) - len(rest), false
}

// enter goes into the Records of a wrapper object that does not begin with them, or whose key for them is damaged, and
// reports whether the object just parsed is one. It is in the window as a whole.
func (d *Reader) enter(size int) bool {
	r := &d.record
	if r.plausible() { // whatever else it has
		return false
	}
	repaired := len(r.Raw) != size // it had invalid UTF-8
	if repaired {
		if _, _, err := r.tape(d.unread(0)); err != nil { // places in the repaired text are not those in the window
			return false // cannot be: it was parsed
		}
	}
	at := r.fields[Records]
	if at == 0 {
		at = r.recordsArray()
	}
	switch {
	case at == 0 && repaired:
		_, err := d.scan(0, MaxRecord)
		return err != nil // cannot be: it was parsed
	case at == 0:
		return false
	case r.nodes[at].kind != KindArray:
		d.start += size
		return true
	}
	d.start += int(r.nodes[at].start) + 1
	d.begin(inWrapper)
	return true
}

// begin goes into an array of records.
func (d *Reader) begin(inside nesting) {
	d.around, d.inside, d.wrapped, d.stray = d.inside, inside, true, false
}

// recordsArray finds a member that is an array whose first element looks like a record, in an object without any field of a
// record; 0 when there is none.
func (r *Record) recordsArray() int32 {
	known := r.fields
	if known[Unknown] = 0; known != [fieldCount]int32{} {
		return 0
	}
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		if m.Kind() != KindArray {
			continue
		}
		first := m.First()
		if first.Get("eventVersion").Exists() || first.Get("eventID").Exists() {
			return m.at
		}
	}
	return 0
}
