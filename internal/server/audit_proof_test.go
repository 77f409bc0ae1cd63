package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/store"
)

// verified reads a file that was given out, as somebody with the public key does.
func (h *house) verified(file string) audit.Proven {
	h.t.Helper()
	key := must(audit.ParseKey(h.deps.Notary.Key()))(h.t)
	return must(audit.Verification{Key: key}.File(strings.NewReader(file), int64(len(file))))(h.t)
}

// The page of an event offers its receipt, which holds; what is not there has none.
func TestReceipt(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	v := h.save("acme:intercom", nil)
	p := h.owner()
	n := h.events(audit.EntrySaved)
	if len(n) == 0 {
		n = h.events(audit.EntryCreated)
	}
	page := p.get(eventURL(n[0].N)).want(200, "Proof holds", fmt.Sprintf("Version %d of acme:intercom", v.Number), "Everything about acme:intercom", "Everything that "+ownerEmail+" did")
	a := p.get(page.link("Download the receipt")).want(200)
	want := fmt.Sprintf(`attachment; filename="audit-receipt-%d.txt"`, n[0].N)
	if a.header.Get("Content-Disposition") != want || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("%v", a.header)
	}
	if got := h.verified(a.body); got.Kind != audit.KindReceipt || got.Event.N != n[0].N || got.Event.Target != "acme:intercom" {
		t.Errorf("it proves %+v", got)
	}
	if got := strings.TrimSpace(p.get("/audit/proof/key").want(200).body); got != h.deps.Notary.Key() {
		t.Errorf("the key is %q", got)
	}
	head := must(audit.OpenCheckpoint([]byte(p.get("/audit/proof/head").want(200).body), must(audit.ParseKey(h.deps.Notary.Key()))(t)))(t)
	if size := must(h.deps.Audit.Size(t.Context()))(t); head.Size != size {
		t.Errorf("the head is of %d events, the log has %d", head.Size, size)
	}
	for _, path := range []string{"/audit/99/receipt", "/audit/x/receipt", "/audit/-1/receipt"} {
		p.get(path).want(404)
	}
}

// A change says where its record is, and leads there: the event of this very
// request, whoever else writes.
func TestChangeLeadsToItsRecord(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.submit(p.get(entry+"/edit"), entry, "f.apiVersion", "2.14", "then", "pending", "reason", "because").leadsTo(entry)
	h.save("acme:other", nil)
	page := p.get(entry).want(200, "Saved as version 2, pending", "Receipt")
	event := h.events(audit.EntrySaved)
	var want string
	for _, e := range event {
		if e.Reason == "because" {
			want = eventURL(e.N)
		}
	}
	if got := page.link("Receipt"); got != want || want == "" {
		t.Errorf("the toast leads to %q, want %q of %+v", got, want, event)
	}
	p.get(want).want(200, "with the reason “because”")
	if again := p.get(entry); strings.Contains(again.words(), "Receipt") {
		t.Error("it is said twice")
	}
	if got := p.get(entry + "/history").link("Everything about this entry in the audit log"); got != "/audit?target=acme%3Aintercom" {
		t.Errorf("the history leads to %q", got)
	}
}

// Looking at the log is an event, at most one a person and hour, also after the
// program was started again; if it cannot be recorded, nothing is shown.
func TestLookingIsAnEvent(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	looks := func(want int) {
		t.Helper()
		if got := h.events(audit.LogLooked); len(got) != want || got[0].Actor.Name != ownerEmail || got[0].Actor.RequestID == "" || got[0].Outcome != audit.Done {
			t.Fatalf("%d looks, want %d: %+v", len(got), want, got)
		}
	}
	for _, path := range []string{"/audit", "/audit/0", "/audit?who=nobody", "/audit/0/receipt"} {
		p.get(path)
		looks(1)
	}
	restarted := auditPages{newGate(h.deps)}
	if len(restarted.looks.last) != 0 {
		t.Fatal("a new gate knows of looks")
	}
	h.srv.Config.Handler = must(New(h.deps))(t)
	p.get("/audit").want(200)
	looks(1)
	h.pass(20 * time.Minute)
	p.get("/").want(200)
	h.pass(20 * time.Minute)
	p.get("/audit").want(200)
	looks(1)
	h.pass(21 * time.Minute)
	p.raw("HEAD", "/audit", nil)
	looks(1)
	repair := h.breakUpdates(errors.New("the disk is full"))
	p.get("/audit").want(500).lacks("Set up the first admin")
	repair()
	p.get("/audit").want(200, "Looked at the audit log")
	looks(2)
}

// An event that was changed in the data file gets no receipt, and the page says
// what it means.
func TestChangedEventIsAnAlarm(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get("/audit/1/receipt").want(200)
	err := h.store.Update(t.Context(), func(tx store.Tx) error {
		const key = "audit/event/0000000000000001"
		b, err := tx.Get(key)
		tx.Put(key, []byte(strings.Replace(string(b), ownerEmail, "other@acme.example", 1)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.get("/audit/1/receipt").want(503, "was changed", "Compare it with your backups and anchors")
	p.get("/audit/1").want(503, "Event 1 was changed after it was written")
}

// Each route about the log has the permission that fits it.
func TestAuditRoutesNeedTheirPermission(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	special := map[string]auth.Permission{"/audit/export": auth.AuditExport, "/audit/check": auth.AuditCheck, auditNews: auth.AuditCheck, auditKeyPath: auth.AuditCheck, auditHeadPath: auth.AuditCheck}
	seen := 0
	for _, r := range routes(newGate(h.deps)) {
		if !strings.HasPrefix(r.path, "/audit") {
			continue
		}
		seen++
		want := auth.AuditRead
		if s, ok := special[r.path]; ok {
			want = s
		}
		if r.may != want {
			t.Errorf("%s %s needs %s, want %s", r.method, r.path, r.may, want)
		}
	}
	if seen != 8 {
		t.Errorf("%d routes are about the log, want 8", seen)
	}
}
