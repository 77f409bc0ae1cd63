package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/keyring"
	"backoffice/internal/secret"
)

// From the page, a key is made, everything is sealed anew with progress, and the old
// one is retired; each is on record, and no page before it is asked for offers it.
func TestKeyPages(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	old := h.deps.Keys.Box.KeyID()
	n := h.sealed()
	a := p.get("/settings/keys").want(200, old, "Seals", n, "Make a new key", "a copy from before does not open what is sealed since", "None: whoever can read it has the key")
	a.lacks("Retire key", "record anew", "Under way")
	p.get("/settings/keys/progress").leadsTo("/settings/keys")

	p.post("/settings/keys/rotate").leadsTo("/settings/keys")
	id := h.deps.Keys.Box.KeyID()
	if id == old {
		t.Fatal("the old key still seals")
	}
	a = p.get("/settings/keys").want(200, "A new key seals, and everything else is being sealed anew", id, old, "Opens what it sealed", "Under way", "0 records so far", "Started by "+ownerEmail)
	a.lacks("Retire key "+old, "Seal "+n+" anew")
	if !strings.Contains(a.body, `<noscript><meta http-equiv="refresh" content="2"></noscript>`) {
		t.Error("without scripts, the page does not look again")
	}
	part := p.get("/settings/keys/progress", "HX-Request", "true").want(200, "0 records so far")
	part.lacks("<html", "Which key seals what")
	p.post("/settings/keys/retire", "key", old).want(409, "still seals "+n)

	h.resealed()
	part = p.get("/settings/keys/progress", "HX-Request", "true").want(200)
	if part.header.Get("HX-Refresh") != "true" {
		t.Error("the page is not told to load itself again")
	}
	a = p.get("/settings/keys").want(200, "Retire key "+old, "backoffice.key.with-"+old, "0 records").lacks("Under way", "http-equiv")
	p.submit(a, "/settings/keys/retire", "key", old, "copy", "yes").leadsTo("/settings/keys")
	p.get("/settings/keys").want(200, "The key is retired", "Retired", old).lacks("Retire key "+old, "Opens what it sealed")
	if o, err := h.deps.Config.Open(t.Context(), "acme:intercom", 1); err != nil || secret.KeyOf(o.Sealed) != id {
		t.Errorf("the entry: sealed with %s, %v", secret.KeyOf(o.Sealed), err)
	}
	for action, want := range map[audit.Action]string{audit.KeyRotated: id, audit.KeyResealed: id, audit.KeyRetired: old} {
		if e := h.events(action); len(e) != 1 || e[0].Target != want || e[0].Actor.Name != ownerEmail || e[0].Outcome != audit.Done {
			t.Errorf("%s: %+v", action, e)
		}
	}
	if e := h.events(audit.KeyResealed); !strings.Contains(e[0].Note, "values of versions: 1") {
		t.Errorf("counts: %q", e[0].Note)
	}
	for target, kind := range map[string]int{id: 422, "ffffffff": 404, "": 404} {
		p.post("/settings/keys/retire", "key", target).want(kind)
	}
}

// sealed is how many records are sealed now, in words: the entry's version, and what
// the rooms sealed for themselves at their start.
func (h *house) sealed() string {
	h.t.Helper()
	n := 0
	for _, k := range secret.Kinds() {
		for key, value := range h.dump() {
			if strings.HasPrefix(key, k.Prefix) && k.Find != nil {
				n += len(must(k.Find(key, []byte(value)))(h.t))
			}
		}
	}
	if n == 0 {
		h.t.Fatal("nothing is sealed")
	}
	return recordsWords(n)
}

// resealed has the re-sealing that was asked for done, as Run does.
func (h *house) resealed() {
	h.t.Helper()
	if err := h.deps.Keys.Finish(h.t.Context(), func(keyring.State) {}); err != nil {
		h.t.Fatal(err)
	}
}

// A key that the program cannot write is changed elsewhere, and the page says how.
func TestKeysElsewhere(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.post("/settings/keys/rotate").leadsTo("/settings/keys")
	h.resealed()
	h.keys.readOnly = true
	p.get("/settings/keys").want(200, "backoffice keys rotate --to new.json", "backoffice keys retire ID --to new.json").lacks("Make a new key", "Retire key")
	before := h.dump()
	p.post("/settings/keys/rotate").want(422, "backoffice keys rotate --to FILE")
	h.unchanged(before, "a rotation that cannot be kept")
}

// What older keys sealed can be sealed anew at any time, and a key of long ago is
// said to be old.
func TestStaleKeys(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	n := h.sealed()
	if _, err := h.deps.Keys.Rotate(context.Background(), audit.Actor{}); err != nil {
		t.Fatal(err)
	}
	p := h.owner()
	a := p.get("/settings/keys").want(200, "Seal "+n+" anew").lacks("Under way")
	p.submit(a, "/settings/keys/reseal").leadsTo("/settings/keys")
	p.get("/settings/keys").want(200, "Everything is being sealed anew", "Under way")
	h.resealed()
	h.pass(366 * 24 * time.Hour)
	h.owner().get("/settings/keys").want(200, "Seals, and is older than a year")
	h.become("admin")
	h.owner().get("/settings/keys").want(200, h.deps.Keys.Box.KeyID()).lacks("Make a new key", "Retire key")
}
