package ecs

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Every writer of this package leaves a comma behind the members it appends, and nothing at all for what is absent.
// end turns the last comma into the object's bracket, or takes the object back when nothing was written into it, so
// that empty objects never show.

// end closes the object or array whose key and opening bracket were appended at mark.
func end(dst []byte, mark int, bracket byte) []byte {
	if last := len(dst) - 1; dst[last] == ',' {
		dst[last] = bracket
		return append(dst, ',')
	}
	return dst[:mark]
}

// put appends a member for a keyword field: key is written as it stands, with its quotes and colon. Scalars are spliced.
// A keyword takes no objects, so those are written as text.
func (e *Encoder) put(dst []byte, key string, v cloudtrail.Value) []byte {
	if !v.Exists() { // most fields of most records: this much is inlined
		return dst
	}
	return e.putValue(append(dst, key...), v)
}

// putValue appends what stands behind a key, with its comma. As splice does, it copies 48 bytes of a short value, whatever
// its length; what is seldom is apart, so that nothing has to be kept over a call.
func (e *Encoder) putValue(dst []byte, v cloudtrail.Value) []byte {
	raw, n := v.Scalar(), len(dst)
	if len(raw) == 0 || len(raw) > short || cap(raw) < short || cap(dst)-n < short+1 {
		return e.putLong(dst, v)
	}
	to := dst[n : n+short+1]
	copyShort(to, raw)
	to[len(raw)] = ','
	return dst[:n+len(raw)+1]
}

// putLong is putValue for every value.
func (e *Encoder) putLong(dst []byte, v cloudtrail.Value) []byte {
	switch kind := v.Kind(); {
	case kind == cloudtrail.KindNumber && len(v.Raw()) > maxNumber:
		dst = append(append(append(dst, '"'), v.Raw()...), '"')
	case kind < cloudtrail.KindObject:
		dst = append(dst, v.Raw()...)
	default:
		dst = append(dst, '"')
		dst = e.text.append(dst, v, 1)
		dst = append(dst, '"')
	}
	return append(dst, ',')
}

// putOnly appends an object with one member; key holds both keys: "account":{"id":.
func (e *Encoder) putOnly(dst []byte, key string, v cloudtrail.Value) []byte {
	if !v.Exists() {
		return dst
	}
	dst = e.putValue(append(dst, key...), v)
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// putWord appends a member whose value is a constant or known to need no escapes.
func putWord(dst []byte, key, word string) []byte {
	dst = append(dst, key...)
	dst = append(dst, '"')
	dst = append(dst, word...)
	return append(dst, '"', ',')
}

// putText appends a member with a part of a string of the record.
func putText(dst []byte, key string, it item) []byte {
	if len(it.text) == 0 {
		return dst
	}
	dst = append(dst, key...)
	dst = appendItem(dst, it)
	return append(dst, ',')
}

// putTime appends a member with a time in UTC with milliseconds.
func putTime(dst []byte, key string, t time.Time) []byte {
	dst = append(dst, key...)
	dst = append(dst, '"')
	dst = appendTime(dst, t)
	return append(dst, '"', ',')
}

func appendItem(dst []byte, it item) []byte {
	if !it.plain {
		return appendQuoted(dst, it.text)
	}
	dst = append(dst, '"')
	dst = splice(dst, it.text)
	return append(dst, '"')
}

// splice appends a piece of the record. Most are short, and of any length: copying always the same 48 bytes and keeping
// those that count is quicker than a copy that first has to find out how many they are. What is read behind src is its
// record's too, whose bytes end where their capacity does.
func splice(dst, src []byte) []byte {
	n := len(dst)
	if len(src) > short || cap(src) < short || cap(dst)-n < short {
		return append(dst, src...)
	}
	copyShort(dst[n:n+short], src)
	return dst[:n+len(src)]
}

// short is what is copied of short pieces: a UUID in quotes, which every record has several of, is 38 bytes.
const short = 48

// copyShort copies from[:short] to to[:short]; both have the capacity. Three assignments of sixteen bytes are six
// instructions, where a copy of 48 is a call.
func copyShort(to, from []byte) {
	to, from = to[:short], from[:short]
	*(*[16]byte)(to) = [16]byte(from)
	*(*[16]byte)(to[16:]) = [16]byte(from[16:])
	*(*[16]byte)(to[32:]) = [16]byte(from[32:])
}

// appendQuoted appends valid UTF-8 as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for {
		n := plainPrefix(text)
		dst = append(dst, text[:n]...)
		if n == len(text) {
			return append(dst, '"')
		}
		switch c := text[n]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		text = text[n+1:]
	}
}

