package cloudtrail_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// record is a small whole record with the given event id.
func record(id string) string {
	return `{"eventVersion":"1.08","eventTime":"2026-02-03T04:05:06Z","eventName":"RunInstances","requestParameters":{"a":{"b":[1,2]}},"eventID":"` + id + `"}`
}

func wrap(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zstandard(t testing.TB, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// reading is what came of a file, in order: "id" of a record, "!n@offset" of a refused one, and the final error.
type reading struct {
	Events []string
	Err    error
}

func read(r *cloudtrail.Reader, src io.Reader) reading {
	var got reading
	r.Reset(src, nil)
	for {
		rec, err := r.Next()
		var refused *cloudtrail.Refused
		switch {
		case errors.As(err, &refused):
			got.Events = append(got.Events, fmt.Sprintf("!%d@%d", refused.Number, refused.Offset))
		case err == io.EOF:
			return got
		case err != nil:
			got.Err = err
			return got
		default:
			got.Events = append(got.Events, string(rec.Field(cloudtrail.EventID).Bytes()))
		}
	}
}

func TestReader(t *testing.T) {
	a, b, c := record("a"), record("b"), record("c")
	large := strings.Replace(a, "RunInstances", strings.Repeat("x", 1<<20), 1)
	huge := strings.Replace(a, "RunInstances", strings.Repeat("x", cloudtrail.MaxRecord), 1)
	second := fmt.Sprintf("!2@%d", len(`{"Records":[`)+len(a)+1)
	secondLine := fmt.Sprintf("!2@%d", len(a)+1)
	deep := `{"eventVersion":` + strings.Repeat("[", cloudtrail.MaxDepth) + strings.Repeat("]", cloudtrail.MaxDepth) + `}`
	tests := []struct {
		name string
		file string
		want []string
		err  error
	}{
		{name: "as CloudTrail writes it", file: wrap(a, b, c), want: []string{"a", "b", "c"}},
		{name: "gzip", file: gzipped(t, wrap(a, b)), want: []string{"a", "b"}},
		{name: "two gzip members", file: gzipped(t, wrap(a)) + gzipped(t, wrap(b)), want: []string{"a", "b"}},
		{name: "zstd", file: zstandard(t, wrap(a, b)), want: []string{"a", "b"}},
		{name: "no records", file: `{"Records":[]}`},
		{name: "empty object of a preflight marker", file: ""},
		{name: "white space everywhere", file: " {\n \"Records\" :\t[ \r\n" + a + " , " + b + "\n] }\n", want: []string{"a", "b"}},
		{name: "byte order mark", file: "\xef\xbb\xbf" + wrap(a), want: []string{"a"}},
		{name: "bare array", file: "[" + a + "," + b + "]", want: []string{"a", "b"}},
		{name: "one record per line", file: a + "\n" + b + "\n", want: []string{"a", "b"}},
		{name: "one record per line, the last without a line end", file: a + "\r\n" + b, want: []string{"a", "b"}},
		{name: "Records is not the first key", file: `{"v":1,"Records":[` + a + "," + b + `],"x":2}`, want: []string{"a", "b"}},
		{name: "Records is null", file: `{"Records":null}`},
		{name: "one object, a digest", file: `{"digestStartTime":"2026-02-03T04:00:00Z"}`, want: []string{""}},
		{name: "an empty record", file: wrap("{}", a), want: []string{"", "a"}},
		{name: "a record of 1 MiB", file: wrap(a, large, b), want: []string{"a", "a", "b"}},

		{name: "a broken record between whole ones", file: wrap(a, strings.Replace(b, ":", ";", 1), c), want: []string{"a", second, "c"}},
		{name: "a record that is not an object", file: wrap(a, `"some text that is no record"`, c), want: []string{"a", second, "c"}},
		{name: "a record too large", file: wrap(a, huge, c), want: []string{"a", second, "c"}},
		{name: "a record too deep", file: wrap(a, deep, c), want: []string{"a", second, "c"}},
		{name: "the last record is broken", file: gzipped(t, wrap(a, b[:100])), want: []string{"a", second}},
		{name: "a broken line", file: a + "\noops\n" + b + "\n", want: []string{"a", secondLine, "b"}},
		{name: "a broken last line", file: a + "\noops", want: []string{"a", secondLine}},
		{name: "the first line is no JSON", file: "oops\n" + a + "\n", want: []string{"!1@0", "a"}},
		{name: "a byte too many between records", file: `{"Records":[` + a + "x" + b + `]}`, want: []string{"a", "b"}},
		{name: "the key Records is damaged", file: `{"Recxrds":[` + a + "," + b + `]}`, want: []string{"a", "b"}},
		{name: "the wrapper is damaged", file: `{"Records"x[` + a + "," + b + `]}`, want: []string{"a", "b"}},
		{name: "the array's beginning is a space", file: `{"Records": ` + a + "," + b + `]}`, want: []string{"a", "b"}},
		{name: "a space in place of the comma", file: `{"Records":[` + a + " " + b + `]}`, want: []string{"a", "b"}},
		{name: "a closing bracket in place of the comma", file: `{"Records":[` + a + "]" + b + "," + c + `]}`, want: []string{"a", "b", "c"}},
		{name: "invalid UTF-8 in a line", file: strings.Replace(a, "Run", "\xffRun", 1) + "\n{\"x\":\"\xff\"}\n" + b, want: []string{"a", "", "b"}},
		{name: "files in an array", file: "[" + wrap(a, b) + ",\n" + wrap() + ", " + wrap(c) + "]\n", want: []string{"a", "b", "c"}},
		{name: "files a line, of records without an id", file: wrap(`{"eventName":"x"}`) + "\n" + wrap(`{"eventName":"y"}`, a), want: []string{"", "", "a"}},
		{name: "Records twice", file: `{"Records":[` + a + `],"Records":[` + b + `]}`, want: []string{"a", "b"}},
		{name: "something like a record behind the Records", file: `{"Records":[` + a + `],"query":{"eventID":"x","y":{}},"z":1}` + "\n" + b, want: []string{"a", "b"}},
		{name: "a digest behind a file", file: wrap(a) + "\n" + `{"digestStartTime":"2026-02-03T04:00:00Z"}` + "\n" + b, want: []string{"a", "", "b"}},
		{name: "Records is text, in an array", file: `[{"Records":"a,b,c"},` + a + "]", want: []string{"!1@1", "a"}},
		{name: "Records is an object on several lines", file: "{\n\"Records\": {\n\"eventName\":\n\"x\"\n}\n}\n" + a, want: []string{"!1@0", "a"}},
		{name: "Records is text", file: `{"Records":"a,b,c"}` + "\n" + a, want: []string{"!1@0", "a"}},
		{name: "a record with Records", file: strings.Replace(a, "{", `{"Records":"x",`, 1) + "\n" + b, want: []string{"a", "b"}},
		{name: "an object that is no wrapper, with something like a record", file: `{"eventName":"x","like":[` + a + `]}`, want: []string{""}},
		{name: "two files in one", file: wrap(a) + " " + wrap(b), want: []string{"a", "b"}},
		{name: "invalid UTF-8 in the key Records", file: "{\"Rec\xffrds\":[" + a + "," + b + `]}`, want: []string{"a", "b"}},
		{name: "the first byte is damaged", file: `x"Records":[` + a + "," + b + `]}`, want: []string{"a", "b"}},
		{name: "the array's end is damaged", file: `{"Records":[` + a + "," + b + `x}`, want: []string{"a", "b"}},
		{name: "a nested brace is damaged", file: wrap(a, strings.Replace(b, "]}}", "]} ", 1), c), want: []string{"a", second, "c"}},

		{name: "gzip cut short", file: gzipped(t, wrap(a, b))[:60], err: cloudtrail.ErrTruncated},
		{name: "gzip header cut short", file: gzipped(t, wrap(a, b))[:5], err: cloudtrail.ErrTruncated},
		{name: "gzip with a wrong checksum", file: corrupted(gzipped(t, wrap(a))), want: []string{"a"}, err: gzip.ErrChecksum},
		{name: "plain, cut in a record", file: wrap(a, b)[:200], want: []string{"a"}, err: cloudtrail.ErrTruncated},
		{name: "plain, cut between records", file: `{"Records":[` + a + ",", want: []string{"a"}, err: cloudtrail.ErrTruncated},
		{name: "not a log at all", file: "<html><body>Service Unavailable</body></html>", err: cloudtrail.ErrNotLog},
	}
	reader := cloudtrail.NewReader() // one for all: Reset must leave nothing behind
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sources := map[string]io.Reader{
				"whole":       strings.NewReader(tt.file),
				"byte-wise":   iotest.OneByteReader(strings.NewReader(tt.file)),
				"data+io.EOF": iotest.DataErrReader(strings.NewReader(tt.file)),
			}
			if len(tt.file) > 1<<20 {
				delete(sources, "byte-wise")
			}
			for how, src := range sources {
				got := read(reader, src)
				if diff := cmp.Diff(tt.want, got.Events); diff != "" {
					t.Errorf("%s: records (-want +got):\n%s", how, diff)
				}
				if !errors.Is(got.Err, tt.err) || tt.err == nil && got.Err != nil {
					t.Errorf("%s: got error %v, want %v", how, got.Err, tt.err)
				}
			}
		})
	}
}

