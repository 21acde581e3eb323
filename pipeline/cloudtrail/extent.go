package cloudtrail

import "iter"

// Extent says how far a record goes, void values included: for formats that copy it as it is, and so must know that a search
// cluster takes it.
type Extent struct {
	Depth     int  // containers inside each other, the record included
	Key, Leaf int  // bytes of the longest key and of the longest value that is no container
	Number    int  // bytes of the longest number
	Escaped   bool // some key has an escape
	Repeats   bool // some object has a key twice
	Lines     bool // it is written on several lines
}

// Extent measures the record.
func (r *Record) Extent() Extent {
	x := Extent{Depth: r.depth}
	for _, c := range r.Raw {
		if c == '\n' || c == '\r' { // a bare one can only stand between tokens
			x.Lines = true
			break
		}
	}
	for i := range r.nodes {
		n := &r.nodes[i]
		x.Key = max(x.Key, int(n.keyEnd-n.keyStart))
		x.Escaped = x.Escaped || n.flags&flagKeyEscaped != 0
		x.Repeats = x.Repeats || n.flags&flagRepeats != 0
		if n.kind < KindObject {
			x.Leaf = max(x.Leaf, int(n.end-n.start))
		}
		if n.kind == KindNumber {
			x.Number = max(x.Number, int(n.end-n.start))
		}
	}
	return x
}

// All walks the members or elements of a container, void ones included; of equal keys only the last.
func (v Value) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() < KindObject || v.node().count == 0 {
			return
		}
		for i := v.at + 1; i != 0; i = v.rec.nodes[i].next {
			if v.rec.nodes[i].flags&flagShadowed == 0 && !yield(Value{rec: v.rec, at: i}) {
				return
			}
		}
	}
}

// Whole is the record as a value even when nothing in it but void values is.
func (r *Record) Whole() Value {
	if len(r.nodes) == 0 {
		return Value{}
	}
	return Value{rec: r}
}
