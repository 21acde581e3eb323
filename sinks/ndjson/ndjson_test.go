package ndjson_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/ndjson"
	"github.com/trailship/trailship/sinks/sinktest"
)

func open(t *testing.T, path string) *ndjson.Sink {
	t.Helper()
	s, err := ndjson.Open(ndjson.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	sinktest.Contract(t, func(t *testing.T) pipeline.Sink {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "documents.ndjson"))
	})
}

func TestOpen_endsAHalfLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "documents.ndjson")
	if err := os.WriteFile(path, []byte("{\"whole\":1}\n{\"half\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).Write(t.Context(), sinktest.Batch(t, 1, sinktest.Index, "a", "b")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if got, want := len(lines), 4; got != want {
		t.Fatalf("got %d lines, want %d:\n%s", got, want, text)
	}
	if lines[1] != `{"half":` || !strings.Contains(lines[2], `\"a\"`) || strings.Contains(lines[2], "2006-01-02") {
		t.Errorf("got lines\n%s", text)
	}
}

func TestOpen_unwritable(t *testing.T) {
	if _, err := ndjson.Open(ndjson.Config{Path: filepath.Join(t.TempDir(), "nowhere", "x")}); err == nil {
		t.Error("a file in a folder that is not there was opened")
	}
}
