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
	torn    torn    // the record refused last
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
	case (c == '[' && d.inside == atTop || c == ']' && d.inside < inTail) && d.standsForBrace():
		return d.read()
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
		if !d.standsForLineEnd() {
			d.begin(inArray)
		}
		d.start++
		return nil, nil
	case c == '{' && d.inside != inWrapper && d.wrapper():
		return nil, nil
	case c == bom[0] && bytes.HasPrefix(d.peek(len(bom)), []byte(bom)):
		d.start += len(bom)
		return nil, nil
	case d.inside == atTop && c != '{' && d.number == 0 && !d.wrapped && !d.promising():
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

// promising reports whether a file that does not begin as JSON does may hold records all the same: one of its first bytes
// or lines is damaged.
func (d *Reader) promising() bool {
	head := d.peek(windowSize)
	for _, sign := range []string{"\n{\"", `"eventVersion"`, `"eventID"`, `"eventTime"`} {
		if bytes.Contains(head, []byte(sign)) {
			return true
		}
	}
	return false
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
	if err == errNoArray {
		return nil, d.refuseWhole(size, err)
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
