package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// The operators of a pattern.
const (
	prefixKey     = "prefix"
	suffixKey     = "suffix"
	ignoreCaseKey = "equals-ignore-case"
	butKey        = "anything-but"
	existsKey     = "exists"
	numericKey    = "numeric"
	cidrKey       = "cidr"
	wildcardKey   = "wildcard"
)

func operators() []string {
	return []string{prefixKey, suffixKey, ignoreCaseKey, butKey, existsKey, numericKey, cidrKey, wildcardKey}
}

func operator(key string) bool { return slices.Contains(operators(), key) }

// compileOperator reads an object with one operator.
func compileOperator(path string, v cloudtrail.Value) (matcher, error) {
	m := v.FirstWhole()
	if v.Count() != 1 {
		return matcher{}, wrong(path, "one operator stands in each pair of braces: write one of %s", strings.Join(operators(), ", "))
	}
	key := string(m.Key())
	at := join(path, key)
	switch key {
	case prefixKey, suffixKey:
		return compileAffix(at, key, m, true)
	case ignoreCaseKey:
		return compileText(at, opText, m, true)
	case wildcardKey:
		return compileWildcard(at, m)
	case butKey:
		return compileBut(at, m)
	case existsKey:
		return compileExists(at, m)
	case numericKey:
		return compileNumeric(at, m)
	case cidrKey:
		return compileCIDR(at, m)
	}
	return matcher{}, wrong(at, "there is no such operator: write one of %s", strings.Join(operators(), ", "))
}

func compileText(path string, o op, v cloudtrail.Value, fold bool) (matcher, error) {
	if v.Kind() != cloudtrail.KindString {
		return matcher{}, wrong(path, "text must stand here, such as \"abc\", not %s", v.Raw())
	}
	return matcher{op: o, text: v.Bytes(), fold: fold}, nil
}

// compileAffix reads what follows prefix or suffix: text, or where foldable {equals-ignore-case: text}.
func compileAffix(path, key string, v cloudtrail.Value, foldable bool) (matcher, error) {
	o := opPrefix
	if key == suffixKey {
		o = opSuffix
	}
	if v.Kind() != cloudtrail.KindObject || !foldable {
		return compileText(path, o, v, false)
	}
	inner := v.FirstWhole()
	if v.Count() != 1 || string(inner.Key()) != ignoreCaseKey {
		return matcher{}, wrong(path, "text or {%s: text} must stand here", ignoreCaseKey)
	}
	return compileText(join(path, ignoreCaseKey), o, inner, true)
}

// compileWildcard splits at the asterisks; \* is an asterisk, \\ a backslash.
func compileWildcard(path string, v cloudtrail.Value) (matcher, error) {
	m, err := compileText(path, opWildcard, v, false)
	if err != nil {
		return m, err
	}
	part := []byte{}
	for i := 0; i < len(m.text); i++ {
		switch c := m.text[i]; {
		case c == '*' && i > 0 && m.text[i-1] == '*' && len(part) == 0:
			return m, wrong(path, "** is not allowed: write one *, which stands for any number of characters")
		case c == '*':
			m.parts = append(m.parts, part)
			part = []byte{}
		case c != '\\':
			part = append(part, c)
		case i+1 < len(m.text) && (m.text[i+1] == '*' || m.text[i+1] == '\\'):
			i++
			part = append(part, m.text[i])
		default:
			return m, wrong(path, `a backslash stands before * or \ only: write \\ for the backslash itself`)
		}
	}
	m.parts = append(m.parts, part)
	return m, nil
}

// compileBut reads what follows anything-but: a string or a number, a list of either, or prefix, suffix,
// equals-ignore-case or wildcard with a string or a list of strings.
func compileBut(path string, v cloudtrail.Value) (matcher, error) {
	if v.Kind() != cloudtrail.KindObject {
		return compileButValues(path, v)
	}
	inner := v.FirstWhole()
	key := string(inner.Key())
	if v.Count() != 1 || !slices.Contains([]string{prefixKey, suffixKey, ignoreCaseKey, wildcardKey}, key) {
		return matcher{}, wrong(path, "a value, a list, or one of {prefix: …}, {suffix: …}, {equals-ignore-case: …}, {wildcard: …} must stand here")
	}
	at := join(path, key)
	return butEach(at, inner, func(path string, v cloudtrail.Value) (matcher, error) {
		switch key {
		case ignoreCaseKey:
			return compileText(path, opText, v, true)
		case wildcardKey:
			return compileWildcard(path, v)
		}
		m, err := compileAffix(path, key, v, false)
		if err == nil && len(m.text) == 0 {
			err = wrong(path, "every text has an empty %s, so that nothing is left: write a longer one", key)
		}
		return m, err
	})
}

