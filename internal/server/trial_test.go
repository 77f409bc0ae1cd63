package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/internal/sandbox"
)

// consent goes through a consent run up to the callback, and returns its path.
func (h *house) consent(p *person, version string, allow bool) string {
	h.t.Helper()
	leave := p.post(entry+"/consent", "version", version).want(200, "Going to Intercom")
	way := leave.wayOut()
	if got := leave.header.Get("Refresh"); got != "0; url="+way {
		h.t.Errorf("Refresh is %q, want the way to %q", got, way)
	}
	if got := leave.header.Get("Referrer-Policy"); got != "no-referrer" {
		h.t.Errorf("Referrer-Policy is %q", got)
	}
	return must(url.Parse(must(h.provider.Decide(way, allow))(h.t)))(h.t).RequestURI()
}

func TestConsentRun(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get("/").want(200, "1 entry waits for a test")
	p.get(entry+"/test").want(200, "Nobody has tested this entry yet")
	back := h.consent(p, "1", true)
	a := p.get(back)
	report := a.want(303).header.Get("Location")
	if !strings.HasPrefix(report, entry+"/test/") || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the callback leads to %q with the policy %q", report, a.header.Get("Referrer-Policy"))
	}
	page := p.get(report).want(200, "Client ID", "Client secret", "Redirect URI", "Proven: the provider exchanged a real code", "This is a rehearsal", "Workspace")
	if v := page.lacks("Edit the values"); !strings.Contains(v.body, h.provider.ClientID()) {
		t.Error("the report does not show the client id that was sent")
	}
	p.get("/").want(200, "Everything works", "1 of 1 entry works")
	p.get("/config?health=works").want(200, "acme:intercom")
	for a, n := range map[audit.Action]int{audit.TestStarted: 1, audit.TestFinished: 1} {
		if got := h.events(a); len(got) != n || got[0].Target != "acme:intercom" || got[0].Version != 1 || got[0].Actor.Name != ownerEmail {
			t.Errorf("events of %s: %+v", a, got)
		}
	}
	p.get(back).want(409, "has been used already", "This answer cannot be used any more").lacks("code=", "state=")
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base, d.Values[0].Value = 1, 1, text("wrong-id") })
	p.get(report).want(200, "Tested before the last change")
	p.post(entry+"/consent", "version", "9").want(404, "has no version")
}

// A test says something about the version that it tested, and about no other.
func TestStandingOfEachVersion(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Then, d.Scopes = 1, 1, config.Pend, []string{"read_single_admin"}
	})
	p := h.owner()
	p.get(p.get(h.consent(p, "2", true)).want(303).header.Get("Location")).want(200, "Works")
	p.get(entry).want(200, "version 1 is in force", "Version 2 is pending and works.").lacks(", tested ")
	p.get("/").want(200, "In force. Nobody has tested it.")
	p.get("/config?health=not-tested").want(200, "acme:intercom")
	p.post(entry+"/promote", "version", "2", "revision", "2", "hours", "0").want(303)
	p.get(entry).want(200, "version 2 is in force, tested just now by")
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base = 3, 2 })
	p.get(entry).want(200, "version 3 is in force and has not been tested; version 2 was").lacks(", tested ")
	p.get("/").want(200, "In force. It has not been tested; version 2 was.")
}

// What may come back instead of consent each has its own page.
func TestCallbackRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p, other := h.owner(), h.owner()
	denied := p.get(h.consent(p, "1", false)).want(303).header.Get("Location")
	p.get(denied).want(200, "Version 1 is in force.").lacks("every consumer is affected")
	p.get(h.consent(p, "1", true)+"&state=twice").want(422, "more than one state")
	p.get("/auth/intercom/callback").want(422, "without a state")
	p.get("/auth/intercom/callback?state=unknown&code=c").want(422, "belongs to no test that is under way")
	back := h.consent(p, "1", true)
	h.visitor().get(back).leadsTo("/login?back=1")
	h.visitor().get("/login?back=1").want(200, "You are back from the provider, but not signed in here any more")
	p.raw("HEAD", back, nil).want(405)
	other.get(back).want(403, "This test was started in another browser session")
	p.get(back).want(409, "has been used already")
	back = h.consent(p, "1", true)
	p.get(strings.Replace(back, "/intercom/", "/slack/", 1)).want(422, "the callback of another service")
	back = h.consent(p, "1", true)
	h.pass(11 * time.Minute)
	p.get(back).want(422, "more than 10 minutes ago")
	wrong := h.consent(p, "1", true)
	h.provider.Set(sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin)})
	p.get(p.get(wrong).want(303).header.Get("Location")).want(200, "Permission", "Missing")
}

