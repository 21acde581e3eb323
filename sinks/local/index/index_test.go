package index_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/sinks/local/index"
)

// contents reads a segment as a map from keys to ids.
func contents(t *testing.T, w *index.Written) map[string][]int64 {
	t.Helper()
	s, err := index.Open(w.IDs, w.Firsts)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]int64)
	last := ""
	for _, chunk := range w.Chunks {
		err := s.Scan(chunk, func(key []byte, l index.List) bool {
			if string(key) <= last {
				t.Errorf("key %q follows %q", key, last)
			}
			last = string(key)
			set := index.NewSet(s.Docs())
			if err := l.AddTo(set); err != nil {
				t.Fatal(err)
			}
			for doc := range set.Ascending {
				all[last] = append(all[last], s.IDs[doc])
			}
			if n, err := l.CountIn(set); n != l.N || n != len(all[last]) || err != nil {
				t.Errorf("%q: got %d in the set, %v; want %d, %d", key, n, err, l.N, len(all[last]))
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// made makes events with keys of all frequencies.
func made(random *rand.Rand, n int, from int64) ([]index.Doc, map[string][]int64) {
	want := make(map[string][]int64)
	var docs []index.Doc
	id := from
	for range n {
		id += 1 + random.Int64N(1<<20)
		d := index.Doc{ID: id, Keys: []string{"all", "all", fmt.Sprint("unique", id), fmt.Sprint("k", random.IntN(100)), fmt.Sprint("r", random.IntN(1+n/3))}}
		if random.IntN(3) == 0 {
			d.Keys = append(d.Keys, "third")
		}
		for _, k := range d.Keys {
			if ids := want[k]; len(ids) == 0 || ids[len(ids)-1] != id {
				want[k] = append(ids, id)
			}
		}
		docs = append(docs, d)
	}
	random.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	return docs, want
}

func TestBuild(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 7, 64, 65, 1000, 20_000} {
		docs, want := made(random, n, -5<<20)
		w := index.Build(docs)
		if diff := cmp.Diff(want, contents(t, w)); diff != "" {
			t.Errorf("%d events (-want +got):\n%.2000s", n, diff)
		}
		s, err := index.Open(w.IDs, w.Firsts)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"all", "k7", "a", "zz", "", "third", fmt.Sprint("unique", docs[0].ID)} {
			got := 0
			if c := s.Chunk(key); c >= 0 {
				l, err := s.Find(w.Chunks[c], key)
				if err != nil {
					t.Fatal(err)
				}
				got = l.N
			}
			if got != len(want[key]) {
				t.Errorf("%d events, %q: got %d, want %d", n, key, got, len(want[key]))
			}
		}
	}
}

func TestSegment_Chunks(t *testing.T) {
	docs, want := made(rand.New(rand.NewPCG(3, 4)), 5000, 0)
	w := index.Build(docs)
	s, err := index.Open(w.IDs, w.Firsts)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ from, to string }{{"k", "l"}, {"unique", "uniquf"}, {"", ""}, {"k3", "k30"}, {"zz", ""}, {"", "a"}} {
		n, all := 0, 0
		first, last := s.Chunks(tc.from, tc.to)
		for _, chunk := range w.Chunks[first:last] {
			if err := s.Scan(chunk, func(key []byte, _ index.List) bool {
				if string(key) >= tc.from && (tc.to == "" || string(key) < tc.to) {
					n++
				}
				return true
			}); err != nil {
				t.Fatal(err)
			}
		}
		for key := range maps.Keys(want) {
			if key >= tc.from && (tc.to == "" || key < tc.to) {
				all++
			}
		}
		if n != all {
			t.Errorf("%q to %q: got %d keys, want %d", tc.from, tc.to, n, all)
		}
	}
}

func TestMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, starts := range [][]int64{{0}, {0, 1 << 40}, {1 << 40, 0}, {0, 3, 100}} { // the last ones overlap
		want := make(map[string][]int64)
		var parts []index.Part
		for i, from := range starts {
			docs, has := made(random, 500*(i+1), from)
			w := index.Build(docs)
			s, err := index.Open(w.IDs, w.Firsts)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, index.Part{Segment: s, Chunks: w.Chunks})
			for k, ids := range has {
				want[k] = append(want[k], ids...)
			}
		}
		for _, ids := range want {
			slices.Sort(ids)
		}
		merged, err := index.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, contents(t, merged)); diff != "" {
			t.Errorf("%v (-want +got):\n%.2000s", starts, diff)
		}
	}
}

func TestSet(t *testing.T) {
	const docs = 200
	for from := 0; from <= docs; from += 7 {
		for to := from; to <= docs; to += 13 {
			s := index.NewSet(docs)
			s.AddRange(from, to)
			if s.Count() != to-from || s.CountRange(0, docs) != to-from || s.CountRange(from, to) != to-from || s.Empty() != (from == to) {
				t.Errorf("%d to %d: got %d", from, to, s.Count())
			}
			up, down := slices.Collect(s.Ascending), slices.Collect(s.Descending)
			slices.Reverse(down)
			if !slices.Equal(up, down) {
				t.Errorf("%d to %d: got %v up and %v down", from, to, up, down)
			}
		}
	}
}

// Damaged bytes are an error, or other contents, and never more.
func FuzzSegment(f *testing.F) {
	w := index.Build([]index.Doc{{1, []string{"a", "ab", "b"}}, {5, []string{"a", "c"}}, {9, []string{"c"}}})
	f.Add(w.IDs, w.Firsts, w.Chunks[0])
	f.Add([]byte{2, 1}, []byte{0, 1, 'a'}, []byte{0, 1, 'a', 1, 0xff, 0xff})
	f.Add([]byte{2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []byte{}, []byte{0, 1, 'a', 2, 2, 1, 200})
	f.Fuzz(func(t *testing.T, ids, firsts, chunk []byte) {
		s, err := index.Open(ids, firsts)
		if err != nil {
			return
		}
		set := index.NewSet(s.Docs())
		sound := s.Scan(chunk, func(_ []byte, l index.List) bool {
			if l.AddTo(set) == nil {
				if n, err := l.CountIn(set); err == nil && n > s.Docs()*9 {
					t.Errorf("got %d of %d events", n, s.Docs())
				}
			}
			return true
		})
		out, err := index.Merge([]index.Part{{Segment: s, Chunks: [][]byte{bytes.Clone(chunk)}}})
		if sound != nil && err == nil {
			t.Error("a damaged chunk was merged")
		}
		if err == nil {
			if _, err := index.Open(out.IDs, out.Firsts); err != nil {
				t.Error(err)
			}
		}
	})
}
