package e2e

import (
	"strings"
	"testing"
)

func TestReveal(t *testing.T) {
	t.Parallel()
	house := start(t, "--confirm-after=1ms")
	errand := house.errand(t)
	errand.intercom("acme:intercom", "current")
	_, secret := errand.credentials()
	ada := house.person(t)
	ada.SignIn()
	ada.hastenClock()
	ada.Open("/config/acme:intercom")
	ada.Follow("Reveal clientSecret")
	ada.Fill("Reason", "To compare it by eye")
	ada.Fill("Your password", "not the password")
	ada.FollowRefused("Reveal for 30 seconds", 422)
	ada.See("This is not your password")
	ada.NotSee(secret)

	ada.Fill("Your password", password)
	ada.Follow("Go on")
	ada.In("#revealed").See(secret)
	if got, want := ada.watch.document().header("Refresh"), "30; url=/config/acme:intercom?version=1"; got != want {
		t.Errorf("the Refresh header, which hides the secret where scripts are off, is %q, want %q", got, want)
	}
	ada.NotSee("hidden again")
	eval[float64](ada, "skip += 30000")
	ada.See("The secret is hidden again")
	if strings.Contains(eval[string](ada, "document.documentElement.outerHTML"), secret) {
		t.Error("the secret is still in the page after it was hidden")
	}
	ada.Follow("Back to the values")
	ada.At("/config/acme:intercom?version=1")

	ada.Open("/audit?action=secret.reveal")
	ada.See("acme:intercom", "Done")
	ada.In(".is-log tbody tr:first-child th").Follow(eval[string](ada, `document.querySelector(".is-log tbody a").textContent`))
	ada.See("To compare it by eye", "clientSecret")
	ada.NotSee(secret)
}

// hastenClock gives the pages that are opened next a clock that the test moves
// on by adding to the variable skip.
func (p *person) hastenClock() {
	p.t.Helper()
	p.beforeScripts(`var skip = 0; { const now = performance.now.bind(performance); performance.now = () => now() + skip; }`)
}

func TestCompareAPaste(t *testing.T) {
	t.Parallel()
	house := start(t)
	errand := house.errand(t)
	errand.intercom("acme:intercom", "current")
	_, secret := errand.credentials()
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config/acme:intercom")
	compare := ada.In("#compare")
	compare.Choose("Key", "clientSecret")
	compare.Fill("A value from somewhere else", secret)
	compare.Follow("Compare")
	same := compare.Text()
	compare.Fill("A value from somewhere else", secret+"x")
	compare.Follow("Compare")
	if other := compare.Text(); other == same || !strings.Contains(strings.ToLower(same), "same") {
		t.Errorf("the stored secret is answered with %q, another one with %q", same, other)
	}
	ada.NotSee(secret)
}