// A provider that does not know the client ID keeps the browser: the tab says what
// is known all the same.
func TestRunThatDoesNotComeBack(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Values[0].Value = text("wrong-id") })
	p := h.owner()
	p.get(entry+"/test").want(200, "Nobody has tested this entry yet").lacks("has not come back")
	leave := p.post(entry+"/consent", "version", "1").want(200, "If Intercom shows an error instead of its consent page, it does not know the client ID or the redirect URI: come back here.")
	if leave.wayOut() == "" {
		t.Fatal("no way out")
	}
	h.pass(5 * time.Minute)
	p.get(entry+"/test").want(200, "A run of version 1 has not come back", ownerEmail+" started it 5 minutes ago. If Intercom showed an error page, check the client ID",
		"the redirect URI "+h.deps.Site.PublicURL.String()+"/auth/intercom/callback is registered with Intercom exactly like this", "No test of this entry has come back yet", "Edit the values").
		lacks("Nobody has tested this entry yet")
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base = 1, 1 })
	report := p.get(h.consent(p, "2", true)).want(303).header.Get("Location")
	p.get(report).want(200, "Works").lacks("has not come back")
	h.consent(p, "2", true)
	p.get(report).want(200, "A run of version 2 has not come back", "started it just now")
	h.pass(24 * time.Hour)
	p.get(report).lacks("has not come back")
}

// A missing permission is no broken connector.
func TestMissingPermission(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	h.provider.Set(sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin)})
	report := p.get(h.consent(p, "1", true)).want(303).header.Get("Location")
	p.get(report).want(200, "Credentials are good, but a permission is missing", "Missing",
		"Version 1 is in force, and its credentials are good. Only calls that need the missing permission are affected.").lacks("every consumer", "Edit the values")
	p.get("/").want(200, "1 of 1 entry works", "Credentials are good, but a permission is missing", "In force. Only calls that need the missing permission are affected.").lacks("broken")
	p.get("/config?health=works").want(200, "acme:intercom")
}

// A report claims no more harm than it proves.
func TestAffected(t *testing.T) {
	t.Parallel()
	in := config.Entry{Current: 2, Pending: 3}
	with := func(v oauth.Verdict, version int, wrong ...oauth.Field) oauth.Report {
		r := oauth.Report{Verdict: v, Version: version}
		for _, f := range wrong {
			r.Fields = append(r.Fields, oauth.FieldVerdict{Field: f, Verdict: oauth.Wrong})
		}
		return r
	}
	pasted := with(oauth.Wrong, 2, oauth.Permission)
	pasted.Kind = oauth.TokenRun
	for _, tt := range []struct {
		report oauth.Report
		entry  config.Entry
		want   string
	}{
		{with(oauth.OK, 3), in, "Version 3 is pending. It can be put in force."},
		{with(oauth.OK, 2), in, "The whole handshake went through with version 2."},
		{with(oauth.Wrong, 3, oauth.ClientSecret), in, "Nobody is affected: version 3 is pending, and version 2 stays in force."},
		{with(oauth.Warning, 3, oauth.Permission), config.Entry{Pending: 3}, "Nobody is affected: version 3 is pending, and nothing is in force yet."},
		{with(oauth.Wrong, 2, oauth.ClientID), in, "Version 2 is in force, so every consumer is affected."},
		{with(oauth.Wrong, 2, oauth.ClientSecret), in, "Version 2 is in force, so every consumer is affected."},
		{with(oauth.Wrong, 2, oauth.RedirectURI), in, "Version 2 is in force, so every consumer is affected."},
		{with(oauth.Wrong, 2), in, "Version 2 is in force. Consumers that use it may be affected."},
		{with(oauth.Wrong, 2, oauth.Reachability), in, "Version 2 is in force. Consumers that use it may be affected."},
		{with(oauth.Warning, 2, oauth.Permission), in, "Version 2 is in force, and its credentials are good. Only calls that need the missing permission are affected."},
		{with(oauth.Inconclusive, 2), in, "Version 2 is in force."},
		{with(oauth.Wrong, 1, oauth.ClientID), in, "Version 1 is neither in force nor pending."},
		{pasted, in, "A pasted token was tried with the settings of version 2. That says nothing about its credentials."},
	} {
		if got := affected(tt.report, tt.entry); got != tt.want {
			t.Errorf("%s of version %d: %q, want %q", tt.report.Verdict, tt.report.Version, got, tt.want)
		}
	}
}

func TestTokenTest(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base, d.Then, d.Values[0].Value = 1, 1, config.Pend, text("two") })
	p := h.owner()
	page := p.get(entry + "/test").want(200)
	if got := controls(page.one("form[action=" + entry + "/test/token]")).Get("version"); got != "2" {
		t.Errorf("version %q is offered first, want the pending one", got)
	}
	a := p.submit(page, entry+"/test/token", "version", "1", "token", "Bearer abc.def").want(422, "without the word Bearer").lacks("abc.def")
	if got := controls(a.one("form[action=" + entry + "/test/token]")).Get("version"); got != "1" {
		t.Errorf("version %q came back, want the chosen one", got)
	}
	p.submit(page, entry+"/test/token", "token", " ").want(422, "Paste an access token.")
	token := h.provider.TestToken()
	report := p.submit(page, entry+"/test/token", "version", "1", "token", " "+token+"\n").want(303).header.Get("Location")
	p.get(report).want(200, "Only the identity call and 6 probes were made", "Test token", "Workspace", "Permissions of the token", "See the ledger").lacks(token)
	if e := h.events(audit.TokenTested); len(e) != 1 || e[0].Version != 1 {
		t.Errorf("events %+v", e)
	}
	p.get("/config?health=not-tested").want(200, "acme:intercom") // a token says nothing about the client
}
