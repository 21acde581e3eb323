//go:build servers

package servers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// countedFields are the main fields that people search and count by.
var countedFields = []string{
	"event.action", "event.provider", "event.outcome", "event.category", "user.name", "cloud.region", "cloud.account.id", "source.ip",
	"aws.cloudtrail.user_identity.type", "aws.cloudtrail.error_code", "related.user", "target.entity.id",
}

// count adds the values of a document's main fields.
func count(t *testing.T, counts map[string]map[string]int, doc []byte) {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal(doc, &parsed); err != nil {
		t.Fatal(err)
	}
	for _, field := range countedFields {
		var v any = parsed
		for part := range strings.SplitSeq(field, ".") {
			object, _ := v.(map[string]any)
			v = object[part]
		}
		list, isList := v.([]any)
		if !isList && v != nil {
			list = []any{v}
		}
		for _, value := range list {
			if counts[field] == nil {
				counts[field] = map[string]int{}
			}
			counts[field][fmt.Sprint(value)]++
		}
	}
}

// checkCounts compares aggregations by the main fields, and a search for each one's most frequent value, with counts.
func (r *rig) checkCounts(t *testing.T, index string, counts map[string]map[string]int) {
	t.Helper()
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+index+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, field := range countedFields {
		var answer struct {
			Aggregations struct {
				By struct {
					Buckets []struct {
						Key   string `json:"key"`
						Count int    `json:"doc_count"`
					}
				}
			}
		}
		body := map[string]any{"size": 0, "aggs": map[string]any{"by": map[string]any{"terms": map[string]any{"field": field, "size": 5000}}}}
		if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+index+"/_search", body, &answer); err != nil {
			t.Fatal(err)
		}
		top, got := answer.Aggregations.By.Buckets, map[string]int{}
		for _, bucket := range top {
			got[bucket.Key] = bucket.Count
		}
		if diff := cmp.Diff(counts[field], got); diff != "" {
			t.Errorf("%s (-documents +aggregation):\n%s", field, diff)
			continue
		}
		if n := r.found(t, index, term(field, top[0].Key)); n != top[0].Count {
			t.Errorf("%s: a search for %q finds %d documents, want %d", field, top[0].Key, n, top[0].Count)
		}
	}
}
