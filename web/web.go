// Package web is the Event history page: an HTTP handler that serves one page and the JSON that the page asks for, from an
// event store. Everything is embedded in the binary; nothing comes from elsewhere.
//
//	GET /                  the page; all of its state is in the query string
//	GET /assets/NAME       its script and style
//	GET /api/events        a page of events, asked for with the page's own query string
//	GET /api/event/ID      one event with its record, as text
//
// Every string of a record may be an attacker's. The handler sends them as JSON only, the page shows them as text only, and
// the Content-Security-Policy forbids whatever else a mistake would do with them. Listening on loopback is no protection by
// itself: a browser on the same machine visits other pages, too. So names that are not the listener's are refused (DNS
// rebinding), and so are requests that another site makes.
package web

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/sinks/local"
)

// A Store is what the page asks. Its methods are called concurrently, and end with ctx. *local.Store and *local.Reader are
// stores.
type Store interface {
	// Events answers a query; a *local.QueryError says what is wrong with the query itself.
	Events(ctx context.Context, q local.Query) (local.Page, error)
	// Event returns an event with its record. The error wraps local.ErrNotFound when there is none.
	Event(ctx context.Context, id string) (local.Event, error)
}

// Options are what a handler may be told. The zero Options are good for a listener on loopback.
type Options struct {
	// Hosts are the names that the page may be reached by, without a port. The names of loopback and the address that a
	// request arrived at are allowed always.
	Hosts []string
	Log   *zap.Logger   // for answers that are the store's fault; nil for none
	Wait  time.Duration // how long one search may take; 0 is 10 s
}

// policy is the Content-Security-Policy: nothing but the page's own files, and no string may become markup or script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

//go:embed assets
var assets embed.FS

type handler struct {
	store Store
	hosts []string
	log   *zap.Logger
	wait  time.Duration
}

// Handler serves the page over store. It may be called concurrently, and holds nothing that must be closed.
func Handler(store Store, o Options) http.Handler {
	h := &handler{store: store, hosts: o.Hosts, log: o.Log, wait: o.Wait}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	if h.wait == 0 {
		h.wait = 10 * time.Second
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { serveAsset(w, r, "page.html") })
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) { serveAsset(w, r, r.PathValue("name")) })
	mux.HandleFunc("GET /api/events", h.events)
	mux.HandleFunc("GET /api/event/{id}", h.event)
	return h.guard(mux)
}

// guard sets the headers that every answer has and refuses what a page of ours would not send.
func (h *handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case !h.allowed(r):
			http.Error(w, "this page is not served under that name: ask for it by the address it listens on", http.StatusMisdirectedRequest)
		case r.Header.Get("Sec-Fetch-Site") == "cross-site" && !followed(r):
			http.Error(w, "another site may not ask for this", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// followed reports that somebody follows a link to the page, in a chat for example. The other site sees nothing of it.
func followed(r *http.Request) bool {
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// allowed checks the Host header. A name that an attacker points at this machine is none of ours.
func (h *handler) allowed(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || slices.ContainsFunc(h.hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if address.Unmap().IsLoopback() {
		return true
	}
	own, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && own.AddrPort().Addr().Unmap().WithZone("") == address.Unmap().WithZone("")
}

// serveAsset serves an embedded file. Types are set here, because the machine's own table of types may differ.
func serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	kind := ""
	switch path.Ext(name) {
	case ".html":
		kind = "text/html; charset=utf-8"
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	}
	body, err := assets.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(body) //nolint:errcheck // the client is gone
}

func (h *handler) events(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r.URL.RawQuery, time.Now())
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.wait)
	defer cancel()
	page, err := h.store.Events(ctx, q)
	if err != nil { // a database that is interrupted does not always say by what
		h.refuse(w, r, cmp.Or(ctx.Err(), err))
		return
	}
	answer := struct {
		Events []event      `json:"events"`
		Next   local.Cursor `json:"next"`
	}{make([]event, len(page.Events)), page.Next}
	for i := range page.Events {
		answer.Events[i] = eventOf(&page.Events[i])
	}
	reply(w, http.StatusOK, answer)
}

func (h *handler) event(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		h.refuse(w, r, &local.QueryError{Reason: "an event is asked for without parameters"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.wait)
	defer cancel()
	e, err := h.store.Event(ctx, r.PathValue("id"))
	if err != nil {
		h.refuse(w, r, cmp.Or(ctx.Err(), err))
		return
	}
	reply(w, http.StatusOK, struct {
		Event  event  `json:"event"`
		Record string `json:"record"` // a string, so that integers over 2^53 and the order of keys arrive as they are
	}{eventOf(&e), string(e.Record)})
}

// refuse answers with an error that the page shows as it is. What is not the caller's fault is logged and not told.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusInternalServerError, "the store could not be read; trailship's log says why"
	wrong := (*local.QueryError)(nil)
	switch {
	case errors.As(err, &wrong):
		status, message = http.StatusBadRequest, wrong.Reason
	case errors.Is(err, local.ErrNotFound):
		status, message = http.StatusNotFound, local.ErrNotFound.Error()
	case errors.Is(err, local.ErrLoading):
		status, message = http.StatusServiceUnavailable, local.ErrLoading.Error()
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
