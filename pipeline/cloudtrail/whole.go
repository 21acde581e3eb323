package cloudtrail

// This file is the view of a record that hides nothing: void values are seen, as rules that ask for null or "" need them.
// Of two equal keys it too shows the last only.

// WholeRoot is the record itself as a value, void or not; absent only for a Record that was never parsed.
func (r *Record) WholeRoot() Value {
	if len(r.nodes) == 0 {
		return Value{}
	}
	return Value{rec: r, at: 0}
}

// WholeField is the value of a top-level field, void or not.
func (r *Record) WholeField(f Field) Value {
	i := r.fields[f]
	if i == 0 || r.nodes[i].flags&flagShadowed != 0 {
		return Value{}
	}
	return Value{rec: r, at: i}
}

// FirstWhole is the first member or element, void or not, absent when there is none. With NextWhole it walks a container.
func (v Value) FirstWhole() Value {
	if v.rec == nil || v.node().kind < KindObject || v.node().count == 0 {
		return Value{}
	}
	return v.rec.unshadowed(v.at + 1)
}

// NextWhole is the next sibling, void or not, absent at the end.
func (v Value) NextWhole() Value {
	if v.rec == nil || v.node().next == 0 {
		return Value{}
	}
	return v.rec.unshadowed(v.node().next)
}

// GetWhole is the member with this key, void or not, absent for anything but an object that has it.
func (v Value) GetWhole(key string) Value {
	if v.Kind() != KindObject {
		return Value{}
	}
	for m := v.FirstWhole(); m.Exists(); m = m.NextWhole() {
		if hasKey(m, key) {
			return m
		}
	}
	return Value{}
}

// unshadowed is the value at i or the first sibling after it that no equal key follows.
func (r *Record) unshadowed(i int32) Value {
	for i != 0 && r.nodes[i].flags&flagShadowed != 0 {
		i = r.nodes[i].next
	}
	if i == 0 {
		return Value{}
	}
	return Value{rec: r, at: i}
}

// FirstEvery is the first member or element, also one that a later equal key hides. With NextEvery it walks all that is
// written in a container, for whoever must see every byte of it.
func (v Value) FirstEvery() Value {
	if v.rec == nil || v.node().kind < KindObject || v.node().count == 0 {
		return Value{}
	}
	return Value{rec: v.rec, at: v.at + 1}
}

// NextEvery is the next sibling, hidden or not, absent at the end.
func (v Value) NextEvery() Value {
	if v.rec == nil || v.node().next == 0 {
		return Value{}
	}
	return Value{rec: v.rec, at: v.node().next}
}

// Span is where Raw stands in the record's Raw.
func (v Value) Span() (start, end int) {
	if v.rec == nil {
		return 0, 0
	}
	return int(v.node().start), int(v.node().end)
}
