package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth/authtest"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

const (
	origin = "https://backoffice.example:8443"
	host   = "backoffice.example"
	tab    = "one browser session"
)

// withPasskeys is withOwner at a host where passkeys work.
func withPasskeys(t *testing.T) (*world, User) {
	t.Helper()
	w, u := withOwner(t)
	w.party = newParty(&url.URL{Scheme: "https", Host: "BackOffice.example:8443"})
	if w.party == nil {
		t.Fatal("passkeys do not work")
	}
	return w, u
}

// addKey makes a passkey of u, and returns the recovery codes that came with it.
func (w *world) addKey(u User, name string) (*authtest.Passkey, []secret.Text) {
	w.t.Helper()
	k := authtest.New(origin, host)
	codes, err := w.addThis(u, k, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return k, codes
}

func (w *world) addThis(u User, k *authtest.Passkey, name string) ([]secret.Text, error) {
	w.t.Helper()
	q, err := w.BeginPasskey(w.t.Context(), u.ID, tab, name)
	if err != nil {
		return nil, err
	}
	return w.AddPasskey(w.t.Context(), as(u), tab, "", secret.NewText(k.Make(q)))
}

// asked is what a passkey is asked at the door.
func (w *world) asked() string {
	w.t.Helper()
	q, err := w.BeginPasskeySignIn(audit.Actor{Addr: home}, tab)
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

func (w *world) answers(k *authtest.Passkey, question string) (User, error) {
	e, err := w.SignInWithPasskey(w.t.Context(), audit.Actor{Addr: home, RequestID: "r5"}, tab, secret.NewText(k.Answer(question)))
	return e.User, err
}

// come signs in with the passkey alone.
func (w *world) come(k *authtest.Passkey) (User, error) { return w.answers(k, w.asked()) }

// fails checks that an answer was refused in the words that tell nothing, with an
// event that tells why.
func (w *world) fails(what string, err error, note string) {
	w.t.Helper()
	if kind, msg := errs.Of(err); kind != errs.Invalid || msg != "This passkey was not accepted. Try again, or use your password." {
		w.t.Errorf("%s: %v", what, err)
	}
	if e := w.lastEvent(); e.Action != audit.SignInFailed || e.Outcome != audit.Failed || !strings.Contains(e.Note, note) {
		w.t.Errorf("%s: event %+v, want %q", what, e, note)
	}
}

func TestPasskeySignIn(t *testing.T) {
	w, u := withPasskeys(t)
	w.session(u)
	k, codes := w.addKey(u, "  Work\u200b  laptop ")
	if len(codes) != 10 {
		t.Errorf("%d recovery codes with the first second factor", len(codes))
	}
	if e := w.lastEvent(); e.Action != audit.PasskeyAdded || e.Target != owner || e.Actor != as(u) || e.Note != "“Work laptop”, bound to one device. Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	q := w.asked()
	if strings.Contains(q, owner) || strings.Contains(q, u.ID) || strings.Contains(q, "allowCredentials") || !strings.Contains(q, `"userVerification":"required"`) || !strings.Contains(q, `"rpId":"`+host+`"`) {
		t.Errorf("the question at the door is %s", q)
	}
	w.clock.add(time.Hour)
	q = w.asked()
	got, err := w.answers(k, q)
	if err != nil || got.ID != u.ID || got.Passkeys != 1 {
		t.Fatalf("signed in as %+v, %v", got, err)
	}
	want := audit.Event{Time: w.clock.t, Actor: audit.Actor{ID: u.ID, Name: owner, Addr: home, RequestID: "r5"}, Action: audit.SignIn, Target: owner, Outcome: audit.Done,
		Note: "With the passkey “Work laptop”, without a password."}
	if e := w.lastEvent(); !sameEvent(e, want) {
		t.Errorf("event %+v, want %+v", e, want)
	}
	if list, err := w.Passkeys(t.Context(), u.ID); err != nil || len(list) != 1 || list[0].Name != "Work laptop" || !list[0].Used.Equal(w.clock.t) || !list[0].Created.Equal(w.clock.t.Add(-time.Hour)) ||
		list[0].Syncable || list[0].Synced || !list[0].Stopped.IsZero() || list[0].Elsewhere != "" || len(list[0].Handle) != 22 {
		t.Errorf("list %+v, %v", list, err)
	}
	_, err = w.answers(k, q)
	w.fails("the same challenge again", err, "answered already")
}

// Each thing that may be wrong with an answer, one at a time; after each the right
// answer is good.
func TestPasskeyAnswersThatAreWrong(t *testing.T) {
	w, u := withPasskeys(t)
	k, _ := w.addKey(u, "Key")
	stranger := authtest.New(origin, host)
	stranger.Make(`{"publicKey":{"challenge":"AAAA","user":{"id":""}}}`)
	for _, tt := range []struct {
		name, note string
		ruin       func(*authtest.Passkey, string) (*authtest.Passkey, string)
	}{
		{"another origin", "“Key” was wrong: Error validating origin", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) {
			k.Origin = "https://evil.example"
			return k, q
		}},
		{"another port", "“Key” was wrong: Error validating origin", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) {
			k.Origin = "https://" + host
			return k, q
		}},
		{"not encrypted", "“Key” was wrong: Error validating origin", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) {
			k.Origin = "http://" + host + ":8443"
			return k, q
		}},
		{"another host", "“Key” was wrong: ", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) { k.Host = "evil.example"; return k, q }},
		{"its person was not verified", "“Key” was wrong: ", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) { k.Verified = false; return k, q }},
		{"it may be synced now", "“Key” was wrong: ", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) { k.Syncable = true; return k, q }},
		{"late", "it had expired", func(k *authtest.Passkey, q string) (*authtest.Passkey, string) {
			w.clock.add(5 * time.Minute)
			return k, q
		}},
		{"asked of another browser session", "in another browser session", func(k *authtest.Passkey, _ string) (*authtest.Passkey, string) {
			q, err := w.BeginPasskeySignIn(audit.Actor{Addr: home}, "another session")
			w.ok(err)
			return k, q
		}},
		{"asked of nobody", "what was not asked here", func(k *authtest.Passkey, _ string) (*authtest.Passkey, string) {
			return k, `{"publicKey":{"challenge":"` + newToken() + `"}}`
		}},
		{"asked to confirm", "what was not asked here", func(k *authtest.Passkey, _ string) (*authtest.Passkey, string) {
			q, err := w.BeginConfirm(t.Context(), u.ID, tab)
			w.ok(err)
			return k, q
		}},
		{"a passkey of nobody", "not registered", func(_ *authtest.Passkey, q string) (*authtest.Passkey, string) {
			stranger.User = []byte("nobody")
			return stranger, q
		}},
		{"a passkey of nobody who names the owner", "not registered", func(_ *authtest.Passkey, q string) (*authtest.Passkey, string) {
			stranger.User = []byte(u.ID)
			return stranger, q
		}},
		{"the name of the passkey with another key", "“Key” was wrong: ", func(_ *authtest.Passkey, q string) (*authtest.Passkey, string) {
			forged := authtest.New(origin, host)
			forged.ID, forged.User = k.ID, k.User
			return forged, q
		}},
	} {
		w.clock.add(20 * time.Minute) // nothing waits
		copied := *k
		by, q := tt.ruin(&copied, w.asked())
		_, err := w.answers(by, q)
		w.fails(tt.name, err, tt.note)
		if e := w.lastEvent(); e.Target != "" && !strings.Contains(e.Note, "“Key”") && !strings.HasPrefix(e.Note, "A passkey answered") || e.Actor.ID != "" {
			t.Errorf("%s: event %+v", tt.name, e)
		}
		if _, err := w.answers(k, q); err == nil {
			t.Errorf("%s: the question was answered, and is good again", tt.name)
		}
		if _, err := w.come(k); err != nil {
			t.Errorf("%s: afterwards the right answer is refused: %v", tt.name, err)
		}
	}
	for _, junk := range []string{"", "{}", "null", `{"id":"AA"}`, strings.Repeat("[", 1000)} {
		if _, err := w.SignInWithPasskey(t.Context(), audit.Actor{Addr: home}, tab, secret.NewText(junk)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", junk, err)
		}
	}
	if _, err := w.SignInWithPasskey(t.Context(), audit.Actor{Addr: home}, "", secret.NewText(k.Answer(w.asked()))); err == nil {
		t.Error("a browser without a session signed in")
	}
}

