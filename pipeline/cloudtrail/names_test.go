package cloudtrail

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for want, name := range names {
		key := strings.TrimSuffix(strings.TrimPrefix(name, `"`), `":`)
		if got := FieldOf([]byte(key)); got != Field(want) || len(name) != len(key)+3 {
			t.Errorf("%s: got field %d, want %d", name, got, want)
		}
		if len(name) > longestName {
			t.Errorf("%s: %d bytes, at most %d have room", name, len(name), longestName)
		}
	}
}

func TestSpelling_begins(t *testing.T) {
	const room = "                                " // what follows in a record
	for field, name := range names {
		if Field(field) == Unknown {
			continue // it has no name
		}
		s := &spellings[field]
		for _, test := range []struct {
			what, text string
			want       bool
		}{
			{"as it is", name + `"x"`, true},
			{"white space behind it", name + ` "x"`, false},
			{"another first letter", `"_` + name[2:] + `"x"`, false},
			{"another last letter", name[:len(name)-3] + `_":"x"`, false},
			{"longer", name[:len(name)-2] + `s":"x"`, false},
			{"shorter", name[:1] + name[2:] + `"x"`, false},
		} {
			if got := s.begins([]byte(test.text + room)); got != test.want {
				t.Errorf("%s, %s: got %v, want %v", name, test.what, got, test.want)
			}
		}
	}
}
