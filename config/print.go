package config

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/trailship/trailship/config/value"
)

// Print writes the configuration in force as YAML: defaults filled in, kinds that are not chosen left out, secrets and the
// user in URLs shown as <secret>.
func (c *Config) Print(w io.Writer) error {
	text, err := yaml.Marshal(shown(reflect.ValueOf(*c)))
	if err != nil {
		return fmt.Errorf("printing the configuration: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("printing the configuration: %w", err)
	}
	return nil
}

// shown turns a configuration into plain values that may be seen, keys in the order of their declaration.
func shown(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return shortDuration(x)
	case yaml.BytesMarshaler:
		return x
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return "<" + err.Error() + ">"
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return shown(v.Elem())
	case reflect.Struct:
		block := yaml.MapSlice{}
		for _, f := range fieldsOf(v) {
			if f.value.Kind() != reflect.Pointer || !f.value.IsNil() {
				block = append(block, yaml.MapItem{Key: f.key, Value: shown(f.value)})
			}
		}
		return block
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = shown(v.Index(i))
		}
		return list
	case reflect.String:
		return value.Mask(v.String())
	}
	return v.Interface()
}

// shortDuration is 5m where Go writes 5m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
