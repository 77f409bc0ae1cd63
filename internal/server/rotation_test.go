package server

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/sandbox"
	"backoffice/internal/secret"
)

const rotate = entry + "/rotate"

// rotates leaves one rotation before its promotion, and one after it.
func (h *house) rotates() {
	h.t.Helper()
	by := audit.Actor{ID: "u1", Name: ownerEmail}
	for _, id := range []config.ID{"acme:intercom", "globex:intercom"} {
		if err := h.deps.Config.BeginRotation(h.t.Context(), by, id, config.KeepsUnknown); err != nil {
			h.t.Fatal(err)
		}
		e := must(h.deps.Config.Get(h.t.Context(), id))(h.t)
		must(h.deps.Config.PasteSecret(h.t.Context(), by, config.Paste{ID: id, Revision: e.Revision, Secret: secret.NewText("another-secret-of-" + string(id))}))(h.t)
		if id == "globex:intercom" {
			must(h.deps.Config.Promote(h.t.Context(), by, config.Move{ID: id, Revision: e.Revision + 1, Version: 3, Accept: time.Hour}))(h.t)
		}
	}
}

// revision is that of the entry now, as a form has it.
func (h *house) revision() string {
	h.t.Helper()
	return fmt.Sprint(must(h.deps.Config.Get(h.t.Context(), "acme:intercom"))(h.t).Revision)
}

// endTest waits for the test that is under way.
func (h *house) endTest() {
	h.t.Helper()
	for {
		live, ok := h.deps.OAuth.Live(h.deps.OAuth.UnderWay("acme:intercom"))
		if !ok {
			return
		}
		live.Next(h.t.Context(), 1000, "nothing")
	}
}

// signedBy sends a notification that a secret has signed.
func (h *house) signedBy(key, body string) {
	h.t.Helper()
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(body))
	a := h.visitor().raw(http.MethodPost, "/webhooks/intercom", strings.NewReader(body), "Content-Type", "application/json", "X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	if a.status != 200 {
		h.t.Fatalf("a notification is answered with %d", a.status)
	}
}

