package auth

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

func as(u User) audit.Actor { return audit.Actor{ID: u.ID, Name: u.Email, Addr: home, RequestID: "r9"} }

func (w *world) invite(by User, email string, g Grant) secret.Text {
	w.t.Helper()
	token, err := w.Invite(w.t.Context(), as(by), email, g)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func newPerson(token secret.Text) NewPerson {
	return NewPerson{Token: token, Name: " Ada ", Password: secret.NewText(password), Again: secret.NewText(password)}
}

// join brings somebody new.
func (w *world) join(by User, email string, g Grant) User {
	w.t.Helper()
	u, err := w.Join(w.t.Context(), audit.Actor{Addr: abroad, RequestID: "r8"}, newPerson(w.invite(by, email, g)))
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// session signs u in somewhere, and counts the sessions of u from then on.
func (w *world) session(u User) {
	w.t.Helper()
	u, err := w.User(w.t.Context(), u.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.sessions(false).Renew(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), u, home); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sessionsOf(u User) (n int) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		list, err := orZero(sessionLists.Get(r, u.ID))
		n = len(list.IDs)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestInvitation(t *testing.T) {
	w, boss := withOwner(t)
	token := w.invite(boss, " New@ACME.example", Grant{Editor, "acme:*"})
	if strings.Contains(w.dump(), token.Reveal()) {
		t.Error("the token is stored")
	}
	wantInvited := audit.Event{Time: w.clock.t, Actor: as(boss), Action: audit.PersonInvited, Target: "new@acme.example", Outcome: audit.Done}
	e := w.lastEvent()
	if !slices.Equal(e.Changes, []audit.Change{{Key: "role", After: "editor"}, {Key: "entries", Before: "all", After: "acme:*"}}) {
		t.Errorf("changes %+v", e.Changes)
	}
	if e.Changes = nil; !sameEvent(e, wantInvited) {
		t.Errorf("event %+v, want %+v", e, wantInvited)
	}
	open, err := w.Invitations(t.Context())
	if err != nil || len(open) != 1 || open[0].Email != "new@acme.example" || !open[0].Expires.Equal(w.clock.t.Add(24*time.Hour)) || open[0].ByName != owner {
		t.Fatalf("invitations %+v, %v", open, err)
	}
	for name, change := range map[string]func(*NewPerson){
		"name":      func(n *NewPerson) { n.Name = strings.Repeat("n", 101) },
		"password":  func(n *NewPerson) { n.Password = secret.NewText("short"); n.Again = n.Password },
		"password2": func(n *NewPerson) { n.Again = secret.NewText("another one altogether") },
	} {
		n := newPerson(token)
		change(&n)
		if _, err := w.Join(t.Context(), audit.Actor{}, n); errs.Fields(err)[name] == "" {
			t.Errorf("no fault of %s: %v", name, err)
		}
	}
	u, err := w.Join(t.Context(), audit.Actor{Addr: abroad}, newPerson(token))
	if err != nil || u.Email != "new@acme.example" || u.Name != "Ada" || u.Grant != (Grant{Editor, "acme:*"}) || !u.Active() {
		t.Fatalf("Join = %+v, %v", u, err)
	}
	if e := w.lastEvent(); e.Action != audit.PersonJoined || e.Actor.Name != u.Email || e.Actor.Addr != abroad || e.Target != u.Email || e.Note != "Invited by "+owner+"." {
		t.Errorf("event %+v", e)
	}
	if got, err := w.signIn(abroad, "new@acme.example", password); err != nil || got.ID != u.ID {
		t.Errorf("SignIn = %+v, %v", got, err)
	}
	if _, err := w.Join(t.Context(), audit.Actor{}, newPerson(token)); !errs.Is(err, errs.NotFound) {
		t.Errorf("the link opened twice: %v", err)
	}
	if open, _ := w.Invitations(t.Context()); len(open) != 0 {
		t.Errorf("it is still open: %+v", open)
	}
	if _, err := w.Invite(t.Context(), as(boss), "NEW@acme.example", Grant{Role: Viewer}); errs.Fields(err)["email"] == "" {
		t.Errorf("somebody who is there was invited: %v", err)
	}
}

// An invitation ends with its time, with another one for the same address, when it
// is withdrawn, and with the power of who made it.
func TestInvitationsEnd(t *testing.T) {
	for name, end := range map[string]func(w *world, boss, maker User){
		"after a day":        func(w *world, _, _ User) { w.clock.add(24 * time.Hour) },
		"by another one":     func(w *world, boss, _ User) { w.invite(boss, "new@acme.example", Grant{Role: Viewer}) },
		"withdrawn":          func(w *world, boss, _ User) { w.ok(w.Withdraw(w.t.Context(), as(boss), "New@acme.example")) },
		"its maker disabled": func(w *world, boss, maker User) { w.ok(w.Disable(w.t.Context(), as(boss), maker.ID)) },
		"its maker demoted": func(w *world, boss, maker User) {
			w.ok(w.SetGrant(w.t.Context(), as(boss), maker.ID, Grant{Role: Editor}))
		},
		"its maker limited": func(w *world, boss, maker User) {
			w.ok(w.SetGrant(w.t.Context(), as(boss), maker.ID, Grant{Admin, "x:*"}))
		},
		"swept after its day": func(w *world, _, _ User) { w.clock.add(25 * time.Hour); w.ok(w.Sweep(w.t.Context())) },
	} {
		w, boss := withOwner(t)
		maker := w.join(boss, "maker@acme.example", Grant{Role: Admin})
		token := w.invite(maker, "new@acme.example", Grant{Role: Editor})
		if _, err := w.CheckInvitation(t.Context(), token); err != nil {
			t.Fatalf("%s: not valid before: %v", name, err)
		}
		end(w, boss, maker)
		if _, err := w.CheckInvitation(t.Context(), token); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: CheckInvitation = %v", name, err)
		}
		if _, err := w.Join(t.Context(), audit.Actor{}, newPerson(token)); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: Join = %v", name, err)
		}
		if name == "swept after its day" && strings.Contains(w.dump(), "auth/invite") {
			t.Errorf("something is left:\n%s", w.dump())
		}
		if name == "withdrawn" {
			if e := w.lastEvent(); e.Action != audit.InviteWithdrew || e.Target != "new@acme.example" || e.Actor != as(boss) {
				t.Errorf("event %+v", e)
			}
			if err := w.Withdraw(t.Context(), as(boss), "new@acme.example"); !errs.Is(err, errs.NotFound) {
				t.Errorf("withdrawn twice: %v", err)
			}
		}
	}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Nobody changes people above or beside the own reach, and nothing is written.
func TestWhoMayChangeWhom(t *testing.T) {
	w, boss := withOwner(t)
	admin := w.join(boss, "admin@acme.example", Grant{Role: Admin})
	some := w.join(boss, "some@acme.example", Grant{Admin, "acme:*"})
	editor := w.join(boss, "editor@acme.example", Grant{Role: Editor})
	mine := w.join(boss, "mine@acme.example", Grant{Viewer, "acme:intercom"})
	gone := w.join(boss, "gone@acme.example", Grant{Role: Admin})
	w.ok(w.Disable(t.Context(), as(boss), gone.ID))
	for _, err := range []error{w.Disable(t.Context(), as(admin), boss.ID), w.Enable(t.Context(), as(editor), gone.ID),
		second(w.Invite(t.Context(), as(admin), "x@acme.example", Grant{Role: Owner})), second(w.Invite(t.Context(), as(some), "x@acme.example", Grant{Role: Viewer}))} {
		if err != nil && !errs.Is(err, errs.Refused) || err == nil {
			t.Errorf("not refused: %v", err)
		}
	}
	none := errs.Internal // which is no refusal
	for _, tt := range []struct {
		by, whom User
		to       Grant
		want     errs.Kind
	}{
		{admin, boss, Grant{Role: Viewer}, errs.Refused},
		{admin, editor, Grant{Role: Owner}, errs.Refused},
		{admin, admin, Grant{Role: Owner}, errs.Refused},
		{some, some, Grant{Role: Admin}, errs.Refused},
		{some, mine, Grant{Admin, "globex:*"}, errs.Refused},
		{some, editor, Grant{Viewer, "acme:x"}, errs.NotFound},
		{some, boss, Grant{Viewer, "acme:x"}, errs.NotFound},
		{editor, mine, Grant{Editor, "acme:*"}, errs.Refused},
		{gone, mine, Grant{Editor, "acme:*"}, errs.Refused},
		{User{ID: "nobody"}, mine, Grant{Editor, "acme:*"}, errs.Refused},
		{boss, User{ID: "nobody"}, Grant{Role: Viewer}, errs.NotFound},
		{boss, boss, Grant{Role: Admin}, errs.Invalid},
		{boss, mine, Grant{Role: "king"}, errs.Invalid},
		{boss, mine, Grant{Owner, "acme:*"}, errs.Invalid},
		{boss, mine, Grant{Viewer, "<b>"}, errs.Invalid},
		{some, mine, Grant{Admin, "acme:*"}, none},
		{admin, editor, Grant{Admin, "globex:*"}, none},
		{boss, editor, Grant{Role: Owner}, none},
	} {
		before := w.dump()
		err := w.SetGrant(t.Context(), as(tt.by), tt.whom.ID, tt.to)
		if kindOf(err) != tt.want || tt.want == none && err != nil {
			t.Errorf("%s gives %s %+v: %v, want %v", tt.by.Email, tt.whom.Email, tt.to, err, tt.want)
		}
		if err != nil && w.dump() != before {
			t.Errorf("%s gives %s %+v: refused, and written", tt.by.Email, tt.whom.Email, tt.to)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

func TestGrantChange(t *testing.T) {
	w, boss := withOwner(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	w.session(u)
	w.session(boss)
	w.ok(w.SetGrant(t.Context(), as(boss), u.ID, Grant{Viewer, "acme:*"}))
	e := w.lastEvent()
	if e.Action != audit.GrantChanged || e.Target != u.Email || e.Actor != as(boss) || e.Note != "Sessions ended: 1." ||
		!slices.Equal(e.Changes, []audit.Change{{Key: "role", Before: "editor", After: "viewer"}, {Key: "entries", Before: "all", After: "acme:*"}}) {
		t.Errorf("event %+v", e)
	}
	if n, m := w.sessionsOf(u), w.sessionsOf(boss); n != 0 || m != 1 {
		t.Errorf("%d and %d sessions, want 0 and 1", n, m)
	}
	n := len(w.events())
	w.ok(w.SetGrant(t.Context(), as(boss), u.ID, Grant{Viewer, "acme:*"}))
	if len(w.events()) != n {
		t.Error("what changes nothing is an event")
	}
}

func TestDisable(t *testing.T) {
	w, boss := withOwner(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	w.session(u)
	w.ok(w.Disable(t.Context(), as(boss), u.ID))
	if e := w.lastEvent(); e.Action != audit.PersonDisabled || e.Target != u.Email || e.Note != "Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	if n := w.sessionsOf(u); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	unknown := second(w.signIn(abroad, "nobody@acme.example", password))
	for _, pass := range []string{password, "another wrong one"} {
		_, err := w.signIn(home, u.Email, pass)
		if err == nil || err.Error() != unknown.Error() {
			t.Errorf("disabled, with %q: %v, want %v", pass, err, unknown)
		}
		if e := w.lastEvent(); e.Action != audit.SignInFailed || e.Outcome != audit.Failed || !strings.Contains(e.Note, "disabled") {
			t.Errorf("event %+v", e)
		}
	}
	if _, err := w.sessions(false).Renew(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), u, home); !errs.Is(err, errs.Unsigned) {
		t.Errorf("a session for somebody who is disabled: %v", err)
	}
	n := len(w.events())
	w.ok(w.Disable(t.Context(), as(boss), u.ID))
	if len(w.events()) != n {
		t.Error("disabling twice is two events")
	}
	w.ok(w.Enable(t.Context(), as(boss), u.ID))
	if e := w.lastEvent(); e.Action != audit.PersonEnabled || e.Target != u.Email {
		t.Errorf("event %+v", e)
	}
	if _, err := w.signIn(home, u.Email, password); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

// Of two owners who take each other's role at the same time, one stays.
func TestAnOwnerRemains(t *testing.T) {
	w, boss := withOwner(t)
	other := w.join(boss, "other@acme.example", Grant{Role: Owner})
	var wg sync.WaitGroup
	faults := make([]error, 2)
	wg.Go(func() { faults[0] = w.Disable(t.Context(), as(boss), other.ID) })
	wg.Go(func() { faults[1] = w.SetGrant(t.Context(), as(other), boss.ID, Grant{Role: Viewer}) })
	wg.Wait()
	if (faults[0] == nil) == (faults[1] == nil) {
		t.Errorf("both or none went through: %v, %v", faults[0], faults[1])
	}
	left := boss
	if faults[1] == nil {
		left = other
	}
	before := w.dump()
	for _, err := range []error{w.Disable(t.Context(), as(left), left.ID), w.SetGrant(t.Context(), as(left), left.ID, Grant{Role: Admin})} {
		if !errors.Is(err, errLastOwner) {
			t.Errorf("the last owner was taken: %v", err)
		}
	}
	if w.dump() != before {
		t.Error("what was refused is written")
	}
}

// Invariant 1, for people.
func TestNoTeamChangeWithoutItsRecord(t *testing.T) {
	w, boss := withOwner(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	gone := w.join(boss, "gone@acme.example", Grant{Role: Editor})
	w.ok(w.Disable(t.Context(), as(boss), gone.ID))
	token := w.invite(boss, "third@acme.example", Grant{Role: Editor})
	w.breakAuditLog()
	before := w.dump()
	for name, err := range map[string]error{
		"grant": w.SetGrant(t.Context(), as(boss), u.ID, Grant{Role: Viewer}), "disable": w.Disable(t.Context(), as(boss), u.ID),
		"enable": w.Enable(t.Context(), as(boss), gone.ID), "invite": second(w.Invite(t.Context(), as(boss), "x@acme.example", Grant{Role: Viewer})),
		"withdraw": w.Withdraw(t.Context(), as(boss), "third@acme.example"), "join": second(w.Join(t.Context(), audit.Actor{}, newPerson(token))),
	} {
		if err == nil {
			t.Errorf("%s went through without its event", name)
		}
	}
	if w.dump() != before {
		t.Error("something was changed")
	}
}

func TestLastSeen(t *testing.T) {
	w, boss := withOwner(t)
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	at := w.clock.now()
	w.session(u)
	w.clock.add(time.Hour)
	people, err := w.People(t.Context())
	if err != nil || len(people) != 2 || people[0].User != boss || !people[0].Seen.IsZero() || people[1].User != u || !people[1].Seen.Equal(at) {
		t.Errorf("People = %+v, %v", people, err)
	}
	w.ok(w.Disable(t.Context(), as(boss), u.ID))
	if people, _ = w.People(t.Context()); !people[1].Seen.Equal(at) {
		t.Errorf("seen %s after the sessions ended, want %s", people[1].Seen, at)
	}
}
