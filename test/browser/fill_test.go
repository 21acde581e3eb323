//go:build browser

package browser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local"
)

// hostile is a record made of markup, of characters that turn text round, and of a number that JavaScript cannot hold.
const hostile = `{"eventID":"<b id=x>&\"'","eventTime":"2020-01-01T00:00:00Z","eventName":"<img src=x onerror=alert(1)>",` +
	`"eventSource":"</script><script>alert(2)</script>","awsRegion":"javascript:alert(3)","userAgent":"a` + "\u202e" + `b",` +
	`"userIdentity":{"type":"IAMUser","userName":"<svg onload=alert(4)>","accessKeyId":"\" onmouseover=\"alert(5)"},` +
	`"errorCode":"AccessDenied","errorMessage":"<iframe srcdoc='<script>alert(6)</script>'>",` +
	`"requestParameters":{"z":9007199254740993,"a":1.0,"bucketName":"<a href=javascript:alert(7)>b</a>",` +
	`"__proto__":{"polluted":"yes"},"constructor":"x","n\u0000ul":"a\u0000\u001b[31m\u2066"}}`

// deep is a record of two hundred objects, each in the other.
func deep() string {
	return `{"eventID":"deep","eventTime":"2020-01-01T00:00:01Z","eventName":"Deep","eventSource":"s","requestParameters":` +
		strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200) + "}"
}

// huge is a record of texts without end, and of more resources than anybody looks at.
func huge() string {
	long := func(letter string) string { return strings.Repeat(letter, 60_000) }
	var resources, members []string
	for i := range 3000 {
		resources = append(resources, fmt.Sprintf(`{"ARN":"arn:aws:s3:::bucket-%d","type":"AWS::S3::Bucket"}`, i))
		members = append(members, fmt.Sprintf(`"member%d":"value %d"`, i, i))
	}
	return `{"eventID":"huge","eventTime":"2020-01-01T00:00:02Z","eventName":"` + long("W") + `","eventSource":"` + long("s") + `","awsRegion":"` + long("r") +
		`","sourceIPAddress":"` + long("9") + `","userAgent":"` + long("A") + `","errorCode":"` + long("E") + `","errorMessage":"` + long("m") +
		`","userIdentity":{"type":"IAMUser","userName":"` + long("u") + `","accessKeyId":"` + long("K") + `"},"resources":[` + strings.Join(resources, ",") +
		`],"requestParameters":{"` + long("k") + `":"` + long("v") + `",` + strings.Join(members, ",") + `}}`
}

// sampleDay is the day of most sample events. Their copies are of the days before.
var sampleDay = time.Date(2023, 7, 10, 0, 0, 0, 0, time.UTC)

// noFormat writes no documents: the store keeps records.
type noFormat struct{}

func (noFormat) Append(dst []byte, _ *cloudtrail.Record) []byte                   { return dst }
func (noFormat) AppendDegraded(dst []byte, _ *cloudtrail.Record, _ string) []byte { return dst }
func (noFormat) Stamp([]byte, time.Time)                                          {}

// fill fills a store and says with how many events.
func fill(t *testing.T, store *local.Store) int {
	t.Helper()
	most := 100_000
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		most = 1_000_000
	}
	f := &filler{t: t, store: store}
	for _, text := range []string{hostile, deep(), huge()} {
		f.add([]byte(text))
	}
	records := readSamples(t)
	for day := 0; f.n < most; day++ {
		for _, text := range records {
			f.add(copyOf(t, text, day))
		}
		f.flush()
	}
	return f.n
}

// copyOf is a record as it would have been some days earlier.
func copyOf(t *testing.T, text []byte, days int) []byte {
	t.Helper()
	if days == 0 {
		return text
	}
	var id struct {
		EventID string `json:"eventID"`
	}
	if err := json.Unmarshal(text, &id); err != nil {
		t.Fatal(err)
	}
	day := sampleDay.AddDate(0, 0, -days).Format(time.DateOnly)
	text = bytes.ReplaceAll(text, []byte(sampleDay.Format(time.DateOnly)+"T"), []byte(day+"T"))
	return bytes.ReplaceAll(text, []byte(id.EventID), []byte(fmt.Sprintf("%04x", days)+id.EventID[4:]))
}

type filler struct {
	t     *testing.T
	store *local.Store
	batch *pipeline.Batch
	n     int
}

func (f *filler) add(text []byte) {
	f.t.Helper()
	var r cloudtrail.Record
	if err := r.Parse(text); err != nil {
		f.t.Fatal(err)
	}
	if f.batch == nil {
		f.batch = pipeline.NewBatch(1, noFormat{})
	}
	at, _ := r.Time()
	f.batch.Add(&r, r.Field(cloudtrail.EventID).Bytes(), "index", at)
	f.n++
}

func (f *filler) flush() {
	f.t.Helper()
	if _, err := f.store.Write(f.t.Context(), f.batch); err != nil {
		f.t.Fatal(err)
	}
	f.batch = nil
}

// readSamples reads the sample files.
func readSamples(t *testing.T) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "samples", "*", "*.json.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sample files: %v", err)
	}
	var all [][]byte
	reader := cloudtrail.NewReader()
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		reader.Reset(file, nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, bytes.Clone(r.Raw))
		}
		file.Close()
	}
	return all
}

// quote writes a value as JavaScript.
func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(text)
}

// group writes a number with commas, as the page does.
func group(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
