package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"backoffice/internal/signin"

	"backoffice/internal/audit"
	"backoffice/web"
)

// everyAnswer are all sorts of answers: pages, redirects, files, and every way
// to fail.
func everyAnswer(t *testing.T, h *house) []answer {
	t.Helper()
	h.save("acme:intercom", nil)
	var all []answer
	p, nobody := h.owner(), h.visitor()
	for _, r := range routes(newGate(h.deps)) {
		all = append(all, nobody.ask(r))
		if r.path != "/logout" {
			all = append(all, h.owner().ask(r))
		}
	}
	all = append(all, p.get("/nosuch"), p.send("DELETE", "/config", nil), p.get("/static/nosuch.css"), nobody.get("/static/"),
		p.send("POST", entry, fields(), "Sec-Fetch-Site", "cross-site"), p.raw("POST", "/config", strings.NewReader("{}"), "Content-Type", "application/json"))
	defer h.breakStore(errors.New("the disk is gone"))()
	return append(all, p.get("/config"), p.get("/"), nobody.get("/login"), p.post("/logout"))
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		h := open(t, plan{https: https})
		for _, a := range everyAnswer(t, h) {
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s (%d): %s is %q, want %q", a.what, a.status, name, got, want)
				}
			}
			checkPolicy(t, a)
			if got := a.header.Get("Strict-Transport-Security"); https != strings.HasPrefix(got, "max-age=63072000") {
				t.Errorf("%s, https %v: Strict-Transport-Security is %q", a.what, https, got)
			}
			if a.header.Get("X-Request-Id") == "" {
				t.Errorf("%s has no request id", a.what)
			}
			referrer := "same-origin"
			if path := strings.Fields(a.what)[1]; strings.HasPrefix(path, "/auth/") || strings.HasPrefix(path, "/setup") || strings.HasPrefix(path, "/invite") || strings.HasPrefix(path, "/calendar/") || path == signin.CallbackPath || path == confirmPath || strings.HasSuffix(path, "/consent") && a.status == 200 && strings.HasPrefix(a.what, "POST") {
				referrer = "no-referrer"
			}
			if got := a.header.Get("Referrer-Policy"); got != referrer {
				t.Errorf("%s: Referrer-Policy is %q, want %q", a.what, got, referrer)
			}
			checkCache(t, a)
		}
	}
}

func checkPolicy(t *testing.T, a answer) {
	t.Helper()
	directives := map[string]string{}
	for d := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), " ")
		directives[name] = value
	}
	for name, want := range map[string]string{"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "form-action": "'self'",
		"frame-ancestors": "'none'", "base-uri": "'none'", "connect-src": "'self'", "img-src": "'self'"} {
		if directives[name] != want {
			t.Errorf("%s (%d): %s is %q, want %q", a.what, a.status, name, directives[name], want)
		}
	}
	if strings.Contains(a.header.Get("Content-Security-Policy"), "unsafe-") {
		t.Errorf("%s: the policy allows what is unsafe", a.what)
	}
}

func checkCache(t *testing.T, a answer) {
	t.Helper()
	want := "no-store"
	switch path := strings.Fields(a.what)[1]; {
	case path == web.URL("app.css"):
		want = "public, max-age=31536000, immutable"
	case strings.HasPrefix(path, "/static/"):
		return // a file that is not there may be forgotten or not
	}
	if got := a.header.Get("Cache-Control"); got != want {
		t.Errorf("%s (%d): Cache-Control is %q, want %q", a.what, a.status, got, want)
	}
}

// No page has a script or a style in it, or an attribute that is one.
func TestPagesFitTheirPolicy(t *testing.T) {
	t.Parallel()
	for _, a := range everyAnswer(t, open(t, plan{})) {
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		for n := range a.doc().Descendants() {
			if _, out := attr(n, "src"); n.Data == "style" || n.Data == "script" && !out {
				t.Errorf("%s: a %s without an address", a.what, n.Data)
			}
			for _, at := range n.Attr {
				if at.Key == "style" || strings.HasPrefix(at.Key, "on") || strings.HasPrefix(strings.TrimSpace(at.Val), "javascript:") {
					t.Errorf("%s: <%s %s=%q>", a.what, n.Data, at.Key, at.Val)
				}
			}
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		https         bool
		session, said string
	}{{false, "backoffice", "backoffice-said"}, {true, "__Host-backoffice", "__Host-backoffice-said"}} {
		h := open(t, plan{https: tt.https})
		p := h.visitor()
		signIn := p.post("/login", "email", ownerEmail, "password", password).leadsTo("/")
		saved := p.post("/config", "id", "acme:plain", "then", "pending", "key", "k", "value", "v", "secret", "no").leadsTo("/config/acme:plain")
		theme := p.post("/theme", "theme", "dark", "next", "/config").leadsTo("/config")
		for _, c := range []struct {
			a      answer
			name   string
			maxAge int
		}{{signIn, tt.session, 0}, {saved, tt.said, 60}, {theme, "backoffice-theme", 365 * 24 * 60 * 60}} {
			cookies := (&http.Response{Header: c.a.header}).Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%s sets %d cookies, want 1", c.a.what, len(cookies))
			}
			k := cookies[0]
			if k.Name != c.name || k.Path != "/" || k.Domain != "" || !k.HttpOnly || k.Secure != tt.https || k.SameSite != http.SameSiteLaxMode || k.MaxAge != c.maxAge {
				t.Errorf("https %v, %s: cookie %+v, want the name %s and max age %d", tt.https, c.a.what, k, c.name, c.maxAge)
			}
		}
		page := p.get("/config/acme:plain").want(200, "Saved as version 1, pending")
		if v, _ := attr(page.one("html"), "data-theme"); v != "dark" {
			t.Errorf("the theme of the page is %q, want dark", v)
		}
		p.get("/config/acme:plain").want(200).lacks("Saved as version 1, pending") // a toast is said once
	}
}

