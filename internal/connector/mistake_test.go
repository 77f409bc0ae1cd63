package connector

import (
	"strings"
	"testing"
)

// Made-up values of the right shape, which no scanner for leaked secrets should
// take for real ones: they are put together here.
const (
	sixty = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
	guid  = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
)

func TestRecognise(t *testing.T) {
	for value, want := range map[string]Known{
		"gloas-" + sixty:                             {Means: "a GitLab application secret", Is: ClientSecret, Service: "gitlab"},
		"3MVG9" + sixty[:40]:                         {Means: "a Salesforce consumer key", Is: ClientIdentifier, Service: "salesforce"},
		"C" + sixty + "abcd":                         {Means: "a Webex client ID", Is: ClientIdentifier, Service: "webex"},
		"12345-a1b2.apps.googleusercontent.com":      {Means: "a Google client ID", Is: ClientIdentifier, Service: "google"},
		"12345.apps.googleusercontent.com":           {Means: "a Google client ID", Is: ClientIdentifier, Service: "google"},
		"ghp" + "_" + sixty[:36]:                     {Means: "a GitHub token", Is: Token, Service: "github"},
		"xoxb" + "-" + sixty[:24]:                    {Means: "a Slack token", Is: Token, Service: "slack"},
		"eyJ" + sixty + ".eyJ" + sixty + "." + sixty: {Means: "a signed token (JWT)", Is: Token},
		sixty:                  {},
		guid:                   {},
		"":                     {},
		"C" + sixty:            {},
		"gloas-short":          {},
		"a 3MVG9" + sixty[:40]: {},
		"3MVG9" + sixty + "\n": {},
	} {
		got, ok := Recognise(value)
		if got.pattern = nil; got != want || ok != (want.Means != "") {
			t.Errorf("%d characters: got %+v, %v; want %+v", len(value), got, ok, want)
		}
	}
}

func TestMistakesOfBuiltInDefinitions(t *testing.T) {
	for _, c := range []struct{ key, field, value, means, remedy string }{
		{"intercom", "clientSecret", "dG9r" + sixty[:40] + "==", "an Intercom access token", "Copy the client secret instead, from Basic Information of the app in the Developer Hub."},
		{"intercom", "clientSecret", guid, "", ""},
		{"intercom", "clientId", "dG9r" + sixty[:40], "", ""},
		{"microsoft", "clientSecret", guid, "the ID of a secret, not its value", "Copy the value, which stands beside the Secret ID and is shown only once. If it is gone, make a new secret."},
		{"microsoft", "clientSecret", strings.ToUpper(guid), "the ID of a secret, not its value", "Copy the value, which stands beside the Secret ID and is shown only once. If it is gone, make a new secret."},
		{"microsoft", "clientId", guid, "", ""},
		{"microsoft", "clientSecret", guid + "0", "", ""},
		{"microsoft:dynamics", "clientSecret", guid, "the ID of a secret, not its value", "Copy the value, which stands beside the Secret ID and is shown only once. If it is gone, make a new secret."},
	} {
		d, ok := builtin(t).Get(c.key)
		if !ok {
			t.Fatalf("there is no %s", c.key)
		}
		f, _ := d.Field(c.field)
		if m, ok := f.Mistaken(c.value); m.Means != c.means || m.Remedy != c.remedy || ok != (c.means != "") {
			t.Errorf("%s %s: %+v, %v; want %q", c.key, c.field, m, ok, c.means)
		}
	}
}

// What is recognised everywhere stands in the documentation.
func TestDocs_knownShapes(t *testing.T) {
	said := map[string]string{"gitlab": "GitLab application secrets (`gloas-…`)", "salesforce": "consumer keys (`3MVG9…`)", "webex": "Webex client IDs (`C` and 64 hex digits)",
		"google": "Google client IDs (`….apps.googleusercontent.com`)", "github": "(`ghp_…` and its relatives)", "slack": "(`xoxb-…` and its relatives)", "": "signed tokens (JWT)"}
	text := strings.Join(strings.Fields(documentation(t)), " ")
	for _, k := range known {
		if words := said[k.Service]; words == "" || !strings.Contains(text, words) {
			t.Errorf("the documentation does not say %q of %s", words, k.Means)
		}
	}
	if len(known) != len(said) {
		t.Errorf("%d shapes are known, %d are documented", len(known), len(said))
	}
}
