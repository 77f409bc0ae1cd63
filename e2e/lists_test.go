package e2e

import (
	"fmt"
	"testing"
)

func TestKeyboard(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Keys("/")
	ada.Focused("search")
	ada.Keys("g", "c", "?")
	ada.WantValue("Search entries, connectors and events", "gc?")
	ada.Open("/")
	ada.leaving("g c", func() { ada.Keys("g", "c") })
	ada.At("/config")
	ada.leaving("g a", func() { ada.Keys("g", "a") })
	ada.At("/audit")
	ada.leaving("g o", func() { ada.Keys("g", "o") })
	ada.At("/")
	ada.NotSee("Keyboard shortcuts")
	ada.Keys("?")
	ada.See("Keyboard shortcuts", "Go to the audit log")
	ada.Keys("Escape")
	ada.Gone("Keyboard shortcuts")
	ada.Press("Your account: " + email)
	ada.See("Sign out")
	ada.Keys("Escape")
	ada.Gone("Sign out")
	ada.Keys("Tab")
	if !eval[bool](ada, `document.activeElement.matches(":focus-visible")`) {
		t.Error("after Tab nothing shows that it has the focus")
	}
}

func TestSkipLink(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Open("/config")
	ada.Keys("Tab", "Enter")
	ada.Focused("main")
}

// The list follows what is typed, without a new page, and its address can be
// sent to somebody else.
func TestListFilter(t *testing.T) {
	t.Parallel()
	house := start(t)
	errand := house.errand(t)
	for _, id := range []string{"acme:homemade", "acme:other", "globex:homemade", "initech:plain"} {
		errand.create(id, "", "key", "k", "value", "v", "secret", "no")
	}
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config")
	ada.See("acme:homemade", "acme:other", "globex:homemade", "initech:plain")
	before := ada.watch.loaded()
	ada.Fill("Filter entries by id, connector or person", "homemade")
	ada.In("#entries").Gone("initech:plain")
	ada.In("#entries").See("acme:homemade", "globex:homemade")
	ada.In("#showing").See("1 to 2 of 2 entries")
	ada.At("/config?q=homemade")
	ada.Fill("Filter entries by id, connector or person", "nothing like it")
	ada.In("#entries").See("No entry matches")
	if ada.watch.loaded() != before {
		t.Error("filtering loaded another page")
	}
	ada.Open("/config?q=globex")
	ada.WantValue("Filter entries by id, connector or person", "globex")
	ada.See("globex:homemade")
	ada.NotSee("acme:other")

	ada.Open("/config?sort=id&dir=desc")
	if first := eval[string](ada, `document.querySelector("#entries tbody a").textContent`); first != "initech:plain" {
		t.Errorf("sorted by id, last first, the list begins with %s", first)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).create("acme:homemade", "", "key", "k", "value", "v", "secret", "no")
	ada := house.person(t)
	ada.SignIn()
	ada.Fill("Search entries, connectors and events", "homemade")
	ada.leaving("search", func() { ada.Keys("Enter") })
	ada.See("1 entry", "acme:homemade")
	ada.Fill("Search entries, connectors and events", "acme:homemade")
	ada.leaving("search", func() { ada.Keys("Enter") })
	ada.See("1 entry", "1 event", "Created the entry")
	ada.Fill("Search entries, connectors and events", "interc")
	ada.leaving("search", func() { ada.Keys("Enter") })
	ada.See("Intercom", "1 connector")
	ada.Fill("Search entries, connectors and events", "<script>alert(1)</script>")
	ada.leaving("search", func() { ada.Keys("Enter") })
	ada.See("<script>alert(1)</script>")
}

func TestPhone(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Screen(390, 844, 2)
	ada.Open("/")
	drawer := func(open bool) {
		t.Helper()
		ada.until("the menu opens or closes", func() (bool, string) {
			shown, err := evaluate[bool](ada, `document.getElementById("nav").checkVisibility()`)
			return err == nil && shown == open, fmt.Sprint("it is open: ", shown)
		})
	}
	drawer(false)
	ada.Press("Open the menu")
	drawer(true)
	ada.Keys("Escape")
	drawer(false)
	ada.Press("Open the menu")
	ada.In("#nav").Follow("Audit log")
	ada.At("/audit")
	ada.See("Newest first")
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	for _, path := range []string{"/nothing", "/config/acme:intercom", "/config/not-an-id", "/connectors/nothing", "/audit/999", "/auth/intercom/callback/more"} {
		ada.OpenRefused(path, 404)
		ada.See("Error 404", "Reference")
		ada.NotSee("goroutine", "internal/", ".go:")
	}
	ada.Press("Copy the reference")
	ada.See("Copied")
	stranger := house.person(t)
	stranger.OpenRefused("/nothing", 404)
	stranger.See("Error 404", "Sign in")
}

// Who comes by another address than the public one is told so: providers send
// browsers to the public one.
func TestAddressWarning(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t)
	public := house.url
	house.url = "http://127.0.0.1" + public[len("http://localhost"):]
	ada := house.person(t)
	ada.SignIn()
	ada.See("You are here by "+house.url, "Open "+public)
	ada.Open("/config/new?connector=intercom")
	ada.WantValue("Redirect URI", public+"/auth/intercom/callback")
	house.url = public
	ada.Open("/login")
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Follow("Sign in")
	ada.NotSee("You are here by")
}

func TestScopesAndTopics(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config/acme:intercom/webhooks")
	ada.WantValue("Webhook URL", house.url+"/webhooks/intercom")
	ada.See("clientSecret", "No topic is chosen yet")
	ada.In("form[aria-labelledby=topics]").NotSee("conversation.user.created", "cannot arrive")
	ada.Press("Read conversations")
	ada.Tick("conversation.user.created", true)
	ada.Follow("Save as pending")
	ada.See("Saved as version 2, pending", "1 topic chosen, 1 cannot arrive", "Permission missing")

	ada.In(".tabs").Follow("Scopes")
	ada.See("Missing", "Read conversations", "conversation.user.created", "GET /me")
	ada.Tick("Read conversations", true)
	ada.Tick("Read one admin", true)
	ada.Follow("Save and put in force")
	ada.See("Version 3 is saved and in force", "2 permissions declared")
	if n := eval[int](ada, `document.querySelectorAll("main .is-wrong").length`); n > 0 {
		t.Errorf("%d permissions are still called missing", n)
	}
	ada.In(".tabs").Follow("Webhooks")
	ada.See("1 topic chosen", "Permission declared")
	ada.NotSee("cannot arrive", "Permission missing")
	ada.Open("/config/acme:intercom/history?left=2&right=3")
	ada.In("section[aria-labelledby=compare]").See("read_conversations", "read_single_admin")
}

func TestPassword(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	bob := house.person(t)
	bob.SignIn()
	ada.Open("/account")
	ada.Fill("Your password now", "not the password")
	ada.Fill("New password", "another good sentence")
	ada.Fill("The password again", "another good sentence")
	ada.FollowRefused("Change the password", 422)
	ada.Fill("Your password now", password)
	ada.Fill("New password", "another good sentence")
	ada.Fill("The password again", "another good sentence")
	ada.Follow("Change the password")
	ada.See("Your password is changed")
	bob.Open("/config")
	bob.At("/login?next=%2Fconfig")
}
