package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// credentials reads the client id and the client secret off the sandbox's own
// page, as people do.
func (p *person) credentials() (id, secret string) {
	p.t.Helper()
	p.Open(p.house.sandbox + "/")
	return p.Value("Client ID"), p.Value("Client secret")
}

// AddIntercom adds acme:intercom with what the sandbox accepts, as version 1,
// pending.
func (p *person) AddIntercom() (client, secret string) {
	p.t.Helper()
	client, secret = p.credentials()
	p.Open("/config/new")
	p.Follow("Intercom")
	p.WantValue("Id of the entry", "acme:intercom")
	p.Fill("Client ID", client)
	p.Fill("Client secret", secret)
	p.WantValue("Region", "Rehearsal sandbox")
	p.Follow("Save as pending")
	p.At("/config/acme:intercom")
	p.See("Saved as version 1, pending")
	return client, secret
}

func TestAddAndSee(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	client, secret := ada.AddIntercom()
	ada.See("Not tested", "version 1 is pending", "clientId", client, "clientSecret", "40 characters", "This is a rehearsal")
	ada.NotSee(secret)
	print := eval[string](ada, `document.querySelector(".fp").textContent`)
	if len(strings.ReplaceAll(print, " ", "")) != 12 {
		t.Errorf("the fingerprint of the secret is shown as %q, want 12 digits", print)
	}

	ada.Press("Copy clientId")
	ada.See("Copied")
	if copied := eval[string](ada, `document.getElementById(document.querySelector("[aria-label='Copy clientId']").dataset.copy).textContent`); copied != client {
		t.Errorf("Copy gives %s, want %s", copied, client)
	}

	ada.Follow("Edit")
	ada.WantValue("Client secret", "")
	ada.See("Stored:", print)
	ada.Fill("Client ID", client+"0")
	ada.Fill("Reason", "Another app")
	ada.Follow("Save and put in force")
	ada.See("Version 2 is saved and in force", client+"0", print)

	ada.Open("/config")
	ada.See("acme:intercom", "Intercom")
	ada.Open("/")
	ada.See("1 entry waits for a test", "acme:intercom")
}

// What was typed stays when the form cannot be saved, except secrets; the
// summary of the faults has the focus and leads to the fields.
func TestFormFaults(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Open("/config/new?connector=intercom")
	ada.Fill("Id of the entry", "acme intercom")
	ada.Fill("Client ID", "typed-client")
	ada.Fill("Client secret", "typed-secret")
	ada.Choose("API version", "2.14")
	ada.Fill("Reason", "typed reason")
	ada.FollowRefused("Save as pending", 422)
	ada.Focused("faults")
	ada.See("Nothing was saved: 2 values need your eye", "Secrets never come back to a page: type it again")
	ada.WantValue("Id of the entry", "acme intercom")
	ada.WantValue("Client ID", "typed-client")
	ada.WantValue("Client secret", "")
	ada.WantValue("API version", "2.14")
	ada.WantValue("Reason", "typed reason")
	ada.In("#faults a").See("id")
	eval[bool](ada, `document.querySelector("#faults a").click(), true`)
	ada.Focused("id")

	ada.Fill("Id of the entry", "acme:intercom")
	ada.Fill("Client secret", "typed-secret")
	ada.Follow("Save as pending")
	ada.See("Saved as version 1, pending")

	ada.Open("/config/new?connector=intercom")
	ada.Fill("Client ID", "another")
	ada.Fill("Client secret", "another")
	ada.FollowRefused("Save as pending", 409)
	ada.WantValue("Client ID", "another")
	ada.See("Nothing was saved")
}

// Further keys are JSON scalars, and a key that differs only by case is warned
// of.
func TestFurtherKeys(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.Open("/config/new?id=acme:homemade:billing")
	row := func(n int) *person { return ada.In(fmt.Sprintf(".key-row:nth-child(%d)", n)) }
	row(1).Fill("Key", "sandbox")
	row(1).Fill("Value", "true")
	ada.Press("Add a key")
	row(2).Fill("Key", "apiKey")
	row(2).Fill("Value", "not-for-eyes")
	row(2).Choose("Secret", "Yes")
	ada.Press("Add a key")
	row(3).Fill("Key", "mistake")
	ada.Press("Add a key")
	row(4).Fill("Key", "APIKey")
	row(4).Fill("Value", "7")
	eval[bool](ada, `document.querySelector(".key-row:nth-child(3) [data-remove-row]").click(), true`)
	ada.Follow("Save as pending")
	ada.At("/config/acme:homemade:billing")
	ada.See("sandbox", "boolean", "12 characters", "number", "2 keys may be misspelt", "apiKey is there too, and differs only by case")
	ada.NotSee("not-for-eyes", "mistake")
	ada.Follow("Test")
	ada.See("This entry has no test")
}

