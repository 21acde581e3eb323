package ecs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/ecs"
)

func TestRaw(t *testing.T) {
	const at = `{"@timestamp":"2026-01-02T03:04:05.000Z",`
	const read = `{"@timestamp":"2026-11-21T09:00:00.000Z",`
	tests := []struct{ name, record, want string }{
		{
			"as it stands", `{"eventTime":"2026-01-02T03:04:05Z","responseElements":null,"userAgent":"-","new":"","resources":[{"ARN":"a"}]}`,
			at + `"eventTime":"2026-01-02T03:04:05Z","responseElements":null,"userAgent":"-","new":"","resources":[{"ARN":"a"}]}`,
		},
		{"nothing in it", `{}`, `{"@timestamp":"2026-11-21T09:00:00.000Z"}`},
		{"nothing but void values", `{"eventName":null}`, read + `"eventName":null}`},
		{"on several lines", "{\n \"eventName\":\"X\",\n \"requestParameters\":{\"a\":[1, 2]}}", read + `"eventName":"X","requestParameters":{"a":[1,2]}}`},
		{"text for an object", `{"requestParameters":"x","resources":"y","eventName":"E"}`, read + `"requestParameters":{"value":"x"},"resources":{"value":"y"},"eventName":"E"}`},
		{"an object for text", `{"eventName":{"b":1,"a":2}}`, read + `"eventName":"{a=2, b=1}"}`},
		{"an identity that is text", `{"userIdentity":"root"}`, read + `"other":{"userIdentity":"root"}}`},
		{
			"an identity with an object where text belongs", `{"userIdentity":{"type":{"a":1},"arn":"x","sessionContext":"s"}}`,
			read + `"userIdentity":{"type":"{a=1}","arn":"x"},"other":{"userIdentity":{"type":{"a":1},"arn":"x","sessionContext":"s"}}}`,
		},
		{"a key twice", `{"eventName":"A","eventName":"B"}`, read + `"eventName":"B"}`},
		{"unknown keys", `{"new":{"a":1},"x.y":2,"_id":3,"@timestamp":"z","plain":4}`, read + `"plain":4,"other":{"new":{"a":1},"x.y":2,"_id":3,"@timestamp":"z"}}`},
		{"NUL in a key", `{"requestParameters":{"a\u0000":1}}`, read + `"requestParameters":{"a\ufffd":1}}`},
	}
	x := ecs.NewRaw(ecs.Config{LeafLimit: 32_000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := x.Append(nil, parse(t, tt.record))
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			x.Stamp(got, time.Now())
			decode(t, got)
			decode(t, x.AppendDegraded(nil, parse(t, tt.record), "why"))
		})
	}
	t.Run("degraded", func(t *testing.T) {
		const record = `{"eventName":"X","userIdentity":{"type":"Root"},"a.b":1}`
		want := read + `"eventName":"X","error":{"message":"\"why\""},"event":{"original":"` + strings.ReplaceAll(record, `"`, `\"`) + `"}}`
		if got := string(x.AppendDegraded(nil, parse(t, record), `"why"`)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestRaw_samples: real records are copied, and every member that is searched is typed.
func TestRaw_samples(t *testing.T) {
	x := ecs.NewRaw(ecs.Config{LeafLimit: 32_000})
	for _, r := range sampleRecords(t) {
		doc := string(x.Append(nil, r))
		_, members, _ := strings.Cut(doc, `Z",`)
		if want := string(r.Raw[1:]); members != want {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, members))
		}
	}
}
