package server

import (
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

func TestScopesSaveAsANewVersion(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Scopes, d.Topics = []string{"made.up"}, []string{"conversation.user.created"} })
	p := h.owner()
	page := p.get(entry+"/scopes").want(200, "Read conversations", "Not known to the definition")
	form := controls(page.one("form[action=" + entry + "/scopes]"))
	if !slices.Equal(form["scope"], []string{"made.up"}) || form.Get("base") != "1" || form.Get("revision") != "1" {
		t.Fatalf("the form has %q", form)
	}
	def := h.deps.Config.Definition("acme:intercom")
	conversations, _ := def.Permission("Read conversations")
	form["scope"] = append(form["scope"], conversations.ID())
	form.Set("reason", "needed")
	form.Set("then", "pending")
	p.send("POST", entry+"/scopes", form).leadsTo(entry + "/scopes")
	v := must(h.deps.Config.Version(t.Context(), "acme:intercom", 2))(t)
	if !slices.Equal(v.Scopes, slices.Sorted(slices.Values([]string{"made.up", conversations.ID()}))) || !slices.Equal(v.Topics, []string{"conversation.user.created"}) || v.Reason != "needed" {
		t.Errorf("saved %+v", v)
	}
	if got := h.values("acme:intercom"); got["clientSecret"] != h.provider.ClientSecret() {
		t.Errorf("the values became %q", got)
	}
	p.get(entry+"/scopes").want(200, "Saved as version 2, pending", "2 permissions declared")

	form.Set("then", "current") // the same form once more: it has been overtaken
	form["scope"] = []string{"other.thing"}
	a := p.send("POST", entry+"/scopes", form).want(409, "What you typed is kept below", "other.thing")
	again := controls(a.one("form[action=" + entry + "/scopes]"))
	if !slices.Equal(again["scope"], []string{"other.thing"}) || again.Get("base") != "2" || again.Get("revision") != "2" || again.Get("reason") != "needed" {
		t.Errorf("after a conflict the form has %q", again)
	}
	again.Set("then", "current")
	p.send("POST", entry+"/scopes", again).leadsTo(entry + "/scopes")
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Current != 3 || e.Pending != 0 {
		t.Errorf("entry %+v, want version 3 in force", e)
	}
	form = controls(p.get(entry + "/scopes").one("form[action=" + entry + "/scopes]"))
	form.Set("then", "pending")
	p.send("POST", entry+"/scopes", form).want(422, "Nothing")
	form["scope"] = []string{strings.Repeat("w", 201)}
	form.Set("reason", "typed")
	a = p.send("POST", entry+"/scopes", form).want(422, "at most 200 characters")
	if got := controls(a.one("form[action=" + entry + "/scopes]")).Get("reason"); got != "typed" {
		t.Errorf("the reason became %q", got)
	}
}

func TestWebhookTopicsSaveAsANewVersion(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Topics = []string{"no.such.topic"} })
	p := h.owner()
	page := p.get(entry+"/webhooks").want(200, "No permission named", "clientSecret , the value of version 1, in force", "X-Hub-Signature", "no.such.topic")
	if got, want := page.value("input[value="+h.deps.Site.PublicURL.String()+"/webhooks/intercom]"), h.deps.Site.PublicURL.String()+"/webhooks/intercom"; got != want {
		t.Errorf("the URL to copy is %q", got)
	}
	form := controls(page.one("form[action=" + entry + "/webhooks]"))
	if !slices.Contains(form["topic"], "no.such.topic") {
		t.Fatalf("the form has %q", form)
	}
	form["topic"] = []string{"conversation.user.created"}
	form.Set("then", "current")
	p.send("POST", entry+"/webhooks", form).leadsTo(entry + "/webhooks")
	p.get(entry+"/webhooks").want(200, "1 topic chosen, 1 cannot arrive", "Permission missing", "Version 2 is saved and in force")
	if v := must(h.deps.Config.Version(t.Context(), "acme:intercom", 2))(t); !slices.Equal(v.Topics, []string{"conversation.user.created"}) {
		t.Errorf("topics %q", v.Topics)
	}
	h.save("acme:own", nil)
	p.get("/config/acme:own/webhooks").want(200, "No definition knows the webhooks")
	p.get("/config/acme:own/scopes").want(200, "No definition knows the permissions")
	p.get("/config/acme:own/test").want(200, "there is nothing to test")
}

func TestHistoryCompares(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Then, d.Scopes, d.Reason = 1, 1, config.Pend, []string{"made.up"}, "try it"
		d.Values[0].Value, d.Values[1].Value = text("other-id"), text("other-secret")
	})
	p := h.owner()
	p.get(entry+"/history").want(200, "2 versions", "try it", "other-id").lacks("other-secret", h.provider.ClientSecret())
	p.get(entry+"/history?left=1&right=2").want(200, "Version 2 changes 3 things of version 1", "made.up", "other-id").lacks("other-secret")
	p.get(entry+"/history?left=2&right=2").want(200, "Versions 2 and 2 are the same")
	p.get(entry+"/history?left=1&right=").want(404, "Choose two versions to compare")
	p.get(entry+"/history?left=1&right=9").want(404, "has no version 9")
	p.get(entry+"/history?left=1&right=-1").want(404, "has no version -1")
	for i := range 22 {
		h.save("acme:intercom", func(d *config.Draft) {
			d.Revision, d.Base, d.Values[0].Value = int64(i+2), i+2, text(strings.Repeat("x", i+1))
		})
	}
	older := p.get(entry+"/history").want(200, "24 versions").link("Show older versions")
	if older != entry+"/history?before=5" {
		t.Errorf("older versions are at %q", older)
	}
	p.get(older).want(200, "try it")
}

