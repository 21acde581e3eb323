package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/web"
)

// store answers every question with what it was given, and keeps the last query.
type store struct {
	page      history.Page
	facets    history.Facets
	histogram history.Histogram
	extent    history.Extent
	err       error
	records   map[string]string
	asked     history.Query
	by        []history.Attribute
	like      string
	derived   bool // no record was kept
	slow      bool // wait for the end of the context
}

func (s *store) answer(ctx context.Context, q history.Query) error {
	s.asked = q
	if s.slow {
		<-ctx.Done()
		return errors.New("interrupted (9)")
	}
	return s.err
}

func (s *store) Events(ctx context.Context, q history.Query) (history.Page, error) {
	return s.page, s.answer(ctx, q)
}

func (s *store) Event(_ context.Context, id string) (history.Event, error) {
	if s.err != nil {
		return history.Event{}, s.err
	}
	record, ok := s.records[id]
	if !ok {
		return history.Event{}, fmt.Errorf("looking up event %q: %w", id, history.ErrNotFound)
	}
	return history.Event{ID: id, Name: "RunInstances", User: "bob", Record: []byte(record), Derived: s.derived}, nil
}

func (s *store) Facets(ctx context.Context, q history.Query, by []history.Attribute, _ int) (history.Facets, error) {
	s.by = by
	return s.facets, s.answer(ctx, q)
}

func (s *store) Histogram(ctx context.Context, q history.Query, _ int) (history.Histogram, error) {
	return s.histogram, s.answer(ctx, q)
}

func (s *store) Values(ctx context.Context, a history.Attribute, like string, _ int) (history.Facet, error) {
	s.like = like
	return history.Facet{Attribute: a, Values: []history.Count{{Value: "bob", Count: 3}}}, s.answer(ctx, history.Query{})
}

func (s *store) Extent(ctx context.Context) (history.Extent, error) {
	return s.extent, s.answer(ctx, history.Query{})
}

// ask asks a handler over s, as a browser on the same machine does unless change says otherwise.
func ask(t *testing.T, s *store, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	return askWith(t, s, web.Options{Hosts: []string{"history.example.org"}}, target, change...)
}

func askWith(t *testing.T, s *store, o web.Options, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	r.Host = "127.0.0.1:8080"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	web.Handler(s, o).ServeHTTP(w, r)
	return w
}

// decode reads an answer that is to be a success.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var got T
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%v in %d %s", err, w.Code, w.Body)
	}
	return got
}

func TestHandler_query(t *testing.T) {
	day := time.Date(2023, 7, 10, 0, 0, 0, 0, time.UTC)
	want := history.Query{
		Filters: []history.Filter{
			{Attribute: history.EventName, Values: []string{"Run*", "Stop*"}, Glob: true},
			{Attribute: history.User, Values: []string{"arn:aws:iam::1:user/a:b"}, Not: true},
		},
		Text: "a b", Since: history.Bound{At: day, Text: "2023-07-10"}, After: "abc", Limit: 7,
	}
	const query = "f=eventName*:Run*&f=-user:arn:aws:iam::1:user/a:b&f=eventName*:Stop*&q=a+b&from=2023-07-10&cursor=abc&limit=7"
	for _, path := range []string{"/api/events?", "/api/histogram?", "/api/values?by=user&most=3&"} {
		s := &store{}
		if w := ask(t, s, path+query); w.Code != http.StatusOK {
			t.Fatalf("%s: got %d %s, want 200", path, w.Code, w.Body)
		}
		if diff := cmp.Diff(want, s.asked); diff != "" {
			t.Errorf("%s: query (-want +got):\n%s", path, diff)
		}
	}
}