// corrupted flips a bit in the checksum of a gzip file.
func corrupted(file string) string {
	b := []byte(file)
	b[len(b)-8] ^= 1
	return string(b)
}

func TestReader_sourceError(t *testing.T) {
	reset := errors.New("connection reset")
	tests := []struct {
		name        string
		broken, err error
	}{
		{"its own error", reset, reset},
		{"an end inside of another error is no end", fmt.Errorf("get: %w", io.EOF), io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := io.MultiReader(strings.NewReader(`{"Records":[`+record("a")+`,{"eventVer`), iotest.ErrReader(tt.broken))
			got := read(cloudtrail.NewReader(), src)
			if want := []string{"a"}; !cmp.Equal(got.Events, want) || !errors.Is(got.Err, tt.err) || errors.Is(got.Err, io.EOF) {
				t.Errorf("got %v and error %v, want %v and %v", got.Events, got.Err, want, tt.err)
			}
		})
	}
}

// samples are the decompressed sample files by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../../test/samples/invictus/*.json.gz")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sample files in test/samples/invictus: %v", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		if files[filepath.Base(name)], err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return files
}

func TestReader_samples(t *testing.T) {
	reader := cloudtrail.NewReader()
	total := 0
	for name, file := range samples(t) {
		got := read(reader, bytes.NewReader(file))
		if got.Err != nil {
			t.Errorf("%s: %v", name, got.Err)
		}
		total += len(got.Events)
	}
	if want := 2122; total != want {
		t.Errorf("got %d records, want %d", total, want)
	}
}

