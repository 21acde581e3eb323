package local

import (
	"encoding/hex"
	"unicode/utf8"

	"github.com/trailship/trailship/history"
)

// A key of the index is a code and a value. The codes are part of the file's format.
const (
	codeWord = 'w' // a word of what no attribute holds
	codeWho  = 'W' // the user as it is shown, for counting: the attribute User matches other names, too
	codeLeaf = 'L' // a value of what no attribute holds, as appendLeafKey has it
)

func codeOf(a history.Attribute) byte {
	switch a {
	case history.EventName:
		return 'n'
	case history.User:
		return 'u'
	case history.ResourceName:
		return 'r'
	case history.ResourceType:
		return 't'
	case history.EventSource:
		return 's'
	case history.AccessKey:
		return 'k'
	case history.ReadOnly:
		return 'R'
	case history.OutcomeIs:
		return 'o'
	case history.Account:
		return 'a'
	case history.Region:
		return 'g'
	case history.SourceIP:
		return 'i'
	case history.ErrorCode:
		return 'e'
	case history.Identity:
		return 'y'
	case history.Session:
		return 'S'
	case history.UserAgent:
		return 'U'
	}
	return codeOfOther(a)
}

// codeOfOther is 0 for attributes that are looked up elsewhere.
func codeOfOther(a history.Attribute) byte {
	switch a {
	case history.MFA:
		return 'm'
	case history.Console:
		return 'c'
	case history.Service:
		return 'v'
	case history.EventType:
		return 'T'
	case history.Category:
		return 'C'
	case history.RequestID:
		return 'q'
	case history.SharedID:
		return 'h'
	case history.InvokedBy:
		return 'b'
	case history.Issued:
		return 'I'
	case history.TraitIs:
		return 'x'
	}
	return 0
}

// shownCode is the code of the values of an attribute as they are counted.
func shownCode(a history.Attribute) byte {
	if a == history.User {
		return codeWho
	}
	return codeOf(a)
}

// indexKey is the key of an attribute's value.
func indexKey(a history.Attribute, value string) string {
	return string(appendIndexKey(nil, a, value))
}

// appendIndexKey appends a key. A request's id is a UUID mostly and of no other event, so that it is kept short.
func appendIndexKey(dst []byte, a history.Attribute, value string) []byte {
	dst = append(dst, codeOf(a))
	if a == history.RequestID {
		if key, ok := keyOf(value).([]byte); ok {
			return append(append(dst, 0), key...)
		}
	}
	return append(dst, cut(value)...)
}

// valueOf is the value of a key.
func valueOf(key []byte) string {
	if len(key) == 18 && key[0] == 'q' && key[1] == 0 {
		return idOf(key[2:])
	}
	return string(key[1:])
}

// maxTerm is the length in bytes at which a value is cut in a key. Filters cut what they look for in the same way.
const maxTerm = 1024

// cut is s as a part of a key.
func cut(s string) string {
	if len(s) <= maxTerm {
		return s
	}
	n := maxTerm
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// uuidSize is the length of a UUID as text: 0b0c2bc6-… .
const uuidSize = 36

// keyOf is how the store keeps an event's id: the sixteen bytes of a UUID in small letters, any other text as it is.
func keyOf[T string | []byte](id T) any {
	var text [32]byte
	if len(id) != uuidSize {
		return string(id)
	}
	n := 0
	for i := range uuidSize {
		c := id[i]
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash && c == '-':
		case !dash && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f'):
			text[n] = c
			n++
		default:
			return string(id)
		}
	}
	key := make([]byte, 16)
	hex.Decode(key, text[:]) //nolint:errcheck // they are hex digits
	return key
}

// idOf is the id that keyOf made a key of.
func idOf(key any) string {
	switch key := key.(type) {
	case string:
		return key
	case []byte:
		s := hex.EncodeToString(key)
		if len(s) == 32 {
			return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
		}
		return s
	}
	return ""
}
