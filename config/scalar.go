package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/trailship/trailship/config/value"
)

// scalar reads a single value: its ${NAME} are replaced first, then the text is read as the field's type wants it.
func (d *decoder) scalar(path string, node ast.Node, into reflect.Value) {
	written, ok := d.text(path, node)
	if !ok {
		return
	}
	text, err := expand(written, d.env)
	if err != nil {
		d.add(lineOf(node), path, "%v", err)
		return
	}
	if text != written {
		d.expanded[path] = expansion{text, written}
	}
	if err := set(into, text); err != nil {
		d.add(lineOf(node), path, "%v", err)
	}
}

// text is a scalar as the file has it; false when nothing stands there or it is no scalar.
func (d *decoder) text(path string, node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.NullNode:
		return "", false
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	d.add(lineOf(node), path, "a single value must stand here, not %s", kindOf(node))
	return "", false
}

// set gives text to a field.
func set(into reflect.Value, text string) error {
	switch v := into.Addr().Interface().(type) {
	case *value.Secret:
		*v = value.Secret(text)
		return nil
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
	case *time.Duration:
		return setDuration(v, text)
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false: write one of them", text)
		}
		into.SetBool(text == "true")
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, into.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is no whole number: write one in digits, such as 8", text)
		}
		into.SetInt(n)
	default:
		panic("config: no key can be of type " + into.Type().String())
	}
	return nil
}

// setDuration reads a duration and says how to write one.
func setDuration(into *time.Duration, text string) error {
	v, err := time.ParseDuration(text)
	if _, notNumber := strconv.ParseFloat(text, 64); notNumber == nil && text != "0" {
		return fmt.Errorf("%q has no unit: write %ss for seconds or %sm for minutes", text, text, text)
	}
	if err != nil {
		return fmt.Errorf("%q is no duration: write a number and its unit, such as 30s, 5m or 12h", text)
	}
	*into = v
	return nil
}
