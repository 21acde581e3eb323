package ecs

import (
	"bytes"
	"slices"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A record's resources. Source: MAPPING section 8.

// resource is one element of resources.
type resource struct {
	value             cloudtrail.Value
	arn, account, typ cloudtrail.Value
	upper             cloudtrail.Value // arn, if its key is ARN
	place             uint64           // in the HashMap of Elastic's pipeline, by the three above
}

// readResources takes in the elements in the order they are to be written.
func (e *Encoder) readResources() {
	v := e.rec.Field(cloudtrail.Resources)
	if v.Exists() && (v.Kind() < cloudtrail.KindObject || unfit(v, 1)) {
		e.others.add(cloudtrail.Resources)
	}
	if v.Kind() != cloudtrail.KindArray {
		return
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if m.Kind() == cloudtrail.KindObject {
			e.resources = append(e.resources, readResource(m))
		}
	}
	e.sortResources()
}

// unfit reports whether v, inside depth-1 containers, holds what an object field refuses although it is not mapped: a number
// or a key that is too long, a blank key, one that would be taken for a path, or containers that nest too deep.
func unfit(v cloudtrail.Value, depth int) bool {
	if v.Kind() >= cloudtrail.KindObject && depth > maxExtraDepth {
		return true
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if v.Kind() == cloudtrail.KindObject && unfitKey(m.Key()) || m.Kind() == cloudtrail.KindNumber && len(m.Raw()) > maxNumber {
			return true
		}
		if unfit(m, depth+1) {
			return true
		}
	}
	return false
}

// maxExtraDepth is how many containers resources may nest, itself included: OpenSearch takes 20 in all.
const maxExtraDepth = 12

func unfitKey(key []byte) bool {
	return len(key) > longKey || len(bytes.TrimSpace(key)) == 0 || bytes.IndexByte(key, '.') >= 0
}

func readResource(v cloudtrail.Value) resource {
	x := resource{value: v}
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "ARN":
			x.upper, x.arn = m, m
		case "arn":
			if !x.upper.Exists() {
				x.arn = m
			}
		case "accountId":
			x.account = m
		case "account_id":
			if !x.account.Exists() {
				x.account = m
			}
		case "type":
			x.typ = m
		}
	}
	return x
}

// sortResources brings the resources into HashMap order and keeps the last of equal ones.
func (e *Encoder) sortResources() {
	if len(e.resources) < 2 {
		return
	}
	mask := hashMapSize(len(e.resources)) - 1
	for i := range e.resources {
		x := &e.resources[i]
		h := hash(0, x.arn.Bytes())
		h = hash(31*h+'_', x.account.Bytes())
		h = hash(31*h+'_', x.typ.Bytes())
		x.place = uint64(spread(h)&mask)<<32 | uint64(i)
	}
	slices.SortFunc(e.resources, func(a, b resource) int {
		if a.place < b.place {
			return -1
		}
		return 1
	})
	kept := e.resources[:0]
	for i, x := range e.resources {
		if !repeated(x, e.resources[i+1:]) {
			kept = append(kept, x)
		}
	}
	e.resources = kept
}

// repeated reports whether an equal resource follows in the same bucket.
func repeated(x resource, following []resource) bool {
	for _, y := range following {
		if y.place>>32 != x.place>>32 {
			return false
		}
		if string(x.arn.Bytes()) == string(y.arn.Bytes()) && string(x.account.Bytes()) == string(y.account.Bytes()) &&
			string(x.typ.Bytes()) == string(y.typ.Bytes()) {
			return true
		}
	}
	return false
}

func (e *Encoder) putResources(dst []byte) []byte {
	if v := e.rec.Field(cloudtrail.Resources); v.Kind() == cloudtrail.KindObject {
		return e.putMoved(dst, v)
	}
	if len(e.resources) == 0 {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"resources":[`...)
	for i := range e.resources {
		dst = e.putResource(dst, &e.resources[i])
	}
	return end(dst, mark, ']')
}

func (e *Encoder) putResource(dst []byte, x *resource) []byte {
	mark := len(dst)
	dst = append(dst, '{')
	dst = e.put(dst, `"arn":`, x.arn)
	dst = e.put(dst, `"account_id":`, x.account)
	dst = e.put(dst, `"type":`, x.typ)
	for m := x.value.First(); m.Exists() && e.keepsExtras(); m = m.Next() {
		switch string(m.Key()) {
		case "ARN", "arn", "accountId", "account_id", "type":
		default:
			dst = putExtra(dst, m)
		}
	}
	return end(dst, mark, '}')
}

// keepsExtras reports whether members of resources that no field stands for are written: not in a degraded document, and
// not when all of resources goes to flattened.other for its odd keys.
func (e *Encoder) keepsExtras() bool { return !e.degraded && !e.others.has(cloudtrail.Resources) }

func putExtra(dst []byte, m cloudtrail.Value) []byte {
	dst = append(dst, '"')
	dst = append(dst, m.KeyRaw()...)
	dst = append(dst, '"', ':')
	return append(m.AppendJSON(dst), ',')
}

// putMoved appends resources that is one object: it moves as it is.
func (e *Encoder) putMoved(dst []byte, v cloudtrail.Value) []byte {
	mark := len(dst)
	dst = append(dst, `"resources":{`...)
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "arn":
			dst = e.put(dst, `"arn":`, m)
		case "account_id":
			dst = e.put(dst, `"account_id":`, m)
		case "type":
			dst = e.put(dst, `"type":`, m)
		default:
			if e.keepsExtras() {
				dst = putExtra(dst, m)
			}
		}
	}
	return end(dst, mark, '}')
}
