package history

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Flag is the name of the command-line flag that filters by an attribute: eventName is --event-name. The user is named as
// AWS's own command line names it.
func Flag(a Attribute) string {
	if a == User {
		return "username"
	}
	var b strings.Builder
	for _, r := range string(a) {
		if unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Command is the command line that shows the events of the query, safe to paste into a shell: sh for ordinary values, and
// bash, zsh or ksh where a value has control characters. Cursor and limit are left out. It is empty when a value holds
// what no command line can, a NUL.
func Command(q *Query) string {
	words := []string{"trailship", "events"}
	add := func(flag, value string) { words = append(words, "--"+flag+"="+quote(value)) }
	for _, f := range q.Filters {
		for _, v := range f.Values {
			name := string(f.Attribute)
			if f.Glob {
				name += "*"
			}
			switch {
			case f.Not:
				add("not", name+":"+v)
			case f.Glob:
				add("filter", name+":"+v)
			default:
				add(Flag(f.Attribute), v)
			}
		}
	}
	if q.Text != "" {
		add("text", q.Text)
	}
	if !q.Since.IsZero() {
		add("since", q.Since.String())
	}
	if !q.Until.IsZero() {
		add("until", q.Until.String())
	}
	if q.Oldest {
		words = append(words, "--oldest-first")
	}
	line := strings.Join(words, " ")
	if strings.Contains(line, "\x00") {
		return ""
	}
	return line
}

// quote is a value as one word of a shell. Characters that move a terminal's cursor, end a paste or are invisible become
// codes, for which sh has no way and $'…' is needed.
func quote(s string) string {
	plain, codes := s != "", false
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == 0: // Command refuses it
		case r == utf8.RuneError && size == 1, r != ' ' && !unicode.IsPrint(r):
			codes = true
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:,@+%", r)):
		default:
			plain = false
		}
	}
	switch {
	case codes:
		return "$'" + escape(s) + "'"
	case plain:
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// escape writes s between $' and '. Bytes are written in octal with three digits, since longer forms take in what follows.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0:
			b.WriteByte(0)
		case r == utf8.RuneError && size == 1, r != ' ' && !unicode.IsPrint(r):
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
