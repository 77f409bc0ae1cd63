package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A view is one page as somebody meets it, for the tests that look at every
// page. path is enough where a link leads there; reach does what a link cannot.
type view struct {
	name   string
	path   string // beginning with "/", or with "sandbox:/"
	reach  func(p *person)
	status int64 // 0 is 200
	door   bool  // met by somebody who is not signed in
}

// views is every page of the product and of its sandbox, in the order of their
// names. A tour goes through them.
var views = []view{
	{name: "account", path: "/account"},
	{name: "audit", path: "/audit"},
	{name: "audit-event-change", path: "/audit/%CHANGE%"},
	{name: "audit-event-test", path: "/audit/%TEST%"},
	{name: "audit-exporting", reach: reachExport},
	{name: "audit-filtered", path: "/audit?text=acme&outcome=done"},
	{name: "audit-faults", path: "/audit?action=made.up", status: 422},
	{name: "audit-filtered-empty", path: "/audit?who=nobody"},
	{name: "config-list", path: "/config"},
	{name: "config-list-none", path: "/config?q=no-such-entry"},
	{name: "connector", path: "/connectors/intercom"},
	{name: "connector-plain", path: "/connectors/slack"},
	{name: "connectors", path: "/connectors"},
	{name: "connectors-none", path: "/connectors?q=intercon"},
	{name: "entries-export", path: "/config/export"},
	{name: "entries-import", path: "/config/import"},
	{name: "entries-import-plan", reach: reachPlan},
	{name: "entry-approve", path: "/config/initech:hubspot/approve"},
	{name: "entry-conflict", reach: reachConflict, status: 409},
	{name: "entry-delete", path: "/config/globex:slack/delete"},
	{name: "entry-doubts", path: "/config/hooli:slack"},
	{name: "entry-doubts-edit", path: "/config/hooli:slack/edit"},
	{name: "entry-doubts-pasted", reach: reachPasted},
	{name: "entry-edit", path: "/config/acme:intercom/edit"},
	{name: "entry-faults", reach: reachFaults, status: 422},
	{name: "entry-guide", reach: reachGuide},
	{name: "entry-guide-attention", path: "/config/stark:intercom/guide"},
	{name: "entry-guide-faults", reach: reachGuideFaults, status: 422},
	{name: "entry-guide-new", path: "/config/umbrella:intercom/guide"},
	{name: "entry-guide-none", path: "/config/acme:homemade/guide"},
	{name: "entry-guide-plain", path: "/config/hooli:slack/guide"},
	{name: "entry-history", path: "/config/acme:intercom/history?left=1&right=3"},
	{name: "entry-leave", reach: reachLeave},
	{name: "entry-new", path: "/config/new?connector=intercom"},
	{name: "entry-new-choose", path: "/config/new"},
	{name: "entry-new-free", path: "/config/new?id=acme:homemade"},
	{name: "entry-reveal", path: "/config/acme:intercom/reveal?version=1&key=clientSecret"},
	{name: "entry-revealed", reach: reachRevealed},
	{name: "entry-rotate", path: "/config/wayne:intercom/rotate"},
	{name: "entry-rotate-none", path: "/config/acme:homemade/rotate"},
	{name: "entry-rotate-paste", reach: reachRotate},
	{name: "entry-rule", path: "/config/initech:hubspot/rule"},
	{name: "entry-scopes", path: "/config/acme:intercom/scopes"},
	{name: "entry-test-compare", path: "/config/initech:intercom/test/compare"},
	{name: "entry-test-denied", path: "/config/hooli:intercom/test"},
	{name: "entry-test-diagnosis", path: "/config/initech:intercom/test"},
	{name: "entry-test-live", reach: reachLive},
	{name: "entry-test-never", path: "/config/umbrella:intercom/test"},
	{name: "entry-test-none", path: "/config/acme:homemade/test"},
	{name: "entry-test-permission", path: "/config/stark:intercom/test"},
	{name: "entry-test-works", path: "/config/acme:intercom/test"},
	{name: "entry-test-wrong", path: "/config/globex:intercom/test"},
	{name: "entry-values", path: "/config/acme:intercom"},
	{name: "entry-values-awaiting", path: "/config/initech:hubspot"},
	{name: "entry-values-pending", path: "/config/initech:intercom"},
	{name: "entry-webhooks", path: "/config/acme:intercom/webhooks"},
	{name: "entry-webhooks-sent", reach: reachTestSent},
	{name: "error", path: "/no/such/page", status: 404},
	{name: "error-door", path: "/no/such/page", status: 404, door: true},
	{name: "factor", path: "/account/factor"},
	{name: "factor-passkey", reach: reachPasskey},
	{name: "login", path: "/login", door: true},
	{name: "login-refused", reach: reachRefused, status: 422, door: true},
	{name: "notification", reach: reachNotification("company.created", "Valid")},
	{name: "notification-changed", reach: reachNotification("ticket.created", "Body changed")},
	{name: "notification-replay-refused", reach: reachReplayRefused, status: 422},
	{name: "notification-unknown", reach: reachNotification("conversation.user.created", "Unknown secret")},
	{name: "notification-unsigned", reach: reachNotification("conversation.user.replied", "Not signed")},
	{name: "notification-odd", reach: reachNotification("<script>", "Unknown secret")},
	{name: "overview", path: "/"},
	{name: "sandbox", path: "sandbox:/"},
	{name: "sandbox-consent", reach: reachConsent},
	{name: "sandbox-refused", reach: reachForeignAddress, status: 422},
	{name: "sandbox-sent", reach: reachSent},
	{name: "search", path: "/search?q=intercom"},
	{name: "search-none", path: "/search?q=nothing-like-it"},
	{name: "settings", path: "/settings"},
	{name: "settings-backup", path: "/settings/backup"},
	{name: "settings-checked", reach: reachChecked},
	{name: "settings-keys", path: "/settings/keys"},
	{name: "settings-outside-in", reach: reachOutside},
	{name: "settings-sign-in", path: "/settings/sign-in"},
	{name: "settings-sign-in-faults", reach: reachSignInFaults, status: 422},
	{name: "settings-sign-in-saved", reach: reachSignInSaved},
	{name: "team", path: "/team"},
	{name: "team-invited", reach: func(p *person) { p.invite("new@acme.example", "editor", "acme:*") }},
	{name: "team-person", reach: reachPerson},
	{name: "trial", reach: reachTrial},
	{name: "trial-refused", reach: reachTrialRefused, status: 422},
	{name: "webhooks", path: "/webhooks"},
	{name: "webhooks-faults", path: "/webhooks?verdict=odd&entry=a+b", status: 422},
	{name: "webhooks-none", path: "/webhooks?topic=no.such.topic"},
}

