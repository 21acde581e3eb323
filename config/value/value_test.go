package value_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/config/value"
)

func TestSecret(t *testing.T) {
	const planted = "hunter2"
	s := value.Secret(planted)
	asJSON, err := json.Marshal(map[string]any{"password": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(asJSON)} {
		if strings.Contains(got, planted) {
			t.Errorf("printing a secret shows it: %s", got)
		}
	}
	if got := s.Reveal(); got != planted {
		t.Errorf("Reveal: got %q, want %q", got, planted)
	}
	if got := value.Secret("").String(); got != "" {
		t.Errorf("an unset secret prints %q, want nothing", got)
	}
}

func TestBytes(t *testing.T) {
	cases := []struct {
		text string
		want value.Bytes
		back string
	}{
		{"64MiB", 64 << 20, "64MiB"},
		{"5 MiB", 5 << 20, "5MiB"},
		{"1.5KiB", 1536, "1536"},
		{"10MB", 10_000_000, "10000000"},
		{"512", 512, "512"},
		{"0", 0, "0"},
		{"2048KiB", 2 << 20, "2MiB"},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			var got value.Bytes
			if err := got.UnmarshalText([]byte(c.text)); err != nil {
				t.Fatal(err)
			}
			if got != c.want || got.String() != c.back {
				t.Errorf("got %d (%s), want %d (%s)", got, got, c.want, c.back)
			}
		})
	}
	for _, text := range []string{"", "MiB", "-1", "64MIB", "five", "NaN", "1e300GiB", "Inf"} {
		var got value.Bytes
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}

func TestUnder(t *testing.T) {
	err := value.Under("sinks", errors.Join(
		value.Wrong("elasticsearch.urls", "empty"),
		errors.Join(value.Wrong("", "two"), errors.New("plain")),
	))
	got := strings.Split(err.Error(), "\n")
	want := []string{"sinks.elasticsearch.urls: empty", "sinks: two", "plain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if value.Under("sinks", nil) != nil {
		t.Error("nothing wrong becomes an error")
	}
}

func TestMask(t *testing.T) {
	cases := map[string]string{
		"https://es:9200":                          "https://es:9200",
		"https://user:pass@es:9200/x":              "https://<secret>@es:9200/x",
		`Get "http://u:p%40ss@h/": refused`:        `Get "http://<secret>@h/": refused`,
		"https://user:pa@ss@es":                    "https://<secret>@es",
		"https://user:pa/ss@es/path":               "https://<secret>@es/path",
		"http:/user:pass@es":                       "http:/<secret>@es",
		"https://token@es, https://u:p@two":        "https://<secret>@es, https://<secret>@two",
		"https://es:9200/a@b":                      "https://es:9200/a@b",
		"no url at all, user@example.com":          "no url at all, user@example.com",
		"s3://bucket/key@2 and https://es/?q=a@b ": "s3://bucket/key@2 and https://es/?q=a@b ",
	}
	for text, want := range cases {
		if got := value.Mask(text); got != want {
			t.Errorf("Mask(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := value.ReadSecret(write("good", " s3cret \r\n"))
	if err != nil || got.Reveal() != " s3cret " {
		t.Errorf("got %q, %v; want the text without its line end", got.Reveal(), err)
	}
	for _, path := range []string{write("empty", "\n"), write("large", strings.Repeat("x", 1<<17)), filepath.Join(dir, "missing"), dir} {
		if _, err := value.ReadSecret(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names it", path, err)
		}
	}
}
