package history_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
)

func TestMatchGlob(t *testing.T) {
	for _, tc := range []struct {
		text, pattern string
		want          bool
	}{
		{"CreateUser", "create*", true},
		{"CreateUser", "*user", true},
		{"CreateUser", "*EATE*", true},
		{"CreateUser", "c*u*r", true},
		{"CreateUser", "createuser", true},
		{"CreateUser", "create", false},
		{"CreateUser", "*create", false},
		{"CreateUser", "user*", false},
		{"a", "a*a", false},
		{"aa", "a*a", true},
		{"", "*", true},
		{"", "", true},
		{"x", "", false},
		{"a?b", "a?b", true},
		{"axb", "a?b", false},
		{"ab", "*b*b", false},
		{"abab", "ab*ab*ab", false},
	} {
		if got := history.MatchGlob(tc.text, tc.pattern); got != tc.want {
			t.Errorf("%q as %q: got %v, want %v", tc.text, tc.pattern, got, tc.want)
		}
	}
}

func TestPieces(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "  ": nil, "a": {"a"}, " a  b\tc\n": {"a", "b", "c"}, `a "b c" d`: {"a", "b c", "d"}, `"a b`: {"a b"}, `""`: nil, `a"b c"d`: {"a", "b c", "d"},
	} {
		if diff := cmp.Diff(want, history.Pieces(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
