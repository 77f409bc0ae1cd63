package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nobody is a definition whose addresses lead to a host that cannot exist:
// names under .invalid belong to nobody (RFC 2606).
const nobody = `key: nobody
name: Nobody
initial: No
summary: A provider whose host does not exist.
fields:
  - {key: clientId, label: Client ID, required: true}
  - {key: clientSecret, label: Client secret, secret: true, required: true}
oauth:
  authorizeUrl: https://nobody.invalid/authorize
  tokenUrl: https://nobody.invalid/token
  clientAuth: post
`

// TestCulprits presses the button on entries with one mistake each, and reads
// from the page which field is wrong and what to do.
func TestCulprits(t *testing.T) {
	t.Parallel()
	ada := start(t).admin(t)
	client, secret := ada.AddIntercom()
	test := func(headline string, verdicts map[string]string, says ...string) {
		t.Helper()
		ada.Follow("Test connection")
		ada.Report()
		ada.In(".diagnosis-head").See(headline)
		for field, verdict := range verdicts {
			ada.Verdict(field, verdict)
		}
		ada.See(says...)
	}
	test("Client ID, secret and redirect URI are right", map[string]string{"Client ID": "OK", "Client secret": "OK", "Client authentication": "OK", "Redirect URI": "OK", "Reachability": "OK", "Clock": "OK"})

	change := func(label, value string) {
		t.Helper()
		ada.Open("/config/acme:intercom/edit")
		ada.Fill(label, value)
		ada.Follow("Save as pending")
	}
	wrong := strings.ToUpper(secret[:20]) + "0000" + secret[24:]
	change("Client secret", wrong)
	test("Client secret is wrong", map[string]string{"Client ID": "OK", "Client secret": "Wrong", "Redirect URI": "Not checked", "Reachability": "OK"}, "Copy the client secret again", "Nobody is affected")
	ada.NotSee(wrong, secret)

	change("Client secret", secret)
	change("Client ID", client[:len(client)-4]+"0000")
	test("Client ID is wrong", map[string]string{"Client ID": "Wrong", "Reachability": "OK"}, "Copy the client ID again")

	change("Client ID", client)
	change("Redirect URI of your own", "https://elsewhere.example/auth/intercom/callback")
	test("Redirect URI is wrong", map[string]string{"Client ID": "OK", "Client secret": "OK", "Redirect URI": "Wrong"},
		"Register https://elsewhere.example/auth/intercom/callback with Intercom, character by character")
	ada.accessible()
}

// TestUnreachable has a provider whose host cannot be found: nothing is said about
// values that were never sent.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nobody.yaml"), []byte(nobody), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	house := &program{url: "http://localhost:" + port}
	house.launch(t, "serve", "--second-factor", "off", "--addr", "127.0.0.1:"+port, "--public-url", house.url, "--connectors", dir, "--data", t.TempDir())
	ada := house.admin(t)
	ada.Open("/config/new?connector=nobody")
	ada.Fill("Id of the entry", "acme:nobody")
	ada.Fill("Client ID", "rocket-4711-abcdef")
	ada.Fill("Client secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	ada.Follow("Save as pending")
	ada.Follow("Test connection")
	ada.Report()
	ada.In(".diagnosis-head").See("has no known host")
	for field, verdict := range map[string]string{"Client ID": "Not checked", "Client secret": "Not checked", "Redirect URI": "Not checked", "Reachability": "Wrong"} {
		ada.Verdict(field, verdict)
	}
	ada.See("nobody.invalid", "Nothing was sent")
	ada.accessible()
}

// accessible has axe look at the page in both themes.
func (p *person) accessible() {
	p.t.Helper()
	p.runScript(axe)
	for _, theme := range []string{"light", "dark"} {
		p.Theme(theme)
		if faults := p.axe(); len(faults) > 0 {
			p.fail("axe, %s: %s", theme, strings.Join(faults, "\n"))
		}
	}
}
