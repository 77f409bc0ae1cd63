package auth

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

func TestSetupMakesTheFirstOwner(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	if err := w.CheckSetup(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	u, err := w.Setup(t.Context(), audit.Actor{Addr: home, RequestID: "r7"}, newAdmin(token))
	if err != nil {
		t.Fatal(err)
	}
	want := User{ID: u.ID, Email: owner, Grant: Grant{Role: Owner}, Created: w.clock.t, PasswordChanged: w.clock.t}
	if u != want || len(u.ID) < 26 {
		t.Errorf("Setup = %+v, want %+v", u, want)
	}
	event := audit.Event{
		Time: w.clock.t, Actor: audit.Actor{ID: u.ID, Name: owner, Addr: home, RequestID: "r7"},
		Action: audit.Setup, Target: owner, Outcome: audit.Done, Note: "As owner.",
	}
	if got := w.lastEvent(); got.Changes != nil || !sameEvent(got, event) {
		t.Errorf("event %+v, want %+v", got, event)
	}
	if strings.Contains(w.dump(), "auth/setup") {
		t.Error("the token's record is still there")
	}
	if got, err := w.signIn(home, owner, password); err != nil || got != u {
		t.Errorf("the new owner signs in: %+v, %v", got, err)
	}
}

func sameEvent(a, b audit.Event) bool {
	return a.N == b.N && a.Time.Equal(b.Time) && a.Actor == b.Actor && a.Action == b.Action && a.Target == b.Target &&
		a.Version == b.Version && a.Outcome == b.Outcome && a.Reason == b.Reason && a.Note == b.Note && len(a.Changes) == len(b.Changes)
}

func TestSetupTokenIsForOneUse(t *testing.T) {
	w := newWorld(t)
	first := w.token()
	second := w.token()
	if first.Reveal() == second.Reveal() || len(second.Reveal()) != 43 {
		t.Fatal("tokens are not fresh, or not of 256 bits")
	}
	refused := func(name string, token secret.Text) {
		t.Helper()
		if err := w.CheckSetup(t.Context(), token); !errs.Is(err, errs.NotFound) {
			t.Errorf("CheckSetup with %s: %v", name, err)
		}
		before := w.dump()
		if u, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(token)); !errs.Is(err, errs.NotFound) || u != (User{}) {
			t.Errorf("Setup with %s: %+v, %v", name, u, err)
		}
		if w.dump() != before {
			t.Errorf("Setup with %s wrote something", name)
		}
	}
	refused("a replaced token", first)
	refused("no token", secret.Text{})
	refused("another token", secret.NewText(newToken()))
	refused("the hash of the token", secret.NewText(string(hashOf(second.Reveal()))))
	if _, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(second)); err != nil {
		t.Fatal(err)
	}
	refused("a used token", second)
	record := setupToken{Hash: hashOf(second.Reveal())}
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return setupTokens.Put(tx, "", record) }); err != nil {
		t.Fatal(err)
	}
	refused("a token that came back, though there is an owner,", second)
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { setupTokens.Delete(tx, ""); return nil }); err != nil {
		t.Fatal(err)
	}
	token, needed, err := w.SetupToken(t.Context())
	if !token.IsZero() || needed || err != nil {
		t.Errorf("SetupToken with an owner: %v, %v, %v", token, needed, err)
	}
	if strings.Contains(w.dump(), "auth/setup") {
		t.Error("a token was made though there is an owner")
	}
}

// A wrong token costs no hashing, or anybody could keep the program busy.
func TestWrongSetupTokenIsCheap(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	w.fillQueue()
	if _, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(secret.NewText(newToken()))); !errs.Is(err, errs.NotFound) {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(token)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("the right token: %v", err)
	}
}

// fillQueue makes every further hash an errs.Unavailable.
func (w *world) fillQueue() {
	for range hashesQueued {
		w.hasher.queue <- struct{}{}
	}
}

func TestSetupFields(t *testing.T) {
	long := strings.Repeat("a", maxEmail-len("@acme.example")+1) + "@acme.example"
	for _, email := range []string{
		"", " ", "owner", "owner@", "@acme.example", "Owner <owner@acme.example>", "a@b@c", "a b@acme.example", "\"a b\"@acme.example",
		"owner@acme.example, b@acme.example", "owner@acme.example\nBcc: x@acme.example", "(x)owner@acme.example", long,
	} {
		w := newWorld(t)
		n := newAdmin(w.token())
		n.Email, n.Again = email, secret.NewText("another")
		before := w.dump()
		_, err := w.Setup(t.Context(), audit.Actor{}, n)
		f := errs.Fields(err)
		if len(f) != 2 || f["email"] == "" || f["password2"] == "" || !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: fields %v of %v", email, f, err)
		}
		if w.dump() != before {
			t.Errorf("%q: something was written", email)
		}
		if err := w.CheckSetup(t.Context(), n.Token); err != nil {
			t.Errorf("%q: the token was used up: %v", email, err)
		}
	}
	for _, email := range []string{"o@localhost", "o+x@acme.example", long[1:], "zoë@acme.example", "a/b@acme.example"} {
		w := newWorld(t)
		n := newAdmin(w.token())
		n.Email = email
		if u, err := w.Setup(t.Context(), audit.Actor{}, n); err != nil || u.Email != email {
			t.Errorf("%q: %+v, %v", email, u, err)
		}
		if _, err := w.signIn(home, strings.ToUpper(email), password); err != nil {
			t.Errorf("%q: %v", email, err)
		}
	}
}

func TestTwoSetupsAtOnce(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	var done, refused atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(token)); {
			case err == nil:
				done.Add(1)
			case errs.Is(err, errs.NotFound):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	users, err := w.Users(t.Context())
	if done.Load() != 1 || refused.Load() != 7 || len(users) != 1 || err != nil {
		t.Errorf("%d done, %d refused, users %+v, %v", done.Load(), refused.Load(), users, err)
	}
}

// Invariant 1: no change without its record.
func TestNothingHappensWithoutItsRecord(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	w.breakAuditLog()
	before := w.dump()
	if _, err := w.Setup(t.Context(), audit.Actor{}, newAdmin(token)); err == nil || kindOf(err) != errs.Internal {
		t.Errorf("Setup = %v", err)
	}
	if w.dump() != before {
		t.Error("Setup left something behind")
	}

	w, u := withOwner(t)
	st := w.sessions(false)
	b := newBrowser(t, w, st)
	b.signIn(u)
	w.breakAuditLog()
	before = w.dump()
	for name, f := range map[string]func() error{
		"sign-in":        func() error { _, err := w.signIn(home, owner, password); return err },
		"failed sign-in": func() error { _, err := w.signIn(home, owner, "wrong"); return err },
		"unknown":        func() error { _, err := w.signIn(home, "x@acme.example", "wrong"); return err },
		"confirmation":   func() error { return w.CheckPassword(t.Context(), audit.Actor{}, u.ID, secret.NewText("wrong")) },
		"change": func() error {
			p := secret.NewText("another sentence")
			return w.ChangePassword(t.Context(), audit.Actor{}, PasswordChange{UserID: u.ID, Current: secret.NewText(password), Password: p, Again: p})
		},
		"sign-out": func() error {
			if b.get("/out") != "failed" {
				return nil
			}
			return errors.New("failed")
		},
	} {
		if err := f(); err == nil || kindOf(err) != errs.Internal {
			t.Errorf("%s: %v", name, err)
		}
		if w.dump() != before {
			t.Errorf("%s left something behind", name)
		}
	}
}