// stay is the path of a view where the person is already.
const stay = ""

// newViews are the pages of a program that nobody has set up yet, or that has
// no entry.
var newViews = []view{
	{name: "setup", path: stay, door: true},
	{name: "empty-config", path: "/config"},
	{name: "empty-overview", path: "/"},
	{name: "empty-connectors", path: "/config/new"},
	{name: "empty-webhooks", path: "/webhooks"},
}

// reachExport opens the menu and the table of the chart.
func reachExport(p *person) {
	p.Open("/audit?who=" + url.QueryEscape(email))
	p.runScript(`document.querySelector(".page details.menu").open = true; document.querySelector("[data-chart] details").open = true`)
}

// reachPasskey meets the page on which the browser is asked for a passkey.
func reachPasskey(p *person) {
	p.Open("/account/factor")
	p.Fill("Name of a new passkey", "Work laptop")
	p.leaving("add a passkey", func() { p.Press("Add a passkey") })
	p.passwordAgain()
	p.See("Make the passkey “Work laptop”")
}

func reachConflict(p *person) {
	other := p.Window()
	other.Open("/config/initech:intercom/edit")
	p.Open("/config/initech:intercom/edit")
	other.Fill("Client ID", fmt.Sprintf("changed-%d", p.watch.loaded()))
	other.Follow("Save as pending")
	p.Fill("Client ID", "typed-here")
	p.FollowRefused("Save as pending", 409)
}

func reachPasted(p *person) {
	p.Open("/config/hooli:slack/edit")
	p.Paste("f.clientId", " my app,\u200b")
	p.Paste("f.clientSecret", "“quoted”\n")
}

// reachPlan meets a plan with a row of each verdict.
func reachPlan(p *person) {
	p.Open("/config/import")
	p.Fill("Or its text", exchanged)
	p.Follow("Show the plan")
}

