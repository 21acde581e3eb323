package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
)

// A door lets in who knows the token. A program shows it in a header, Authorization: Bearer TOKEN. A browser shows it once,
// in the address: /?token=TOKEN is answered with a cookie and the page's address without the token. The cookie is made
// from the token and is not the token, so that who reads the one cannot write it into a header; no script can read it, and
// no other site can have it sent.
type door struct{ token, cookie []byte } // SHA-256 of what is shown, so that comparing takes the same time for all lengths

const cookieName = "trailship"

// newDoor is nil, an open door, for no token.
func newDoor(token string) *door {
	if token == "" {
		return nil
	}
	return &door{digest(token), digest(cookieOf(token))}
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func cookieOf(token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("the cookie of trailship's page"))
	return hex.EncodeToString(mac.Sum(nil))
}

// keep lets requests through that may come in.
func (d *door) keep(next http.Handler) http.Handler {
	if d == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/" && r.URL.Query().Has("token"):
			d.enter(w, r)
		case d.knows(r):
			next.ServeHTTP(w, r)
		case fromElsewhere(r): // guard lets the page itself through; the browser keeps the cookie back on the first request
			again(w, r.URL.RequestURI())
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="trailship"`)
			refused(w)
		}
	})
}

func (d *door) knows(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && hmac.Equal(digest(token), d.token) {
		return true
	}
	cookie, err := r.Cookie(cookieName)
	return err == nil && hmac.Equal(digest(cookie.Value), d.cookie)
}

// enter exchanges the token of an address for the cookie.
func (d *door) enter(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	token := query.Get("token")
	if !hmac.Equal(digest(token), d.token) {
		refused(w)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: cookieOf(token), Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
	query.Del("token")
	again(w, "/?"+query.Encode())
}

func refused(w http.ResponseWriter) {
	http.Error(w, "trailship wants its token: open the address it printed when it started, which ends in ?token=", http.StatusUnauthorized)
}

var onward = template.Must(template.New("").Parse(
	`<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={{.}}"><title>trailship</title><a href="{{.}}">Event history</a>`))

// again lets the browser come again, by a page of ours: a redirect would still count as the other site's, without cookie.
func again(w http.ResponseWriter, address string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	onward.Execute(w, address) //nolint:errcheck // the client is gone
}