// A counter that goes back means that there may be a copy: neither is taken any more.
func TestPasskeyCopies(t *testing.T) {
	w, u := withPasskeys(t)
	k := authtest.New(origin, host)
	k.Count = 7
	if _, err := w.addThis(u, k, "Stick"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint32{8, 12} {
		k.Count = n
		if _, err := w.come(k); err != nil {
			t.Fatalf("count %d: %v", n, err)
		}
	}
	before := len(w.events())
	_, err := w.come(k)
	if kind, msg := errs.Of(err); kind != errs.Invalid || !strings.Contains(msg, "there may be a copy") {
		t.Errorf("the same count: %v", err)
	}
	all := w.events()
	if len(all) != before+2 || all[before].Action != audit.PasskeyStopped || all[before].Target != owner || all[before].Note != "“Stick”: its counter went back from 12 to 12, so there may be a copy of it." ||
		all[before+1].Action != audit.SignInFailed || all[before+1].Note != "The counter of the passkey “Stick” went back." {
		t.Errorf("events %+v", all[before:])
	}
	k.Count = 99
	if _, err := w.come(k); err == nil || !strings.Contains(w.lastEvent().Note, "“Stick” is stopped") {
		t.Errorf("a stopped passkey: %v, event %+v", err, w.lastEvent())
	}
	if list, _ := w.Passkeys(t.Context(), u.ID); !list[0].Stopped.Equal(w.clock.t) {
		t.Errorf("list %+v", list)
	}
	if _, err := w.BeginConfirm(t.Context(), u.ID, tab); !errs.Is(err, errs.NotFound) {
		t.Errorf("a stopped passkey is asked for: %v", err)
	}
	var need *CodeNeeded
	if _, err := w.signIn(home, owner, password); !asNeed(err, &need) {
		t.Errorf("a stopped passkey does not protect the password any more: %v", err)
	}
}

func TestPasskeyOfSomebodyDisabledOrGone(t *testing.T) {
	w, boss := withPasskeys(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Admin})
	k, _ := w.addKey(u, "Phone")
	w.ok(w.Disable(t.Context(), as(boss), u.ID))
	_, err := w.come(k)
	w.fails("disabled", err, "The account is disabled.")
	w.ok(w.Enable(t.Context(), as(boss), u.ID))
	if _, err := w.come(k); err != nil {
		t.Errorf("enabled: %v", err)
	}
	list, err := w.Passkeys(t.Context(), u.ID)
	w.ok(err)
	w.session(u)
	w.ok(w.RemovePasskey(t.Context(), as(u), "", list[0].Handle, false))
	if e := w.lastEvent(); e.Action != audit.PasskeyRemoved || e.Target != u.Email || e.Note != "“Phone”. Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	_, err = w.come(k)
	w.fails("removed", err, "not registered")
	if got, err := w.signIn(home, u.Email, password); err != nil || got.HasFactor() || strings.Contains(w.dump(), "auth/passkey") || strings.Contains(w.dump(), "auth/factor/") {
		t.Errorf("after the last second factor the password alone: %+v, %v", got, err)
	}
	// Removed after the answer was judged: the transaction looks again.
	k, _ = w.addKey(u, "Phone")
	q := w.asked()
	list, err = w.Passkeys(t.Context(), u.ID)
	w.ok(err)
	w.Service.store = &between{w.store, func() { w.ok(w.RemovePasskey(t.Context(), as(u), "", list[0].Handle, false)) }}
	_, err = w.answers(k, q)
	w.fails("removed meanwhile", err, "“Phone” was removed.")
}