// An unsafe request that another site made a browser send is refused, changes
// nothing, and is an event if somebody is signed in. Notifications have no session
// that a site could abuse.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p, nobody := h.owner(), h.visitor()
	before := h.dump()
	refusals := 0
	for _, r := range routes(newGate(h.deps)) {
		if r.safe() || r.path == servicePath || r.path == vendorPath {
			continue
		}
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			nobody.send(r.method, r.address(), fields("a", "b"), name, value).want(403, "came from another site")
			p.send(r.method, r.address(), fields("a", "b"), name, value).want(403, "came from another site")
			refusals++
		}
	}
	p.send("POST", "/theme", fields("theme", "dark"), "Sec-Fetch-Site", "same-site").want(403)
	events := h.events(audit.AccessRefused)
	if len(events) != refusals+1 {
		t.Errorf("%d events, want %d: one for each refused request of somebody", len(events), refusals+1)
	}
	for _, e := range events {
		if e.Actor.Name != ownerEmail || e.Outcome != audit.Refused || !strings.HasPrefix(e.Note, "A form of another site was refused. POST /") {
			t.Errorf("event %+v", e)
		}
	}
	for k := range before {
		if strings.HasPrefix(k, "audit/") {
			delete(before, k)
		}
	}
	after := h.dump()
	for k, v := range before {
		if after[k] != v {
			t.Errorf("a refused request changed %s", k)
		}
	}
	public := h.deps.Site.PublicURL.String()
	for _, header := range [][]string{nil, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", public},
		{"Origin", public, "Host", "inside:8080"}, {"Origin", public, "Sec-Fetch-Site", "same-site"}} {
		p.send("POST", "/theme", fields("theme", "dark"), header...).leadsTo("/")
	}
}

// A form has one media type, and a size.
func TestOnlyFormsAreRead(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p, nobody := h.owner(), h.visitor()
	before := h.dump()
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		who          *person
		path, kind   string
		size, status int
		words        string
	}{
		{nobody, "/login", "application/json", 10, 415, "is no form of this product"},
		{nobody, "/login", "multipart/form-data; boundary=x", 10, 415, "is no form of this product"},
		{nobody, "/login", "", 10, 415, "is no form of this product"},
		{nobody, "/login", form, maxOpenForm + 100, 413, "larger than 64 KiB"},
		{nobody, "/setup", form, maxOpenForm + 100, 413, "larger than 64 KiB"},
		{nobody, "/config", form, maxOpenForm + 100, 401, "You are not signed in any more"},
		{p, "/config", form, maxOpenForm + 100, 422, "key"},
		{p, "/config", form, maxForm + 100, 413, "larger than 20 MiB"},
		{nobody, "/login", form + "; charset=utf-8", 10, 422, "Enter your e-mail address"},
	} {
		a := tt.who.raw("POST", tt.path, strings.NewReader("value="+strings.Repeat("v", tt.size)), "Content-Type", tt.kind)
		a.want(tt.status, tt.words)
	}
	p.raw("POST", "/config", strings.NewReader("id=%zz"), "Content-Type", form).want(422, "The form could not be read")
	h.unchanged(before, "what is no form")
	if a := p.raw("POST", "/logout", nil); a.status != 303 { // nothing at all is a form without fields
		t.Errorf("%s without a body: %d", a.what, a.status)
	}
}

func TestDepsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := New(Deps{})
	if err == nil || err.Error() != "server: missing: Audit, AuditCheck, AuditState, Auth, Backups, Catalogue, Config, Exchange, Guide, Keys, Log, Notary, Now, OAuth, Outside, Sessions, SignIn, Site.DataSize, Site.PublicURL, Site.Ready, Store, Webhooks" {
		t.Errorf("New of nothing: %v", err)
	}
	d := open(t, plan{}).deps
	if _, err := New(d); err != nil {
		t.Errorf("New of all: %v", err)
	}
	d.Site.PublicURL = &url.URL{Scheme: "ftp"}
	if _, err := New(d); err == nil {
		t.Error("New took a public URL that is no origin")
	}
}
