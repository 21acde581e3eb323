package ecs_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// FuzzAppend: whatever parses as a record becomes one line of JSON that every mapping made from Fields takes.
func FuzzAppend(f *testing.F) {
	for _, r := range sampleRecords(f)[:20] {
		f.Add(r.Raw)
	}
	for _, text := range []string{
		`{}`, `{"userIdentity":[],"resources":[1,{"ARN":{}}],"tlsDetails":"x","readOnly":"x"}`,
		`{"requestParameters":{"a\u0000":"\ud800","b":[[[1e400,-0]]]},"eventTime":1,"newThing":{"":{"":""}}}`,
		`{"eventName":"SendCommand","eventSource":"ssm.amazonaws.com","requestParameters":{"instanceIds":["*"],"targets":7}}`,
		`{"digestEndTime":"x","logFiles":{"a":[]},"previousDigestHashValue":["x"],"awsAccountId":{"a":1}}`,
		`{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"\u0041B"},"additionalEventData":[1]}`,
		"{ \"sourceIPAddress\" : \"::ffff:1.2.3.4\" ,\n \"requestParameters\" : { \"a\" : \"\xff\" } }",
		`{"resources":[{"ARN":"a","":1,"x\u0000":[]},{"ARN":"a"}],"timeWindow":"x","summary":1,"Records":[1]}`,
	} {
		f.Add([]byte(text))
	}
	fields := typed(f)
	encoders := []*ecs.Encoder{
		ecs.NewEncoder(ecs.Config{LeafLimit: 80, KeepOriginal: true}),
		ecs.NewEncoder(ecs.Config{Retain: ecs.RetainFlattened}),
		ecs.NewEncoder(ecs.Config{Retain: ecs.RetainMinimal, LeafLimit: 32000}),
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r cloudtrail.Record
		if r.Parse(text) != nil {
			return
		}
		for _, e := range encoders {
			for _, doc := range [][]byte{e.Append(nil, &r), e.AppendDegraded(nil, &r, "why")} {
				if !json.Valid(doc) || bytes.IndexByte(doc, '\n') >= 0 {
					t.Fatalf("no line of JSON: %q", doc)
				}
				checkKinds(t, fields, doc)
			}
		}
	})
}

// checkKinds fails for an object or a scalar where the field's type takes only the other.
func checkKinds(t *testing.T, fields map[string]ecs.Field, doc []byte) {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(doc)) // UseNumber: a number may be too large for a float64
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		field, known := fields[path]
		object, isObject := v.(map[string]any)
		if known && (field.Type == ecs.Flattened) != isObject {
			t.Fatalf("%s of type %v is %v: %s", path, field.Type, v, doc)
		}
		if !known && !isObject && path != "aws.cloudtrail.resources" {
			t.Fatalf("%s has no type: %s", path, doc)
		}
		if field.Type == ecs.IP && known {
			checkIPs(t, v)
		}
		if known || path == "aws.cloudtrail.resources" { // moved as it is: its other members are not mapped
			return
		}
		for k, member := range object {
			walk(strings.TrimPrefix(path+"."+k, "."), member)
		}
	}
	walk("", m)
}

func checkIPs(t *testing.T, v any) {
	t.Helper()
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, ip := range list {
		if _, err := netip.ParseAddr(ip.(string)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIP compares with net/netip.
func TestIP(t *testing.T) {
	for _, text := range []string{
		"1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1..2.3", "1.2.3.", ".1.2.3",
		"::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::",
		"::1::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", ":", ":::", "1:::2", "AWS Internal", "x.amazonaws.com", "FE80::A",
	} {
		addr, err := netip.ParseAddr(text)
		_, got := encode(t, ecs.Config{}, `{"sourceIPAddress":"`+text+`"}`)["source.ip"]
		if want := err == nil && addr.Zone() == ""; got != want {
			t.Errorf("%q: got an address %v, want %v", text, got, want)
		}
	}
	if _, ok := encode(t, ecs.Config{}, `{"sourceIPAddress":"fe80::1%eth0"}`)["source.ip"]; ok {
		t.Error("an address with a zone is one for an ip field")
	}
}
