package cloudtrail

import (
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

// Parse makes r the record that text holds: one JSON object and nothing after it but white space. r keeps views into
// text, which must stay as it is while r is used. Invalid UTF-8 is replaced by U+FFFD, in a copy.
func (r *Record) Parse(text []byte) error {
	end, err := r.scan(r.mark(text))
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

// mark marks a text that is not a Reader's.
func (r *Record) mark(text []byte) marked {
	if r.marks == nil {
		r.marks = new(marks)
	}
	r.marks.set(text, 0)
	return marked{text: text, marks: r.marks}
}

// scan reads the object that a text begins with onto the tape and returns where it ends.
func (r *Record) scan(m marked) (end int, err error) {
	end, ascii, err := r.tape(m)
	if err != nil {
		return end, err
	}
	if text := m.text[:end]; !ascii && !utf8.Valid(text) {
		if _, _, err = r.tape(r.mark(validUTF8(text))); err != nil {
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
