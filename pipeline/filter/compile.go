package filter

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// An Error is what is wrong with a pattern.
type Error struct {
	Path   string // where in the pattern: eventName[1].prefix; "" for the pattern itself
	Advice string // what is wrong and what would be right
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Advice
	}
	return e.Path + ": " + e.Advice
}

func wrong(path, format string, args ...any) error {
	return &Error{Path: path, Advice: fmt.Sprintf(format, args...)}
}

// Compile reads an event pattern, a JSON object. Its error is an *Error.
func Compile(text []byte) (*Pattern, error) {
	var tape cloudtrail.Record
	if err := tape.Parse(bytes.Clone(bytes.TrimSpace(text))); err != nil {
		return nil, wrong("", "this is no event pattern: write keys with lists of values, such as {eventName: [Decrypt]}")
	}
	root, err := compileObject("", tape.WholeRoot(), true)
	if err != nil {
		return nil, err
	}
	return &Pattern{root: root}, nil
}

// alternatives is the key of a list of objects of which one must match.
const alternatives = "$or"

func compileObject(path string, v cloudtrail.Value, top bool) (*object, error) {
	o := &object{absence: true}
	for m := v.FirstWhole(); m.Exists(); m = m.NextWhole() {
		key := string(m.Key())
		at := join(path, key)
		if key == alternatives && m.Kind() != cloudtrail.KindObject {
			ors, err := compileOr(at, m, top)
			if err != nil {
				return nil, err
			}
			o.ors = append(o.ors, ors)
			for _, one := range ors {
				o.absence = o.absence && one.absence
			}
			continue
		}
		one, err := compileMember(at, key, m)
		if err != nil {
			return nil, err
		}
		if top {
			one.field = cloudtrail.FieldOf(m.Key())
			one.spelled = twoSpellings(one.field)
		}
		o.members = append(o.members, one)
		o.absence = o.absence && one.absence()
	}
	if len(o.members) == 0 && len(o.ors) == 0 {
		return nil, wrong(path, "it matches nothing: an empty pattern is not allowed, write what a field must be")
	}
	slices.SortStableFunc(o.members, func(a, b member) int { return cmp.Compare(a.cost(), b.cost()) })
	return o, nil
}

// twoSpellings reports whether AWS writes a field's key in more than one way.
func twoSpellings(f cloudtrail.Field) bool {
	return f == cloudtrail.EventID || f == cloudtrail.RecipientAccountID || f == cloudtrail.SharedEventID
}

// cost says how much work it is to look at a member: all must match, so that the cheap ones are looked at first.
func (m *member) cost() int {
	if m.sub != nil {
		return 1
	}
	for i := range m.any {
		if op := m.any[i].op; op == opCIDR || op == opWildcard || op == opBut {
			return 2
		}
	}
	return 0
}

// absence reports whether the member only says what must not be there.
func (m *member) absence() bool {
	if m.sub != nil {
		return m.sub.absence
	}
	for i := range m.any {
		if m.any[i].op != opAbsent {
			return false
		}
	}
	return true
}

func compileMember(path, key string, v cloudtrail.Value) (member, error) {
	m := member{key: key}
	var err error
	switch v.Kind() {
	case cloudtrail.KindObject:
		m.sub, err = compileObject(path, v, false)
	case cloudtrail.KindArray:
		m.any, err = compileValues(path, v)
	default:
		err = wrong(path, "values stand in a list: write [%s]", v.Raw())
	}
	return m, err
}

func compileOr(path string, v cloudtrail.Value, top bool) ([]*object, error) {
	if v.Kind() != cloudtrail.KindArray || v.Count() < 2 {
		return nil, wrong(path, "a list of two or more patterns must stand here, of which one has to match")
	}
	var all []*object
	for e := v.FirstWhole(); e.Exists(); e = e.NextWhole() {
		at := fmt.Sprintf("%s[%d]", path, len(all))
		if e.Kind() != cloudtrail.KindObject {
			return nil, wrong(at, "a pattern must stand here, such as {eventName: [Decrypt]}")
		}
		for m := e.FirstWhole(); m.Exists(); m = m.NextWhole() {
			if operator(string(m.Key())) {
				return nil, wrong(join(at, string(m.Key())), "an operator belongs into the list of a field: write FIELD: [{%s: …}]", m.Key())
			}
		}
		o, err := compileObject(at, e, top)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

func compileValues(path string, v cloudtrail.Value) ([]matcher, error) {
	var all []matcher
	n := 0
	for e := v.FirstWhole(); e.Exists(); e = e.NextWhole() {
		at := fmt.Sprintf("%s[%d]", path, n)
		m, err := compileValue(at, e)
		if err != nil {
			return nil, err
		}
		n++
		if same := slices.IndexFunc(all, func(a matcher) bool { return a.op == opCIDR }); m.op == opCIDR && same >= 0 {
			all[same].blocks = append(all[same].blocks, m.blocks...) // an address is parsed once for all of them
			continue
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, wrong(path, "an empty list matches nothing: write a value, or {exists: false}")
	}
	return all, nil
}

func compileValue(path string, v cloudtrail.Value) (matcher, error) {
	switch v.Kind() {
	case cloudtrail.KindString:
		return matcher{op: opText, text: v.Bytes()}, nil
	case cloudtrail.KindObject:
		return compileOperator(path, v)
	case cloudtrail.KindArray:
		return matcher{}, wrong(path, "a list inside of a list is not allowed: write its values one by one")
	}
	return matcher{op: opLiteral, text: v.Raw()}, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
