package index

import (
	"cmp"
	"slices"
)

// Doc is an event to be indexed. Keys may repeat.
type Doc struct {
	ID   int64
	Keys []string
}

// Build makes a segment of 1 to MaxDocs events with different ids, in any order.
func Build(docs []Doc) *Written {
	docs = slices.SortedFunc(slices.Values(docs), func(a, b Doc) int { return cmp.Compare(a.ID, b.ID) })
	ids := make([]int64, len(docs))
	places := make(map[string]int32, 16*len(docs))
	var keys []string
	var lists [][]uint16
	for i := range docs {
		ids[i] = docs[i].ID
		for _, key := range docs[i].Keys {
			at, there := places[key]
			if !there {
				at = int32(len(keys)) //nolint:gosec // MaxDocs events have not so many
				places[key] = at
				keys, lists = append(keys, key), append(lists, nil)
			}
			if list := lists[at]; len(list) == 0 || list[len(list)-1] != uint16(i) { //nolint:gosec // below MaxDocs
				lists[at] = append(list, uint16(i)) //nolint:gosec // below MaxDocs
			}
		}
	}
	order := make([]int32, len(keys))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // as above
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(keys[a], keys[b]) })
	w := newWriter(ids)
	for _, at := range order {
		w.add(keys[at], lists[at])
	}
	return w.end()
}

// Part is a segment to be merged, with all of its chunks.
type Part struct {
	*Segment
	Chunks [][]byte
}

// Merge makes one segment of several, which have together at most MaxDocs events with different ids.
func Merge(parts []Part) (*Written, error) {
	ids, places := number(parts)
	heads := make([]*head, 0, len(parts))
	for i := range parts {
		h := &head{part: &parts[i], places: places[i]}
		if ok, err := h.next(); err != nil {
			return nil, err
		} else if ok {
			heads = append(heads, h)
		}
	}
	w := newWriter(ids)
	var list []uint16
	for len(heads) > 0 {
		key := heads[0].key
		for _, h := range heads[1:] {
			if string(h.key) < string(key) {
				key = h.key
			}
		}
		least, sorted := string(key), true
		list = list[:0]
		kept := heads[:0]
		for _, h := range heads {
			more := true
			if string(h.key) == least {
				var err error
				if list, err = h.append(list); err != nil {
					return nil, err
				}
				if more, err = h.next(); err != nil {
					return nil, err
				}
			}
			if more {
				kept = append(kept, h)
			}
		}
		heads = kept
		for i := 1; i < len(list) && sorted; i++ {
			sorted = list[i-1] < list[i]
		}
		if !sorted {
			slices.Sort(list)
		}
		w.add(least, list)
	}
	return w.end(), nil
}

// number gives the events of all parts their new numbers.
func number(parts []Part) (ids []int64, places [][]uint16) {
	for i := range parts {
		ids = append(ids, parts[i].IDs...)
		places = append(places, make([]uint16, len(parts[i].IDs)))
	}
	slices.Sort(ids)
	for i := range parts {
		at := 0
		for n, id := range parts[i].IDs {
			if at+1 < len(ids) && ids[at+1] == id {
				at++
			} else if ids[at] != id {
				at, _ = slices.BinarySearch(ids, id)
			}
			places[i][n] = uint16(at) //nolint:gosec // below MaxDocs
		}
	}
	return ids, places
}

// head is the next entry of a part that is being merged.
type head struct {
	part   *Part
	places []uint16
	chunks int // read so far
	rest   []byte
	key    []byte
	list   List
}

func (h *head) next() (bool, error) {
	if len(h.rest) == 0 {
		if h.chunks == len(h.part.Chunks) {
			return false, nil
		}
		h.rest, h.key = h.part.Chunks[h.chunks], h.key[:0]
		h.chunks++
	}
	var ok bool
	if h.key, h.rest, ok = readKey(h.key, h.rest); ok {
		h.list, h.rest, ok = readList(h.rest, len(h.part.IDs))
	}
	if !ok {
		return false, ErrDamaged
	}
	return true, nil
}

func (h *head) append(list []uint16) ([]uint16, error) {
	err := h.list.each(func(doc int) { list = append(list, h.places[doc]) })
	return list, err
}
