package filter

import "github.com/trailship/trailship/pipeline/cloudtrail"

// A Pattern is a compiled event pattern. It may be used concurrently.
type Pattern struct{ root *object }

// object is what a pattern says of one object of the record: all of it must be so.
type object struct {
	members []member
	ors     [][]*object // of each list one alternative must match the object
	absence bool        // it only says what must not be there
}

// member is what a pattern says of one member: either sub or any is set.
type member struct {
	key     string
	field   cloudtrail.Field // of a record's top level; Unknown elsewhere and for keys of no field
	spelled bool             // the field may stand there by another key
	sub     *object
	any     []matcher
}

// Match reports whether the record is as the pattern says.
func (p *Pattern) Match(r *cloudtrail.Record) bool { return p.root.matchRecord(r) }

func (o *object) matchRecord(r *cloudtrail.Record) bool {
	for i := range o.members {
		m := &o.members[i]
		if !m.match(topLevel(r, m)) {
			return false
		}
	}
	for _, alternatives := range o.ors {
		found := false
		for _, alternative := range alternatives {
			if alternative.matchRecord(r) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// topLevel finds a member of the record without a walk where its key is that of a field. Some fields have two spellings.
func topLevel(r *cloudtrail.Record, m *member) cloudtrail.Value {
	if m.field != cloudtrail.Unknown {
		v := r.WholeField(m.field)
		if !m.spelled || !v.Exists() || string(v.Key()) == m.key {
			return v
		}
	}
	if m.field == cloudtrail.Unknown && !r.HasUnknown() {
		return cloudtrail.Value{}
	}
	return r.WholeRoot().GetWhole(m.key)
}

func (o *object) match(v cloudtrail.Value) bool {
	for i := range o.members {
		if m := &o.members[i]; !m.match(v.GetWhole(m.key)) {
			return false
		}
	}
	for _, alternatives := range o.ors {
		if !matchAny(alternatives, v) {
			return false
		}
	}
	return true
}

func matchAny(alternatives []*object, v cloudtrail.Value) bool {
	for _, o := range alternatives {
		if o.match(v) {
			return true
		}
	}
	return false
}

// match reports whether a member of the record, absent if it is not there, is as the pattern says.
func (m *member) match(v cloudtrail.Value) bool {
	if m.sub != nil {
		return m.sub.matchInside(v)
	}
	return matchLeaf(m.any, v)
}

// matchInside is match for an object, or for the objects of an array.
func (o *object) matchInside(v cloudtrail.Value) bool {
	if v.Kind() != cloudtrail.KindArray || v.Count() == 0 {
		return o.match(v)
	}
	for e := v.FirstWhole(); e.Exists(); e = e.NextWhole() {
		if o.matchInside(e) != o.absence {
			return !o.absence
		}
	}
	return o.absence
}

// matchLeaf reports whether v, or an element of it, matches. What has no leaf is not there.
func matchLeaf(choices []matcher, v cloudtrail.Value) bool {
	matched, leaf := matchLeaves(choices, v)
	if leaf {
		return matched
	}
	for i := range choices {
		if choices[i].op == opAbsent {
			return true
		}
	}
	return false
}

func matchLeaves(choices []matcher, v cloudtrail.Value) (matched, leaf bool) {
	switch v.Kind() {
	case cloudtrail.Absent, cloudtrail.KindObject:
		return false, false
	case cloudtrail.KindArray:
		for e := v.FirstWhole(); e.Exists(); e = e.NextWhole() {
			m, l := matchLeaves(choices, e)
			if leaf = leaf || l; m {
				return true, true
			}
		}
		return false, leaf
	}
	text, kind := v.Bytes(), v.Kind()
	for i := range choices {
		if choices[i].match(kind, text) {
			return true, true
		}
	}
	return false, true
}
