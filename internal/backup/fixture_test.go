package backup_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/backup"
	"backoffice/internal/format"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"

	"filippo.io/age"
)

var _ = secret.Declare(secret.Kind{Prefix: "sample/", Words: "samples", Find: secret.Whole})

// A house is an installation: its data in use, its key, and a clock.
type house struct {
	dir  string
	db   *bolt.DB
	keys *secret.Keyset
	box  *secret.Box
	now  time.Time
	s    store.Store
	log  *audit.Notary
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), now: time.Date(2026, 11, 22, 21, 56, 35, 0, time.UTC)}
	var err error
	if h.db, err = bolt.Open(filepath.Join(h.dir, "backoffice.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.db.Close() })
	h.s = storetest.Replay(h.db)
	if h.keys, err = secret.Generate(); err != nil {
		t.Fatal(err)
	}
	record, box, err := h.keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	h.box = box
	h.put(t, secret.InstallationKey, record)
	signer, err := audit.NewSigner(box.MAC(audit.SigningDomain, nil))
	if err != nil {
		t.Fatal(err)
	}
	h.log = audit.NewNotary(audit.NotaryOptions{Store: h.s, Signer: signer, Now: h.clock})
	for i := range 40 {
		h.sample(t, i)
		h.event(t)
	}
	return h
}

func (h *house) clock() time.Time { return h.now }

func (h *house) put(t *testing.T, key string, value []byte) {
	t.Helper()
	if err := h.s.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, value); return nil }); err != nil {
		t.Fatal(err)
	}
}

// sample keeps something sealed.
func (h *house) sample(t *testing.T, i int) {
	t.Helper()
	key := fmt.Sprintf("sample/%04d", i)
	b, err := h.box.Seal(fmt.Appendf(nil, "CANARY %d", i), key)
	if err != nil {
		t.Fatal(err)
	}
	h.put(t, key, b)
}

func (h *house) event(t *testing.T) {
	t.Helper()
	e := audit.Event{Time: h.now, Action: audit.SignIn, Actor: audit.Actor{ID: "u1", Name: "owner@acme.example"}, Outcome: audit.Done}
	if err := audit.Record(t.Context(), h.s, e); err != nil {
		t.Fatal(err)
	}
}

var engine = backup.Engine{Check: bolt.CheckFile, Open: func(path string) (store.Store, error) { return bolt.Open(path) }}

func (h *house) maker(r backup.Recipients) *backup.Maker {
	return &backup.Maker{Engine: engine, Snapshot: h.db.Snapshot, Size: func() int64 { return h.db.Stats().FileSize }, Notary: h.log, Box: h.box,
		Spool: h.dir, Program: "1.2.3", Now: h.clock, Recipients: r}
}

// make makes an archive and returns its bytes.
func (h *house) make(t *testing.T, r backup.Recipients) ([]byte, backup.Made) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	made, err := h.maker(r).Make(t.Context(), f, "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(b)); made.Size != int64(len(b)) || made.SHA256 != sum {
		t.Errorf("made %d bytes, %s; the file has %d, %s", made.Size, made.SHA256, len(b), sum)
	}
	return b, made
}

// check is the rehearsal with a keyset.
func (h *house) check(keys *secret.Keyset, ids ...backup.Identity) backup.Check {
	return backup.Check{Engine: engine, Identities: ids, Now: h.clock,
		Keys: func(want []string) error {
			for _, id := range want {
				if id != keys.ID() {
					return errors.New("the key " + id + " is missing")
				}
			}
			return nil
		},
		Unlock: func(ctx context.Context, s store.Store) (box *secret.Box, err error) {
			err = s.View(ctx, func(r store.Reader) error {
				record, err := r.Get(secret.InstallationKey)
				if err == nil {
					box, err = keys.Unlock(record)
				}
				return err
			})
			return box, err
		}}
}

func identity(t *testing.T) (backup.Identity, string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id, id.Recipient().String()
}

func recipients(t *testing.T, list ...string) backup.Recipients {
	t.Helper()
	r, err := backup.ParseRecipients(list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// upTo is the form of the data of a house.
func (h *house) upTo(t *testing.T, form string) {
	t.Helper()
	h.put(t, format.Key, []byte(form))
}
