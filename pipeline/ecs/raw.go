package ecs

import (
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A Raw writes records as CloudTrail wrote them, with @timestamp in front, for rules and searches by CloudTrail's own names,
// Sigma's for one. [RawFields] is the mapping of its documents. Like an Encoder it is reused, by one goroutine at a time.
//
// A record that the mapping would refuse is written member by member instead, without its void values: text where a keyword
// belongs and the record has an object, an object {"value":…} where it is the other way round, and what fits nowhere below
// "other".
//
// Up to 48 bytes behind the slices that Append and AppendDegraded return, within their capacity, may have been overwritten.
type Raw struct{ e *Encoder }

// NewRaw makes a Raw. Of cfg only LeafLimit counts.
func NewRaw(cfg Config) *Raw { return &Raw{NewEncoder(Config{LeafLimit: cfg.LeafLimit})} }

// Append appends the document of r to dst: one JSON object on one line, without a line end.
func (x *Raw) Append(dst []byte, r *cloudtrail.Record) []byte {
	e := x.e
	e.reset(r)
	e.degraded = false
	e.readTime()
	mark := len(dst)
	dst = putMoment(append(dst, '{'), `"@timestamp":`, &e.time)
	if x.fits(r) {
		return append(dst, r.Raw[1:]...)
	}
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		dst = x.member(dst, m)
	}
	dst = x.others(dst, r)
	return x.close(dst, mark)
}

// AppendDegraded appends what of r no mapping refuses, the record's own text, and why.
func (x *Raw) AppendDegraded(dst []byte, r *cloudtrail.Record, why string) []byte {
	e := x.e
	e.reset(r)
	e.readTime()
	mark := len(dst)
	dst = putMoment(append(dst, '{'), `"@timestamp":`, &e.time)
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		if rawKindOf(m.Key()) == rawWord {
			dst = x.member(dst, m)
		}
	}
	dst = append(dst, `"error":{"message":`...)
	dst = appendQuoted(dst, []byte(strings.ToValidUTF8(why, "\uFFFD")))
	dst = append(dst, `},"event":{"original":`...)
	dst = appendQuoted(dst, r.Raw)
	return x.close(append(dst, "},"...), mark)
}

// Stamp does nothing: the record has no place for the time of indexing.
func (x *Raw) Stamp([]byte, time.Time) {}

// close ends the document that began at mark.
func (x *Raw) close(dst []byte, mark int) []byte {
	if len(dst) == mark+1 {
		return append(dst, '}')
	}
	dst[len(dst)-1] = '}'
	return dst
}

// fits reports whether the mapping takes the record as it stands.
func (x *Raw) fits(r *cloudtrail.Record) bool {
	n := r.Extent()
	if n.Depth > maxDepth || n.Key > longKey || n.Number > maxNumber || n.Escaped || n.Repeats || n.Lines {
		return false
	}
	if limit := x.e.cfg.LeafLimit; limit > 0 && n.Leaf+maxDepth*(longKey+1) > limit {
		return false
	}
	members := 0
	for m := r.WholeRoot().FirstWhole(); m.Exists(); m = m.NextWhole() {
		members++
		if !rawFits(m, rawKindOf(m.Key()), string(m.Key())) {
			return false
		}
	}
	return members > 0
}

// rawFits reports whether the field at path, of this kind, takes v.
func rawFits(v cloudtrail.Value, kind rawKind, path string) bool {
	null := v.Kind() == cloudtrail.KindNull
	switch kind {
	case rawWord:
		return v.Kind() < cloudtrail.KindObject
	case rawFlat:
		return null || v.Kind() == cloudtrail.KindObject
	case rawObject:
		if v.Kind() != cloudtrail.KindObject {
			return null
		}
		for m := v.FirstWhole(); m.Exists(); m = m.NextWhole() {
			at := path + "." + string(m.Key())
			if unfitKey(m.Key()) || !rawFits(m, rawMember(at), at) {
				return false
			}
		}
		return true
	case rawList:
		for m := v.FirstWhole(); m.Exists(); m = m.NextWhole() {
			if m.Kind() != cloudtrail.KindObject {
				return false
			}
		}
		return null || v.Kind() >= cloudtrail.KindObject
	}
	return v.Kind() < cloudtrail.KindObject && !unfitKey(v.Key()) && !reserved(v.Key())
}

// reserved are top-level keys that clusters or we have taken.
func reserved(key []byte) bool {
	switch string(key) {
	case "@timestamp", "error", "event", "other":
		return true
	}
	return key[0] == '_'
}

// member appends a top-level member so that its field takes it. What none takes is left for others.
func (x *Raw) member(dst []byte, m cloudtrail.Value) []byte {
	name := string(m.Key())
	kind := rawKindOf(m.Key())
	switch kind {
	case rawWord:
		return x.e.put(dst, `"`+name+`":`, m)
	case rawFlat, rawList:
		return x.flat(dst, m, name)
	case rawObject:
		return x.object(dst, m, name)
	}
	if rawFits(m, rawOther, name) && !m.KeyEscaped() {
		return x.e.put(dst, `"`+name+`":`, m)
	}
	return dst
}

// flat appends a member for a flattened field. What is no object becomes one.
func (x *Raw) flat(dst []byte, m cloudtrail.Value, name string) []byte {
	mark := len(dst)
	dst = append(append(append(dst, '"'), name...), '"', ':')
	value := len(dst)
	if m.Kind() == cloudtrail.KindObject || rawKindOf(m.Key()) == rawList && rawFits(m, rawList, name) {
		dst = x.e.safe(dst, m, len(name), 1)
	} else {
		dst = append(dst, `{"value":`...)
		dst = end(x.e.safe(dst, m, len(name)+len(".value"), 2), value, '}')
	}
	if len(dst) == value {
		return dst[:mark]
	}
	return dst
}

// object appends an object whose members are typed, those that fit.
func (x *Raw) object(dst []byte, v cloudtrail.Value, path string) []byte {
	mark := len(dst)
	key := path[strings.LastIndexByte(path, '.')+1:]
	dst = append(append(append(dst, '"'), key...), '"', ':', '{')
	for m := v.First(); m.Exists() && v.Kind() == cloudtrail.KindObject; m = m.Next() {
		if unfitKey(m.Key()) || m.KeyEscaped() {
			continue
		}
		at := path + "." + string(m.Key())
		switch rawMember(at) {
		case rawObject:
			dst = x.object(dst, m, at)
		case rawFlat:
			dst = x.e.putFlat(dst, `"`+string(m.Key())+`":`, m, len(at), false)
		default:
			dst = x.e.put(dst, `"`+string(m.Key())+`":`, m)
		}
	}
	return end(dst, mark, '}')
}

// others appends what no field takes as it is, under its own name below "other".
func (x *Raw) others(dst []byte, r *cloudtrail.Record) []byte {
	const path = len("other")
	mark := len(dst)
	dst = append(dst, `"other":{`...)
	taken := names{object: r.Root()}
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		kind := rawKindOf(m.Key())
		kept := kind == rawWord || kind == rawFlat || kind == rawList || rawFits(m, kind, string(m.Key())) && !m.KeyEscaped()
		if !kept && taken.take(m) {
			dst = x.e.safeMember(dst, m, path, 1)
		}
	}
	return end(dst, mark, '}')
}
