package auth

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

func TestSignIn(t *testing.T) {
	for name, tt := range map[string]struct {
		email, password string
		user            bool
		kind            errs.Kind
		msg             string
		event           audit.Event // Time and Actor are the same for all
		events          int
	}{
		"right": {owner, password, true, errs.Internal, "",
			audit.Event{Action: audit.SignIn, Target: owner, Outcome: audit.Done}, 2},
		"other case, spaces": {" OWNER@acme.Example\t", password, true, errs.Internal, "",
			audit.Event{Action: audit.SignIn, Target: owner, Outcome: audit.Done}, 2},
		"wrong password": {owner, "CANARY wrong", false, errs.Invalid, "E-mail address or password is wrong.",
			audit.Event{Action: audit.SignInFailed, Target: owner, Outcome: audit.Failed, Note: "Wrong password."}, 2},
		"unknown": {"x@acme.example", password, false, errs.Invalid, "E-mail address or password is wrong.",
			audit.Event{Action: audit.SignInFailed, Outcome: audit.Failed, Note: "No account has the address."}, 2},
		"password as e-mail": {password, password, false, errs.Invalid, "E-mail address or password is wrong.",
			audit.Event{Action: audit.SignInFailed, Outcome: audit.Failed, Note: "No account has the address."}, 2},
		"no e-mail":   {" ", password, false, errs.Invalid, "Enter your e-mail address.", audit.Event{}, 1},
		"no password": {owner, "", false, errs.Invalid, "Enter your password.", audit.Event{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := withOwner(t)
			w.clock.add(time.Hour)
			got, err := w.signIn(home, tt.email, tt.password)
			if kind, msg := errs.Of(err); kind != tt.kind || msg != tt.msg || (err == nil) != tt.user {
				t.Errorf("SignIn = %v", err)
			}
			tt.event.Time, tt.event.Actor = w.clock.t, audit.Actor{Addr: home, RequestID: "r1"}
			if tt.user {
				tt.event.Actor.ID, tt.event.Actor.Name = u.ID, owner
			} else {
				u = User{}
			}
			if got != u {
				t.Errorf("user %+v, want %+v", got, u)
			}
			events := w.events()
			if len(events) != tt.events {
				t.Fatalf("%d events, want %d", len(events), tt.events)
			}
			if e := w.lastEvent(); tt.events == 2 && !sameEvent(e, tt.event) {
				t.Errorf("event %+v, want %+v", e, tt.event)
			}
		})
	}
}

// Invariant 2, in this room: no password and nothing typed as e-mail address is
// in the store, in an event or in an error.
func TestNoPasswordStays(t *testing.T) {
	w := newWorld(t)
	w.hasher = newHasher(params{32, 1, 1})
	n := newAdmin(w.token())
	n.Again = secret.NewText("CANARY again")
	var said strings.Builder
	note := func(_ any, err error) { fmt.Fprintf(&said, "%v %+v %#v\n", err, err, n) }
	note(w.Setup(t.Context(), audit.Actor{}, n))
	n.Again = n.Password
	u, err := w.Setup(t.Context(), audit.Actor{}, n)
	if note(u, err); err != nil {
		t.Fatal(err)
	}
	w.hasher = newHasher(params{64, 1, 1})
	note(w.signIn(home, owner, password)) // makes the hash anew
	for i := range 12 {                   // also into the waits
		w.clock.add(time.Duration(i%3) * time.Second)
		note(w.signIn(home, owner, fmt.Sprint("CANARY wrong ", i)))
		note(w.signIn(home, fmt.Sprint("canary typed as address ", i%2), "CANARY wrong"))
	}
	w.clock.add(time.Hour)
	text := secret.NewText
	note(nil, w.CheckPassword(t.Context(), audit.Actor{}, u.ID, text("CANARY wrong")))
	note(nil, w.CheckPassword(t.Context(), audit.Actor{}, u.ID, text(password)))
	c := PasswordChange{UserID: u.ID, Current: text("CANARY wrong"), Password: text("CANARY another one"), Again: text("CANARY another one")}
	note(nil, w.ChangePassword(t.Context(), audit.Actor{}, c))
	c.Current = text(password)
	if err := w.ChangePassword(t.Context(), audit.Actor{}, c); err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]string{"store": w.dump(), "errors": said.String()} {
		if i := strings.Index(strings.ToLower(s), "canary"); i >= 0 || s == "" {
			t.Errorf("a password is in the %s: %.200s", what, s[max(0, i-100):])
		}
	}
	if token := n.Token.Reveal(); strings.Contains(w.dump()+said.String(), token) {
		t.Error("the set-up token is stored or printed")
	}
}

