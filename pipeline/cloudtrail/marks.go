package cloudtrail

import (
	"encoding/binary"
)

// markSpan is how many bytes of a text can be marked: those of a Reader's window, unless a huge record made it grow.
const markSpan = windowSize

// marks has a bit for each byte of a text, set where plain text ends: at a quote, a backslash, a control character or a
// byte of 0x80 or more. They are made for a whole window, many bytes at a time, and spare the scanner the search for the
// end of each string. docs/decisions/0007-marks-by-vectors.md says why.
type marks [markSpan/8 + 8]byte // eight more, so that eight can be read from anywhere

// marked is a text with its marks, which begin at base.
type marked struct {
	text  []byte
	marks *marks
	base  int
}

// set marks a text of which the bytes from fresh on are new; those before are marked already. A text longer than markSpan
// gets no marks: then its strings are searched for their ends.
func (m *marks) set(text []byte, fresh int) {
	if len(text) > markSpan {
		clear(m[:])
		return
	}
	fresh &^= 63
	whole := len(text) &^ 63
	if fresh < whole {
		mark(m[fresh/8:whole/8], text[fresh:whole])
		fresh = whole
	}
	if fresh < len(text) {
		var rest [64]byte
		copy(rest[:], text[fresh:])
		mark(m[fresh/8:fresh/8+8], rest[:])
	}
}

// sight is for how many bytes marks.at speaks, wherever they begin.
const sight = 57

// at returns the marks from the byte i on, that of i itself as the lowest bit: of sight bytes or a few more, with zeros
// above. Of bytes behind the text they say nothing true.
func (m *marks) at(i int) uint64 {
	k := i >> 3 & (markSpan/8 - 1)
	return binary.LittleEndian.Uint64(m[k:k+8]) >> (i & 7)
}

// markPlain is mark in plain Go, eight bytes at a time.
func markPlain(to, text []byte) {
	for len(text) >= 8 && len(to) >= 1 {
		to[0] = markEight(binary.LittleEndian.Uint64(text))
		text, to = text[8:], to[1:]
	}
}

// markEight gathers the marks of eight bytes.
func markEight(w uint64) byte {
	const lows, gather = ^uint64(highs), 0x0102040810204080
	quote := (w^ones*2)&lows + ones*(0x7F-0x20) // of ASCII, 0 to 0x1f and the quote are at most 0x20 with the second bit turned
	slash := (w^ones*'\\')&lows + ones*0x7F
	stop := (^(quote & slash) | w) & highs
	return byte(((stop >> 7) * gather) >> 56)
}
