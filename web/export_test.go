package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/web"
)

// pages is a store of many pages of one event; broken is the page that cannot be read.
type pages struct {
	store

	count, broken int
	records       bool
}

func (p *pages) Events(_ context.Context, q history.Query) (history.Page, error) {
	p.records = q.Records
	n, _ := strconv.Atoi(string(q.After)) //nolint:errcheck // "" is the first
	if n+1 == p.broken {
		return history.Page{}, errors.New("broken")
	}
	e := history.Event{ID: "e" + strconv.Itoa(n), User: "=1+1", Record: []byte(`{"n":` + strconv.Itoa(n) + `}`)}
	next := history.Cursor("")
	if n+1 < p.count {
		next = history.Cursor(strconv.Itoa(n + 1))
	}
	return history.Page{Events: []history.Event{e}, Next: next}, nil
}

func download(t *testing.T, p *pages, target string) (*http.Response, string, error) {
	t.Helper()
	server := httptest.NewServer(web.Handler(p, web.Options{}))
	t.Cleanup(server.Close)
	answer, err := server.Client().Get(server.URL + target) //nolint:noctx // a test's own server
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func TestHandler_export(t *testing.T) {
	tests := []struct {
		format, kind, want string
		records            bool
	}{
		{"csv", "text/csv; charset=utf-8; header=present", "'=1+1", false},
		{"json", "application/json; charset=utf-8", `"CloudTrailEvent":"{\"n\":2}"`, true},
		{"ndjson", "application/x-ndjson; charset=utf-8", "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			p := &pages{count: 3}
			answer, body, err := download(t, p, "/api/export?format="+tt.format)
			if err != nil {
				t.Fatal(err)
			}
			if got := answer.Header.Get("Content-Type"); got != tt.kind {
				t.Errorf("got type %s, want %s", got, tt.kind)
			}
			if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="events-`) {
				t.Errorf("got %s, want an attachment", got)
			}
			if !strings.Contains(body, tt.want) || p.records != tt.records {
				t.Errorf("got %s with records %v, want %s with %v", body, p.records, tt.want, tt.records)
			}
		})
	}
}

// Half a file must not look like a whole one.
func TestHandler_exportBroken(t *testing.T) {
	if _, body, err := download(t, &pages{count: 3, broken: 3}, "/api/export?format=ndjson"); err == nil {
		t.Errorf("got %q without an error, want the connection to break off", body)
	}
	answer, body, err := download(t, &pages{count: 3, broken: 1}, "/api/export?format=ndjson")
	if err != nil || answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("got %v %s, want 500", err, body)
	}
}
