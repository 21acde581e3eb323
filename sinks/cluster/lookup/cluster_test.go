package lookup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/historytest"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster/lookup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const index = "logs-aws.cloudtrail-trailship-*"

// node is a transport to one server.
type node struct {
	url    string
	client *http.Client
}

func (n node) Perform(req *http.Request) (*http.Response, error) {
	to, err := http.NewRequestWithContext(req.Context(), req.Method, n.url+req.URL.String(), req.Body)
	if err != nil {
		return nil, err
	}
	to.Header = req.Header
	return n.client.Do(to)
}

// serve is a search over a server that answers so.
func serve(t *testing.T, answer http.HandlerFunc) *lookup.Cluster {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	t.Cleanup(s.Client().CloseIdleConnections)
	return lookup.New(node{s.URL, s.Client()}, index, "")
}

// says is a server with one answer to everything.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestCluster_refused(t *testing.T) {
	const forbidden = `{"error":{"type":"security_exception","reason":"no permissions for [indices:data/read/search]"},"status":403}`
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   []string
	}{
		{"no right to search", http.StatusForbidden, forbidden, []string{"may not search " + index, "reader-role.json", "indices:data/read/search"}},
		{"unknown user", http.StatusUnauthorized, `{"error":{"type":"security_exception","reason":"missing credentials"}}`, []string{"username and password", "401"}},
		{"a server that is no cluster", http.StatusOK, `<html>`, []string{"check the sink's urls"}},
		{"a proxy's error", http.StatusBadGateway, `<html>`, []string{"502"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := serve(t, says(tc.status, tc.body)).Events(t.Context(), history.Query{})
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
		})
	}
}

// What a user may be told holds nothing of what the cluster said.
func TestCluster_refused_reason(t *testing.T) {
	_, err := serve(t, says(http.StatusForbidden, `{"error":{"type":"x","reason":"inside"}}`)).Extent(t.Context())
	var told *history.StoreError
	if !errors.As(err, &told) || strings.Contains(told.Reason, "inside") || !strings.Contains(err.Error(), "inside") {
		t.Errorf("got %v, want a StoreError that keeps the cluster's words for the log", err)
	}
}

func TestCluster_noIndex(t *testing.T) {
	const missing = `{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`
	historytest.Empty(t, serve(t, says(http.StatusNotFound, missing)))
	// With a pattern that nothing matches there is an answer of no shards, without aggregations.
	historytest.Empty(t, serve(t, says(http.StatusOK, `{"took":1,"timed_out":false,"_shards":{"total":0,"failed":0},"hits":{"total":{"value":0},"hits":[]}}`)))
}

func TestCluster_partial(t *testing.T) {
	const failed = `{"timed_out":false,"_shards":{"total":9,"failed":2,"failures":[{"index":"logs-7","reason":{"type":"circuit_breaking_exception","reason":"x"}}]},"hits":{"total":{"value":0},"hits":[]}}`
	const late = `{"timed_out":true,"_shards":{"total":9,"failed":0},"hits":{"total":{"value":0},"hits":[]}}`
	for body, want := range map[string]string{failed: "2 of 9 parts", late: "gave up"} {
		s := serve(t, says(http.StatusOK, body))
		page, err := s.Events(t.Context(), history.Query{})
		if err != nil || !strings.Contains(page.Lacks, want) {
			t.Errorf("events: got %q, %v; want it to say %q", page.Lacks, err, want)
		}
		h, err := s.Histogram(t.Context(), history.Query{}, 10)
		if err != nil || !strings.Contains(h.Lacks, want) || h.Exact {
			t.Errorf("histogram: got %q, exact %v, %v; want it to say %q", h.Lacks, h.Exact, err, want)
		}
		for _, a := range []history.Attribute{history.EventName, history.User} { // by the cluster, and one by one
			f, err := s.Facets(t.Context(), history.Query{}, []history.Attribute{a}, 10)
			if err != nil || !strings.Contains(f.Lacks, want) || f.Exact {
				t.Errorf("facets: got %q, exact %v, %v; want it to say %q", f.Lacks, f.Exact, err, want)
			}
		}
		if _, err := s.Event(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("event: got %v, want it to say %q", err, want)
		}
		q, _ := history.FindQuestion("first-calls")
		if _, err := s.Events(t.Context(), q.Query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("first: got %v, want an error that says %q", err, want)
		}
	}
}

