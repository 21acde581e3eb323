package config

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// free reads a part of the file whose keys are not ours, such as an event pattern, as JSON text. It notes the line of
// every key and element, so that whoever reads the text can say where something is wrong by its path alone.
func (d *decoder) free(path string, node ast.Node) ([]byte, bool) {
	before := len(d.problems)
	text := d.appendFree(nil, path, node)
	return text, len(d.problems) == before
}

func (d *decoder) appendFree(dst []byte, path string, node ast.Node) []byte {
	switch n := node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		if node = d.resolve(path, n); node == nil {
			return dst
		}
		return d.appendFree(dst, path, node)
	case *ast.MappingNode, *ast.MappingValueNode:
		return d.appendObject(dst, path, n)
	case *ast.SequenceNode:
		dst = append(dst, '[')
		for i, v := range n.Values {
			at := fmt.Sprintf("%s[%d]", path, i)
			d.lines[at] = lineOf(v)
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = d.appendFree(dst, at, v)
		}
		return append(dst, ']')
	}
	return d.appendScalar(dst, path, node)
}

func (d *decoder) appendObject(dst []byte, path string, node ast.Node) []byte {
	pairs, _ := d.pairs(path, node)
	written := map[string]int{}
	dst = append(dst, '{')
	for i, pair := range pairs {
		key, line := pair.Key.GetToken().Value, lineOf(pair.Key)
		at := join(path, key)
		if first, twice := written[key]; twice {
			d.add(line, at, "this key already stands on line %d: keep one of them", first)
		}
		written[key], d.lines[at] = line, line
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, key), ':')
		dst = d.appendFree(dst, at, pair.Value)
	}
	return append(dst, '}')
}

// appendScalar keeps the type that YAML's core schema gives a value, and how a number is written.
func (d *decoder) appendScalar(dst []byte, path string, node ast.Node) []byte {
	switch n := node.(type) {
	case *ast.NullNode:
		return append(dst, "null"...)
	case *ast.BoolNode:
		return strconv.AppendBool(dst, n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		number := node.GetToken().Value
		if !json.Valid([]byte(number)) {
			d.add(lineOf(node), path, "%q is no number as JSON writes them: write digits, or quotes around text", number)
			return dst
		}
		return append(dst, number...)
	}
	written, ok := d.text(path, node)
	if !ok {
		return dst
	}
	text, err := expand(written, d.env)
	if err != nil {
		d.add(lineOf(node), path, "%v", err)
		return dst
	}
	return appendText(dst, text)
}

func appendText(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be written
	}
	return append(dst, quoted...)
}
