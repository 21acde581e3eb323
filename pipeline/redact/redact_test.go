package redact_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/redact"
)

func TestAppend(t *testing.T) {
	for _, tt := range []struct {
		name, path, text, want string
	}{
		{"a member", "a.b", `{"a":{"b":"secret","c":1}}`, `{"a":{"b":null,"c":1}}`},
		{"an object", "a", `{"a":{"b":"secret"},"c":1}`, `{"a":null,"c":1}`},
		{"not there", "a.x", `{"a":{"b":"kept"}}`, ``},
		{"elements", "a.b", `{"a":[{"b":"secret"},{"c":1},[{"b":2}]]}`, `{"a":[{"b":null},{"c":1},[{"b":null}]]}`},
		{"any key", "a.*.b", `{"a":{"x":{"b":"secret"},"y":{"b":"secret","c":1}}}`, `{"a":{"x":{"b":null},"y":{"b":null,"c":1}}}`},
		{"a key twice", "a", `{"a":"secret","a":"secret"}`, `{"a":null,"a":null}`},
		{"an escaped key", "a", `{"\u0061":"secret"}`, `{"\u0061":null}`},
		{"a void value", "a", `{"a":"-","b":""}`, `{"a":null,"b":""}`},
		{"space around", "a", "{ \"a\" : \"secret\" }", `{ "a" : null }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := redact.New(redact.Config{Drop: []string{tt.path}})
			var rec cloudtrail.Record
			if err := rec.Parse([]byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			got, changed := r.Append(nil, &rec)
			if string(got) != tt.want || changed != (tt.want != "") {
				t.Errorf("got %s %t, want %s", got, changed, tt.want)
			}
		})
	}
}

func TestAppend_hash(t *testing.T) {
	var rec cloudtrail.Record
	if err := rec.Parse([]byte(`{"a":"secret","b":["secret","other",null],"c":{"d":"secret"}}`)); err != nil {
		t.Fatal(err)
	}
	c := redact.Config{Hash: []string{"a", "b", "c"}, HashKey: "k"}
	first, _ := redact.New(c).Append(nil, &rec)
	if bytes.Contains(first, []byte("secret")) || bytes.Contains(first, []byte("other")) {
		t.Errorf("got %s", first)
	}
	var again cloudtrail.Record
	if err := again.Parse(first); err != nil {
		t.Fatal(err)
	}
	a, b := again.Root().Get("a"), again.Root().Get("b").First()
	if len(a.Text()) != 64 || string(a.Text()) != string(b.Text()) {
		t.Errorf("got %s and %s, want equal hashes of equal values", a.Raw(), b.Raw())
	}
	c.HashKey = "another"
	if second, _ := redact.New(c).Append(nil, &rec); bytes.Equal(first, second) {
		t.Error("another key gives the same hashes")
	}
}

func TestValidate(t *testing.T) {
	for want, c := range map[string]redact.Config{
		"drop[0]":  {Drop: []string{"a..b"}},
		"hash[0]":  {Hash: []string{""}, HashKey: "k"},
		"hash_key": {Hash: []string{"a"}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a problem of %s", err, want)
		}
	}
}

// FuzzAppend: what comes out is a record again, without the value.
func FuzzAppend(f *testing.F) {
	f.Add(`{"a":{"b":"secret"},"c":["x"]}`, "a.b", "c")
	f.Add(`{"a":[[{"b":1,"b":2}]]}`, "*.b", "a")
	f.Fuzz(func(t *testing.T, text, drop, hash string) {
		c := redact.Config{Drop: []string{drop}, Hash: []string{hash}, HashKey: "k"}
		var rec, out cloudtrail.Record
		if c.Validate() != nil || rec.Parse([]byte(text)) != nil {
			return
		}
		got, changed := redact.New(c).Append(nil, &rec)
		if !changed {
			return
		}
		if err := out.Parse(got); err != nil {
			t.Fatalf("%s became %s: %v", text, got, err)
		}
		if v := out.WholeRoot().GetWhole(drop); v.Exists() && v.Kind() != cloudtrail.KindNull {
			t.Errorf("%s is left in %s", drop, got)
		}
	})
}
