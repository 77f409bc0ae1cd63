package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// invite has the owner make a one-time link, and returns it. A tour may take longer
// than the password of its sign-in counts.
func (p *person) invite(address, role, entries string) string {
	p.t.Helper()
	p.Open("/team")
	p.In("#invite").Fill("E-mail", address)
	p.do("choose a role", chromedp.Click(`#role-`+role))
	p.In("#invite").Fill("Only these entries", entries)
	p.leaving("make a link", func() { p.Press("Make a one-time link") })
	p.passwordAgain()
	p.See("A link for " + address)
	return eval[string](p, `document.querySelector("#one-time").value`)
}

// passwordAgain gives the password if it is asked for: the sign-in was long ago.
func (p *person) passwordAgain() {
	p.t.Helper()
	if strings.HasPrefix(eval[string](p, "document.title"), "Your password again") {
		p.Fill("Your password", password)
		p.Follow("Go on")
	}
}

func (p *person) join(link string) {
	p.t.Helper()
	p.Open(link)
	p.See("Accept the invitation")
	p.Fill("Your name", "Grace")
	p.Fill("Password", password)
	p.Fill("The password again", password)
	p.Follow("Create the account")
	p.At("/")
}

// Somebody is invited, comes, sees what the role allows, and is gone when it ends.
func TestTeam(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	e := house.errand(t)
	e.create("acme:homemade", "", "key", "k", "value", "v", "secret", "yes", "then", "current")
	e.create("globex:homemade", "", "key", "k", "value", "v", "secret", "yes", "then", "current")
	link := ada.invite("grace@acme.example", "viewer", "acme:*")
	ada.accessible()

	grace := house.person(t)
	grace.join(link)
	grace.See("acme:homemade")
	grace.NotSee("globex:homemade", "Add an entry", "Pause the radar", "Audit log", "Team", "Settings")
	grace.Open("/config/acme:homemade")
	grace.NotSee("Test connection", "Reveal", "Delete this entry", "Compare a paste")
	grace.OpenRefused("/config/globex:homemade", 404)
	grace.OpenRefused("/team", 403)

	ada.Open("/team")
	ada.See("grace@acme.example", "Grace")
	ada.Follow("Change grace@acme.example")
	ada.accessible()
	ada.Follow("Disable the account")
	ada.See("This account is disabled")
	grace.Open("/config")
	grace.At("/login?next=%2Fconfig")

	eve := house.person(t)
	eve.OpenRefused(link, 404)
	eve.See("This invitation is not valid")
}

// What is worth more than being signed in asks for the password again, and goes on
// with what was typed; a session ends from another browser.
func TestPasswordAgainAndSessions(t *testing.T) {
	t.Parallel()
	house := start(t, "--confirm-after=1ms")
	ada := house.admin(t)
	ada.Open("/team")
	ada.In("#invite").Fill("E-mail", "grace@acme.example")
	ada.FollowRefused("Make a one-time link", 403)
	ada.See("Your password again", "Nothing has been done yet")
	ada.accessible()
	ada.Fill("Your password", "not the password")
	ada.FollowRefused("Go on", 422)
	ada.See("This is not your password")
	ada.Fill("Your password", password)
	ada.Follow("Go on")
	ada.See("A link for grace@acme.example")

	other := house.person(t)
	other.SignIn()
	ada.Open("/account")
	ada.See("Where you are signed in", "This one", "Chrome")
	ada.Follow("End all others")
	ada.NotSee("End all others")
	other.Open("/config")
	other.At("/login?next=%2Fconfig")
}
