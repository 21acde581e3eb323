package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder fills a struct from a YAML tree. A library's decoder stops at the first mistake and shows lines of the file
// around it, secrets included; this one goes on to the end and reports each mistake with its line and what would be right.
type decoder struct {
	*report
	env     func(string) (string, bool)
	anchors map[string]ast.Node
}

// decode reads text into the struct that into points to. Keys that the text does not have keep their value. It returns
// false when the text is no YAML, so that nothing was read.
func decode(r *report, text []byte, env func(string) (string, bool), into any) bool {
	file, err := parse(text)
	if err != nil {
		var at yaml.Error
		line := 1
		if errors.As(err, &at) && at.GetToken() != nil {
			line = at.GetToken().Position.Line
			err = errors.New(at.GetMessage())
		}
		r.add(line, "", "this is no YAML: %v", err)
		return false
	}
	d := &decoder{report: r, env: env, anchors: map[string]ast.Node{}}
	seen := false
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case seen:
			r.add(lineOf(doc.Body), "", "a second document begins here: write everything in one, without ---")
		default:
			seen = true
			d.value("", doc.Body, reflect.ValueOf(into).Elem())
		}
	}
	return true
}

// parse turns a panic of the YAML library, should one be left in it, into an error.
func parse(text []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML reader stumbled over it (%v)", p)
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}

// value reads node into a field of any kind.
func (d *decoder) value(path string, node ast.Node, into reflect.Value) {
	node = d.resolve(path, node)
	if node == nil {
		return
	}
	if f, ok := reflect.TypeAssert[interface{ SetJSON(text []byte) }](into.Addr()); ok {
		text, ok := d.free(path, node)
		if ok {
			f.SetJSON(text)
		}
		d.excused[path] = d.excused[path] || !ok
		return
	}
	if _, ok := reflect.TypeAssert[encoding.TextUnmarshaler](into.Addr()); ok {
		d.scalar(path, node, into)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		setDefaults(into)
		d.value(path, node, into.Elem())
	case reflect.Struct:
		d.mapping(path, node, into)
	case reflect.Slice:
		d.list(path, node, into)
	case reflect.Map:
		d.table(path, node, into)
	default:
		d.scalar(path, node, into)
	}
}

// resolve follows anchors and aliases to the node that counts; nil after reporting what cannot be followed.
func (d *decoder) resolve(path string, node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		d.anchors[n.Name.String()] = n.Value
		return d.resolve(path, n.Value)
	case *ast.AliasNode:
		target, ok := d.anchors[n.Value.String()]
		if !ok {
			d.add(lineOf(node), path, "*%s names no anchor above it: write the value itself", n.Value)
			return nil
		}
		return target
	case *ast.TagNode:
		d.add(lineOf(node), path, "a tag such as !!str is not understood: write the value without it")
		return nil
	}
	return node
}

// setDefaults fills a freshly made *T by its own Default method, where it has one. Components whose Config stands in a
// list or is left out by default say so what a key means that is not there.
func setDefaults(pointer reflect.Value) {
	if c, ok := reflect.TypeAssert[interface{ SetDefaults() }](pointer); ok {
		c.SetDefaults()
	}
}

// mapping reads a YAML mapping into a struct.
func (d *decoder) mapping(path string, node ast.Node, into reflect.Value) {
	pairs, ok := d.pairs(path, node)
	if !ok {
		return
	}
	fields := fieldsOf(into)
	written := map[string]int{}
	for _, pair := range pairs {
		key, line := pair.Key.GetToken().Value, lineOf(pair.Key)
		at := join(path, key)
		field, known := fields.find(key)
		switch first, twice := written[key]; {
		case pair.Key.IsMergeKey():
			d.add(line, at, "merging is not understood: write the keys themselves")
		case twice:
			d.add(line, at, "this key already stands on line %d: keep one of them", first)
		case !known:
			d.unknown(line, path, key, fields.names())
		default:
			d.lines[at] = line
			d.value(at, pair.Value, field)
		}
		written[key] = line
	}
}

// unknown reports a key that does not exist and what may have been meant.
func (d *decoder) unknown(line int, path, key string, known []string) {
	d.holed[path] = true
	at := join(path, key)
	if meant := nearest(key, known); meant != "" {
		d.add(line, at, "there is no such key; did you mean %s?", meant)
		d.excused[join(path, meant)] = true
		return
	}
	slices.Sort(known)
	d.add(line, at, "there is no such key; here stand %s", strings.Join(known, ", "))
}

// pairs returns what a mapping holds; a block without anything in it is an empty one.
func (d *decoder) pairs(path string, node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	case *ast.NullNode:
		return nil, true
	}
	d.add(lineOf(node), path, "keys with values must stand here, not %s", kindOf(node))
	return nil, false
}

// list reads a YAML sequence into a slice, replacing what the slice held.
func (d *decoder) list(path string, node ast.Node, into reflect.Value) {
	if node.Type() == ast.NullType {
		return
	}
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.add(lineOf(node), path, "a list must stand here, such as [a, b], not %s", kindOf(node))
		return
	}
	items := reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values))
	for i, v := range sequence.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = lineOf(v)
		setDefaults(items.Index(i).Addr())
		d.value(at, v, items.Index(i))
	}
	into.Set(items)
}

// table reads a YAML mapping whose keys are the user's own into a map.
func (d *decoder) table(path string, node ast.Node, into reflect.Value) {
	pairs, ok := d.pairs(path, node)
	if !ok {
		return
	}
	entries := reflect.MakeMap(into.Type())
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := join(path, key)
		if first, twice := d.lines[at]; twice {
			d.add(lineOf(pair.Key), at, "this key already stands on line %d: keep one of them", first)
			continue
		}
		d.lines[at] = lineOf(pair.Key)
		entry := reflect.New(into.Type().Elem()).Elem()
		d.value(at, pair.Value, entry)
		entries.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), entry)
	}
	into.Set(entries)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// lineOf is the line on which a node begins. The first token of a block mapping is its first colon, hence the key.
func lineOf(node ast.Node) int {
	switch n := node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return lineOf(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return lineOf(n.Key)
	}
	if token := node.GetToken(); token != nil {
		return token.Position.Line
	}
	return 1
}

// kindOf names what a node is, for a message.
func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	return "a single value"
}
