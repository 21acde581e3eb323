package cloudtrail

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
