package web_test

import (
	"crypto/tls"
	"html"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/web"
)

const token = "correct horse battery staple"

func TestHandler_token(t *testing.T) {
	bearer := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", text) }
	}
	cookie := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "trailship", Value: text}) }
	}
	tests := []struct {
		name, target string
		change       func(*http.Request)
		want         int
	}{
		{"none", "/", bearer(""), 401},
		{"none for data", "/api/events", bearer(""), 401},
		{"none for a script", "/assets/page.js", bearer(""), 401},
		{"header", "/api/events", bearer("Bearer " + token), 200},
		{"wrong header", "/api/events", bearer("Bearer " + token + "x"), 401},
		{"beginning of it", "/api/events", bearer("Bearer correct"), 401},
		{"another scheme", "/api/events", bearer("Basic " + token), 401},
		{"the token as cookie", "/api/events", cookie(token), 401},
		{"empty cookie", "/api/events", cookie(""), 401},
		{"address", "/?f=user:bob&token=" + strings.ReplaceAll(token, " ", "+"), bearer(""), 200},
		{"wrong address", "/?token=x", bearer(""), 401},
		{"address of data", "/api/events?token=" + strings.ReplaceAll(token, " ", "+"), bearer(""), 401},
	}
	core, logs := observer.New(zapcore.DebugLevel)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := askWith(t, &store{}, web.Options{Token: token, Log: zap.New(core)}, tt.target, tt.change)
			if w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
			if strings.Contains(w.Body.String(), "horse") || strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), ""), "horse") {
				t.Error("got the token in an answer")
			}
		})
	}
	if logs.Len() > 0 {
		t.Errorf("got %v logged, want nothing", logs.All())
	}
}

// A browser shows the token once and goes on with a cookie that no script and no other site can use.
func TestHandler_enter(t *testing.T) {
	o := web.Options{Token: token}
	w := askWith(t, &store{}, o, "/?f=user%3A%3Cbob%3E&token="+strings.ReplaceAll(token, " ", "+"), func(r *http.Request) { r.TLS = &tls.ConnectionState{} })
	if body := html.UnescapeString(w.Body.String()); !strings.Contains(body, `content="0;url=/?f=user%3A%3Cbob%3E"`) {
		t.Errorf("got %s, want to be sent to the page without the token", body)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("got cookies %v, want one that is HttpOnly, Secure and SameSite=Strict", cookies)
	}
	in := askWith(t, &store{}, o, "/api/events", func(r *http.Request) { r.AddCookie(cookies[0]) })
	if in.Code != http.StatusOK {
		t.Errorf("got %d with the cookie, want 200", in.Code)
	}
	other := askWith(t, &store{}, web.Options{Token: "another"}, "/api/events", func(r *http.Request) { r.AddCookie(cookies[0]) })
	if other.Code != http.StatusUnauthorized {
		t.Errorf("got %d with the cookie of another token, want 401", other.Code)
	}
}

// A link in a chat comes without the cookie: the browser keeps it back when another site sends it. So it is sent once more.
func TestHandler_linkWithToken(t *testing.T) {
	w := askWith(t, &store{}, web.Options{Token: token}, "/?f=user%3Abob", func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
	})
	if body := html.UnescapeString(w.Body.String()); w.Code != http.StatusOK || !strings.Contains(body, `content="0;url=/?f=user%3Abob"`) {
		t.Errorf("got %d %s, want to be sent to the same page", w.Code, body)
	}
}

func TestCheckListen(t *testing.T) {
	tests := []struct {
		address, token string
		tls            bool
		want           string
	}{
		{"127.0.0.1:8080", "", false, ""},
		{"127.8.8.8:1", "", false, ""},
		{"[::1]:8080", "", false, ""},
		{"localhost:8080", "", false, ""},
		{":8080", "", true, "token"},
		{"0.0.0.0:8080", token, false, "certificate"},
		{"192.0.2.1:8080", token, true, ""},
		{"history.example.org:443", "", false, "token"},
		{"nonsense", token, true, "missing port"},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			err := web.CheckListen(tt.address, tt.token, tt.tls)
			if got := errorText(err); (tt.want == "") != (err == nil) || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