// plainPrefix is the number of bytes that need no escape in a JSON string. It looks at eight at a time.
func plainPrefix(text []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if stop := ((quote - ones) | (slash - ones) | (w - ones*0x20)) & ^w & highs; stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// timeSize is the length of a time as documents have it: 2006-01-02T15:04:05.000Z.
const timeSize = 24

// appendTime appends a time of the years 0 to 9999, timeSize bytes.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append2(dst, year/100)
	dst = append2(dst, year%100)
	dst = append2(append(dst, '-'), int(month))
	dst = append2(append(dst, '-'), day)
	dst = append2(append(dst, 'T'), hour)
	dst = append2(append(dst, ':'), minute)
	dst = append2(append(dst, ':'), second)
	millis := t.Nanosecond() / 1e6
	dst = append(dst, '.', byte('0'+millis/100))
	return append(append2(dst, millis%100), 'Z')
}

func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// usualTime reports whether text is 2006-01-02T15:04:05Z, the form of nearly all times in records, of a day that every
// month has: then it can be spliced. It is a shortcut only.
func usualTime(text []byte) bool {
	if len(text) != len("0000-00-00T00:00:00Z") {
		return false
	}
	// Eight bytes at a time; in each, the distance from the form must be 0, of a digit at most 9. What is added to it makes
	// the highest bit show what is more.
	const (
		date, dateSlack = 0x2D30302D30303030, 0x7F76767F76767676 // "0000-00-"
		hour, hourSlack = 0x30303A3030543030, 0x76767F76767F7676 // "00T00:00"
		last, lastSlack = 0x5A30303A30303A30, 0x7F76767F76767F76 // "0:00:00Z"
		highs           = 0x8080808080808080
	)
	d := binary.LittleEndian.Uint64(text) ^ date
	h := binary.LittleEndian.Uint64(text[8:]) ^ hour
	l := binary.LittleEndian.Uint64(text[12:]) ^ last
	if (d|(d+dateSlack)|h|(h+hourSlack)|l|(l+lastSlack))&highs != 0 {
		return false
	}
	two := func(i int) byte { return (text[i]-'0')*10 + text[i+1] - '0' }
	month, day := two(5), two(8)
	return text[0] != '0' && month >= 1 && month <= 12 && day >= 1 && day <= 28 && two(11) < 24 && two(14) < 60 && two(17) < 60
}

// A moment is a time that the record says and a date field takes. The zero moment is none.
type moment struct {
	usual []byte    // its text up to the Z, if it can be spliced
	time  time.Time // else, if known
	known bool      // time is one: the zero Time can be
}

// momentOf reads v, none if v is no time.
func momentOf(v cloudtrail.Value) moment {
	text := v.Text()
	if usualTime(text) {
		return moment{usual: text[:len(text)-1]}
	}
	if t, ok := cloudtrail.ParseTime(text); ok && t.Year() > 0 && t.Year() <= 9999 {
		return moment{time: t, known: true}
	}
	return moment{}
}

func (m *moment) exists() bool { return len(m.usual) > 0 || m.known }

// putMoment appends a member with a moment, in UTC with milliseconds.
func putMoment(dst []byte, key string, m *moment) []byte {
	if len(m.usual) > 0 {
		dst = append(dst, key...)
		dst = append(dst, '"')
		dst = append(dst, m.usual...)
		return append(dst, `.000Z",`...)
	}
	if !m.known {
		return dst
	}
	return putTime(dst, key, m.time)
}
