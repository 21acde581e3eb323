package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

func (h *handler) events(ctx context.Context, a *asked) (any, error) {
	q, err := a.query()
	if err != nil {
		return nil, err
	}
	page, err := h.search.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Events  []event        `json:"events"`
		Next    history.Cursor `json:"next"`
		Lacks   string         `json:"lacks"`   // what is missing, in words; "" when nothing is
		Command string         `json:"command"` // that shows the same; "" when there is none
	}{make([]event, len(page.Events)), page.Next, page.Lacks, history.Command(&q)}
	for i := range page.Events {
		answer.Events[i] = eventOf(&page.Events[i])
	}
	return answer, nil
}

func (h *handler) event(ctx context.Context, a *asked) (any, error) {
	if len(a.parameters) > 0 {
		return nil, history.Wrong("an event is asked for without parameters")
	}
	e, err := h.search.Event(ctx, a.id)
	if err != nil {
		return nil, err
	}
	return struct {
		Event   event      `json:"event"`
		Record  string     `json:"record"`  // a string, so that integers over 2^53 and the order of keys arrive as they are
		Derived bool       `json:"derived"` // the record is made of what the store has kept
		Names   []string   `json:"names"`   // by which the attribute resourceName finds the event
		Pivots  []question `json:"pivots"`
	}{eventOf(&e), string(e.Record), e.Derived, namesOf(&e), questionsOf(history.Pivots(&e))}, nil
}

// namesOf are the names of resources in the record. They are read from it, since only what looks for events keeps them.
func namesOf(e *history.Event) []string {
	var r cloudtrail.Record
	if err := r.Parse(slices.Clone(e.Record)); err != nil {
		return []string{} // the page shows whatever it has
	}
	return append([]string{}, history.Describe(&r).Names...)
}

// bars is how many bars the page draws.
const bars = 120

func (h *handler) histogram(ctx context.Context, a *asked) (any, error) {
	q, err := a.query()
	if err != nil {
		return nil, err
	}
	found, err := h.search.Histogram(ctx, q, bars)
	if err != nil {
		return nil, err
	}
	return histogramOf(&found), nil
}

// values answers with the values of each attribute by, most of each: among the events of the query, or with like those in
// the whole store that contain a text.
func (h *handler) values(ctx context.Context, a *asked) (any, error) {
	var attributes []history.Attribute
	for _, name := range a.parameters["by"] {
		attributes = append(attributes, history.Attribute(name))
	}
	a.parameters.Del("by")
	most, err := a.number("most", 10, history.MaxFacets)
	if err != nil {
		return nil, err
	}
	like, err := a.take("like")
	if err != nil {
		return nil, err
	}
	q, err := a.query()
	if err != nil {
		return nil, err
	}
	switch {
	case len(attributes) == 0 || len(attributes) > len(history.Attributes()):
		return nil, history.Wrong("say by which attributes: by=eventName")
	case like != "" && len(attributes) > 1:
		return nil, history.Wrong("like goes with one attribute")
	case like != "":
		found, err := h.search.Values(ctx, attributes[0], like, most)
		return facetsOf(&history.Facets{Facets: []history.Facet{found}}), err
	}
	found, err := h.search.Facets(ctx, q, attributes, most)
	return facetsOf(&found), err
}

// number takes a parameter from 1 to highest; usual is its value where it is not given.
func (a *asked) number(name string, usual, highest int) (int, error) {
	text, err := a.take(name)
	if err != nil || text == "" {
		return usual, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > highest {
		return 0, history.Wrong("%s is %q: give a number from 1 to %d", name, text, highest)
	}
	return n, nil
}

// refuse answers with an error that the page shows as it is. What is not the caller's fault is logged, and told only as far
// as the store has words for whoever asks.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusInternalServerError, "the store could not be read; trailship's log says why"
	wrong, cannot := (*history.QueryError)(nil), (*history.StoreError)(nil)
	switch {
	case errors.As(err, &wrong):
		status, message = http.StatusBadRequest, wrong.Reason
	case errors.As(err, &cannot): // before ErrNotFound: what could not be looked for everywhere may be there
		status, message = http.StatusServiceUnavailable, cannot.Reason
		h.log.Error("event history could not be read", zap.Error(err))
	case errors.Is(err, history.ErrNotFound):
		status, message = http.StatusNotFound, history.ErrNotFound.Error()
	case r.Context().Err() != nil: // nobody waits any more
		status, message = http.StatusServiceUnavailable, "the request was given up"
	case errors.Is(err, context.DeadlineExceeded):
		status, message = http.StatusGatewayTimeout, "the search took longer than "+h.wait.String()+": narrow the time range or add a filter"
	default:
		h.log.Error("event history could not be read", zap.Error(err))
	}
	reply(w, status, struct {
		Error string `json:"error"`
	}{message})
}

// reply sends JSON; <, > and & go as \u003c and the like.
func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the client is gone; the answers' types always encode
}

// instant is a time as the page reads it: RFC 3339, UTC, "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
