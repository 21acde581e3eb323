package cloudtrail_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// TestReader_stream: of an array that is written while it is read, each record is given as soon as the next has begun.
func TestReader_stream(t *testing.T) {
	for _, opening := range []string{`[`, `{"Records":[`} {
		src, file := io.Pipe()
		read := make(chan string)
		go func() {
			r := cloudtrail.NewReader()
			r.Reset(src, nil)
			for {
				rec, err := r.Next()
				if err != nil {
					close(read)
					return
				}
				read <- string(rec.Field(cloudtrail.EventID).Bytes())
			}
		}()
		write := func(text string) {
			if _, err := file.Write([]byte(text)); err != nil {
				t.Error(err)
			}
		}
		write(opening + record("0"))
		for i, id := range []string{"1", "2", "3"} {
			write("," + record(id))
			select {
			case got := <-read:
				if want := string(rune('0' + i)); got != want {
					t.Fatalf("%s: got record %s, want %s", opening, got, want)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: record %d is not there though the next was written", opening, i)
			}
		}
		_ = src.CloseWithError(io.ErrClosedPipe)
		for range read {
			continue // until the Reader has seen the end
		}
	}
}

// TestReader_streamOfLines: a line that is written is read, however short it is and whether or not another follows.
func TestReader_streamOfLines(t *testing.T) {
	src, file := io.Pipe()
	defer src.Close()
	go func() {
		for _, line := range []string{record("a") + "\n", `{"eventID":"b"}` + "\r\n", `{"eventID":"c"}` + "\n"} {
			if _, err := file.Write([]byte(line)); err != nil {
				return
			}
		}
	}()
	r := cloudtrail.NewReader()
	r.Reset(src, nil)
	for _, want := range []string{"a", "b", "c"} { // the last one would never come if more had to be written
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(rec.Field(cloudtrail.EventID).Bytes()); got != want {
			t.Errorf("got record %s, want %s", got, want)
		}
	}
}

// TestReader_middle: a source in memory is read from where it stands, whatever was read before it.
func TestReader_middle(t *testing.T) {
	r := cloudtrail.NewReader()
	for _, file := range []string{wrap(record("a")), gzipped(t, wrap(record("a"))), zstandard(t, wrap(record("a")))} {
		src := bytes.NewReader([]byte("junk" + file))
		if _, err := src.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := read(r, src)
		if diff := cmp.Diff(reading{Events: []string{"a"}}, got); diff != "" {
			t.Errorf("%.20q (-want +got):\n%s", file, diff)
		}
		_ = read(r, strings.NewReader(wrap(record("b"))))
	}
}

// TestReader_letsGo: a Reader that was reset keeps nothing of its last source, read to its end or not.
func TestReader_letsGo(t *testing.T) {
	files := map[string]string{"plain": wrap(record("a")), "gzip": gzipped(t, wrap(record("a"))), "zstd": zstandard(t, wrap(record("a")))}
	for format, file := range files {
		for kind, source := range map[string]func([]byte) io.Reader{
			"in memory": func(b []byte) io.Reader { return bytes.NewReader(b) },
			"a stream":  func(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} },
		} {
			r, gone := cloudtrail.NewReader(), make(chan bool, 1)
			func() {
				content := new([4096]byte)
				n := copy(content[:], file)
				runtime.AddCleanup(content, func(c chan bool) { c <- true }, gone)
				if got := read(r, source(content[:n])); got.Err != nil {
					t.Fatal(got.Err)
				}
			}()
			r.Reset(strings.NewReader(""), nil)
			if !collected(gone) {
				t.Errorf("%s, %s: the content is still held", format, kind)
			}
			runtime.KeepAlive(r)
		}
	}
}

// collected waits until what reports to gone was collected.
func collected(gone <-chan bool) bool {
	for range 50 {
		runtime.GC()
		select {
		case <-gone:
			return true
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// TestReader_repaired: what stands behind a byte that is no UTF-8 is read as if U+FFFD had been there.
func TestReader_repaired(t *testing.T) {
	const form = `{"eventID":"a","x":"?","awsRegion":"r","q":{"ab":"cdefg","h":"ijk","lmno":["p","none","","qr"],"stu":"v"},"eventName":"N"}`
	r := cloudtrail.NewReader()
	r.Reset(strings.NewReader(wrap(record("first"), strings.Replace(form, "?", "\xff\xfe", 1))), nil)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	got, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, strings.Replace(form, "?", "\uFFFD\uFFFD", 1))
	if diff := cmp.Diff(string(want.Root().AppendJSON(nil)), string(got.Root().AppendJSON(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