func reachFaults(p *person) {
	p.Open("/config/new?connector=intercom")
	p.Fill("Id of the entry", "acme intercom")
	p.Fill("Client ID", "28750170-a0d9-446e-b37c-70ef1831377c")
	p.Fill("Client secret", "never shown again")
	p.In(".key-row:nth-child(1)").Fill("Key", "ClientID")
	p.FollowRefused("Save as pending", 422)
}

// reachGuide meets the guide with every step unfolded.
func reachGuide(p *person) {
	p.Open("/config/acme:intercom/guide")
	p.runScript(`document.querySelectorAll(".steps details").forEach((d) => { d.open = true })`)
}

// reachGuideFaults meets drafts of a listing that are too long, as without scripts.
func reachGuideFaults(p *person) {
	p.Open("/config/wayne:intercom/guide")
	p.Fill("Name of the listing", "The very best of all integrations for Intercom")
	p.Fill("Short description", "Ends with a stop.")
	p.FollowRefused("Save the drafts", 422)
}

// reachRotate meets a rotation that has begun, with a paste that is refused.
func reachRotate(p *person) {
	p.Open("/config/stark:intercom/rotate")
	p.Tick("Both hold", true)
	p.Follow("Save the answer")
	p.runScript(`document.querySelectorAll(".steps details").forEach((d) => { d.open = true })`)
}

// reachLeave meets the page that goes on by itself: the provider is slow, so
// there is time to stop.
func reachLeave(p *person) {
	sandbox := p.Window()
	slow := sandbox.In(`[aria-labelledby="trouble-authorize-head"]`)
	sandbox.Open(p.house.sandbox + "/")
	slow.Fill("Wait seconds", "30")
	sandbox.Follow("Save switches")
	p.Open("/config/acme:intercom/test")
	p.Follow("Go on in Intercom")
	p.do("stay on the page", chromedp.Stop())
	sandbox.Follow("Reset the sandbox")
}

// reachLive meets a test under way: the provider is slow, so there is time to look.
func reachLive(p *person) {
	defer p.slow("9")()
	p.Open("/config/stark:intercom")
	p.Follow("Test connection")
	p.See("Steps so far", "Reach the authorize and token addresses")
}

// reachTrial tests values that are not saved, in the tab that the form is in.
func reachTrial(p *person) {
	p.Open("/config/wayne:intercom/edit")
	p.runScript(`document.querySelector("[formtarget]").removeAttribute("formtarget")`)
	p.Follow("Test these values")
	p.See("How sure is this?")
}

func reachTrialRefused(p *person) {
	p.Open("/config/wayne:intercom/edit")
	p.runScript(`document.querySelector("[formtarget]").removeAttribute("formtarget")`)
	p.Fill("Client ID", " ")
	p.FollowRefused("Test these values", 422)
}

func reachConsent(p *person) {
	p.Open("/config/acme:intercom")
	p.Consent()
}

func reachRevealed(p *person) {
	p.Open("/config/acme:intercom/reveal?version=1&key=clientSecret")
	p.Fill("Reason", "To compare it by eye")
	if eval[bool](p, `!!document.querySelector("#password")`) { // the sign-in was long ago
		p.Fill("Your password", password)
	}
	p.Follow("Reveal for 30 seconds")
}

func reachPerson(p *person) {
	p.Open("/team")
	p.Follow("Change " + email)
}

func reachChecked(p *person) {
	p.Open("/settings")
	name := "Check from outside"
	if eval[bool](p, `document.body.textContent.includes("Check again from outside")`) { // a test of a connection has checked
		name = "Check again from outside"
	}
	p.Follow(name)
}

func reachOutside(p *person) {
	p.Open("/settings")
	p.Follow("Check with your browser")
}

// fillSignIn fills the form of a provider, with the own password if it asks for it.
func (p *person) fillSignIn(issuer, client, secret string) {
	p.Open("/settings/sign-in")
	p.Fill("Issuer", issuer)
	p.Fill("Client ID", client)
	p.Fill("Client secret", secret)
	p.Fill("Allowed e-mail domains", "acme.example")
	p.Fill("Roles of groups", "admins = admin\nintegrators = editor acme:*")
	p.Fill("Text of the button", "Sign in with Example ID")
	if eval[bool](p, `!!document.querySelector("#password")`) { // the sign-in was long ago
		p.Fill("Your password", password)
	}
}

