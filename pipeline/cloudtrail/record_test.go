package cloudtrail_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func parse(t testing.TB, text string) *cloudtrail.Record {
	t.Helper()
	r := new(cloudtrail.Record)
	if err := r.Parse([]byte(text)); err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
	return r
}

func TestRecord_void(t *testing.T) {
	tests := []struct {
		name  string
		value string
		want  string // what AppendJSON gives; "" when the value is void
	}{
		{"null", `null`, ``},
		{"empty string", `""`, ``},
		{"a dash", `"-"`, ``},
		{"none", `"none"`, ``},
		{"none and -, escaped", `["n\u006fne","\u002d","\u006e\u006f\u006e\u0065"]`, ``},
		{"escaped, but not none", `"n\u006fn"`, `"n\u006fn"`},
		{"None stays", `"None"`, `"None"`},
		{"empty object", `{}`, ``},
		{"empty array", `[]`, ``},
		{"an empty object with a space", `{ }`, ``},
		{"zero stays", `0`, `0`},
		{"false stays", `false`, `false`},
		{"nothing but void inside", `{"a":{"b":[null,"",{}]},"c":"-"}`, ``},
		{"void members go", `{"a":null,"b":1,"c":""}`, `{"b":1}`},
		{"void elements go", `[null,1,"",[],2]`, `[1,2]`},
		{"deep", `{"a":{"b":{"c":"none","d":"x"}},"e":[{"f":{}}]}`, `{"a":{"b":{"d":"x"}}}`},
		{"even objects are copied", `{"a":[1,{"b":"c"}]}`, `{"a":[1,{"b":"c"}]}`},
		{"white space goes", "{\"a\" : [ 1 ,\n2 ] }", `{"a":[1,2]}`},
		{"of equal keys the last stays", `{"a":1,"b":2,"a":3}`, `{"b":2,"a":3}`},
		{"escaped keys are equal too", `{"a":1,"\u0061":2}`, `{"\u0061":2}`},
		{"also one behind an escaped one", `{"x":1,"\u0061":2,"a":3}`, `{"x":1,"a":3}`},
		{"and with others in between", `{"x":1,"\u0061":2,"b":1,"a":3}`, `{"x":1,"b":1,"a":3}`},
		{"escapes stay", `"a\n\u00e9\"\/"`, `"a\n\u00e9\"\/"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, behind := range []string{"", strings.Repeat(" ", 60)} { // what follows changes nothing
				r := parse(t, `{"eventName":"x","requestParameters":`+tt.value+`}`+behind)
				v := r.Field(cloudtrail.RequestParameters)
				if got := string(v.AppendJSON(nil)); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if v.Exists() != (tt.want != "") {
					t.Errorf("Exists is %v", v.Exists())
				}
			}
		})
	}
}

// TestRecord_manyKeys: objects of thousands of keys take time and memory in proportion to their size, and of equal keys the
// last counts in them too.
func TestRecord_manyKeys(t *testing.T) {
	const keys = 60_000
	for _, tt := range []struct{ form, before string }{{`"%05d":%d`, ""}, {`"\n%05d":%d`, "\n"}} {
		var text strings.Builder
		for i := range keys {
			fmt.Fprintf(&text, tt.form+",", i, i)
		}
		fmt.Fprintf(&text, tt.form+","+tt.form+","+tt.form, 0, -1, keys, -1, keys, -2)
		v := parse(t, `{"eventName":"x","requestParameters":{`+text.String()+`}}`).Field(cloudtrail.RequestParameters)
		if got, want := v.Count(), keys+1; got != want {
			t.Fatalf("%s: got %d keys, want %d", tt.form, got, want)
		}
		var got map[string]int
		if err := json.Unmarshal(v.AppendJSON(nil), &got); err != nil {
			t.Fatal(err)
		}
		for i, want := range map[int]int{0: -1, 1: 1, keys: -2} {
			if key := fmt.Sprintf("%s%05d", tt.before, i); got[key] != want {
				t.Errorf("%s: key %d is %d, want %d", tt.form, i, got[key], want)
			}
		}
		if n := testing.AllocsPerRun(1, func() { v.Get("nowhere") }); n > 0 {
			t.Errorf("%s: a search for a key allocates %v times", tt.form, n)
		}
	}
}

// TestRecord_oneKey: one key thousands of times, which takes time in proportion, and so does its rank.
func TestRecord_oneKey(t *testing.T) {
	const times = 200_000
	v := parse(t, `{"requestParameters":{"first":0`+strings.Repeat(`,"k":1`, times)+`,"k":2}}`).Field(cloudtrail.RequestParameters)
	if got, want := string(v.AppendJSON(nil)), `{"first":0,"k":2}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	first := v.FirstEvery().NextEvery()
	if m := v.Get("k"); v.Rank(m) != v.Rank(first) {
		t.Errorf("got rank %d, want %d", v.Rank(m), v.Rank(first))
	}
}

// TestRecord_equalKeys: whatever the number of an object's keys, of equal ones the last counts, in the place of the first.
func TestRecord_equalKeys(t *testing.T) {
	for _, n := range []int{2, 30, 63, 64, 65, 200} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `"k%d":"old",`, i)
		}
		for i := range n {
			fmt.Fprintf(&text, `"k%d":"new",`, n-1-i)
		}
		v := parse(t, `{"requestParameters":{`+strings.TrimSuffix(text.String(), ",")+`}}`).Field(cloudtrail.RequestParameters)
		if got := v.Count(); got != n {
			t.Errorf("%d keys twice: got %d", n, got)
		}
		first := v.FirstEvery()
		for m := v.First(); m.Exists(); m = m.Next() {
			if !m.Is("new") {
				t.Fatalf("%d keys twice: %s is %s", n, m.Key(), m.Raw())
			}
		}
		for i, old := 0, first; i < n; i, old = i+1, old.NextEvery() {
			if m := v.Get(string(old.Key())); v.Rank(m) != v.Rank(old) {
				t.Errorf("%d keys twice: %s has rank %d, want %d", n, old.Key(), v.Rank(m), v.Rank(old))
			}
		}
	}
}

