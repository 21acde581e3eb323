package cloudtrail

import "bytes"

// This file judges an object by what stands behind it.

// lookBehind reads on until what stands behind the object at the front tells whether it is whole.
func (d *Reader) lookBehind(size int) {
	n := size + maxKey
	if d.toLineEnd() {
		n = size + 1
	}
	for behind := d.peek(n); len(behind) == n && n < size+maxKey && behind[n-1] != '\n'; behind = d.peek(n) {
		n++
	}
}

// toLineEnd reports whether nothing behind the line counts: it may not be written yet, as what is not compressed may be read
// while it is written.
func (d *Reader) toLineEnd() bool { return d.inside == atTop && !d.src.checked }

// doubt is why an object without any key of a record is refused; nil when it is let through.
func (d *Reader) doubt(size int) error {
	at := d.record.fields[Records]
	switch {
	case d.stray && d.inside != atTop, d.glued(size):
		return errStray
	case d.inside != inWrapper && at != 0 && d.record.nodes[at].kind != KindArray && d.record.nodes[at].flags&flagVoid == 0:
		return errNoArray
	}
	return nil
}

// goesOn reports whether what follows the object just parsed shows that a stray brace ended it too early, and that it is
// not the whole record: the rest of a key, or a key and its colon. A single stray byte in place of the comma or bracket
// that should follow is that byte's damage, not the record's.
func (d *Reader) goesOn(size int) bool {
	rest := d.window[d.start+size : min(d.start+size+maxKey, d.end)]
	if bytes.HasPrefix(rest, []byte(",{")) {
		return false // as CloudTrail writes it: what follows would come to this too
	}
	if d.toLineEnd() || d.inside == atTop && !bytes.Contains(d.record.Raw, []byte("\n")) {
		rest, _, _ = bytes.Cut(rest, []byte("\n")) // a record on one line does not go on behind it
	}
	rest = bytes.Trim(rest, whiteSpace)
	if len(rest) > 1 && d.inside != atTop && rest[0] != ',' && rest[0] != ']' && rest[0] != '{' && !d.strayByte(rest) {
		return true
	}
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(",")), whiteSpace) // a second comma would be a damaged brace
	key, ok := beginsMember(rest)
	if !ok {
		return false
	}
	f := FieldOf(key)
	if f == Records { // else another file begins, whose brace is damaged
		return d.record.nodes[0].count == 0
	}
	return d.record.fields[f] == 0 || f == Unknown // else another record begins, whose brace is damaged
}

// beginsMember reports whether text begins with a key and its colon, and returns the key.
func beginsMember(text []byte) (key []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, false
	}
	end, _, _, err := scanString(text, 1)
	if err != nil || !bytes.HasPrefix(bytes.TrimLeft(text[end:], whiteSpace), []byte(":")) {
		return nil, false
	}
	return text[1 : end-1], true
}

// strayByte reports whether the first byte behind an object stands where a comma, a bracket or nothing should, as what comes
// next shows: another record or file, or the end of the array. A stray brace may just as well be the object's own, whose
// inner one was ended too early by what was the last digit of a number: any other value would be broken.
func (d *Reader) strayByte(rest []byte) bool {
	own := rest[0] == '}' && d.endsInNumber()
	next := bytes.TrimLeft(rest[1:], whiteSpace)
	if !own {
		next = bytes.TrimLeft(next, ","+whiteSpace)
	}
	switch {
	case len(next) == 0 || next[0] == '{' || next[0] == '[':
		return true
	case next[0] == '}': // the wrapper's
		next = bytes.TrimLeft(next[1:], whiteSpace)
		return len(next) == 0 || next[0] == '{' || d.around == inArray && (next[0] == ',' || next[0] == ']')
	}
	return next[0] == ']' && !own
}

// endsInNumber reports whether the last value of the object just parsed is a number, however deep.
func (d *Reader) endsInNumber() bool {
	text := bytes.TrimRight(d.record.Raw, "}"+whiteSpace)
	last := text[len(text)-1]
	return '0' <= last && last <= '9'
}

// glued reports whether an object at top level is followed by something on its own line: then it is a piece of a damaged
// line or file.
func (d *Reader) glued(size int) bool {
	rest := d.window[d.start+size : d.end]
	return d.inside == atTop && len(rest) > 0 && !space(rest[0]) && rest[0] != '{'
}
