package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxRecord is the largest record that is read, in bytes. CloudTrail writes records of at most 256 KB (1 MB in event
// data stores). Source: AWS CloudTrail User Guide, "CloudTrail record contents".
const MaxRecord = 4 << 20

const (
	windowSize  = 64 << 10 // what a Reader holds of a file whose records are small
	usualRecord = 4 << 10  // few records are larger
	minRecord   = 16       // fewer stray bytes than this cannot have been a record
	maxKey      = 64       // a record's keys are shorter than this

	bom        = "\xef\xbb\xbf"
	whiteSpace = " \t\r\n"
)

var (
	// ErrNotLog says that the content is not a CloudTrail file: no compression that is known and no JSON.
	ErrNotLog = errors.New("not a CloudTrail log file")
	// ErrTruncated says that the file ends before its last record does.
	ErrTruncated = errors.New("the file ends too early")

	errLarge   = fmt.Errorf("it is larger than %d bytes", MaxRecord)
	errCutOff  = errors.New("a stray brace ends it in the middle")
	errStray   = errors.New("nothing separates it from its neighbour")
	errNoArray = errors.New("its Records are no array")
)

// Refused is the error of one record that cannot be read. The records around it can.
type Refused struct {
	Object *Object
	Number int    // the record's position in the object, from 1
	Offset int64  // where it begins in the decompressed object
	Raw    []byte // what was skipped, at most MaxRecord bytes of it; good until the Reader reads on
	Err    error
}

func (e *Refused) Error() string {
	return fmt.Sprintf("reading record %d at byte %d: %v", e.Number, e.Offset, e.Err)
}

func (e *Refused) Unwrap() error { return e.Err }

// A Reader reads the records of one log file after another. It is not safe for concurrent use.
type Reader struct {
	src    decompressor
	object *Object
	record Record

	window     []byte // what is in memory of the decompressed file
	marks      marks  // of window up to end
	start, end int    // the unread part of window
	offset     int64  // where window[0] stands in the decompressed file
	eof        bool   // src has given everything

	inside  nesting
	around  nesting // of a wrapper object: atTop, or inArray when files were gathered into one
	wrapped bool    // an array was read: what stands outside of it is no line
	stray   bool    // in an array, no comma was read since the last record
	onLine  bool    // at top level, no line end was read since the last record
	number  int     // records seen so far, refused ones counted
	endless bool    // the last refusal ended at MaxRecord bytes: what comes next still belongs to it
	pending error
}

// nesting is where in the file's outer structure the Reader stands.
type nesting uint8

const (
	atTop     nesting = iota // before, between or behind top-level values
	inArray                  // in an array at top level
	inWrapper                // in the Records array of a wrapper object
	inTail                   // in the wrapper object, behind its Records
)

// NewReader returns a Reader to be Reset.
func NewReader() *Reader { return &Reader{window: make([]byte, windowSize)} }

// Reset makes the Reader read src, the content of object, from its first byte. object may be nil.
func (d *Reader) Reset(src io.Reader, object *Object) {
	if object == nil {
		object = &Object{}
	}
	if len(d.window) > windowSize {
		d.window = make([]byte, windowSize) // a huge record made it grow: do not keep that
	}
	d.record.shrink()
	d.src.reset(src)
	d.object, d.start, d.end, d.offset, d.eof = object, 0, 0, 0, false
	d.inside, d.around, d.wrapped, d.stray, d.onLine = atTop, atTop, false, false, false
	d.number, d.endless, d.pending = 0, false, nil
}

// Next returns the next record. Its errors are io.EOF behind the last record, when everything was read and every checksum
// was right; *Refused for one record, after which Next may be called again; and, for the file as a whole, ErrNotLog,
// ErrTruncated or what the source or the decompressor said, wrapped. The source was then read to its end or its error, but
// for ErrNotLog, which looks at its beginning alone.
func (d *Reader) Next() (*Record, error) {
	if d.pending != nil {
		return nil, d.pending
	}
	for {
		record, err := d.step()
		if record != nil {
			return record, nil
		}
		if err != nil {
			if refused := (*Refused)(nil); !errors.As(err, &refused) {
				d.pending = err
			}
			return nil, err
		}
	}
}

// step reads one token of the file's outer structure or one record. It returns neither a record nor an error when the
// caller should go on.
func (d *Reader) step() (*Record, error) {
	c, err := d.token()
	if err != nil {
		return nil, err
	}
	switch {
	case d.inside == inTail:
		d.tail(c)
		return nil, nil
	case d.inside != atTop && c == ',':
		d.start++
		d.stray = false
		return nil, nil
	case c == ']' && d.inside == inArray:
		d.start++
		d.inside = atTop
		return nil, nil
	case c == ']' && d.inside == inWrapper:
		if d.standsForComma() {
			d.stray = false
		} else {
			d.inside = inTail
		}
		d.start++
		return nil, nil
	case c == '[' && d.inside == atTop:
		d.start++
		d.begin(inArray)
		return nil, nil
	case c == '{' && d.inside != inWrapper && d.wrapper():
		return nil, nil
	case c == bom[0] && bytes.HasPrefix(d.peek(len(bom)), []byte(bom)):
		d.start += len(bom)
		return nil, nil
	case d.inside == atTop && c != '{' && d.number == 0 && !d.promising():
		return nil, fmt.Errorf("%w: it begins with %q", ErrNotLog, d.peek(16))
	}
	return d.read()
}

// token skips white space and returns the next byte, without reading it. At the end of the file it returns io.EOF, or
// ErrTruncated inside an array, unless a checksum says that this is how the file was written.
func (d *Reader) token() (byte, error) {
	for {
		for d.start < d.end {
			c := d.window[d.start]
			if !space(c) {
				return c, nil
			}
			d.onLine = d.onLine && c != '\n'
			d.start++
		}
		if err := d.fill(); err == io.EOF {
			if (d.inside == inArray || d.inside == inWrapper) && !d.src.checked {
				return 0, ErrTruncated
			}
			return 0, io.EOF
		} else if err != nil {
			return 0, err
		}
	}
}

// standsForComma reports whether the closing bracket that comes next is a damaged comma: a record follows, where the Records
// array's own end has at most further members of its wrapper behind it.
func (d *Reader) standsForComma() bool {
	rest := bytes.TrimLeft(d.peek(maxKey)[1:], whiteSpace)
	return bytes.HasPrefix(rest, []byte(`{"`)) && !bytes.HasPrefix(rest, []byte(`{"Records"`))
}

// tail reads what stands behind the Records of a wrapper object. CloudTrail leaves it empty; but where the wrapper's own end
// is damaged, or there are Records twice, more records stand here.
func (d *Reader) tail(c byte) {
	switch {
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
	rest := d.peek(64)
	for _, token := range []string{"{", `"Records"`, ":", "["} {
		rest = bytes.TrimLeft(rest, whiteSpace)
		if token == "[" && bytes.HasPrefix(rest, []byte(`{"`)) {
			break // a space stands for the bracket: what follows is a record all the same
		}
		if !bytes.HasPrefix(rest, []byte(token)) {
			return false
		}
		rest = rest[len(token):]
	}
	d.start += len(d.peek(64)) - len(rest)
	d.begin(inWrapper)
	return true
}

// promising reports whether a file that does not begin as JSON does may hold records all the same: one of its first bytes
// or lines is damaged.
func (d *Reader) promising() bool {
	head := d.peek(windowSize)
	return bytes.Contains(head, []byte("\n{\"")) || bytes.Contains(head, []byte(`"eventVersion"`))
}

// peek returns up to n unread bytes, fewer only where the file ends.
func (d *Reader) peek(n int) []byte {
	for d.end-d.start < n {
		if d.fill() != nil {
			break
		}
	}
	return d.window[d.start:min(d.start+n, d.end)]
}

// read reads the record that begins at the next byte, or refuses what stands there.
func (d *Reader) read() (*Record, error) {
	if d.inside != atTop && d.src.checked { // what is not compressed may be written while it is read
		d.peek(usualRecord) // a record that the window's end cuts would be scanned twice
	}
	size, err := d.scan(0, MaxRecord)
	if err == nil && d.end-d.start < size+maxKey {
		d.lookBehind(size) // this may move the window, and what was parsed are views into it
		size, err = d.scan(0, MaxRecord)
	}
	if err == nil && d.goesOn(size) {
		err = errCutOff
	}
	if err == nil && !d.record.plausible() {
		err = d.doubt(size)
	}
	if err != nil {
		return nil, d.refuse(err)
	}
	if d.inside != inWrapper && d.enter(size) {
		return nil, nil
	}
	d.number++
	d.record.Object, d.record.Number, d.record.Offset = d.object, d.number, d.offset+int64(d.start)
	d.start += size
	d.stray, d.onLine = d.inside != atTop, true
	return &d.record, nil
}

// lookBehind reads on until what stands behind the object at the front tells whether it is whole. At top level a line end
// does: the next line may not be written yet.
func (d *Reader) lookBehind(size int) {
	if d.inside == atTop {
		behind := d.peek(size + 1)[size:]
		if len(behind) == 0 || behind[0] == '\n' || !d.src.checked && space(behind[0]) {
			return
		}
	}
	d.peek(size + maxKey)
}

// doubt is why an object without any key of a record is refused; nil when it is let through.
func (d *Reader) doubt(size int) error {
	at := d.record.fields[Records]
	switch {
	case d.stray, d.glued(size):
		return errStray
	case d.inside == atTop && at != 0 && d.record.nodes[at].kind != KindArray && d.record.nodes[at].flags&flagVoid == 0:
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
	rest = bytes.Trim(rest, whiteSpace)
	if len(rest) > 1 && d.inside != atTop && rest[0] != ',' && rest[0] != ']' && rest[0] != '{' && !strayByte(rest) {
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
	return f == Unknown || d.record.fields[f] == 0 // one that the object has begins another record, whose brace is damaged
}

// strayByte reports whether the first byte behind an object stands where a comma, a bracket or nothing should, as what comes
// next shows: another record, or the end of the array. A stray brace may just as well be the rest of the object.
func strayByte(rest []byte) bool {
	next := bytes.TrimLeft(rest[1:], whiteSpace)
	if rest[0] != '}' {
		next = bytes.TrimLeft(next, ","+whiteSpace)
	}
	switch {
	case len(next) == 0 || next[0] == '{':
		return true
	case next[0] == '}': // the wrapper's
		next = bytes.TrimLeft(next[1:], whiteSpace)
		return len(next) == 0 || next[0] == '{'
	}
	return next[0] == ']' && rest[0] != '}'
}

// glued reports whether an object at top level is followed by something on its own line: then it is a piece of a damaged
// line or file.
func (d *Reader) glued(size int) bool {
	rest := d.window[d.start+size : d.end]
	return d.inside == atTop && len(rest) > 0 && !space(rest[0]) && rest[0] != '{'
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

// scan parses the object that begins skip bytes ahead, reading on until it is in the window as a whole, and returns its size.
func (d *Reader) scan(skip, limit int) (int, error) {
	for {
		size, err := d.record.scan(d.unread(skip))
		if err != errShort {
			return size, err
		}
		seen := d.end - d.start
		for !bytes.Contains(d.window[d.start+seen:d.end], []byte("}")) { // without one the object cannot be whole
			seen = d.end - d.start
			if seen-skip >= limit {
				return 0, errLarge
			}
			if err = d.fill(); err == io.EOF {
				return d.record.scan(d.unread(skip)) // what came last may show why it is none
			} else if err != nil {
				return 0, err
			}
		}
	}
}

// unread is what the window holds from skip bytes ahead on.
func (d *Reader) unread(skip int) marked {
	return marked{text: d.window[d.start+skip : d.end], marks: &d.marks, base: d.start + skip}
}

// fill reads more of the file behind the unread bytes, making room first. It returns io.EOF when there is no more.
func (d *Reader) fill() error {
	if d.eof {
		return io.EOF
	}
	fresh := d.end
	if d.start > 0 {
		fresh = 0
		copy(d.window, d.window[d.start:d.end])
		d.offset += int64(d.start)
		d.end -= d.start
		d.start = 0
	}
	if d.end == len(d.window) {
		d.window = append(d.window, make([]byte, len(d.window))...)
	}
	n, err := d.src.read(d.window[d.end:])
	d.end += n
	d.marks.set(d.window[:d.end], fresh)
	if n > 0 {
		return nil
	}
	if err == io.EOF {
		d.eof = true
	}
	return err
}
