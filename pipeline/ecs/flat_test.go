package ecs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

func jsonNumber(s string) json.Number { return json.Number(s) }

func TestText(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"order of a HashMap", `{"roleSessionName":"s","roleArn":"r","durationSeconds":3600}`, "{durationSeconds=3600, roleArn=r, roleSessionName=s}"},
		{"equal hashes", `{"BB":2,"Aa":1}`, "{BB=2, Aa=1}"},
		{"size counts void members", `{"k00":0,"k01":1,"k02":2,"k03":3,"k04":4,"k05":5,"k06":6,"k07":7,"k08":8,"k09":9,"k10":10,"k11":11,"zz":""}`, "{k00=0, k11=11, k10=10, k02=2, k01=1, k04=4, k03=3, k06=6, k05=5, k08=8, k07=7, k09=9}"},
		{"nesting", `{"a":[1,{"b":[true,null,false]}]}`, "{a=[1, {b=[true, false]}]}"},
		{"strings as they are", `{"p":"{\"Effect\": \"Allow\"}\n"}`, "{p={\"Effect\": \"Allow\"}\n}"},
		{"escaped key", `{"\u0061\n":1}`, "{a\n=1}"},
		{"integers", `{"a":-0,"b":123456789012345678901234567890}`, "{a=0, b=123456789012345678901234567890}"},
		{"doubles", `[1.0,2.5,0.001,9999999.0]`, "[1.0, 2.5, 0.001, 9999999.0]"},
		{"small and large doubles", `[0.0001,10000000.0,1.5e10,1e400,-1e400,-0.0,1E2]`, "[1.0E-4, 1.0E7, 1.5E10, Infinity, -Infinity, -0.0, 100.0]"},
		{"text", `"reason {x}"`, "reason {x}"},
		{"list", `["a",1]`, "[a, 1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := encode(t, ecs.Config{}, `{"requestParameters":`+tt.value+`}`)
			if got := doc["aws.cloudtrail.request_parameters"]; got != tt.want {
				t.Errorf("got  %v\nwant %s", got, tt.want)
			}
			for path := range doc {
				if strings.Contains(path, ".flattened.") && !strings.HasPrefix(tt.value, "{") {
					t.Errorf("%s: only objects go to flattened fields", path)
				}
			}
		})
	}
}

// TestManyKeys compares the order of large objects with a HashMap as plainly as it can be written.
func TestManyKeys(t *testing.T) {
	var members, want []string
	buckets := make([][]string, 256) // for 97 to 192 keys
	for i := range 150 {
		key := fmt.Sprintf("key-%d-é-𝄞", i*7919)
		h := int32(0)
		for _, u := range utf16Of(key) {
			h = 31*h + int32(u)
		}
		bucket := (uint32(h) ^ uint32(h)>>16) & 255
		buckets[bucket] = append(buckets[bucket], key+"=0")
		members = append(members, fmt.Sprintf("%q:0", key))
	}
	for _, b := range buckets {
		want = append(want, b...)
	}
	doc := encode(t, ecs.Config{}, `{"responseElements":{`+strings.Join(members, ",")+`}}`)
	if got := doc["aws.cloudtrail.response_elements"]; got != "{"+strings.Join(want, ", ")+"}" {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func utf16Of(s string) []uint16 {
	var units []uint16
	for _, r := range s {
		if r >= 0x10000 {
			units = append(units, uint16(0xD800+(r-0x10000)>>10), uint16(0xDC00+(r-0x10000)&0x3FF))
			continue
		}
		units = append(units, uint16(r))
	}
	return units
}

func TestRetain(t *testing.T) {
	const record = `{"requestParameters":{"cidrIp":"c","x":1},"additionalEventData":{"SSEApplied":"s","y":2},"responseElements":{"policyArn":"p"}}`
	const root = "aws.cloudtrail."
	tests := []struct {
		retain ecs.Retain
		want   string // the keys below aws.cloudtrail
	}{
		{"", "additional_eventdata flattened.additional_eventdata.SSEApplied flattened.additional_eventdata.y flattened.request_parameters.cidrIp flattened.request_parameters.x flattened.response_elements.policyArn request_parameters response_elements"},
		{ecs.RetainAll, "additional_eventdata flattened.additional_eventdata.SSEApplied flattened.additional_eventdata.y flattened.request_parameters.cidrIp flattened.request_parameters.x flattened.response_elements.policyArn request_parameters response_elements"},
		{ecs.RetainKeyword, "additional_eventdata request_parameters response_elements"},
		{ecs.RetainFlattened, "flattened.additional_eventdata.SSEApplied flattened.additional_eventdata.y flattened.request_parameters.cidrIp flattened.request_parameters.x flattened.response_elements.policyArn"},
		{ecs.RetainMinimal, "additional_eventdata flattened.additional_eventdata.SSEApplied flattened.request_parameters.cidrIp request_parameters response_elements"},
		{ecs.RetainNone, ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.retain), func(t *testing.T) {
			if err := tt.retain.Validate(); err != nil {
				t.Fatal(err)
			}
			var got []any
			for path := range encode(t, ecs.Config{Retain: tt.retain}, record) {
				if key, ok := strings.CutPrefix(path, root); ok {
					got = append(got, key)
				}
			}
			keys := strings.NewReplacer(`"`, "").Replace(strings.Join(sorted(got), " "))
			if keys != tt.want {
				t.Errorf("got  %s\nwant %s", keys, tt.want)
			}
		})
	}
	if err := ecs.Retain("some").Validate(); err == nil || !strings.Contains(err.Error(), "keyword") {
		t.Errorf("got %v, want an error that names the settings", err)
	}
}

const flatRequest = "aws.cloudtrail.flattened.request_parameters"

// TestTextLimit: an object whose text form is of 32,766 UTF-16 units is kept as text alone.
func TestTextLimit(t *testing.T) {
	tests := []struct {
		name, value string
		flat        bool
	}{
		{"one less", strings.Repeat("x", 32761), true},
		{"at the limit", strings.Repeat("x", 32762), false},
		{"escapes count once", strings.Repeat(`\n`, 32761), true},
		{"two bytes, one unit", strings.Repeat("é", 32761), true},
		{"four bytes, two units", strings.Repeat("𝄞", 16381), false},
		{"a pair of escapes, two units", strings.Repeat(`\ud834\udd1e`, 16381), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := encode(t, ecs.Config{}, `{"requestParameters":{"k":"`+tt.value+`"}}`)
			if _, ok := doc[flatRequest+".k"]; ok != tt.flat {
				t.Errorf("got flattened %v, want %v", ok, tt.flat)
			}
			if doc["aws.cloudtrail.request_parameters"] == nil {
				t.Error("the string copy is missing")
			}
		})
	}
}

