package config

import (
	"errors"
	"fmt"
	"strings"
)

// expand replaces each ${NAME} of text by the environment's value and $${ by a plain ${. It works on one scalar of the
// parsed file, so that what the environment holds is never read as YAML. Its error says what to do and shows no value.
func expand(text string, env func(string) (string, bool)) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			out.WriteString(text)
			return out.String(), nil
		}
		if plain, escaped := strings.CutSuffix(before, "$"); escaped {
			out.WriteString(plain + "${")
			text = after
			continue
		}
		out.WriteString(before)
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !variable(name) {
			return "", errors.New("${ begins a variable that does not end: write ${NAME} with letters, digits and _, or $${ for a plain ${")
		}
		v, ok := env(name)
		if !ok {
			return "", fmt.Errorf("the environment has no variable %s: set it, or write $${%s} if the text itself is meant", name, name)
		}
		out.WriteString(v)
		text = rest
	}
}

// variable reports whether name can name a variable of the environment.
func variable(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
