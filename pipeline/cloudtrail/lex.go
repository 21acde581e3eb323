package cloudtrail

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanString reads a string's content from i, just behind its opening quote, and returns the index behind the closing
// one. It looks at eight bytes at a time: a quote, a backslash, a control character or a byte of 0x80 or more stops it.
func scanString(text []byte, i int) (end int, f flags, ascii bool, err error) {
	ascii = true
	for {
		for i+8 <= len(text) {
			w := binary.LittleEndian.Uint64(text[i:])
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			stop := ((quote - ones) | (slash - ones) | (w - ones*0x20) | w) & highs
			if stop != 0 {
				i += bits.TrailingZeros64(stop) >> 3
				break
			}
			i += 8
		}
		if i >= len(text) {
			return i, f, ascii, errShort
		}
		switch c := text[i]; {
		case c == '"':
			return i + 1, f, ascii, nil
		case c == '\\':
			f |= flagEscaped
			if i, err = scanEscape(text, i); err != nil {
				return i, f, ascii, err
			}
		case c < 0x20:
			return i, f, ascii, &syntaxError{at: i, want: "text without bare control characters", got: c}
		default:
			ascii = ascii && c < utf8.RuneSelf
			i++
		}
	}
}

// scanEscape returns the index behind the escape at i.
func scanEscape(text []byte, i int) (int, error) {
	if i+1 >= len(text) {
		return i, errShort
	}
	switch text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(text) {
				return k, errShort
			}
			if c := text[k] | 0x20; (text[k] < '0' || text[k] > '9') && (c < 'a' || c > 'f') {
				return k, &syntaxError{at: k, want: "a hex digit", got: text[k]}
			}
		}
		return i + 6, nil
	}
	return i + 1, &syntaxError{at: i + 1, want: "an escape that JSON knows", got: text[i+1]}
}

// scanScalar reads null, true, false or a number.
func scanScalar(text []byte, i int) (int, Kind, error) {
	switch text[i] {
	case 'n':
		i, err := scanWord(text, i, "null")
		return i, KindNull, err
	case 't':
		i, err := scanWord(text, i, "true")
		return i, KindTrue, err
	case 'f':
		i, err := scanWord(text, i, "false")
		return i, KindFalse, err
	}
	i, err := scanNumber(text, i)
	return i, KindNumber, err
}

func scanWord(text []byte, i int, word string) (int, error) {
	if end := i + len(word); end <= len(text) && string(text[i:end]) == word {
		return end, nil
	}
	for k := range len(word) {
		if i+k >= len(text) {
			return i, errShort
		}
		if text[i+k] != word[k] {
			return i + k, &syntaxError{at: i + k, want: word, got: text[i+k]}
		}
	}
	return i + len(word), nil
}

// scanNumber reads a number of JSON's grammar: sign, digits without a leading zero, fraction, exponent.
func scanNumber(text []byte, i int) (int, error) {
	var err error
	if text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i, err = scanDigits(text, i); err != nil {
		return i, err
	}
	if i < len(text) && text[i] == '.' {
		if i, err = scanDigits(text, i+1); err != nil {
			return i, err
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if i, err = scanDigits(text, i); err != nil {
			return i, err
		}
	}
	if i >= len(text) {
		return i, errShort
	}
	return i, nil
}

// scanDigits reads one digit or more.
func scanDigits(text []byte, i int) (int, error) {
	start := i
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	if i >= len(text) {
		return i, errShort
	}
	if i == start {
		return i, &syntaxError{at: i, want: "a value", got: text[i]}
	}
	return i, nil
}
