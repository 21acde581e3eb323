package filter

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// op is what a matcher compares.
type op uint8

const (
	opText     op = iota // a string, to the letter
	opLiteral            // a number, true, false or null, as it is written
	opPrefix             // of a string
	opSuffix             // of a string
	opWildcard           // a string
	opNumeric            // a number within bounds
	opCIDR               // an address within one of several blocks
	opBut                // any value that none of several matchers matches
	opPresent            // any value
	opAbsent             // never a value: matchLeaf asks for it
)

// A matcher is one value of a pattern's list. Which fields count follows from op.
type matcher struct {
	op     op
	text   []byte
	fold   bool // case does not count
	parts  [][]byte
	low    bound
	high   bound
	blocks []netip.Prefix
	but    []matcher
}

// bound is one end of a numeric range.
type bound struct {
	set, open bool // open: the value itself is outside
	value     float64
}

// match reports whether a leaf of the record matches. text is a string's content, of any other kind what is written.
func (m *matcher) match(kind cloudtrail.Kind, text []byte) bool {
	switch m.op {
	case opPresent:
		return true
	case opAbsent:
		return false
	case opBut:
		for i := range m.but {
			if m.but[i].match(kind, text) {
				return false
			}
		}
		return true
	case opLiteral:
		return kind != cloudtrail.KindString && bytes.Equal(text, m.text)
	case opNumeric:
		return kind == cloudtrail.KindNumber && m.inRange(text)
	}
	return kind == cloudtrail.KindString && m.matchText(text)
}

func (m *matcher) matchText(text []byte) bool {
	switch m.op {
	case opText:
		return bytes.Equal(text, m.text) || m.fold && bytes.EqualFold(text, m.text)
	case opPrefix:
		if m.fold {
			return bytes.EqualFold(firstRunes(text, utf8.RuneCount(m.text)), m.text)
		}
		return bytes.HasPrefix(text, m.text)
	case opSuffix:
		if m.fold {
			return bytes.EqualFold(lastRunes(text, utf8.RuneCount(m.text)), m.text)
		}
		return bytes.HasSuffix(text, m.text)
	case opWildcard:
		return matchWildcard(m.parts, text)
	case opCIDR:
		addr, ok := cloudtrail.ParseAddr(text)
		return ok && slices.ContainsFunc(m.blocks, func(b netip.Prefix) bool { return b.Contains(addr) })
	}
	return false
}

// firstRunes cuts text behind its first n characters. Letters that differ in case only may differ in bytes.
func firstRunes(text []byte, n int) []byte {
	end := 0
	for ; n > 0 && end < len(text); n-- {
		_, size := utf8.DecodeRune(text[end:])
		end += size
	}
	return text[:end]
}

func lastRunes(text []byte, n int) []byte {
	start := len(text)
	for ; n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRune(text[:start])
		start -= size
	}
	return text[start:]
}

// matchWildcard matches text against what stands between the asterisks of a wildcard.
func matchWildcard(parts [][]byte, text []byte) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return bytes.Equal(text, first)
	}
	if len(text) < len(first)+len(last) || !bytes.HasPrefix(text, first) || !bytes.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := bytes.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// maxNumeric bounds what numeric compares, on both sides. Source: "Comparison operators", numeric matching.
const maxNumeric = 5e9

func (m *matcher) inRange(text []byte) bool {
	x, err := strconv.ParseFloat(string(text), 64) // the string does not escape: one of usual length costs nothing
	if err != nil || x > maxNumeric || x < -maxNumeric {
		return false
	}
	if m.low.set && (x < m.low.value || m.low.open && x == m.low.value) {
		return false
	}
	return !m.high.set || x < m.high.value || !m.high.open && x == m.high.value
}
