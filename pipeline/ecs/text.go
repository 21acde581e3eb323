package ecs

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A texter writes values as Java's toString writes the maps and lists that Elastic's pipeline holds them in: {k=v, k=v}
// and [v, v], the members of an object in the order of a HashMap. The text is the content of a JSON string: strings are
// spliced with the escapes they have. Source: MAPPING section 7.
type texter struct {
	entries []entry          // a stack: the members of the objects being written, each object's in HashMap order
	skip    cloudtrail.Value // a member that is left out
	deepest int              // how many containers the deepest one written was in, itself included
	odd     bool             // some key has an escape or is long, or some number is
}

// entry is a member of an object with its place in the HashMap: bucket, then order of insertion.
type entry struct {
	place uint64
	value cloudtrail.Value
}

// append appends the text form of v, a value inside depth-1 containers.
func (t *texter) append(dst []byte, v cloudtrail.Value, depth int) []byte {
	switch v.Kind() {
	case cloudtrail.KindString:
		raw := v.Raw()
		return splice(dst, raw[1:len(raw)-1])
	case cloudtrail.KindNumber:
		t.odd = t.odd || len(v.Raw()) > maxNumber
		return appendNumber(dst, v.Raw())
	case cloudtrail.KindObject:
		return t.object(dst, v, depth)
	case cloudtrail.KindArray:
		return t.array(dst, v, depth)
	}
	return append(dst, v.Raw()...)
}

func (t *texter) array(dst []byte, v cloudtrail.Value, depth int) []byte {
	t.deepest = max(t.deepest, depth)
	dst = append(dst, '[')
	first := v.First()
	for m := first; m.Exists(); m = m.Next() {
		if m != first {
			dst = append(dst, ',', ' ')
		}
		dst = t.append(dst, m, depth+1)
	}
	return append(dst, ']')
}

func (t *texter) object(dst []byte, v cloudtrail.Value, depth int) []byte {
	t.deepest = max(t.deepest, depth)
	base := len(t.entries)
	t.push(v)
	top := len(t.entries)
	dst = append(dst, '{')
	for i := base; i < top; i++ {
		m := t.entries[i].value
		if i > base {
			dst = append(dst, ',', ' ')
		}
		dst = splice(dst, m.KeyRaw())
		dst = append(dst, '=')
		dst = t.append(dst, m, depth+1)
	}
	t.entries = t.entries[:base]
	return append(dst, '}')
}

// push puts the members of an object on the stack, sorted.
func (t *texter) push(v cloudtrail.Value) {
	base := len(t.entries)
	count := v.Count()
	mask := hashMapSize(count) - 1
	for m := v.First(); m.Exists(); m = m.Next() {
		if m == t.skip {
			continue
		}
		key := m.KeyRaw()
		t.odd = t.odd || len(key) > longKey
		if m.KeyEscaped() {
			t.odd, key = true, m.Key()
		}
		it := entry{value: m}
		if count > 1 { // a member alone is in order
			it.place = uint64(spread(hash(0, key))&mask)<<32 | uint64(v.Rank(m))
		}
		t.entries = append(t.entries, it)
	}
	sortEntries(t.entries[base:])
}

func sortEntries(list []entry) {
	if len(list) > shortList {
		slices.SortFunc(list, func(a, b entry) int {
			if a.place < b.place {
				return -1
			}
			return 1
		})
		return
	}
	for i := 1; i < len(list); i++ {
		it, k := list[i], i
		for ; k > 0 && list[k-1].place > it.place; k-- {
			list[k] = list[k-1]
		}
		list[k] = it
	}
}

// hashMapSize is the number of buckets of a java.util.HashMap into which n keys were put: 16, doubled whenever more than
// three quarters of the buckets are spoken for.
func hashMapSize(n int) uint32 {
	size := uint32(16)
	for n > int(size/4*3) {
		size *= 2
	}
	return size
}

// hash goes on with String.hashCode: h = 31h + c over the UTF-16 units of text, which is valid UTF-8.
func hash(h uint32, text []byte) uint32 {
	start := h
	var all byte
	i := 0
	for ; i+4 <= len(text); i += 4 { // four at a time: the multiplications do not wait for each other
		a, b, c, d := text[i], text[i+1], text[i+2], text[i+3]
		all |= a | b | c | d
		h = h*(31*31*31*31) + uint32(a)*(31*31*31) + uint32(b)*(31*31) + uint32(c)*31 + uint32(d)
	}
	for ; i < len(text); i++ {
		all |= text[i]
		h = 31*h + uint32(text[i])
	}
	if all < utf8.RuneSelf {
		return h
	}
	h = start
	for len(text) > 0 {
		u, size := utf8.DecodeRune(text)
		text = text[size:]
		if u >= 0x10000 {
			h = 31*h + uint32(0xD800+(u-0x10000)>>10)
			u = 0xDC00 + (u-0x10000)&0x3FF
		}
		h = 31*h + uint32(u)
	}
	return h
}

// spread is what HashMap does to a hash code before it takes the bucket from its low bits.
func spread(h uint32) uint32 { return h ^ h>>16 }

// appendNumber appends a JSON number as Java prints it once it is parsed: integers in decimal, others as Double.toString.
func appendNumber(dst, raw []byte) []byte {
	if !bytes.ContainsAny(raw, ".eE") {
		if string(raw) == "-0" {
			return append(dst, '0')
		}
		return append(dst, raw...)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !math.IsInf(f, 0) {
		return append(dst, raw...) // cannot be: the number's grammar was checked
	}
	return appendDouble(dst, f)
}

// appendDouble is Double.toString: plain digits from 10^-3 up to 10^7, else a digit, a fraction and an exponent.
func appendDouble(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) {
		if f < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "Infinity"...)
	}
	mark := len(dst)
	if abs := math.Abs(f); abs == 0 || abs >= 1e-3 && abs < 1e7 {
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if bytes.IndexByte(dst[mark:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64) // -1.5e+07, 1e-04
	at := mark + bytes.IndexByte(dst[mark:], 'e')
	exponent, _ := strconv.Atoi(string(dst[at+1:])) // cannot fail: AppendFloat wrote it
	dst = dst[:at]
	if bytes.IndexByte(dst[mark:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(exponent), 10)
}
