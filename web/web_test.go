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
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/web"
)

// store is a store in memory: it gives page for every query and keeps the last one.
type store struct {
	page    local.Page
	err     error
	records map[string]string
	asked   local.Query
	slow    bool // wait for the end of the context
}

func (s *store) Events(ctx context.Context, q local.Query) (local.Page, error) {
	s.asked = q
	if s.slow {
		<-ctx.Done()
		return local.Page{}, errors.New("interrupted (9)")
	}
	return s.page, s.err
}

func (s *store) Event(_ context.Context, id string) (local.Event, error) {
	if s.err != nil {
		return local.Event{}, s.err
	}
	record, ok := s.records[id]
	if !ok {
		return local.Event{}, fmt.Errorf("looking up event %q: %w", id, local.ErrNotFound)
	}
	return local.Event{ID: id, Name: "RunInstances", Record: []byte(record)}, nil
}

// ask asks a handler over s, as a browser on the same machine does unless change says otherwise.
func ask(t *testing.T, s *store, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	r.Host = "127.0.0.1:8080"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	web.Handler(s, web.Options{Hosts: []string{"history.example.org"}}).ServeHTTP(w, r)
	return w
}

func TestHandler_query(t *testing.T) {
	day := time.Date(2023, 7, 10, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, query string
		want        local.Query
	}{
		{"nothing", "", local.Query{}},
		{"a filter", "f=eventName:RunInstances", local.Query{Filters: []local.Filter{{Attribute: local.EventName, Values: []string{"RunInstances"}}}}},
		{"two filters", "f=user:bob&f=resourceName:arn:aws:s3:::b", local.Query{Filters: []local.Filter{
			{Attribute: local.User, Values: []string{"bob"}},
			{Attribute: local.ResourceName, Values: []string{"arn:aws:s3:::b"}},
		}}},
		{"two values of one", "f=outcome:denied&f=readOnly:true&f=outcome:success", local.Query{Filters: []local.Filter{
			{Attribute: local.OutcomeIs, Values: []string{"denied", "success"}},
			{Attribute: local.ReadOnly, Values: []string{"true"}},
		}}},
		{"ISO", "from=2023-07-10T02:00:00%2B02:00&to=2023-07-10&tz=local", local.Query{Since: day, Until: day}},
		{"Unix seconds", "from=1688947200", local.Query{Since: day}},
		{"a page", "cursor=abc&limit=7", local.Query{Before: "abc", Limit: 7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &store{}
			if w := ask(t, s, "/api/events?"+tt.query); w.Code != http.StatusOK {
				t.Fatalf("got %d %s, want 200", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.want, s.asked); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("relative", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &store{}
			ask(t, s, "/api/events?from=-30m")
			if diff := cmp.Diff(local.Query{Since: time.Now().Add(-30 * time.Minute)}, s.asked); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	})
}

func TestHandler_wrong(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"unknown parameter", "color=red", `there is no parameter "color"`},
		{"unknown attribute", "f=shoe:42", `"shoe:42" is no filter`},
		{"no value", "f=eventName", `"eventName" is no filter`},
		{"excluded", "f=-user:bob", `"-user:bob" is no filter`},
		{"twice", "from=1&from=2", "from is given 2 times"},
		{"no time", "from=yesterday", `from is "yesterday"`},
		{"no limit", "limit=-1", `limit is "-1"`},
		{"too many", "limit=1001", `limit is "1001"`},
		{"no zone", "tz=mars", `tz is "mars"`},
		{"malformed", "f=%zz", "the address is malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(t, &store{}, "/api/events?"+tt.query)
			if w.Code != http.StatusBadRequest || !strings.HasPrefix(message(t, w), tt.want) {
				t.Errorf("got %d %s, want 400 %s", w.Code, w.Body, tt.want)
			}
		})
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
		{"query", &local.QueryError{Reason: "no place in a list"}, 400, "no place in a list", 0},
		{"loading", fmt.Errorf("looking events up: %w", local.ErrLoading), 503, local.ErrLoading.Error(), 0},
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

func TestHandler_event(t *testing.T) {
	const odd = "../a b?#<>\u202e"
	record := `{"z":9007199254740993,"a":1.0,"z2":"\u202e","html":"<script>alert(1)</script>"}`
	s := &store{records: map[string]string{odd: record}}
	w := ask(t, s, "/api/event/"+url.PathEscape(odd))
	var got struct {
		Event  struct{ ID, Name string }
		Record string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v in %d %s", err, w.Code, w.Body)
	}
	if got.Event.ID != odd || got.Record != record {
		t.Errorf("got %q %s, want %q %s", got.Event.ID, got.Record, odd, record)
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
			e := local.Event{ID: text, Name: text, User: text, Reason: text, Resources: []local.Resource{{Type: text, Name: text}}}
			w := ask(t, &store{page: local.Page{Events: []local.Event{e}, Next: "n"}}, "/api/events")
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
