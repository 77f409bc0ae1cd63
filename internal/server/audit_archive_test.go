package server

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
)

// Archived events are on the pages while their file is there; without it, the
// pages name the file, and the rest goes on.
func TestArchivedEventsOnPages(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	dir := t.TempDir()
	*h.deps.Audit = *h.deps.Audit.With(audit.OpenArchive(dir))
	h.save("acme:intercom", nil)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Reason, d.Values[1].Value = 1, 1, "rotated", text("another")
	})
	signer := must(audit.NewSigner(make([]byte, 32)))(t)
	archive := audit.OpenArchive(dir)
	notary := audit.NewNotary(audit.NotaryOptions{Store: h.store, Signer: signer, Now: func() time.Time { return h.clock().Add(1000 * time.Hour) }, Archive: archive})
	a := audit.NewArchiver(audit.ArchiverOptions{Notary: notary, Archive: archive, Keep: time.Hour})
	if moved, err := a.Step(t.Context()); !moved || err != nil || a.State().Dropped != 3 {
		t.Fatalf("%v, %v, %+v", moved, err, a.State())
	}
	p := h.owner()
	p.get("/audit").want(200, "5 events", "Archived old events of the audit log", "Saved a version", "Created the entry")
	p.get("/audit/2").want(200, "rotated", "acme:intercom")
	p.get("/audit?target=acme:intercom&action=entry.save").want(200, "Saved a version")
	names, err := filepath.Glob(filepath.Join(dir, "audit-*.zip"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := os.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	missing := "Events 0 to 2 are in the archive file " + filepath.Base(names[0]) + ", which is missing."
	p.get("/audit").want(200, missing, "Archived old events of the audit log")
	p.get("/audit/2").want(503, missing)
	p.get("/audit/3").want(200, "Events 0 to 2 are in")
	p.get("/config/acme:intercom").want(200)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Reason, d.Values[1].Value = 2, 1, "again", text("a third")
	})
	p.get("/audit?target=acme:intercom").want(200, "Saved a version", missing)
}
