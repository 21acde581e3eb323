// Package cluster is what Elasticsearch and OpenSearch are asked beside _bulk: who they are, index templates and new
// indices. Which types a cluster knows is found out by trying, so that one code serves every version of both.
package cluster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Transport sends one request to a node of the cluster and fills in host, credentials and signature. The transports of
// go-elasticsearch and opensearch-go are such.
type Transport interface {
	Perform(req *http.Request) (*http.Response, error)
}

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 4 << 20
	maxReason   = 500 // characters of a reason that go into an error
)

// Error is an answer of the cluster that is no success.
type Error struct {
	Status int
	Type   string // such as security_exception; "" when the answer is no JSON
	Reason string // of the innermost cause
}

func (e *Error) Error() string {
	text := fmt.Sprintf("the cluster answers %d %s", e.Status, http.StatusText(e.Status))
	if e.Type != "" {
		text += " " + e.Type
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += "; check the sink's api_key, or username and password, or the role that signs the requests"
	case http.StatusForbidden:
		text += "; give the sink's user the rights of the roles in deploy"
	}
	return text
}

// cause is one link of the chain in an error answer.
type cause struct {
	Type     string `json:"type"`
	Reason   string `json:"reason"`
	CausedBy *cause `json:"caused_by"`
}

// A Request is one request to a cluster's API.
type Request struct {
	Method, Path string
	Body         any           // sent as JSON; an io.Reader as lines of JSON; nil: nothing
	Timeout      time.Duration // for all of the answer; 0: half a minute
	MaxAnswer    int64         // bytes; 0: four MiB
}

// ErrTooLarge is the error of an answer of more bytes than Request.MaxAnswer.
var ErrTooLarge = errors.New("the cluster's answer is too large")

// Do sends a request and decodes the JSON of the answer into out, unless that is nil. It returns an *Error for an answer that
// is no success. When ctx ends the connection is closed, by which a cluster knows that nobody waits for a search.
func Do(ctx context.Context, t Transport, r Request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, callTimeout))
	defer cancel()
	req, err := r.build(ctx)
	if err != nil {
		return err
	}
	res, err := t.Perform(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	most := cmp.Or(r.MaxAnswer, maxAnswer)
	text, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the cluster's answer: %w", err)
	case res.StatusCode >= http.StatusMultipleChoices:
		return answerError(res.StatusCode, text)
	case int64(len(text)) > most:
		return ErrTooLarge
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer is not the JSON of a cluster, check the sink's urls: %w", err)
	}
	return nil
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	body, kind := r.Body, "application/json"
	lines, isLines := body.(io.Reader)
	switch {
	case isLines:
		kind = "application/x-ndjson"
	case body != nil:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
		lines = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.Path, lines)
	if err == nil && body != nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, err
}

// caller calls a cluster's API.
type caller struct{ Transport }

// call is Do with what most requests need.
func (t caller) call(ctx context.Context, method, path string, in, out any) error {
	return Do(ctx, t, Request{Method: method, Path: path, Body: in}, out)
}

// answerError reads an error answer: the type that stands on top, and the reason of the innermost cause.
func answerError(status int, text []byte) error {
	e := &Error{Status: status}
	var answer struct {
		Error cause `json:"error"`
	}
	if json.Unmarshal(text, &answer) != nil {
		return e // plain text, or HTML of a proxy: nothing in it for a log
	}
	e.Type = answer.Error.Type
	for c := &answer.Error; c != nil; c = c.CausedBy {
		e.Reason = c.Reason
	}
	if len(e.Reason) > maxReason {
		e.Reason = e.Reason[:maxReason] + "…"
	}
	return e
}

// forbidden reports whether err is the answer to a role that may not.
func forbidden(err error) bool { return has(err, http.StatusForbidden) }

// has reports whether err is an answer with this status.
func has(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// Info is who a cluster says it is.
type Info struct {
	Distribution string // "elasticsearch" or "opensearch"
	Version      string // "" when the cluster does not tell, as serverless ones do not
}

// Ask asks a cluster who it is. A cluster that does not tell is no error.
func Ask(ctx context.Context, t Transport) (Info, error) {
	var answer struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	err := caller{t}.call(ctx, http.MethodGet, "/", nil, &answer)
	if has(err, http.StatusNotFound) {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, fmt.Errorf("asking the cluster for its version: %w", err)
	}
	info := Info{Distribution: answer.Version.Distribution, Version: answer.Version.Number}
	if info.Distribution == "" {
		info.Distribution = "elasticsearch"
	}
	return info, nil
}
