package auth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestCodesOfTheStandard(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := codeAt(key, stepAt(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// enrol sets up an app for u, and returns its key and the recovery codes.
func (w *world) enrol(u User) (key []byte, recovery []secret.Text) {
	w.t.Helper()
	e, err := w.BeginFactor(w.t.Context(), u.ID, "BackOffice")
	if err != nil {
		w.t.Fatal(err)
	}
	key, err = factorBase32.DecodeString(e.Key.Reveal())
	if err != nil {
		w.t.Fatal(err)
	}
	recovery, err = w.ConfirmFactor(w.t.Context(), as(u), "", codeAt(key, stepAt(w.clock.now())))
	if err != nil {
		w.t.Fatal(err)
	}
	return key, recovery
}

// ticket signs in as far as the password goes.
func (w *world) ticket(addr string, u User) secret.Text {
	w.t.Helper()
	_, err := w.signIn(addr, u.Email, password)
	var need *CodeNeeded
	if !errors.As(err, &need) {
		w.t.Fatalf("no code is needed: %v", err)
	}
	return need.Ticket
}

func (w *world) withCode(addr string, t secret.Text, code string) (User, error) {
	e, err := w.SignInWithCode(w.t.Context(), audit.Actor{Addr: addr, RequestID: "r4"}, t, code)
	return e.User, err
}

func TestEnrolment(t *testing.T) {
	w, u := withOwner(t)
	if _, err := w.ConfirmFactor(t.Context(), as(u), "", "123456"); !errs.Is(err, errs.Conflict) {
		t.Errorf("confirmed without a beginning: %v", err)
	}
	e, err := w.BeginFactor(t.Context(), u.ID, "Back Office")
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(e.URI.Reveal())
	if err != nil || at.Scheme != "otpauth" || at.Host != "totp" || at.Path != "/Back Office:"+owner || at.Query().Get("secret") != e.Key.Reveal() || at.Query().Get("issuer") != "Back Office" {
		t.Errorf("address %s, %v", e.URI.Reveal(), err)
	}
	if again, err := w.Enrolling(t.Context(), u.ID, "Back Office"); err != nil || again.Key.Reveal() != e.Key.Reveal() {
		t.Errorf("drawn again: another key, %v", err)
	}
	key, _ := factorBase32.DecodeString(e.Key.Reveal())
	if len(key) != 20 || strings.Contains(w.dump(), e.Key.Reveal()) {
		t.Error("the secret is short, or stands in the store")
	}
	if _, err := w.ConfirmFactor(t.Context(), as(u), "", codeAt(key, stepAt(w.clock.now())+9)); errs.Fields(err)["code"] == "" {
		t.Errorf("a wrong code: %v", err)
	}
	if got, _ := w.User(t.Context(), u.ID); !got.App.IsZero() {
		t.Error("an app counts that was not confirmed")
	}
	w.session(u)
	w.session(u)
	mine, err := w.sessions(false).Of(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := w.ConfirmFactor(t.Context(), as(u), mine[0].ID, codeAt(key, stepAt(w.clock.now())))
	if err != nil || len(codes) != 10 {
		t.Fatalf("%d recovery codes, %v", len(codes), err)
	}
	if ev := w.lastEvent(); ev.Action != audit.FactorAdded || ev.Target != owner || ev.Note != "Sessions ended: 1." || ev.Actor != as(u) {
		t.Errorf("event %+v", ev)
	}
	if n := w.sessionsOf(u); n != 1 {
		t.Errorf("%d sessions go on, want 1", n)
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if seen[c.Reveal()] || len(c.Reveal()) != 19 || strings.Contains(w.dump(), plainCode(c.Reveal())) {
			t.Errorf("a recovery code is there twice, short, or stored")
		}
		seen[c.Reveal()] = true
	}
	if got, _ := w.User(t.Context(), u.ID); !got.App.Equal(w.clock.t) {
		t.Errorf("factor since %s", got.App)
	}
	if _, err := w.BeginFactor(t.Context(), u.ID, "x"); err != nil {
		t.Fatal(err)
	}
	w.clock.add(enrolFor)
	if _, err := w.Enrolling(t.Context(), u.ID, "x"); !errs.Is(err, errs.Conflict) {
		t.Errorf("a set-up of long ago goes on: %v", err)
	}
}

func TestSignInWithCode(t *testing.T) {
	w, u := withOwner(t)
	key, _ := w.enrol(u)
	code := func(skew int64) string { return codeAt(key, stepAt(w.clock.now())+skew) }
	if _, err := w.withCode(home, w.ticket(home, u), code(0)); errs.Fields(err)["code"] == "" {
		t.Errorf("the code of the enrolment is good again: %v", err)
	}
	for _, tt := range []struct {
		skew int64
		ok   bool
	}{{-2, false}, {2, false}, {-1, true}, {0, true}, {1, true}} {
		w.clock.add(time.Hour)
		before := len(w.events())
		ticket := w.ticket(home, u)
		if len(w.events()) != before {
			t.Error("a password alone is a sign-in on record")
		}
		got, err := w.withCode(home, ticket, " "+code(tt.skew)[:3]+" "+code(tt.skew)[3:])
		if (err == nil) != tt.ok || tt.ok && got.ID != u.ID || !tt.ok && errs.Fields(err)["code"] == "" {
			t.Errorf("skew %d: %v", tt.skew, err)
		}
		e := w.lastEvent()
		if want := map[bool]audit.Action{true: audit.SignIn, false: audit.SignInFailed}[tt.ok]; e.Action != want || e.Target != owner {
			t.Errorf("skew %d: event %+v", tt.skew, e)
		}
		if !tt.ok && e.Note != "Wrong code." || tt.ok && (e.Note != "With a code of the app." || e.Actor.Name != owner) {
			t.Errorf("skew %d: event %+v", tt.skew, e)
		}
		if !tt.ok {
			continue
		}
		for _, replayed := range []int64{tt.skew, tt.skew - 1} {
			if _, err := w.withCode(home, ticket, code(replayed)); errs.Fields(err)["code"] == "" {
				t.Errorf("skew %d: a code that was used, or one before it, is good: %v", replayed, err)
			}
		}
	}
	if err := errs.Fields(second(w.withCode(home, w.ticket(home, u), " ")))["code"]; !strings.Contains(err, "Enter the code") {
		t.Errorf("no code: %q", err)
	}
}

// Two who offer the same code at the same time do not both come in.
func TestACodeIsGoodOnce(t *testing.T) {
	w, u := withOwner(t)
	key, _ := w.enrol(u)
	w.clock.add(time.Hour)
	tickets, answers := []secret.Text{w.ticket(home, u), w.ticket(home, u), w.ticket(home, u)}, make(chan error)
	code := codeAt(key, stepAt(w.clock.now()))
	for _, ticket := range tickets {
		go func() { answers <- second(w.withCode(home, ticket, code)) }()
	}
	in := 0
	for range tickets {
		if <-answers == nil {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d came in with one code", in)
	}
}

func TestTickets(t *testing.T) {
	w, u := withOwner(t)
	key, _ := w.enrol(u)
	code := func() string { return codeAt(key, stepAt(w.clock.now())) }
	w.clock.add(time.Hour)
	for name, ruin := range map[string]func(secret.Text) secret.Text{
		"late":    func(s secret.Text) secret.Text { w.clock.add(ticketFor); return s },
		"empty":   func(secret.Text) secret.Text { return secret.Text{} },
		"another": func(s secret.Text) secret.Text { return secret.NewText(s.Reveal()[:len(s.Reveal())-4] + "AAAA") },
		"after another password": func(s secret.Text) secret.Text {
			w.clock.add(time.Second)
			w.ok(w.ChangePassword(t.Context(), as(u), PasswordChange{UserID: u.ID, Current: secret.NewText(password),
				Password: secret.NewText("another sentence"), Again: secret.NewText("another sentence")}))
			w.ok(w.ChangePassword(t.Context(), as(u), PasswordChange{UserID: u.ID, Current: secret.NewText("another sentence"),
				Password: secret.NewText(password), Again: secret.NewText(password)}))
			return s
		},
	} {
		ticket := ruin(w.ticket(home, u))
		w.clock.add(time.Minute)
		if _, err := w.withCode(home, ticket, code()); !errs.Is(err, errs.Unsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := w.join(u, "other@acme.example", Grant{Role: Owner})
	key, _ = w.enrol(other)
	w.clock.add(time.Minute)
	ticket := w.ticket(home, other)
	w.ok(w.Disable(t.Context(), as(u), other.ID))
	if _, err := w.withCode(home, ticket, code()); !errs.Is(err, errs.Unsigned) {
		t.Errorf("disabled: %v", err)
	}
}

// Guessing codes waits as guessing passwords does, also if the password is known.
func TestCodesAreThrottled(t *testing.T) {
	w, u := withOwner(t)
	key, _ := w.enrol(u)
	w.clock.add(time.Hour)
	ticket := w.ticket(home, u)
	for range freeByAccount {
		if _, err := w.withCode(abroad, ticket, "000000"); errs.Fields(err)["code"] == "" {
			t.Fatal(err)
		}
		ticket = w.ticket(home, u) // a right password does not clear the count
	}
	if _, err := w.withCode(home, ticket, codeAt(key, stepAt(w.clock.now()))); !errs.Is(err, errs.TooMany) {
		t.Errorf("after %d wrong codes: %v", freeByAccount, err)
	}
	w.clock.add(2 * time.Second)
	if _, err := w.withCode(home, ticket, codeAt(key, stepAt(w.clock.now()))); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// Whoever has the password, and guesses codes from elsewhere, does not keep the person
// out of where they always sign in.
func TestCodesFromAKnownAddress(t *testing.T) {
	w, u := withOwner(t)
	key, _ := w.enrol(u)
	w.clock.add(time.Hour)
	if _, err := w.withCode(home, w.ticket(home, u), codeAt(key, stepAt(w.clock.now()))); err != nil {
		t.Fatal(err)
	}
	for i := range freeByAccount + 8 { // each when its wait is over
		w.clock.add(maxWait)
		for range 2 {
			_, _ = w.withCode(fmt.Sprint("10.0.0.", i), w.ticket(fmt.Sprint("10.0.0.", i), u), "000000")
		}
	}
	for range freeByAccount + 5 {
		_, _ = w.withCode("10.0.1.1", w.ticket("10.0.1.1", u), "000000")
	}
	code := func() string { return codeAt(key, stepAt(w.clock.now())) }
	if _, err := w.withCode("10.0.2.2", w.ticket("10.0.2.2", u), code()); !errs.Is(err, errs.TooMany) {
		t.Errorf("from a new address: %v", err)
	}
	if _, err := w.withCode(home, w.ticket(home, u), code()); err != nil {
		t.Errorf("from home: %v", err)
	}
	if _, err := w.withCode("10.0.2.2", w.ticket("10.0.2.2", u), code()); !errs.Is(err, errs.TooMany) {
		t.Errorf("the sign-in from home gave the attacker new attempts: %v", err)
	}
	w.clock.add(time.Minute)
	for range freeByAccount {
		_, _ = w.withCode(home, w.ticket(home, u), "000000")
	}
	if _, err := w.withCode(home, w.ticket(home, u), code()); !errs.Is(err, errs.TooMany) {
		t.Errorf("wrong codes from home are free: %v", err)
	}
}

func TestRecoveryCodes(t *testing.T) {
	w, u := withOwner(t)
	_, codes := w.enrol(u)
	w.clock.add(time.Hour)
	if _, err := w.withCode(home, w.ticket(home, u), strings.ToUpper(codes[3].Reveal())); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	if e := w.lastEvent(); e.Note != "With a recovery code; 9 are left." {
		t.Errorf("event %+v", e)
	}
	if _, err := w.withCode(home, w.ticket(home, u), codes[3].Reveal()); errs.Fields(err)["code"] == "" {
		t.Errorf("it is good twice: %v", err)
	}
	fresh, err := w.NewRecovery(t.Context(), as(u))
	if n, _ := w.RecoveryLeft(t.Context(), u.ID); err != nil || len(fresh) != 10 || n != 10 {
		t.Fatalf("%d new ones, %d left, %v", len(fresh), n, err)
	}
	if _, err := w.withCode(home, w.ticket(home, u), codes[4].Reveal()); errs.Fields(err)["code"] == "" {
		t.Errorf("one of before is good: %v", err)
	}
	if _, err := w.withCode(home, w.ticket(home, u), fresh[0].Reveal()); err != nil {
		t.Errorf("a new one: %v", err)
	}
}

func TestFactorEnds(t *testing.T) {
	w, boss := withOwner(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	w.enrol(u)
	if err := w.ResetFactor(t.Context(), as(u), boss.ID); !errs.Is(err, errs.Refused) {
		t.Errorf("an editor resets: %v", err)
	}
	w.ok(w.ResetFactor(t.Context(), as(boss), u.ID))
	if e := w.lastEvent(); e.Action != audit.FactorRemoved || e.Target != u.Email || e.Actor != as(boss) || e.Note != "For somebody else." {
		t.Errorf("event %+v", e)
	}
	if got, err := w.signIn(home, u.Email, password); err != nil || !got.App.IsZero() {
		t.Errorf("after the reset: %+v, %v", got, err)
	}
	w.enrol(u)
	w.session(u)
	w.ok(w.RemoveFactor(t.Context(), as(u), "", false))
	if e := w.lastEvent(); e.Action != audit.FactorRemoved || e.Actor != as(u) || e.Note != "Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	if _, err := w.NewRecovery(t.Context(), as(u)); !errs.Is(err, errs.NotFound) {
		t.Errorf("recovery codes of nothing: %v", err)
	}
	w.enrol(u)
	e, err := w.BeginFactor(t.Context(), boss.ID, "x")
	if err != nil {
		t.Fatal(err)
	}
	key, _ := factorBase32.DecodeString(e.Key.Reveal())
	w.breakAuditLog()
	before := w.dump()
	for name, err := range map[string]error{"confirm": second(w.ConfirmFactor(t.Context(), as(boss), "", codeAt(key, stepAt(w.clock.now())))),
		"remove": w.RemoveFactor(t.Context(), as(u), "", false), "reset": w.ResetFactor(t.Context(), as(boss), u.ID), "recovery": second(w.NewRecovery(t.Context(), as(u)))} {
		if err == nil {
			t.Errorf("%s went through without its event", name)
		}
	}
	if w.dump() != before {
		t.Error("something was changed")
	}
}
