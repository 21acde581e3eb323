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

// pages is a store of many pages of one event; broken is the page that cannot be read, short the one that lacks events.
type pages struct {
	store

	count, broken, short int
	records              bool
}

func (p *pages) Events(_ context.Context, q history.Query) (history.Page, error) {
	p.records = q.Records
	n, _ := strconv.Atoi(string(q.After)) // "" is the first
	if n+1 == p.broken {
		return history.Page{}, errors.New("broken")
	}
	e := history.Event{ID: "e" + strconv.Itoa(n), User: "=1+1", Record: []byte(`{"n":` + strconv.Itoa(n) + `}`)}
	next := history.Cursor("")
	if n+1 < p.count {
		next = history.Cursor(strconv.Itoa(n + 1))
	}
	page := history.Page{Events: []history.Event{e}, Next: next}
	if n+1 == p.short {
		page.Lacks = "a shard is away"
	}
	return page, nil
}

// downloaded is an answer that has been read.
type downloaded struct {
	status int
	header http.Header
	body   string
}

func download(t *testing.T, p *pages, target string) (downloaded, error) {
	t.Helper()
	server := httptest.NewServer(web.Handler(p, web.Options{}))
	t.Cleanup(server.Close)
	answer, err := server.Client().Get(server.URL + target)
	if err != nil {
		return downloaded{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return downloaded{answer.StatusCode, answer.Header, string(body)}, err
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
			got, err := download(t, p, "/api/export?format="+tt.format)
			if err != nil {
				t.Fatal(err)
			}
			if kind := got.header.Get("Content-Type"); kind != tt.kind {
				t.Errorf("got type %s, want %s", kind, tt.kind)
			}
			if how := got.header.Get("Content-Disposition"); !strings.HasPrefix(how, `attachment; filename="events-`) {
				t.Errorf("got %s, want an attachment", how)
			}
			if !strings.Contains(got.body, tt.want) || p.records != tt.records {
				t.Errorf("got %s with records %v, want %s with %v", got.body, p.records, tt.want, tt.records)
			}
		})
	}
}

// Half a file must not look like a whole one.
func TestHandler_exportBroken(t *testing.T) {
	got, err := download(t, &pages{count: 3, broken: 3}, "/api/export?format=ndjson")
	if err == nil {
		t.Errorf("got %q without an error, want the connection to break off", got.body)
	}
	got, err = download(t, &pages{count: 3, short: 3}, "/api/export?format=ndjson")
	if err == nil {
		t.Errorf("got %q without an error, want the connection to break off where events are missing", got.body)
	}
	got, err = download(t, &pages{count: 3, short: 1}, "/api/export?format=ndjson")
	if err != nil || got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "a shard is away") {
		t.Errorf("got %v %d %s, want 503 and what is missing", err, got.status, got.body)
	}
	got, err = download(t, &pages{count: 3, broken: 1}, "/api/export?format=ndjson")
	if err != nil || got.status != http.StatusInternalServerError {
		t.Errorf("got %v %d %s, want 500", err, got.status, got.body)
	}
}
