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
	if d.toLineEnd() {
		rest, _, _ = bytes.Cut(rest, []byte("\n"))
	}
	rest = bytes.Trim(rest, whiteSpace)
	if len(rest) > 1 && d.inside != atTop && rest[0] != ',' && rest[0] != ']' && rest[0] != '{' && !d.strayByte(rest) {
		return true
	}
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte(",")), whiteSpace) // a second comma would be a damaged brace
	if len(rest) == 0 || rest[0] != '"' {
		return false
	}
	end, _, _, err := scanString(rest, 1)
	if err != nil || !bytes.HasPrefix(bytes.TrimLeft(rest[end:], whiteSpace), []byte(":")) {
		return false
	}
	f := FieldOf(rest[1 : end-1])
	return f != Records && d.record.fields[f] == 0 || f == Unknown // else another record or file begins, whose brace is damaged
}

// strayByte reports whether the first byte behind an object stands where a comma, a bracket or nothing should, as what comes
// next shows: another record or file, or the end of the array. A stray brace may just as well be the rest of the object.
func (d *Reader) strayByte(rest []byte) bool {
	next := bytes.TrimLeft(rest[1:], whiteSpace)
	if rest[0] != '}' {
		next = bytes.TrimLeft(next, ","+whiteSpace)
	}
	switch {
	case len(next) == 0 || next[0] == '{' || next[0] == '[':
		return true
	case next[0] == '}': // the wrapper's
		next = bytes.TrimLeft(next[1:], whiteSpace)
		return len(next) == 0 || next[0] == '{' || d.around == inArray && (next[0] == ',' || next[0] == ']')
	}
	return next[0] == ']' && rest[0] != '}'
}

// glued reports whether an object at top level is followed by something on its own line: then it is a piece of a damaged
// line or file.
func (d *Reader) glued(size int) bool {
	rest := d.window[d.start+size : d.end]
	return d.inside == atTop && len(rest) > 0 && !space(rest[0]) && rest[0] != '{'
}
