package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// shown is an item as tests compare it.
type shown struct {
	Status       int
	Hidden, Used bool
	Type, Reason string
}

func look(a *answer, it item) shown {
	return shown{it.status, it.hidden, it.failureStore, string(a.of(it.kind)), string(a.of(it.reason))}
}

func TestAnswer(t *testing.T) {
	cases := []struct {
		name, text string
		want       []shown
	}{
		{
			"the page's example", `{"took":7,"errors":true,"items":[
			{"create":{"_index":".ds-ct-2026.02.03-000001","_id":"e1","_version":1,"result":"created","_shards":{"total":2,"failed":[]},"status":201}},
			{"create":{"_index":"ct","_id":"e2","status":409,"error":{"type":"version_conflict_engine_exception","reason":"[e2]: version conflict"}}}]}`,
			[]shown{{Status: 201, Hidden: true}, {409, false, false, "version_conflict_engine_exception", "[e2]: version conflict"}},
		},
		{
			"filtered", `{"errors":false,"items":[{"create":{"_index":"a","status":201}},{"create":{"_index":"a","status":201}}]}`,
			[]shown{{Status: 201}, {Status: 201}},
		},
		{"items first", `{"items":[{"index":{"status":200}}],"took":1,"errors":false}`, []shown{{Status: 200}}},
		{
			"failure store", `{"items":[{"create":{"_index":".fs-x","status":201,"failure_store":"used"}},{"create":{"status":201,"failure_store":"not_enabled"}}]}`,
			[]shown{{Status: 201, Hidden: true, Used: true}, {Status: 201}},
		},
		{
			"causes", `{"items":[{"create":{"error":{"root_cause":[{"type":"x","reason":"y"}],"reason":"r","type":"t","caused_by":{"type":"u","reason":"v"}},"status":400}}]}`,
			[]shown{{400, false, false, "t", "r"}},
		},
		{
			"an error that is text, and escapes", `{"items":[{"create":{"status":500,"error":"a\"b\\c\nd\u00e9"}}]}`,
			[]shown{{500, false, false, "", `a"b\c d\u00e9`}},
		},
		{"nulls", `{"items":[{"create":{"_index":"","status":null,"error":{"type":null,"reason":null}}}]}`, []shown{{}}},
		{"a status that is no number", `{"items":[{"create":{"status":"200"}},{"create":{"status":-1}}]}`, []shown{{}, {}}},
		{"no items", `{"items":[]}`, []shown{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var a answer
			err := a.read(iotest.OneByteReader(strings.NewReader(tc.text)))
			got := []shown{}
			for _, it := range a.items {
				got = append(got, look(&a, it))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v, items (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestAnswer_bad(t *testing.T) {
	whole := `{"took":1,"items":[{"create":{"_index":"a","status":201,"error":{"type":"t","reason":"r\"x"}}}]}`
	for i := range whole {
		var a answer
		if err := a.read(strings.NewReader(whole[:i])); !errors.Is(err, errAnswer) {
			t.Errorf("cut after %q: got %v, want an error", whole[:i], err)
		}
	}
	for _, text := range []string{
		"<html><body>502</body></html>", "429 Too Many Requests /_bulk", "[]", "null", whole + "x", whole + whole,
		`{"items":{}}`, `{"items":[[]]}`, `{"items":[{"create":[]}]}`, "{\"took\":\"\n\"}", `{"took":}`, `{"took":]}`,
	} {
		var a answer
		if err := a.read(strings.NewReader(text)); !errors.Is(err, errAnswer) {
			t.Errorf("%s: got %v, want an error", text, err)
		}
	}
}

func TestAnswer_bounds(t *testing.T) {
	var a answer
	long := strings.Repeat("é", 4000)
	err := a.read(strings.NewReader(fmt.Sprintf(`{%q:1,"items":[{"create":{"_index":%q,"status":400,"error":{"type":%q,"reason":%q}}}]}`, long, long, long, long)))
	if err != nil || len(a.items) != 1 {
		t.Fatal(err, a.items)
	}
	it := a.items[0]
	if got := len(a.of(it.kind)); got != maxType {
		t.Errorf("type: got %d bytes, want %d", got, maxType)
	}
	if got := len(a.of(it.reason)); got != maxReason {
		t.Errorf("reason: got %d bytes, want %d", got, maxReason)
	}
	if got := valid(a.of(it.reason)[:maxReason-1]); strings.ContainsRune(got, '\uFFFD') || len(got) != maxReason-2 {
		t.Errorf("a reason cut inside a character: got %d bytes", len(got))
	}
}

// FuzzAnswer: nothing makes the reader fail otherwise than by an error, and whatever it takes, encoding/json reads the
// same statuses from.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"took":7,"errors":true,"items":[{"create":{"_index":".ds-a","_id":"x","status":201}},{"create":{"status":409,"error":{"type":"t","reason":"\u00e9"}}}]}`))
	f.Add([]byte(`{"error":{"root_cause":[],"type":"security_exception","reason":"no"},"status":403}`))
	f.Add([]byte(`{"items":[{"create":{"failure_store":"used","status":200.5e1}}]}`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, slow answer
		err := a.read(bytes.NewReader(text))
		if errSlow := slow.read(iotest.OneByteReader(bytes.NewReader(text))); (err == nil) != (errSlow == nil) || len(a.items) != len(slow.items) {
			t.Fatalf("byte by byte it reads otherwise: %v, %v", err, errSlow)
		}
		var want struct {
			Items []map[string]struct {
				Status int `json:"status"`
			} `json:"items"`
		}
		if err != nil || json.Unmarshal(text, &want) != nil || bytes.Count(text, []byte("items"))+bytes.Count(text, []byte("\\")) != 1 {
			return
		}
		if len(want.Items) != len(a.items) {
			t.Fatalf("got %d items, want %d", len(a.items), len(want.Items))
		}
		for i, it := range want.Items {
			for _, w := range it {
				if got := a.items[i].status; len(it) == 1 && bytes.Count(text, []byte("status")) == len(a.items) && w.Status > 0 && w.Status < 1000 && got != w.Status {
					t.Fatalf("item %d: got status %d, want %d", i, got, w.Status)
				}
			}
		}
	})
}

// answerOf is the answer for n stored documents.
func answerOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"took":12,"errors":false,"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"create":{"_index":"logs-aws.cloudtrail-trailship-2026.11.21","status":201}}`)
	}
	b.WriteString("]}")
	return b.Bytes()
}

func TestAnswer_allocations(t *testing.T) {
	text, r, a := answerOf(5000), bytes.NewReader(nil), &answer{}
	got := testing.AllocsPerRun(10, func() {
		r.Reset(text)
		if err := a.read(r); err != nil || len(a.items) != 5000 {
			t.Fatal(err, len(a.items))
		}
	})
	if got > 0 {
		t.Errorf("reading an answer of 5000 items allocates %v times, want never", got)
	}
}

func BenchmarkAnswer(b *testing.B) {
	text, r, a := answerOf(5000), bytes.NewReader(nil), &answer{}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(text)
		if err := a.read(io.Reader(r)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/item")
}
