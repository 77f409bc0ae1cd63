package server

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/sandbox"
)

const guideOf = entry + "/guide"

// step is what the page says of one step: its words, and its verdict alone.
func (a answer) step(id string) (words, verdict string) {
	a.t.Helper()
	li := a.one("li[id=step-" + id + "]")
	for _, v := range find(li, "span") {
		if class, _ := attr(v, "class"); strings.HasPrefix(class, "verdict") {
			return content(li), strings.TrimSpace(strings.Join(strings.Fields(content(v)), " "))
		}
	}
	a.t.Fatalf("%s: step %s has no verdict", a.what, id)
	return "", ""
}

// wantSteps holds the verdicts of steps to words, by id.
func (a answer) wantSteps(want map[string]string) answer {
	a.t.Helper()
	for id, w := range want {
		if _, got := a.step(id); got != w {
			a.t.Errorf("step %s says %q, want %q", id, got, w)
		}
	}
	return a
}

// From nothing to step 6, each step by what shows it; then the secret changes, and
// what rests on it un-ticks.
func TestGuideTicksItself(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Then = config.Pend })
	p := h.owner()
	for _, from := range []string{entry, entry + "/test"} {
		if to := p.get(from).link("Go through the set-up step by step"); to != guideOf {
			t.Errorf("%s leads a new entry to %q", from, to)
		}
	}
	page := p.get(guideOf).want(200, "None of seven steps is done yet", "Set-up guide 0 of 7", "This is a rehearsal", "Open the sandbox").lacks("Open Intercom", "European workspaces")
	page.wantSteps(map[string]string{"account": "To do", "app": "To do", "oauth": "To do", "credentials": "To do", "webhooks": "To do", "configuration": "To do", "live": "To do"})
	for label, want := range map[string]string{"copy-oauth-1": h.deps.Site.PublicURL.String() + "/auth/intercom/callback", "copy-webhooks-1": h.deps.Site.PublicURL.String() + "/webhooks/intercom",
		"copy-configuration-1": "acme:intercom", "copy-configuration-2": h.deps.Site.Sandbox, "copy-configuration-3": "Intercom-Version: 2.10",
		"copy-live-1": "https://app.intercom.com/appstore/redirect?install_success=true"} {
		if got := page.value("input[id=" + label + "]"); got != want {
			t.Errorf("%s copies %q, want %q", label, got, want)
		}
	}
	page.want(200, "API version 2.10 is old", "The newest stable one that is offered here is 2.16", "2.17; whether that is generally available is not confirmed", "No test has seen the headers yet", "10,000 calls a minute")

	p.get(h.consent(p, "1", true)).want(303)
	page = p.get(guideOf).want(200, "Five of seven steps are done", "Set-up guide 5 of 7", "A consent run of version 1 came back to this redirect URI", "by "+ownerEmail)
	page.wantSteps(map[string]string{"account": "Done, Intercom knows the client ID", "app": "Done, Intercom knows the client ID", "credentials": "Done, client ID and secret are good",
		"oauth":         "Done, the redirect URI is registered and the identity call is allowed",
		"configuration": "Done, the connection works", "webhooks": "To do", "live": "To do"})
	page.want(200, "Limit, as seen", "See the report").lacks("No test has seen the headers yet")

	h.notify("/webhooks/intercom", `{"topic":"ping","id":"n0"}`, "X-Hub-Signature", "sha1=0123456789012345678901234567890123456789").bare(401)
	p.get(guideOf).wantSteps(map[string]string{"webhooks": "To do"})
	h.notify("/webhooks/intercom", `{"type":"notification_event","id":"n1","topic":"ping","app_id":"a1"}`).bare(200)
	page = p.get(guideOf).want(200, "Six of seven steps are done")
	page.wantSteps(map[string]string{"webhooks": "Done, a notification came"})
	if n := h.kept()[0]; !strings.Contains(page.body, `href="`+notificationURL(n.Owner, n.ID)+`"`) {
		t.Error("the step does not lead to the notification that shows it")
	}

	h.pass(time.Minute)
	h.save("acme:intercom", func(d *config.Draft) {
		e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
		d.Base, d.Revision = 1, e.Revision
		for i := range d.Values {
			if d.Values[i].Key == "clientSecret" {
				d.Values[i].Value = text("another-secret-of-forty-characters-00000")
			}
		}
	})
	page = p.get(guideOf).want(200, "Three of seven steps are done", "Was done with version 1: Client secret has changed since.", "Was done with version 1: clientSecret has changed since")
	page.wantSteps(map[string]string{"account": "Done, Intercom knows the client ID", "credentials": "To do again", "webhooks": "To do again", "configuration": "To do again",
		"oauth": "Done, the redirect URI is registered and the identity call is allowed"})
}

