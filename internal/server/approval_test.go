package server

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
)

// pendBy saves a version of the entry as pending, by somebody who is not the owner.
func (h *house) pendBy(id config.ID, by audit.Actor, clientID config.Value) config.Entry {
	h.t.Helper()
	d := config.Draft{ID: id, Values: h.intercom(), Reason: "a new app"}
	d.Values[0].Value = clientID
	if e, err := h.deps.Config.Get(h.t.Context(), id); err == nil {
		d.Revision, d.Base = e.Revision, e.Newest()
	}
	must(h.deps.Config.Save(h.t.Context(), by, d))(h.t)
	return must(h.deps.Config.Get(h.t.Context(), id))(h.t)
}

var someone = audit.Actor{ID: "u9", Name: "someone@acme.example", Addr: "203.0.113.9"}

// Two people put a version in force: one saves, the other approves exactly that.
func TestApproval(t *testing.T) {
	t.Parallel()
	h := open(t, plan{rule: config.RuleBoth, env: "production"})
	boss := h.owner()
	author := h.as(h.hire("author@acme.example", auth.Grant{Role: auth.Admin}))
	editor := h.as(h.hire("editor@acme.example", auth.Grant{Role: auth.Editor}))
	form := author.get("/config/new?connector=intercom").want(200).lacks("Save and put in force")
	author.submit(form, "/config", "id", "acme:intercom", "f.clientId", h.provider.ClientID(), "f.clientSecret", h.provider.ClientSecret(), "f.region", "sandbox", "reason", "first", "then", "pending").leadsTo(entry)

	page := author.get(entry).want(200, "A version needs a good test and the approval of a second person", "Waits for the approval of a second person", "Waits for a good test of version 1", "It waits for approval.")
	if len(page.all("form[action="+entry+"/promote]")) != 0 {
		t.Error("the page offers a promotion that would be refused")
	}
	author.get(entry+"/approve").want(200, "You saved this version, so somebody else has to approve it")
	if page := editor.get(entry).want(200, "Waits for the approval"); page.link("Review version 1") != "" {
		t.Error("the page offers an approval that would be refused")
	}
	author.post(entry+"/promote", "version", "1", "revision", "1").want(422, "lacks the approval of a second person and a good test of these values")
	if e := h.events(audit.EntryPromoted); len(e) != 1 || e[0].Outcome != audit.Refused {
		t.Errorf("events %+v", e)
	}

	boss.get("/").want(200, "Waits for your approval", "acme:intercom")
	author.get("/").want(200, "waits for approval").lacks("Waits for your approval")
	review := boss.get(boss.get(entry).link("Review version 1")).want(200, "Version 1 is the first to be put in force", "author@acme.example", "“first”", "clientSecret", "holds for this content alone")
	if strings.Contains(review.body, h.provider.ClientSecret()) {
		t.Error("the page shows a secret")
	}
	before := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	approve := []string{"version", "1", "revision", "1", "hash", before.PendingHash, "reason", "as in the ticket"}
	author.post(entry+"/approve", approve...).want(403, "You saved this version")
	if e := h.events(audit.EntryApproved); len(e) != 1 || e[0].Outcome != audit.Refused || e[0].Actor.Name != "author@acme.example" {
		t.Errorf("events %+v", e)
	}
	boss.post(entry+"/approve", "version", "1", "revision", "1", "hash", "of another").want(409, "another content than the one that you were shown")
	h.pass(6 * time.Minute)
	asked := boss.post(entry+"/approve", approve...).want(403, "Your password again")
	boss.submit(asked, entry+"/approve", "password", password).leadsTo(entry)
	boss.post(entry+"/approve", approve...).leadsTo(entry) // the button was pressed twice
	if e := h.events(audit.EntryApproved); len(e) != 2 || e[0].Outcome != audit.Done || e[0].Reason != "as in the ticket" || e[0].Version != 1 || e[0].Actor.Name != ownerEmail {
		t.Errorf("events %+v", e)
	}
	boss.get(entry).want(200, "Version 1 is approved", "Approved by "+ownerEmail, "“as in the ticket”", "It waits for a good test.")
	boss.get(entry+"/approve").want(200, ownerEmail+" has approved it", "Withdraw the approval")
	author.get(entry+"/history").want(200, "Approved by "+ownerEmail)

	author.post(entry+"/promote", "version", "1", "revision", "2").want(422, "lacks a good test of these values")
	h.provenBy(author)
	author.get(entry).want(200, "Version 1 has a good test")
	author.submit(author.get(entry), entry+"/promote").leadsTo(entry)
	if e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t); e.Current != 1 || e.Pending != 0 {
		t.Errorf("entry %+v", e)
	}
	author.get(entry).want(200, "Version 1 is in force", "A version needs a good test").lacks("Waits for")
}

// provenBy tests version 1 without consent, which succeeds.
func (h *house) provenBy(p *person) {
	h.t.Helper()
	to := p.post(entry+"/test", "version", "1").want(303).header.Get("Location")
	p.get(to + "/events").want(200)
	ready := must(h.deps.Config.Readiness(h.t.Context(), must(h.deps.Config.Get(h.t.Context(), "acme:intercom"))(h.t)))(h.t)
	if !ready.Tested {
		h.t.Fatalf("the test is not good: %+v\n%s", ready, p.get(to).words())
	}
}

