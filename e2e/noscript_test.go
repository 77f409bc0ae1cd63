package e2e

import (
	"fmt"
	"testing"
)

// The main flows once more, without JavaScript.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.person(t)
	ada.Scripts(false)
	ada.SetUp()
	if eval[bool](ada, `document.querySelector("#live").matches(":empty")`) {
		t.Error("the welcome is not on the page that came without scripts")
	}
	ada.Press("Your account: " + email)
	ada.Follow("Sign out")
	ada.SignIn()

	client, secret := ada.credentials()
	ada.Open("/config/new")
	ada.Follow("Intercom")
	ada.Fill("Client ID", client)
	ada.Fill("Client secret", secret)
	row := func(n int) *person { return ada.In(fmt.Sprintf(".key-row:nth-child(%d)", n)) }
	row(1).Fill("Key", "note")
	row(1).Fill("Value", "made without scripts")
	ada.Follow("Add a key")
	ada.WantValue("Client ID", client)
	row(1).WantValue("Value", "made without scripts")
	row(2).Fill("Key", "retries")
	row(2).Fill("Value", "3")
	ada.Fill("Client secret", secret)
	ada.Follow("Save as pending")
	ada.See("version 1 is pending", client, "made without scripts", "number")
	ada.NotSee(secret)

	ada.Follow("Test")
	ada.Follow("Go on in Intercom")
	ada.See("into a workspace?")
	ada.Follow("Authorize access")
	ada.At("/config/acme:intercom/test/*")
	ada.In(".diagnosis").See("Works")
	ada.See("Workspace", "Email verified")

	ada.Open("/audit")
	ada.Choose("Action", "Tested the connection")
	ada.Follow("Filter")
	ada.In(".is-log tbody").See("acme:intercom")
	ada.In(".is-log tbody").NotSee("Created the entry")

	ada.Open("/config/acme:intercom")
	ada.Follow("Reveal clientSecret")
	ada.Follow("Reveal for 30 seconds")
	ada.See(secret)
	if got, want := ada.watch.document().header("Refresh"), "30; url=/config/acme:intercom?version=1"; got != want {
		t.Errorf("the Refresh header is %q, want %q", got, want)
	}
	ada.Follow("Hide it now")
	ada.NotSee(secret)
	ada.Follow("Test")
	ada.Follow("Values")
	ada.In("#promote").Follow("Promote version 1")
	ada.See("Version 1 is in force")
}
