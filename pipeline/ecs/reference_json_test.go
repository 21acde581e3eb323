package ecs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// This file and its neighbours reference_test.go and reference_entity_test.go are the mapping once more, as plainly as it
// can be written: encoding/json, maps, no care for speed. Tests and fuzzing hold the encoder against it.

// jsonObject is an object that keeps the order of its keys, and how many there were before any was taken out.
type jsonObject struct {
	keys  []string
	of    map[string]any
	count int
}

// get is the member with this key; nil when there is none or v is no object.
func get(v any, path ...string) any {
	for _, key := range path {
		o, ok := v.(*jsonObject)
		if !ok {
			return nil
		}
		v = o.of[key]
	}
	return v
}

var errNoRecord = errors.New("not a record")

// parseReference reads one record as encoding/json does, with nothing after it.
func parseReference(text []byte) (*jsonObject, error) {
	if !json.Valid(text) || text[0] != '{' { // a record begins with its brace, whatever stands before is its reader's
		return nil, errNoRecord
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*jsonObject)
	if !ok {
		return nil, errNoRecord
	}
	return o, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	bracket, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == cloudtrail.MaxDepth {
		return nil, errNoRecord
	}
	object, list := &jsonObject{of: map[string]any{}}, []any{}
	for d.More() {
		var key any
		if bracket == '{' {
			if key, err = d.Token(); err != nil {
				return nil, err
			}
		}
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if bracket == '{' {
			object.put(key.(string), v)
		}
	}
	if _, err = d.Token(); err != nil {
		return nil, err
	}
	if bracket == '[' {
		return list, nil
	}
	object.count = len(object.keys)
	return object, nil
}

// put is a HashMap's put: a key that is there already keeps its place.
func (o *jsonObject) put(key string, v any) {
	if _, ok := o.of[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.of[key] = v
}

func (o *jsonObject) remove(key string) {
	delete(o.of, key)
	o.keys = slices.DeleteFunc(o.keys, func(k string) bool { return k == key })
}

// pruned is v without what counts as absent; nil when nothing is left. MAPPING section 1.
func pruned(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" || v == "-" || v == "none" {
			return nil
		}
	case []any:
		list := []any{}
		for _, m := range v {
			if m = pruned(m); m != nil {
				list = append(list, m)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	case *jsonObject:
		for _, key := range slices.Clone(v.keys) {
			if m := pruned(v.of[key]); m != nil {
				v.of[key] = m
			} else {
				v.remove(key)
			}
		}
		if len(v.keys) == 0 {
			return nil
		}
	}
	return v
}

// javaText is Java's text form of a value. MAPPING section 7.
func javaText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return javaNumber(string(v))
	case []any:
		var parts []string
		for _, m := range v {
			parts = append(parts, javaText(m))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *jsonObject:
		var parts []string
		for _, key := range hashMapOrder(v.keys, v.count) {
			parts = append(parts, key+"="+javaText(v.of[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

// hashMapOrder is the order in which a java.util.HashMap gives the keys that are left of count ones.
func hashMapOrder(keys []string, count int) []string {
	size := 16
	for float64(count) > 0.75*float64(size) {
		size *= 2
	}
	buckets := make([][]string, size)
	for _, key := range keys {
		h := int32(0)
		for _, unit := range utf16.Encode([]rune(key)) {
			h = 31*h + int32(unit)
		}
		at := (uint32(h) ^ uint32(h)>>16) % uint32(size)
		buckets[at] = append(buckets[at], key)
	}
	return slices.Concat(buckets...)
}

func javaNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range is an infinity, as in Java
	abs := math.Abs(f)
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		text = strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// plainValue is v as encoding/json has it in maps.
func plainValue(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainValue(v[i])
		}
		return list
	case *jsonObject:
		m := map[string]any{}
		for key, value := range v.of {
			m[key] = plainValue(value)
		}
		return m
	}
	return v
}

// flatValue is v for a flattened field: no NUL in keys, text for what is in more than twenty containers and for very long
// numbers, and no member whose path, of so many bytes, is very long. nil when nothing is left.
func flatValue(v any, depth, path int) any {
	switch o := v.(type) {
	case json.Number:
		return plainWord(o)
	case []any:
		if depth > 20 {
			return javaText(v)
		}
		list := []any{}
		for i := range o {
			if m := flatValue(o[i], depth+1, path); m != nil {
				list = append(list, m)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	case *jsonObject:
		if depth > 20 {
			return javaText(v)
		}
		return flatObject(o, depth, path)
	}
	return v
}

func flatObject(o *jsonObject, depth, path int) any {
	m := map[string]any{}
	for _, key := range o.keys {
		name := strings.ReplaceAll(key, "\x00", "\uFFFD")
		if _, taken := o.of[name]; name != key && taken || m[name] != nil || path+1+len(key) > 8000 {
			continue
		}
		if v := flatValue(o.of[key], depth+1, path+1+len(key)); v != nil {
			m[name] = v
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}