func TestLabelsMove(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	change := func(revision int64, base int, id string) {
		h.save("acme:intercom", func(d *config.Draft) {
			d.Revision, d.Base, d.Then, d.Values[0].Value = revision, base, config.Pend, text(id)
		})
	}
	change(1, 1, "two")
	p := h.owner()
	page := p.get(entry).want(200, "Version 2 takes the place of version 1", "Nobody has tested it yet")
	p.submit(page, entry+"/promote", "hours", "24", "reason", "go").leadsTo(entry)
	p.get(entry).want(200, "Version 2 is in force", "Version 1 is accepted beside it until 18 September, 12:00 UTC")
	p.submit(page, entry+"/promote", "hours", "1", "reason", "go again").want(409, "This form was not carried out", "You wrote: go again")
	change(3, 2, "three")
	stale := p.get(entry)
	change(4, 3, "four")
	a := p.submit(stale, entry+"/promote", "hours", "168", "reason", "my reason").want(409, "This page shows how the entry stands now", "four")
	form := controls(a.one("form[action=" + entry + "/promote]"))
	if form.Get("reason") != "my reason" || form.Get("hours") != "168" || form.Get("version") != "4" || form.Get("revision") != "5" {
		t.Errorf("after a conflict the form has %q", form)
	}
	p.submit(a, entry+"/promote", "reason", strings.Repeat("r", 1001)).want(422, "A reason has at most 1000 characters")
	p.post(entry+"/promote", "version", "x", "revision", "5").want(422, "The form could not be read")
	p.post(entry+"/promote", "version", "4", "revision", "5", "hours", "99999999999999999999").want(422, "The form could not be read")
	p.post(entry+"/promote", "version", "77", "revision", "5").want(404, "has no version 77")
	p.submit(a, entry+"/discard").leadsTo(entry)
	p.get(entry).want(200, "Version 4 is discarded")
	back := p.get(entry + "/history").want(200)
	roll := back.all("form[action=" + entry + "/rollback]")
	if len(roll) != 3 { // all but version 2, which is in force
		t.Fatalf("%d versions can be rolled back to", len(roll))
	}
	p.post(entry+"/rollback", "version", "1", "revision", "6", "hours", "0", "reason", "worked").leadsTo(entry)
	p.get(entry).want(200, "Rolled back: version 1 is in force")
	p.post(entry+"/rollback", "version", "1", "revision", "7").want(422, "Version 1 is in force already")
	e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	if e.Current != 1 || e.Pending != 0 || e.Previous != 0 || e.Revision != 7 {
		t.Errorf("entry %+v", e)
	}
	for a, n := range map[audit.Action]int{audit.EntryPromoted: 1, audit.EntryDiscarded: 1, audit.EntryRolledBack: 1} {
		if got := h.events(a); len(got) != n || got[0].Actor.Name != ownerEmail {
			t.Errorf("%d events of %s, want %d", len(got), a, n)
		}
	}
}

func TestDeleteAsksForTheID(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	page := p.get(entry+"/delete").want(200, "Version 1 is in force: whoever uses acme:intercom gets nothing")
	before := h.dump()
	for _, typed := range []string{"", "acme:intercm", "ACME:INTERCOM", " acme:intercom"} {
		a := p.submit(page, entry+"/delete", "confirm", typed).want(422, "That is not the id of this entry, so nothing was deleted")
		if got := a.value("input[name=confirm]"); got != typed {
			t.Errorf("typed %q came back as %q", typed, got)
		}
	}
	p.post(entry+"/delete", "confirm", "acme:intercom", "revision", "x").want(422, "The form could not be read")
	h.unchanged(before, "a delete that was not confirmed")
	h.save("acme:intercom", func(d *config.Draft) { d.Revision, d.Base, d.Values[0].Value = 1, 1, text("two") })
	a := p.submit(page, entry+"/delete", "confirm", "acme:intercom").want(409, "Nothing was deleted")
	p.submit(a, entry+"/delete", "confirm", "acme:intercom").leadsTo("/config")
	p.get("/config").want(200, "The entry is deleted")
	p.get(entry).want(404, "There is no entry acme:intercom")
	if e := h.events(audit.EntryDeleted); len(e) != 1 || e[0].Target != "acme:intercom" || e[0].Actor.Name != ownerEmail {
		t.Errorf("events %+v", e)
	}
	if e := h.events(audit.EntryCreated); len(e) != 1 {
		t.Errorf("%d events of its creation are left", len(e))
	}
}

