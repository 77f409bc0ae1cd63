package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
)

// leads follows a link to the log and from the one event that it finds back.
func (p *person) leads(page, label string, action audit.Action, back string) {
	p.h.t.Helper()
	to := p.get(page).want(200).link(label)
	if !strings.Contains(to, "target=acme%3Aintercom") {
		p.h.t.Fatalf("%s: %q leads to %q", page, label, to)
	}
	rows := p.get(to).want(200, action.Title()).all("tr[data-row]")
	for _, row := range rows {
		n, _ := attr(row, "data-row")
		for _, a := range p.get("/audit/" + n).want(200).all("a[href]") {
			if href, _ := attr(a, "href"); href == back {
				return
			}
		}
	}
	p.h.t.Errorf("%s: none of the %d events of %s leads back to %s", page, len(rows), to, back)
}

// Versions, reports and replays lead to their events, and these lead back.
func TestLinksBothWays(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Then, d.Reason, d.Values[0].Value = 1, 1, config.Pend, "second", text("two")
	})
	p := h.owner()
	p.leads(entry+"/history", "its record", audit.EntrySaved, entry+"?version=2")
	report := p.get(h.consent(p, "1", true)).want(303).header.Get("Location")
	p.leads(report, "Its record in the audit log", audit.TestFinished, report)
	p.submit(p.get(entry+"/test").want(200), entry+"/test/token", "version", "1", "token", h.provider.TestToken()).want(303)
	if got := p.get("/team").want(200).link("History"); got != "/audit?who="+url.QueryEscape(ownerEmail) {
		t.Errorf("the history of a person is at %q", got)
	}
	p.get(p.get("/team").link("History")).want(200, "Started a consent run", "Saved a version")
}

// A replay leads to its event, and back, and a notification to those of its entry.
func TestReplayLinksBothWays(t *testing.T) {
	t.Parallel()
	h := mailbox(t)
	p := h.owner()
	page := p.get("/webhooks?topic=company.created&verdict=ok&entry=acme:intercom").pageOf("n2")
	p.post(page+"/replay", "target", h.deps.Site.Sandbox+"/nowhere").leadsTo(page + "#replays")
	p.leads(page, "Its record", audit.NotificationReplayed, page)
	if got := p.get(page).link("Everything about acme:intercom in the audit log"); got != "/audit?target=acme%3Aintercom" {
		t.Errorf("the notification leads to %q", got)
	}
}

// Who may not read the log finds no way to it. Who is for some entries finds of the
// others neither events nor how many there are, on any page.
func TestLogOfSomeEntries(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	for i := range 30 {
		h.save(fmt.Sprintf("globex:s%02d", i), nil)
	}
	total := must(h.deps.Audit.Size(t.Context()))(t)
	p := h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin, Entries: "acme:*"}))
	for _, path := range []string{"/", "/settings", "/audit", "/audit?text=globex", "/audit?outcome=done", "/audit?addr=203.0.113.7", "/audit?from=2026-09-17", entry + "/history", "/team"} {
		a := p.get(path)
		if a.status == 403 {
			continue
		}
		a.want(200).lacks("globex:", "data-chart", "of "+fmt.Sprint(total), fmt.Sprint(total)+" events", "data-news=\"/audit")
		for n := total; n < total+5; n++ { // with what was written meanwhile
			a.lacks(fmt.Sprintf(" %d events", n), fmt.Sprintf(">%d events", n))
		}
	}
	n := h.events(audit.EntryCreated)[30].N // the first entry
	page := p.get(eventURL(n)).want(200, "Proof holds", "given hash").lacks("Size of the log", "Step by step", "Older event", "Newer event")
	if page.one("svg[class=tree]") == nil {
		t.Error("the proof is not drawn")
	}
	h.owner().get(eventURL(n)).want(200, "Size of the log", "Step by step", "event 0, before")
}
