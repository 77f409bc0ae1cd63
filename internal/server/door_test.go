package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"

	"backoffice/internal/auth"
	"github.com/labstack/echo/v4"
)

func TestSetup(t *testing.T) {
	t.Parallel()
	h := open(t, plan{empty: true})
	link, needed, err := h.deps.Auth.SetupToken(t.Context())
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	p := h.visitor()
	p.get("/").leadsTo("/login")
	const noAdmin = "There is no admin yet. The one-time link to create the first one stands on the console where the program was started."
	if n := len(p.get("/login").want(200, noAdmin).all("form[action=/login]")); n != 0 {
		t.Error("the page asks to sign in, though nobody can")
	}
	for _, token := range []string{"", "wrong", link.Reveal() + "x"} {
		p.get("/setup?token="+url.QueryEscape(token)).want(404, "This set-up link is not valid")
	}
	page := p.get("/setup?token="+url.QueryEscape(link.Reveal())).want(200, "Create the admin")
	for _, tt := range []struct{ email, first, second, words string }{
		{"nobody", "long enough for us", "long enough for us", "This is no e-mail address"},
		{"a@b.example", "short", "short", "12"},
		{"a@b.example", "long enough for us", "another password", "differ"},
	} {
		a := p.submit(page, "/setup", "email", tt.email, "password", tt.first, "password2", tt.second).want(422, tt.words).lacks(tt.first)
		if got := a.value("input[name=email]"); got != tt.email {
			t.Errorf("%q came back as %q", tt.email, got)
		}
	}
	p.post("/setup", "token", "wrong", "email", "a@b.example", "password", "long enough for us", "password2", "long enough for us").want(404)
	page.want(200, "You are signed in at once").lacks("Sign in with this")
	p.submit(page, "/setup", "email", "First@B.example", "password", "long enough for us", "password2", "long enough for us").leadsTo("/")
	p.get("/").want(200, "Welcome. You are the first owner of this instance", "first@b.example")
	if e := h.events(audit.Setup); len(e) != 1 || e[0].Actor.Name != "first@b.example" {
		t.Errorf("events %+v", e)
	}
	eve := h.visitor()
	eve.get("/setup?token="+url.QueryEscape(link.Reveal())).want(404, "BackOffice is set up already. Sign in instead.")
	eve.submit(page, "/setup", "email", "eve@b.example", "password", "long enough for us", "password2", "long enough for us").want(404)
	eve.get("/config").leadsTo("/login?next=%2Fconfig")
	eve.get("/login").want(200, "of the attempts made during it, the first is written").lacks("There is no admin yet", "Every sign-in").one("form[action=/login]")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.visitor()
	p.get("/config?q=a").leadsTo("/login?next=%2Fconfig%3Fq%3Da")
	page := p.get("/login?next=%2Fconfig%3Fq%3Da").want(200)
	p.submit(page, "/login", "email", ownerEmail).want(422, "Enter your password.")
	for _, email := range []string{ownerEmail, "nobody@acme.example"} {
		a := p.submit(page, "/login", "email", email, "password", "wr0ng-guess").want(422, "E-mail address or password is wrong.").lacks("wr0ng-guess")
		if a.value("input[name=email]") != email || a.value("input[name=next]") != "/config?q=a" {
			t.Errorf("%s: the form came back with %q and %q", email, a.value("input[name=email]"), a.value("input[name=next]"))
		}
	}
	p.submit(page, "/login", "email", " OWNER@acme.example", "password", password).leadsTo("/config?q=a")
	p.get("/").want(200, ownerEmail)
	p.get("/login?next=%2Faudit").leadsTo("/audit")
	old := p.client.Jar.Cookies(must(url.Parse(h.srv.URL))(t))[0].Value
	p.post("/logout").leadsTo("/login?out=1")
	p.get("/login?out=1").want(200, "You have signed out.")
	p.get("/").leadsTo("/login")
	h.visitor().get("/", "Cookie", h.deps.Sessions.Name()+"="+old).leadsTo("/login")
	for a, n := range map[audit.Action]int{audit.SignIn: 1, audit.SignInFailed: 2, audit.SignOut: 1} {
		if got := h.events(a); len(got) != n {
			t.Errorf("%d events of %s, want %d", len(got), a, n)
		}
	}
	for range 5 {
		p.post("/login", "email", ownerEmail, "password", "wr0ng-guess")
	}
	p.post("/login", "email", ownerEmail, "password", password).want(429, "Too many wrong attempts. Try again in")
	h.pass(time.Minute)
	p.post("/login", "email", ownerEmail, "password", password).leadsTo("/")
}