func TestHandler_wrong(t *testing.T) {
	tests := []struct{ name, target, want string }{
		{"unknown parameter", "/api/events?color=red", `there is no parameter "color"`},
		{"the page's own parameter", "/api/events?tz=utc", `there is no parameter "tz"`},
		{"unknown attribute", "/api/events?f=shoe:42", `there is no attribute "shoe"`},
		{"twice", "/api/histogram?from=1&from=2", "from is given 2 times"},
		{"no time", "/api/values?by=user&from=yesterday", `"yesterday" is no time`},
		{"malformed", "/api/events?f=%zz", "the address is malformed"},
		{"no attribute", "/api/values", "say by which attributes"},
		{"too many values", "/api/values?by=user&most=100000", `most is "100000"`},
		{"like twice", "/api/values?by=user&like=a&like=b", "like is given 2 times"},
		{"like of two", "/api/values?by=user&by=region&like=a", "like goes with one attribute"},
		{"unknown format", "/api/export?format=xml", `there is no format "xml"`},
		{"malformed export", "/api/export?f=%zz", "the address is malformed"},
		{"vocabulary", "/api/vocabulary?x=1", "the vocabulary is asked for without parameters"},
		{"extent", "/api/extent?x=1", "the extent is asked for without parameters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(t, &store{}, tt.target)
			if w.Code != http.StatusBadRequest || !strings.HasPrefix(message(t, w), tt.want) {
				t.Errorf("got %d %s, want 400 %s", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestHandler_counts(t *testing.T) {
	from := time.Date(2023, 7, 10, 12, 0, 0, 0, time.UTC)
	s := &store{
		facets: history.Facets{
			Facets: []history.Facet{{Attribute: history.User, Values: []history.Count{{Value: "bob", Count: 7}}, More: true}},
			Base:   9, Exact: true,
		},
		histogram: history.Histogram{
			Bars: []history.Bar{{From: from, To: from.Add(time.Minute), Success: 1, Failure: 2, Denied: 4}},
			Step: time.Minute, Total: 8, Failed: 6, Exact: true,
		},
		extent: history.Extent{Oldest: from, Events: 8, Loading: &history.Loading{Files: 3, FilesDone: 2}},
	}
	for target, want := range map[string]string{
		"/api/values?by=user":         `{"facets":[{"name":"user","values":[{"value":"bob","count":7}],"more":true}],"base":9,"exact":true,"lacks":""}`,
		"/api/values?by=user&like=bo": `{"facets":[{"name":"user","values":[{"value":"bob","count":3}],"more":false}],"base":0,"exact":false,"lacks":""}`,
		"/api/histogram":              `{"bars":[{"from":"2023-07-10T12:00:00Z","to":"2023-07-10T12:01:00Z","count":7,"failed":6}],"step":60,"total":8,"failed":6,"exact":true,"lacks":""}`,
		"/api/extent":                 `{"oldest":"2023-07-10T12:00:00Z","newest":"","events":8,"loading":{"files":3,"filesDone":2,"events":0,"refused":0}}`,
	} {
		if got := strings.TrimSpace(ask(t, s, target).Body.String()); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

// What an answer lacks goes along with it, and a record that was put together is none that was kept.
func TestHandler_lacks(t *testing.T) {
	s := &store{
		page:      history.Page{Next: "n", Lacks: "two shards"},
		facets:    history.Facets{Lacks: "three shards"},
		histogram: history.Histogram{Lacks: "four shards"},
		records:   map[string]string{"x": "{}"},
		derived:   true,
	}
	for target, want := range map[string]string{
		"/api/events":         `"lacks":"two shards"`,
		"/api/values?by=user": `"lacks":"three shards"`,
		"/api/histogram":      `"lacks":"four shards"`,
		"/api/event/x":        `"derived":true`,
	} {
		if w := ask(t, s, target); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %s in it", target, w.Code, w.Body, want)
		}
	}
}

// Whatever the vocabulary of history has, the page has words for.
func TestHandler_vocabulary(t *testing.T) {
	got := decode[struct {
		Store      string
		Attributes []struct {
			Name, Label string
			Words       []struct{ Value, Label string }
		}
		Questions []struct{ Name, Title, Query string }
	}](t, askWith(t, &store{}, web.Options{Store: "a folder"}, "/api/vocabulary"))
	if got.Store != "a folder" || len(got.Attributes) != len(history.Attributes()) || len(got.Questions) != len(history.Questions()) {
		t.Errorf("got %+v, want everything of package history", got)
	}
	for _, a := range got.Attributes {
		if a.Label == a.Name {
			t.Errorf("attribute %s has no label", a.Name)
		}
		for _, word := range a.Words {
			if word.Label == word.Value {
				t.Errorf("value %s of %s has no label", word.Value, a.Name)
			}
		}
	}
	for _, q := range got.Questions {
		s := &store{}
		if w := ask(t, s, "/api/events?"+q.Query); w.Code != http.StatusOK || len(s.asked.Filters) == 0 {
			t.Errorf("question %s: got %d %s for its query", q.Name, w.Code, w.Body)
		}
	}
}

func message(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var got struct{ Error string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return got.Error
}

func TestHandler_storeErrors(t *testing.T) {
	secret := errors.New("the disk at /var/lib/x is on fire")
	tests := []struct {
		name   string
		err    error
		status int
		want   string
		logged int
	}{
		{"query", history.Wrong("no place in a list"), 400, "no place in a list", 0},
		{"gone", fmt.Errorf("looking up: %w", history.ErrNotFound), 404, "there is no such event", 0},
		{"refused", fmt.Errorf("looking up: %w", &history.StoreError{Reason: "no right to search", Err: secret}), 503, "no right to search", 1},
		{"perhaps gone", &history.StoreError{Reason: "parts are away", Err: history.ErrNotFound}, 503, "parts are away", 1},
		{"broken", secret, 500, "the store could not be read; trailship's log says why", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zapcore.ErrorLevel)
			h := web.Handler(&store{err: tt.err}, web.Options{Log: zap.New(core)})
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody)
			r.Host = "localhost"
			h.ServeHTTP(w, r)
			if w.Code != tt.status || message(t, w) != tt.want || logs.Len() != tt.logged {
				t.Errorf("got %d %s with %d log lines, want %d %s with %d", w.Code, w.Body, logs.Len(), tt.status, tt.want, tt.logged)
			}
		})
	}
}

func TestHandler_deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := ask(t, &store{slow: true}, "/api/events")
		if got, want := message(t, w), "the search took longer than 10s"; w.Code != http.StatusGatewayTimeout || !strings.HasPrefix(got, want) {
			t.Errorf("got %d %s, want 504 %s", w.Code, got, want)
		}
	})
}

// Who goes on to another question does not wait for the first one, and the store does not work on it any more.
func TestHandler_givenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		w := ask(t, &store{slow: true}, "/api/events", func(r *http.Request) { *r = *r.WithContext(ctx) })
		if took := time.Since(began); took != time.Second || message(t, w) != "the request was given up" {
			t.Errorf("got %s after %v, want the search to end after a second", w.Body, took)
		}
	})
}

