package lookup

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/historytest"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// eachSample yields the sample records and those of the suite.
func eachSample(t *testing.T, yield func(*cloudtrail.Record)) {
	t.Helper()
	names, err := filepath.Glob("../../../test/samples/*/*.json.gz")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	reader := cloudtrail.NewReader()
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		reader.Reset(text, nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			yield(r)
		}
	}
	for _, text := range historytest.Records() {
		var r cloudtrail.Record
		if err := r.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		yield(&r)
	}
}

// What is shown of a document, and what it is found by, is what the record said that it was made of.
func TestHit_read(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config ecs.Config
	}{
		{"fields", ecs.Config{}}, {"the record itself", ecs.Config{KeepOriginal: true}}, {"objects only", ecs.Config{Retain: ecs.RetainFlattened}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			encoder, n := ecs.NewEncoder(tc.config), 0
			eachSample(t, func(r *cloudtrail.Record) {
				n++
				want := history.Describe(r)
				h := hit{ID: want.ID, Source: encoder.Append(nil, r)}
				got := h.read()
				for _, d := range []*history.Description{&want, &got.Description} {
					slices.Sort(d.Actors)
					slices.Sort(d.Names)
					slices.SortFunc(d.Resources, cmpResources)
				}
				if diff := cmp.Diff(want, got.Description, cmpopts.IgnoreFields(history.Event{}, "Record", "Derived", "Tags"), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", r.Raw, diff)
				}
				if got.Derived == tc.config.KeepOriginal || tc.config.KeepOriginal && string(got.Record) != string(r.Raw) {
					t.Errorf("got derived %v and record %s", got.Derived, got.Record)
				}
			})
			t.Logf("%d records", n)
		})
	}
}

func cmpResources(a, b history.Resource) int {
	if a.Name+a.Type < b.Name+b.Type {
		return -1
	}
	return 1
}

// Fields of another kind than ours are no reason to give up, whatever they hold.
func FuzzHit_read(f *testing.F) {
	for _, doc := range []string{
		`{}`, ``, `[]`, `{"event":{"original":"{"}}`, `{"event":{"original":"{}","action":{"a":1}}}`, `{"@timestamp":"x","user":{"name":[1]}}`,
		`{"event":{"action":"UserAuthentication"},"user":{"name":"u"},"aws":{"cloudtrail":{"flattened":{"additional_eventdata":{"a":null}}}}}`,
		`{"event":{"action":"ConsoleLogin","outcome":"failure"},"aws":{"cloudtrail":{"console_login":{"additional_eventdata":{"mfa_used":true}}}}}`,
		`{"aws":{"cloudtrail":{"resources":[{"arn":"a","x":{}}],"flattened":{"other":{"eventName":"x","new":1}},"management_event":"true"}}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		h := hit{ID: "id", Source: json.RawMessage(doc)}
		got := h.read()
		if got.ID != "id" || !json.Valid(got.Record) {
			t.Errorf("got id %q and record %s", got.ID, got.Record)
		}
		got.contains("x")
	})
}

func FuzzReadCursor(f *testing.F) {
	f.Add(string(cursor{[]byte("1"), []byte(`"a"`), []byte("null"), []byte("-9223372036854775808")}.text()))
	f.Add("'; DROP")
	f.Add("W10")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := readCursor(history.Cursor(text))
		var wrong *history.QueryError
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("got %v, want a QueryError", err)
		}
		if err == nil && text != "" && len(at) != len(ordered(true)) {
			t.Errorf("got %d values", len(at))
		}
	})
}