func TestHashIsRenewedAtSignIn(t *testing.T) {
	w, u := withOwner(t)
	stored := func() string { a, _ := w.account(t.Context(), u.ID); return a.Password }
	old := stored()
	for _, tt := range []struct {
		cost    params
		renewed bool
	}{{params{64, 1, 1}, false}, {params{128, 1, 1}, true}, {params{64, 1, 1}, false}, {params{128, 2, 1}, true}} {
		w.hasher = newHasher(tt.cost)
		if _, err := w.signIn(home, owner, "wrong"); err == nil || stored() != old {
			t.Fatal("a wrong password changed the hash")
		}
		if _, err := w.signIn(home, owner, password); err != nil {
			t.Fatal(err)
		}
		now := stored()
		if (now != old) != tt.renewed || tt.renewed && !strings.Contains(now, fmt.Sprintf("m=%d,t=%d", tt.cost.memory, tt.cost.time)) {
			t.Errorf("at %+v the hash is %s, before %s", tt.cost, now, old)
		}
		if note := w.lastEvent().Note; (note != "") != tt.renewed {
			t.Errorf("at %+v the event says %q", tt.cost, note)
		}
		old = now
	}
}

func TestCheckPassword(t *testing.T) {
	w, u := withOwner(t)
	by := audit.Actor{ID: u.ID, Name: owner, Addr: home, RequestID: "r3"}
	check := func(p string) error { return w.CheckPassword(t.Context(), by, u.ID, secret.NewText(p)) }
	if err := check(password); err != nil {
		t.Errorf("the right password: %v", err)
	}
	if err := check(""); errs.Fields(err)["password"] != "Enter your password." {
		t.Errorf("no password: %v", err)
	}
	if e := w.events(); len(e) != 2 || !sameEvent(e[1], audit.Event{N: e[1].N, Time: w.clock.t, Actor: by, Action: audit.Confirmed, Target: owner, Outcome: audit.Done, Note: "With the password."}) {
		t.Errorf("%d events before a wrong password, want the set-up and a confirmation: %+v", len(e), e)
	}
	if err := check("wrong"); errs.Fields(err)["password"] != "This is not your password." || !errs.Is(err, errs.Invalid) {
		t.Errorf("a wrong password: %v", err)
	}
	want := audit.Event{Time: w.clock.t, Actor: by, Action: audit.SignInFailed, Target: owner, Outcome: audit.Failed, Note: "Wrong password. While confirming an action."}
	if e := w.lastEvent(); !sameEvent(e, want) {
		t.Errorf("event %+v, want %+v", e, want)
	}
	for range freeByAccount - 1 {
		_ = check("wrong")
	}
	if err := check(password); !errs.Is(err, errs.TooMany) {
		t.Errorf("after %d wrong ones: %v", freeByAccount, err)
	}
	if _, err := w.signIn(abroad, owner, password); !errs.Is(err, errs.TooMany) {
		t.Errorf("sign-in has another count: %v", err)
	}
	w.clock.add(time.Second)
	if err := check(password); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := check("wrong"); !errs.Is(err, errs.Invalid) {
		t.Errorf("the right password did not clear the count: %v", err)
	}
	if err := check(password); err != nil {
		t.Errorf("one wrong password makes wait: %v", err)
	}
	if err := w.CheckPassword(t.Context(), by, "nobody", secret.NewText(password)); !errs.Is(err, errs.NotFound) {
		t.Errorf("unknown user: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	const fresh = "CANARY another sentence"
	for name, tt := range map[string]struct {
		current, password, again string
		fields                   string // names of the fields at fault
		events                   int
	}{
		"good":           {password, fresh, fresh, "map[]", 2},
		"wrong current":  {"wrong", fresh, fresh, "map[current:This is not your password.]", 2},
		"no current":     {"", fresh, fresh, "map[current:Enter the password that you have now.]", 1},
		"short":          {password, "short", "short", "map[password:A password has at least 12 characters. A sentence is fine.]", 1},
		"differ":         {password, fresh, "x", "map[password2:The two passwords differ.]", 1},
		"same":           {password, password, password, "map[password:This is the password that you have now. Choose another one.]", 1},
		"e-mail":         {password, owner, owner, "map[password:The e-mail address is no password. A sentence is fine.]", 1},
		"all three":      {"", "short", "x", "map[current:Enter the password that you have now. password:A password has at least 12 characters. A sentence is fine. password2:The two passwords differ.]", 1},
		"wrong and same": {"wrong one, twice", "wrong one, twice", "wrong one, twice", "map[password:This is the password that you have now. Choose another one.]", 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := withOwner(t)
			st := w.sessions(false)
			mine, other := newBrowser(t, w, st), newBrowser(t, w, st)
			mine.signIn(u)
			other.signIn(u)
			w.clock.add(time.Second)
			by := audit.Actor{ID: u.ID, Name: owner, Addr: home, RequestID: "r3"}
			err := w.ChangePassword(t.Context(), by, PasswordChange{
				UserID: u.ID, Session: mine.sessionID(),
				Current: secret.NewText(tt.current), Password: secret.NewText(tt.password), Again: secret.NewText(tt.again),
			})
			if got := fmt.Sprint(errs.Fields(err)); got != tt.fields {
				t.Errorf("fields %s, want %s", got, tt.fields)
			}
			changed := tt.fields == "map[]"
			want := audit.Event{Time: w.clock.t, Actor: by, Action: audit.PasswordChanged, Target: owner, Outcome: audit.Failed, Note: "Wrong password."}
			valid, current, who := password, u, owner
			if changed {
				want.Outcome, want.Note = audit.Done, "Other sessions ended: 1."
				valid, current.PasswordChanged, who = fresh, w.clock.t, ""
			}
			if n := len(w.events()); n != tt.events {
				t.Errorf("%d events, want %d", n, tt.events)
			} else if e := w.lastEvent(); n == 2 && !sameEvent(e, want) {
				t.Errorf("event %+v, want %+v", e, want)
			}
			if mine.get("/who") != owner || other.get("/who") != who {
				t.Errorf("sessions: mine %q, the other %q", mine.get("/who"), other.get("/who"))
			}
			if got, err := w.signIn(home, owner, valid); err != nil || got != current {
				t.Errorf("sign-in = %+v, %v; want %+v", got, err, current)
			}
		})
	}
}

// Two changes that start from the same password: one wins.
func TestPasswordChangedMeanwhile(t *testing.T) {
	w, u := withOwner(t)
	a, err := w.account(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	g := guess{account: a, password: secret.NewText(password), failure: audit.Event{Actor: audit.Actor{Addr: home}}, wrong: errWrong}
	right, _, err := w.evaluate(t.Context(), &g, owner)
	if !right || err != nil {
		t.Fatalf("evaluate = %v, %v", right, err)
	}
	c := PasswordChange{UserID: u.ID, Current: secret.NewText(password), Password: secret.NewText("another sentence"), Again: secret.NewText("another sentence")}
	if err := w.ChangePassword(t.Context(), audit.Actor{}, c); err != nil {
		t.Fatal(err)
	}
	before := w.dump()
	err = w.settle(t.Context(), g, right, w.clock.t, func(store.Tx, account) error { t.Error("went on"); return nil })
	if !errs.Is(err, errs.Conflict) || w.dump() != before {
		t.Errorf("settle = %v", err)
	}
}

func TestSignInAtOnce(t *testing.T) {
	w, u := withOwner(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if got, err := w.signIn(fmt.Sprint("192.0.2.", i), owner, password); err != nil || got != u {
				t.Errorf("SignIn = %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := len(w.events()); n != 17 {
		t.Errorf("%d events, want 17", n)
	}
}
