package server

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/secret"
)

// typed is the form of the entry as somebody changed it.
func (p *person) typed(pairs ...string) url.Values {
	p.h.t.Helper()
	form := controls(p.get(entry + "/edit").want(200).one("form[action=" + entry + "]"))
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// Values of a form are tested in a tab of their own, and saved nowhere.
func TestUnsavedValues(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	button := p.get(entry+"/edit").want(200, "Test these values", "Opens in a new tab").one("button[formaction=/config/test-values]")
	if target, _ := attr(button, "formtarget"); target != "_blank" {
		t.Errorf("the test opens in %q", target)
	}
	const wrong = "0123456789012345678901234567890123456789"
	trial := p.send("POST", "/config/test-values", p.typed("f.clientSecret", wrong)).want(303).header.Get("Location")
	run := path.Base(trial)
	if trial != "/trials/"+run {
		t.Errorf("the form leads to %q", trial)
	}
	r := h.finished(run)
	if !r.Kept || !r.Report.Unsaved || r.Report.Version != 1 {
		t.Errorf("kept %v, unsaved %v, from version %d", r.Kept, r.Report.Unsaved, r.Report.Version)
	}
	page := p.get(trial).want(200, r.Report.Headline, "Not saved, edited from version 1", "Nothing was saved", "Nobody is affected: these values are not saved.").lacks(wrong)
	if got := page.link("See it in the history of acme:intercom"); got != entry+"/test/"+run {
		t.Errorf("the history is at %q", got)
	}
	p.get(entry+"/test/"+run).want(200, "These values were not saved", "not saved edited from 1", r.Report.Headline)
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Newest() != 1 || e.Revision != 1 {
		t.Errorf("testing saved something: %+v", e)
	}
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base = 1, 1
		d.Values[1].Value = config.TextValue(secret.NewText(wrong))
	})
	p.get(entry+"/test/"+run).want(200, "Not saved then; the same values as version 2").lacks("These values were not saved")
}

// Values of an entry that is not there yet are known to who typed them only.
func TestUnsavedValuesOfNoEntry(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	form := controls(p.get("/config/new?connector=intercom").want(200, "Test these values").one("form[action=/config]"))
	form.Set("f.clientId", h.provider.ClientID())
	form.Set("f.clientSecret", h.provider.ClientSecret())
	trial := p.send("POST", "/config/test-values", form).want(303).header.Get("Location")
	r := h.finished(path.Base(trial))
	if r.Kept {
		t.Error("the report of no entry is kept")
	}
	p.get(trial).want(200, r.Report.Headline, "This report is not kept").lacks("See it in the history")
	p.get(trial + "/events").want(200)
	p.get(entry + "/test/" + path.Base(trial)).want(404)

	d := config.Draft{ID: "acme:intercom", Values: h.intercom()}
	release := h.hold()
	defer release()
	ref := must(h.deps.OAuth.DiagnoseDraft(t.Context(), audit.Actor{ID: "somebody else", Name: "else@acme.example"}, d))(t)
	for _, to := range []string{"/trials/" + ref.Report, "/trials/" + ref.Report + "/events", "/trials/nosuch"} {
		p.get(to).want(404, "no such test of yours")
	}
	p.send("POST", "/config/test-values", form).want(429, "Too early for another test").lacks("Watch the test")
	if e, err := h.deps.Config.Get(t.Context(), "acme:intercom"); err == nil {
		t.Errorf("testing made an entry: %+v", e)
	}
	h.save("acme:intercom", nil) // now there is one, and the test is still not of it
	p.get(entry + "/test/" + ref.Report).want(404)
	p.get(entry + "/test/" + ref.Report + "/events").want(404)
	p.get(entry+"/test").want(200, "Nobody has tested this entry yet").lacks("A test is under way")
}

// Under way, the page of unsaved values shows it, and another test leads there.
func TestUnsavedValuesUnderWay(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	release := h.hold()
	defer release()
	trial := p.send("POST", "/config/test-values", p.typed()).want(303).header.Get("Location")
	page := p.get(trial).want(200, "Testing values that are not saved", "Steps so far")
	if got, _ := attr(page.one("section[data-events]"), "data-events"); got != trial+"/events" {
		t.Errorf("the events are at %q", got)
	}
	if !strings.Contains(page.body, `http-equiv="refresh"`) {
		t.Error("without scripts the page does not load itself again")
	}
	refused := p.send("POST", "/config/test-values", p.typed()).want(429, "A test of acme:intercom is under way")
	if got := refused.link("Watch the test that is under way"); got != entry+"/test/"+path.Base(trial) {
		t.Errorf("the refusal leads to %q", got)
	}
	release()
	h.finished(path.Base(trial))
	saved, run := h.diagnose(p, "1")
	h.finished(run)
	p.get("/trials/" + run).leadsTo(saved)
}

// What cannot be tested is said in the new tab, with the names of the fields.
func TestUnsavedValuesWithFaults(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	const canary = "CANARY-of-the-form"
	stale := p.typed("revision", "7")
	before := h.dump()
	for _, tt := range []struct {
		name   string
		form   url.Values
		status int
		words  []string
	}{
		{"an empty client ID", p.typed("f.clientId", "", "f.clientSecret", canary), 422, []string{"A field needs your attention", "Client ID"}},
		{"a bad id", fields("id", "acme intercom", "connector", "intercom", "f.clientSecret", canary), 422, []string{"Id of the entry"}},
		{"a lost secret", p.typed("retype.clientSecret", "yes"), 422, []string{"Client secret", "type it again"}},
		{"an entry that changed", stale, 409, []string{"Nothing was tested", "Look at what changed"}},
		{"an entry that is gone", p.typed("id", "gone:intercom"), 404, []string{"Nothing was tested"}},
		{"an id that is taken", fields("id", "acme:intercom", "connector", "intercom", "f.clientId", "x", "f.clientSecret", canary, "f.region", "sandbox", "f.apiVersion", "2.10"), 409, []string{"There is an entry acme:intercom already"}},
		{"no definition", fields("id", "acme:own", "key", "k", "value", canary, "secret", "yes"), 422, []string{"Nothing was tested", "no connector definition"}},
		{"no numbers", p.typed("revision", "x"), 422, []string{"Open it again"}},
	} {
		a := p.send("POST", "/config/test-values", tt.form)
		a.want(tt.status, append(tt.words, "Go back to the other tab", "Reference")...).lacks(canary)
	}
	h.unchanged(before, "a form with faults")
}
