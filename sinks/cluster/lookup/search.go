package lookup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/cluster"
)

// search is a request. Source: Elasticsearch Guide, "Search API".
type search struct {
	Size         int                    `json:"size"`
	Query        query                  `json:"query"`
	Sort         []map[string]order     `json:"sort,omitempty"`
	After        []json.RawMessage      `json:"search_after,omitempty"`
	Source       any                    `json:"_source"` // false, or sourced
	Aggregations map[string]aggregation `json:"aggs,omitempty"`
	Total        bool                   `json:"track_total_hits"`
	Timeout      string                 `json:"timeout"`
}

type order struct {
	Order    string `json:"order"`
	Missing  string `json:"missing"`
	Unmapped string `json:"unmapped_type"`
}

// sourced says which fields of the documents are needed.
type sourced struct {
	Includes []string `json:"includes,omitempty"`
	Excludes []string `json:"excludes,omitempty"`
}

// answer is the answer to a search.
type answer struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Total    int `json:"total"`
		Failed   int `json:"failed"`
		Failures []struct {
			Index  string `json:"index"`
			Reason struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"reason"`
		} `json:"failures"`
	} `json:"_shards"`
	Hits struct {
		Total struct {
			Value int64 `json:"value"`
		} `json:"total"`
		Hits []hit `json:"hits"`
	} `json:"hits"`
	Aggregations map[string]counts `json:"aggregations"`
}

const (
	// searchTime is how long the cluster may look; then it says what it has found. The answer may take a little longer.
	searchTime = 20 * time.Second
	answerTime = searchTime + 5*time.Second
	maxAnswer  = 64 << 20
)

// search asks the cluster. What it says about an index that is not there yet is nothing.
func (c *Cluster) search(ctx context.Context, s *search) (*answer, error) {
	if s.Source == nil {
		s.Source = false
	}
	s.Timeout = fmt.Sprintf("%dms", c.patience(ctx).Milliseconds())
	found := &answer{}
	err := cluster.Do(ctx, c.transport, cluster.Request{
		Method: http.MethodPost, Path: "/" + c.index + "/_search?ignore_unavailable=true&allow_no_indices=true",
		Body: s, Timeout: answerTime, MaxAnswer: c.most,
	}, found)
	switch {
	case hasStatus(err, http.StatusNotFound):
		return &answer{}, nil
	case err != nil:
		return nil, c.explain(err)
	}
	return found, nil
}

// patience is how long the cluster may look, a little less than the asker waits.
func (c *Cluster) patience(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return searchTime
	}
	return max(100*time.Millisecond, min(searchTime, time.Until(deadline)*9/10))
}

// lacks says what an answer does not have, "" when it is whole.
func (a *answer) lacks() string {
	switch {
	case a.Shards.Failed > 0 && len(a.Shards.Failures) > 0:
		f := a.Shards.Failures[0]
		return fmt.Sprintf("%d of %d parts of the cluster's indices did not answer, so that events are missing here: %s of %s",
			a.Shards.Failed, a.Shards.Total, f.Reason.Type, f.Index)
	case a.Shards.Failed > 0:
		return fmt.Sprintf("%d of %d parts of the cluster's indices did not answer, so that events are missing here", a.Shards.Failed, a.Shards.Total)
	case a.TimedOut:
		return "the cluster gave up before it had looked everywhere, so that events are missing here: narrow the time range or add a filter"
	}
	return ""
}

func hasStatus(err error, status int) bool {
	var refused *cluster.Error
	return errors.As(err, &refused) && refused.Status == status
}

// explain says what to do about a cluster's error.
func (c *Cluster) explain(err error) error {
	if hasStatus(err, http.StatusForbidden) {
		return &history.StoreError{
			Reason: fmt.Sprintf("the sink's user may not search %s: give it the rights of reader-role.json in deploy/elasticsearch or deploy/opensearch, beside its own", c.index),
			Err:    err,
		}
	}
	if hasStatus(err, http.StatusUnauthorized) {
		return &history.StoreError{Reason: "the cluster does not know the sink's user: check its api_key, or username and password", Err: err}
	}
	return fmt.Errorf("searching %s: %w", c.index, err)
}
