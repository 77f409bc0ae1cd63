package server

import (
	"strings"
	"testing"

	"backoffice/internal/oauth"
)

// How sure a verdict is, is said in a sentence, whatever the verdict rests on.
func TestSure(t *testing.T) {
	t.Parallel()
	with := func(v oauth.Verdict, f oauth.Field, fv oauth.Verdict) oauth.Report {
		return oauth.Report{Verdict: v, Fields: []oauth.FieldVerdict{{Field: f, Verdict: fv}}}
	}
	denied := with(oauth.Inconclusive, oauth.State, oauth.OK)
	denied.Denied = true
	for _, tt := range []struct {
		report oauth.Report
		want   string
	}{
		{oauth.Report{Kind: oauth.TokenRun}, "Only the identity call was made"},
		{with(oauth.Warning, oauth.ClientSecret, oauth.OK), "Proven: the provider exchanged a real code"},
		{denied, "Not decided: the person at the consent page said no"},
		{with(oauth.Inconclusive, oauth.ClientID, oauth.Inconclusive), "Not decided: the answer fits more than one cause"},
		{with(oauth.Wrong, oauth.Reachability, oauth.Wrong), "The address did not give an answer of the provider"},
		{with(oauth.Wrong, oauth.ClientID, oauth.Wrong), "The provider’s own answer says so."},
	} {
		if got := sure(tt.report); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// In a rehearsal the remedy leads to the sandbox, else to the provider.
func TestRemedyLink(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	report := p.get(h.consent(p, "1", false)).want(303).header.Get("Location")
	if a := p.get(report).want(200, "Open the sandbox"); !strings.Contains(a.body, `href="`+h.deps.Site.Sandbox+`"`) {
		t.Error("the link does not lead to the sandbox")
	}
	def := h.deps.Config.Definition("acme:intercom")
	pages := testPages{newGate(h.deps)}
	if got := pages.consoleOf(def, false); got != consoleLink(def) || !got.Known() {
		t.Errorf("the remedy of the provider leads to %+v", got)
	}
	pages.Site.Sandbox = ""
	if got := pages.consoleOf(def, true); got.Known() {
		t.Errorf("the remedy of a rehearsal without a sandbox leads to %+v", got)
	}
}
