package local

import (
	"bytes"
	"context"
	"unicode/utf8"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local/index"
)

// piece is a part of the text to look for: a word of it, or what stands in quotes. An event has it when a value of an
// attribute contains it, or when its words are in the rest of the record, the last one perhaps longer than what was
// asked for, and the record contains the piece.
type piece struct {
	text  []byte   // in small letters
	words []string // in small letters
	exact bool     // it is one word, so that there is nothing left to check
	ids   []int64  // events whose id it is
}

// piecesOf takes a text apart.
func piecesOf(text string) (pieces []piece) {
	for _, one := range history.Pieces(text) {
		pieces = append(pieces, newPiece(one))
	}
	return pieces
}

func newPiece(text string) piece {
	p := piece{text: bytes.ToLower([]byte(text))}
	splitWords(nil, p.text, func(word []byte) { p.words = append(p.words, string(word)) })
	p.exact = len(p.words) == 1 && p.words[0] == string(p.text)
	return p
}

// attributeCodes are those whose values are looked through for a text: the ones that say more than a fixed word.
const attributeCodes = "nursktagieySUTbhI"

// find says which events of a part have the piece in a value of an attribute, and which have its words.
func (p *piece) find(ctx context.Context, part *part) (sure, words index.Set, err error) {
	sure = index.NewSet(part.Docs())
	whole := []condition{{ids: p.ids}, {keys: []string{indexKey(history.RequestID, string(p.text))}}}
	for i := range whole {
		if err := whole[i].find(ctx, part, sure); err != nil {
			return nil, nil, err
		}
	}
	for _, code := range []byte(attributeCodes) {
		err := part.scanCode(ctx, code, func(key []byte, l index.List) error {
			if containsFold(key[1:], p.text) {
				return l.AddTo(sure)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	words = index.NewSet(part.Docs())
	if len(p.words) == 0 {
		return sure, words, nil
	}
	words.AddRange(0, part.Docs())
	for i, word := range p.words {
		some := index.NewSet(part.Docs())
		from := string(codeWord) + word
		to := from + "\x00"
		if i == len(p.words)-1 {
			to = after(from)
		}
		if err := part.scan(ctx, from, to, func(_ []byte, l index.List) error { return l.AddTo(some) }); err != nil {
			return nil, nil, err
		}
		if words.And(some); words.Empty() {
			break
		}
	}
	return sure, words, nil
}

// after is the first key that does not begin with prefix. Its last byte is that of a word, or the code.
func after(prefix string) string {
	return prefix[:len(prefix)-1] + string([]byte{prefix[len(prefix)-1] + 1})
}

// isIn reports whether the record contains the piece in some value.
func (p *piece) isIn(r *cloudtrail.Record) bool {
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		if holdsText(m, p.text) {
			return true
		}
	}
	return false
}

// containsFold reports whether text contains small, which is in small letters, whatever the case of its letters.
func containsFold(text, small []byte) bool {
	for i := 0; i+len(small) <= len(text); i++ {
		n := 0
		for n < len(small) && lower(text[i+n]) == small[n] {
			n++
		}
		if n == len(small) {
			return true
		}
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return bytes.Contains(bytes.ToLower(text), small)
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
