package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// pageSize is how many letters a stack of an index has. A record has up to 256 KiB.
const pageSize = 100

// stackPage is a page of letters of an index.
type stackPage struct {
	index *index
	hits  []hit
}

// hit is a letter as a search gives it. The two numbers say which version of it: a letter that somebody put there again in
// the meantime is not deleted.
type hit struct {
	ID     string            `json:"_id"`
	Source json.RawMessage   `json:"_source"`
	SeqNo  int64             `json:"_seq_no"`
	Term   int64             `json:"_primary_term"`
	Sort   []json.RawMessage `json:"sort"`
}

// search is the request for a page. The sort fields name a letter: by themselves times do not, and ids do not sort on every
// cluster. Letters that go meanwhile leave no gap, since a page begins after the last letter of the one before.
type search struct {
	Size   int               `json:"size"`
	SeqNo  bool              `json:"seq_no_primary_term"`
	Total  bool              `json:"track_total_hits"`
	Query  json.RawMessage   `json:"query"`
	Sort   []map[string]by   `json:"sort"`
	Behind []json.RawMessage `json:"search_after,omitempty"`
}

type by struct {
	Order string `json:"order"`
	Type  string `json:"unmapped_type"` // of an index that no letter has been put into
}

// Stacks implements Shelf. Letters that were buried less than the index's refresh interval ago, a second as a rule, are not
// seen.
func (x *index) Stacks(ctx context.Context, since, until time.Time) iter.Seq2[Stack, error] {
	return func(yield func(Stack, error) bool) {
		ask := search{
			Size: pageSize, SeqNo: true, Query: between(since, until),
			Sort: []map[string]by{
				{"@timestamp": {"asc", "date"}}, {"key": {"asc", "keyword"}}, {"number": {"asc", "long"}}, {"offset": {"asc", "long"}},
			},
		}
		for {
			hits, err := x.page(ctx, ask)
			if err != nil {
				yield(nil, fmt.Errorf("searching index %s: %w", x.name, err))
				return
			}
			if len(hits) == 0 || !yield(&stackPage{x, hits}, nil) {
				return
			}
			ask.Behind = hits[len(hits)-1].Sort
		}
	}
}

// between is a query for the letters of a time.
func between(since, until time.Time) json.RawMessage {
	limits := map[string]string{"gte": since.UTC().Format(time.RFC3339Nano)}
	if !until.IsZero() {
		limits["lt"] = until.UTC().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(map[string]any{"range": map[string]any{"@timestamp": limits}})
	if err != nil {
		panic(err) // strings always can be
	}
	return text
}

// page searches once. An index that is not there is an empty one.
func (x *index) page(ctx context.Context, ask search) ([]hit, error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Hits struct{ Hits []hit }
	}
	status, err := x.ask(ctx, "/"+url.PathEscape(x.name)+"/_search", text, &answer)
	if status == http.StatusNotFound {
		return nil, nil
	}
	return answer.Hits.Hits, err
}

// ask posts a request and decodes an answer of 200.
func (x *index) ask(ctx context.Context, path string, body []byte, out any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, buryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := x.cluster.Perform(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, fmt.Errorf("the cluster answers %s%s", res.Status, rights(res.StatusCode))
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return res.StatusCode, fmt.Errorf("reading the cluster's answer: %w", err)
	}
	return res.StatusCode, nil
}

// rights is what to do about an answer to somebody who may not.
func rights(status int) string {
	if status == http.StatusForbidden || status == http.StatusUnauthorized {
		return "; give the sink's user the rights of the replay role in deploy, beside those of the writer"
	}
	return ""
}

func (s *stackPage) String() string { return s.index.String() }

// Letters implements Stack.
func (s *stackPage) Letters(context.Context) iter.Seq2[*Kept, error] {
	return func(yield func(*Kept, error) bool) {
		for _, h := range s.hits {
			k, err := parseLetter(h.Source, h.ID)
			if err != nil {
				err = fmt.Errorf("reading document %s of %s: %w", h.ID, s, err)
			}
			if !yield(k, err) {
				return
			}
		}
	}
}

// Remove implements Stack.
func (s *stackPage) Remove(ctx context.Context, gone func(int) bool) error {
	type target struct {
		Index string `json:"_index"`
		ID    string `json:"_id"`
		SeqNo int64  `json:"if_seq_no"`
		Term  int64  `json:"if_primary_term"`
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for i, h := range s.hits {
		if !gone(i) {
			continue
		}
		if err := encoder.Encode(map[string]target{"delete": {s.index.name, h.ID, h.SeqNo, h.Term}}); err != nil {
			return err
		}
	}
	if body.Len() == 0 {
		return nil
	}
	var answer struct {
		Items []map[string]struct {
			Status int
			Error  struct{ Type string }
		}
	}
	if _, err := s.index.ask(ctx, "/_bulk", body.Bytes(), &answer); err != nil {
		return fmt.Errorf("deleting letters of index %s: %w", s.index.name, err)
	}
	for _, item := range answer.Items {
		for _, done := range item {
			if done.Status >= http.StatusMultipleChoices && done.Status != http.StatusNotFound {
				return fmt.Errorf("deleting letters of index %s: the cluster refuses one: %d %s%s", s.index.name, done.Status, done.Error.Type, rights(done.Status))
			}
		}
	}
	return nil
}
