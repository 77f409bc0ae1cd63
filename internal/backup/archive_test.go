package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/backup"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"

	"github.com/klauspost/compress/zstd"
)

func TestArchiveRoundTrip(t *testing.T) {
	h := newHouse(t)
	id, public := identity(t)
	other, second := identity(t)
	for name, tt := range map[string]struct {
		r   backup.Recipients
		ids []backup.Identity
	}{
		"in the clear":     {},
		"encrypted":        {recipients(t, public), []backup.Identity{id}},
		"for two":          {recipients(t, public, second), []backup.Identity{other}},
		"one of two files": {recipients(t, second), []backup.Identity{id, other}},
	} {
		t.Run(name, func(t *testing.T) {
			b, made := h.make(t, tt.r)
			if backup.Encrypted(b) != tt.r.Encrypt() || bytes.Contains(b, []byte("CANARY")) {
				t.Error("encrypted, or has a value in it")
			}
			dir := t.TempDir()
			got, err := h.check(h.keys, tt.ids...).Archive(t.Context(), bytes.NewReader(b), dir)
			if err != nil {
				t.Fatal(err)
			}
			if got.Values != 41 || got.Events != 40 || got.HeadSize != 40 || got.Format != 1 || got.Program != "1.2.3" || !got.Made.Equal(h.now) ||
				got.Installation != backup.Installation(h.box) || got.AuditKey != h.log.Key() || len(got.Keys) != 1 || got.Keys[0] != h.keys.ID() || len(got.Behind) != 0 || got.Unread != 0 {
				t.Errorf("%+v", got)
			}
			if fmt.Sprint(got.Manifest) != fmt.Sprint(made.Manifest) {
				t.Errorf("checked %v, made %v", got.Manifest, made.Manifest)
			}
			db, err := bolt.Open(filepath.Join(dir, "backoffice.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.View(t.Context(), func(r store.Reader) error { _, err := r.Get("sample/0039"); return err }); err != nil {
				t.Error(err)
			}
			for _, name := range []string{"backoffice.db", "checkpoint"} {
				if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", name, info, err)
				}
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, ".backup*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Any zstd and tar read an archive: what the format says of itself is so.
func TestArchiveIsATar(t *testing.T) {
	h := newHouse(t)
	b, _ := h.make(t, backup.Recipients{})
	z, err := zstd.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for r := tar.NewReader(z); ; {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	if fmt.Sprint(names) != "[manifest.json manifest.mac checkpoint backoffice.db]" {
		t.Errorf("it has %v", names)
	}
}

// Whatever is changed or cut off is found, whichever byte it is.
func TestEveryByteOfAnArchiveCounts(t *testing.T) {
	h := newHouse(t)
	id, public := identity(t)
	for name, r := range map[string]backup.Recipients{"clear": {}, "encrypted": recipients(t, public)} {
		t.Run(name, func(t *testing.T) {
			good, _ := h.make(t, r)
			read := func(b []byte) error {
				_, err := backup.Read(t.Context(), bytes.NewReader(b), []backup.Identity{id})
				return err
			}
			if err := read(good); err != nil {
				t.Fatal(err)
			}
			var fault *backup.Fault
			step := max(1, len(good)/700)
			for at := 0; at < len(good); at++ {
				if at > 300 && at < len(good)-300 && at%step != 0 {
					continue
				}
				bad := bytes.Clone(good)
				bad[at] ^= 1 << (at % 8)
				if err := read(bad); err == nil || !errors.As(err, &fault) && !errors.Is(err, backup.ErrIdentity) {
					t.Fatalf("byte %d of %d was changed: %v", at, len(good), err)
				}
				if err := read(good[:at]); !errors.As(err, &fault) {
					t.Fatalf("%d bytes of %d: %v", at, len(good), err)
				}
			}
			for _, more := range []string{"x", string(good)} {
				if err := read(append(bytes.Clone(good), more...)); err == nil {
					t.Errorf("%d bytes more pass", len(more))
				}
			}
		})
	}
	for _, junk := range []string{"", "x", strings.Repeat("\x00", 5000), "PK\x03\x04 and more than forty bytes of something else"} {
		var fault *backup.Fault
		if _, err := backup.Read(t.Context(), strings.NewReader(junk), nil); !errors.As(err, &fault) {
			t.Errorf("%.10q: %v", junk, err)
		}
	}
}

func TestWrongIdentityAndKey(t *testing.T) {
	h := newHouse(t)
	_, public := identity(t)
	other, _ := identity(t)
	b, _ := h.make(t, recipients(t, public))
	if _, err := h.check(h.keys, other).Archive(t.Context(), bytes.NewReader(b), t.TempDir()); !errors.Is(err, backup.ErrIdentity) || !strings.Contains(err.Error(), "not to the secret key that was given") {
		t.Errorf("another identity: %v", err)
	}
	if _, err := h.check(h.keys).Archive(t.Context(), bytes.NewReader(b), t.TempDir()); !errors.Is(err, backup.ErrIdentity) || !strings.Contains(err.Error(), "--identity") {
		t.Errorf("no identity: %v", err)
	}
	clear, _ := h.make(t, backup.Recipients{})
	strange, err := secret.Generate()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := h.check(strange).Archive(t.Context(), bytes.NewReader(clear), dir); err == nil || !strings.Contains(err.Error(), "the key "+h.keys.ID()+" is missing") {
		t.Errorf("another key: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("something was written before the key was asked for: %v", left)
	}
}

// An archive whose parts are in order, but do not belong together, is refused: each
// of these was written by somebody who can write archives and has no key.
func TestArchiveOfSomethingElse(t *testing.T) {
	h := newHouse(t)
	for name, tt := range map[string]struct {
		change func(t *testing.T)
		say    string
	}{
		"a value that does not open":  {func(t *testing.T) { h.put(t, "sample/0007", []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}) }, "among the samples"},
		"an event that was rewritten": {func(t *testing.T) { h.put(t, "audit/event/0000000000000003", []byte(`{"n":3}`)) }, "the audit log in it does not hold"},
		"a newer form":                {func(t *testing.T) { h.upTo(t, `{"format":9,"program":"9.0.0"}`) }, "form 9"},
	} {
		t.Run(name, func(t *testing.T) {
			h = newHouse(t)
			tt.change(t)
			b, _ := h.make(t, backup.Recipients{})
			if _, err := h.check(h.keys).Archive(t.Context(), bytes.NewReader(b), t.TempDir()); err == nil || !strings.Contains(err.Error(), tt.say) {
				t.Errorf("%v, want %q", err, tt.say)
			}
		})
	}
}

// An archive that was packed anew, with hashes that hold, by somebody without the
// key, is refused by its MAC.
func TestManifestIsOfTheInstallation(t *testing.T) {
	h, thief := newHouse(t), newHouse(t)
	m := h.maker(backup.Recipients{})
	m.Box = thief.box // another key of the installation
	f, err := os.Create(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := m.Make(t.Context(), f, ""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	c := h.check(h.keys)
	c.Keys = func([]string) error { return nil }
	if _, err := c.Archive(t.Context(), bytes.NewReader(b), t.TempDir()); err == nil || !strings.Contains(err.Error(), "not written by this installation") {
		t.Errorf("%v", err)
	}
}

// What is kept elsewhere is held against the archive: another history is a fault, and
// a later one is said.
func TestCheckMeetsTheAnchors(t *testing.T) {
	h := newHouse(t)
	anchor := filepath.Join(t.TempDir(), "anchors.jsonl")
	push := func() {
		key, err := audit.ParseKey(h.log.Key())
		if err != nil {
			t.Fatal(err)
		}
		head, err := h.log.Checkpoint(t.Context())
		if err == nil {
			err = audit.FilePlace(anchor, key).Push(t.Context(), head)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	push()
	b, _ := h.make(t, backup.Recipients{})
	check := func() (backup.Checked, error) {
		c := h.check(h.keys)
		c.Places = func(k audit.Key) []audit.Place { return []audit.Place{audit.FilePlace(anchor, k)} }
		return c.Archive(t.Context(), bytes.NewReader(b), t.TempDir())
	}
	if got, err := check(); err != nil || got.Heads != 1 || len(got.Behind) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	h.event(t)
	push()
	if got, err := check(); err != nil || got.Heads != 1 || len(got.Behind) != 1 || !strings.Contains(got.Behind[0], "keeps a head of 41 events, and the archive has 40") {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(anchor, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check(); err == nil {
		t.Error("an anchor file that was rewritten passes")
	}
}

// Backups that are made while others write hold what was acknowledged before they
// began, and verify.
func TestArchiveWhileOthersWrite(t *testing.T) {
	h := newHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			e := audit.Event{Time: h.now, Action: audit.SignIn, Actor: audit.Actor{Name: "x@acme.example"}, Outcome: audit.Done}
			err := h.db.Update(context.Background(), func(tx store.Tx) error {
				tx.Put(fmt.Sprintf("row/%06d", n), bytes.Repeat([]byte("x"), 3000))
				return audit.Append(tx, e)
			})
			if err != nil {
				t.Error(err)
				break
			}
		}
		written <- n
	}()
	for range 5 {
		before, err := audit.NewLog(h.s).Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, _ := h.make(t, backup.Recipients{})
		got, err := h.check(h.keys).Archive(t.Context(), bytes.NewReader(b), t.TempDir())
		if err != nil || got.Events < before {
			t.Errorf("%d events, at least %d are to be there: %v", got.Events, before, err)
		}
	}
	stop()
	if n := <-written; n < 10 {
		t.Errorf("only %d changes meanwhile", n)
	}
}

func TestRecipients(t *testing.T) {
	_, public := identity(t)
	for in, fault := range map[string]string{public: "", "age1nonsense": "no public key", "": "no public key", "AGE-SECRET-KEY-1QQQ": "secret key of age", public + "\n" + public: "no public key"} {
		r, err := backup.ParseRecipients([]string{in})
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) || err == nil && (len(r.Names()) != 1 || r.Names()[0] != public) {
			t.Errorf("%q: %v, %v", in, r.Names(), err)
		}
	}
}
