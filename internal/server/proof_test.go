package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
)

func (p *person) cookie() string {
	p.h.t.Helper()
	for _, c := range p.client.Jar.Cookies(must(url.Parse(p.h.srv.URL))(p.h.t)) {
		if c.Name == p.h.deps.Sessions.Name() {
			return c.Value
		}
	}
	return ""
}

// Every route whose permission says so asks for the password again, and does
// nothing without it.
func TestWhatAsksForThePasswordAgain(t *testing.T) {
	t.Parallel()
	h, _ := twoVendors(t)
	p := h.owner()
	h.pass(6 * time.Minute)
	p.get("/").want(200)
	before, asked := h.dump(), 0
	for _, r := range routes(newGate(h.deps)) {
		if !r.may.NeedsProof() || r.safe() && r.path != caseFilePath {
			continue
		}
		asked++
		a := p.ask(r).want(403, "Your password again", "Nothing has been done yet")
		form := a.one("form[class=panel-body stack]")
		if to, _ := attr(form, "action"); to != r.address() && to != "/account/proof" {
			t.Errorf("%s: the form goes to %s", a.what, to)
		}
		h.unchanged(before, a.what)
	}
	if asked < 8 {
		t.Errorf("%d routes asked", asked)
	}
}

// The form goes on with what was typed, once the password is right; the session is
// renewed, and the password counts for five minutes.
func TestProof(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	h.pass(4*time.Minute + 59*time.Second)
	p.post("/team/invite", "email", "soon@acme.example", "role", "viewer").want(200, "A link for soon@acme.example")
	h.pass(time.Second)
	a := p.post("/team/invite", "email", "new@acme.example", "role", "editor", "entries", "acme:*", "unknown", "x").want(403)
	for name, want := range map[string]string{"email": "new@acme.example", "role": "editor", "entries": "acme:*"} {
		if got := a.value("input[type=hidden][name=" + name + "]"); got != want {
			t.Errorf("%s became %q", name, got)
		}
	}
	a.lacks(`name="unknown"`)
	h.deliver(letter{body: note("n1", "ping", "w")})
	page := p.get("/webhooks").pageOf("n1")
	again := p.post(page+"/replay", "target", h.deps.Site.Sandbox+"/nowhere").want(403, "Your password again")
	if got := again.value("input[type=hidden][name=target]"); got != h.deps.Site.Sandbox+"/nowhere" || len(h.events(audit.NotificationReplayed)) != 0 {
		t.Errorf("the target became %q, or it was sent without the password", got)
	}
	old := p.cookie()
	a = p.submit(a, "/team/invite", "password", "a wrong one").want(422, "This is not your password.").lacks("a wrong one")
	p.submit(a, "/team/invite", "password", "").want(422, "Enter your password.")
	if p.cookie() != old {
		t.Error("the session was renewed without the password")
	}
	p.submit(a, "/team/invite", "password", password).want(200, "A link for new@acme.example", "Editor, acme:*")
	if p.cookie() == old {
		t.Error("the session was not renewed")
	}
	p.post("/team/withdraw", "email", "new@acme.example").leadsTo("/team")
	for range 6 {
		h.pass(5 * time.Minute)
		a = p.post("/team/withdraw", "email", "soon@acme.example", "password", "a wrong one")
	}
	a.want(422)
	if e := h.events(audit.SignInFailed); len(e) != 7 || !strings.Contains(e[0].Note, "While confirming an action.") {
		t.Errorf("%d failures on record: %+v", len(e), e[0])
	}

	// A download is asked for by a link: the page goes on to it.
	h.pass(time.Hour)
	p = h.owner()
	run := p.post(entry+"/test", "version", "1").want(303).header.Get("Location")
	p.get(run + "/events").want(200)
	h.pass(5 * time.Minute)
	a = p.get(run+"/casefile").want(403, "Your password again")
	if back := a.link("Cancel"); back != run {
		t.Errorf("cancel leads to %q", back)
	}
	p.submit(a, "/account/proof", "password", "a wrong one").want(422, "This is not your password.")
	p.submit(a, "/account/proof", "password", password).leadsTo(run + "/casefile")
	p.get(run + "/casefile").want(200)
	p.post("/account/proof", "next", "https://elsewhere.example/", "password", password).leadsTo("/")
}

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	boss := must(seeded())(t).owner
	u := h.hire("ops@acme.example", auth.Grant{Role: auth.Editor})
	one, two, three := h.as(u), h.as(u), h.as(u)
	h.pass(2 * time.Minute)
	page := one.get("/account").want(200, "Where you are signed in", "This one", "127.0.0.1")
	if n := len(page.all("form[action=/account/sessions]")); n != 4 { // a row each, and all others
		t.Fatalf("%d forms", n)
	}
	all := must(h.deps.Sessions.Of(t.Context(), u.ID))(t)
	if all[0].Seen.Before(all[1].Seen) || strings.Contains(page.body, all[1].ID) {
		t.Error("the order is wrong, or the page has the id of a session")
	}
	one.post("/account/sessions", "session", all[1].Handle()).leadsTo("/account")
	one.get("/account").want(200, "Ended")
	one.post("/account/sessions", "session", all[1].Handle()).want(404, "This session has ended already")
	p := h.owner()
	bosses := must(h.deps.Sessions.Of(t.Context(), boss.ID))(t)
	one.post("/account/sessions", "session", bosses[0].Handle()).want(404)
	one.post("/account/sessions").leadsTo("/account")
	if left := must(h.deps.Sessions.Of(t.Context(), u.ID))(t); len(left) != 1 || left[0].ID != all[0].ID {
		t.Errorf("left are %+v", left)
	}
	two.get("/account").leadsTo("/login?next=%2Faccount")
	three.get("/account").leadsTo("/login?next=%2Faccount")

	// An owner sees and ends those of others; an admin does not.
	at := "/team/" + u.ID
	h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin})).get(at).want(200).lacks("Where this person is signed in")
	p.get(at).want(200, "Where this person is signed in", "127.0.0.1")
	p.post(at+"/sessions", "session", all[0].Handle()).leadsTo(at)
	one.get("/account").leadsTo("/login?next=%2Faccount")
	p.get(at).want(200).lacks("Where this person is signed in")
	again := h.as(u)
	p.post(at + "/sessions").leadsTo(at)
	again.get("/account").leadsTo("/login?next=%2Faccount")
	last := h.as(u)
	mine := must(h.deps.Sessions.Of(t.Context(), u.ID))(t)
	last.post("/account/sessions", "session", mine[0].Handle()).leadsTo("/login?out=1")
	if e := h.events(audit.SessionEnded); len(e) != 5 || e[0].Actor.ID != u.ID || e[1].Actor.Name != ownerEmail || e[1].Target != u.Email {
		t.Errorf("%d events, %+v", len(e), e)
	}
}

func TestDeviceOf(t *testing.T) {
	for agent, want := range map[string]string{
		"": "Not named",
		"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                   "Safari on a Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on an iPhone",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                         "Chrome on Android",
		"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1":       "Chrome on an iPad",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                          "Chrome on ChromeOS",
		"Go-http-client/1.1": "Another browser",
		"curl/8.5.0":         "curl",
	} {
		if got := deviceOf(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