func TestHandler_event(t *testing.T) {
	const odd = "../a b?#<>\u202e"
	record := `{"requestParameters":{"bucketName":"a-bucket"},"z":9007199254740993,"a":1.0,"z2":"\u202e","html":"<script>alert(1)</script>"}`
	s := &store{records: map[string]string{odd: record}}
	w := ask(t, s, "/api/event/"+url.PathEscape(odd))
	var got struct {
		Event  struct{ ID, Name string }
		Record string
		Names  []string
		Pivots []struct{ Name, Query string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %d %s", err, w.Code, w.Body)
	}
	if got.Event.ID != odd || got.Record != record {
		t.Errorf("got %q %s, want %q %s", got.Event.ID, got.Record, odd, record)
	}
	if !slices.Contains(got.Names, "a-bucket") {
		t.Errorf("got names %q, want the bucket's", got.Names)
	}
	if len(got.Pivots) == 0 || got.Pivots[0].Query != "f=user%3Abob" {
		t.Errorf("got pivots %+v, want the user's", got.Pivots)
	}
	if w := ask(t, s, "/api/event/none"); w.Code != http.StatusNotFound || message(t, w) != "there is no such event" {
		t.Errorf("got %d %s, want 404", w.Code, w.Body)
	}
	if w := ask(t, s, "/api/event/none?x=1"); w.Code != http.StatusBadRequest {
		t.Errorf("got %d for a parameter, want 400", w.Code)
	}
}

func TestHandler_hostileText(t *testing.T) {
	for name, text := range map[string]string{
		"markup":  `</script><img src=x onerror=alert(1)>`,
		"quotes":  `"};alert(1);//`,
		"bidi":    "\u202egnp.exe\u2066",
		"control": "a\x00\x1b[31m\r\nSet-Cookie: a=b",
		"lines":   "\u2028\u2029",
	} {
		t.Run(name, func(t *testing.T) {
			e := history.Event{ID: text, Name: text, User: text, Reason: text, Resources: []history.Resource{{Type: text, Name: text}}}
			w := ask(t, &store{page: history.Page{Events: []history.Event{e}, Next: "n"}}, "/api/events")
			body := w.Body.String()
			if strings.ContainsAny(body, "<>\x00\x1b\u2028\u2029") {
				t.Errorf("got %q, want nothing that is markup or control", body)
			}
			var got struct {
				Events []struct {
					Name, Time string
					Resources  []struct{ Name string }
				}
				Next string
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if got.Events[0].Name != text || got.Events[0].Resources[0].Name != text || got.Events[0].Time != "" || got.Next != "n" {
				t.Errorf("got %+v, want %q as it is", got, text)
			}
		})
	}
}

func TestHandler_headers(t *testing.T) {
	tests := []struct {
		target, kind string
		status       int
	}{
		{"/", "text/html; charset=utf-8", 200},
		{"/assets/page.js", "text/javascript; charset=utf-8", 200},
		{"/assets/style.css", "text/css; charset=utf-8", 200},
		{"/assets/icon.svg", "image/svg+xml", 200},
		{"/api/events", "application/json; charset=utf-8", 200},
		{"/api/events?x=1", "application/json; charset=utf-8", 400},
		{"/assets/", "text/plain; charset=utf-8", 404},
		{"/assets/..%2fweb.go", "text/plain; charset=utf-8", 404},
		{"/nothing", "text/plain; charset=utf-8", 404},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			w := ask(t, &store{}, tt.target)
			if got := w.Header().Get("Content-Type"); w.Code != tt.status || got != tt.kind {
				t.Errorf("got %d %s, want %d %s", w.Code, got, tt.status, tt.kind)
			}
			for header, want := range map[string]string{
				"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
				"X-Content-Type-Options":       "nosniff",
				"Referrer-Policy":              "no-referrer",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestHandler_refuses(t *testing.T) {
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	arrivedAt := func(address string) func(*http.Request) {
		return func(r *http.Request) {
			own := &net.TCPAddr{IP: net.ParseIP(address), Port: 8080}
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, own))
		}
	}
	link := header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	tests := []struct {
		name, target string
		change       []func(*http.Request)
		want         int
	}{
		{"localhost", "/", []func(*http.Request){host("LocalHost:1")}, 200},
		{"IPv6 loopback", "/", []func(*http.Request){host("[::1]:8080")}, 200},
		{"another loopback", "/", []func(*http.Request){host("127.9.9.9")}, 200},
		{"configured name", "/", []func(*http.Request){host("history.example.org:443")}, 200},
		{"own address", "/", []func(*http.Request){host("192.0.2.7:8080"), arrivedAt("192.0.2.7")}, 200},
		{"foreign address", "/", []func(*http.Request){host("192.0.2.8:8080"), arrivedAt("192.0.2.7")}, 421},
		{"rebound name", "/api/events", []func(*http.Request){host("evil.example")}, 421},
		{"name that begins like ours", "/api/events", []func(*http.Request){host("127.0.0.1.evil.example")}, 421},
		{"no name", "/api/events", []func(*http.Request){host("")}, 421},
		{"same origin", "/api/events", []func(*http.Request){header("Sec-Fetch-Site", "same-origin")}, 200},
		{"another site's fetch", "/api/events", []func(*http.Request){header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors")}, 403},
		{"another site of the domain", "/api/events", []func(*http.Request){header("Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors")}, 403},
		{"another site's image", "/assets/icon.svg", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, 403},
		{"another site's link to the page", "/", []func(*http.Request){link}, 200},
		{"another site's link to the data", "/api/events", []func(*http.Request){link}, 403},
		{"another site's frame", "/", []func(*http.Request){link, header("Sec-Fetch-Dest", "iframe")}, 403},
		{"post", "/api/events", []func(*http.Request){func(r *http.Request) { r.Method = http.MethodPost }}, 405},
		{"head", "/", []func(*http.Request){func(r *http.Request) { r.Method = http.MethodHead }}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if w := ask(t, &store{}, tt.target, tt.change...); w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("f=eventName:RunInstances&from=-30m&tz=utc")
	f.Add("f=%00:&limit=1e3&cursor=")
	f.Add("f=-eventName*:Del*&q=%22a+b%22&from=-7d&to=1795255200&order=oldest")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody)
		r.URL.RawQuery, r.Host = query, "localhost"
		w := httptest.NewRecorder()
		web.Handler(&store{}, web.Options{}).ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("got %d for %q, want 200 or 400", w.Code, query)
		}
	})
}
