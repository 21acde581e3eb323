package cloudtrail_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// placed is a record, or the refusal of one, with where it stood.
type placed struct {
	number  int
	offset  int64
	raw     string
	refused bool
}

func places(r *cloudtrail.Reader, src io.Reader) ([]placed, error) {
	var list []placed
	r.Reset(src, nil)
	for {
		rec, err := r.Next()
		var bad *cloudtrail.Refused
		switch {
		case errors.As(err, &bad):
			if bad.Err == nil {
				return list, errors.New("a refusal without a reason")
			}
			list = append(list, placed{bad.Number, bad.Offset, string(bad.Raw), true})
		case err == io.EOF:
			return list, nil
		case err != nil:
			return list, err
		default:
			list = append(list, placed{rec.Number, rec.Offset, string(rec.Raw), false})
		}
	}
}

// TestReader_damageAnywhere damages a byte at random places of every sample file, the large ones too, whose records cross
// the borders of windows: all other records come as they were, and the damaged one alone is refused, at its place. The places
// are the same each time, in full form others.
func TestReader_damageAnywhere(t *testing.T) {
	seed, times := uint64(1), 4
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		seed, times = rand.Uint64(), 40
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	reader, gzip := cloudtrail.NewReader(), newStorer(t)
	files := samples(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, file := range forms(t, reader, files[name]) {
			want, err := places(reader, bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			for range times {
				at, with := random.IntN(len(file)), byte(random.Uint32())
				damaged := bytes.Clone(file)
				damaged[at] = with
				if problem := damageOf(reader, want, gzip.file(t, damaged), at); problem != "" {
					t.Errorf("%s, which begins with %.20q: byte %d as %q: %s", name, file, at, with, problem)
				}
			}
		}
	}
}

// forms are the records of a file as CloudTrail wrote them, pretty-printed in three ways, and one per line.
func forms(t *testing.T, reader *cloudtrail.Reader, file []byte) [][]byte {
	t.Helper()
	records, err := places(reader, bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var lines, pretty, array []string
	for _, r := range records {
		lines, pretty = append(lines, r.raw), append(pretty, indented(t, r.raw))
		array = append(array, "   "+r.raw)
	}
	return [][]byte{
		file, []byte(indented(t, string(file))), []byte(strings.Join(lines, "\n") + "\n"), []byte(strings.Join(pretty, "\n")),
		[]byte("[\n" + strings.Join(array, ",\n") + "\n]"),
	}
}

// oddBytes are those that mean something to JSON, to a line or to UTF-8, and some that mean nothing.
const oddBytes = "{}[]:,\"\\ \t\r\nx0e\x00\x1f\x7f\x80\xc3\xff"

// TestReader_damageEverywhere damages every byte of small files.
func TestReader_damageEverywhere(t *testing.T) {
	a, b, c := record("a"), record("b"), record("c")
	tests := []struct {
		name, file string
		from       int    // the first byte that is damaged
		without    string // bytes that damage nothing by
	}{
		{name: "as CloudTrail writes it", file: wrap(a, b, c)},
		{name: "one record", file: wrap(b)},
		{name: "bare array", file: "[" + a + "," + b + "," + c + "]"},
		{name: "lines", file: a + "\n" + b + "\n" + c + "\n"},
		{name: "lines with carriage returns", file: a + "\r\n" + b + "\r\n" + c},
		{name: "files behind each other", file: wrap(a) + wrap(b, c)},
		{name: "a file a line", file: wrap(a, b) + "\n" + wrap(c) + "\n"},
		{name: "lines, then files", file: a + "\n" + wrap(b) + "\n" + wrap(c) + "\n"},
		{name: "arrays a line", file: "[" + a + "]\n[" + b + "," + c + "]\n"},
		{name: "files in an array", file: "[" + wrap(a, b) + "," + wrap(c) + "]"},
		{name: "white space", file: "{\n  \"Records\" : [\n    " + a + ",\n    " + b + ",\n   " + c + "\n ]\n}\n"},
		{name: "pretty-printed", file: indented(t, wrap(a, b, c))},
		{name: "pretty-printed array", file: indented(t, "["+a+","+b+","+c+"]")},
		{name: "pretty-printed records", file: indented(t, a) + "\n" + indented(t, b) + "\n" + indented(t, c) + "\n"},
	}
	reader, gzip := cloudtrail.NewReader(), newStorer(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, err := places(reader, strings.NewReader(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			for at := tt.from; at < len(tt.file); at++ {
				for _, with := range []byte(oddBytes) {
					if strings.IndexByte(tt.without, with) >= 0 {
						continue
					}
					damaged := []byte(tt.file)
					damaged[at] = with
					if problem := damageOf(reader, want, gzip.file(t, damaged), at); problem != "" {
						t.Errorf("byte %d, %q in %q, as %q: %s", at, tt.file[at], tt.file[max(0, at-12):min(len(tt.file), at+12)], with, problem)
					}
				}
			}
		})
	}
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// damageOf says what is wrong with how a file is read that is damaged in one byte: all but the damaged record must be as it
// was, and whole or byte by byte, which takes long and is tried now and then, it must come to the same.
func damageOf(reader *cloudtrail.Reader, want []placed, file string, at int) string {
	got, err := places(reader, strings.NewReader(file))
	if err != nil {
		return err.Error()
	}
	if problem := beyondDamage(want, got, int64(at)); problem != "" {
		return problem
	}
	if at%5 > 0 {
		return ""
	}
	if piecemeal, err := places(reader, iotest.OneByteReader(strings.NewReader(file))); err != nil || !slices.Equal(got, piecemeal) {
		return fmt.Sprintf("byte by byte it gives %v and error %v, want %v", piecemeal, err, got)
	}
	return ""
}

// storer makes gzip files that hold content as it is.
type storer struct {
	*gzip.Writer
	out bytes.Buffer
}

func newStorer(t *testing.T) *storer {
	t.Helper()
	w, err := gzip.NewWriterLevel(io.Discard, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	return &storer{Writer: w}
}

func (s *storer) file(t *testing.T, content []byte) string {
	t.Helper()
	s.out.Reset()
	s.Reset(&s.out)
	if _, err := s.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.out.String()
}

// beyondDamage says what else than the record with the damaged byte is not as it was.
func beyondDamage(want, got []placed, at int64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d records and refusals, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		hit := at >= w.offset && at < w.offset+int64(len(w.raw))
		inside := hit && g.offset > w.offset && g.offset < w.offset+int64(len(w.raw)) // its first brace is the damaged one
		if g.number != w.number || g.offset != w.offset && !inside {
			return fmt.Sprintf("record %d at byte %d, want record %d at byte %d", g.number, g.offset, w.number, w.offset)
		}
		if !hit && (g.refused || g.raw != w.raw) {
			return fmt.Sprintf("record %d is not as it was: refused %v", w.number, g.refused)
		}
	}
	return ""
}
