package gunzip_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/trailship/trailship/pipeline/cloudtrail/gunzip"
)

// text is what a Reader makes of a file, and what it ended with.
func text(z *gunzip.Reader, src io.Reader) ([]byte, error) {
	z.Reset(src)
	return io.ReadAll(z)
}

// standard is what the standard library makes of it.
func standard(file []byte) ([]byte, error) {
	z, err := gzip.NewReader(strict{bytes.NewReader(file)})
	if err == io.EOF {
		return nil, nil // no member at all
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// strict tells the standard library, which takes a header that ends in the middle of a name for the file's end, that it is not.
type strict struct{ *bytes.Reader }

func (s strict) ReadByte() (byte, error) {
	c, err := s.Reader.ReadByte()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

func pack(t testing.TB, level int, content []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	z, err := gzip.NewWriterLevel(&file, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// contents are texts that deflate takes in all of its ways: stored, with fixed and with described codes, with second
// tables, near and far matches.
func contents() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var records, skewed bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&records, `{"eventID":"%x","eventName":"Get%d","who":%q},`, random.Uint64(), i%7, strings.Repeat("a", i%300))
	}
	for range 300_000 {
		skewed.WriteByte(byte(min(random.ExpFloat64()*9, 255)))
	}
	return map[string][]byte{
		"empty": nil, "one byte": {'a'}, "short": []byte("hello, hello, hello"), "run": bytes.Repeat([]byte{'a'}, 500_000),
		"pairs": bytes.Repeat([]byte("ab"), 100_000), "noise": noise, "records": records.Bytes(), "skewed": skewed.Bytes(),
		"far": append(append(bytes.Clone(noise[:32_000]), "between"...), noise[:32_000]...),
	}
}

func TestReader(t *testing.T) {
	var z gunzip.Reader
	for name, content := range contents() {
		for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
			t.Run(fmt.Sprintf("%s at level %d", name, level), func(t *testing.T) {
				file := pack(t, level, content)
				for how, src := range map[string]io.Reader{
					"at once": bytes.NewReader(file), "by halves": iotest.HalfReader(bytes.NewReader(file)),
					"with the end": iotest.DataErrReader(bytes.NewReader(file)),
				} {
					if got, err := text(&z, src); err != nil || !bytes.Equal(got, content) {
						t.Errorf("%s: got %d bytes and %v, want %d", how, len(got), err, len(content))
					}
				}
			})
		}
	}
}

func TestReader_members(t *testing.T) {
	a, b := pack(t, 6, []byte("first")), pack(t, 0, []byte("second"))
	var z gunzip.Reader
	for name, test := range map[string]struct {
		file []byte
		want string
		err  error
	}{
		"two members":             {bytes.Join([][]byte{a, b}, nil), "firstsecond", nil},
		"all fields of a header":  {withFields(a), "first", nil},
		"a header's sum is wrong": {wrongSum(a), "", gzip.ErrHeader},
		"no header":               {[]byte("plain text, not gzip"), "", gzip.ErrHeader},
		"something behind":        {append(bytes.Clone(a), "and not a header"...), "first", gzip.ErrHeader},
		"cut in the next header":  {append(bytes.Clone(a), b[:5]...), "first", io.ErrUnexpectedEOF},
		"cut in the trailer":      {a[:len(a)-3], "first", io.ErrUnexpectedEOF},
		"a wrong checksum":        {flip(a, len(a)-8), "first", gzip.ErrChecksum},
		"a wrong size":            {flip(a, len(a)-1), "first", gzip.ErrChecksum},
		"a block of unknown kind": {append(bytes.Clone(a[:10]), 7), "", flate.CorruptInputError(11)},
		"it reaches to another":   {append(bytes.Clone(b), reaching()...), "second", flate.CorruptInputError(0)},
		"nothing":                 {nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := text(&z, bytes.NewReader(test.file))
			var corrupt flate.CorruptInputError
			same := errors.Is(err, test.err) || errors.As(err, &corrupt) && errors.As(test.err, &corrupt)
			if string(got) != test.want || !same {
				t.Errorf("got %q and %v, want %q and %v", got, err, test.want, test.err)
			}
		})
	}
}

// reaching is a member that begins with a match: of what is before its first byte.
func reaching() []byte {
	var file bytes.Buffer
	file.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
	z, _ := flate.NewWriterDict(&file, 6, []byte("a text to be reached back to"))
	_, _ = z.Write([]byte("a text to be reached back to"))
	_ = z.Close()
	return file.Bytes()
}

