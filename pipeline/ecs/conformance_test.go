package ecs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// goldens are Elastic's own expected documents. Their licence keeps them out of this repository; they are read where a
// checkout has them beside it.
const goldens = "../../../shared/conformance/ecs"

func needGoldens(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(goldens); err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("TRAILSHIP_REQUIRE"), ","), "goldens") {
		t.Fatalf("the goldens are required (TRAILSHIP_REQUIRE) and not at %s", goldens)
	}
	t.Skipf("the goldens are not at %s", goldens)
}

func TestConformance(t *testing.T) {
	needGoldens(t)
	var index map[string]struct{ Retain string }
	unmarshal(t, readFile(t, filepath.Join(goldens, "index.json")), &index)
	if len(index) == 0 {
		t.Fatal("index.json has no cases")
	}
	documents := 0
	for name, c := range index {
		t.Run(name, func(t *testing.T) {
			retain := ecs.Retain(c.Retain)
			if strings.Contains(c.Retain, "unset") {
				retain = ecs.RetainAll
			}
			documents += compareCase(t, name, retain)
		})
	}
	t.Logf("compared %d documents of %d cases with Elastic's", documents, len(index))
}

// compareCase compares the documents of one case with the expected ones and returns how many there are.
func compareCase(t *testing.T, name string, retain ecs.Retain) int {
	t.Helper()
	if err := retain.Validate(); err != nil {
		t.Fatal(err)
	}
	var golden struct{ Expected []map[string]any }
	unmarshal(t, readFile(t, filepath.Join(goldens, "released", name+".expected.json")), &golden)
	lines := bytes.Split(bytes.TrimSpace(readFile(t, filepath.Join(goldens, name+".input.ndjson"))), []byte("\n"))
	if len(lines) != len(golden.Expected) {
		t.Fatalf("%d records for %d documents", len(lines), len(golden.Expected))
	}
	e := ecs.NewEncoder(ecs.Config{Retain: retain, KeepOriginal: true})
	object := &cloudtrail.Object{Read: time.Date(2021, 11, 11, 1, 2, 3, 123456789, time.UTC)}
	for i, line := range lines {
		var r cloudtrail.Record
		if err := r.Parse(line); err != nil {
			t.Fatal(err)
		}
		r.Object = object
		doc := e.Append(nil, &r)
		var got map[string]any
		unmarshal(t, doc, &got)
		if diff := cmp.Diff(compared(golden.Expected[i]), compared(got)); diff != "" {
			t.Errorf("document %d (-want +got):\n%s", i+1, diff)
		}
	}
	return len(lines)
}

// ignored are the fields that README.md beside the goldens says depend on settings, clocks or databases.
var ignored = []string{
	"ecs.version", "event.created", "event.ingested", "event.dataset", "event.module", "tags", "input.", "log.",
	"aws.s3.", "data_stream.", "agent.", "elastic_agent.", "source.geo.", "source.as.", "user_agent.version",
	"user_agent.device.", "user_agent.os.",
}

// sets are the fields whose order means nothing.
var sets = []string{"related.", "aws.cloudtrail.resources"}

// compared flattens a document to its paths, without what is not to be compared.
func compared(doc map[string]any) map[string]any {
	flat := map[string]any{}
	for path, v := range paths(doc) {
		if slices.ContainsFunc(ignored, func(p string) bool { return strings.HasPrefix(path, p) }) {
			continue
		}
		if path == "user_agent.name" && v != "aws-cli" {
			continue
		}
		list, ok := v.([]any)
		if ok && (strings.HasSuffix(path, "entity.id") || strings.HasSuffix(path, "target.id") ||
			slices.ContainsFunc(sets, func(p string) bool { return strings.HasPrefix(path, p) })) {
			v = sorted(list)
		}
		flat[path] = v
	}
	return flat
}

// paths maps the path of every value that is not an object to it.
func paths(doc map[string]any) map[string]any {
	flat := map[string]any{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		object, ok := v.(map[string]any)
		if !ok {
			flat[prefix] = v
			return
		}
		for k, m := range object {
			walk(prefix+"."+k, m)
		}
	}
	for k, v := range doc {
		walk(k, v)
	}
	return flat
}

// sorted is the list as a set: its members as JSON, in order.
func sorted(list []any) []string {
	var texts []string
	for _, v := range list {
		text, _ := json.Marshal(v) // it came from JSON
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

func TestJavaMapVectors(t *testing.T) {
	needGoldens(t)
	var vectors []struct {
		Why    string
		Input  json.RawMessage
		Output string
	}
	unmarshal(t, readFile(t, filepath.Join(goldens, "java-map-vectors.json")), &vectors)
	for _, v := range vectors {
		t.Run(v.Why, func(t *testing.T) {
			doc := encode(t, ecs.Config{}, `{"requestParameters":`+string(v.Input)+`}`)
			if got := doc["aws.cloudtrail.request_parameters"]; got != v.Output {
				t.Errorf("got  %v\nwant %s", got, v.Output)
			}
		})
	}
	t.Logf("compared %d vectors", len(vectors))
}

// encode encodes one record and returns the document by its paths.
func encode(t testing.TB, cfg ecs.Config, record string) map[string]any {
	t.Helper()
	return decode(t, ecs.NewEncoder(cfg).Append(nil, parse(t, record)))
}

func parse(t testing.TB, record string) *cloudtrail.Record {
	t.Helper()
	r := &cloudtrail.Record{Object: &cloudtrail.Object{Read: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}}
	if err := r.Parse([]byte(record)); err != nil {
		t.Fatalf("parsing %.200s: %v", record, err)
	}
	return r
}

// decode checks that doc is one JSON object on one line and returns its paths.
func decode(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	if bytes.ContainsAny(doc, "\n\r") {
		t.Fatalf("the document is on several lines: %q", doc)
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatalf("the document is no JSON: %v: %s", err, doc)
	}
	if d.More() {
		t.Fatalf("something follows the document: %s", doc)
	}
	return paths(m)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func unmarshal(t testing.TB, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
}

// lines splits NDJSON.
func lines(t testing.TB, name string) []string {
	t.Helper()
	var list []string
	s := bufio.NewScanner(bytes.NewReader(readFile(t, name)))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		list = append(list, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