func TestSecondPasskey(t *testing.T) {
	w, boss := withPasskeys(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Admin})
	k, _ := w.addKey(u, "Stick")
	other, _ := w.addKey(boss, "Other")
	begin := func(ticket secret.Text) string {
		q, err := w.BeginSecondPasskey(t.Context(), audit.Actor{Addr: home}, ticket, tab)
		w.ok(err)
		return q
	}
	answer := func(ticket secret.Text, by *authtest.Passkey, q string) error {
		_, err := w.SignInWithSecondPasskey(t.Context(), audit.Actor{Addr: home, RequestID: "r6"}, ticket, tab, secret.NewText(by.Answer(q)))
		return err
	}
	var need *CodeNeeded
	if _, err := w.signIn(home, u.Email, password); !asNeed(err, &need) || need.App || !need.Passkey {
		t.Fatalf("needs %+v, %v", need, err)
	}
	k.Verified = false // after the password, being there is enough
	q := begin(need.Ticket)
	if !strings.Contains(q, `"userVerification":"preferred"`) || !strings.Contains(q, `"allowCredentials"`) {
		t.Errorf("asked %s", q)
	}
	w.ok(answer(need.Ticket, k, q))
	if e := w.lastEvent(); e.Action != audit.SignIn || e.Target != u.Email || e.Actor.ID != u.ID || e.Note != "With the password and the passkey “Stick”." {
		t.Errorf("event %+v", e)
	}
	w.fails("again", answer(need.Ticket, k, q), "answered already")
	w.fails("of somebody else", answer(need.Ticket, other, begin(need.Ticket)), "not registered for the account")
	posing := *other
	posing.User = []byte(u.ID)
	w.fails("of somebody else, who takes the name", answer(need.Ticket, &posing, begin(need.Ticket)), "not registered for the account")
	var theirs *CodeNeeded
	if _, err := w.signIn(home, owner, password); !asNeed(err, &theirs) {
		t.Fatal(err)
	}
	w.fails("asked of somebody else", answer(need.Ticket, k, begin(theirs.Ticket)), "what somebody else was asked")
	_, err := w.SignInWithPasskey(t.Context(), audit.Actor{Addr: home}, tab, secret.NewText(k.Answer(begin(need.Ticket))))
	w.fails("as the only step", err, "what was not asked here")
	q = begin(need.Ticket)
	w.clock.add(ticketFor)
	if err := answer(need.Ticket, k, q); !errs.Is(err, errs.Unsigned) {
		t.Errorf("late: %v", err)
	}
	if _, err := w.BeginSecondPasskey(t.Context(), audit.Actor{}, need.Ticket, tab); !errs.Is(err, errs.Unsigned) {
		t.Errorf("begun late: %v", err)
	}
}

