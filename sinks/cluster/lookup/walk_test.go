package lookup

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trailship/trailship/history"
)

// performer is a transport that hands requests to a handler.
type performer http.HandlerFunc

func (p performer) Perform(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p(w, req)
	return w.Result(), nil
}

// numbered answers searches with so many documents, in the order of their numbers.
func numbered(t *testing.T, documents int) performer {
	t.Helper()
	name := strings.Repeat("x", 1000)
	return func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Size  int   `json:"size"`
			After []any `json:"search_after"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		from := 0
		if asked.After != nil {
			from = int(asked.After[0].(float64))
		}
		var hits []string
		for i := from; i < min(from+asked.Size, documents); i++ {
			hits = append(hits, fmt.Sprintf(`{"_id":"%d","sort":[%d,null,null,null],"_source":{"event":{"action":%q}}}`, i, i+1, name))
		}
		fmt.Fprintf(w, `{"hits":{"hits":[%s]}}`, strings.Join(hits, ","))
	}
}

// An answer that is too large is asked for in smaller pieces.
func TestCluster_largeAnswers(t *testing.T) {
	c := New(numbered(t, 70), "index", "")
	c.most = 10_000
	page, err := c.Events(t.Context(), history.Query{Limit: 100})
	if err != nil || len(page.Events) != 70 || page.Events[69].ID != "69" || page.Next != "" {
		t.Errorf("got %d events, next %q, %v; want 70", len(page.Events), page.Next, err)
	}
}

// What must be judged one by one is looked at so far and no further; the next page goes on there.
func TestCluster_looksAtSoMany(t *testing.T) {
	const documents = maxLooked + 300
	c := New(numbered(t, documents), "index", "")
	nobody := history.Query{Filters: []history.Filter{{Attribute: history.ResourceType, Values: []string{"AWS::EC2::Instance"}}}}
	page, err := c.Events(t.Context(), nobody)
	if err != nil || len(page.Events) != 0 || page.Next == "" {
		t.Fatalf("got %d events, next %q, %v; want none and a next page", len(page.Events), page.Next, err)
	}
	nobody.After = page.Next
	if page, err = c.Events(t.Context(), nobody); err != nil || len(page.Events) != 0 || page.Next != "" {
		t.Errorf("then: got %d events, next %q, %v; want none and no next page", len(page.Events), page.Next, err)
	}
	facets, err := c.Facets(t.Context(), history.Query{}, []history.Attribute{history.User, history.EventName}, 5)
	if err != nil || facets.Exact || facets.Base != maxLooked || facets.Facets[1].Values[0].Count != maxLooked {
		t.Errorf("counts: got %d events, exact %v, %v; want the newest %d", facets.Base, facets.Exact, err, maxLooked)
	}
}