func TestRejection(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	boss := h.owner()
	boss.submit(boss.get(entry+"/rule").want(200, "As the instance: nothing"), entry+"/rule", "rule", "person").leadsTo(entry)
	e := h.pendBy("acme:intercom", someone, text("another"))
	revision := strconv.FormatInt(e.Revision, 10)
	boss.get(entry+"/approve").want(200, "Version 2 changes 1 thing of version 1", "someone@acme.example", "“a new app”")
	ruling := []string{"version", "2", "revision", revision, "hash", e.PendingHash}
	boss.post(entry+"/reject", ruling...).want(422, "Say what is wrong with it")
	boss.post(entry+"/reject", append(ruling, "reason", strings.Repeat("x", config.MaxReason+1))...).want(422, "A reason has at most")
	boss.post(entry+"/reject", append(ruling, "reason", "the id is of the test app")...).leadsTo(entry)
	boss.get(entry).want(200, "Rejected by "+ownerEmail, "“the id is of the test app”", "It is rejected.")
	boss.get("/").want(200, "is rejected").lacks("Waits for your approval")
	boss.get(entry+"/history").want(200, "Rejected by "+ownerEmail)
	boss.post(entry+"/reject", append(ruling, "reason", "again")...).want(409, "You wrote: again")
	boss.submit(boss.get(entry+"/approve"), entry+"/approve").leadsTo(entry)
	withdraw := boss.get(entry+"/approve").want(200, "Withdraw the approval")
	boss.submit(withdraw, entry+"/reject", "reason", "on second thought").leadsTo(entry)
	if got := h.events(audit.ApprovalWithdrawn); len(got) != 1 || got[0].Reason != "on second thought" {
		t.Errorf("events %+v", got)
	}
	boss.post(entry+"/rollback", "version", "1", "revision", "1").want(409)
	boss.get("/config/acme:nothing/approve").want(404)
	h.save("acme:slack", func(d *config.Draft) {
		d.Values = []config.Input{{Key: "clientId", Value: text("a")}, {Key: "clientSecret", Secret: true, Value: text("b")}}
	})
	boss.get("/config/acme:slack/approve").want(404, "Nothing of acme:slack is pending")
}

// Lowering a rule takes a reason, and where a second person was asked for, an owner.
func TestApprovalRule(t *testing.T) {
	t.Parallel()
	h := open(t, plan{rule: config.RulePerson})
	e := h.pendBy("acme:intercom", someone, text("x"))
	boss := h.owner()
	admin := h.as(h.hire("admin@acme.example", auth.Grant{Role: auth.Admin}))
	boss.get("/settings").want(200, "A second person has to approve a version before it is put in force.")
	admin.get(entry+"/rule").want(200, "As the instance: a second person's approval", "Only an owner can take the second person out")
	boss.get(entry+"/rule").want(200, "To ask for less than now takes a reason")
	revision := strconv.FormatInt(e.Revision, 10)
	admin.post(entry+"/rule", "rule", "none", "revision", revision, "reason", "in a hurry").want(403, "Only an owner can take the second person out")
	boss.post(entry+"/rule", "rule", "none", "revision", revision).want(422, "Say why, for the audit log")
	boss.post(entry+"/rule", "rule", "four eyes", "revision", revision).want(422, "There is no such rule")
	boss.post(entry+"/rule", "rule", "", "revision", revision).want(422, "This is the rule already")
	boss.post(entry+"/rule", "rule", "none", "revision", "77", "reason", "y").want(409, "changed this entry after you opened it")
	boss.post(entry+"/rule", "rule", "none", "revision", revision, "reason", "an internal tool").leadsTo(entry)
	boss.get(entry).want(200, "A version can be put in force without anybody's approval", "Promote version 1")
	got := h.events(audit.RuleChanged)
	if len(got) != 2 || got[0].Outcome != audit.Done || got[0].Changes[0] != (audit.Change{Key: "approval rule", Before: "as the instance", After: "none"}) || got[1].Outcome != audit.Refused {
		t.Errorf("events %+v", got)
	}
	admin.submit(admin.get(entry), entry+"/promote").leadsTo(entry)
}

// An emergency: what was in force comes back without a new approval, for a reason.
func TestRollBackWithoutApproval(t *testing.T) {
	t.Parallel()
	h := open(t, plan{rule: config.RulePerson})
	author := h.as(h.hire("author@acme.example", auth.Grant{Role: auth.Admin}))
	boss := h.owner()
	for n, id := range []string{"one", "two"} {
		e := h.pendBy("acme:intercom", someone, text(id))
		boss.post(entry+"/approve", "version", strconv.Itoa(n+1), "revision", strconv.FormatInt(e.Revision, 10), "hash", e.PendingHash).leadsTo(entry)
		author.submit(author.get(entry), entry+"/promote").leadsTo(entry)
	}
	e := must(h.deps.Config.Get(t.Context(), "acme:intercom"))(t)
	form := []string{"version", "1", "revision", strconv.FormatInt(e.Revision, 10)}
	author.post(entry+"/rollback", form...).want(422, "Say why, for the audit log")
	author.post(entry+"/rollback", append(form, "reason", "everything broke")...).leadsTo(entry)
	got := h.events(audit.EntryRolledBack)
	if len(got) != 1 || got[0].Reason != "everything broke" || !strings.Contains(got[0].Note, "Without a new approval: the version was in force before, approved by "+ownerEmail) {
		t.Errorf("events %+v", got)
	}
}