// A changed password renews the session and ends the others.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p, other := h.owner(), h.owner()
	jar := func() string { return p.client.Jar.Cookies(must(url.Parse(h.srv.URL))(t))[0].Value }
	old := jar()
	page := p.get("/account").want(200, ownerEmail)
	next := "another good password"
	for _, tt := range []struct{ current, first, second, words string }{
		{"", next, next, "Enter the password that you have now."},
		{"wrong", next, next, "This is not your password."},
		{password, "short", "short", "12"},
		{password, next, next + "x", "differ"},
		{password, password, password, "This is the password that you have now."},
	} {
		p.submit(page, "/account/password", "current", tt.current, "password", tt.first, "password2", tt.second).want(422, tt.words).lacks(next)
	}
	other.get("/").want(200)
	p.submit(page, "/account/password", "current", password, "password", next, "password2", next).leadsTo("/account")
	p.get("/account").want(200, "Your password is changed")
	if jar() == old {
		t.Error("the session was not renewed")
	}
	other.get("/").leadsTo("/login")
	h.visitor().get("/", "Cookie", h.deps.Sessions.Name()+"="+old).leadsTo("/login")
	if e := h.events(audit.PasswordChanged); len(e) != 2 || e[0].Outcome != audit.Done || e[1].Outcome != audit.Failed {
		t.Errorf("events %+v", e)
	}
	for range 5 {
		p.submit(page, "/account/password", "current", "wrong", "password", "a third password", "password2", "a third password")
	}
	p.submit(page, "/account/password", "current", next, "password", "a third password", "password2", "a third password").want(422, "Too many wrong attempts")
}

func TestTheme(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "staging"})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get("/").want(200, "Staging")
	p.post("/theme", "theme", "mauve", "next", "/config").want(422, "There is no such theme")
	for _, theme := range []string{"dark", "light"} {
		p.post("/theme", "theme", theme, "next", "/config?q=a").leadsTo("/config?q=a")
		for _, a := range []answer{p.get("/config"), p.get("/nosuch"), h.visitorWith(p).get("/login")} {
			if got, _ := attr(a.one("html"), "data-theme"); got != theme {
				t.Errorf("%s: theme %q, want %q", a.what, got, theme)
			}
		}
	}
	p.post("/theme", "theme", "system").leadsTo("/")
	if got, chosen := attr(p.get("/").one("html"), "data-theme"); chosen && got != "system" {
		t.Errorf("theme %q after choosing the system's", got)
	}
	for _, tt := range []struct {
		a    answer
		next string
	}{
		{p.get("/config?q=a%26b"), "/config?q=a%26b"}, {p.post(entry + "/compare"), entry}, {p.post(entry+"/promote", "version", "1", "revision", "9"), entry},
		{p.post("/account/password"), "/account"}, {p.post(entry+"/test/token", "version", "1"), entry + "/test"}, {p.post("/config"), "/config"},
		{p.get("/auth/intercom/callback?code=c&state=s"), "/"}, {p.post(entry+"/reveal", "version", "1", "key", "clientSecret"), entry},
	} {
		if got := tt.a.value("input[name=next]"); got != tt.next {
			t.Errorf("%s: the theme comes back to %q, want %q", tt.a.what, got, tt.next)
		}
	}
}

