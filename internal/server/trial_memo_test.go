package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/secret"
)

// The body of the tab is remembered, and what changes is seen at once all the
// same: another report, another label, a consent run that was started, the time.
func TestTheTabIsNeverStale(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", func(d *config.Draft) { d.Then = config.Pend })
	p := h.owner()
	address, run := h.diagnose(p, "1")
	h.finished(run)
	first := must(h.deps.OAuth.Report(t.Context(), "acme:intercom", run))(t)
	for range 3 {
		p.get(address).want(200, first.Headline, "Version 1, pending")
	}
	runs := func(path string) int { return strings.Count(p.get(path).body, `<th scope="row"`) }
	if got := runs(entry + "/test"); got != 1 {
		t.Errorf("%d runs are listed, want 1", got)
	}
	must(h.deps.OAuth.TestToken(t.Context(), audit.Actor{Name: ownerEmail}, "acme:intercom", 1, secret.NewText("a-token")))(t) // no time passes
	if got := runs(address); got != 2 {
		t.Errorf("%d runs are listed after a token was tried, want 2", got)
	}
	_, second := h.diagnose(p, "1")
	h.finished(second)
	if got := runs(address); got != 3 {
		t.Errorf("%d runs are listed after another one, want 3", got)
	}
	for path, shown := range map[string]string{address: run, entry + "/test": second, entry + "/test/" + second: second} {
		if body := p.get(path).body; !strings.Contains(body, "/test/"+shown+"/casefile") {
			t.Errorf("%s does not show the run %s", path, shown)
		}
	}
	e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	must(h.deps.Config.Promote(t.Context(), audit.Actor{Name: ownerEmail}, config.Move{ID: e.ID, Revision: e.Revision, Version: 1}))(t)
	p.get(address).want(200, "Version 1, in force").lacks("Version 1, pending")
	p.post(entry+"/consent", "version", "1").want(200)
	p.get(address).want(200, "has not come back")
	h.pass(20 * time.Minute)
	p.get(address).want(200, "20 minutes ago")
}

// Only the newest few bodies are kept.
func TestBodiesAreFew(t *testing.T) {
	t.Parallel()
	var b bodies
	for n := range 5 * maxBodies {
		b.put(bodyKey{run: fmt.Sprint(n)}, drawnBody{})
		if _, ok := b.get(bodyKey{run: fmt.Sprint(n)}); !ok {
			t.Errorf("body %d is gone at once", n)
		}
	}
	if len(b.seen) != maxBodies {
		t.Errorf("%d bodies are kept, want %d", len(b.seen), maxBodies)
	}
}
