package ecs_test

import (
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/ecs"
)

// TestOddText is the table of the package comment.
func TestOddText(t *testing.T) {
	const text, flat = "aws.cloudtrail.request_parameters", flatRequest + "."
	long := strings.Repeat("m", 1<<20)
	runMapped(t, []mapped{
		{"invalid UTF-8", ecs.Config{}, "{\"requestParameters\":{\"a\xff\":\"b\xfe\xfd\"}}", map[string]any{flat + "a\uFFFD": "b\uFFFD\uFFFD", text: "{a\uFFFD=b\uFFFD\uFFFD}"}},
		{"lone surrogate", ecs.Config{}, `{"requestParameters":{"a":"\ud800x"}}`, map[string]any{flat + "a": "\uFFFDx"}},
		{"a key twice", ecs.Config{}, `{"requestParameters":{"Aa":1,"BB":2,"Aa":3}}`, map[string]any{flat + "Aa": "3", text: "{Aa=3, BB=2}"}},
		{"NUL in a key", ecs.Config{}, `{"requestParameters":{"a\u0000":1,"b":2}}`, map[string]any{flat + "a\uFFFD": "1"}},
		{"NUL in a key, clashing", ecs.Config{}, `{"requestParameters":{"a\u0000":1,"a\ufffd":2}}`, map[string]any{flat + "a\uFFFD": "2"}},
		{"depth 200", ecs.Config{}, `{"requestParameters":` + strings.Repeat(`{"k":`, 200) + "1" + strings.Repeat("}", 200) + `}`, map[string]any{
			flatRequest + strings.Repeat(".k", 20): strings.Repeat("{k=", 180) + "1" + strings.Repeat("}", 180),
		}},
		{"a string of 1 MiB", ecs.Config{LeafLimit: 32_000}, `{"requestParameters":{"k":"` + long + `"}}`, map[string]any{flat + "k": absent{}, text: "{k=" + long + "}"}},
		{"a path of more than 8,000 bytes", ecs.Config{}, `{"requestParameters":{"` + long[:8000] + `":1,"b":2}}`, map[string]any{flat + long[:8000]: absent{}, flat + "b": "2"}},
		{"a number of 400 digits", ecs.Config{}, `{"requestParameters":{"n":` + strings.Repeat("7", 400) + `}}`, map[string]any{flat + "n": strings.Repeat("7", 400)}},
	})
	if doc := encode(t, ecs.Config{}, `{"requestParameters":{"n":`+strings.Repeat("7", 1001)+`}}`); doc[flat+"n"] != strings.Repeat("7", 1001) {
		t.Error("a number of 1,001 digits is no string")
	}
}