func TestCompareAPaste(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Then, d.Values[1].Value = 1, 1, config.Pend, text("second-secret")
	})
	p := h.owner()
	for _, tt := range []struct {
		paste  string
		status int
		words  string
	}{
		{h.provider.ClientSecret(), 200, "Your paste is the clientSecret of version 1, in force."},
		{"\n " + h.provider.ClientSecret() + " ", 200, "Your paste is the clientSecret of version 1, in force."},
		{"second-secret", 200, "Your paste is the clientSecret of version 2, pending."},
		{"something else", 200, "Your paste is none of the stored values of clientSecret."},
		{"   ", 422, "Paste a value to compare."},
	} {
		a := p.post(entry+"/compare", "key", "clientSecret", "paste", tt.paste).want(tt.status, tt.words)
		if s := strings.TrimSpace(tt.paste); s != "" {
			a.lacks(s)
		}
	}
	if e := h.events(audit.SecretCompared); len(e) != 4 || e[0].Target != "acme:intercom" || e[0].Actor.Name != ownerEmail {
		t.Errorf("%d events of comparisons, the first %+v; want 4", len(e), e)
	}
	for range compareBurst {
		p.post(entry+"/compare", "key", "clientSecret", "paste", "guess")
	}
	p.post(entry+"/compare", "key", "clientSecret", "paste", "guess").want(429, "Those were many comparisons in a row.")
	if e := h.events(audit.SecretCompared); len(e) != compareBurst {
		t.Errorf("%d comparisons were made, want %d in a row", len(e), compareBurst)
	}
}

// A reveal needs the password, is one event, and hides itself.
func TestReveal(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	secret := h.provider.ClientSecret()
	h.pass(6 * time.Minute) // the sign-in does not count for the password any more
	at := entry + "/reveal?key=clientSecret&version=1"
	page := p.get(at).want(200).lacks(secret)
	if len(p.get(entry).all("a[href="+at+"]")) != 1 {
		t.Errorf("the tab has no link to %s", at)
	}
	p.submit(page, entry+"/reveal", "password", "").want(422, "Enter your password.").lacks(secret)
	a := p.submit(page, entry+"/reveal", "password", "wr0ng-guess", "reason", "to compare").want(422, "This is not your password.").lacks(secret, "wr0ng-guess")
	if got := controls(a.one("form[action=" + entry + "/reveal]")).Get("reason"); got != "to compare" {
		t.Errorf("the reason became %q", got)
	}
	if e := h.events(audit.SecretRevealed); len(e) != 0 {
		t.Errorf("%d events of reveals before any", len(e))
	}
	p.submit(page, entry+"/reveal", "password", password, "reason", strings.Repeat("r", 1001)).want(422, "A reason has at most").lacks(secret)
	a = p.submit(page, entry+"/reveal", "password", password, "reason", "to compare").want(200, secret)
	if got, want := a.header.Get("Refresh"), "30; url="+entry+"?version=1"; got != want {
		t.Errorf("Refresh is %q, want %q", got, want)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	e := h.events(audit.SecretRevealed)
	if len(e) != 1 || e[0].Actor.Name != ownerEmail || e[0].Target != "acme:intercom" || e[0].Version != 1 || e[0].Reason != "to compare" ||
		len(e[0].Changes) != 1 || e[0].Changes[0].Key != "clientSecret" || e[0].Actor.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("events %+v", e)
	}
	for query, words := range map[string]string{"": "does not say which version", "?version=1": "has no secret of this name", "?version=1&key=clientId": "has no secret of this name",
		"?version=2&key=clientSecret": "has no version 2", "?version=x&key=clientSecret": "does not say which version"} {
		p.get(entry+"/reveal"+query).want(404, words)
	}
	p.post(entry+"/reveal", "version", "1", "key", "clientId", "password", password).want(404)
	p.submit(p.get(at).want(200).lacks(`type="password"`), entry+"/reveal", "reason", "again").want(200, secret)
	h.pass(6 * time.Minute)
	p.submit(p.get(at), entry+"/reveal", "reason", "again").want(422, "Enter your password.").lacks(secret)
	for range 6 {
		a = p.submit(page, entry+"/reveal", "password", "wr0ng-guess")
	}
	a.want(422, "Too many wrong attempts. Try again in")
	p.submit(page, entry+"/reveal", "password", password).want(422, "Too many wrong attempts").lacks(secret)
	h.pass(time.Minute)
	p.submit(page, entry+"/reveal", "password", password).want(200, secret)
}

// Every page says that it is a rehearsal if the entry talks to the sandbox.
func TestRehearsalBanner(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("real:intercom", func(d *config.Draft) { d.Values[2].Value = text("EU") })
	p := h.owner()
	for _, tab := range []string{"", "/edit", "/scopes", "/webhooks", "/test"} {
		p.get(entry+tab).want(200, "This is a rehearsal")
		p.get("/config/real:intercom" + tab).want(200).lacks("This is a rehearsal")
	}
}
