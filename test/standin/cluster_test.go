package standin_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/test/standin"
)

// ask sends one request to the cluster and returns status and body.
func ask(t *testing.T, c *standin.Cluster, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func create(index string, ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n{\"id\":%q}\n", index, id, id)
	}
	return b.String()
}

func TestCluster_create(t *testing.T) {
	for _, counting := range []bool{false, true} {
		c := &standin.Cluster{Counting: counting}
		_, got := ask(t, c, http.MethodPost, "/_bulk", create("a", "1", "2", "1")+create("b", "1"))
		want := `{"errors":false,"took":1,"items":[{"create":{"_index":"a","status":201}},{"create":{"_index":"a","status":201}},` +
			`{"create":{"_index":"a","status":409,"error":{"type":"version_conflict_engine_exception",` +
			`"reason":"[1]: version conflict, document already exists (current version [1])"}}},{"create":{"_index":"b","status":201}}]}`
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counting %t (-want +got):\n%s", counting, diff)
		}
		if all, a := c.Count(), c.Count("a*"); all != 3 || a != 2 {
			t.Errorf("counting %t: got %d documents, %d in a, want 3 and 2", counting, all, a)
		}
	}
}

func TestCluster_gzip(t *testing.T) {
	c := &standin.Cluster{MaxBytes: 100}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = io.WriteString(z, create("a", "1"))
	_ = z.Close()
	r := httptest.NewRequest(http.MethodPost, "/_bulk", &body)
	r.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != http.StatusOK || c.Count() != 1 {
		t.Errorf("got %d and %d documents, want 200 and 1", w.Code, c.Count())
	}
	if status, _ := ask(t, c, http.MethodPost, "/_bulk", create("a", strings.Repeat("x", 100))); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: got %d, want 413", status)
	}
}

func TestCluster_indices(t *testing.T) {
	c := &standin.Cluster{BuiltinLogs: true, RefuseTypes: []string{"flat_object"}}
	steps := []struct {
		name, method, path, body string
		status                   int
		part                     string // of the answer
	}{
		{"who", http.MethodGet, "/", "", 200, `"number":"8.19.0"`},
		{"name of a built-in data stream", http.MethodPut, "/logs-a-b", "", 400, "data streams only"},
		{"type it does not know", http.MethodPut, "/_index_template/t", `{"x":{"type":"flat_object"}}`, 400, "No handler for type [flat_object]"},
		{"template", http.MethodPut, "/_index_template/t", `{"index_patterns":["logs-a-*"],"priority":500,"template":{"mappings":{"dynamic":false}}}`, 200, ""},
		{"template again", http.MethodGet, "/_index_template/t", "", 200, `"priority":500`},
		{"no template", http.MethodGet, "/_index_template/u", "", 404, ""},
		{"index under it", http.MethodPut, "/logs-a-b", "", 200, `"acknowledged":true`},
		{"index twice", http.MethodPut, "/logs-a-b", "", 400, "resource_already_exists_exception"},
		{"its mapping", http.MethodGet, "/logs-a-b/_mapping", "", 200, `"dynamic":false`},
		{"documents", http.MethodPost, "/_bulk", create("logs-a-b", "1", "2"), 200, ""},
		{"a data stream after all", http.MethodPost, "/_bulk", create("logs-c-d", "1"), 200, ".ds-logs-c-d"},
		{"count", http.MethodGet, "/logs-a-*/_count", "", 200, `"count":2`},
		{"search", http.MethodPost, "/logs-a-b/_search", `{"query":{"ids":{"values":["2"]}}}`, 200, `"value":1`},
		{"document", http.MethodGet, "/logs-a-b/_doc/2", "", 200, `"_source":{"id":"2"}`},
		{"no document", http.MethodGet, "/logs-a-b/_doc/3", "", 404, ""},
	}
	for _, s := range steps {
		status, body := ask(t, c, s.method, s.path, s.body)
		if status != s.status || !strings.Contains(body, s.part) {
			t.Errorf("%s: got %d %s, want %d and %q", s.name, status, body, s.status, s.part)
		}
	}
}

func TestCluster_million(t *testing.T) {
	c := &standin.Cluster{Counting: true}
	var b bytes.Buffer
	const rounds, docs = 40, 5000
	for k := range rounds {
		b.Reset()
		for i := range docs {
			fmt.Fprintf(&b, "{\"create\":{\"_index\":\"a\",\"_id\":\"%d\"}}\n{}\n", k*docs+i)
		}
		for range 2 { // the second time all are duplicates
			c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/_bulk", bytes.NewReader(b.Bytes())))
		}
	}
	if got := c.Stats(); got.Stored != rounds*docs || got.Duplicates != rounds*docs {
		t.Errorf("got %+v, want %d of both", got, rounds*docs)
	}
}
