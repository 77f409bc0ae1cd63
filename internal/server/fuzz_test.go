package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Whatever is sent as the form of an entry: no panic, no answer of ours that is
// no page, and what was typed as a secret is in none.
func FuzzEntryForm(f *testing.F) {
	f.Add("id=acme%3Aintercom&connector=intercom&f.clientId=a&then=pending&key=k&value=v&secret=no")
	f.Add("id=&key=&value=x&secret=yes&row=add&scope=a&scope=a&topic=%00")
	f.Add("id=%C3%A9:%ff&revision=-1&base=99999999999&key=clientid&value=%22&secret=")
	f.Add("connector=slack&id=acme%3Aintercom&then=current&reason=%ff%fe")
	const canary = "CANARYtyped4711"
	h := open(f, plan{})
	h.save("acme:intercom", nil)
	handler, cookie := h.srv.Config.Handler, h.cookie()
	f.Fuzz(func(t *testing.T, form string) {
		if strings.Contains(form, "4711") {
			t.Skip()
		}
		for _, path := range []string{"/config", entry, entry + "/scopes", entry + "/promote"} {
			body := form + "&f.clientSecret=" + canary + "&key=sealed&value=" + canary + "&secret=yes"
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			typed, _ := url.ParseQuery(form)
			switch {
			case w.Code == 401 || w.Code == 403 || w.Code >= 500:
				t.Errorf("%s: %d", path, w.Code)
			case strings.Contains(w.Body.String(), canary):
				t.Errorf("%s: the typed secret came back", path)
			case !utf8.Valid(w.Body.Bytes()) && utf8.ValidString(fmt.Sprint(typed)):
				t.Errorf("%s: a page that is no UTF-8", path)
			}
		}
	})
}

// cookie is the session cookie of a signed-in owner.
func (h *house) cookie() *http.Cookie {
	h.t.Helper()
	w := httptest.NewRecorder()
	if _, err := h.deps.Sessions.Renew(w, httptest.NewRequest(http.MethodGet, "/", nil), must(seeded())(h.t).owner, ""); err != nil {
		h.t.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

// Wherever a next address says to go, a browser stays with us.
func FuzzOwnPath(f *testing.F) {
	for _, s := range append(elsewhere, "/config?q=a#b", "/%2e%2e//evil.example", "/;//evil", "/?//evil") {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "backoffice.example.com", Path: "/login"}
	f.Fuzz(func(t *testing.T, next string) {
		got := ownPath(next)
		// Browsers drop tabs and line breaks, and read a backslash as a slash.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimLeft(got, " \x00"))
		u, err := base.Parse(seen)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || !strings.HasPrefix(got, "/") || strings.HasPrefix(seen, "//") {
			t.Errorf("%q leads to %q: %v, %v", next, got, u, err)
		}
		if again := ownPath(got); again != got {
			t.Errorf("%q became %q, and that %q", next, got, again)
		}
	})
}

// Whatever a provider sends back: no fault of ours, nothing that was not asked
// for is kept, and neither code nor state is on a page.
func FuzzCallbackQuery(f *testing.F) {
	f.Add("code=abc%3D&state=xyz")
	f.Add("state=&code=&error=access_denied")
	f.Add("state=a&state=b&%zz=;&code=" + strings.Repeat("c", 300))
	h := open(f, plan{})
	h.save("acme:intercom", nil)
	handler, cookie, events := h.srv.Config.Handler, h.cookie(), must(h.deps.Audit.Size(f.Context()))(f)
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/auth/intercom/callback", nil)
		r.URL.RawQuery = query
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != 422 || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%q: %d, %q", query, w.Code, w.Header().Get("Referrer-Policy"))
		}
		for _, name := range []string{"code", "state"} {
			for _, v := range r.URL.Query()[name] {
				if len(v) > 12 && strings.Contains(w.Body.String(), v) {
					t.Errorf("%q: the %s is on the page", query, name)
				}
			}
		}
		if n := must(h.deps.Audit.Size(t.Context()))(t); n != events {
			t.Errorf("%q: the log grew from %d to %d events", query, events, n)
		}
	})
}

// Whatever a browser sends as the cookie of a toast: one of our sentences, or
// none.
func FuzzFlashCookie(f *testing.F) {
	for _, s := range []string{"1.5", "", ".", "2.-1", "99.1", "1.99999999999999999999", "-1.1", "10", "1.1.1", "1.%d", "1.5.7", "1.5.-7", "1.5./evil"} {
		f.Add(s)
	}
	g := gateAt(&testing.T{}, "https://b.example")
	e := echo.New()
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", g.flashName()+"="+value)
		got, record := g.takeFlash(e.NewContext(r, httptest.NewRecorder()))
		if number, ok := strings.CutPrefix(record, "/audit/"); record != "" && (!ok || number == "" || strings.Trim(number, "0123456789") != "") {
			t.Errorf("%q leads to %q", value, record)
		}
		for _, s := range sentences {
			before, after, numbered := strings.Cut(s, "%d")
			rest := strings.TrimSuffix(strings.TrimPrefix(got, before), after)
			if got == s || numbered && strings.HasPrefix(got, before) && strings.HasSuffix(got, after) && strings.Trim(rest, "0123456789") == "" && rest != "" {
				return
			}
		}
		if got != "" {
			t.Errorf("%q says %q", value, got)
		}
	})
}
