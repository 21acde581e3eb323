package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy is the Content-Security-Policy: nothing but the page's own files, and no string may become markup or script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// CheckListen says what a page lacks that is to listen on an address, HOST:PORT: beyond loopback others on the network
// reach it, so that it must ask for a token, and over TLS for the token and the events not to be read on the way.
func CheckListen(address, token string, tls bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost") {
		return nil
	}
	var lacks []error
	if token == "" {
		lacks = append(lacks, errors.New("others on the network could read all events: set a token, or listen on 127.0.0.1"))
	}
	if !tls {
		lacks = append(lacks, errors.New("the token and the events would cross the network unprotected: set a certificate and its key, or listen on 127.0.0.1"))
	}
	return errors.Join(lacks...)
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
		if r.TLS != nil {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		switch {
		case !h.allowed(r):
			http.Error(w, "this page is not served under that name: ask for it by the address it listens on", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "nothing can be changed here", http.StatusMethodNotAllowed)
		case fromElsewhere(r) && !followed(r):
			http.Error(w, "another site may not ask for this", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// fromElsewhere reports that another site asks. A site of the same domain is another one, too.
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
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