func TestLeafLimit(t *testing.T) {
	const limit = 200
	tests := []struct{ name, key, value string }{
		{"ASCII", "k", strings.Repeat("x", 500)},
		{"two bytes", "k", strings.Repeat("é", 300)},
		{"four bytes", "kk", strings.Repeat("𝄞", 100)},
		{"escapes", "k", strings.Repeat(`\"\u00e9\ud834\udd1e`, 50)},
		{"a long key", strings.Repeat("k", 150), strings.Repeat("x", 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := encode(t, ecs.Config{LeafLimit: limit}, `{"requestParameters":{"`+tt.key+`":"`+tt.value+`","short":"s"}}`)
			path := flatRequest + "." + tt.key
			got, _ := doc[path].(string)
			whole, _ := encode(t, ecs.Config{}, `{"requestParameters":{"`+tt.key+`":"`+tt.value+`"}}`)[path].(string)
			if len(path)+1+len(got) > limit {
				t.Errorf("path and value take %d bytes, want at most %d", len(path)+1+len(got), limit)
			}
			if !strings.HasPrefix(whole, got) || !utf8.ValidString(got) || strings.Contains(got, "\uFFFD") {
				t.Errorf("got %q, want the beginning of %q", got, whole)
			}
			if len(path) < 150 && len(got) < (limit-len(path))/3 {
				t.Errorf("only %d bytes are left of the value", len(got))
			}
			if text, _ := doc["aws.cloudtrail.request_parameters"].(string); !strings.Contains(text, whole) {
				t.Error("the string copy is cut")
			}
			if doc[flatRequest+".short"] != "s" {
				t.Error("the short leaf is missing")
			}
		})
	}
}

// TestOddObjects: what a flattened field refuses is changed so that it does not.
func TestOddObjects(t *testing.T) {
	t.Run("NUL in a key", func(t *testing.T) {
		doc := encode(t, ecs.Config{}, `{"requestParameters":{"a\u0000\\u0000":"v","b":""}}`)
		if got := doc[flatRequest+".a\uFFFD\\u0000"]; got != "v" {
			t.Errorf("got %v of %v", got, doc)
		}
	})
	t.Run("too deep", func(t *testing.T) {
		for _, depth := range []int{20, 21, 200} {
			value := strings.Repeat(`{"k":`, depth) + `"v"` + strings.Repeat("}", depth)
			doc := encode(t, ecs.Config{}, `{"requestParameters":`+value+`,"newThing":`+value+`}`)
			want := "v"
			if depth > 20 {
				want = strings.Repeat("{k=", depth-20) + "v" + strings.Repeat("}", depth-20)
			}
			if got := doc[flatRequest+strings.Repeat(".k", 20)]; got != want {
				t.Errorf("depth %d: got %v, want %s", depth, got, want)
			}
		}
	})
	t.Run("unknown keys have limits too", func(t *testing.T) {
		doc := encode(t, ecs.Config{LeafLimit: 100}, `{"newThing":"`+strings.Repeat("x", 200)+`"}`)
		const path = "aws.cloudtrail.flattened.other.newThing"
		if got, _ := doc[path].(string); len(got) != 100-len(path)-1 {
			t.Errorf("got %d bytes", len(got))
		}
	})
}

// Keys with NUL by the thousands take time in proportion to their number, and those that come to one name count once.
func TestFlat_manyNULs(t *testing.T) {
	const keys = 50_000
	var text strings.Builder
	for i := range keys {
		fmt.Fprintf(&text, `"\u0000%d":1,`, i)
	}
	record := `{"eventName":"x","newThing":{` + text.String() + `"\ufffd7":2,"a\u0000":3,"a\ufffd":4}}`
	var r cloudtrail.Record
	if err := r.Parse([]byte(record)); err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{
		"ecs": ecs.NewEncoder(ecs.Config{}).Append(nil, &r),
		"raw": ecs.NewRaw(ecs.Config{}).Append(nil, &r),
	} {
		if got, want := bytes.Count(doc, []byte(`"\ufffd`)), keys; got != want {
			t.Errorf("%s: got %d keys, want %d", name, got, want)
		}
		for _, want := range []string{`"\ufffd7":2`, `"a\ufffd":4`, `"\ufffd8":1`} {
			if bytes.Count(doc, []byte(want)) != 1 {
				t.Errorf("%s: %s is not there once", name, want)
			}
		}
	}
}