// withFields gives a file's header every field there is.
func withFields(file []byte) []byte {
	head := append([]byte{0x1f, 0x8b, 8, 0x1e}, file[4:10]...)
	head = append(head, 3, 0, 'x', 'y', 'z')
	head = append(head, "name\x00comment\x00"...)
	sum := crc32.ChecksumIEEE(head)
	return append(append(head, byte(sum), byte(sum>>8)), file[10:]...)
}

func wrongSum(file []byte) []byte {
	fields := withFields(file)
	return flip(fields, len(fields)-len(file)+9)
}

func flip(file []byte, at int) []byte {
	file = bytes.Clone(file)
	file[at] ^= 1
	return file
}

// TestReader_damage flips every bit of small files, and cuts them everywhere.
func TestReader_damage(t *testing.T) {
	var z gunzip.Reader
	for name, content := range contents() {
		for _, level := range []int{0, 1, 6} {
			file := pack(t, level, content[:min(len(content), 700)])
			for i := range file {
				same(t, &z, fmt.Sprintf("%s, level %d, cut at %d", name, level, i), file[:i])
				for bit := range 8 {
					bad := bytes.Clone(file)
					bad[i] ^= 1 << bit
					same(t, &z, fmt.Sprintf("%s, level %d, bit %d of byte %d", name, level, bit, i), bad)
				}
			}
		}
	}
}

// same compares with the standard library: what is read, and whether there is an error. Of a file that is cut the library
// holds the last bytes back: so it is asked what comes before something that follows.
func same(t *testing.T, z *gunzip.Reader, what string, file []byte) {
	t.Helper()
	want, wantErr := standard(file)
	got, err := text(z, bytes.NewReader(file))
	if len(got) > len(want) && err != nil && wantErr != nil {
		longer, _ := standard(slices.Concat(file, make([]byte, 100)))
		want = longer[:min(len(got), len(longer))]
	}
	if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
		t.Errorf("%s: got %d bytes and %v, want %d and %v", what, len(got), err, len(want), wantErr)
	}
}

func TestReader_source(t *testing.T) {
	broken := errors.New("broken")
	content := contents()["records"]
	file := pack(t, 6, content)
	var z gunzip.Reader
	got, err := text(&z, io.MultiReader(bytes.NewReader(file[:len(file)/2]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(got) == 0 || !bytes.HasPrefix(content, got) {
		t.Errorf("got %d bytes and %v, want a part and %v", len(got), err, broken)
	}
	if _, err := text(&z, silent{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
	src := bytes.NewReader(file)
	window := make([]byte, 64<<10)
	if n := testing.AllocsPerRun(10, func() {
		src.Reset(file)
		z.Reset(src)
		for {
			if _, err := z.Read(window); err != nil {
				return
			}
		}
	}); n != 0 {
		t.Errorf("got %v allocations a file, want none", n)
	}
}

// silent never says anything.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func FuzzReader(f *testing.F) {
	for _, content := range contents() {
		for _, level := range []int{0, 1, 6, 9, gzip.HuffmanOnly} {
			f.Add(pack(f, level, content[:min(len(content), 3000)]))
		}
	}
	f.Add(withFields(pack(f, 6, []byte("text"))))
	f.Add(reaching())
	f.Add([]byte("D\x00\x82 \x00\x80\x7f\xff~0\x00~0"))                                                        // a find: no codes at all
	f.Add([]byte("\x1f\x8b\b\x00\x00\tn\x88\x02\xff\xec\xc1\xc1\x10\x00\x00\x00\x020\xd6\xf2\x87H\xa3\xc7n)")) // a find: cut behind long matches
	f.Fuzz(func(t *testing.T, file []byte) {
		var z gunzip.Reader
		same(t, &z, "file", file)
		if len(file) > 10 { // the fuzzer cannot find checksums, but what is between them
			same(t, &z, "deflate", slices.Concat(pack(t, 6, nil)[:10], file))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	content := contents()["records"]
	file := pack(b, 6, content)
	var z gunzip.Reader
	src := bytes.NewReader(file)
	window := make([]byte, 64<<10)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		src.Reset(file)
		z.Reset(src)
		for {
			if _, err := z.Read(window); err != nil {
				break
			}
		}
	}
}
