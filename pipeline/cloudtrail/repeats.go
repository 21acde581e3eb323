package cloudtrail

import "hash/maphash"

// manyMembers is from how many members on the repeated keys of an object are found at its end, with a table, and no
// longer each as it comes, which would take time in the square of their number.
const manyMembers = 64

// hideRepeat hides an earlier member of the innermost container that has the key of the last one.
func (s *scanner) hideRepeat() {
	if s.in.count+s.in.again < manyMembers && s.rec.hideEqual(s.in.at, int32(s.used-1)) {
		s.repeated()
	}
}

// repeated notes that a member was hidden.
func (s *scanner) repeated() {
	s.in.flags |= flagUneven | flagRepeats
	s.in.count--
	s.in.again++
}

// hideEqual looks among the members of parent for an earlier one with the key of the member at, and hides it.
func (r *Record) hideEqual(parent int, at int32) bool {
	scratch := len(r.text)
	earlier := r.earlier(parent, at, Value{rec: r, at: at}.Key())
	r.text = r.text[:scratch]
	if earlier == 0 {
		return false
	}
	r.hide(earlier, at)
	return true
}

// earlier is the member of parent in front of the one at that has its key and is not hidden, 0 when there is none.
func (r *Record) earlier(parent int, at int32, key []byte) int32 {
	m := &r.nodes[at]
	for i := int32(parent) + 1; i != 0 && i != at; {
		n := &r.nodes[i]
		alike := n.keyEnd-n.keyStart == m.keyEnd-m.keyStart || (n.flags|m.flags)&flagKeyEscaped != 0
		if alike && n.flags&flagShadowed == 0 && hasKey(Value{rec: r, at: i}, key) {
			return i
		}
		i = n.next
	}
	return 0
}

// hideAllRepeats hides the members of the innermost container that an equal key follows.
func (s *scanner) hideAllRepeats() {
	r := s.rec
	table, mask := r.keyTable(int(s.in.count))
	scratch := len(r.text)
	for i := int32(s.in.at) + 1; i != 0; i = r.nodes[i].next {
		if r.nodes[i].flags&flagShadowed != 0 {
			continue
		}
		key := Value{rec: r, at: i}.Key()
		at := maphash.Bytes(r.seed, key) & mask
		for ; table[at] != 0; at = (at + 1) & mask {
			if hasKey(Value{rec: r, at: table[at]}, key) {
				r.hide(table[at], i)
				s.repeated()
				break
			}
		}
		table[at] = i
		r.text = r.text[:scratch]
	}
}

// keyTable is an empty table for the keys of n members, with room to spare. Its hashes are seeded: who writes the keys
// cannot make them meet.
func (r *Record) keyTable(n int) (table []int32, mask uint64) {
	if r.seed == (maphash.Seed{}) {
		r.seed = maphash.MakeSeed()
	}
	size := 4 * manyMembers
	for size < 2*n {
		size *= 2
	}
	if size > len(r.keys) {
		r.keys = make([]int32, size)
	}
	table = r.keys[:size]
	clear(table)
	return table, uint64(size - 1)
}

// hide hides a member behind a later one of the same key.
func (r *Record) hide(earlier, later int32) {
	r.nodes[earlier].flags |= flagShadowed
	r.nodes[later].flags |= flagAgain
	if r.firsts == nil {
		r.firsts = map[int32]int32{}
	}
	first, ok := r.firsts[earlier]
	if !ok {
		first = earlier
	}
	r.firsts[later] = first
}

// hasKey reports whether a member has this key. What it unescapes for that it does not keep: many keys may be compared, and
// each many times.
func hasKey[K string | []byte](m Value, key K) bool {
	scratch := len(m.rec.text)
	same := string(m.Key()) == string(key)
	m.rec.text = m.rec.text[:scratch]
	return same
}