// A container of nothing but void values is written as an empty one by whoever sees it.
func TestValue_AppendJSON_void(t *testing.T) {
	r := parse(t, `{"a":{"b":null},"c":[null,""],"d":{}}`).WholeRoot()
	for key, want := range map[string]string{"a": "{}", "c": "[]", "d": "{}"} {
		if got := string(r.GetWhole(key).AppendJSON(nil)); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestValue_Bytes(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"plain", `"abc"`, "abc"},
		{"every escape", `"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{"code points", `"\u00e9\u20AC"`, "é€"},
		{"surrogate pair", `"\ud83d\ude00"`, "😀"},
		{"lone high surrogate", `"\ud83dx"`, "\ufffdx"},
		{"lone low surrogate", `"\ude00"`, "\ufffd"},
		{"high surrogate before another escape", `"\ud83d\u0041"`, "\ufffdA"},
		{"invalid UTF-8", "\"a\xffb\"", "a\ufffdb"},
		{"number", `1.50`, "1.50"},
		{"true", `true`, "true"},
		{"a number of 400 digits", strings.Repeat("7", 400), strings.Repeat("7", 400)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, `{"errorMessage":`+tt.value+`}`)
			if got := string(r.Field(cloudtrail.ErrorMessage).Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestValue_walk(t *testing.T) {
	r := parse(t, `{"requestParameters":{"a":1,"gone":null,"b":{"c":["x","","y"]},"d\u0065":"z"}}`)
	v := r.Field(cloudtrail.RequestParameters)
	var got []string
	for m := v.First(); m.Exists(); m = m.Next() {
		got = append(got, string(m.Key())+"="+string(m.Raw()))
	}
	if diff := cmp.Diff([]string{"a=1", `b={"c":["x","","y"]}`, `de="z"`}, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if got, want := v.Count(), 4; got != want {
		t.Errorf("Count: got %d, want %d, void members included", got, want)
	}
	second := v.Get("b").Get("c").First().Next()
	if got, want := string(second.Bytes()), "y"; got != want {
		t.Errorf("second element: got %q, want %q", got, want)
	}
	if absent := v.Get("b").Get("nowhere").First(); absent.Exists() || absent.Bytes() != nil || absent.Next().Exists() {
		t.Error("an absent value has something in it")
	}
}

func TestRecord_Parse_refuses(t *testing.T) {
	tests := []struct{ name, text string }{
		{"nothing", ``},
		{"an array", `[]`},
		{"cut", `{"a":`},
		{"trailing comma", `{"a":1,}`},
		{"trailing comma in an array", `{"a":[1,]}`},
		{"comma first", `{,"a":1}`},
		{"two commas", `{"a":1,,"b":2}`},
		{"no comma", `{"a":1 "b":2}`},
		{"no colon", `{"a" 1}`},
		{"key without quotes", `{a:1}`},
		{"key without its opening quote", `{xa":1}`},
		{"single quotes", `{'a':1}`},
		{"wrong bracket", `{"a":[1}}`},
		{"bare line end in a string", "{\"a\":\"b\nc\"}"},
		{"unknown escape", `{"a":"\x"}`},
		{"short code point", `{"a":"\u12"}`},
		{"leading zero", `{"a":01}`},
		{"plus sign", `{"a":+1}`},
		{"no digits behind the point", `{"a":1.}`},
		{"no digits in the exponent", `{"a":1e}`},
		{"a word", `{"a":nul}`},
		{"something behind the record", `{"a":1}x`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, text := range []string{tt.text, `{"eventName":"x","q":` + tt.text + `}`} {
				if err := new(cloudtrail.Record).Parse([]byte(text)); err == nil && text != `{"eventName":"x","q":[]}` {
					t.Errorf("%s was taken", text)
				}
			}
		})
	}
}

// FuzzParse checks the scanner's grammar against encoding/json's.
func FuzzParse(f *testing.F) {
	f.Add([]byte(record("a")))
	f.Add([]byte(`{"a":[1,-0.5e+10,true,false,null,"\ud83d\ude00"],"b":{}}`))
	f.Add([]byte("{\"a\":\"\xff\"}"))
	f.Add([]byte(`{"eventName":"x","q":{xa":1}}`))
	r := new(cloudtrail.Record)
	f.Fuzz(func(t *testing.T, text []byte) {
		err := r.Parse(text)
		want := json.Valid(text) && strings.HasPrefix(string(text), "{")
		if deep := strings.Count(string(text), "[")+strings.Count(string(text), "{") > cloudtrail.MaxDepth; deep {
			return
		}
		if (err == nil) != want {
			t.Errorf("%q: got error %v, valid JSON is %v", text, err, want)
		}
		if err == nil && r.Root().Exists() && !json.Valid(r.Root().AppendJSON(nil)) {
			t.Errorf("%q: AppendJSON gives %q", text, r.Root().AppendJSON(nil))
		}
	})
}

func TestParseTime(t *testing.T) {
	tests := []struct {
		text string
		want string // RFC 3339; "" when refused
	}{
		{"2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"},
		{"2026-02-03T04:05:06.789Z", "2026-02-03T04:05:06.789Z"},
		{"2026-02-03T04:05:06+02:00", "2026-02-03T02:05:06Z"},
		{"2026-02-03T04:05:06-0330", "2026-02-03T07:35:06Z"},
		{"2026-02-03 04:05:06", "2026-02-03T04:05:06Z"},
		{"20131102T010628Z", "2013-11-02T01:06:28Z"},
		{"20131102T010628.123Z", "2013-11-02T01:06:28.123Z"},
		{"2026-02-31T04:05:06Z", ""},
		{"2026-13-01T04:05:06Z", ""},
		{"2026-02-03T24:05:06Z", ""},
		{"2026-02-03", "2026-02-03T00:00:00Z"},
		{"2026-02-03T04:05Z", "2026-02-03T04:05:00Z"},
		{"2026-02-03T04:05:06+02", "2026-02-03T02:05:06Z"},
		{"2026-02-03T04:05:06+18:00", "2026-02-02T10:05:06Z"},
		{"2026-02-03T04:05:06+18:01", ""},
		{"2026-02-03T04:05:06+02:60", ""},
		{"20260203", ""},
		{"2026-02-03T", ""},
		{"2026-02-03T04:05:06Zx", ""},
		{"2026-02-03T04:05:06.Z", ""},
		{"yesterday", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			at, ok := cloudtrail.ParseTime([]byte(tt.text))
			got := ""
			if ok {
				got = at.Format(time.RFC3339Nano)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseKey(t *testing.T) {
	delivered := time.Date(2026, 2, 3, 4, 5, 0, 0, time.UTC)
	tests := []struct {
		name, key string
		want      cloudtrail.KeyInfo
	}{
		{
			name: "a log file", key: "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/111122223333_CloudTrail_eu-west-1_20260203T0405Z_AbCdEfGhIjKlMnOp.json.gz",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentLog, Account: "111122223333", LogRegion: "eu-west-1", Delivered: delivered},
		},
		{
			name: "an organization's, below a prefix that holds AWSLogs", key: "a/AWSLogs/b/AWSLogs/o-abc123/111122223333/CloudTrail-Insight/us-east-1/2026/02/03/111122223333_CloudTrail-Insight_us-east-1_20260203T0405Z_x.json.gz",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentInsight, Organization: "o-abc123", Account: "111122223333", LogRegion: "us-east-1", Delivered: delivered},
		},
		{
			name: "a digest", key: "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/02/03/111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260203T040506Z.json.gz",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentDigest, Account: "111122223333", LogRegion: "eu-west-1"},
		},
		{
			name: "network activity", key: "AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/2026/02/03/x.json.gz",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentNetworkActivity, Account: "111122223333", LogRegion: "eu-west-1"},
		},
		{
			name: "aggregated", key: "AWSLogs/111122223333/CloudTrail-Aggregated/eu-west-1/2026/02/03/x.json.gz",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentAggregated, Account: "111122223333", LogRegion: "eu-west-1"},
		},
		{
			name: "the marker of a new trail", key: "p/AWSLogs/111122223333/CloudTrail/",
			want: cloudtrail.KeyInfo{Content: cloudtrail.ContentMarker, Account: "111122223333"},
		},
		{name: "something else of AWS", key: "AWSLogs/111122223333/Config/eu-west-1/x.json.gz", want: cloudtrail.KeyInfo{Account: "111122223333"}},
		{name: "no AWSLogs", key: "export/file.json.gz"},
		{name: "no account", key: "AWSLogs/x/CloudTrail/eu-west-1/y.json.gz"},
		{name: "nothing", key: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, cloudtrail.ParseKey(tt.key)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2026/02/03/a_20260203T0405Z_b.json.gz")
	f.Fuzz(func(_ *testing.T, key string) { cloudtrail.ParseKey(key) })
}
