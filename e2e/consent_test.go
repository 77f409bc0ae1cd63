package e2e

import (
	"fmt"
	"testing"
)

// Consent starts a consent run and waits for the sandbox's consent page. The
// page in between goes on by itself.
func (p *person) Consent() {
	p.t.Helper()
	p.Follow("Test")
	p.Follow("Go on in Intercom")
	p.See("into a workspace?", "nothing here is Intercom")
}

// Verdict waits until the report says word for a field.
func (p *person) Verdict(field, word string) {
	p.t.Helper()
	const card = `(name) => [...document.querySelectorAll(".diagnosis .fields li")].find((li) => li.querySelector("h3").textContent === name)?.querySelector(".verdict").textContent.trim() ?? ""`
	p.until(field+" is "+word, func() (bool, string) {
		got, err := evaluate[string](p, fmt.Sprintf("(%s)(%q)", card, field))
		if err != nil {
			return false, err.Error()
		}
		return got == word, fmt.Sprintf("the report says %q", got)
	})
}

func TestConsentAllowed(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Consent()
	ada.Follow("Authorize access")
	ada.At("/config/acme:intercom/test/*")
	ada.In(".diagnosis").See("Works", "Version 1 is pending. It can be put in force.")
	for _, field := range []string{"Client ID", "Client secret", "Redirect URI", "Reachability", "Permission"} {
		ada.Verdict(field, "OK")
	}
	identity := ada.In("section[aria-labelledby=identity]")
	identity.See("Workspace", "Region", "US", "Admin", "Email verified", "yes")
	ada.In("section[aria-labelledby=limits]").See("Limit", "Left")
	ada.See("This is a rehearsal", "Put version 1 in force", "How sure is this?")
	report := eval[string](ada, "location.pathname")

	ada.Open("/audit?target=acme:intercom")
	ada.See("Tested the connection")
	link := eval[string](ada, `[...document.querySelectorAll(".is-log tbody tr")].find((r) => r.textContent.includes("Tested the connection")).querySelector("a").getAttribute("href")`)
	ada.Open(link)
	ada.See("acme:intercom", email, "Done", "Its place in the log", "Works")

	ada.Open("/config/acme:intercom")
	ada.See("Works", "tested")
	ada.Open(report)
	ada.In(".diagnosis").See("Works")
	ada.NotSee("Tested before the last change")

	ada.Follow("Edit")
	ada.Choose("API version", "2.14")
	ada.Follow("Save and put in force")
	ada.See("Stale")
	ada.Open("/")
	ada.In("section[aria-labelledby=attention]").See("acme:intercom", "Stale")
	ada.In("section[aria-labelledby=attention]").NotSee("Works")
	ada.Open(report)
	ada.See("Tested before the last change")
}

func TestConsentDenied(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Consent()
	ada.Follow("Deny")
	ada.At("/config/acme:intercom/test/*")
	ada.In(".diagnosis").See("Consent was denied")
	ada.Verdict("Client secret", "Not checked")
	for _, field := range []string{"Client ID", "Redirect URI"} {
		ada.Verdict(field, "Inconclusive")
	}
	ada.Open("/config/acme:intercom")
	ada.See("Not tested")
}

// A wrong secret is never called well, and neither is anything else on the
// evidence of that run.
func TestConsentWithWrongSecret(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	ada.Follow("Edit")
	ada.Fill("Client secret", "0123456789012345678901234567890123456789")
	ada.Follow("Save as pending")
	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Intercom refuses the exchange", "Nobody is affected")
	for _, field := range []string{"Client ID", "Client secret", "Redirect URI"} {
		ada.Verdict(field, "Inconclusive")
	}
	ada.See("What to do", "copy the client secret again")

	sandbox := ada.Window()
	sandbox.Open(ada.house.sandbox + "/")
	sandbox.Choose("Format of errors", "error and error_description (RFC 6749)")
	sandbox.Follow("Save switches")
	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Intercom refuses the client", "Nobody is affected")
	for _, field := range []string{"Client ID", "Client secret", "Redirect URI"} {
		ada.Verdict(field, "Inconclusive")
	}
	ada.Open("/config/acme:intercom")
	ada.See("Wrong")

	ada.Follow("Edit")
	_, secret := ada.Window().credentials()
	ada.Fill("Client secret", secret)
	ada.Follow("Save as pending")
	ada.See("Not tested")
}

// With the permission of the identity call switched off, the credentials are
// good all the same.
func TestConsentWithoutPermission(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	sandbox := ada.Window()
	sandbox.Open(ada.house.sandbox + "/")
	sandbox.Tick("Read one admin", false)
	sandbox.Follow("Save switches")
	ada.Consent()
	ada.Follow("Authorize access")
	ada.In(".diagnosis").See("Credentials are good, but a permission is missing")
	ada.Verdict("Client ID", "OK")
	ada.Verdict("Client secret", "OK")
	ada.Verdict("Redirect URI", "OK")
	ada.Verdict("Permission", "Missing")
	ada.NotSee("Edit the values")
	ada.In("section[aria-labelledby=remedy]").See("Read one admin")
	ada.In("details[open] > .evidence").See("Authorization: Bearer [removed] 64 characters", "Intercom-Version: 2.10", "Status: 403 Forbidden")
}

func TestPastedToken(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	ada.AddIntercom()
	sandbox := ada.Window()
	sandbox.Open(ada.house.sandbox + "/")
	sandbox.Follow("Make a test access token")
	token := sandbox.Value("Access token")

	ada.Follow("Test")
	ada.See("Nobody has tested this entry yet")
	ada.Fill("Access token", token)
	ada.Follow("Ask whose token it is")
	ada.At("/config/acme:intercom/test/*")
	ada.In(".diagnosis").See("The token works", "Test token")
	ada.Verdict("Permission", "OK")
	ada.Verdict("Client secret", "Not checked")
	ada.In("section[aria-labelledby=identity]").See("Workspace")
	ada.NotSee(token)

	ada.Fill("Access token", "mistyped")
	ada.Follow("Ask whose token it is")
	ada.In(".diagnosis").See("Intercom refuses the token")
	ada.Open("/config/acme:intercom")
	ada.See("Not tested")
}

// The provider sends the browser back with a state that is not the product's,
// or somebody else does: a state is good for one browser, once.
func TestConsentWithForeignState(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.AddIntercom()
	for _, query := range []string{"code=abc&state=unknown", "code=abc", "state=", ""} {
		ada.OpenRefused("/auth/intercom/callback?"+query, 422)
		ada.NotSee("abc", "unknown")
	}
	ada.Open("/config/acme:intercom")
	ada.Consent()
	bob := house.person(t)
	bob.SignIn()
	address := eval[string](ada, "location.href")
	bob.Open(address)
	bob.FollowRefused("Authorize access", 403)
	ada.FollowRefused("Authorize access", 409)
}