// visitorWith is somebody not signed in, with the theme of p.
func (h *house) visitorWith(p *person) *person {
	v, at := h.visitor(), must(url.Parse(h.srv.URL))(h.t)
	for _, c := range p.client.Jar.Cookies(at) {
		if c.Name == themeCookie {
			v.client.Jar.SetCookies(at, []*http.Cookie{c})
		}
	}
	return v
}

// What goes wrong on our side says nothing of itself, and has a reference that
// is in the log with its cause.
func TestOurOwnFaults(t *testing.T) {
	t.Parallel()
	h := open(t, plan{routes: func(g gate) []route {
		return append(routes(g), route{"GET", "/panic", auth.SignedIn, func(echo.Context) error { panic("an internal word") }},
			route{"GET", "/late", auth.SignedIn, func(c echo.Context) error { return errors.Join(c.String(200, "whole"), errors.New("an internal word")) }},
			route{"GET", "/teapot", auth.SignedIn, func(c echo.Context) error { return echo.NewHTTPError(500, "an internal word") }})
	}})
	h.save("acme:intercom", nil)
	p := h.owner()
	answers := map[string]answer{"panic": p.get("/panic"), "teapot": p.get("/teapot")}
	repair := h.breakStore(fmt.Errorf("an internal word: %w", errors.New("disk full")))
	for _, path := range []string{"/", "/config", entry, "/audit", "/nosuch"} {
		answers[path] = p.get(path)
	}
	answers["save"] = p.post(entry, "revision", "1", "base", "1")
	answers["login"] = h.visitor().post("/login", "email", ownerEmail, "password", password)
	repair()
	for what, a := range answers {
		want := 500
		if what == "/nosuch" {
			want = 404
		}
		if a.want(want); want == 500 {
			a.want(500, "It is not your doing")
		}
		id := a.header.Get("X-Request-Id")
		if len(id) < 16 || !strings.Contains(a.body, id) {
			t.Errorf("%s: the page lacks its reference %q", what, id)
		}
		lines := 0
		for line := range strings.Lines(h.log.String()) {
			if strings.Contains(line, id) && strings.Contains(line, `"msg":"request `) {
				lines++
				if want == 500 && !strings.Contains(line, `"level":"ERROR"`) {
					t.Errorf("%s: the log says %s", what, line)
				}
			}
		}
		if lines != 1 {
			t.Errorf("%s: %d lines of the log have its reference, want 1", what, lines)
		}
		a.lacks("internal word", "disk full", "goroutine", "panic in", ".go:")
	}
	p.get("/late").want(200, "whole")
	if !strings.Contains(h.log.String(), "error after the answer") {
		t.Error("an error after the answer is not in the log")
	}
	if !strings.Contains(h.log.String(), "disk full") || !strings.Contains(h.log.String(), "door_test.go") {
		t.Error("the log lacks a cause or a stack")
	}
	p.get("/").want(200)
}

func TestForMachines(t *testing.T) {
	t.Parallel()
	broken := errors.New("an internal word")
	var down bool
	h := open(t, plan{ready: func() error {
		if down {
			return broken
		}
		return nil
	}})
	v := h.visitor()
	if a := v.get("/healthz").want(200); a.body != "ok\n" {
		t.Errorf("healthz says %q", a.body)
	}
	if a := v.get("/readyz").want(200); a.body != "ready\n" {
		t.Errorf("readyz says %q", a.body)
	}
	down = true
	if a := v.get("/readyz").want(503); a.body != "not ready\n" || !strings.Contains(h.log.String(), "an internal word") {
		t.Errorf("readyz says %q", a.body)
	}
	v.get("/healthz").want(200)
	if a := v.get("/favicon.ico"); a.status != 301 || !strings.HasSuffix(a.header.Get("Location"), "/icon.svg") {
		t.Errorf("favicon: %d to %q", a.status, a.header.Get("Location"))
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "production"})
	h.owner().get("/settings").want(200, h.deps.Keys.Box.KeyID(), "backoffice.key", h.file, "1.0.0", "1 event", "Not encrypted: for this machine only", "The public URL")
	open(t, plan{https: true}).owner().get("/settings").want(200, "Encrypted")
}
