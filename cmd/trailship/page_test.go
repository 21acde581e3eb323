package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/trailship/trailship/test/standin"
)

// searched is a stand-in cluster that finds its documents, too: those whose ids are asked for, else all in the order of ids.
type searched struct {
	*standin.Cluster

	away    atomic.Int64 // how many of its three parts do not answer
	refuses atomic.Bool  // whoever searches
}

func (c *searched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/_search") {
		c.Cluster.ServeHTTP(w, r)
		return
	}
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	if c.refuses.Load() {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"type":"security_exception","reason":"no permissions"},"status":403}`)
		return
	}
	var asked struct {
		Size  int
		After []int `json:"search_after"`
		Query struct{ IDs struct{ Values []string } }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	docs, from := c.Docs(), 0
	ids := asked.Query.IDs.Values
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(docs))
	}
	if len(asked.After) > 0 {
		from = asked.After[0]
	}
	hits := []any{}
	for i := from; i < min(from+asked.Size, len(ids)); i++ {
		hits = append(hits, map[string]any{"_id": ids[i], "_source": docs[ids[i]], "sort": []any{i + 1, 0, 0, 0}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"_shards": map[string]any{"total": 3, "failed": c.away.Load()},
		"hits":    map[string]any{"total": map[string]any{"value": len(ids)}, "hits": hits},
	})
}

// pageAnswer is what the page's questions are answered with, as far as it is looked at here.
type pageAnswer struct {
	Events []struct{ ID, Name string }
	Event  struct{ Name string }
	Next   string
	Lacks  string

	Record  string
	Derived bool
}

func askPage(t *testing.T, url string) (got pageAnswer) {
	t.Helper()
	text, err := ask(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return got
}

// The daemon's page shows what the daemon has written to its cluster, and says what the cluster does not tell.
func TestRun_page(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	w := newWorld(t)
	cluster := &searched{Cluster: w.cluster}
	server := httptest.NewServer(cluster)
	t.Cleanup(server.Close)
	w.servers["cluster"] = server.URL
	w.announce(70)
	cfg := w.config(t, fmt.Sprintf("web: {listen: %q}\n", freeAddress(t)))
	d := start(t, cfg)
	defer d.end(t)
	eventually(t, "an empty queue", func() bool { return w.left() == 0 })
	url := "http://" + cfg.Web.Listen + "/api/"

	first := askPage(t, url+"events?limit=50")
	if len(first.Events) != 50 || first.Events[0].Name != "GetObject" || first.Next == "" || first.Lacks != "" {
		t.Errorf("got %+v, want a whole page of 50 and a next one", first)
	}
	cluster.away.Store(2)
	if second := askPage(t, url+"events?limit=50&cursor="+first.Next); len(second.Events) != 20 || !strings.Contains(second.Lacks, "2 of 3 parts") {
		t.Errorf("got %+v, want the other 20 and that parts are missing", second)
	}
	cluster.away.Store(0)
	one := askPage(t, url+"event/"+first.Events[0].ID)
	if one.Event.Name != "GetObject" || !one.Derived || !strings.Contains(one.Record, `"eventSource":"s3.amazonaws.com"`) {
		t.Errorf("got %+v, want the record, put together", one)
	}
	cluster.refuses.Store(true)
	for _, question := range []string{"events", "histogram", "values?by=user", "export"} {
		if text, err := ask(t.Context(), url+question); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "reader-role.json") {
			t.Errorf("%s: got %q, %v, want to be told which right is missing", question, text, err)
		}
	}
}
