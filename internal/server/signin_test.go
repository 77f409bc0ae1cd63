package server

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/signin/signintest"
)

// idp starts a provider of people.
func (h *house) idp() *signintest.Provider {
	h.t.Helper()
	p := signintest.New(h.clock)
	srv := httptest.NewServer(p)
	h.t.Cleanup(srv.Close)
	p.Issuer, p.Redirects = srv.URL, []string{h.deps.Site.PublicURL.String() + "/login/callback"}
	p.People = []signintest.Person{
		{Subject: "s-owner", Email: ownerEmail, Name: "Ada"},
		{Subject: "s-grace", Email: "grace@acme.example", Name: "Grace", Groups: []string{"integrators"}},
		{Subject: "s-admin", Email: "ali@acme.example", Name: "Ali", Groups: []string{"admins"}},
		{Subject: "s-nobody", Email: "nobody@acme.example", Name: "Nobody"},
	}
	return p
}

// saveSignIn sends the form of a setting that works.
func (h *house) saveSignIn(p *person, idp *signintest.Provider, more ...string) answer {
	h.t.Helper()
	page := p.get("/settings/sign-in").want(200)
	return p.submit(page, "/settings/sign-in", append([]string{"issuer", idp.Issuer, "clientId", idp.ClientID, "clientSecret", idp.Secret, "scopes", "email profile", "claim", "groups",
		"button", "Sign in with Example ID", "domains", "acme.example", "rules", "admins = admin\nintegrators = editor acme:*"}, more...)...).want(200)
}

// follow goes from a page that leads to the provider there and back.
func (p *person) follow(idp *signintest.Provider, leave answer, as string) answer {
	p.h.t.Helper()
	leave.want(200, "Going to 127.0.0.1:")
	back := must(idp.Visit(leave.wayOut(), as))(p.h.t)
	return p.get(back.RequestURI())
}

// arrive signs somebody in through the provider.
func (p *person) arrive(idp *signintest.Provider, as string) answer {
	p.h.t.Helper()
	page := p.get("/login?next=%2Faccount").want(200, "Sign in with Example ID")
	return p.follow(idp, p.submit(page, "/login/provider"), as)
}

// confirmed has a setting in force.
func (h *house) confirmed(idp *signintest.Provider, more ...string) {
	h.t.Helper()
	link := must(url.Parse(h.saveSignIn(h.owner(), idp, more...).value("input[id=one-time]")))(h.t)
	v := h.visitor()
	v.follow(idp, v.submit(v.get(link.RequestURI()).want(200, "Confirm how people sign in"), "/login/provider"), "s-owner").leadsTo("/settings/sign-in")
	h.pass(time.Minute)
}

