package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/keyring"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// runHere runs a command here, and returns what it says.
func runHere(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out buffer
	if got := mainWith(t.Context(), args, console{&out, &out}); got != want {
		t.Errorf("%v: status %d, want %d: %s", args, got, want, out.String())
	}
	return out.String()
}

// A backup of data whose old events are in archive files has these files, proves
// them, and puts them back; also over one that is damaged, and not without saying so
// where it was made without them.
func TestBackupWithArchiveFiles(t *testing.T) {
	k := furnish(t)
	k.open(t)
	old(t, k.db, 300)
	k.close(t)
	archive := t.TempDir()
	s := defaults(k.dir)
	s.AuditKeepDays, s.AuditArchive = 30, archive
	if err := s.MetricsToken.UnmarshalText([]byte(meterToken)); err != nil {
		t.Fatal(err)
	}
	p := start(t, s)
	until(t, "metrics", func() string { return p.scrape(t) }, `backoffice_audit_archived_events 300\n`)
	file := filepath.Join(t.TempDir(), "backup")
	runHere(t, 0, "backup", file, "--data", k.dir)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(archive, "audit-*.zip"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	want, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(k.dir, "backoffice.key")
	if out := runHere(t, 0, "verify", file, "--key-file", key); !strings.Contains(out, "VERIFIED") || strings.Contains(out, "were not there") {
		t.Errorf("verify: %s", out)
	}
	// Elsewhere, on a machine that has nothing but the key.
	there, filesThere := t.TempDir(), filepath.Join(t.TempDir(), "archive")
	if out := runHere(t, 1, "restore", file, "--data", there, "--key-file", key); !strings.Contains(out, "1 archive file of the audit log. Name the directory where they belong with --audit-archive. Nothing was replaced") {
		t.Errorf("without a directory: %s", out)
	}
	if left, err := os.ReadDir(there); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	runHere(t, 0, "restore", file, "--data", there, "--key-file", key, "--audit-archive", filesThere)
	same := func(what string) {
		t.Helper()
		got, err := os.ReadFile(filepath.Join(filesThere, filepath.Base(files[0])))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the archive file is not what it was: %v", what, err)
		}
		if all, err := os.ReadDir(filesThere); err != nil || len(all) != 1 {
			t.Errorf("%s: %v, %v", what, all, err)
		}
	}
	same("restored")
	out := runHere(t, 0, "audit", "export", filepath.Join(t.TempDir(), "all.zip"), "--data", there, "--key-file", key, "--audit-archive", filesThere)
	if !strings.HasPrefix(out, "30") { // with those in the file
		t.Errorf("export: %s", out)
	}
	// A disk has lost a byte of the file that is there.
	damaged := bytes.Clone(want)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(filepath.Join(filesThere, filepath.Base(files[0])), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	runHere(t, 0, "restore", file, "--data", there, "--key-file", key, "--audit-archive", filesThere, "--force")
	same("restored over a damaged one")
	// Made without them, which has to be said while they can still be had.
	bare := filepath.Join(t.TempDir(), "bare")
	if out := runHere(t, 0, "backup", bare, "--data", k.dir); !strings.Contains(out, "1 archive file of the audit log is not in it") || !strings.Contains(out, "--audit-archive") {
		t.Errorf("backup without the directory: %s", out)
	}
	if out := runHere(t, 0, "backup", filepath.Join(t.TempDir(), "whole"), "--data", k.dir, "--audit-archive", archive); strings.Contains(out, "not in it") && strings.Contains(out, "archive file") {
		t.Errorf("backup with it: %s", out)
	}
	k.open(t)
	page, err := audit.NewLog(k.db).List(t.Context(), audit.Filter{Limit: 2})
	k.close(t)
	if err != nil || !strings.Contains(page.Events[1].Note, "1 archive file of the audit log is not in it") || strings.Contains(page.Events[0].Note, "archive file") {
		t.Errorf("on record: %+v, %v", page.Events, err)
	}
	if out := runHere(t, 0, "verify", bare, "--key-file", key); !strings.Contains(out, filepath.Base(files[0])) {
		t.Errorf("verify: %s", out)
	}
}

// A backup from the middle of a re-sealing names both keys, is refused with the new
// one alone before anything is unpacked, and is restored with the keys of then.
func TestBackupAmidResealing(t *testing.T) {
	k := furnish(t)
	k.open(t)
	k.sealAll(t)
	c := checked{dataFile: filepath.Join(k.dir, dataName)}
	var err error
	if c.keys, err = (&keySettings{}).keeper(k.dir); err != nil {
		t.Fatal(err)
	}
	r := keyring.New(keyring.Options{Store: keyring.Guard(k.db, k.box), Box: k.box, Keeper: c.keys, Now: time.Now})
	if err := r.Note(t.Context(), consoleActor); err != nil {
		t.Fatal(err)
	}
	older := k.box.KeyID()
	if _, err := r.Rotate(t.Context(), consoleActor); err != nil {
		t.Fatal(err)
	}
	// The record of the installation is done, and most is not.
	err = k.db.Update(t.Context(), func(tx store.Tx) error {
		was, err := tx.Get(secret.InstallationKey)
		if err != nil {
			return err
		}
		plain, err := k.box.Open(was, secret.InstallationKey)
		if err != nil {
			return err
		}
		now, err := k.box.Seal(plain, secret.InstallationKey)
		tx.Put(secret.InstallationKey, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.close(t)
	key := filepath.Join(k.dir, "backoffice.key")
	both := filepath.Join(t.TempDir(), "then.key")
	if err := copyTo(key, both); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "backup")
	runHere(t, 0, "backup", file, "--data", k.dir)
	runHere(t, 0, "keys", "reseal", "--data", k.dir)
	runHere(t, 0, "keys", "retire", older, "--data", k.dir)
	out := runHere(t, 2, "verify", file, "--key-file", key)
	if !strings.Contains(out, "the backup is sealed with key "+older+", and the key file has "+k.box.KeyID()) || strings.Contains(out, "every page") {
		t.Errorf("with the new key alone: %s", out)
	}
	there := t.TempDir()
	if out := runHere(t, 0, "restore", file, "--data", there, "--key-file", both); !strings.Contains(out, "Restored") {
		t.Errorf("with the keys of then: %s", out)
	}
	if out := runHere(t, 0, "keys", "reseal", "--data", there, "--key-file", both); !strings.Contains(out, older+"  opens  ") {
		t.Errorf("sealing on: %s", out)
	}
}

// What is missing is named, whether a file was named or not.
func TestMissingKeyIsNamed(t *testing.T) {
	k := furnish(t)
	key := filepath.Join(k.dir, "backoffice.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"backup", filepath.Join(t.TempDir(), "x")}, {"audit", "key"}, {"keys", "list"}} {
		if out := runHere(t, 1, append(args, "--data", k.dir)...); !strings.Contains(out, "the key file "+key+" is missing") {
			t.Errorf("%v: %s", args, out)
		}
	}
}
