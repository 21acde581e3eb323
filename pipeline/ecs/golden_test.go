package ecs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

var update = flag.Bool("update", false, "rewrite the documents in testdata/golden")

// TestGolden compares the documents of real records, one of each event, with those that were looked at and committed.
// go test ./pipeline/ecs -run Golden -update rewrites them.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/golden/*/*.record.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no records in testdata/golden: %v", err)
	}
	events := map[string]bool{}
	for _, name := range names {
		base := strings.TrimSuffix(name, ".record.json")
		event, _, _ := strings.Cut(filepath.Base(base), "-")
		events[event] = true
		t.Run(strings.TrimPrefix(base, "testdata/golden/"), func(t *testing.T) {
			compareGolden(t, name, base+".document.json")
		})
	}
	if len(events) < 60 {
		t.Errorf("%d events, want 60", len(events))
	}
	t.Logf("compared %d documents of %d events", len(names), len(events))
}

func compareGolden(t *testing.T, record, document string) {
	t.Helper()
	r := parse(t, string(bytes.TrimSuffix(readFile(t, record), []byte("\n"))))
	r.Object = &cloudtrail.Object{
		Bucket: "trail", Key: "AWSLogs/" + filepath.Base(record), Region: "eu-west-1", Read: readAt,
	}
	got := ecs.NewEncoder(ecs.Config{}).Append(nil, r)
	if *update {
		var out bytes.Buffer
		if err := json.Indent(&out, got, "", "  "); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(document, append(out.Bytes(), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(decodeAny(t, readFile(t, document)), decodeAny(t, got)); diff != "" {
		t.Errorf("(-committed +encoder); `make golden-update` rewrites it:\n%s", diff)
	}
}

func decodeAny(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
