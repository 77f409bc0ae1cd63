package auth

import (
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
)

func TestConsole(t *testing.T) {
	w, boss := withOwner(t)
	pass, err := w.ConsoleAdd(t.Context(), " New@ACME.example", Grant{Editor, "acme:*"})
	if err != nil || len(pass.Reveal()) != 26 || strings.Contains(w.dump(), pass.Reveal()) {
		t.Fatalf("ConsoleAdd = %d characters, %v", len(pass.Reveal()), err)
	}
	if e := w.lastEvent(); e.Action != audit.PersonJoined || e.Actor != console || e.Target != "new@acme.example" || len(e.Changes) != 2 {
		t.Errorf("event %+v", e)
	}
	u, err := w.signIn(home, "new@acme.example", pass.Reveal())
	if err != nil || u.Grant != (Grant{Editor, "acme:*"}) {
		t.Errorf("SignIn = %+v, %v", u, err)
	}
	for field, err := range map[string]error{"email": second(w.ConsoleAdd(t.Context(), "new@acme.example", Grant{Role: Editor})),
		"role": second(w.ConsoleAdd(t.Context(), "x@acme.example", Grant{Role: "king"})), "entries": second(w.ConsoleAdd(t.Context(), "x@acme.example", Grant{Owner, "x"}))} {
		if errs.Fields(err)[field] == "" {
			t.Errorf("no fault of %s: %v", field, err)
		}
	}
	w.enrol(u)
	w.session(u)
	w.ok(w.ConsoleDisable(t.Context(), "NEW@acme.example"))
	if e := w.lastEvent(); e.Action != audit.PersonDisabled || e.Actor != console || e.Note != "Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	if err := w.ConsoleDisable(t.Context(), owner); !errs.Is(err, errs.Invalid) {
		t.Errorf("the last owner is disabled: %v", err)
	}
	w.clock.add(time.Hour)
	fresh, err := w.ConsoleReset(t.Context(), "new@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	if e := w.lastEvent(); e.Action != audit.PasswordChanged || e.Actor != console || !strings.HasPrefix(e.Note, "Reset on the console, without a second factor.") {
		t.Errorf("event %+v", e)
	}
	if got, err := w.signIn(home, "new@acme.example", fresh.Reveal()); err != nil || !got.Active() || !got.App.IsZero() {
		t.Errorf("after the reset: %+v, %v", got, err)
	}
	if _, err := w.signIn(home, "new@acme.example", pass.Reveal()); !errs.Is(err, errs.Invalid) {
		t.Errorf("with the password of before: %v", err)
	}
	for _, err := range []error{w.ConsoleDisable(t.Context(), "nobody@acme.example"), second(w.ConsoleReset(t.Context(), "nobody@acme.example"))} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	}
	w.breakAuditLog()
	before := w.dump()
	for _, err := range []error{second(w.ConsoleAdd(t.Context(), "y@acme.example", Grant{Role: Viewer})), w.ConsoleDisable(t.Context(), u.Email), second(w.ConsoleReset(t.Context(), boss.Email))} {
		if err == nil {
			t.Error("it went through without its event")
		}
	}
	if w.dump() != before {
		t.Error("something was changed")
	}
}

// A wait is in the store, so starting the program again does not end it.
func TestWaitSurvivesARestart(t *testing.T) {
	w, _ := withOwner(t)
	for range freeByAccount {
		_, _ = w.signIn(home, owner, "a wrong one")
	}
	again := New(Options{Store: w.store, Box: w.box, Now: w.clock.now})
	again.hasher = w.hasher
	w.Service = again
	if _, err := w.signIn(home, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("after a restart: %v", err)
	}
}
