package source_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/source"
)

// folder makes files, by path, and a source of them.
func folder(t *testing.T, watch bool, files map[string]string) (*source.Directory, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		writeInto(t, dir, name, text)
	}
	return source.NewDirectory(source.DirectoryConfig{Path: dir, Watch: watch}, zaptest.NewLogger(t)), dir
}

func writeInto(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const oneRecord = `{"Records":[{"eventID":"a","eventName":"x"}]}`

// all receives and settles until the source ends; it returns the ids of the records and the source's end.
func all(t *testing.T, d *source.Directory, settle func(name string) error) (ids []string, end error) {
	t.Helper()
	for {
		got, err := d.Receive(t.Context())
		if err != nil {
			return ids, err
		}
		for r, err := range got.Records(t.Context()) {
			if err != nil {
				if lost, ok := errors.AsType[*pipeline.LostObject](err); ok {
					ids = append(ids, "lost: "+lost.Reason)
					continue
				}
				t.Fatal(err)
			}
			ids = append(ids, string(r.Field(cloudtrail.EventID).Bytes()))
		}
		name, _ := got.(interface{ String() string })
		if err := got.Settle(t.Context(), settle(filepath.Base(name.String()))); err != nil {
			t.Fatal(err)
		}
	}
}

func fine(string) error { return nil }

func TestDirectory_files(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{name: "an empty folder"},
		{name: "folders below", files: map[string]string{"x/y/z.json": oneRecord, "a.log": `{"eventID":"line","eventName":"x"}`}, want: []string{"line", "a"}},
		{name: "hidden names", files: map[string]string{".git/x.json": oneRecord, ".x.json": oneRecord}},
		{name: "a file that is no log", files: map[string]string{"README.md": "# Logs\n", "b.json": oneRecord}, want: []string{"a"}},
		{name: "a file that is cut short", files: map[string]string{"a.json": oneRecord[:30]}, want: []string{"lost: truncated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, _ := folder(t, false, tt.files)
			ids, end := all(t, d, fine)
			if diff := cmp.Diff(tt.want, ids); diff != "" || !errors.Is(end, io.EOF) {
				t.Errorf("end %v, records (-want +got):\n%s", end, diff)
			}
		})
	}
}

func TestDirectory_linksAreNotFollowed(t *testing.T) {
	t.Parallel()
	d, dir := folder(t, false, nil)
	outside := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(outside, []byte(oneRecord), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if ids, end := all(t, d, fine); len(ids) > 0 || !errors.Is(end, io.EOF) {
		t.Errorf("got %v and %v, want nothing", ids, end)
	}
}

func TestDirectory_triesAgain(t *testing.T) {
	t.Parallel()
	d, _ := folder(t, false, map[string]string{"good.json": oneRecord, "bad.json": oneRecord})
	tries := map[string]int{}
	_, end := all(t, d, func(name string) error {
		if tries[name]++; name == "bad.json" {
			return errors.New("the sink is full")
		}
		return nil
	})
	if want := map[string]int{"good.json": 1, "bad.json": 3}; !cmp.Equal(tries, want) {
		t.Errorf("got tries %v, want %v", tries, want)
	}
	if errors.Is(end, io.EOF) || !strings.Contains(end.Error(), "bad.json") || !strings.Contains(end.Error(), "the sink is full") {
		t.Errorf("the source ends with %v, want the file and why", end)
	}
}

func TestDirectory_watch(t *testing.T) {
	t.Parallel()
	d, dir := folder(t, true, map[string]string{"first.json": oneRecord})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, name := range []string{"first.json", "second.json"} {
		writeInto(t, dir, name, oneRecord)
		got, err := d.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if path, _ := got.(interface{ String() string }); filepath.Base(path.String()) != name {
			t.Errorf("got %s, want %s", path, name)
		}
		if err := got.Settle(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := d.Receive(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
