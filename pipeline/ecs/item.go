package ecs

import (
	"bytes"
	"slices"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// An item is one value of a list that a document holds as a set: a string of the record or a part of one.
type item struct {
	text  []byte // without escapes
	plain bool   // text needs none in JSON
	kind  entityKind
}

// itemOf makes an item of a string or number; of anything else one without text, which no list takes.
func itemOf(v cloudtrail.Value) item {
	text, plain := v.Content()
	return item{text: text, plain: plain}
}

// add appends a value that is there and has text.
func add(list []item, v cloudtrail.Value) []item {
	if !v.Exists() {
		return list
	}
	if it := itemOf(v); len(it.text) > 0 {
		return append(list, it)
	}
	return list
}

// addUnique appends it unless the list has it or it is empty. It is for short lists whose order counts.
func addUnique(list []item, it item) []item {
	if len(it.text) == 0 {
		return list
	}
	for i := range list {
		if bytes.Equal(list[i].text, it.text) {
			return list
		}
	}
	return append(list, it)
}

// unique sorts a list and drops equal and empty items. The order is that of UTF-8, which differs from the UTF-16 order of
// Elastic's lists only beyond the Basic Multilingual Plane.
func unique(list []item) []item {
	sortItems(list)
	kept := list[:0]
	for _, it := range list {
		if len(it.text) == 0 || len(kept) > 0 && bytes.Equal(kept[len(kept)-1].text, it.text) {
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// shortList is the length up to which sorting by insertion is the quickest.
const shortList = 24

func sortItems(list []item) {
	if len(list) > shortList {
		slices.SortFunc(list, func(a, b item) int { return bytes.Compare(a.text, b.text) })
		return
	}
	for i := 1; i < len(list); i++ {
		it, k := list[i], i
		for ; k > 0 && bytes.Compare(list[k-1].text, it.text) > 0; k-- {
			list[k] = list[k-1]
		}
		list[k] = it
	}
}

// putList appends a member with all items of the list.
func putList(dst []byte, key string, list []item) []byte {
	return putKind(dst, key, list, anyKind)
}

// putKind appends a member with the items of one kind.
func putKind(dst []byte, key string, list []item, kind entityKind) []byte {
	mark := len(dst)
	dst = append(dst, key...)
	dst = append(dst, '[')
	for i := range list {
		if kind == anyKind || list[i].kind == kind {
			dst = append(appendItem(dst, list[i]), ',')
		}
	}
	return end(dst, mark, ']')
}
