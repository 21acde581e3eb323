// Package web is the Event history page: an HTTP handler that serves one page and the JSON that the page asks for, from
// whatever can search for events. Everything is embedded in the binary; nothing comes from elsewhere.
//
//	GET /                       the page; all of its state is in the query string
//	GET /assets/NAME            its scripts and style
//	GET /api/vocabulary         what can be filtered by, the questions, and what is stored
//	GET /api/extent             what is stored, and how far a load has come
//	GET /api/events?QUERY       a page of events
//	GET /api/histogram?QUERY    when they were, and how many
//	GET /api/values?QUERY&by=   the most frequent values of attributes among them
//	GET /api/export?QUERY       all of them as a file: &format=csv, json or ndjson
//	GET /api/event/ID           one event with its record, as text
//
// QUERY is that of history.ReadQuery. A request that is given up ends the search behind it.
//
// Every string of a record may be an attacker's. The handler sends them as JSON only, the page shows them as text only, and
// the Content-Security-Policy forbids whatever else a mistake would do with them. Listening on loopback is no protection by
// itself: a browser on the same machine visits other pages, too. So names that are not the listener's are refused (DNS
// rebinding), and so are requests that another site makes. Beyond loopback there must be a token and TLS: see CheckListen.
package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
)

// Options are what a handler may be told. The zero Options are good for a listener on loopback.
type Options struct {
	// Hosts are the names that the page may be reached by, without a port. The names of loopback and the address that a
	// request arrived at are allowed always.
	Hosts []string
	Token string        // whoever asks must know it; "" for none
	Store string        // what is shown as the place the events are in
	Log   *zap.Logger   // for answers that are the store's fault; nil for none
	Wait  time.Duration // how long one search may take; 0 is 10 s
}

type handler struct {
	search history.Search
	hosts  []string
	door   *door
	store  string
	log    *zap.Logger
	wait   time.Duration
}

// Handler serves the page over what search finds. It may be called concurrently, and holds nothing that must be closed.
func Handler(search history.Search, o Options) http.Handler {
	h := &handler{
		search: search, hosts: o.Hosts, door: newDoor(o.Token), store: o.Store,
		log: o.Log, wait: cmp.Or(o.Wait, 10*time.Second),
	}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	files := readAssets()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { files.serve(w, r, "page.html") })
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) { files.serve(w, r, r.PathValue("name")) })
	mux.HandleFunc("GET /api/vocabulary", h.answer(h.vocabulary))
	mux.HandleFunc("GET /api/extent", h.answer(h.extent))
	mux.HandleFunc("GET /api/events", h.answer(h.events))
	mux.HandleFunc("GET /api/histogram", h.answer(h.histogram))
	mux.HandleFunc("GET /api/values", h.answer(h.values))
	mux.HandleFunc("GET /api/event/{id}", h.answer(h.event))
	mux.HandleFunc("GET /api/export", h.export)
	return h.guard(h.door.keep(mux))
}

// An asked is one question of the page.
type asked struct {
	id         string     // of the path
	parameters url.Values // what is left of the query string; whoever knows a parameter takes it away
}

// take gives the only value of a parameter.
func (a *asked) take(name string) (string, error) {
	values := a.parameters[name]
	a.parameters.Del(name)
	if len(values) > 1 {
		return "", history.Wrong("%s is given %d times: give it once", name, len(values))
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// query reads what is left as a query.
func (a *asked) query() (history.Query, error) { return history.ReadQuery(a.parameters, time.Now()) }

// answer makes a handler of what finds an answer within the deadline.
func (h *handler) answer(find func(context.Context, *asked) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		parameters, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			h.refuse(w, r, history.Wrong("the address is malformed: %v", err))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.wait)
		defer cancel()
		found, err := find(ctx, &asked{id: r.PathValue("id"), parameters: parameters})
		if err != nil {
			h.refuse(w, r, cmp.Or(ctx.Err(), err)) // a database that is interrupted does not always say by what
			return
		}
		reply(w, http.StatusOK, found)
	}
}
