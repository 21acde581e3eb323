package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Hit is a document that a search found.
type Hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// Change is what becomes of one document: Doc is laid over it, member by member; a list replaces a list.
type Change struct {
	Hit Hit
	Doc json.RawMessage
}

const (
	pageSize   = 500
	scrollTime = "10m" // between two pages
)

type found struct {
	Scroll string `json:"_scroll_id"`
	Hits   struct {
		Hits []Hit `json:"hits"`
	} `json:"hits"`
}

// Selection is the documents that Each finds, and what of them is needed.
type Selection struct {
	Index  string
	Query  any // in the cluster's JSON
	Fields []string
}

// Each searches and hands the documents to visit, a page at a time. It asks for the right to read. Source: Elasticsearch
// Guide, "Scroll API".
func Each(ctx context.Context, t Transport, s Selection, visit func([]Hit) error) error {
	c := caller{t}
	var page found
	path := "/" + s.Index + "/_search?scroll=" + scrollTime + "&ignore_unavailable=true"
	in := object{"size": pageSize, "query": s.Query, "_source": s.Fields, "sort": []string{"_doc"}}
	if err := c.call(ctx, http.MethodPost, path, in, &page); err != nil {
		return fmt.Errorf("searching %s: %w", s.Index, err)
	}
	scroll := page.Scroll
	defer func() { // its end frees what the cluster keeps for it; so does its time
		_ = c.call(context.WithoutCancel(ctx), http.MethodDelete, "/_search/scroll", object{"scroll_id": scroll}, nil)
	}()
	for len(page.Hits.Hits) > 0 {
		if err := visit(page.Hits.Hits); err != nil {
			return err
		}
		page = found{}
		if err := c.call(ctx, http.MethodPost, "/_search/scroll", object{"scroll": scrollTime, "scroll_id": scroll}, &page); err != nil {
			return fmt.Errorf("searching %s further: %w", s.Index, err)
		}
		if page.Scroll != "" {
			scroll = page.Scroll
		}
	}
	return nil
}

// Apply makes changes in one request and returns how many of them the cluster refused, with the first reason. It asks for
// the right to update. Source: Elasticsearch Guide, "Bulk API".
func Apply(ctx context.Context, t Transport, changes []Change) (refused int, reason string, err error) {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, change := range changes {
		action := object{"update": object{"_index": change.Hit.Index, "_id": change.Hit.ID, "retry_on_conflict": 3}}
		if err := lines.Encode(action); err != nil {
			return 0, "", fmt.Errorf("encoding a change: %w", err)
		}
		if err := lines.Encode(object{"doc": change.Doc}); err != nil {
			return 0, "", fmt.Errorf("encoding a change: %w", err)
		}
	}
	var answer struct {
		Items []map[string]struct {
			Status int   `json:"status"`
			Error  cause `json:"error"`
		} `json:"items"`
	}
	if err := (caller{t}).call(ctx, http.MethodPost, "/_bulk", &body, &answer); err != nil {
		return 0, "", fmt.Errorf("changing documents: %w", err)
	}
	for _, item := range answer.Items {
		for _, one := range item {
			if one.Status < http.StatusMultipleChoices {
				continue
			}
			refused++
			if reason == "" {
				reason = one.Error.Type + ": " + one.Error.Reason
			}
		}
	}
	return refused, reason, nil
}
