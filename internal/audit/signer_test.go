package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

func signer(t testing.TB, seed byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func key(t testing.TB, s *audit.Signer) audit.Key {
	t.Helper()
	k, err := audit.ParseKey(s.Key())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func notary(t testing.TB, s store.Store) *audit.Notary {
	t.Helper()
	return audit.NewNotary(audit.NotaryOptions{Store: s, Signer: signer(t, 7), Now: func() time.Time { return later }})
}

// later is after all events.
var later = start.Add(10_000 * time.Hour)

func TestSignerIsTheSameForTheSameSeed(t *testing.T) {
	if a, b, c := signer(t, 1).Key(), signer(t, 1).Key(), signer(t, 2).Key(); a != b || a == c {
		t.Errorf("keys %q, %q of one seed, %q of another", a, b, c)
	}
	if _, err := audit.NewSigner(make([]byte, 31)); err == nil {
		t.Error("a short seed made a key")
	}
	seed := bytes.Repeat([]byte("CANARY!?"), 4)
	s, err := audit.NewSigner(seed)
	if err != nil {
		t.Fatal(err)
	}
	if out := fmt.Sprintf("%v %+v %#v", s, s, *s); strings.Contains(out, string(seed)) || strings.Contains(out, fmt.Sprint(seed)[1:40]) || strings.Contains(out, fmt.Sprintf("%#v", seed)[8:60]) {
		t.Error("a signer printed its key")
	}
	for _, bad := range []string{"", "x", s.Key() + "A", strings.Replace(s.Key(), "backoffice", "backoffjce", 1)} {
		if _, err := audit.ParseKey(bad); err == nil {
			t.Errorf("%q was read as a key", bad)
		}
	}
}

// A head is believed only whole, and only with the key that signed it.
func TestCheckpointIsBelievedOnlyWhole(t *testing.T) {
	s := open(t)
	fill(t, s, 13)
	n := notary(t, s)
	c, err := n.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := audit.NewLog(s).Get(t.Context(), 12)
	if err != nil {
		t.Fatal(err)
	}
	if c.Size != 13 || c.Root != leaf.Root || !c.Time.Equal(later) {
		t.Errorf("head of %d events at %s with root %v, want 13 at %s with %v", c.Size, c.Time, c.Root, later, leaf.Root)
	}
	again, err := audit.OpenCheckpoint(c.Note, key(t, signer(t, 7)))
	if err != nil || again.Size != c.Size || again.Root != c.Root || !again.Time.Equal(c.Time) {
		t.Errorf("read again: %+v, %v", again, err)
	}
	if _, err := audit.OpenCheckpoint(c.Note, key(t, signer(t, 8))); err == nil || !strings.Contains(err.Error(), "not signed with the key") {
		t.Errorf("with another key: %v", err)
	}
	for i := range c.Note {
		bad := bytes.Clone(c.Note)
		bad[i] ^= 1
		if _, err := audit.OpenCheckpoint(bad, key(t, signer(t, 7))); err == nil {
			t.Errorf("believed with byte %d flipped", i)
		}
		if _, err := audit.OpenCheckpoint(c.Note[:i], key(t, signer(t, 7))); err == nil {
			t.Errorf("believed when cut to %d bytes", i)
		}
	}
}

func TestCheckpointFollowsTheLog(t *testing.T) {
	s := open(t)
	n := notary(t, s)
	fill(t, s, 1)
	first, err := n.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same, err := n.Checkpoint(t.Context())
	if err != nil || !bytes.Equal(same.Note, first.Note) {
		t.Errorf("a head without new events: %s, %v", same.Note, err)
	}
	for i := 1; i < 50; i++ {
		if err := audit.Record(t.Context(), s, event(i)); err != nil {
			t.Fatal(err)
		}
		c, err := n.Checkpoint(t.Context())
		if err != nil || c.Size != int64(i+1) {
			t.Fatalf("head after %d events: %d, %v", i+1, c.Size, err)
		}
	}
	stored := keys(t, s, "audit/checkpoint/")
	if len(stored) != 32 || stored[31] != fmt.Sprintf("audit/checkpoint/%016d", 50) {
		t.Errorf("%d heads are kept, up to %s; want 32 up to 50", len(stored), stored[len(stored)-1])
	}
	reopened, err := notary(t, s).Checkpoint(t.Context())
	if err != nil || reopened.Size != 50 {
		t.Errorf("after a restart: %d, %v", reopened.Size, err)
	}
}

// Nothing is signed that does not continue what was signed before.
func TestNotaryRefusesAFork(t *testing.T) {
	for name, change := range map[string]func(store.Tx){
		"the tail is gone":       func(tx store.Tx) { tx.Put("audit/size", []byte("11")) },
		"another tree":           func(tx store.Tx) { tx.Put(fmt.Sprintf("audit/hash/%016d", 7), make([]byte, 4*32)) },
		"a head of somebody":     func(tx store.Tx) { forge(t, tx, 13, 9) },
		"a head that is damaged": func(tx store.Tx) { tx.Put(fmt.Sprintf("audit/checkpoint/%016d", 13), []byte("13")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			fill(t, s, 13)
			if _, err := notary(t, s).Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Update(t.Context(), func(tx store.Tx) error { change(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := audit.Record(t.Context(), s, event(13)); err != nil {
				t.Logf("appending: %v", err)
			}
			_, err := notary(t, s).Checkpoint(t.Context()) // another, as after a restart
			if kind, words := errs.Of(err); !errors.Is(err, audit.ErrForked) || kind != errs.Unavailable || !strings.Contains(words, "backups") {
				t.Errorf("signed: %v", err)
			}
		})
	}
}

// forge puts a head that the key of another seed signed.
func forge(t *testing.T, tx store.Tx, size int64, seed byte) {
	other := open(t)
	fill(t, other, int(size))
	c, err := audit.NewNotary(audit.NotaryOptions{Store: other, Signer: signer(t, seed), Now: func() time.Time { return start }}).Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx.Put(fmt.Sprintf("audit/checkpoint/%016d", size), c.Note)
}

func TestShortForm(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	c, err := notary(t, s).Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if short := c.Short(); len(strings.Fields(short)) != 9 || !strings.HasPrefix(short, "3 ") {
		t.Errorf("short form %q", short)
	}
	for text, ok := range map[string]bool{c.Short(): true, strings.ToUpper(c.Short()): true, strings.Replace(c.Short(), " ", "\n", 4): true,
		"": false, "3": false, c.Short() + " 00": false, "x" + c.Short(): false, strings.Replace(c.Short(), " ", " g", 1): false} {
		if h, err := audit.ParseShort(text); (err == nil) != ok || ok && h.Size != 3 {
			t.Errorf("ParseShort(%q) = %v, %v", text, h, err)
		}
	}
}

func keys(t testing.TB, s store.Store, prefix string) (out []string) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: prefix})
		for _, it := range items {
			out = append(out, it.Key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
