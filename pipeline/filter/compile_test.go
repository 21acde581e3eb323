package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/filter"
)

func TestCompile_wrong(t *testing.T) {
	for _, tt := range []struct{ name, pattern, path, advice string }{
		{"no JSON", `{`, "", "no event pattern"},
		{"a list", `[]`, "", "no event pattern"},
		{"empty", `{}`, "", "matches nothing"},
		{"an empty object inside", `{"a":{}}`, "a", "matches nothing"},
		{"an empty list", `{"a":[]}`, "a", "an empty list"},
		{"no list", `{"a":"b"}`, "a", `write ["b"]`},
		{"a list in a list", `{"a":["x",["b"]]}`, "a[1]", "one by one"},
		{"an unknown operator", `{"a":[{"prefx":"b"}]}`, "a[0].prefx", "no such operator"},
		{"two operators", `{"a":[{"prefix":"b","suffix":"c"}]}`, "a[0]", "one operator"},
		{"no operator", `{"a":[{}]}`, "a[0]", "one operator"},
		{"a prefix that is a number", `{"a":[{"prefix":1}]}`, "a[0].prefix", "text must stand here"},
		{"a prefix that is a list", `{"a":[{"prefix":["a"]}]}`, "a[0].prefix", "text must stand here"},
		{"a prefix with another operator", `{"a":[{"prefix":{"wildcard":"x"}}]}`, "a[0].prefix", "equals-ignore-case"},
		{"two wildcards in a row", `{"a":[{"wildcard":"x**y"}]}`, "a[0].wildcard", "** is not allowed"},
		{"a backslash before a letter", `{"a":[{"wildcard":"x\\y"}]}`, "a[0].wildcard", "backslash"},
		{"exists with text", `{"a":[{"exists":"true"}]}`, "a[0].exists", "true or false"},
		{"anything-but of both kinds", `{"a":[{"anything-but":["a",1]}]}`, "a[0].anything-but[1]", "only strings or only numbers"},
		{"anything-but null", `{"a":[{"anything-but":null}]}`, "a[0].anything-but", "only strings or only numbers"},
		{"anything-but nothing", `{"a":[{"anything-but":[]}]}`, "a[0].anything-but", "an empty list"},
		{"anything-but cidr", `{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}`, "a[0].anything-but", "must stand here"},
		{"anything-but an empty prefix", `{"a":[{"anything-but":{"prefix":""}}]}`, "a[0].anything-but.prefix", "nothing is left"},
		{"a cidr without length", `{"a":[{"cidr":"10.0.0.1"}]}`, "a[0].cidr", "block of addresses"},
		{"numeric without a number", `{"a":[{"numeric":[">"]}]}`, "a[0].numeric", "comparison"},
		{"numeric with text", `{"a":[{"numeric":[">","1"]}]}`, "a[0].numeric", "comparison"},
		{"numeric with another sign", `{"a":[{"numeric":["!=",1]}]}`, "a[0].numeric", "comparison"},
		{"numeric upper bound first", `{"a":[{"numeric":["<",10,">",0]}]}`, "a[0].numeric", "comparison"},
		{"numeric bounds crossed", `{"a":[{"numeric":[">",10,"<",0]}]}`, "a[0].numeric", "no number"},
		{"numeric out of range", `{"a":[{"numeric":[">",5000000001]}]}`, "a[0].numeric", "out of range"},
		{"$or of one", `{"$or":[{"a":["b"]}]}`, "$or", "two or more"},
		{"$or of text", `{"$or":["a","b"]}`, "$or[0]", "a pattern"},
		{"$or with an operator", `{"$or":[{"prefix":["a"]},{"b":["c"]}]}`, "$or[0].prefix", "belongs into the list"},
		{"deep", `{"a":{"b":{"$or":[{"c":["d"]},{"e":"f"}]}}}`, "a.b.$or[1].e", "in a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := filter.Compile([]byte(tt.pattern))
			wrong, ok := errors.AsType[*filter.Error](err)
			if !ok {
				t.Fatalf("%s: got %v, want an *Error", tt.pattern, err)
			}
			if wrong.Path != tt.path || !strings.Contains(wrong.Advice, tt.advice) {
				t.Errorf("%s: got %q: %q, want %q: …%s…", tt.pattern, wrong.Path, wrong.Advice, tt.path, tt.advice)
			}
		})
	}
}

func TestNew_names(t *testing.T) {
	_, err := filter.New(filter.Config{Drop: []filter.Rule{`{"a":["b"]}`, `{"a":[]}`}, Keep: []filter.Rule{`{"a":"b"}`}})
	if err == nil {
		t.Fatal("got no error")
	}
	want := "drop[1].a: an empty list matches nothing: write a value, or {exists: false}\nkeep[0].a: values stand in a list: write [\"b\"]"
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
