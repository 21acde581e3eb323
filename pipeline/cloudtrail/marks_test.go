package cloudtrail

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestMark_everyByte: a byte is marked for what it is, wherever it stands and whatever stands beside it.
func TestMark_everyByte(t *testing.T) {
	for c := range 256 {
		want := c < 0x20 || c == '"' || c == '\\' || c >= 0x80
		for at := range 64 {
			for _, beside := range []byte{'a', ' ', '!', '#', ']', '"', 0, 0x7F, 0x80, 0xFF} {
				text := bytes.Repeat([]byte{beside}, 64)
				text[at] = byte(c)
				for name, got := range marksOf(text) {
					if bit := got[at/8]>>(at%8)&1 == 1; bit != want {
						t.Fatalf("%s: byte %#x at %d among %#x: marked is %v, want %v", name, c, at, beside, bit, want)
					}
				}
			}
		}
	}
}

// marksOf marks a text with the instructions of this processor and without.
func marksOf(text []byte) map[string][]byte {
	fast, plain := make([]byte, len(text)/8), make([]byte, len(text)/8)
	mark(fast, text)
	markPlain(plain, text)
	return map[string][]byte{"mark": fast, "markPlain": plain}
}

// FuzzMarks sets marks of a text in two steps and compares each bit with the byte that it is for.
func FuzzMarks(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 7, 8, 63, 64, 65, 129, 1000, markSpan - 1, markSpan} {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(rnd.IntN(256))
		}
		f.Add(text, uint(size/2))
	}
	f.Fuzz(func(t *testing.T, text []byte, first uint) {
		if len(text) > markSpan {
			text = text[:markSpan]
		}
		known := int(first % uint(len(text)+1))
		var m marks
		for i := range m[:markSpan/8] {
			m[i] = 0xA5 // of an earlier text
		}
		m.set(text[:known], 0)
		m.set(text, known)
		for i, c := range text {
			want := c < 0x20 || c == '"' || c == '\\' || c >= 0x80
			if got := m.at(i)&1 == 1; got != want {
				t.Fatalf("byte %d of %d, %#x: marked is %v, want %v", i, len(text), c, got, want)
			}
			ahead := min(sight, len(text)-i)
			if got, want := m.at(i)&(1<<ahead-1) != 0, anyMark(text[i:i+ahead]); got != want {
				t.Fatalf("%d bytes from %d on: some mark is %v, want %v", ahead, i, got, want)
			}
		}
	})
}

func anyMark(text []byte) bool {
	return bytes.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r >= 0x80 })
}

// TestMarks_longText: what is longer than the marks reach has none at all.
func TestMarks_longText(t *testing.T) {
	var m marks
	text := bytes.Repeat([]byte{'"'}, markSpan+1)
	m.set(text[:markSpan], 0)
	m.set(text, markSpan)
	if m != (marks{}) {
		t.Error("got marks of a text that is too long for them")
	}
}