// TestReader_damage damages bytes of sample files, one at a time. Every record that still stands whole must be delivered;
// at most the damaged one may be refused or changed.
func TestReader_damage(t *testing.T) {
	reader, spots := cloudtrail.NewReader(), 300
	if testing.Short() {
		spots = 30
	}
	for name, file := range samples(t) {
		if len(file) > 40_000 {
			continue
		}
		want := read(reader, bytes.NewReader(file)).Events
		for at := 0; at < len(file); at += 1 + len(file)/spots {
			for _, with := range []byte{'x', '"', '{', '}', ',', 0, 0xff} {
				damaged := bytes.Clone(file)
				damaged[at] = with
				got := read(reader, bytes.NewReader(damaged))
				if problem := lostBeyondOne(want, got); problem != "" {
					t.Fatalf("%s: byte %d as %q: %s", name, at, with, problem)
				}
			}
		}
	}
}

// lostBeyondOne says what is wrong when more than one record of want is missing, or more than one was refused.
func lostBeyondOne(want []string, got reading) string {
	if got.Err != nil {
		return got.Err.Error()
	}
	seen := map[string]bool{}
	refused := 0
	for _, id := range got.Events {
		seen[id] = true
		if strings.HasPrefix(id, "!") {
			refused++
		}
	}
	missing := 0
	for _, id := range want {
		if !seen[id] {
			missing++
		}
	}
	if missing > 1 || refused > 1 || len(got.Events) != len(want) {
		return fmt.Sprintf("%d of %d records missing, %d refused, %d in all", missing, len(want), refused, len(got.Events))
	}
	return ""
}

func FuzzReader(f *testing.F) {
	for _, file := range samples(f) {
		if len(file) < 20_000 {
			f.Add(file)
		}
	}
	f.Add([]byte(wrap(record("a"), record("b"))))
	f.Add([]byte(gzipped(f, wrap(record("a")))))
	f.Add([]byte(zstandard(f, wrap(record("a")))))
	f.Add([]byte(record("a") + "\noops\n{}\n"))
	f.Add([]byte(record("a") + "\n" + strings.Replace(record("b"), ",", "}", 2) + "\n" + record("c")))
	f.Add([]byte("[" + wrap(record("a")) + "," + wrap(record("b")) + "]"))
	reader := cloudtrail.NewReader()
	f.Fuzz(func(t *testing.T, file []byte) {
		whole := read(reader, bytes.NewReader(file))
		if len(file) > 1<<12 {
			return
		}
		split := read(reader, iotest.OneByteReader(bytes.NewReader(file)))
		if diff := cmp.Diff(whole.Events, split.Events); diff != "" {
			t.Errorf("the same file read in other pieces gives other records:\n%s", diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	var files [][]byte
	size := 0
	for _, file := range samples(b) {
		files = append(files, file)
		size += len(file)
	}
	reader := cloudtrail.NewReader()
	src := bytes.NewReader(nil)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, file := range files {
			src.Reset(file)
			reader.Reset(src, nil)
			for {
				if _, err := reader.Next(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*2122), "ns/record")
}