// Whoever gives up takes the request to the cluster along, and the cluster is told how long anybody waits.
func TestCluster_cancel(t *testing.T) {
	asked, gone := make(chan string, 1), make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- string(body)
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx, giveUp := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := s.Events(ctx, history.Query{})
		done <- err
	}()
	if body := <-asked; !strings.Contains(body, `"timeout":"20000ms"`) {
		t.Errorf("got the request %s, want a timeout of 20 s", body)
	}
	giveUp()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	<-gone
}

// A question about the first events is asked by one at a time; who waits for it can give up.
func TestCluster_cancel_first(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		asked <- struct{}{}
		<-r.Context().Done()
	})
	q, _ := history.FindQuestion("first-calls")
	first, endFirst := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Events(first, q.Query)
		done <- err
	}()
	<-asked
	second, endSecond := context.WithCancel(t.Context())
	endSecond()
	if _, err := s.Events(second, q.Query); !errors.Is(err, context.Canceled) {
		t.Errorf("the second: got %v, want %v", err, context.Canceled)
	}
	endFirst()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: got %v, want %v", err, context.Canceled)
	}
}

// What the user writes reaches the cluster as values only.
func TestCluster_hostile(t *testing.T) {
	const hostile = `"}},{"script":{"source":"1"}},\ * ? ~ OR _exists_:x` + "\x00\u202e"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("got no JSON: %v", err)
		}
		if text := fmt.Sprint(keysOf(body)); strings.Contains(text, "script") || strings.Contains(text, "query_string") {
			t.Errorf("got the members %s", text)
		}
		says(http.StatusOK, `{}`)(w, r)
	})
	for _, a := range history.Attributes() {
		for _, glob := range []bool{false, true} {
			_, err := s.Events(t.Context(), history.Query{Text: `a "` + hostile, Filters: []history.Filter{{Attribute: a, Values: []string{hostile}, Glob: glob}}})
			if wrong := (*history.QueryError)(nil); err != nil && !errors.As(err, &wrong) {
				t.Errorf("%s: got %v", a, err)
			}
		}
	}
}

// keysOf are the names of all members.
func keysOf(v any) (keys []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			keys = append(append(keys, k), keysOf(m)...)
		}
	case []any:
		for _, m := range v {
			keys = append(keys, keysOf(m)...)
		}
	}
	return keys
}

func TestCluster_withoutObjects(t *testing.T) {
	s := lookup.New(node{"http://127.0.0.1:0", http.DefaultClient}, index, ecs.RetainKeyword)
	_, err := s.Events(t.Context(), history.Query{Filters: []history.Filter{{Attribute: history.ResourceName, Values: []string{"x"}}}})
	if wrong := (*history.QueryError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "output.retain") {
		t.Errorf("got %v, want a QueryError that names output.retain", err)
	}
}

// Every filter fits into what a cluster takes in one search.
func TestCluster_manyValues(t *testing.T) {
	many := make([]string, history.MaxValues)
	for i := range many {
		many[i] = fmt.Sprint("value-", i)
	}
	for _, a := range history.Attributes() {
		if history.Words(a) != nil {
			continue
		}
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var body map[string]any
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			if n := clausesOf(body["query"]); n > 1024 {
				t.Errorf("%s: got %d clauses, want at most 1024", a, n)
			}
			says(http.StatusOK, `{}`)(w, r)
		})
		if _, err := s.Events(t.Context(), history.Query{Filters: []history.Filter{{Attribute: a, Values: many}}}); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}

// clausesOf counts the clauses that are no combination of others.
func clausesOf(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v["bool"].(map[string]any); ok {
			for _, of := range inner {
				n += clausesOf(of)
			}
			return n
		}
		return 1
	case []any:
		for _, m := range v {
			n += clausesOf(m)
		}
	}
	return n
}
