package ecs

import "github.com/trailship/trailship/pipeline/cloudtrail"

// The free-form objects of a record, which documents hold twice: as one string, for rules that match text, and as a
// flattened object, for searches by member. Source: MAPPING sections 7 and 10.
const (
	requestForm = iota
	responseForm
	additionalForm
	serviceForm
	freeForms
)

// freeForm is one of them while a record is written.
type freeForm struct {
	value     cloudtrail.Value
	flattened bool // it is kept as an object too
	trusted   bool // and can be spliced
}

const flattenedPath = len("aws.cloudtrail.flattened.")

func freeFormKey(i int) string {
	switch i {
	case requestForm:
		return `"request_parameters":`
	case responseForm:
		return `"response_elements":`
	case additionalForm:
		return `"additional_eventdata":`
	}
	return `"service_event_details":`
}

// putStrings appends the string copies and finds out what of the objects can be kept.
func (e *Encoder) putStrings(dst []byte) []byte {
	if e.cfg.Retain == RetainNone {
		return dst
	}
	for i := range e.free {
		dst = e.putString(dst, i)
	}
	return dst
}

func (e *Encoder) putString(dst []byte, i int) []byte {
	f := &e.free[i]
	f.flattened = false
	if !f.value.Exists() || e.allSkipped(f.value) {
		return dst
	}
	mark := len(dst)
	dst = append(dst, freeFormKey(i)...)
	dst = append(dst, '"')
	text := len(dst)
	e.text.deepest, e.text.odd = 0, false
	dst = e.text.append(dst, f.value, 1)
	f.flattened = f.value.Kind() == cloudtrail.KindObject && !longText(dst[text:])
	f.trusted = e.text.deepest <= maxDepth && !e.text.odd && e.text.skip == (cloudtrail.Value{})
	if e.cfg.Retain == RetainFlattened && !e.degraded {
		return dst[:mark]
	}
	return append(dst, '"', ',')
}

// allSkipped reports whether v holds nothing but the member that moved to user.name.
func (e *Encoder) allSkipped(v cloudtrail.Value) bool {
	first := v.First()
	return first.Exists() && first == e.text.skip && !first.Next().Exists()
}

// putFlattened appends the copies as objects.
func (e *Encoder) putFlattened(dst []byte) []byte {
	switch e.cfg.Retain {
	case RetainKeyword, RetainNone:
		return dst
	}
	for i := range e.free {
		f := &e.free[i]
		if !f.flattened {
			continue
		}
		if e.cfg.Retain == RetainMinimal {
			dst = e.putMinimal(dst, i)
			continue
		}
		key := freeFormKey(i)
		dst = e.putFlat(dst, key, f.value, flattenedPath+len(key)-len(`"":`), f.trusted)
	}
	return dst
}

// putMinimal appends the members that Elastic's rules read.
func (e *Encoder) putMinimal(dst []byte, i int) []byte {
	if i != requestForm && i != additionalForm {
		return dst
	}
	mark := len(dst)
	key := freeFormKey(i)
	path := flattenedPath + len(key) - len(`"":`)
	dst = append(dst, key...)
	dst = append(dst, '{')
	for m := e.free[i].value.First(); m.Exists(); m = m.Next() {
		if minimal(i, m.Key()) {
			dst = e.safeMember(dst, m, path, 1)
		}
	}
	return end(dst, mark, '}')
}

func minimal(i int, key []byte) bool {
	if i == additionalForm {
		return string(key) == "SSEApplied"
	}
	switch string(key) {
	case "cidrIp", "dryRun", "fromPort", "includeDeprecated", "policyArn", "serialNumber", "withDecryption",
		"x-amz-server-side-encryption-customer-algorithm":
		return true
	}
	return false
}