// A whole rotation at the sandbox, from the first page to the last, with
// notifications by both secrets.
func TestRotationPages(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	first, second := h.provider.ClientSecret(), h.provider.SecondSecret()
	p.get(entry).want(200, "Replace", "When secrets expire")
	p.get(rotate).want(200, "Step 1 of 6: make a new secret at the provider", "Whether Intercom keeps an old secret beside a new one is not known here", "Another client ID is something else").lacks("Paste it here</h3><span class=\"verdict is-soft is-info\">")
	p.post(rotate, "do", "begin", "keeps", "perhaps").want(422, "Say whether the provider keeps both secrets")
	p.post(rotate, "do", "nothing").want(422)
	p.post(rotate, "do", "begin", "keeps", "both").want(303)
	h.provider.Set(sandbox.Faults{Secrets: sandbox.BothSecrets})
	p.get(rotate).want(200, "Step 2 of 6: paste it here", "both secrets hold", "Save it as pending")
	p.get(entry).want(200, "The client secret is being replaced: the new one is not pasted yet.")

	p.post(rotate, "do", "paste", "revision", h.revision(), "secret", first).want(422, "This is the secret that is in force, of version 1.").lacks(first)
	p.post(rotate, "do", "paste", "revision", h.revision(), "secret", "").want(422, "Paste the new secret.")
	p.post(rotate, "do", "paste", "revision", h.revision(), "secret", second, "expires", "soon").want(422, "Write the day as year-month-day").lacks(second)
	was := h.revision()
	p.post(rotate, "do", "paste", "revision", was, "secret", second, "expires", "2026-10-10", "reason", "leaked").want(303)
	p.post(rotate, "do", "paste", "revision", was, "secret", second, "expires", "2026-10-10", "reason", "leaked").want(303) // the button pressed twice
	p.post(rotate, "do", "paste", "revision", was, "secret", "one-more").want(409, "changed this entry after you opened it")
	p.get(rotate).want(200, "Step 3 of 6: test it", "Version 2 has a new secret", "Version 2 was not tested yet.", "Test version 2").lacks(second)
	p.get(entry).want(200, "version 2 has the new one and is pending", "Expires on 10 October 2026, in 23 days.")
	p.post(entry+"/test", "version", "2").want(303)
	h.endTest()
	h.pass(time.Second) // the checks are those from the promotion on
	p.get(rotate).want(200, "Step 4 of 6: promote it, and keep the old one for a while", "Client ID, secret and redirect URI are right")

	p.post(rotate+"/promote", "revision", h.revision(), "version", "2", "hours", "24", "minutes", "200").want(422, "A version can come back by itself for at most 120 minutes.")
	p.post(rotate+"/promote", "revision", h.revision(), "version", "2", "hours", "24", "minutes", "10").want(303)
	if w := must(h.deps.Config.WatchOf(t.Context(), "acme:intercom"))(t); !w.On() || w.Before != 1 {
		t.Errorf("the watch: %+v", w)
	}
	p.get(rotate).want(200, "Step 5 of 6: watch which secret is in use", "No notification came since the promotion", "Version 1 comes back by itself if a check proves the new secret wrong", "Which secret consumers have read is not seen here")
	h.pass(time.Minute)
	h.signedBy(first, `{"type":"notification_event","topic":"ping","id":"n1"}`)
	h.signedBy(second, `{"type":"notification_event","topic":"ping","id":"n2"}`)
	h.signedBy(second, `{"type":"notification_event","topic":"ping","id":"n3"}`)
	rows := p.get(rotate).want(200).all("tr")[1:]
	if len(rows) != 2 || !strings.Contains(content(rows[0]), "The new secret") || !strings.Contains(content(rows[0]), " 2 ") || !strings.Contains(content(rows[1]), "The old secret") || !strings.Contains(content(rows[1]), " 1 ") {
		t.Errorf("the counts: %d rows, %q", len(rows), content(rows[0]))
	}
	if err := h.deps.OAuth.WatchSweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.endTest()
	h.pass(59 * time.Minute)
	p = h.owner()
	p.get(rotate).want(200, "Step 5 of 6")
	h.pass(2 * time.Minute)
	if err := h.deps.OAuth.WatchSweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.get(rotate).want(200, "Step 6 of 6: retire the old secret", "the old one has signed nothing for an hour or more", "One check was made, and the client secret of version 2 was found right.", "Retire version 1 now")
	p.post(rotate+"/retire", "revision", h.revision(), "version", "2").want(409)
	was = h.revision()
	p.post(rotate+"/retire", "revision", was, "version", "1", "reason", "unused").want(303)
	p.post(rotate+"/retire", "revision", was, "version", "1", "reason", "unused").want(303) // twice
	p.get(rotate).want(200, "The new secret is in force, and the old one is retired", "cannot be seen from here", "End the rotation")
	p.get(entry).want(200).lacks("is being replaced")
	p.post(rotate, "do", "end").want(303)
	p.post(rotate, "do", "end").want(409)
	p.get(rotate).want(200, "Step 1 of 6")
	for a, n := range map[audit.Action]int{audit.RotationBegun: 1, audit.EntrySaved: 1, audit.EntryPromoted: 1, audit.EntryRetired: 1, audit.RotationEnded: 1, audit.WatchEnded: 1} {
		if got := len(h.events(a)); got != n {
			t.Errorf("%d events %s, want %d", got, a, n)
		}
	}
}

