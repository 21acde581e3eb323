package filter_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/filter"
)

// naive is the same meaning told another way: over decoded maps, operators read anew for every value.
func naive(pattern map[string]any, event any) bool {
	if list, ok := event.([]any); ok && len(list) > 0 {
		absence, all, some := onlyAbsence(pattern), true, false
		for _, e := range list {
			m := naive(pattern, e)
			all, some = all && m, some || m
		}
		return absence && all || !absence && some
	}
	object, _ := event.(map[string]any)
	for key, want := range pattern {
		if alternatives, ok := want.([]any); ok && key == "$or" {
			some := false
			for _, a := range alternatives {
				some = some || naive(a.(map[string]any), event)
			}
			if !some {
				return false
			}
			continue
		}
		got, there := object[key]
		switch want := want.(type) {
		case map[string]any:
			if !naive(want, got) {
				return false
			}
		case []any:
			if !naiveLeaf(want, leaves(got, there)) {
				return false
			}
		}
	}
	return true
}

func onlyAbsence(pattern map[string]any) bool {
	for key, want := range pattern {
		switch want := want.(type) {
		case map[string]any:
			if !onlyAbsence(want) {
				return false
			}
		case []any:
			for _, w := range want {
				m, ok := w.(map[string]any)
				if !ok || key == "$or" && !onlyAbsence(m) || key != "$or" && m["exists"] != false {
					return false
				}
			}
		}
	}
	return true
}

func leaves(v any, there bool) []any {
	switch v := v.(type) {
	case map[string]any:
		return nil
	case []any:
		var all []any
		for _, e := range v {
			all = append(all, leaves(e, true)...)
		}
		return all
	}
	if !there {
		return nil
	}
	return []any{v}
}

func naiveLeaf(wants, leaves []any) bool {
	for _, want := range wants {
		if m, ok := want.(map[string]any); ok && m["exists"] == false {
			if len(leaves) == 0 {
				return true
			}
			continue
		}
		for _, leaf := range leaves {
			if naiveValue(want, leaf) {
				return true
			}
		}
	}
	return false
}

func naiveValue(want, got any) bool {
	m, ok := want.(map[string]any)
	if !ok {
		return want == got // json.Number is text
	}
	text, isText := got.(string)
	for operator, operand := range m {
		switch operator {
		case "exists":
			return true
		case "prefix", "suffix":
			if fold, ok := operand.(map[string]any); ok {
				return isText && affixFold(operator, text, fold["equals-ignore-case"].(string))
			}
			return isText && (operator == "prefix" && strings.HasPrefix(text, operand.(string)) ||
				operator == "suffix" && strings.HasSuffix(text, operand.(string)))
		case "equals-ignore-case":
			return isText && strings.EqualFold(text, operand.(string))
		case "wildcard":
			return isText && wildcardExpression(operand.(string)).MatchString(text)
		case "cidr":
			addr, err := netip.ParseAddr(text)
			return err == nil && addr.Zone() == "" && netip.MustParsePrefix(operand.(string)).Contains(addr)
		case "numeric":
			return naiveNumeric(operand.([]any), got)
		case "anything-but":
			return !naiveBut(operand, got)
		}
	}
	return false
}

func affixFold(operator, text, affix string) bool {
	letters, n := []rune(text), utf8.RuneCountInString(affix)
	if len(letters) < n {
		return false
	}
	if operator == "prefix" {
		return strings.EqualFold(string(letters[:n]), affix)
	}
	return strings.EqualFold(string(letters[len(letters)-n:]), affix)
}

func wildcardExpression(wildcard string) *regexp.Regexp {
	var x strings.Builder
	for i := 0; i < len(wildcard); i++ {
		switch wildcard[i] {
		case '*':
			x.WriteString(`.*`)
		case '\\':
			i++
			fallthrough
		default:
			x.WriteString(regexp.QuoteMeta(wildcard[i : i+1]))
		}
	}
	return regexp.MustCompile(`(?s)\A` + x.String() + `\z`)
}

func naiveNumeric(bounds []any, got any) bool {
	number, ok := got.(json.Number)
	x, err := strconv.ParseFloat(string(number), 64)
	if !ok || err != nil || x > 5e9 || x < -5e9 {
		return false
	}
	for i := 0; i < len(bounds); i += 2 {
		y, _ := bounds[i+1].(json.Number).Float64()
		holds := map[string]bool{"=": x == y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}
		if !holds[bounds[i].(string)] {
			return false
		}
	}
	return true
}

func naiveBut(operand, got any) bool {
	if m, ok := operand.(map[string]any); ok {
		for operator, inner := range m {
			if list, ok := inner.([]any); ok {
				for _, one := range list {
					if naiveValue(map[string]any{operator: one}, got) {
						return true
					}
				}
				return false
			}
		}
		return naiveValue(m, got)
	}
	if list, ok := operand.([]any); ok {
		return naiveLeaf(list, []any{got})
	}
	return operand == got
}

func decode(text string) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v map[string]any
	return v, d.Decode(&v) == nil && v != nil
}

// FuzzMatch holds patterns that compile against the naive meaning, on any event. Keys that stand twice are left out: a map
// cannot say what came of them in a pattern.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":["x",1,null,true],"b":{"c":[{"exists":false}]}}`, `{"a":[1,"x"],"b":[{"c":1},{"d":2}]}`},
		{`{"a":[{"prefix":"x"},{"suffix":{"equals-ignore-case":"ſ"}}]}`, `{"a":"yS"}`},
		{`{"a":[{"anything-but":{"wildcard":["*a*","\\*"]}}]}`, `{"a":"bcd"}`},
		{`{"$or":[{"a":[{"numeric":[">=",0,"<",1e3]}]},{"b":[{"cidr":"::/0"}]}]}`, `{"a":-1,"b":"::1"}`},
		{`{"eventName":[{"anything-but":["Get"]}],"$or":[{"x":[{"exists":false}]},{"x":[2]}]}`, `{"eventName":"Put","x":{"y":2}}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, event string) {
		p, err := filter.Compile([]byte(pattern))
		if err != nil || !utf8.ValidString(pattern) || !utf8.ValidString(event) {
			return
		}
		naivePattern, ok := decode(pattern)
		naiveEvent, good := decode(event)
		var r cloudtrail.Record
		if !ok || !good || r.Parse([]byte(event)) != nil || again(pattern, naivePattern) {
			return
		}
		if got, want := p.Match(&r), naive(naivePattern, naiveEvent); got != want {
			t.Errorf("%s on %s: got %t, want %t", pattern, event, got, want)
		}
	})
}

// again reports whether a pattern has a key twice, or one that only case tells apart from a field's.
func again(pattern string, decoded map[string]any) bool {
	text, err := json.Marshal(decoded)
	return err != nil || strings.Count(pattern, `":`) != strings.Count(string(text), `":`)
}
