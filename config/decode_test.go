package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/config/value"
)

// sample has a field of each kind that a component's Config may have.
type sample struct {
	Name   string            `yaml:"name"`
	Count  int               `yaml:"count"`
	On     bool              `yaml:"on"`
	Wait   time.Duration     `yaml:"wait"`
	Size   value.Bytes       `yaml:"size"`
	Secret value.Secret      `yaml:"secret"`
	Words  []string          `yaml:"words"`
	Parts  []part            `yaml:"parts"`
	Choice *part             `yaml:"choice"`
	Map    map[string]string `yaml:"map"`
}

type part struct {
	Key  string `yaml:"key"`
	Wait int    `yaml:"wait"`
}

func (p *part) SetDefaults() { p.Wait = 7 }

func environment(name string) (string, bool) {
	v, ok := map[string]string{"WORD": "hunter2", "N": "3", "EMPTY": "", "YAML": "x\ncount: 9"}[name]
	return v, ok
}

func TestDecode(t *testing.T) {
	cases := []struct {
		name, text string
		want       sample
	}{
		{"nothing", "", sample{}},
		{"only a comment", "# nothing yet\n", sample{}},
		{
			"scalars", "name: a\ncount: -3\non: true\nwait: 1m30s\nsize: 5MiB\nsecret: 0123\n",
			sample{Name: "a", Count: -3, On: true, Wait: 90 * time.Second, Size: 5 << 20, Secret: "0123"},
		},
		{
			"text that looks like something else", "name: 012\nsecret: true\nwords: [1, 1.50, no, 0x1F]\n",
			sample{Name: "012", Secret: "true", Words: []string{"1", "1.50", "no", "0x1F"}},
		},
		{
			"lists and blocks", "words:\n- a\n- b\nparts:\n  - key: x\n  - {key: y, wait: 1}\n",
			sample{Words: []string{"a", "b"}, Parts: []part{{"x", 7}, {"y", 1}}},
		},
		{"a block", "choice: {key: x}", sample{Choice: &part{"x", 7}}},
		{"an empty block is there", "choice:\n", sample{Choice: &part{"", 7}}},
		{"nothing behind a key leaves it", "name:\nwords:\ncount: null\n", sample{}},
		{"a map", "map: {a: 1, b: two}", sample{Map: map[string]string{"a": "1", "b": "two"}}},
		{
			"the environment", "name: <${WORD}>\ncount: ${N}\nsecret: '${WORD}${N}'\nwords: ['$${WORD}', $N, '${EMPTY}']",
			sample{Name: "<hunter2>", Count: 3, Secret: "hunter23", Words: []string{"${WORD}", "$N", ""}},
		},
		{"the environment is no YAML", "name: ${YAML}", sample{Name: "x\ncount: 9"}},
		{"anchors", "parts: [&one {key: x}, *one]", sample{Parts: []part{{"x", 7}, {"x", 7}}}},
		{"a folded text", "secret: >-\n  a\n  b\n", sample{Secret: "a b"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got sample
			r := newReport("f")
			decode(r, []byte(c.text), environment, &got)
			if err := r.err(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecode_wrong(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown key", "name: a\n\nsiez: 1", "f:3: siez: there is no such key; did you mean size?"},
		{"unknown key, none near", "choice: {zzzzzz: 1}", "f:1: choice.zzzzzz: there is no such key; here stand key, wait"},
		{"twice", "name: a\ncount: 1\nname: b", "f:3: name: this key already stands on line 1: keep one of them"},
		{"twice in a map", "map:\n  a: 1\n  a: 2", "f:3: map.a: this key already stands on line 2: keep one of them"},
		{"no unit", "wait: 5", `f:1: wait: "5" has no unit: write 5s for seconds or 5m for minutes`},
		{"no duration", "wait: 5 minutes", `f:1: wait: "5 minutes" is no duration: write a number and its unit, such as 30s, 5m or 12h`},
		{"no size", "size: big", `f:1: size: "big" is no size: write a number and KiB, MiB or GiB, such as 64MiB`},
		{"no number", "count: 1.5", `f:1: count: "1.5" is no whole number: write one in digits, such as 8`},
		{"no bool", "on: yes", `f:1: on: "yes" is neither true nor false: write one of them`},
		{"a list for a value", "name: [a]", "f:1: name: a single value must stand here, not a list"},
		{"a value for a list", "words: a", "f:1: words: a list must stand here, such as [a, b], not a single value"},
		{"a value for a block", "choice: a", "f:1: choice: keys with values must stand here, not a single value"},
		{"a list for a file", "- a", "f:1: keys with values must stand here, not a list"},
		{
			"unset variable", "parts:\n- key: a\n- key: ${NO_SUCH}",
			"f:3: parts[1].key: the environment has no variable NO_SUCH: set it, or write $${NO_SUCH} if the text itself is meant",
		},
		{
			"variable without end", "secret: pa${ss",
			"f:1: secret: ${ begins a variable that does not end: write ${NAME} with letters, digits and _, or $${ for a plain ${",
		},
		{"a secret where it does not belong", "count: ${WORD}", `f:1: count: "${WORD}" is no whole number: write one in digits, such as 8`},
		{"a secret size", "size: ${WORD}", `f:1: size: "${WORD}" is no size: write a number and KiB, MiB or GiB, such as 64MiB`},
		{"second document", "name: a\n---\nname: b", "f:3: a second document begins here: write everything in one, without ---"},
		{"merge", "choice: {<<: {key: a}}", "f:1: choice.<<: merging is not understood: write the keys themselves"},
		{"no anchor", "name: *a", "f:1: name: *a names no anchor above it: write the value itself"},
		{"tag", "name: !!str a", "f:1: name: a tag such as !!str is not understood: write the value without it"},
		{"no yaml", "name: a\n  b: [", "f:1: this is no YAML: "},
		{"all at once", "conut: 1\nwait: 5\non: maybe", "f:1: conut: there is no such key; did you mean count?\n" +
			"f:2: wait: \"5\" has no unit: write 5s for seconds or 5m for minutes\n" +
			"f:3: on: \"maybe\" is neither true nor false: write one of them"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newReport("f")
			decode(r, []byte(c.text), environment, &sample{})
			err := r.err()
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			if got := err.Error(); got != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(got, c.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"elasticsearch", "opensearch", "ndjson", "urls", "queue_url"}
	for key, want := range map[string]string{
		"elastcsearch": "elasticsearch", "elastic_search": "elasticsearch", "nsjdon": "ndjson", "url": "urls", "queueurl": "queue_url",
		"kafka": "", "": "",
	} {
		if got := nearest(key, known); got != want {
			t.Errorf("nearest(%q): got %q, want %q", key, got, want)
		}
	}
}