// What a check proves wrong comes back, and every page that matters says so.
func TestRevertPages(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post(rotate, "do", "begin", "keeps", "unknown").want(303)
	p.post(rotate, "do", "paste", "revision", h.revision(), "secret", h.provider.SecondSecret()).want(303) // the sandbox has only the first
	p.get(rotate).want(200, "Nobody has tested it yet.", "To find out: once the new secret is made, test the version in force again.", "Test version 1")
	h.provider.Set(sandbox.Faults{Order: sandbox.ClientFirstInWords})
	p.post(rotate+"/promote", "revision", h.revision(), "version", "2", "hours", "24", "minutes", "10").want(303)
	for range 2 {
		if err := h.deps.OAuth.WatchSweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.endTest()
	}
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Current != 1 || e.Pending != 2 {
		t.Fatalf("in force %d, pending %d", e.Current, e.Pending)
	}
	for _, path := range []string{entry, rotate, entry + "/history"} {
		p.get(path).want(200, "Version 1 came back by itself", ownerEmail+" chose that when version 2 was promoted. Version 2 is pending, and nothing of it is lost.")
	}
	p.get("/").want(200, "Version 1 came back by itself", "Consumers have what they had before.")
	other := h.as(h.hire("globex@acme.example", auth.Grant{Role: auth.Admin, Entries: "globex:*"}))
	other.get("/").want(200).lacks("came back by itself")
	p.get(rotate).want(200, "Step 3 of 6: test it", "The secret is wrong")
	if n := len(h.events(audit.EntryReverted)); n != 1 {
		t.Errorf("%d events", n)
	}
	p.post(entry+"/discard", "revision", h.revision(), "version", "2").want(303)
	p.get("/").want(200).lacks("came back by itself")
}

// The short way puts the new secret in force at once, and tests it.
func TestShortRotation(t *testing.T) {
	t.Parallel()
	h := open(t, plan{env: "production"})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post(rotate, "do", "begin", "keeps", "one").want(303)
	p.get(rotate).want(200, "Get ready for a short outage", "of 5: paste it and put it in force at once", "Every consumer gets it at once, untested.", "Save and put in force now")
	editor := h.as(h.hire("editor@acme.example", auth.Grant{Role: auth.Editor}))
	editor.get(rotate).want(200).lacks("Save and put in force now")
	editor.post(rotate, "do", "paste", "then", "current", "revision", h.revision(), "secret", h.provider.SecondSecret()).want(403)
	editor.post(rotate+"/promote", "revision", h.revision(), "version", "2").want(403)
	editor.post(rotate+"/retire", "revision", h.revision(), "version", "1").want(403)
	h.provider.Set(sandbox.Faults{Secrets: sandbox.SecondSecret})
	a := p.post(rotate, "do", "paste", "then", "current", "hours", "1", "revision", h.revision(), "secret", h.provider.SecondSecret()).want(303)
	if !strings.Contains(a.header.Get("Location"), entry+"/test/") {
		t.Errorf("it leads to %s", a.header.Get("Location"))
	}
	h.endTest()
	p.get(rotate).want(200, "Step 4 of 5: watch which secret is in use", "Client ID, secret and redirect URI are right", "Version 1 is accepted until")
	h.pass(2 * time.Hour)
	h.owner().get(rotate).want(200, "The new secret is in force, and the old one is retired")
}

// What is not known is not claimed, and an entry without a secret says so.
func TestRotationOfOtherEntries(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:plain", func(d *config.Draft) { d.Values = []config.Input{{Key: "note", Value: text("x")}} })
	h.save("acme:google", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "clientId", Value: text("x.apps.googleusercontent.com")}, {Key: "clientSecret", Secret: true, Value: text("s3")}}
	})
	p := h.owner()
	p.get("/config/acme:plain/rotate").want(200, "The version in force has no client secret.")
	p.post("/config/acme:plain/rotate", "do", "begin", "keeps", "both").want(422)
	p.get("/config/acme:google/rotate").want(200, "documents that several client secrets hold at a time")
	viewer := h.as(h.hire("viewer@acme.example", auth.Grant{Role: auth.Viewer}))
	viewer.get("/config/acme:google/rotate").want(200, "Step 1 of 6").lacks("Save the answer")
}

// Another client id than that of what is in force is another app: the form asks
// once, saves nothing before that, and the event says so.
func TestAnotherClientIDIsAskedFor(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	form := func(id, revision, base string, more ...string) []string {
		return append([]string{"connector", "intercom", "revision", revision, "base", base, "f.clientId", id, "f.region", "sandbox", "f.apiVersion", "2.10", "then", "pending"}, more...)
	}
	p.get(entry + "/edit").want(200).lacks("other-app")
	before := h.dump()
	p.post(entry, form("another-app", h.revision(), "1")...).want(422, "It is not a rotation", "I mean another app: tokens of all installations stay with the old one")
	h.unchanged(before, "a form that was not confirmed")
	p.post(entry, form("another-app", h.revision(), "1", "other-app", "yes")...).want(303)
	if e := h.events(audit.EntrySaved); len(e) != 1 || !strings.Contains(e[0].Note, "this is another app at the provider") {
		t.Errorf("events: %+v", e)
	}
	p.post(entry, form("another-app", h.revision(), "2", "f.webhookSecret", "x")...).want(303) // asked once
	p.post(entry, form("a-third", h.revision(), "3")...).want(422, "It is not a rotation")
	p.post(entry, form(h.provider.ClientID(), h.revision(), "3")...).want(303) // back to the one in force
	h.save("globex:intercom", func(d *config.Draft) { d.Then = config.Pend })
	p.post("/config/globex:intercom", form("another-app", "1", "1")...).want(303) // nothing is in force
}

