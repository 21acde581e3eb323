package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/trailship/trailship/pipeline"
)

// Cluster is what an index of dead letters needs of a cluster.
type Cluster interface {
	Perform(req *http.Request) (*http.Response, error)
	CreateIndex(ctx context.Context, name string) error
}

const (
	buryTimeout = 30 * time.Second
	buryTries   = 4
	buryRetry   = 5 * time.Second // no try begins later: a cluster that does not answer has had enough of them
	maxRequest  = 1 << 20         // bytes from which a request is full; one letter may be larger
	maxAnswer   = 16 << 20
)

// index keeps letters in an index of the cluster, under the _id of the document that the record would have become.
type index struct {
	name    string
	cluster Cluster
	there   atomic.Bool
}

func (x *index) String() string { return "index " + x.name }

// Bury writes the letters, each request again with pauses while the cluster is busy. A letter that is there already counts
// as kept.
func (x *index) Bury(ctx context.Context, letters []pipeline.Letter) error {
	if !x.there.Load() {
		if err := x.cluster.CreateIndex(ctx, x.name); err != nil {
			return err
		}
		x.there.Store(true)
	}
	for len(letters) > 0 {
		body, n, err := x.request(letters)
		if err != nil {
			return err
		}
		pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMaxElapsedTime(buryRetry))
		err = backoff.Retry(func() error { return x.write(ctx, body, n) },
			backoff.WithContext(backoff.WithMaxRetries(pauses, buryTries-1), ctx))
		if err != nil {
			x.there.Store(false) // somebody may have deleted it
			return err
		}
		letters = letters[n:]
	}
	return nil
}

// request is the body of a bulk request for the first n letters.
func (x *index) request(letters []pipeline.Letter) (text []byte, n int, err error) {
	type target struct {
		Index string `json:"_index"`
		ID    string `json:"_id"`
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	now := time.Now()
	for n < len(letters) && body.Len() < maxRequest {
		action := map[string]target{"create": {x.name, letters[n].ID}}
		if err := errors.Join(encoder.Encode(action), encoder.Encode(newEntry(&letters[n], now))); err != nil {
			return nil, 0, err
		}
		n++
	}
	return body.Bytes(), n, nil
}

// write sends the request once. Every letter must be answered as stored or as there already.
func (x *index) write(ctx context.Context, body []byte, n int) error {
	ctx, cancel := context.WithTimeout(ctx, buryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/_bulk", bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := x.cluster.Perform(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		err := fmt.Errorf("the cluster answers %s", res.Status)
		if res.StatusCode < http.StatusInternalServerError && res.StatusCode != http.StatusTooManyRequests {
			return backoff.Permanent(err)
		}
		return err
	}
	var answer struct {
		Items []map[string]struct {
			Status int `json:"status"`
			Error  struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"error"`
		} `json:"items"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("reading the cluster's answer: %w", err)
	}
	if len(answer.Items) != n {
		return fmt.Errorf("the cluster answers %d items for %d letters", len(answer.Items), n)
	}
	for _, item := range answer.Items {
		for _, kept := range item {
			there := kept.Status == http.StatusConflict && kept.Error.Type == "version_conflict_engine_exception"
			if kept.Status >= http.StatusMultipleChoices && !there {
				return fmt.Errorf("the cluster refuses a letter: %d %s", kept.Status, kept.Error.Type)
			}
		}
	}
	return nil
}