func reachSignInFaults(p *person) {
	p.fillSignIn("login.example.com", "", "")
	p.FollowRefused("Save, and come back through it", 422)
}

// reachSignInSaved saves a provider that a rehearsal may not call, and which says so.
func reachSignInSaved(p *person) {
	p.fillSignIn("https://127.0.0.1:1", "0oa7d1c", "f81d4fae-7dec-11d0")
	p.Follow("Save, and come back through it")
	p.See("The provider cannot be used yet")
}

// reachNotification opens the first notification of a topic with a verdict.
func reachNotification(topic, verdict string) func(*person) {
	return func(p *person) {
		p.Open("/webhooks?topic=" + url.QueryEscape(topic))
		if topic == "<script>" {
			p.Open("/webhooks?entry=intercom")
		}
		p.opens(verdict, "How the signature was checked")
	}
}

func reachReplayRefused(p *person) {
	reachNotification("company.created", "Valid")(p)
	p.Fill("Send it to", "http://10.0.0.1/hooks")
	p.FollowRefused("Send it again", 422)
}

func reachTestSent(p *person) {
	p.Open("/config/acme:intercom/webhooks")
	p.Choose("Topic", "company.created")
	p.Follow("Send a test notification")
	p.See("The test notification arrived and was accepted")
}

// reachForeignAddress asks the sandbox to send to another machine.
func reachForeignAddress(p *person) {
	p.Open(p.house.sandbox + "/")
	p.Fill("Address for notifications", "https://elsewhere.example/webhooks")
	p.FollowRefused("Set address", 422)
	p.See("The sandbox sends to this machine alone")
}

// reachSent has the sandbox send a notification to the program beside it.
func reachSent(p *person) {
	p.Open(p.house.sandbox + "/")
	p.WantValue("Address for notifications", p.house.url+"/webhooks/intercom")
	p.Fill("Topic", "contact.merged")
	p.Follow("Send")
	p.until("the notification in the log", func() (bool, string) {
		p.Open(p.house.sandbox + "/")
		text := p.Text()
		return strings.Contains(text, "notif_"), text
	})
}

func reachRefused(p *person) {
	p.Open("/login")
	p.Fill("E-mail", email)
	p.Fill("Password", "not the password")
	p.FollowRefused("Sign in", 422)
}

// A tour takes people to views: one who is signed in, and one who is not.
type tour struct {
	house           *program
	inside, outside *person
	marks           map[string]string // what stands in a path between % and %
}

// newTour fills a house and signs somebody in.
func newTour(t *testing.T) *tour {
	t.Helper()
	house := start(t)
	furnish(t, house)
	v := &tour{house: house, inside: house.person(t), outside: house.person(t)}
	v.inside.SignIn()
	v.inside.Open("/audit?target=acme:intercom")
	number := func(action string) string {
		return eval[string](v.inside, fmt.Sprintf(`[...document.querySelectorAll(".is-log tbody tr")].find((r) => r.textContent.includes(%q)).querySelector("a").getAttribute("href").split("/").pop()`, action))
	}
	v.marks = map[string]string{"%CHANGE%": number("Saved a version"), "%TEST%": number("Tested the connection")}
	return v
}

// newEmptyTour is a tour of a program that was just started.
func newEmptyTour(t *testing.T) *tour {
	t.Helper()
	house := start(t)
	v := &tour{house: house, inside: house.person(t), outside: house.person(t)}
	v.outside.Open(house.setup)
	v.inside.SetUp()
	return v
}

// with is the same person in a test of its own.
func (p *person) with(t *testing.T) *person {
	q := *p
	q.t = t
	return &q
}

// show takes the right person to a view and returns them.
func (v *tour) show(t *testing.T, w view) *person {
	t.Helper()
	p := v.inside.with(t)
	if w.door {
		p = v.outside.with(t)
	}
	status := w.status
	if status == 0 {
		status = 200
	}
	path := w.path
	for mark, text := range v.marks {
		path = strings.ReplaceAll(path, mark, text)
	}
	if rest, ok := strings.CutPrefix(path, "sandbox:"); ok {
		path = v.house.sandbox + rest
	}
	switch {
	case w.reach != nil:
		w.reach(p)
	case path != stay:
		p.OpenRefused(path, status)
	}
	return p
}
