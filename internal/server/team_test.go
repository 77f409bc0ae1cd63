package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
)

func TestInviteAndJoin(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "production"})
	p := h.owner()
	page := p.get("/team").want(200, "One person", "Invite somebody", "No invitation is open", "What each role may do")
	if link := page.link("Team"); link != "/team" {
		t.Errorf("the menu leads to %q", link)
	}
	for words, form := range map[string][]string{
		"This is no e-mail address": {"email", "nobody", "role", "viewer"},
		"There is no such role":     {"email", "a@acme.example", "role", "king"},
		"A pattern is an id":        {"email", "a@acme.example", "role", "viewer", "entries", "<b>"},
		"An owner is for all":       {"email", "a@acme.example", "role", "owner", "entries", "acme:*"},
		"There is an account with":  {"email", ownerEmail, "role", "viewer"},
	} {
		a := p.submit(page, "/team/invite", form...).want(422, words)
		if got := a.value("input[id=email]"); got != form[1] {
			t.Errorf("the address %q came back as %q", form[1], got)
		}
	}
	a := p.submit(page, "/team/invite", "email", "new@acme.example", "role", "editor", "entries", "acme:*").want(200, "A link for new@acme.example", "Editor, acme:*")
	link := a.value("input[id=one-time]")
	if !strings.HasPrefix(link, h.srv.URL+"/invite?token=") {
		t.Fatalf("the link is %q", link)
	}
	p.get("/team").want(200, "new@acme.example").lacks(link, "token=")
	at := must(url.Parse(link))(t).RequestURI()
	v := h.visitor()
	page = v.get(at).want(200, ownerEmail+" invited new@acme.example as editor, for acme:*")
	v.submit(page, "/invite", "name", "Ada", "password", "short", "password2", "short").want(422, "A password has at least 12 characters")
	v.submit(page, "/invite", "name", "Ada", "password", "one fine sentence", "password2", "one fine sentence").leadsTo("/")
	v.get("/").want(200, "Welcome. Your account is ready")
	v.get("/team").want(403)
	h.visitor().get(at).want(404, "This invitation is not valid, or no longer")
	h.visitor().get("/invite").want(404)
	p.get("/team").want(200, "2 people", "new@acme.example Ada", "Editor acme:*", "just now").lacks(">Withdraw<")

	p.submit(p.get("/team"), "/team/invite", "email", "late@acme.example", "role", "viewer").want(200)
	page = p.get("/team").want(200, "late@acme.example")
	p.submit(page, "/team/withdraw").leadsTo("/team")
	p.get("/team").want(200, "The invitation is withdrawn", "No invitation is open")
	p.post("/team/withdraw", "email", "late@acme.example").want(404, "no open invitation")
}

func TestChangePeople(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	boss := must(seeded())(t).owner
	u := h.hire("ops@acme.example", auth.Grant{Role: auth.Editor})
	at, p := "/team/"+u.ID, h.owner()
	page := p.get(at).want(200, "This account is active", "Editor, all entries")
	p.submit(page, at, "entries", "a/b").want(422, "A pattern is an id")
	p.submit(page, at, "role", "auditor").leadsTo(at)
	page = p.get(at).want(200, "Auditor, all entries", "The role is changed")
	worker := h.as(u)
	worker.get("/").want(200)
	p.submit(page, at+"/disable").leadsTo(at)
	page = p.get(at).want(200, "This account is disabled", "The account is disabled, and its sessions have ended")
	worker.get("/").leadsTo("/login")
	v := h.visitor()
	v.post("/login", "email", u.Email, "password", password).want(422, "E-mail address or password is wrong.")
	p.get("/team").want(200, "2 people, one of them disabled", "Disabled")
	p.submit(page, at+"/enable").leadsTo(at)
	v.post("/login", "email", u.Email, "password", password).leadsTo("/")

	own := "/team/" + boss.ID
	page = p.get(own).want(200)
	p.submit(page, own+"/disable").want(422, "This is the last owner who can sign in")
	p.submit(page, own, "role", "viewer").want(422, "This is the last owner who can sign in")
	p.get("/team/nobody").want(404, "This account does not exist")

	admin := h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin}))
	admin.get(own).want(403, "Only an owner can change an owner")
	admin.post(own+"/disable").want(403, "Only an owner can change an owner")
	admin.get(at).want(200).lacks(`id="role-owner"`)
	admin.post(at, "role", "owner").want(403, "Only somebody with the same role or a higher one")
	admin.post("/team/invite", "email", "x@acme.example", "role", "owner").want(403, "Only somebody with the same role or a higher one")
	some := h.as(h.hire("some@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
	some.get(at).want(404, "This account does not exist")
	some.post("/team/invite", "email", "x@acme.example", "role", "viewer").want(403)
	some.post("/team/invite", "email", "x@acme.example", "role", "viewer", "entries", "acme:x").want(200)

	// Somebody who lowers the own role goes on with a new session.
	second := h.hire("second@acme.example", auth.Grant{Role: auth.Owner})
	me, other := h.as(second), h.as(second)
	me.submit(me.get("/team/"+second.ID), "/team/"+second.ID, "role", "viewer").leadsTo("/account")
	me.get("/account").want(200, "The role is changed")
	me.get("/team").want(403)
	other.get("/account").leadsTo("/login?next=%2Faccount")
	if e := h.events(audit.GrantChanged); len(e) != 2 || e[0].Target != second.Email || e[0].Actor.ID != second.ID {
		t.Errorf("events %+v", e)
	}
	h.pass(25 * time.Hour)
	h.owner().get("/team").want(200).lacks("x@acme.example")
}
