package ecs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

var readAt = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// A differ compares what the encoder and the reference make of one record after another. One Encoder and one Record take
// them all, as in the daemon: what they keep from a record must not show in the next.
type differ struct {
	cfg     ecs.Config
	encoder *ecs.Encoder
	record  cloudtrail.Record
}

func newDiffer(cfg ecs.Config) *differ {
	return &differ{cfg: cfg, encoder: ecs.NewEncoder(cfg), record: cloudtrail.Record{Object: &cloudtrail.Object{Read: readAt}}}
}

// compare fails unless encoder and reference make the same document of text, or both refuse it.
func (d *differ) compare(t testing.TB, text []byte) {
	t.Helper()
	want, wantErr := reference(d.cfg, text, readAt)
	if err := d.record.Parse(bytes.Clone(text)); (err == nil) != (wantErr == nil) {
		t.Fatalf("got error %v, the reference has %v: %q", err, wantErr, text)
	} else if err != nil {
		return
	}
	got := document(t, d.encoder.Append(nil, &d.record))
	if settled(want); !reflect.DeepEqual(want, settled(got)) { // cmp takes its time
		t.Errorf("(-reference +encoder):\n%s\nof %.3000s", cmp.Diff(want, got), text)
	}
}

// document reads a document with its numbers as they stand and without event.ingested.
func document(t testing.TB, text []byte) map[string]any {
	t.Helper()
	if !json.Valid(text) || bytes.ContainsAny(text, "\n\r") {
		t.Fatalf("not one line of JSON: %q", text)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if key := repeatedKey(json.NewDecoder(bytes.NewReader(text))); key != "" {
		t.Fatalf("the document has the key %q twice: %s", key, text)
	}
	event, _ := doc["event"].(map[string]any)
	delete(event, "ingested")
	return doc
}

// repeatedKey is a key that some object holds twice, which no cluster takes; "" when there is none.
func repeatedKey(d *json.Decoder) string {
	var objects []map[string]bool // nil for an array
	isKey := false
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch token {
		case json.Delim('{'):
			objects = append(objects, map[string]bool{})
		case json.Delim('['):
			objects = append(objects, nil)
		case json.Delim('}'), json.Delim(']'):
			objects = objects[:len(objects)-1]
		default:
			if key, ok := token.(string); ok && isKey {
				if objects[len(objects)-1][key] {
					return key
				}
				objects[len(objects)-1][key] = true
				isKey = false
				continue
			}
		}
		isKey = len(objects) > 0 && objects[len(objects)-1] != nil
	}
}

// settled brings the lists that are sets into one order.
func settled(doc map[string]any) map[string]any {
	if agent, ok := doc["user_agent"].(map[string]any); ok { // the rest of it is a database's
		doc["user_agent"] = agent["original"]
	}
	for _, path := range []string{"error.message", "related.hosts", "related.ip", "aws.cloudtrail.resources"} {
		at, parts := doc, strings.Split(path, ".")
		for _, key := range parts[:len(parts)-1] {
			at, _ = at[key].(map[string]any)
		}
		if list, ok := at[parts[len(parts)-1]].([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	return doc
}

// TestSamples_reference: the encoder writes of every sample record what the reference does, at every setting.
func TestSamples_reference(t *testing.T) {
	records := sampleRecords(t)
	each := 1
	if testing.Short() {
		each = 8
	}
	for _, retain := range []ecs.Retain{ecs.RetainAll, ecs.RetainKeyword, ecs.RetainFlattened, ecs.RetainMinimal, ecs.RetainNone} {
		d := newDiffer(ecs.Config{Retain: retain, KeepOriginal: retain == ecs.RetainAll})
		for i := 0; i < len(records); i += each {
			d.compare(t, records[i].Raw)
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	t.Logf("compared %d documents at each setting", len(records)/each)
}

// FuzzDifferential: encoder and reference make the same document of whatever is a record, or both refuse it; also
// behind another record, and of that record behind it.
func FuzzDifferential(f *testing.F) {
	seen := map[string]bool{}
	for _, r := range sampleRecords(f) { // one of each event
		if name := string(r.Field(cloudtrail.EventName).Bytes()); !seen[name] && len(r.Raw) < 3000 {
			seen[name] = true
			f.Add(r.Raw, byte(0))
		}
	}
	for i, text := range oddRecords {
		f.Add([]byte(text), byte(i))
	}

	f.Fuzz(func(t *testing.T, text []byte, setting byte) {
		d := newDiffer(ecs.Config{Retain: retains[int(setting)%len(retains)], KeepOriginal: setting&0x80 != 0})
		usual := []byte(oddRecords[len(oddRecords)-2])
		for _, text := range [][]byte{usual, text, usual} {
			d.compare(t, text)
		}
	})
}

// oddRecords are small records with what records seldom have.
var oddRecords = []string{
	`{}`, `[]`, `{"a":1}x`, `{"userIdentity":[],"resources":[1,{"ARN":{}}],"tlsDetails":"x","readOnly":"x"}`,
	`{"requestParameters":{"a\u0000":"\ud800","a\ufffd":1,"b":[[[1e400,-0]]]},"eventTime":1,"newThing":{"":{"":""}}}`,
	`{"eventName":"SendCommand","eventSource":"ssm.amazonaws.com","requestParameters":{"instanceIds":["*"],"targets":7}}`,
	`{"digestEndTime":"x","logFiles":{"a":[]},"previousDigestHashValue":["x"],"awsAccountId":{"a":1}}`,
	`{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"\u0041B"},"additionalEventData":[1]}`,
	"{ \"sourceIPAddress\" : \"::ffff:1.2.3.4\" ,\n \"requestParameters\" : { \"a\" : \"\xff\" } }",
	`{"resources":[{"ARN":"a","":1,"x\u0000":[]},{"ARN":"a"}],"timeWindow":"x","summary":1,"Records":[1]}`,
	`{"sharedEventId":"a","sharedEventID":null,"eventID":"b","eventId":"c","recipientAccountID":{},"recipientAccountId":1}`,
	`{"requestParameters":{"Aa":1,"BB":2,"Aa":3},"managementEvent":{"a":[true]},"resources":{"ARN":"a","arn":[1]}}`,
	`{"eventName":"UserAuthentication","additionalEventData":{"UserName":"a@b"},"userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u"}}}`,
	`{"userIdentity":{"type":"AssumedRole","arn":"arn:aws-cn:sts::1:assumed-role/r/@x","sessionContext":{"sessionIssuer":{"userName":"r@s"},"attributes":{"creationDate":"20131102T010628Z"}}},"tlsDetails":{"tlsVersion":"TLSv1.3"}}`,
	`{"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","responseElements":{"instancesSet":{"items":[{"instanceId":"i-0123456789","networkInterfaceSet":{"items":[{"vpcId":"v","groupSet":{"items":[{"groupId":"g"}]}}]}}]}}}`,
}
