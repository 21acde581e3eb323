package cloudtrail

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

const wrapperName = `{"Records"`

// landing is where a search for readable bytes ended.
type landing uint8

const (
	atRecord landing = iota // a whole record begins there
	atLine                  // a line begins there
	atEnd                   // the file ends there
	atLimit                 // MaxRecord bytes were searched in vain
)

// refuse skips what cannot be read at the front of the window, up to where reading can go on, and returns a *Refused for
// it; nil when what it skipped is too little to have been a record; ErrTruncated when the file just ends.
func (d *Reader) refuse(cause error) error {
	if !ofRecord(cause) {
		return cause
	}
	start := d.offset + int64(d.start)
	d.torn.note(cause, &d.record)
	skipped, landed, err := d.resync()
	if err != nil {
		return err
	}
	if cause == errShort && landed == atEnd && !d.src.checked && (d.inside != atTop || !d.wrapped) {
		return ErrTruncated
	}
	raw := bytes.Trim(d.window[d.start:d.start+skipped], ","+whiteSpace)
	line := d.inside == atTop && !d.wrapped && !d.onLine && (landed == atLine || landed == atEnd) &&
		len(bytes.Trim(raw, "[]{}"+whiteSpace)) > 0 // brackets alone are a damaged byte's, no record's
	if inside := d.landedIn(skipped, landed); inside != d.inside {
		d.around, d.inside = d.inside, inside // around matters in a wrapper only
	}
	d.onLine = d.onLine && landed != atLine
	d.start += skipped
	continued := d.endless
	d.endless = landed == atLimit
	if continued || len(raw) == 0 || solid(raw) < minRecord && !line {
		return nil
	}
	d.number++
	return &Refused{Object: d.object, Number: d.number, Offset: start, Raw: raw[:min(len(raw), MaxRecord)], Err: cause}
}

// solid is how many bytes of text are no white space.
func solid(text []byte) int {
	n := 0
	for _, c := range text {
		if !space(c) {
			n++
		}
	}
	return n
}

// refuseWhole skips the object at the front, which ends where it should, and returns a *Refused for it.
func (d *Reader) refuseWhole(size int, cause error) error {
	raw, start := d.window[d.start:d.start+size], d.offset+int64(d.start)
	d.start += size
	d.number++
	d.stray, d.onLine = d.inside != atTop, true
	return &Refused{Object: d.object, Number: d.number, Offset: start, Raw: raw, Err: cause}
}

// ofRecord reports whether an error is the record's own, not the source's.
func ofRecord(err error) bool {
	var syntax *syntaxError
	return err == errShort || err == errLarge || err == errCutOff || err == errStray || errors.As(err, &syntax)
}

// landedIn tells what the Reader stands in after a search. Damage may have hidden the beginning or the end of the array.
func (d *Reader) landedIn(skipped int, landed landing) nesting {
	switch {
	case landed == atEnd:
		return atTop
	case landed != atRecord || d.inside == inWrapper || d.before(skipped) == '\n':
		return d.inside
	case d.opensWrapper() || d.inside == atTop && (d.number == 0 || d.wrapped):
		return inWrapper
	}
	return d.inside
}

// resync finds where reading can go on behind the broken bytes that the window begins with, and how many bytes that
// skips. The error is the source's.
//
// Inside an array that is the next whole record: an object that stands where one may begin, parses, and has a key that
// only records have. At top level it is also the next line that begins as one does, whole or not, since each line is a
// record of its own there.
func (d *Reader) resync() (skip int, landed landing, err error) {
	for skip = 1; ; skip++ {
		for d.start+skip >= d.end {
			if skip >= MaxRecord {
				return skip, atLimit, nil
			}
			if err = d.fill(); err == io.EOF {
				return d.end - d.start, atEnd, nil
			} else if err != nil {
				return 0, atEnd, err
			}
		}
		switch c := d.window[d.start+skip]; {
		case c == '\n' && d.inside == atTop && d.lineAt(skip+1):
			return skip + 1, atLine, nil
		case c == '{' && d.mayBegin(skip) && d.recordAt(skip) && !d.torn.goesOnAt(skip, &d.record):
			return skip, atRecord, nil
		}
	}
}

// lineAt reports whether the line that begins skip bytes ahead begins as a record, a file or an array does, or is the file's
// end. Any other is the rest of what cannot be read, and so is one in that part of it which could be read.
func (d *Reader) lineAt(skip int) bool {
	ahead := d.peek(skip + 1)
	switch {
	case len(ahead) == skip:
		return true
	case ahead[skip] == '[':
		return skip > d.torn.at && bytes.HasPrefix(bytes.TrimLeft(d.peek(skip + maxKey)[skip+1:], whiteSpace), []byte("{"))
	case ahead[skip] != '{' || skip < d.torn.at:
		return false
	case skip > d.torn.at:
		return true
	}
	size, err := d.scan(skip, MaxRecord/4)
	rest := bytes.TrimLeft(d.peek(skip + size + maxKey)[skip+size:], whiteSpace)
	return err == nil && !d.torn.goesOnAt(skip, &d.record) && (len(rest) == 0 || rest[0] == '{')
}

// mayBegin reports whether a record may begin skip bytes ahead: behind a comma, a bracket or a line end, or behind one stray
// byte that stands for the comma or bracket, or for white space next to it. Without this the rest of a broken record could
// pass for a record.
func (d *Reader) mayBegin(skip int) bool {
	switch d.before(skip) {
	case ',', '[', '\n':
		return true
	}
	text := bytes.TrimRight(d.unread(0).text[:skip], whiteSpace)
	text = bytes.TrimRight(text[:len(text)-1], whiteSpace)
	if len(text) == 0 || strings.IndexByte(",[}", text[len(text)-1]) >= 0 {
		return true
	}
	return skip < minRecord && (d.number == 0 || d.inside != inWrapper && d.opensWrapper())
}

// opensWrapper reports whether a wrapper object begins at the front whose array does not, since its bracket is damaged.
func (d *Reader) opensWrapper() bool { return bytes.HasPrefix(d.unread(0).text, []byte(wrapperName)) }

// before is the last byte in front of the one skip ahead that is no white space; a line end where the line begins.
func (d *Reader) before(skip int) byte {
	for i := d.start + skip - 1; i >= d.start; i-- {
		if c := d.window[i]; c == '\n' || !space(c) {
			return c
		}
	}
	return '\n'
}

// recordAt reports whether a whole record begins skip bytes ahead.
func (d *Reader) recordAt(skip int) bool {
	_, err := d.scan(skip, MaxRecord/4)
	return err == nil && d.record.plausible()
}

// plausible reports whether the record has a key that only records of CloudTrail have.
func (r *Record) plausible() bool {
	f := &r.fields
	return f[EventVersion] != 0 || f[EventID] != 0 || f[EventTime] != 0 && f[EventName] != 0
}