// An owner saves a provider, comes back through it in another browser, and then
// others sign in through it.
func TestSignInProvider(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("globex:plain", nil)
	idp, p := h.idp(), h.owner()
	p.get("/settings").want(200, "How people sign in")
	p.get("/settings/sign-in").want(200, "Passwords only", "Register it at the provider").lacks("Turn it off")
	h.visitor().get("/login").want(200).lacks("/login/provider")
	a := p.submit(p.get("/settings/sign-in"), "/settings/sign-in", "issuer", "ftp://x", "clientSecret", "typed-once", "rules", "x = owner").want(422, "Nothing was saved", "An issuer is asked over https", "Line 1 makes owners").lacks("typed-once")
	if a.value("input[id=issuer]") != "ftp://x" {
		t.Error("what was typed is lost")
	}
	a = h.saveSignIn(p, idp)
	a.want(200, "Not in force until you sign in through it in another window", "Now come back through it").lacks(idp.Secret)
	if len(a.all("time[datetime=2026-09-17T12:10:00Z]")) == 0 {
		t.Error("the page does not say until when")
	}
	link := must(url.Parse(a.value("input[id=one-time]")))(t)
	p.get("/settings/sign-in").want(200, "Not in force until").lacks(link.Query().Get("token"))
	h.visitor().get("/login").want(200).lacks("/login/provider")

	v := h.visitor()
	page := v.get(link.RequestURI()).want(200, "Confirm how people sign in")
	v.follow(idp, v.submit(page, "/login/provider"), "s-grace").want(422, "who came back is grace@acme.example, and you are "+ownerEmail)
	p.get("/settings/sign-in").want(200, "Somebody came back, and it did not take effect", "grace@acme.example")
	v.submit(page, "/login/provider").want(404, "This link is not valid, or no longer")
	a = p.submit(p.get("/settings/sign-in"), "/settings/sign-in/begin").want(200, "Now come back through it")
	link = must(url.Parse(a.value("input[id=one-time]")))(t)
	v.follow(idp, v.submit(v.get(link.RequestURI()), "/login/provider"), "s-owner").leadsTo("/settings/sign-in")
	v.get("/settings/sign-in").want(200, "The sign-in provider is in force", "Turn it off", idp.ClientID).lacks("Not in force", idp.Secret)

	grace := h.visitor()
	grace.arrive(idp, "s-grace").leadsTo("/account")
	grace.get("/account").want(200, "You can sign in through 127.0.0.1:", "You have no password here")
	grace.get("/config").want(200, "acme:intercom").lacks("globex")
	grace.get("/settings/sign-in").want(403)
	h.visitor().arrive(idp, "s-nobody").want(422, "None of your groups at the provider has a role here")
	if e := h.events(audit.SignInFailed); len(e) != 2 || !strings.HasPrefix(e[0].Note, "No account, no invitation") {
		t.Errorf("events %+v", e)
	}
	h.visitor().arrive(idp, "deny").want(422, "You said no there")
	p.get("/team").want(200, "grace@acme.example Grace", "Password, 127.0.0.1:")
	who := must(h.deps.Auth.Users(t.Context()))(t)[1]
	at := "/team/" + who.ID
	p.get(at).want(200, "A group at the provider, at every sign-in", "Signs in by")
	p.submit(p.get(at), at+"/unlink").leadsTo(at)
	grace.get("/account").leadsTo("/login?next=%2Faccount")
	p.get("/team").want(200, "Nothing any more")
	grace.arrive(idp, "s-grace").leadsTo("/account")
	p.submit(p.get(at), at+"/disable").leadsTo(at)
	grace.get("/account").leadsTo("/login?next=%2Faccount")
	grace.arrive(idp, "s-grace").want(422, "This account cannot sign in")
	p.submit(p.get(at), at+"/enable").leadsTo(at)

	p.submit(p.get("/settings/sign-in"), "/settings/sign-in/test").want(200, "What the test found out", "Only these values pass", "Client secret OK", "Redirect URI OK")
	p.get("/settings/sign-in").want(200, "Who would have no way in without it", "grace@acme.example")
	h.saveSignIn(p, idp, "clientSecret", "", "button", "Another text")
	p.submit(p.get("/settings/sign-in"), "/settings/sign-in/discard").leadsTo("/settings/sign-in")
	p.submit(p.get("/settings/sign-in").want(200, "The saved setting is discarded"), "/settings/sign-in/off").leadsTo("/settings/sign-in")
	p.get("/settings/sign-in").want(200, "The sign-in provider is off", "Passwords only")
	h.visitor().get("/login").want(200).lacks("/login/provider")
}