// What is about to be put in force is judged beside what is: its fault shows.
func TestGuideSeesWhatIsPending(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(h.consent(p, "1", true)).want(303)
	h.save("acme:intercom", func(d *config.Draft) {
		e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
		d.Base, d.Revision, d.Then = 1, e.Revision, config.Pend
		for i := range d.Values {
			if d.Values[i].Key == "clientSecret" {
				d.Values[i].Value = text("another-secret-of-forty-characters-00000")
			}
		}
	})
	p.get(guideOf).wantSteps(map[string]string{"credentials": "Done, client ID and secret are good"})
	_, run := h.diagnose(p, "2")
	h.finished(run)
	p.get(guideOf).want(200, "A test without consent of version 2 found").wantSteps(map[string]string{"credentials": "Client secret wrong in version 2", "account": "Done, Intercom knows the client ID"})
}

// A notification of our own proves only that the address works: what ticks the step
// is one of the provider's.
func TestGuideIsNotTickedByOurselves(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	sent := must(h.deps.Webhooks.SendTest(t.Context(), audit.Actor{ID: "u1", Name: ownerEmail}, "acme:intercom", "ping"))(t)
	if sent.Notification == nil || !sent.Notification.Test || !sent.Notification.Good() {
		t.Fatalf("the test notification did not arrive: %+v", sent)
	}
	p := h.owner()
	p.get(guideOf).wantSteps(map[string]string{"webhooks": "To do"})
	h.notify("/webhooks/intercom", `{"id":"n1","topic":"ping"}`).bare(200)
	p.get(guideOf).wantSteps(map[string]string{"webhooks": "Done, a notification came"})
	for range guideNotifications + 1 {
		must(h.deps.Webhooks.SendTest(t.Context(), audit.Actor{ID: "u1", Name: ownerEmail}, "acme:intercom", "ping"))(t)
	}
	p.get(guideOf).wantSteps(map[string]string{"webhooks": "Done, a notification came"})
}

