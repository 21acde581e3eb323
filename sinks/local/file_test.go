package local_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/local"
)

// execute runs SQL on a file with a connection of its own.
func execute(t *testing.T, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatal(err)
	}
}

// filled returns the path of a closed store with some events.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	for n := range 4 {
		if _, err := s.Write(t.Context(), numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is not a sound store of ours is refused with a reason, and stays as it is.
func TestOpen_refuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T) string
		want string
	}{
		{"text", func(t *testing.T) string {
			t.Helper()
			path := filepath.Join(t.TempDir(), "notes.txt")
			change(t, touch(t, path), func([]byte) []byte { return []byte(strings.Repeat("my notes\n", 100)) })
			return path
		}, "no store of trailship's"},
		{"a short file", func(t *testing.T) string {
			t.Helper()
			path := filepath.Join(t.TempDir(), "x")
			change(t, touch(t, path), func([]byte) []byte { return []byte("SQLite format 3\x00") })
			return path
		}, "no store of trailship's"},
		{"another program's SQLite file", func(t *testing.T) string {
			t.Helper()
			path := filepath.Join(t.TempDir(), "places.sqlite")
			execute(t, path, "CREATE TABLE event (id INTEGER PRIMARY KEY); INSERT INTO event VALUES (1)")
			return path
		}, "belongs to another program"},
		{"a later version", func(t *testing.T) string {
			t.Helper()
			path := filled(t)
			execute(t, path, "PRAGMA user_version = 9")
			return path
		}, "of version 9"},
		{"a damaged beginning", func(t *testing.T) string {
			t.Helper()
			path := filled(t)
			change(t, path, func(data []byte) []byte { clear(data[:64]); return data })
			return path
		}, "no store of trailship's"},
		{"cut off", func(t *testing.T) string {
			t.Helper()
			path := filled(t)
			change(t, path, func(data []byte) []byte { return data[:len(data)/2] })
			return path
		}, "the store is damaged"},
		{"a damaged schema", func(t *testing.T) string {
			t.Helper()
			path := filled(t)
			change(t, path, func(data []byte) []byte { clear(data[200:8192]); return data })
			return path
		}, "the store is damaged"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := tc.make(t)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := local.Open(t.Context(), local.Config{Path: path}, zap.NewNop())
			if err == nil {
				t.Fatal("got no error", s.Close())
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %q, want the path and %q", err, tc.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file has changed (%v)", err)
			}
			if _, err := local.OpenReader(t.Context(), local.Config{Path: path}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("reader: got %v, want %q", err, tc.want)
			}
		})
	}
}

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Damage that shows only when a page is read is an error of the query, with advice.
func TestReader_damage(t *testing.T) {
	path := filled(t)
	change(t, path, func(data []byte) []byte {
		for i := 3 * 8192; i < len(data); i++ {
			data[i] ^= 0x5a
		}
		return data
	})
	r, err := local.OpenReader(t.Context(), local.Config{Path: path})
	if err == nil {
		_, err = r.Events(t.Context(), history.Query{Limit: history.MaxLimit})
		r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want an error that says damaged", err)
	}
}

func TestOpen_new(t *testing.T) {
	t.Run("an empty file becomes a store", func(t *testing.T) { open(t, touch(t, filepath.Join(t.TempDir(), "store.db"))) })
	t.Run("odd names", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a?b=c#d %41 é.db")
		write(t, open(t, path), `{"eventID":"a"}`)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		_, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "none", "store.db")}, zap.NewNop())
		if err == nil || !strings.Contains(err.Error(), "no such file or directory") {
			t.Errorf("got %v, want that there is no such folder", err)
		}
	})
	t.Run("a reader makes no file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "store.db")
		if _, err := local.OpenReader(t.Context(), local.Config{Path: path}); err == nil {
			t.Error("got no error")
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("got %v, want no file", err)
		}
	})
	t.Run("nothing is left beside", func(t *testing.T) {
		path := filled(t)
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 1 {
			t.Errorf("got %v, %v; want the store alone", files, err)
		}
	})
}
