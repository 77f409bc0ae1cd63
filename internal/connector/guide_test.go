package connector

import (
	"slices"
	"strings"
	"testing"
)

// guided is a sound definition with a guide, to be broken.
const guided = sound + `guide:
  kinds:
    - {id: own, label: App of your own}
    - {id: shared, label: Shared app}
  steps:
    - id: app
      title: Make the app
      words: Open the console.
      links: [Console]
      shows: [client-known, redirect-used, permissions, credentials, notification-received, connection-works]
      copies:
        - {label: Redirect URI, value: redirectUri}
        - {label: Webhook URL, value: webhookUrl}
        - {label: API, value: apiUrl}
        - {label: Version, value: versionHeader}
        - {label: Id, value: entry}
        - {label: Scheme, text: v1}
    - id: review
      title: Hand it in
      words: Fill in the form.
      kinds: [shared]
      checklist:
        - {id: icon, text: An icon.}
        - {id: name, text: A name.}
      counters:
        - {id: name, label: Name, limit: 40, without: Acme, noFinalStop: true}
        - {id: words, label: Words, limit: 5000}
  versionNote: Newer ones are about.
`

// soundGuide is guided with a field that chooses the API version.
func soundGuide() string {
	s := strings.Replace(guided, "  - key: tenant\n", "  - key: version\n    label: Version\n    default: v2\n    options:\n      - {value: v3, label: Three}\n      - {value: v2, label: Two, old: true}\n  - key: tenant\n", 1)
	return strings.Replace(s, `headers: {Crm-Version: "{tenant}"}`, `headers: {Crm-Version: "{version}", Crm-Tenant: "{tenant}"}`, 1)
}

func TestParseGuide(t *testing.T) {
	d, err := Parse("crm.yaml", []byte(soundGuide()))
	if err != nil {
		t.Fatal(err)
	}
	g := d.Guide
	app, review := g.Steps[0], g.Steps[1]
	if len(g.Kinds) != 2 || g.Kinds[1] != (AppKind{ID: "shared", Label: "Shared app"}) || g.VersionNote != "Newer ones are about." {
		t.Errorf("guide %+v", g)
	}
	if app.ID != "app" || app.Title != "Make the app" || app.Words != "Open the console." || len(app.Shows) != 6 || app.Shows[3] != CredentialsProven ||
		app.Links[0] != "Console" || len(app.Copies) != 6 || app.Copies[0].Value != CopyRedirectURI || app.Copies[5].Text != "v1" || app.Optional {
		t.Errorf("step %+v", app)
	}
	if want := (GuideCounter{ID: "name", Label: "Name", Limit: 40, Without: "Acme", NoFinalStop: true}); review.Counters[0] != want || review.Checklist[1].Text != "A name." {
		t.Errorf("step %+v", review)
	}
	for _, c := range []struct {
		kind  string
		steps int
	}{{"own", 1}, {"shared", 2}, {"", 2}} {
		if got := len(g.For(c.kind)); got != c.steps {
			t.Errorf("an app of the kind %q has %d steps, want %d", c.kind, got, c.steps)
		}
	}
	if name, ok := d.VersionHeader(); name != "Crm-Version" || !ok {
		t.Errorf("the version is in %q", name)
	}
	if got, want := d.Handshake(), []string{"clientId", "clientSecret", "region", "version", "tenant"}; !slices.Equal(got, want) {
		t.Errorf("the handshake rests on %q, want %q", got, want)
	}
	if got, want := d.Addresses(), []string{"region", "tenant"}; !slices.Equal(got, want) {
		t.Errorf("addresses rest on %q, want %q", got, want)
	}
}