// A notification that another secret signed, which is accepted too, takes nothing
// from one that the secret in force signed.
func TestGuideLooksForTheSecretInForce(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.notify("/webhooks/intercom", `{"id":"n1","topic":"ping"}`).bare(200)
	h.save("acme:intercom", func(d *config.Draft) {
		e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
		d.Base, d.Revision, d.Then = 1, e.Revision, config.Pend
		for i := range d.Values {
			if d.Values[i].Key == "clientSecret" {
				d.Values[i].Value = text("another-secret-of-forty-characters-00000")
			}
		}
	})
	body := `{"id":"n2","topic":"ping"}`
	mac := hmac.New(sha1.New, []byte("another-secret-of-forty-characters-00000"))
	mac.Write([]byte(body))
	h.notify("/webhooks/intercom", body, "X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil))).bare(200)
	h.owner().get(guideOf).wantSteps(map[string]string{"webhooks": "Done, a notification came"})
}

// What somebody's own test found wrong is not laid at the radar's door, and takes
// nothing from what it did not find wrong.
func TestGuideAfterATestOfOnesOwn(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(h.consent(p, "1", true)).want(303)
	h.provider.Set(sandbox.Faults{StrictRedirects: true})
	for _, uri := range h.provider.RedirectURIs() {
		h.provider.RemoveRedirectURI(uri)
	}
	h.pass(20 * time.Minute)
	_, run := h.diagnose(p, "1")
	h.finished(run)
	p.get(guideOf).want(200, "A test without consent of version 1 found").lacks("The radar saw it").
		wantSteps(map[string]string{"oauth": "Redirect URI wrong in version 1", "credentials": "Done, client ID and secret are good"})
}

// Whoever says no has shown nothing.
func TestGuideAfterADenial(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(h.consent(p, "1", false)).want(303)
	p.get(guideOf).want(200, "None of seven steps is done yet").wantSteps(map[string]string{"account": "To do", "oauth": "To do", "configuration": "To do"})
}

// What a rehearsal saw is not shown of the provider, and its evidence does not hold
// there.
func TestGuideAfterARehearsal(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(h.consent(p, "1", true)).want(303)
	h.notify("/webhooks/intercom", `{"id":"n1","topic":"ping"}`).bare(200)
	p.get(guideOf).want(200, "Limit, as seen", "Six of seven")
	h.save("acme:intercom", func(d *config.Draft) {
		e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
		d.Base, d.Revision = 1, e.Revision
		for i := range d.Values {
			switch d.Values[i].Key {
			case "region":
				d.Values[i].Value = text("EU")
			case "apiVersion":
				d.Values[i].Value = text("2.16")
			}
		}
	})
	page := p.get(guideOf).want(200, "None of seven steps is done yet", "Was done with version 1: Region has changed since.", "Was done with version 1: Region has changed since, and none has come from there.", "No test has seen the headers yet", "Open Intercom", "European workspaces").lacks("This is a rehearsal", "is old", "Open the sandbox")
	for label, want := range map[string]string{"copy-configuration-2": "https://api.eu.intercom.io", "copy-configuration-3": "Intercom-Version: 2.16"} {
		if got := page.value("input[id=" + label + "]"); got != want {
			t.Errorf("%s copies %q, want %q", label, got, want)
		}
	}
}

// A run that comes back after its entry was deleted and made anew shows nothing of
// the new one, though both have a version 1.
func TestGuideOfAnEntryMadeAnew(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	back := h.consent(p, "1", true)
	e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	if err := h.deps.Config.Delete(t.Context(), audit.Actor{ID: "u1", Name: ownerEmail}, config.Move{ID: "acme:intercom", Revision: e.Revision}); err != nil {
		t.Fatal(err)
	}
	h.save("acme:intercom", func(d *config.Draft) {
		for i := range d.Values {
			if d.Values[i].Key == "clientId" {
				d.Values[i].Value = text("another")
			}
		}
	})
	p.get(back)
	p.get(guideOf).want(200, "None of seven steps is done yet").wantSteps(map[string]string{"account": "To do", "credentials": "To do", "configuration": "To do"})
}

// Two people who tick a checklist at the same time take nothing from each other.
func TestGuideChecklistOfTwo(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	mine := controls(p.get(guideOf).one("form[id=check-live]"))
	theirs := controls(p.get(guideOf).one("form[id=check-live]"))
	theirs["item"] = []string{"video"}
	p.send("POST", guideOf, theirs).leadsTo(guideOf + "#step-live")
	mine["item"] = []string{"policies"}
	p.send("POST", guideOf, mine).leadsTo(guideOf + "#step-live")
	again := controls(p.get(guideOf).one("form[id=check-live]"))
	if got := strings.Join(again["item"], " "); got != "policies video" {
		t.Errorf("ticked are %q", got)
	}
	again["item"] = []string{"video"}
	p.send("POST", guideOf, again).leadsTo(guideOf + "#step-live")
	if got := controls(p.get(guideOf).one("form[id=check-live]"))["item"]; strings.Join(got, " ") != "video" {
		t.Errorf("after one is taken away, ticked are %q", got)
	}
}

// The kind of app decides whether step 7 shows.
func TestGuideKinds(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post(guideOf, "do", "kind", "kind", "internal").leadsTo(guideOf)
	p.get(guideOf).want(200, "None of six steps is done yet", "The kind of app is saved", "Chosen by "+ownerEmail).lacks("Step 7:", "Go live")
	p.post(guideOf, "do", "kind", "kind", "public").leadsTo(guideOf)
	page := p.get(guideOf).want(200, "None of seven steps is done yet", "Go live", "privacy policy and the terms of service", "0 of 11 done", "0 of 40 characters", "0 of 70 characters")
	if form := controls(page.one("form[id=kind]")); form.Get("kind") != "public" {
		t.Errorf("the form has %q", form)
	}
	form := controls(page.one("form[id=check-live]"))
	form["item"] = []string{"video", "policies"}
	p.send("POST", guideOf, form).leadsTo(guideOf + "#step-live")
	page = p.get(guideOf).want(200, "2 of 11 done", "The checklist is saved")
	if got := controls(page.one("form[id=check-live]"))["item"]; strings.Join(got, " ") != "policies video" {
		t.Errorf("ticked are %q", got)
	}
	if e := h.events(audit.GuideChecked); len(e) != 1 || e[0].Target != "acme:intercom" || e[0].Actor.Name != ownerEmail {
		t.Errorf("events %+v", e)
	}
}

func TestGuideTicksByHand(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post(guideOf, "do", "tick", "step", "account", "note", "the <old> one").leadsTo(guideOf + "#step-account")
	p.get(guideOf).want(200, "The step is ticked", "One of seven steps is done", "Ticked by hand by "+ownerEmail, "“the <old> one”").wantSteps(map[string]string{"account": "Done, ticked by " + ownerEmail})
	p.post(guideOf, "do", "skip", "step", "webhooks").leadsTo(guideOf + "#step-webhooks")
	p.get(guideOf).want(200, "One of six steps is done").wantSteps(map[string]string{"webhooks": "Not needed, says " + ownerEmail})
	p.post(guideOf, "do", "untick", "step", "account").leadsTo(guideOf + "#step-account")
	p.get(guideOf).want(200, "None of six steps is done yet").wantSteps(map[string]string{"account": "To do"})
	for action, n := range map[audit.Action]int{audit.GuideTicked: 1, audit.GuideSkipped: 1, audit.GuideUnticked: 1} {
		if got := len(h.events(action)); got != n {
			t.Errorf("%d events %s, want %d", got, action, n)
		}
	}
}

// What cannot be saved comes back with what was typed, and says why.
func TestGuideRefuses(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:own", nil)
	p := h.owner()
	before := h.dump()
	long := strings.Repeat("é", 43)
	for _, c := range []struct {
		form   url.Values
		status int
		words  string
	}{
		{fields(), 422, "The form does not say what to do."},
		{fields("do", "burn", "step", "account"), 422, "The form does not say what to do."},
		{fields("do", "tick", "step", "nope"), 422, "a step that this guide does not have"},
		{fields("do", "tick"), 422, "a step that this guide does not have"},
		{fields("do", "skip", "step", "credentials"), 422, "is not optional"},
		{fields("do", "tick", "step", "account", "note", strings.Repeat("x", 201)), 422, "at most 200 characters"},
		{fields("do", "kind", "kind", "nope"), 422, "Choose one of the kinds of app."},
		{fields("do", "check", "step", "live", "item", "nope"), 422, "a line that the checklist does not have"},
		{fields("do", "draft", "step", "live", "draft.listing-name", "x"), 422, "which state of the drafts"},
		{fields("do", "draft", "step", "live", "revision", "0", "draft.listing-name", long), 422, "is 3 characters too long: 40 are allowed"},
		{fields("do", "draft", "step", "live", "revision", "7", "draft.listing-name", "x"), 409, "saved these texts while you were writing"},
	} {
		a := p.send("POST", guideOf, c.form).want(c.status, "Nothing was saved", c.words)
		if typed := c.form.Get("draft.listing-name"); typed != "" && c.form.Get("revision") != "" {
			if got := a.value("input[id=draft-listing-name]"); got != typed {
				t.Errorf("%s: the draft came back as %q", c.form.Encode(), got)
			}
		}
	}
	p.post("/config/acme:own/guide", "do", "tick", "step", "account").want(422, "No definition knows")
	p.post("/config/gone:intercom/guide", "do", "tick", "step", "account").want(404)
	h.unchanged(before, "what was refused")
	p.get("/config/acme:own/guide").want(200, "there is no guide to it")
	p.get("/config/gone:intercom/guide").want(404)
}

func TestGuideDrafts(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	form := controls(p.get(guideOf).one("form[id=draft-live]"))
	form.Set("draft.listing-name", "Zoë’s Intercom")
	form.Set("draft.short-description", "Answers <faster>.")
	p.send("POST", guideOf, form).leadsTo(guideOf + "#step-live")
	page := p.get(guideOf).want(200, "14 of 40 characters", "17 of 70 characters", "The drafts are saved")
	for id, hidden := range map[string]bool{"draft-listing-name-without": false, "draft-short-description-stop": false} {
		if _, is := attr(page.one("p[id="+id+"]"), "hidden"); is != hidden {
			t.Errorf("the hint %s is hidden: %v", id, is)
		}
	}
	form.Set("draft.listing-name", "Overtaken")
	p.send("POST", guideOf, form).want(409, "What you typed is kept below")
	again := controls(p.send("POST", guideOf, form).one("form[id=draft-live]"))
	if again.Get("draft.listing-name") != "Overtaken" || again.Get("revision") != "1" {
		t.Errorf("after a conflict the form has %q", again)
	}
	p.send("POST", guideOf, again).leadsTo(guideOf + "#step-live")
	p.get(guideOf).want(200, "9 of 40 characters")
}

// Every connector's guide can be drawn.
func TestGuideOfEveryConnector(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	for _, d := range h.deps.Catalogue.All() {
		if d.Key == "intercom" {
			continue
		}
		id := config.ID("acme:" + d.Key)
		h.save(string(id), func(draft *config.Draft) {
			draft.Values = nil
			for _, f := range d.Fields {
				value := "a1"
				for _, try := range []string{f.Default, "https://a.b.example", "a1"} {
					if try != "" && f.Check(try) == nil {
						value = try
						break
					}
				}
				if f.Required {
					draft.Values = append(draft.Values, config.Input{Key: f.Key, Secret: f.Secret, Value: text(value)})
				}
			}
		})
		page := p.get("/config/acme:" + url.PathEscape(d.Key) + "/guide")
		if page.status != 200 || !strings.Contains(page.words(), "Register the app at "+d.Name) {
			t.Errorf("%s: %d", d.Key, page.status)
		}
	}
}
