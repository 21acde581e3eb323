package ecs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

const fieldsPage = "../../docs/fields.md"

const fieldsIntro = `# Fields of the documents

Written by ` + "`make fields`" + `, from the code and the sample records; a test says when it is out of date.

The names and types are those of the Elastic Common Schema and of Elastic's AWS integration, so that its detection rules and
dashboards work on them. Types are Elasticsearch's; where a cluster does not know one, the template takes the next best
(` + "`flattened`" + ` is ` + "`flat_object`" + ` on OpenSearch). *Seen* says in how many of the %d sample records the encoder alone fills the field.

| field | type | from | seen |
| --- | --- | --- | --- |
`

const rulesIntro = `
## Fields that detection rules read

The %d fields that Elastic's 197 rules over CloudTrail documents name, and how many of the rules do. A field is there whenever the
record has what it needs, unless the last column says what else it takes.

| field | rules | needs |
| --- | --- | --- |
`

// TestFieldsPage: docs/fields.md says what the code does.
func TestFieldsPage(t *testing.T) {
	want := renderFields(t)
	if *update {
		if err := os.WriteFile(fieldsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := string(readFile(t, fieldsPage)); got != want {
		t.Errorf("docs/fields.md is out of date: run `make fields`; the first line that differs is %q", firstDifference(got, want))
	}
}

func firstDifference(got, want string) string {
	lines := strings.Split(got, "\n")
	for i, line := range strings.Split(want, "\n") {
		if i >= len(lines) || lines[i] != line {
			return line
		}
	}
	return "the last"
}

func renderFields(t *testing.T) string {
	t.Helper()
	sources := pairs(t, "testdata/sources.txt", ": ")
	seen, total := countFields(t)
	var page strings.Builder
	fmt.Fprintf(&page, fieldsIntro, total)
	fields := ecs.Fields()
	slices.SortFunc(fields, func(a, b ecs.Field) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range fields {
		if sources[f.Name] == "" {
			t.Errorf("testdata/sources.txt does not say where %s comes from", f.Name)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %d |\n", f.Name, typeText(f), sources[f.Name], seen[f.Name])
		delete(sources, f.Name)
	}
	for name := range sources {
		t.Errorf("testdata/sources.txt names %s, which is no field", name)
	}
	rules := pairs(t, "testdata/rule-fields.txt", " ")
	fmt.Fprintf(&page, rulesIntro, len(rules))
	names := slices.SortedFunc(maps.Keys(rules), func(a, b string) int {
		if d := len(rules[b]) - len(rules[a]); d != 0 { // more digits, more rules
			return d
		}
		return strings.Compare(rules[b]+a, rules[a]+b)
	})
	for _, name := range names {
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", name, rules[name], needs(name))
	}
	return page.String()
}

// needs is what a rule's field takes beside the record; "" for nothing.
func needs(field string) string {
	switch {
	case strings.HasPrefix(field, "source.as."):
		return "an ASN database, `enrich.geoip.asn`"
	case strings.HasPrefix(field, "source.geo."):
		return "a city database, `enrich.geoip.city`"
	case field == "event.ingested":
		return "a sink: it is the time of sending"
	}
	return ""
}

func typeText(f ecs.Field) string {
	text := f.Type.String()
	switch {
	case f.Unindexed:
		text += ", not indexed"
	case f.IgnoreAbove > 0 && f.IgnoreAbove != 1024:
		text += fmt.Sprintf(", up to %d characters", f.IgnoreAbove)
	}
	if f.Sub != ecs.Keyword {
		text += ", `.text`: " + f.Sub.String()
	}
	return text
}

// pairs reads a file of lines of a name and what is said of it.
func pairs(t *testing.T, name, separator string) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, line := range lines(t, name) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, separator)
		if !ok {
			t.Fatalf("%s: %q has no %q", name, line, separator)
		}
		said[key] = value
	}
	return said
}

// countFields counts the sample records whose documents have each field.
func countFields(t *testing.T) (seen map[string]int, total int) {
	t.Helper()
	fields, seen := typed(t), map[string]int{}
	e := ecs.NewEncoder(ecs.Config{})
	records := append(sampleRecords(t), goldenRecords(t)...)
	for _, r := range records {
		of := map[string]bool{}
		for path, v := range decode(t, e.Append(nil, r)) {
			if list, ok := v.([]any); ok && path == "aws.cloudtrail.resources" {
				for _, element := range list {
					for key := range element.(map[string]any) {
						of[path+"."+key] = true
					}
				}
				continue
			}
			of[fieldOf(fields, path)] = true
		}
		for name := range of {
			seen[name]++
		}
	}
	return seen, len(records)
}

// fieldOf is the field that a path belongs to: the path, or the flattened field above it.
func fieldOf(fields map[string]ecs.Field, path string) string {
	for at := path; ; {
		if _, ok := fields[at]; ok {
			return at
		}
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			return path
		}
		at = at[:i]
	}
}

// goldenRecords are the records of testdata/golden.
func goldenRecords(t testing.TB) []*cloudtrail.Record {
	t.Helper()
	names, err := filepath.Glob("testdata/golden/*/*.record.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden records: %v", err)
	}
	var records []*cloudtrail.Record
	for _, name := range names {
		records = append(records, parse(t, string(readFile(t, name))))
	}
	return records
}

// TestRuleFields: each field that a detection rule reads is filled when the record has what it needs.
func TestRuleFields(t *testing.T) {
	filled := map[string]bool{}
	e := ecs.NewEncoder(ecs.Config{})
	records := append(sampleRecords(t), goldenRecords(t)...)
	for _, text := range ruleRecords {
		records = append(records, parse(t, text))
	}
	for _, r := range records {
		for path, v := range decode(t, e.Append(nil, r)) {
			filled[path] = true
			list, _ := v.([]any)
			for path := range pathsBelow(path, list) {
				filled[path] = true
			}
		}
	}
	missing := 0
	for field := range pairs(t, "testdata/rule-fields.txt", " ") {
		if !filled[field] && needs(field) == "" {
			missing++
			t.Errorf("no document has %s", field)
		}
	}
	t.Logf("all fields of rules but %d are filled", missing)
}

// pathsBelow are the paths of the objects in a list, which search takes for those of one object.
func pathsBelow(path string, list []any) map[string]any {
	all := map[string]any{}
	for _, element := range list {
		object, ok := element.(map[string]any)
		if !ok {
			continue
		}
		for below, v := range paths(object) {
			all[path+"."+below] = v
			sub, _ := v.([]any)
			maps.Copy(all, pathsBelow(path+"."+below, sub))
		}
	}
	return all
}

// ruleRecords have what some rules ask for and no sample record has.
var ruleRecords = []string{
	`{"eventName":"UpdateUser","requestParameters":{"userName":"a","newUserName":"b"}}`,
	`{"requestParameters":{"omitted":true,"originalSize":124,"reason":"requestParameters too large"}}`,
	`{"requestParameters":{"x-amz-server-side-encryption-customer-algorithm":"AES256","aclProtocol":"-1","activate":true,
		"attribute":"userData","enable":false,"groupSet":{"items":[{"groupId":"sg-1"}]},"includeDeprecated":true,"key":"x.js",
		"protocol":"https","ruleAction":"allow","serialNumber":"arn:aws:iam::1:mfa/x","withDecryption":true,"x-amz-acl":"public-read",
		"ipPermissions":{"items":[{"fromPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]},"instanceId":"i-0123456789"},
		"responseElements":{"documentDescription":{"documentType":"Command"}}}`,
}