func TestConfirmPasskey(t *testing.T) {
	w, boss := withPasskeys(t)
	k, _ := w.addKey(boss, "Mine")
	u := w.join(boss, "new@acme.example", Grant{Role: Admin})
	theirs, _ := w.addKey(u, "Theirs")
	begin := func() string {
		q, err := w.BeginConfirm(t.Context(), boss.ID, tab)
		w.ok(err)
		return q
	}
	confirm := func(by *authtest.Passkey, binding, q string) error {
		return w.ConfirmPasskey(t.Context(), as(boss), boss.ID, binding, secret.NewText(by.Answer(q)))
	}
	w.ok(confirm(k, tab, begin()))
	if e := w.lastEvent(); e.Action != audit.Confirmed || e.Actor != as(boss) || e.Target != owner || e.Note != "With the passkey “Mine”." {
		t.Errorf("event %+v", e)
	}
	w.fails("in another session", confirm(k, "another", begin()), "While confirming an action.")
	w.fails("of somebody else", confirm(theirs, tab, begin()), "not registered for the account")
	lazy := *k
	lazy.Verified = false
	w.fails("its person was not verified", confirm(&lazy, tab, begin()), "“Mine” was wrong")
	if _, err := w.BeginConfirm(t.Context(), w.join(boss, "c@acme.example", Grant{Role: Viewer}).ID, tab); !errs.Is(err, errs.NotFound) {
		t.Errorf("somebody without a passkey is asked: %v", err)
	}
}

// Wrong answers make wait as wrong passwords do, by passkey and by address; waiting
// is on record once.
func TestPasskeysAreThrottled(t *testing.T) {
	w, u := withPasskeys(t)
	k, _ := w.addKey(u, "Key")
	bad := *k
	bad.Origin = "https://evil.example"
	for range freeByAccount {
		_, err := w.come(&bad)
		w.fails("wrong", err, "wrong")
	}
	before := len(w.events())
	for range 3 {
		if _, err := w.come(k); !errs.Is(err, errs.TooMany) {
			t.Errorf("after %d wrong answers: %v", freeByAccount, err)
		}
	}
	if e := w.events(); len(e) != before+1 || e[before].Outcome != audit.Refused {
		t.Errorf("%d events of the wait", len(e)-before)
	}
	w.clock.add(time.Second)
	if _, err := w.come(k); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	for range freeByAddress {
		_, _ = w.come(authtest.New(origin, host))
	}
	if _, err := w.come(k); !errs.Is(err, errs.TooMany) {
		t.Errorf("after %d of the address: %v", freeByAddress, err)
	}
}

