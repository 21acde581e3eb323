package config

import (
	"reflect"
	"strings"
)

// fields are the keys of one struct, in the order of its declaration.
type fields []field

type field struct {
	key   string
	value reflect.Value
}

// fieldsOf lists the fields of a struct that have a yaml tag; those of an inline one count as its own.
func fieldsOf(s reflect.Value) fields {
	var all fields
	for i := range s.NumField() {
		key, options, _ := strings.Cut(s.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			all = append(all, fieldsOf(s.Field(i))...)
		case key != "" && key != "-":
			all = append(all, field{key, s.Field(i)})
		}
	}
	return all
}

func (f fields) find(key string) (reflect.Value, bool) {
	for _, one := range f {
		if one.key == key {
			return one.value, true
		}
	}
	return reflect.Value{}, false
}

func (f fields) names() []string {
	names := make([]string, len(f))
	for i, one := range f {
		names[i] = one.key
	}
	return names
}
