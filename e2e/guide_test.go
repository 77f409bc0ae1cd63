package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// Step waits until a step of the guide says word.
func (p *person) Step(id, word string) {
	p.t.Helper()
	p.until(fmt.Sprintf("step %s is %q", id, word), func() (bool, string) {
		got, err := evaluate[string](p, fmt.Sprintf(`document.querySelector("#step-%s > .verdict")?.textContent.trim() ?? ""`, id))
		if err != nil {
			return false, err.Error()
		}
		return got == word, fmt.Sprintf("it says %q", got)
	})
}

// The guide ticks itself from an empty entry to step 6, and un-ticks what rests on
// a client secret that changes.
func TestGuideTicksItself(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	_, secret := ada.AddIntercom()
	ada.Follow("Set-up guide")
	ada.See("None of seven steps is done yet", "Set-up guide 0 of 7")
	for _, id := range []string{"account", "app", "oauth", "credentials", "webhooks", "configuration", "live"} {
		ada.Step(id, "To do")
	}
	ada.In("#step-oauth").WantValue("Redirect URL", house.url+"/auth/intercom/callback")
	ada.In("#step-webhooks").WantValue("Endpoint URL", house.url+"/webhooks/intercom")
	ada.In("#step-configuration").WantValue("Base URL", house.sandbox)
	ada.In("#step-configuration").WantValue("Version header", "Intercom-Version: 2.10")
	ada.In("#step-oauth").Press("Copy Redirect URL")
	ada.See("Copied")
	ada.See("API version 2.10 is old", "No test has seen the headers yet")

	ada.Follow("Test connection")
	ada.In(".diagnosis").See("Client secret")
	ada.Verdict("Client secret", "OK")
	ada.Follow("Set-up guide")
	ada.Step("account", "Done, Intercom knows the client ID")
	ada.Step("app", "Done, Intercom knows the client ID")
	ada.Step("credentials", "Done, client ID and secret are good")
	ada.Step("configuration", "To do")

	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Works")
	ada.Follow("Set-up guide")
	ada.Step("oauth", "Done, the redirect URI is registered and the identity call is allowed")
	ada.Step("configuration", "Done, the connection works")
	ada.Step("webhooks", "To do")
	ada.See("Five of seven steps are done", "Limit, as seen")
	if got := house.notify(t, posted{path: "intercom", secret: secret, topic: "ping", id: "notif_1"}); got != http.StatusOK {
		t.Fatalf("the notification was answered %d", got)
	}
	ada.Open("/config/acme:intercom/guide")
	ada.See("Six of seven steps are done", "Set-up guide 6 of 7")
	ada.Step("webhooks", "Done, a notification came")
	ada.Step("live", "To do")
	ada.In("#step-oauth").Press("Details (Choose OAuth, the redirect URL and the permissions)")
	ada.See("A consent run of version 1 came back to this redirect URI")

	ada.Follow("Edit")
	ada.Fill("Client secret", "0123456789012345678901234567890123456789")
	ada.Follow("Save and put in force")
	ada.Follow("Set-up guide")
	for _, id := range []string{"credentials", "webhooks", "configuration"} {
		ada.Step(id, "To do again")
	}
	ada.Step("app", "Done, Intercom knows the client ID")
	ada.See("Was done with version 1: Client secret has changed since.")
}

// An internal integration has no step 7; the drafts of a listing are counted while
// one types.
func TestGuideForKindsOfApp(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Follow("Set-up guide")
	ada.Tick("Internal integration", true)
	ada.Follow("Save the kind of app")
	ada.See("The kind of app is saved", "None of six steps is done yet")
	ada.NotSee("Go live")
	ada.Tick("Public app", true)
	ada.Follow("Save the kind of app")
	ada.See("Go live", "None of seven steps is done yet")

	ada.Fill("Name of the listing", "Zoë’s tickets")
	ada.See("13 of 40 characters")
	ada.NotSee("It must not contain")
	ada.Fill("Name of the listing", "Tickets for intercom, with everything that goes with them")
	ada.See("57 of 40 characters, 17 too many", "It must not contain “Intercom”.")
	ada.Fill("Short description", "Answers faster.")
	ada.See("15 of 70 characters", "It must not end with a full stop.")
	ada.FollowRefused("Save the drafts", 422)
	ada.WantValue("Name of the listing", "Tickets for intercom, with everything that goes with them")
	ada.See("Name of the listing is 17 characters too long: 40 are allowed. Shorten it.")
	ada.Fill("Name of the listing", "Tickets")
	ada.Follow("Save the drafts")
	ada.WantValue("Name of the listing", "Tickets")
	ada.See("7 of 40 characters", "It must not end with a full stop.")
	ada.Tick("A video shows everything, from installing over OAuth through all that the app does to uninstalling. The OAuth address is visible in it, with the whole client_id and state.", true)
	ada.Follow("Save the checklist")
	ada.See("1 of 11 done")

	ada.Press("Add a note (Have a developer account)")
	ada.Fill("Note (Have a developer account)", "the old one")
	ada.Follow("Tick as done (Have a developer account)")
	ada.Step("account", "Done, ticked by "+email)
	ada.Open("/audit?target=acme:intercom")
	ada.In(".is-log tbody").See("Ticked a step of the set-up", "Went through a checklist", "Wrote a draft of the listing", "Chose the kind of app")
}

// The same without scripts.
func TestGuideWithoutScripts(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.person(t)
	ada.Scripts(false)
	ada.SetUp()
	ada.AddIntercom()
	ada.Follow("Set-up guide")
	ada.WantValue("Redirect URL", house.url+"/auth/intercom/callback")
	ada.Tick("Internal integration", true)
	ada.Follow("Save the kind of app")
	ada.NotSee("Go live")
	ada.Tick("Public app", true)
	ada.Follow("Save the kind of app")
	ada.Fill("Name of the listing", "Best of Intercom")
	ada.Follow("Save the drafts")
	ada.See("16 of 40 characters", "It must not contain “Intercom”.")
	ada.Follow("Not needed (Receive webhooks)")
	ada.Step("webhooks", "Not needed, says "+email)
	ada.Follow("Take the tick back (Receive webhooks)")
	ada.Step("webhooks", "To do")
	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Works")
	ada.Follow("Set-up guide")
	ada.Step("configuration", "Done, the connection works")
}