// Whoever has no password signs in at the provider again, and goes on with what was
// typed.
func TestProofAtTheProvider(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	idp := h.idp()
	h.confirmed(idp)
	p := h.visitor()
	p.arrive(idp, "s-admin").leadsTo("/account")
	// The provider knew them already, so that the sign-in proves nothing fresh.
	a := p.post("/team/invite", "email", "new@acme.example", "role", "viewer", "entries", "acme:*").want(403, "Sign in once more", "Nothing has been done yet").lacks("Your password")
	leave := p.submit(a, "/account/proof/provider")
	if q := must(url.Parse(leave.wayOut()))(t).Query(); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("asked with %v", q)
	}
	p.follow(idp, leave, "s-grace").want(403, "You came back as somebody else")
	page := p.follow(idp, p.submit(a, "/account/proof/provider"), "s-admin").want(200, "You are confirmed")
	if got := page.value("input[name=email]"); got != "new@acme.example" {
		t.Errorf("the address became %q", got)
	}
	p.submit(page, "/team/invite").want(200, "A link for new@acme.example", "Viewer, acme:*")
	h.pass(6 * time.Minute)
	p.post("/team/invite", "email", "later@acme.example", "role", "viewer").want(403, "Sign in once more")
	p.post("/account/proof", "next", "/", "password", password).want(422, "This is not your password")
	if q := h.events(audit.SignInFailed); len(q) != 2 {
		t.Errorf("%d events", len(q))
	}
}

// An account that may do a lot is linked with its own password; the own second
// factor is asked for unless the provider's counts.
func TestLinkAtTheDoor(t *testing.T) {
	t.Parallel()
	h := open(t, plan{factor: auth.FactorForReveal})
	idp := h.idp()
	ali := h.hire("ali@acme.example", auth.Grant{Role: auth.Admin})
	own := h.as(ali)
	own.enrol()
	boss := h.owner()
	boss.enrol()
	link := must(url.Parse(h.saveSignIn(boss, idp, "rules", "").value("input[id=one-time]")))(t)
	v := h.visitor()
	v.follow(idp, v.submit(v.get(link.RequestURI()), "/login/provider"), "s-owner").want(200, "One more step") // in force, and a code is needed for the session
	boss.get("/settings/sign-in").want(200, "Turn it off")
	h.pass(time.Minute)
	p := h.visitor()
	a := p.arrive(idp, "s-admin").want(200, "Your password, this once", "ali@acme.example")
	a = p.submit(a, "/login/link", "password", "not the password").want(422, "This is not the password of your account here")
	a = p.submit(a, "/login/link", "password", password).want(200, "One more step")
	if a.value("input[name=next]") != "/account" {
		t.Errorf("goes on to %q", a.value("input[name=next]"))
	}
	p.get("/account").leadsTo("/login?next=%2Faccount")
	idp.People[2].AMR = []string{"mfa"}
	p.arrive(idp, "s-admin").want(200, "One more step")
	link = must(url.Parse(h.saveSignIn(boss, idp, "rules", "", "trust", "yes").value("input[id=one-time]")))(t)
	v.follow(idp, v.submit(v.get(link.RequestURI()), "/login/provider"), "s-owner")
	p.arrive(idp, "s-admin").leadsTo("/account")
	p.get("/account").want(200, "ali@acme.example")
	p.post("/login/link", "ticket", "x", "password", password).want(422, "The sign-in took too long")
}

// With passwords of owners only the door says so, and invitations are accepted
// through the provider.
func TestOwnersOnlyAtTheDoor(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	idp := h.idp()
	h.confirmed(idp, "owners", "yes")
	h.visitor().get("/login").want(200, "For owners alone", "Sign in with Example ID")
	u := h.hire("local@acme.example", auth.Grant{Role: auth.Viewer})
	v := h.visitor()
	v.post("/login", "email", u.Email, "password", password).want(422, "E-mail address or password is wrong.")
	v.post("/login", "email", ownerEmail, "password", password).leadsTo("/")
	token := must(h.deps.Auth.Invite(t.Context(), audit.Actor{ID: must(seeded())(t).owner.ID, Name: ownerEmail}, "nobody@acme.example", auth.Grant{Role: auth.Admin}))(t)
	v = h.visitor()
	page := v.get("/invite?token="+token.Reveal()).want(200, "Only owners sign in with a password here", "The provider has to tell the verified address nobody@acme.example").lacks(`id="password"`)
	v.follow(idp, v.submit(page, "/login/provider"), "s-nobody").leadsTo("/")
	v.get("/account").want(200, "nobody@acme.example")
}