func TestAddPasskey(t *testing.T) {
	w, u := withPasskeys(t)
	other := w.join(u, "new@acme.example", Grant{Role: Admin})
	for name, want := range map[string]string{"": "Give it a name", " \u200b\t": "Give it a name", strings.Repeat("é", 61): "at most 60"} {
		if _, err := w.BeginPasskey(t.Context(), u.ID, tab, name); !strings.Contains(errs.Fields(err)["name"], want) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	q, err := w.BeginPasskey(t.Context(), u.ID, tab, "Key")
	w.ok(err)
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"rp":{"name":"BackOffice BackOffice.example:8443","id":"backoffice.example"}`} {
		if !strings.Contains(q, want) {
			t.Errorf("asked %s, which lacks %s", q, want)
		}
	}
	k := authtest.New(origin, host)
	made := k.Make(q)
	add := func(by User, binding, answer string) error {
		_, err := w.AddPasskey(t.Context(), as(by), binding, "", secret.NewText(answer))
		return err
	}
	w.ok(add(u, tab, made))
	if err := add(u, tab, made); !errs.Is(err, errs.Invalid) {
		t.Errorf("the same answer again: %v", err)
	}
	before := w.dump()
	for name, ruin := range map[string]func(*authtest.Passkey) (User, string){
		"another origin":            func(k *authtest.Passkey) (User, string) { k.Origin = "https://evil.example"; return u, tab },
		"another host":              func(k *authtest.Passkey) (User, string) { k.Host = "evil.example"; return u, tab },
		"not verified":              func(k *authtest.Passkey) (User, string) { k.Verified = false; return u, tab },
		"synced without being able": func(k *authtest.Passkey) (User, string) { k.Synced = true; return u, tab },
		"another session":           func(*authtest.Passkey) (User, string) { return u, "another" },
		"another person":            func(*authtest.Passkey) (User, string) { return other, tab },
		"late":                      func(*authtest.Passkey) (User, string) { w.clock.add(5 * time.Minute); return u, tab },
	} {
		k := authtest.New(origin, host)
		q, err := w.BeginPasskey(t.Context(), u.ID, tab, "x")
		w.ok(err)
		by, binding := ruin(k)
		if err := add(by, binding, k.Make(q)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if w.dump() != before {
			t.Errorf("%s: something was changed", name)
		}
	}
	// The same credential a second time, and of somebody else.
	for _, by := range []User{u, other} {
		if _, err := w.addThis(by, k, "again"); !errs.Is(err, errs.Conflict) {
			t.Errorf("registered again by %s: %v", by.Email, err)
		}
	}
	for i := range maxPasskeys - 1 {
		if _, codes := w.addKey(u, fmt.Sprint(i)); codes != nil {
			t.Error("recovery codes with another passkey")
		}
	}
	if _, err := w.BeginPasskey(t.Context(), u.ID, tab, "one more"); !errs.Is(err, errs.Conflict) {
		t.Errorf("passkey %d: %v", maxPasskeys+1, err)
	}
}

func TestPasskeyKinds(t *testing.T) {
	w, u := withPasskeys(t)
	for _, tt := range []struct {
		syncable, synced bool
		word             string
	}{{false, false, "bound to one device"}, {true, false, "can be synced"}, {true, true, "synced"}} {
		k := authtest.New(origin, host)
		k.Syncable, k.Synced = tt.syncable, tt.synced
		if _, err := w.addThis(u, k, "K"); err != nil {
			t.Fatal(err)
		}
		if e := w.lastEvent(); e.Note != "“K”, "+tt.word+"." {
			t.Errorf("event %+v", e)
		}
		list, _ := w.Passkeys(t.Context(), u.ID)
		if got := list[len(list)-1]; got.Syncable != tt.syncable || got.Synced != tt.synced {
			t.Errorf("list %+v", got)
		}
		if k.Synced = tt.syncable; tt.syncable { // it may be backed up later
			w.ok(second(w.come(k)))
			if list, _ := w.Passkeys(t.Context(), u.ID); !list[len(list)-1].Synced {
				t.Error("that it is synced now was not noticed")
			}
		}
	}
}

func TestRenamePasskey(t *testing.T) {
	w, u := withPasskeys(t)
	k, _ := w.addKey(u, "Old")
	list, _ := w.Passkeys(t.Context(), u.ID)
	w.ok(w.RenamePasskey(t.Context(), as(u), list[0].Handle, " New "))
	if e := w.lastEvent(); e.Action != audit.PasskeyRenamed || e.Target != owner || e.Note != "“Old” became “New”." {
		t.Errorf("event %+v", e)
	}
	before := len(w.events())
	w.ok(w.RenamePasskey(t.Context(), as(u), list[0].Handle, "New"))
	if len(w.events()) != before {
		t.Error("the same name is an event")
	}
	if err := w.RenamePasskey(t.Context(), as(u), list[0].Handle, ""); errs.Fields(err)["name"] == "" {
		t.Errorf("no name: %v", err)
	}
	other := w.join(u, "new@acme.example", Grant{Role: Owner})
	for _, err := range []error{w.RenamePasskey(t.Context(), as(other), list[0].Handle, "Mine"), w.RemovePasskey(t.Context(), as(other), "", list[0].Handle, false)} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("somebody else: %v", err)
		}
	}
	if _, err := w.come(k); err != nil {
		t.Error(err)
	}
}

// App and passkeys are second factors alike: either will do where one is needed, the
// last one stays then, and recovery codes come with the first and go with the last.
func TestFactorsTogether(t *testing.T) {
	w, boss := withPasskeys(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Admin})
	_, recovery := w.addKey(u, "Key")
	_, more := w.enrol(u)
	if len(recovery) != 10 || more != nil {
		t.Errorf("%d recovery codes with the first, %d with the second", len(recovery), len(more))
	}
	now, err := w.User(t.Context(), u.ID)
	if err != nil || now.Factors() != "app, 1 passkey" || now.App.IsZero() || now.Passkeys != 1 {
		t.Errorf("%+v has %q", now, now.Factors())
	}
	w.ok(w.RemoveFactor(t.Context(), as(u), "", true))
	if now, _ = w.User(t.Context(), u.ID); now.Factors() != "1 passkey" || !now.App.IsZero() {
		t.Errorf("without the app %q", now.Factors())
	}
	list, _ := w.Passkeys(t.Context(), u.ID)
	if err := w.RemovePasskey(t.Context(), as(u), "", list[0].Handle, true); !errs.Is(err, errs.Refused) {
		t.Errorf("the last one that is needed: %v", err)
	}
	w.clock.add(time.Hour)
	if _, err := w.withCode(home, w.ticket(home, u), recovery[0].Reveal()); err != nil {
		t.Errorf("a recovery code where there is no app: %v", err)
	}
	w.enrol(u)
	w.addKey(u, "Second")
	w.session(u)
	w.ok(w.ResetFactor(t.Context(), as(boss), u.ID))
	if e := w.lastEvent(); e.Action != audit.FactorRemoved || e.Note != "For somebody else. Passkeys removed: 2. Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	if now, _ = w.User(t.Context(), u.ID); now.HasFactor() || strings.Contains(w.dump(), "auth/passkey") {
		t.Errorf("after the reset %q", now.Factors())
	}
	k, _ := w.addKey(u, "Third")
	w.enrol(u)
	fresh, err := w.ConsoleReset(t.Context(), u.Email)
	w.ok(err)
	if got, err := w.signIn(home, u.Email, fresh.Reveal()); err != nil || got.HasFactor() {
		t.Errorf("after the reset on the console: %+v, %v", got, err)
	}
	if e := w.events(); !slices.ContainsFunc(e, func(e audit.Event) bool {
		return strings.Contains(e.Note, "without a second factor. Passkeys removed: 1.")
	}) {
		t.Error("no event of the reset on the console counts the passkeys")
	}
	_, err = w.come(k)
	w.fails("after the reset", err, "not registered")
}

// Where only the provider signs somebody in, a passkey is no way round it: it is the
// second factor after the provider, and proves then no more than the provider did.
func TestPasskeyBesideAProvider(t *testing.T) {
	w, boss := withPasskeys(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Admin})
	k, _ := w.addKey(u, "Key")
	mine, _ := w.addKey(boss, "Mine")
	w.ok(w.store.Update(t.Context(), func(tx store.Tx) error { return ProviderInForce(tx, true) }))
	_, err := w.come(k)
	w.fails("alone", err, "Right, but the account signs in through the provider.")
	q, err := w.BeginConfirm(t.Context(), u.ID, tab)
	w.ok(err)
	w.fails("to confirm", w.ConfirmPasskey(t.Context(), as(u), u.ID, tab, secret.NewText(k.Answer(q))), "Right, but the account signs in through the provider.")
	if _, err := w.come(mine); err != nil {
		t.Errorf("an owner: %v", err)
	}
	a, err := w.account(t.Context(), u.ID)
	w.ok(err)
	for through, want := range map[bool]string{true: "Through the provider. With the passkey “Key”.", false: "With the password and the passkey “Key”."} {
		there := w.clock.now().Add(-time.Hour)
		t1, err := w.sealTicket(ticket{UserID: a.ID, Changed: a.PasswordChanged, Through: through, Proof: there}, w.clock.now())
		w.ok(err)
		q, err := w.BeginSecondPasskey(t.Context(), audit.Actor{Addr: home}, t1, tab)
		w.ok(err)
		e, err := w.SignInWithSecondPasskey(t.Context(), audit.Actor{Addr: home}, t1, tab, secret.NewText(k.Answer(q)))
		w.ok(err)
		if e.User.ID != u.ID || e.Proof.Equal(there) != through || w.lastEvent().Note != want {
			t.Errorf("through the provider %v: %+v, event %+v", through, e, w.lastEvent())
		}
	}
}

// Whose role is from a group signs in through the provider, and with a passkey alone
// only when there is none any more.
func TestPasskeyForTheRoleOfAGroup(t *testing.T) {
	w, boss := withPasskeys(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	k, _ := w.addKey(u, "Key")
	w.ok(w.store.Update(t.Context(), func(tx store.Tx) error {
		a, err := accountByID(tx, u.ID)
		a.Mapped = true
		return errors.Join(err, ProviderInForce(tx, false), accounts.Put(tx, a.ID, a))
	}))
	_, err := w.come(k)
	w.fails("alone", err, "Right, but the account signs in through the provider.")
	q, err := w.BeginConfirm(t.Context(), u.ID, tab)
	w.ok(err)
	w.ok(w.ConfirmPasskey(t.Context(), as(u), u.ID, tab, secret.NewText(k.Answer(q))))
	w.ok(w.store.Update(t.Context(), func(tx store.Tx) error { ProviderOff(tx); return nil }))
	if _, err := w.come(k); err != nil {
		t.Errorf("with the provider off: %v", err)
	}
}

// Who was proven before the second factors changed gets no session after it.
func TestNoSessionAfterFactorsChanged(t *testing.T) {
	w, u := withPasskeys(t)
	renew := func(u User) error {
		_, err := w.sessions(false).Renew(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), u, home)
		return err
	}
	for what, change := range map[string]func(){"a passkey": func() { w.addKey(u, "Key") }, "an app": func() { w.enrol(u) }} {
		before, err := w.User(t.Context(), u.ID)
		w.ok(err)
		w.clock.add(time.Minute)
		change()
		if err := renew(before); !errs.Is(err, errs.Unsigned) {
			t.Errorf("%s was added meanwhile: %v", what, err)
		}
		now, err := w.User(t.Context(), u.ID)
		w.ok(err)
		w.ok(renew(now))
	}
}

// Passkeys belong to a host name.
func TestWherePasskeysWork(t *testing.T) {
	for address, want := range map[string]string{"http://localhost:8080": "localhost", "https://backoffice.example": "backoffice.example", "https://BackOffice.Example:8443": "backoffice.example",
		"http://127.0.0.1:8080": "", "http://[::1]:8080": "", "https://10.0.0.1": "", "https://backoffice": ""} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if p := newParty(u); p != nil {
			got = p.id()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	w, u := withPasskeys(t)
	k, _ := w.addKey(u, "Key")
	w.party = newParty(&url.URL{Scheme: "https", Host: "elsewhere.example"})
	if list, _ := w.Passkeys(t.Context(), u.ID); list[0].Elsewhere != host {
		t.Errorf("list %+v", list)
	}
	k.Origin, k.Host = "https://elsewhere.example", "elsewhere.example"
	_, err := w.come(k)
	w.fails("a passkey of another host", err, "A passkey of another host.")
	w.party = nil
	_, err1 := w.BeginPasskeySignIn(audit.Actor{}, tab)
	_, err2 := w.BeginPasskey(t.Context(), u.ID, tab, "x")
	_, err3 := w.come2(k)
	for _, err := range []error{err1, err2, err3} {
		if _, msg := errs.Of(err); !strings.Contains(msg, "Passkeys need a host name") {
			t.Errorf("where there are none: %v", err)
		}
	}
	var need *CodeNeeded
	if _, err := w.signIn(home, owner, password); !asNeed(err, &need) || need.Passkey {
		t.Errorf("the password alone, or a passkey is asked for: %+v, %v", need, err)
	}
}

// No change of passkeys goes without its event.
func TestNoPasskeyWithoutItsRecord(t *testing.T) {
	w, u := withPasskeys(t)
	k, _ := w.addKey(u, "Key")
	list, _ := w.Passkeys(t.Context(), u.ID)
	door := w.asked()
	confirm, err := w.BeginConfirm(t.Context(), u.ID, tab)
	w.ok(err)
	another, err := w.BeginPasskey(t.Context(), u.ID, tab, "Other")
	w.ok(err)
	w.breakAuditLog()
	before := w.dump()
	for name, err := range map[string]error{"sign in": second(w.answers(k, door)), "confirm": w.ConfirmPasskey(t.Context(), as(u), u.ID, tab, secret.NewText(k.Answer(confirm))),
		"add":    second(w.AddPasskey(t.Context(), as(u), tab, "", secret.NewText(authtest.New(origin, host).Make(another)))),
		"rename": w.RenamePasskey(t.Context(), as(u), list[0].Handle, "x"), "remove": w.RemovePasskey(t.Context(), as(u), "", list[0].Handle, false)} {
		if err == nil {
			t.Errorf("%s went through without its event", name)
		}
	}
	if w.dump() != before {
		t.Error("something was changed")
	}
}

// Questions are bounded: of one source the oldest gives way to its own, and the
// oldest of all when there are too many.
func TestCeremoniesAreBounded(t *testing.T) {
	cs, at := &ceremonies{}, time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	begin := func(source, challenge string) {
		c := ceremony{purpose: toSignIn, binding: tab, source: source, began: at}
		c.data.Challenge = challenge
		cs.begin(c)
	}
	begin("b", "theirs")
	for i := range maxOpenEach + 3 {
		begin("a", fmt.Sprintf("a%d", i))
	}
	for challenge, want := range map[string]bool{"theirs": true, "a2": false, "a3": true, "": false} {
		if _, ok := cs.take(challenge, toSignIn, tab, at); ok != want {
			t.Errorf("%s is there: %v", challenge, ok)
		}
	}
	for i := range maxOpen + 5 {
		begin(fmt.Sprint("source ", i), fmt.Sprintf("s%d", i))
	}
	if len(cs.all) != maxOpen {
		t.Errorf("%d are kept", len(cs.all))
	}
	at = at.Add(ceremonyFor)
	begin("c", "late")
	if len(cs.all) != 1 {
		t.Errorf("%d are kept after they expired", len(cs.all))
	}
}

// come2 is come with an answer to nothing.
func (w *world) come2(k *authtest.Passkey) (User, error) {
	return w.answers(k, `{"publicKey":{"challenge":"AAAA"}}`)
}

func asNeed(err error, need **CodeNeeded) bool { return errors.As(err, need) }

// between is a store in which something happens once, before the next update.
type between struct {
	store.Store
	do func()
}

func (b *between) Update(ctx context.Context, f func(store.Tx) error) error {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Store.Update(ctx, f)
}
