package ecs

import (
	"bytes"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	// maxText is how long a text form may be, in UTF-16 units, for the object to be kept as an object too: longer ones
	// are those that hold values Lucene would refuse. Source: MAPPING section 7.
	maxText = 32766
	// maxDepth is how many containers a flattened field takes inside each other, itself included: the default of its
	// depth_limit. Source: Elasticsearch reference, "Flattened field type".
	maxDepth = 20
	// maxNumber is how long a number may be: the JSON parser of newer clusters refuses longer ones, which are written as
	// strings. Source: Jackson's StreamReadConstraints, DEFAULT_MAX_NUM_LEN.
	maxNumber = 1000
	// maxPath is how long the path to a leaf may be even where long leaves are skipped by ignore_above: with the longest
	// value that is not, 8,191 characters of three bytes, it makes a term of less than 32,766 bytes.
	maxPath = 8000
	// longKey is the length from which a key needs a look at the path it makes. No maxDepth shorter ones reach maxPath.
	longKey = 256
)

// putFlat appends an object for a flattened field, pruned. path is the length of the field's full name. Anything but an
// object is left out: the field would refuse it. trusted says that the object is known to need none of what safe does.
func (e *Encoder) putFlat(dst []byte, key string, v cloudtrail.Value, path int, trusted bool) []byte {
	if v.Kind() != cloudtrail.KindObject {
		return dst
	}
	mark := len(dst)
	dst = append(dst, key...)
	if trusted && e.cfg.LeafLimit > 0 && path+len(v.Raw()) > e.cfg.LeafLimit {
		trusted = false // perhaps: only the walk can tell
	}
	if trusted {
		return append(v.AppendJSON(dst), ',')
	}
	value := len(dst)
	if dst = e.safe(dst, v, path, 1); len(dst) == value {
		return dst[:mark]
	}
	return dst
}

// safe appends what a flattened field takes of v, with a comma, or nothing. path is the length of the path to v, depth
// the number of containers v is in, itself included.
func (e *Encoder) safe(dst []byte, v cloudtrail.Value, path, depth int) []byte {
	mark := len(dst)
	switch kind := v.Kind(); {
	case kind < cloudtrail.KindNumber:
		return append(append(dst, v.Raw()...), ',')
	case kind == cloudtrail.KindNumber && len(v.Raw()) <= maxNumber:
		return append(append(dst, v.Raw()...), ',')
	case kind == cloudtrail.KindNumber:
		dst = append(append(dst, '"'), v.Raw()...)
		return append(e.cutLeaf(dst, mark+1, path), '"', ',')
	case kind == cloudtrail.KindString || depth > maxDepth:
		dst = append(dst, '"')
		dst = e.text.append(dst, v, depth)
		return append(e.cutLeaf(dst, mark+1, path), '"', ',')
	case kind == cloudtrail.KindArray:
		dst = append(dst, '[')
		for m := v.First(); m.Exists(); m = m.Next() {
			dst = e.safe(dst, m, path, depth+1)
		}
		return end(dst, mark, ']')
	}
	dst = append(dst, '{')
	taken := names{object: v}
	for m := v.First(); m.Exists(); m = m.Next() {
		if taken.take(m) {
			dst = e.safeMember(dst, m, path, depth)
		}
	}
	return end(dst, mark, '}')
}

func (e *Encoder) safeMember(dst []byte, m cloudtrail.Value, path, depth int) []byte {
	mark := len(dst)
	path += len(".") + len(m.Key())
	if m == e.text.skip || path > e.maxPath {
		return dst
	}
	dst = append(dst, '"')
	dst = appendKey(dst, m)
	dst = append(dst, '"', ':')
	value := len(dst)
	if dst = e.safe(dst, m, path, depth+1); len(dst) == value {
		return dst[:mark]
	}
	return dst
}

// appendKey appends a member's key as it stands, but U+FFFD for NUL: a flattened field uses NUL itself, between key and
// value, and refuses keys that have it.
func appendKey(dst []byte, m cloudtrail.Value) []byte {
	if !m.KeyEscaped() || bytes.IndexByte(m.Key(), 0) < 0 {
		return append(dst, m.KeyRaw()...)
	}
	for raw := m.KeyRaw(); len(raw) > 0; {
		n, _ := unit(raw)
		if string(raw[:n]) == `\u0000` {
			dst = append(dst, `\ufffd`...)
		} else {
			dst = append(dst, raw[:n]...)
		}
		raw = raw[n:]
	}
	return dst
}

// names are the keys of an object as appendKey writes them. A document with a key twice is refused.
type names struct {
	object cloudtrail.Value
	taken  map[string]bool // nil until a key had a NUL
}

// take reports whether the next member may be written: whether its name is not that of another, because of a NUL in it.
func (n *names) take(m cloudtrail.Value) bool {
	if !m.KeyEscaped() || bytes.IndexByte(m.Key(), 0) < 0 {
		return true
	}
	if n.taken == nil {
		n.taken = map[string]bool{}
		for s := n.object.First(); s.Exists(); s = s.Next() {
			n.taken[string(s.Key())] = true
		}
	}
	name := string(withoutNUL(m.Key()))
	free := !n.taken[name]
	n.taken[name] = true
	return free
}

func withoutNUL(key []byte) []byte { return bytes.ReplaceAll(key, []byte{0}, []byte("\uFFFD")) }

// cutLeaf cuts the content of a JSON string that begins at start so that it and its path keep the limit.
func (e *Encoder) cutLeaf(dst []byte, start, path int) []byte {
	limit := e.cfg.LeafLimit - path - len("=")
	if e.cfg.LeafLimit <= 0 || len(dst)-start <= limit { // escapes only make it longer
		return dst
	}
	i, size := start, 0
	for i < len(dst) {
		n, decoded := unit(dst[i:])
		if size += decoded; size > limit {
			break
		}
		i += n
	}
	return dst[:i]
}

// unit measures the first character of a JSON string's content: the bytes it is written in, an escape as a whole, and
// those of its UTF-8, at least. raw is not empty.
func unit(raw []byte) (written, decoded int) {
	switch c := raw[0]; {
	case c == '\\' && raw[1] != 'u':
		return 2, 1
	case c == '\\':
		if len(raw) >= 12 && raw[2]|0x20 == 'd' && raw[3] >= '8' && raw[6] == '\\' && raw[7] == 'u' {
			return 12, 6 // a pair of surrogates, or two that do not belong together
		}
		return 6, 3
	case c < 0x80:
		return 1, 1
	case c < 0xE0:
		return 2, 2
	case c < 0xF0:
		return 3, 3
	}
	return 4, 4
}

// longText reports whether the content of a JSON string is of maxText UTF-16 units or more.
func longText(raw []byte) bool {
	if len(raw) < maxText { // no character takes more units than bytes
		return false
	}
	units := 0
	for len(raw) > 0 {
		n, decoded := unit(raw)
		raw = raw[n:]
		units++
		if decoded == 4 || n == 12 {
			units++
		}
	}
	return units >= maxText
}
