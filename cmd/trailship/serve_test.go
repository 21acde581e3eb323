package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trailship/trailship/web"
)

// serveUntil starts serve, hands the page's address to look, and ends it.
func serveUntil(t *testing.T, s *serving, paths []string, look func(url string)) (errs string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, to := io.Pipe()
	var said bytes.Buffer
	done := make(chan error, 1)
	go func() {
		err := s.run(ctx, paths, to, &said)
		to.Close()
		done <- err
	}()
	line := make([]byte, 200)
	n, err := out.Read(line)
	url := regexp.MustCompile(`http://[0-9.:]+`).FindString(string(line[:n]))
	if err != nil || url == "" {
		t.Fatalf("serve said %q, %v, want where the page is", line[:n], err)
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // until it is closed
	look(url)
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("got %v at the end", err)
	}
	return said.String()
}

// extent asks the page how many events it shows, until loading is over.
func extent(t *testing.T, url string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/extent", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var x struct {
			Events  int
			Loading *struct{ Files int }
		}
		err = json.NewDecoder(answer.Body).Decode(&x)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if x.Loading == nil {
			return x.Events
		}
	}
}

const serveSamples = "../../test/samples/invictus"

func TestServe_paths(t *testing.T) {
	store := filepath.Join(t.TempDir(), "case.db")
	local := func() web.Config { return web.Config{Listen: "127.0.0.1:0"} }

	t.Run("a folder, kept", func(t *testing.T) {
		errs := serveUntil(t, &serving{web: local(), store: store}, []string{serveSamples}, func(url string) {
			if got, want := extent(t, url), 2122; got != want {
				t.Errorf("got %d events, want %d", got, want)
			}
		})
		if !strings.Contains(errs, "read 2122 events") {
			t.Errorf("got %q, want what was read", errs)
		}
	})
	t.Run("the kept store alone", func(t *testing.T) {
		serveUntil(t, &serving{web: local(), store: store}, nil, func(url string) {
			if got, want := extent(t, url), 2122; got != want {
				t.Errorf("got %d events, want %d", got, want)
			}
		})
	})
	t.Run("files again", func(t *testing.T) {
		errs := serveUntil(t, &serving{web: local(), store: store}, []string{serveSamples}, func(url string) {
			if got, want := extent(t, url), 2122; got != want {
				t.Errorf("got %d events, want %d", got, want)
			}
		})
		if !strings.Contains(errs, "2122 were there already") {
			t.Errorf("got %q, want that nothing was new", errs)
		}
	})
}

// What cannot be served is a mistake of the command line, with what would be right.
func TestServe_mistakes(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"nothing to show":                {nil, "say what to show"},
		"beyond loopback without TLS":    {[]string{"--listen", "0.0.0.0:0", serveSamples}, "insecure"},
		"a path that is not there":       {[]string{"--listen", "127.0.0.1:0", "no-such-folder"}, "no-such-folder"},
		"files and a configured cluster": {[]string{"--config", "x.yaml", serveSamples}, "exclude each other"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := newRoot(func(int) {})
			root.SetArgs(append([]string{"serve"}, test.args...))
			root.SetOut(io.Discard)
			root.SetErr(io.Discard)
			if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}
