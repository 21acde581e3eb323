package ecs_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// TestAppend_lengths: values are spliced whole whatever their length, also where the record ends behind them.
func TestAppend_lengths(t *testing.T) {
	d := newDiffer(ecs.Config{})
	for n := range 80 {
		text := strings.Repeat("v", n)
		for _, form := range []string{
			`{"eventName":"X","requestID":%q}`,
			`{"eventName":"X","requestID":%q,"userIdentity":{"arn":%[1]q,"userName":%[1]q},"awsRegion":%[1]q}`,
			`{"awsRegion":"x\u0041%s"}`, `{"apiVersion":1%s}`,
		} {
			if strings.Contains(form, ":1%s") {
				text = strings.Repeat("7", n)
			}
			d.compare(t, fmt.Appendf(nil, form, text))
		}
	}
}

// TestAppend_room: the room behind dst changes nothing, and what stands before it stays.
func TestAppend_room(t *testing.T) {
	const before = "before"
	e := ecs.NewEncoder(ecs.Config{KeepOriginal: true})
	for i, r := range sampleRecords(t)[:200] {
		want := e.Append(nil, r)
		for room := i % 7; room < len(want)+80; room += 7 {
			dst := append(make([]byte, 0, len(before)+room), before...)
			got := e.Append(dst, r)
			if text, ok := bytes.CutPrefix(got, []byte(before)); !ok || !bytes.Equal(text, want) {
				t.Fatalf("record %d with %d bytes of room: got\n%s\nwant\n%s", i, room, text, want)
			}
		}
	}
}

// TestAppend_lists: lists that are sets are in order, and hold nothing twice.
func TestAppend_lists(t *testing.T) {
	many := make([]string, 0, 60)
	for i := range 30 {
		many = append(many, fmt.Sprintf("i-%010d", 29-i), fmt.Sprintf("i-%010d", i))
	}
	for _, tt := range []struct {
		name string
		ids  []string
		want int
	}{
		{"one", []string{"i-0123456789"}, 1},
		{"equal", []string{"i-0123456789", "i-0123456789"}, 1},
		{"equal, apart", []string{"i-0123456789", "i-0123456780", "i-0123456789", "i-0123456780"}, 2},
		{"downwards", []string{"i-3333333333", "i-2222222222", "i-1111111111"}, 3},
		{"a prefix", []string{"i-01234567890", "i-0123456789"}, 2},
		{"escaped and not", []string{`i-01234567\u0038\u0039`, "i-0123456789"}, 1},
		{"void", []string{"", "-", "i-0123456789", "none"}, 1},
		{"up to where they are inserted", many[:24], 24},
		{"too many for that", many, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := `{"eventName":"X","requestParameters":{"instanceIds":["` + strings.Join(tt.ids, `","`) + `"]}}`
			newDiffer(ecs.Config{}).compare(t, []byte(text))
			var r cloudtrail.Record
			if err := r.Parse([]byte(text)); err != nil {
				t.Fatal(err)
			}
			hosts := hostsOf(t, ecs.NewEncoder(ecs.Config{}).Append(nil, &r))
			if got := len(hosts); got != tt.want {
				t.Errorf("got %d hosts, want %d: %v", got, tt.want, hosts)
			}
			for i := 1; i < len(hosts); i++ {
				if hosts[i-1].(string) >= hosts[i].(string) {
					t.Errorf("%q stands before %q", hosts[i-1], hosts[i])
				}
			}
		})
	}
}

func hostsOf(t *testing.T, doc []byte) []any {
	t.Helper()
	related, _ := document(t, doc)["related"].(map[string]any)
	hosts, _ := related["hosts"].([]any)
	return hosts
}