// A date can be typed where the secret is, and changed without a new version.
func TestDatesInTheForm(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	date := func() string {
		all := must(h.deps.Config.Expiries(t.Context()))(t)
		if len(all) == 0 {
			return ""
		}
		return all[0].Date
	}
	form := func(more ...string) []string {
		e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
		return append([]string{"connector", "intercom", "revision", h.revision(), "base", fmt.Sprint(e.Newest()), "f.clientId", h.provider.ClientID(), "f.region", "sandbox", "f.apiVersion", "2.10", "then", "current"}, more...)
	}
	p.post(entry, form("expires.clientSecret", "soon")...).want(422)
	p.post(entry, form("expires.clientSecret", "")...).want(422, "Nothing is different")
	p.post(entry, form("expires.clientSecret", "2026-12-31")...).want(303)
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Next != 2 || date() != "2026-12-31" {
		t.Errorf("version %d, %s", e.Next-1, date())
	}
	if got, _ := attr(p.get(entry+"/edit").want(200).one("input[id=expires.clientSecret]"), "value"); got != "2026-12-31" {
		t.Errorf("the form shows %q", got)
	}
	p.post(entry, form("expires.clientSecret", "2026-12-31", "f.clientSecret", "a-new-one")...).want(303) // left as it stood: the old one's
	if date() != "" {
		t.Errorf("the new secret has the date of the old one: %s", date())
	}
	p.post(entry, form("expires.clientSecret", "2027-01-31", "f.clientSecret", "a-newer-one")...).want(303)
	if date() != "2027-01-31" {
		t.Errorf("saved with its secret: %s", date())
	}
	p.post(entry+"/expiry", "key", "clientSecret", "version", "3", "expires", "never").want(422, "Write the day as year-month-day")
	p.post(entry+"/expiry", "key", "clientSecret", "version", "3", "expires", "2026-09-20").want(303)
	p.get("/").want(200, "Client secret expires within a week", "Expires on 20 September 2026, in 3 days.", "Replace it")
	p.get("/config").want(200, "Client secret expires within a week")
	other := h.as(h.hire("globex@acme.example", auth.Grant{Role: auth.Admin, Entries: "globex:*"}))
	other.get("/").want(200).lacks("expires within")
	for days, says := range map[int]string{0: "expires within a week", 2: "expires tomorrow", 3: "expires today", 5: "has expired"} {
		h.mu.Lock()
		h.now = start.AddDate(0, 0, days)
		h.mu.Unlock()
		h.owner().get("/").want(200, "Client secret "+says)
	}
}

// The metric is seconds until the day begins, and negative after it.
func TestExpiryMetric(t *testing.T) {
	t.Parallel()
	h := open(t, plan{token: "metrics-token"})
	h.save("acme:intercom", nil)
	if err := h.deps.Config.SetExpiry(t.Context(), audit.Actor{Name: ownerEmail}, config.ExpiryChange{ID: "acme:intercom", Version: 1, Key: "clientSecret", Date: "2026-09-18"}); err != nil {
		t.Fatal(err)
	}
	line := `backoffice_secret_expires_seconds{entry="acme:intercom",field="clientSecret"} `
	for _, want := range []string{"43200", "-43200"} {
		if a := h.visitor().get("/metrics", "Authorization", "Bearer metrics-token"); a.status != 200 || !strings.Contains(a.body, line+want+"\n") {
			t.Errorf("there is no %s%s", line, want)
		}
		h.pass(24 * time.Hour)
	}
}
