package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// device gives the browser tab an authenticator, as a laptop has one built in: it
// keeps passkeys and verifies who touches it.
func (p *person) device() webauthn.AuthenticatorID {
	p.t.Helper()
	var id webauthn.AuthenticatorID
	p.do("have an authenticator", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		r, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
		id = r.AuthenticatorID
		return err
	}))
	return id
}

// verified says whether the authenticator verifies who touches it from now on.
func (p *person) verified(id webauthn.AuthenticatorID, is bool) {
	p.t.Helper()
	p.do("set the verification", chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: is})
		return err
	}))
}

// signOut signs out.
func (p *person) signOut() {
	p.t.Helper()
	p.Open("/")
	p.Press("Your account: " + email)
	p.Follow("Sign out")
	p.See("You have signed out")
}

// passkey adds one under the account. The password counted long ago.
func (p *person) passkey(name string) {
	p.t.Helper()
	p.Open("/account/factor")
	p.Fill("Name of a new passkey", name)
	p.FollowRefused("Add a passkey", 403)
	p.Fill("Your password", password)
	p.Follow("Go on")
	p.See("Make the passkey “" + name + "”")
	p.accessible()
	p.Follow("Make the passkey")
}

// lastNote opens the newest event of an action, and reads what it says.
func (p *person) lastNote(action, note string) {
	p.t.Helper()
	p.Open("/audit?action=" + action)
	p.do("open the newest event", chromedp.Click(`.is-log tbody tr:first-child th a`))
	p.At("/audit/*")
	p.See(note)
}

// Somebody adds a passkey, signs in with it alone, confirms with it before a secret
// is shown, uses it after the password, and removes it; then the password is enough
// again.
func TestPasskey(t *testing.T) {
	t.Parallel()
	house := start(t, "--confirm-after=1ms")
	errand := house.errand(t)
	errand.intercom("acme:intercom", "current")
	_, secret := errand.credentials()
	ada := house.person(t)
	device := ada.device()
	ada.SignIn()
	ada.passkey("Work laptop")
	ada.See("Your new recovery codes", "Bound to one device", "10 of 10 left")
	ada.accessible()
	ada.Open("/account")
	ada.See("1 passkey")
	ada.signOut()

	ada.Open("/login?next=%2Fconfig")
	ada.verified(device, false)
	ada.Press("Sign in with a passkey")
	ada.See("Nothing was sent")
	ada.accessible()
	ada.verified(device, true)
	ada.Follow("Sign in with a passkey")
	ada.At("/config")
	ada.lastNote("session.sign-in", "With the passkey “Work laptop”, without a password.")

	// In place of the password, where it is asked for again: beside it, and after it.
	ada.Open("/config/acme:intercom")
	ada.Follow("Reveal clientSecret")
	ada.Fill("Reason", "To compare it by eye")
	ada.Follow("Use a passkey instead")
	ada.In("#revealed").See(secret)
	ada.lastNote("session.confirm", "With the passkey “Work laptop”.")
	ada.Open("/team")
	ada.In("#invite").Fill("E-mail", "grace@acme.example")
	ada.FollowRefused("Make a one-time link", 403)
	ada.See("Your password or passkey again")
	ada.accessible()
	ada.Follow("Use a passkey instead")
	ada.See("A link for grace@acme.example")

	ada.signOut()
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Follow("Sign in")
	ada.See("One more step", "Or one of your recovery codes")
	ada.accessible()
	ada.Follow("Use a passkey")
	ada.At("/")
	ada.lastNote("session.sign-in", "With the password and the passkey “Work laptop”.")

	ada.Open("/account/factor")
	ada.Fill("Name of the passkey Work laptop", "Old laptop")
	ada.Follow("Rename the passkey Work laptop")
	ada.See("The passkey has another name")
	ada.FollowRefused("Remove the passkey Old laptop", 403)
	ada.Follow("Use a passkey instead")
	ada.See("The passkey is removed")
	ada.lastNote("account.passkey-remove", "“Old laptop”")
	ada.signOut()
	ada.FollowRefused("Sign in with a passkey", 422)
	ada.See("This passkey was not accepted")
	ada.accessible()
	ada.SignIn()
}

// Browsers that read and write no JSON of passkeys are helped, and a passkey will do
// where a second factor is needed.
func TestPasskeyInAnOlderBrowser(t *testing.T) {
	t.Parallel()
	house := start(t, "--second-factor=reveal", "--confirm-after=1ms")
	ada := house.person(t)
	ada.device()
	ada.beforeScripts(`delete PublicKeyCredential.parseCreationOptionsFromJSON; delete PublicKeyCredential.parseRequestOptionsFromJSON; delete PublicKeyCredential.prototype.toJSON`)
	ada.Open(house.setup)
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Fill("The password again", password)
	ada.Follow("Create the admin")
	ada.At("/account/factor")
	if eval[bool](ada, `"parseCreationOptionsFromJSON" in PublicKeyCredential || "toJSON" in PublicKeyCredential.prototype`) {
		t.Fatal("the browser is not older")
	}
	ada.See("Your role needs a second factor, an app or a passkey")
	ada.passkey("Key")
	ada.See("Your new recovery codes")
	ada.Open("/config")
	ada.See("Add the first entry")
	ada.Open("/account/factor")
	ada.FollowRefused("Remove the passkey Key", 403)
	ada.FollowRefused("Use a passkey instead", 403)
	ada.See("the last one cannot be removed")
	ada.signOut()
	ada.Follow("Sign in with a passkey")
	ada.At("/")
}

// Without scripts, or where a browser knows no passkeys, there is no button that does
// nothing.
func TestPasskeyCannotBeUsed(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	ada.signOut()
	ada.beforeScripts(`delete window.PublicKeyCredential`)
	ada.Open("/login")
	ada.See("This browser cannot use passkeys here.")
	if !eval[bool](ada, `document.querySelector("[data-passkey] button").disabled`) {
		t.Error("the button can be pressed")
	}
	ada.Scripts(false)
	ada.Open("/login")
	ada.See("A passkey can be used where JavaScript is switched on.")
	ada.NotSee("Sign in with a passkey")
	ada.SignIn()
}
