package auth

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
)

func TestSessionsOf(t *testing.T) {
	w, u := withOwner(t)
	st := w.sessions(false)
	var made []Session
	for range 3 {
		w.clock.add(time.Minute)
		s, err := st.Renew(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), u, home)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, s)
	}
	slices.Reverse(made)
	got, err := st.Of(t.Context(), u.ID)
	if err != nil || !slices.Equal(got, made) {
		t.Errorf("Of = %+v, %v; want %+v", got, err, made)
	}
	seen := map[string]bool{}
	for _, s := range made {
		if s.Handle() == s.ID || len(s.Handle()) != 22 || seen[s.Handle()] {
			t.Errorf("handle %q of %q", s.Handle(), s.ID)
		}
		seen[s.Handle()] = true
	}
	last := made[0]
	for _, tt := range []struct {
		later time.Duration
		want  bool
	}{{0, true}, {proofFor - 1, true}, {1, false}} {
		w.clock.add(tt.later)
		if got := st.Proven(last); got != tt.want {
			t.Errorf("%s later proven: %v, want %v", tt.later, got, tt.want)
		}
	}
	if last.Proof = (time.Time{}); st.Proven(last) {
		t.Error("a session of before, without a proof, is proven")
	}
	w.clock.add(24 * time.Minute)
	if got, _ = st.Of(t.Context(), u.ID); len(got) != 1 {
		t.Errorf("%d sessions after most were idle for long, want 1", len(got))
	}
}

func TestEndSessions(t *testing.T) {
	w, boss := withOwner(t)
	admin := w.join(boss, "admin@acme.example", Grant{Role: Admin})
	u := w.join(boss, "new@acme.example", Grant{Role: Editor})
	st := w.sessions(false)
	w.session(boss)
	for range 3 {
		w.session(u)
	}
	all, err := st.Of(t.Context(), u.ID)
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	for _, tt := range []struct {
		by     User
		e      Ending
		ended  int
		kind   errs.Kind
		remain int
	}{
		{admin, Ending{UserID: u.ID}, 0, errs.Refused, 3},
		{u, Ending{UserID: boss.ID}, 0, errs.Refused, 3},
		{User{}, Ending{UserID: u.ID}, 0, errs.Refused, 3},
		{u, Ending{UserID: "nobody"}, 0, errs.NotFound, 3},
		{u, Ending{UserID: u.ID, Handle: "another"}, 0, errs.NotFound, 3},
		{u, Ending{UserID: u.ID, Handle: all[0].ID}, 0, errs.NotFound, 3},
		{u, Ending{UserID: u.ID, Handle: all[0].Handle()}, 1, errs.Internal, 2},
		{u, Ending{UserID: u.ID, Keep: all[1].ID}, 1, errs.Internal, 1},
		{u, Ending{UserID: u.ID, Keep: all[1].ID}, 0, errs.Internal, 1},
		{boss, Ending{UserID: u.ID}, 1, errs.Internal, 0},
	} {
		events := len(w.events())
		n, err := st.End(t.Context(), as(tt.by), tt.e)
		if n != tt.ended || kindOf(err) != tt.kind || (err != nil) != (tt.kind != errs.Internal) {
			t.Errorf("%s ends %+v: %d, %v; want %d, %v", tt.by.Email, tt.e, n, err, tt.ended, tt.kind)
		}
		if got := w.sessionsOf(u); got != tt.remain {
			t.Errorf("%s ends %+v: %d remain, want %d", tt.by.Email, tt.e, got, tt.remain)
		}
		if got := len(w.events()) - events; got != min(tt.ended, 1) {
			t.Errorf("%s ends %+v: %d events", tt.by.Email, tt.e, got)
		}
	}
	if e := w.lastEvent(); e.Action != audit.SessionEnded || e.Target != u.Email || e.Actor != as(boss) || e.Note != "Sessions ended: 1." {
		t.Errorf("event %+v", e)
	}
	if w.sessionsOf(boss) != 1 {
		t.Error("sessions of somebody else ended")
	}
	w.session(u)
	w.breakAuditLog()
	if _, err := st.End(t.Context(), as(u), Ending{UserID: u.ID}); err == nil || w.sessionsOf(u) != 1 {
		t.Errorf("ended without its event: %v", err)
	}
}

// A stranger learns nothing from how long the answer takes: a wrong password costs the
// same for an account that exists, with a second factor or without or disabled, as for
// one that does not. The trials take turns, so that whatever else the machine does
// meets all of them. It prints its figure beside the goal, for make bench.
func BenchmarkSignInTellsNothing(b *testing.B) {
	const trials, goal = 200, 5.0 // percent
	w := withRealOwner(b)
	people := []string{"nobody@acme.example", owner, "factor@acme.example", "gone@acme.example"}
	for _, who := range people[2:] {
		if _, err := w.ConsoleAdd(b.Context(), who, Grant{Role: Viewer}); err != nil {
			b.Fatal(err)
		}
	}
	with, err := w.find(b.Context(), people[2])
	if err != nil {
		b.Fatal(err)
	}
	w.enrol(with.User)
	if err := w.ConsoleDisable(b.Context(), people[3]); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		took := make([]time.Duration, len(people))
		for n := range trials {
			for j := range people { // each is first as often as the others
				i := (n + j) % len(people)
				who := people[i]
				w.clock.add(time.Hour) // whatever was counted is forgiven
				begin := time.Now()
				if _, err := w.signIn(home, who, "a wrong password"); !errs.Is(err, errs.Invalid) {
					b.Fatal(err)
				}
				took[i] += time.Since(begin)
			}
		}
		for i, kind := range []string{"a known account", "one with a second factor", "a disabled one"} {
			apart := 100 * (took[0] - took[i+1]).Abs().Seconds() / (took[0] + took[i+1]).Seconds() * 2
			mark := "ok    "
			if apart >= goal {
				mark = "MISSED"
				b.Fail()
			}
			fmt.Printf("%s  %-38s %-70s goal: under %.0f %%\n", mark, "wrong password: unknown and "+kind, fmt.Sprintf("%.1f %% of the mean apart (%s : %s, over %d trials)", apart,
				(took[0]/trials).Round(10*time.Microsecond), (took[i+1]/trials).Round(10*time.Microsecond), trials), goal)
		}
	}
}