// Two browsers edit the same entry: the second gets back what was typed, sees
// what the first changed, and saves over it.
func TestConflict(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.AddIntercom()
	bob := house.person(t)
	bob.SignIn()
	ada.Open("/config/acme:intercom/edit")
	bob.Open("/config/acme:intercom/edit")

	ada.Fill("Client ID", "from-ada")
	ada.Fill("Client secret", "secret of ada")
	ada.Follow("Save as pending")
	ada.See("Saved as version 2, pending")

	bob.Fill("Client ID", "from-bob")
	bob.Fill("Client secret", "secret of bob")
	bob.Fill("Reason", "Bob was here")
	bob.FollowRefused("Save as pending", 409)
	bob.See(email+" saved while you were editing", "from-ada", "What you typed is kept below, except secrets")
	bob.WantValue("Client ID", "from-bob")
	bob.WantValue("Client secret", "")
	bob.WantValue("Reason", "Bob was here")
	bob.NotSee("secret of ada", "secret of bob")
	bob.FollowRefused("Save as pending", 422)
	eval[bool](bob, `document.querySelector("input[name='keep.clientSecret']").click(), true`)
	bob.Follow("Save as pending")
	bob.See("Saved as version 3, pending", "from-bob")

	ada.Open("/config/acme:intercom/history?left=2&right=3")
	ada.See("from-ada", "from-bob", "Bob was here")
}

// SaveAnotherApp saves a form with another client ID than the one in force, which
// asks once whether that is meant.
func (p *person) SaveAnotherApp() {
	p.t.Helper()
	p.FollowRefused("Save as pending", 422)
	p.See("It is not a rotation")
	p.Tick("I mean another app: tokens of all installations stay with the old one, everybody has to consent anew, and webhooks have to be set up and signed anew.", true)
	p.Follow("Save as pending")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	house := start(t)
	errand := house.errand(t)
	errand.intercom("acme:intercom", "current", "reason", "The first one")
	ada := house.person(t)
	ada.SignIn()

	ada.Open("/config/acme:intercom/edit")
	ada.Fill("Client ID", "second")
	ada.SaveAnotherApp()
	ada.See("Version 1", "Version 2")
	ada.In("#promote").Fill("Reason", "It is time")
	ada.In("#promote").Choose("Version 1 stays accepted beside it", "For a day")
	ada.In("#promote").Follow("Promote version 2")
	ada.See("Version 2 is in force", "accepted", "second")

	ada.Open("/config/acme:intercom/edit")
	ada.Fill("Client ID", "third")
	ada.SaveAnotherApp()
	ada.See("Saved as version 3, pending")
	ada.Press("Discard")
	ada.Follow("Discard version 3")
	ada.See("Version 3 is discarded", "Nothing is pending")

	ada.Follow("History")
	ada.See("3 versions", "The first one")
	ada.Choose("Compare version", "1, previous")
	ada.Choose("with version", "2, in force")
	ada.Follow("Compare")
	ada.In("section[aria-labelledby=compare]").See("clientId", "second")

	ada.In(".versions li:nth-child(3)").Press("Roll back")
	ada.In(".versions li:nth-child(3)").Follow("Roll back to version 1")
	ada.See("Rolled back: version 1 is in force")
	ada.Open("/config/acme:intercom")
	ada.See("version 1 is in force")
	ada.Open("/audit?target=acme:intercom")
	ada.See("Rolled back", "Discarded the pending version", "Put a version in force", "Saved a version", "Created the entry")
}

// A form is sent once: until the answer is there its buttons rest, and coming
// back to the page wakes them.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config/acme:intercom/edit")
	const send = `document.querySelector("form[aria-label=Values]").dispatchEvent(new SubmitEvent("submit", {bubbles: true, cancelable: true}))`
	if !eval[bool](ada, send) || eval[bool](ada, send) {
		t.Error("the first press is refused, or the second is not")
	}
	ada.until("the buttons rest", func() (bool, string) {
		return eval[bool](ada, `document.querySelectorAll("form[aria-label=Values] [type=submit]:enabled").length === 0`), "one can be pressed"
	})
	eval[bool](ada, `window.dispatchEvent(new Event("pageshow"))`)
	if !eval[bool](ada, `document.querySelectorAll("form[aria-label=Values] [type=submit]:disabled").length === 0`) || !eval[bool](ada, send) {
		t.Error("the form cannot be sent again after coming back")
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config/acme:intercom")
	ada.Follow("Delete this entry")
	ada.See("This cannot be undone")
	if !eval[bool](ada, `document.querySelector("form[data-confirm] button").disabled`) {
		t.Error("the entry can be deleted before its id is typed")
	}
	ada.Fill("Type acme:intercom to confirm", "acme:slack")
	if !eval[bool](ada, `document.querySelector("form[data-confirm] button").disabled`) {
		t.Error("the entry can be deleted with the id of another one")
	}
	ada.Fill("Type acme:intercom to confirm", "acme:intercom")
	ada.Follow("Delete the entry")
	ada.At("/config")
	ada.See("The entry is deleted")
	ada.OpenRefused("/config/acme:intercom", 404)
	ada.Open("/audit?target=acme:intercom")
	ada.See("Created the entry", "Deleted the entry")
}
