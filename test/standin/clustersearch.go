package standin

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// sortedSearch is a search in an order, page by page: what the stand-in understands of one.
type sortedSearch struct {
	Sort   []map[string]json.RawMessage `json:"sort"`
	Behind []json.RawMessage            `json:"search_after"`
	Query  struct {
		Range map[string]struct{ GTE, LT string } `json:"range"`
	} `json:"query"`
}

// sortedHit is a document and the values that it is sorted by: numbers as float64, others as strings.
type sortedHit struct {
	index, id string
	source    json.RawMessage
	by        []any
}

// sorted answers a search that has an order. Dates are sorted by their milliseconds, and fields that a document does not have
// come last, as clusters do it. The lock is held.
func (c *Cluster) sorted(w http.ResponseWriter, pattern string, size int, ask *sortedSearch) {
	var fields []string
	for _, s := range ask.Sort {
		for field := range s {
			fields = append(fields, field)
		}
	}
	var hits []sortedHit
	for name, ix := range c.indices {
		if !matches(name, []string{pattern}) {
			continue
		}
		for id, doc := range ix.docs {
			var members map[string]any
			if json.Unmarshal(doc, &members) != nil || !ask.within(members) {
				continue
			}
			hit := sortedHit{index: name, id: id, source: doc}
			for _, field := range fields {
				hit.by = append(hit.by, sortValue(members[field], field == "@timestamp"))
			}
			hits = append(hits, hit)
		}
	}
	slices.SortFunc(hits, func(a, b sortedHit) int { return compareAll(a.by, b.by) })
	if len(ask.Behind) > 0 {
		behind := make([]any, len(ask.Behind))
		for i, raw := range ask.Behind {
			_ = json.Unmarshal(raw, &behind[i]) // it was ours
		}
		hits = slices.DeleteFunc(hits, func(h sortedHit) bool { return compareAll(h.by, behind) <= 0 })
	}
	found := []any{}
	for _, h := range hits[:min(size, len(hits))] {
		found = append(found, map[string]any{
			"_index": h.index, "_id": h.id, "_source": h.source, "_seq_no": 1, "_primary_term": 1, "sort": h.by,
		})
	}
	answer(w, http.StatusOK, map[string]any{"hits": map[string]any{"hits": found}})
}

// within reports whether a document is within the ranges of times that were asked for.
func (s *sortedSearch) within(members map[string]any) bool {
	for field, limits := range s.Query.Range {
		text, _ := members[field].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		from, _ := time.Parse(time.RFC3339Nano, limits.GTE)
		to, none := time.Parse(time.RFC3339Nano, limits.LT)
		if err != nil || at.Before(from) || none == nil && !at.Before(to) {
			return false
		}
	}
	return true
}

func sortValue(v any, date bool) any {
	switch text, ok := v.(string); {
	case v == nil:
		return float64(math.MaxInt64)
	case ok && date:
		at, _ := time.Parse(time.RFC3339Nano, text)
		return float64(at.UnixMilli())
	}
	return v
}

func compareAll(a, b []any) int {
	for i := range a {
		if c := compareOne(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareOne(a, b any) int {
	x, numberA := a.(float64)
	y, numberB := b.(float64)
	switch {
	case numberA && numberB:
		return cmp.Compare(x, y)
	case numberA != numberB: // what is missing comes last
		if numberA {
			return 1
		}
		return -1
	}
	s, _ := a.(string)
	t, _ := b.(string)
	return strings.Compare(s, t)
}

// remove deletes a document and appends its item of the answer. The lock is held.
func (c *Cluster) remove(out []byte, to target) []byte {
	ix := c.indices[string(to.index)]
	status, result := http.StatusNotFound, "not_found"
	if ix != nil && ix.docs[string(to.id)] != nil {
		delete(ix.docs, string(to.id))
		ix.count--
		c.stats.Stored--
		status, result = http.StatusOK, "deleted"
	}
	text, err := json.Marshal(map[string]any{"delete": map[string]any{
		"_index": string(to.index), "_id": string(to.id), "status": status, "result": result,
	}})
	if err != nil {
		panic(err) // strings and numbers always can be
	}
	return append(out, text...)
}
