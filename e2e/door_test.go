package e2e

import (
	"net/url"
	"testing"
)

const (
	email    = "owner@acme.example"
	password = "correct horse battery"
)

// admin brings somebody who uses the set-up link, and so is the first owner.
func (h *program) admin(t *testing.T) *person {
	t.Helper()
	p := h.person(t)
	p.SetUp()
	return p
}

// SetUp creates the first admin with the one-time link.
func (p *person) SetUp() {
	p.t.Helper()
	p.Open(p.house.setup)
	p.Fill("E-mail", email)
	p.Fill("Password", password)
	p.Fill("The password again", password)
	p.Follow("Create the admin")
	p.At("/")
}

// SignIn signs in as the owner.
func (p *person) SignIn() {
	p.t.Helper()
	p.Open("/login")
	p.Fill("E-mail", email)
	p.Fill("Password", password)
	p.Follow("Sign in")
	p.At("/")
}

func TestSetup(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.person(t)
	ada.Open("/config?q=acme")
	ada.At("/login?next=%2Fconfig%3Fq%3Dacme")

	ada.Open(house.setup)
	ada.See("Create the first admin")
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Fill("The password again", password+"?")
	ada.FollowRefused("Create the admin", 422)
	ada.See("Nothing was created yet")
	ada.Focused("faults")
	ada.WantValue("E-mail", email)
	ada.WantValue("Password", "")
	ada.Fill("Password", password)
	ada.Fill("The password again", password)
	ada.Follow("Create the admin")
	ada.At("/")
	ada.See("Nothing is configured yet", "You are the first owner")

	eve := house.person(t)
	eve.OpenRefused(house.setup, 404)
	eve.NotSee("Create the first admin")
	eve.OpenRefused("/setup", 404)
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.Press("Your account: " + email)
	ada.Follow("Sign out")
	ada.See("You have signed out")
	ada.Open("/audit?action=session.sign-in")
	ada.At("/login?next=*")

	ada.Fill("E-mail", email)
	ada.Fill("Password", "not the password")
	ada.FollowRefused("Sign in", 422)
	ada.See("E-mail address or password is wrong")
	ada.WantValue("E-mail", email)
	ada.WantValue("Password", "")
	ada.Fill("Password", password)
	ada.Follow("Sign in")
	ada.At("/audit?action=session.sign-in")
	ada.See("Audit log")

	ada.Open("/login?next=" + url.QueryEscape("https://evil.example/"))
	ada.At("/")
}

// A session ends for every window of its browser, and what the others still
// show can change nothing.
func TestSignedOutElsewhere(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.Open("/config/new?id=acme:homemade")
	ada.Fill("Reason", "Typed before the end")
	other := ada.Window()
	other.Open("/")
	other.Press("Your account: " + email)
	other.Follow("Sign out")
	ada.FollowRefused("Save as pending", 401)
	ada.See("You are not signed in any more, so nothing was changed")
}

func TestThemeSwitch(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	background := func() string { return eval[string](ada, `getComputedStyle(document.body).backgroundColor`) }
	ada.Theme("light")
	light := background()
	ada.Theme("dark")
	dark := background()
	if light == dark {
		t.Fatalf("light and dark have the same background, %s", light)
	}
	choose := func(theme, want string) {
		t.Helper()
		ada.Press("Your account: " + email)
		ada.Follow("Theme: " + theme)
		ada.At("/config?q=slack")
		if got := background(); got != want {
			t.Errorf("with the theme %s on a dark system the background is %s, want %s", theme, got, want)
		}
	}
	ada.Open("/config?q=slack")
	choose("light", light)
	choose("as the system", dark)
	choose("dark", dark)
	ada.Theme("light")
	if got := background(); got != dark {
		t.Errorf("with the theme dark on a light system the background is %s, want %s", got, dark)
	}
}
