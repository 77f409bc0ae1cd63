package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ledger is one row of the ledger: its state, its evidence, whether it is marked.
func (p *person) ledger(label string) (state, evidence string, marked bool) {
	p.t.Helper()
	const row = `(name) => {
		const tr = [...document.querySelectorAll(".is-ledger tbody tr")].find((r) => r.querySelector("th label").textContent === name);
		const cell = (n) => tr.querySelector('td[data-label="' + n + '"]');
		return [cell("Granted").querySelector(".verdict").textContent.trim(), cell("Evidence").querySelector("p").textContent.replace(/\s+/g, " ").trim(), String(tr.matches(".is-marked"))];
	}`
	got := eval[[]string](p, "("+row+")("+strconv.Quote(label)+")")
	return got[0], got[1], got[2] == "true"
}

// WantLedger checks one row of the ledger.
func (p *person) WantLedger(label, state, evidence string, marked bool) {
	p.t.Helper()
	gotState, gotEvidence, gotMarked := p.ledger(label)
	if gotState != state || !strings.Contains(gotEvidence, evidence) || gotMarked != marked {
		p.t.Errorf("%s is %q by %q (marked %v), want %q by %q (marked %v)", label, gotState, gotEvidence, gotMarked, state, evidence, marked)
	}
}

// consentAgain goes through a consent run that is allowed.
func (p *person) consentAgain() {
	p.t.Helper()
	p.Open("/config/acme:intercom/test")
	p.Follow("Go on in Intercom")
	p.See("into a workspace?")
	p.until("the consent page is whole", func() (bool, string) { // a click before that can miss
		got, err := evaluate[string](p, "document.readyState")
		return err == nil && got == "complete", "it is still loading"
	})
	p.Follow("Authorize access")
	p.At("/config/acme:intercom/test/*")
}

// After a consent run with two permissions switched off in the sandbox the ledger
// says of both that they are refused, with the evidence; after another run with them
// switched on, that they are granted, and what changed.
func TestLedgerAfterConsent(t *testing.T) {
	t.Parallel()
	house := start(t)
	house.errand(t).intercom("acme:intercom", "current")
	ada := house.person(t)
	ada.SignIn()
	ada.Open("/config/acme:intercom/webhooks")
	ada.Press("Read conversations")
	ada.Tick("conversation.user.created", true)
	ada.Follow("Save and put in force")
	ada.Open("/config/acme:intercom/scopes")
	ada.See("is missing", "No run has found out yet what is granted")
	for _, label := range []string{"Read one admin", "Read conversations"} {
		ada.Tick(label, true)
	}
	ada.Press("35 more that are neither declared nor needed here")
	for _, label := range []string{"Read admins", "Read and list users and companies", "Read and List articles", "Write tags"} {
		ada.Tick(label, true)
	}
	ada.Follow("Save and put in force")
	ada.See("6 permissions declared in version 3, in force", "Four permissions are not needed here")
	ada.WantLedger("Read conversations", "Unclear", "No run has asked yet.", false)

	sandbox := ada.Window()
	sandbox.Open(house.sandbox + "/")
	sandbox.Tick("Read conversations", false)
	sandbox.Tick("Read admins", false)
	sandbox.Follow("Save switches")
	ada.consentAgain()
	ada.In(".diagnosis").See("Works")
	ada.In("section[aria-labelledby=permissions]").See("likely granted", "2 refused", "Read conversations")
	ada.See("Probe: list conversations", "Two permissions are refused.")
	ada.Follow("See the ledger")
	ada.At("/config/acme:intercom/scopes")
	ada.See("One permission is missing, one is declared but refused", "consent run of version 3", "Workspace")
	ada.In("section[aria-labelledby=findings]").See("Needed, but refused", "Read conversations", "Tick it in Intercom’s console", "Declared, but refused", "Read admins")
	ada.WantLedger("Read conversations", "Refused", "GET /conversations?per_page=1 gave 403. Intercom answered: “You do not have the required scope (read_conversations) to access this resource” (forbidden).", true)
	ada.WantLedger("Read admins", "Refused", "You do not have the required scope (Read admins)", false)
	ada.WantLedger("Read one admin", "Likely granted", "GET /me gave 200. That this permission is what allows it is our reading.", false)
	ada.WantLedger("Read and list users and companies", "Likely granted", "GET /contacts?per_page=1 gave 200.", false)
	ada.WantLedger("Read and List articles", "Likely granted", "GET /articles?per_page=1 gave 200.", false)
	ada.WantLedger("Write tags", "Unclear", "Not probed: no harmless read is known that would tell.", false)
	ada.scopeShots("refused")
	ada.accessible()

	sandbox.Open(house.sandbox + "/")
	sandbox.Tick("Read conversations", true)
	sandbox.Tick("Read admins", true)
	sandbox.Follow("Save switches")
	ada.consentAgain()
	ada.Open("/config/acme:intercom/scopes")
	ada.WantLedger("Read conversations", "Likely granted", "GET /conversations?per_page=1 gave 200.", false)
	ada.WantLedger("Read admins", "Likely granted", "GET /admins gave 200.", false)
	history := ada.In("section[aria-labelledby=grant-runs]")
	history.See("Read conversations: refused before, now likely granted", "Read admins: refused before, now likely granted", "No run before it for the same app and account")
	if n := eval[int](ada, `document.querySelectorAll("section[aria-labelledby=grant-runs] tbody tr").length`); n != 2 {
		t.Errorf("%d runs are listed, want 2", n)
	}
	ada.scopeShots("granted")

	ada.Open("/config/acme:intercom/edit")
	ada.Fill("Client ID", "another-client")
	ada.SaveAnotherApp()
	ada.Open("/config/acme:intercom/scopes")
	ada.See("What was found out is not counted", "the client ID changed since")
	ada.In("section[aria-labelledby=grant-runs]").See("Found with version 3; the client ID changed since. Not counted.")
	ada.WantLedger("Read conversations", "Unclear", "No run has asked yet.", false)
	ada.accessible()
}

// scopeShots takes pictures of the ledger where -shots says so.
func (p *person) scopeShots(name string) {
	if *shots == "" {
		return
	}
	dir, err := filepath.Abs(*shots)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	for _, width := range []int64{1440, 1000, 390} {
		for _, theme := range []string{"light", "dark"} {
			if theme == "dark" && width == 1000 {
				continue
			}
			p.Screen(width, 900, 1)
			p.Theme(theme)
			p.Screen(width, max(900, eval[int64](p, "document.documentElement.scrollHeight")), 1)
			file := filepath.Join(dir, strings.Join(slices.DeleteFunc([]string{"ledger", name, strconv.FormatInt(width, 10), theme}, func(s string) bool { return s == "" }), "-")+".png")
			if err := os.WriteFile(file, p.fullShot(), 0o644); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	p.Screen(1440, 900, 1)
	p.Theme("light")
}