func compileButValues(path string, v cloudtrail.Value) (matcher, error) {
	kind := v.Kind()
	if kind == cloudtrail.KindArray {
		kind = v.FirstWhole().Kind()
	}
	return butEach(path, v, func(path string, v cloudtrail.Value) (matcher, error) {
		if v.Kind() != kind || kind != cloudtrail.KindString && kind != cloudtrail.KindNumber {
			return matcher{}, wrong(path, "only strings or only numbers may stand here, not %s", v.Raw())
		}
		return compileValue(path, v)
	})
}

// butEach makes a matcher for all but what compile makes of v, or of each of its elements.
func butEach(path string, v cloudtrail.Value, compile func(string, cloudtrail.Value) (matcher, error)) (matcher, error) {
	m := matcher{op: opBut}
	if v.Kind() != cloudtrail.KindArray {
		one, err := compile(path, v)
		m.but = []matcher{one}
		return m, err
	}
	if v.Count() == 0 {
		return m, wrong(path, "an empty list leaves nothing out: write a value, or {exists: true}")
	}
	for e := v.FirstWhole(); e.Exists(); e = e.NextWhole() {
		one, err := compile(path+"["+strconv.Itoa(len(m.but))+"]", e)
		if err != nil {
			return m, err
		}
		m.but = append(m.but, one)
	}
	return m, nil
}

func compileExists(path string, v cloudtrail.Value) (matcher, error) {
	switch v.Kind() {
	case cloudtrail.KindTrue:
		return matcher{op: opPresent}, nil
	case cloudtrail.KindFalse:
		return matcher{op: opAbsent}, nil
	}
	return matcher{}, wrong(path, "true or false must stand here, not %s", v.Raw())
}

func compileCIDR(path string, v cloudtrail.Value) (matcher, error) {
	block, err := netip.ParsePrefix(string(v.Text()))
	if err != nil {
		return matcher{}, wrong(path, "a block of addresses must stand here, such as 10.0.0.0/24 or 2001:db8::/32, not %s", v.Raw())
	}
	return matcher{op: opCIDR, blocks: []netip.Prefix{block.Masked()}}, nil
}

// compileNumeric reads ["=", 1], one bound, or a lower and then an upper one.
func compileNumeric(path string, v cloudtrail.Value) (matcher, error) {
	const form = `write one comparison such as [">", 0], or a lower and an upper bound such as [">", 0, "<=", 5]`
	m := matcher{op: opNumeric}
	if n := v.Count(); v.Kind() != cloudtrail.KindArray || n != 2 && n != 4 {
		return m, wrong(path, form)
	}
	for sign := v.FirstWhole(); sign.Exists(); {
		number := sign.NextWhole()
		x, err := strconv.ParseFloat(string(number.Raw()), 64)
		if number.Kind() != cloudtrail.KindNumber || err != nil {
			return m, wrong(path, form)
		}
		if x > maxNumeric || x < -maxNumeric {
			return m, wrong(path, "%s is out of range: numeric compares from -5e9 to 5e9", number.Raw())
		}
		taken, first := bound{set: true, value: x}, !m.low.set && !m.high.set
		switch string(sign.Text()) {
		case "=":
			if v.Count() != 2 {
				return m, wrong(path, form)
			}
			m.low, m.high = taken, taken
		case ">", ">=":
			if !first {
				return m, wrong(path, form)
			}
			taken.open = len(sign.Text()) == 1
			m.low = taken
		case "<", "<=":
			if m.high.set || first && v.Count() == 4 {
				return m, wrong(path, form)
			}
			taken.open = len(sign.Text()) == 1
			m.high = taken
		default:
			return m, wrong(path, form)
		}
		sign = number.NextWhole()
	}
	if m.low.set && m.high.set && (m.low.value > m.high.value || m.low.value == m.high.value && (m.low.open || m.high.open)) {
		return m, wrong(path, "no number is between the bounds: write the lower one first")
	}
	return m, nil
}