// Each case breaks the guide in one way and names all faults that come of it.
func TestGuideFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, want string }{
		{"no steps", "  steps:\n", "  other:\n", `there is no member "other" here. Use kinds, steps or versionNote.`},
		{"empty steps", soundGuide()[strings.Index(soundGuide(), "  steps:"):], "  steps: []\n", "there are no steps. Add steps, or remove guide: there is one that holds for every provider."},
		{"one kind", "    - {id: own, label: App of your own}\n", "", "one kind is nothing to choose from. Name another, or remove kinds."},
		{"kind without a label", "label: Shared app", "meaning: x", "label is missing. Write what the provider calls such an app."},
		{"kinds alike", "label: Shared app", "label: app of your own", `two kinds have the label "app of your own". Nobody could tell them apart: change one.`},
		{"kind twice", "{id: own,", "{id: shared,", `the id "shared" stands here twice. Change one.`},
		{"bad id", "- id: app", "- id: App 1", "an id has up to 40 lower-case letters, digits and -, with a letter first. It is stored, so keep it once it is in use."},
		{"step twice", "- id: review", "- id: app", `the id "app" stands here twice. Change one.`},
		{"no title", "      title: Hand it in\n", "", "title is missing. Write what the step is called."},
		{"no words", "      words: Fill in the form.\n", "", "words is missing. Write what to do in this step."},
		{"unknown kind", "kinds: [shared]", "kinds: [sharde]", `no kind of app has the id "sharde". Add it under kinds, or name another.`},
		{"unknown evidence", "client-known,", "client-knwon,", `"client-knwon" is no evidence that is known here. Write client-known, redirect-used, permissions, credentials, notification-received or connection-works.`},
		{"unknown value", "value: entry", "value: entryId", `"entryId" is no value that is known here. Write redirectUri, webhookUrl, apiUrl, versionHeader or entry.`},
		{"nothing to copy", ", text: v1", "", "there is nothing to copy. Write value, which is redirectUri, webhookUrl, apiUrl, versionHeader or entry, or text."},
		{"two to copy", "text: v1", "text: v1, value: entry", "value and text exclude each other. Remove one."},
		{"copy without a label", "{label: Scheme, ", "{", "label is missing. Write what the provider calls the value."},
		{"copies alike", "label: Scheme", "label: Id", `two values of this step have the label "Id". Change one.`},
		{"no API address", "  apiUrl: https://api.crm.example\n", "", "this definition has no apiUrl. Add what it is made of, or write text."},
		{"no version in a header", `Crm-Version: "{version}", `, "", "this definition has no versionHeader. Add what it is made of, or write text."},
		{"unknown link", "links: [Console]", "links: [Hub]", `no link has the label "Hub". Add it under links, or name another.`},
		{"item twice", "{id: icon, text", "{id: name, text", `the id "name" stands here twice. Change one.`},
		{"item without text", ", text: An icon.", "", "text is missing. Write what is to be ticked."},
		{"counter twice", "{id: words, label", "{id: name, label", `the id "name" stands here twice. Change one.`},
		{"counter without a label", "label: Words, ", "", "label is missing. Write what the text is."},
		{"counter without a limit", ", limit: 5000", "", "limit must be a number of characters from 1 to 5000."},
		{"counter too large", "limit: 5000", "limit: 5001", "limit must be a number of characters from 1 to 5000."},
		{"limit in quotes", "limit: 5000", "limit: '5000'", "limit must be a whole number, without quotes."},
		{"first option old", "{value: v3, label: Three}", "{value: v3, label: Three, old: true}", "the first option is the newest stable one, so it is not old. Write the options from the newest on."},
		{"note without a version", ", old: true", "", "no option of a field is marked old, so nothing is known about API versions. Mark the options, or remove the note."},
	} {
		if !strings.Contains(soundGuide(), c.old) {
			t.Fatalf("%s: %q does not stand in the definition", c.name, c.old)
		}
		_, err := Parse("crm.yaml", []byte(strings.Replace(soundGuide(), c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// What nothing of the definition could ever show is refused.
func TestGuideEvidenceNeedsItsSource(t *testing.T) {
	t.Parallel()
	bare := "key: crm\nname: CRM\ninitial: Cr\nsummary: One.\nguide:\n  steps:\n    - {id: a, title: A, words: W, shows: [%]}\n"
	for _, c := range []struct{ evidence, want string }{
		{"client-known", "no test could show this: there is no oauth. Add it, or remove client-known."},
		{"redirect-used", "no test could show this: there is no oauth. Add it, or remove redirect-used."},
		{"credentials", "no test could show this: there is no oauth. Add it, or remove credentials."},
		{"connection-works", "no test could show this: there is no oauth. Add it, or remove connection-works."},
		{"permissions", "there are no permissions to look at. Add them, or remove permissions."},
		{"notification-received", "no notification could show this: webhooks has no signatures. Add them, or remove notification-received."},
	} {
		_, err := Parse("crm.yaml", []byte(strings.Replace(bare, "%", c.evidence, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.evidence, err, c.want)
		}
	}
}

// Every connector has a guide, and each guide is one that its definition could
// have written.
func TestEveryConnectorHasAGuide(t *testing.T) {
	t.Parallel()
	for _, d := range builtin(t).All() {
		g := d.SetUp()
		with := *d
		with.Guide = &g
		validator{&with, func(path, format string, args ...any) {
			t.Errorf("%s: %s: "+format, append([]any{d.Key, path}, args...)...)
		}}.guide()
		shown := map[Evidence]bool{}
		for _, s := range g.Steps {
			for _, e := range s.Shows {
				shown[e] = true
			}
		}
		hooks := d.Webhooks != nil && len(d.Webhooks.Signatures) > 0
		if d.OAuth != nil && (!shown[ClientKnown] || !shown[RedirectUsed] || !shown[CredentialsProven] || !shown[ConnectionWorks]) ||
			shown[PermissionsDeclared] != (len(d.Permissions) > 0) || shown[NotificationReceived] != hooks {
			t.Errorf("%s: its guide looks at %v", d.Key, shown)
		}
	}
}

// The seven steps of the connector's guide, in order, with step 7 for public apps
// alone, and the words of its source where the two differ.
func TestIntercom_guide(t *testing.T) {
	d := intercom(t)
	g := d.Guide
	for i, c := range []struct {
		id, title, shows, words string
		public                  bool
	}{
		{"account", "Have a developer account", "client-known", "Developer Hub", false},
		{"app", "Create the app in the Developer Hub", "client-known", "internal integration or a public app", false},
		{"oauth", "Choose OAuth, the redirect URL and the permissions", "redirect-used permissions", "tick the permissions", false},
		{"credentials", "Copy the credentials", "credentials", "under Basic Information", false},
		{"webhooks", "Receive webhooks", "notification-received", "choose topics", false},
		{"configuration", "Add the configuration and test the API", "connection-works", "clientId and clientSecret", false},
		{"live", "Go live", "", "7 business days", true},
	} {
		s := g.Steps[i]
		var shows []string
		for _, e := range s.Shows {
			shows = append(shows, string(e))
		}
		if s.ID != c.id || s.Title != c.title || strings.Join(shows, " ") != c.shows || !strings.Contains(s.Words, c.words) || slices.Equal(s.Kinds, []string{"public"}) != c.public ||
			s.Optional != (c.id == "webhooks") {
			t.Errorf("step %d is %+v, want %+v", i+1, s, c)
		}
	}
	if len(g.Steps) != 7 || len(g.For("internal")) != 6 {
		t.Errorf("%d steps, %d of them for an internal integration", len(g.Steps), len(g.For("internal")))
	}
	live := g.Steps[6]
	var checklist []string
	for _, i := range live.Checklist {
		checklist = append(checklist, i.Text)
	}
	for _, want := range []string{"privacy policy and the terms of service", "test account", "video", "whole client_id and state", "512 × 512"} {
		if !strings.Contains(strings.Join(checklist, "\n"), want) {
			t.Errorf("the checklist does not speak of %s", want)
		}
	}
	if name, short := live.Counters[0], live.Counters[1]; name.Limit != 40 || name.Without != "Intercom" || name.NoFinalStop || short.Limit != 70 || !short.NoFinalStop || short.Without != "" {
		t.Errorf("counters %+v", live.Counters)
	}
	f, _ := d.VersionField()
	for _, o := range f.Options {
		if newest := o.Value == "2.16" || o.Value == "Preview"; o.Old == newest {
			t.Errorf("version %s is old: %v", o.Value, o.Old)
		}
	}
	if f.Options[0].Value != "2.16" || !strings.Contains(g.VersionNote, "2.17; whether that is generally available is not confirmed") {
		t.Errorf("newest %s, note %q", f.Options[0].Value, g.VersionNote)
	}
	if header, _ := d.VersionHeader(); header != "Intercom-Version" {
		t.Errorf("the version is in %q", header)
	}
	for _, s := range g.Steps[2:5] {
		if text := strings.Join(append(s.Notes, s.Words), " "); s.ID != "credentials" && !strings.Contains(text, "our reading, not confirmed") {
			t.Errorf("%s states the mapping of names as a fact", s.ID)
		}
	}
}
