package server

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/backup"
)

func TestBackupPage(t *testing.T) {
	t.Parallel()
	h := open(t, plan{backups: t.TempDir(), token: metricsToken})
	h.save("acme:intercom", nil)
	p := h.owner()
	a := p.get("/settings/backup").want(200, "None was made yet", "Back up now", "Download a backup", "The key file is not in it", "Free share", "Backups are not encrypted")
	a.lacks("is overdue")
	p.get("/settings").want(200, "Backups")
	p.post("/settings/backup").leadsTo("/settings/backup")
	a = p.get("/settings/backup").want(200, "By hand", ownerEmail, "Read back", "Not encrypted", "was made just now")
	e := h.events(audit.BackupMade)
	if len(e) != 1 || e[0].Actor.Name != ownerEmail || !strings.Contains(a.body, e[0].Target) {
		t.Errorf("%+v", e)
	}
	// The schedule stands still: everybody who may know of it is told.
	h.pass(72 * time.Hour)
	p = h.owner()
	p.get("/settings/backup").want(200, "The scheduled backup is overdue")
	p.get("/").want(200, "The scheduled backup is overdue", "See the backups")
	h.as(h.hire("viewer@acme.example", auth.Grant{Role: auth.Viewer})).get("/").want(200).lacks("scheduled backup")
	if got := h.visitor().get("/metrics", "Authorization", "Bearer "+metricsToken).want(200).body; !strings.Contains(got, "backoffice_backup_overdue 1\n") || !strings.Contains(got, "backoffice_backup_last_timestamp_seconds 1.78") ||
		!strings.Contains(got, "backoffice_backup_failures_total 0\n") || !strings.Contains(got, "backoffice_backup_last_bytes ") {
		t.Errorf("metrics:\n%s", got)
	}
}

// A download is the whole archive, on record with its hash; one that fails says why.
func TestBackupDownload(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get("/settings/backup").want(200, "Download a backup").lacks("Back up now")
	a := p.post("/settings/backup/download").want(200)
	if got := a.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="backoffice-`) || !strings.HasSuffix(got, `.tar.zst"`) {
		t.Errorf("it is called %s", got)
	}
	if a.header.Get("Content-Length") != fmt.Sprint(len(a.body)) || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v, %d bytes", a.header, len(a.body))
	}
	m, err := backup.Read(t.Context(), bytes.NewReader([]byte(a.body)), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := h.events(audit.BackupTaken)
	if len(e) != 1 || e[0].Outcome != audit.Done || m.Events >= e[0].N+1 {
		t.Errorf("%+v, %+v", e, m)
	}
	p.post("/settings/backup").want(422, "--backup-dir")
	h.pass(6 * time.Minute)
	p.post("/settings/backup/download").want(403, "Your password again")
	if len(h.events(audit.BackupTaken)) != 1 {
		t.Error("given out without the password")
	}
}

func TestBackupThatFails(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mount")
	h := open(t, plan{backups: dir})
	p := h.owner()
	p.post("/settings/backup").want(503, "is not there. Make it, or mount what belongs there")
	p.get("/settings/backup").want(200, "Failed", "is not there")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p.post("/settings/backup").leadsTo("/settings/backup")
}

// Words on when to compact.
func TestFreeShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size  int64
		share float64
		want  string
	}{{500 << 20, 0.61, "run backoffice compact"}, {500 << 20, 0.3, "There is nothing to do"}, {10 << 20, 0.9, "There is nothing to do"}} {
		p := backupPages{gate{Deps: Deps{Site: Site{DataSize: func() int64 { return tt.size }, FreeShare: func() float64 { return tt.share }}}}}
		facts, note := p.fileFacts()
		if !strings.Contains(note, tt.want) || !strings.HasPrefix(facts[2].Text, fmt.Sprintf("%.0f %%", 100*tt.share)) {
			t.Errorf("%d, %.2f: %q, %+v", tt.size, tt.share, note, facts[2])
		}
	}
}
