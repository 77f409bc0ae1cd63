package config_test

import (
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

const rocketID config.ID = "acme:rocket"

// launched is an entry of the definition rocket, with its version 1 in force.
func launched(t testing.TB) *room {
	t.Helper()
	r := open(t)
	r.save(config.Draft{ID: rocketID, Then: config.PutInForce, Scopes: []string{"read"}, Topics: []string{"made"}, Values: []config.Input{
		plain("clientId", "rocket-1"), hidden("clientSecret", "old-secret-1"), hidden("webhookSecret", "hook-secret"), plain("region", "two"), hidden("own", "own-secret")}})
	return r
}

func (r *room) paste(value string, then config.Then, accept time.Duration) (config.Version, error) {
	r.t.Helper()
	saved, err := r.PasteSecret(r.t.Context(), editor, config.Paste{ID: rocketID, Revision: r.get(rocketID).Revision, Secret: secret.NewText(value), Reason: "leaked", Then: then, Accept: accept})
	return saved.Version, err
}

func (r *room) rotating() config.Rotating {
	r.t.Helper()
	x, err := r.RotationOf(r.t.Context(), rocketID)
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

// A whole rotation, with what the entry shows of it after each act.
func TestRotation(t *testing.T) {
	r := launched(t)
	type want struct {
		open, inForce, accepted, finished bool
		version                           int
	}
	check := func(when string, w want) {
		t.Helper()
		x := r.rotating()
		if got := (want{x.Open, x.InForce, x.Accepted, x.Finished(), x.New.Number}); got != w {
			t.Errorf("%s: %+v, want %+v", when, got, w)
		}
	}
	check("before", want{})
	if err := r.EndRotation(t.Context(), owner, rocketID); !errs.Is(err, errs.Conflict) {
		t.Errorf("ending none = %v", err)
	}
	if err := r.BeginRotation(t.Context(), owner, rocketID, "perhaps"); errs.Fields(err)["keeps"] == "" {
		t.Errorf("an answer that there is not = %v", err)
	}
	for _, k := range []config.Keeps{config.KeepsUnknown, config.KeepsBoth} { // the second changes the answer
		if err := r.BeginRotation(t.Context(), owner, rocketID, k); err != nil {
			t.Fatal(err)
		}
	}
	x := r.rotating()
	if x.Keeps != config.KeepsBoth || x.Key != "clientSecret" || x.From != 1 || x.By != owner.Name || x.Started.IsZero() {
		t.Errorf("begun: %+v", x.Rotation)
	}
	check("begun", want{open: true})

	v, err := r.paste("new-secret-2 ", config.Pend, 0) // the space is cleaned away
	if err != nil {
		t.Fatal(err)
	}
	check("pasted", want{open: true, version: 2})
	before, _ := r.Open(t.Context(), rocketID, 1)
	after, _ := r.Open(t.Context(), rocketID, 2)
	if diff := config.Diff(before.Version, after.Version); len(diff) != 1 || diff[0].Name != "clientSecret" || v.Base != 1 || v.Author != editor.Name {
		t.Errorf("more than the secret changed: %+v", diff)
	}
	if got := after.Values["clientSecret"].Text().Reveal(); got != "new-secret-2" {
		t.Errorf("pasted as %q", got)
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 2, Accept: time.Hour}); err != nil {
		t.Fatal(err)
	}
	check("promoted", want{open: true, inForce: true, accepted: true, version: 2})
	move := config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 2}
	if _, err := r.Retire(t.Context(), owner, move); !errs.Is(err, errs.Conflict) {
		t.Errorf("retiring the version in force = %v", err)
	}
	move.Version = 1
	e, err := r.Retire(t.Context(), owner, move)
	if err != nil || e.Previous != 0 || !e.PreviousUntil.IsZero() || e.Current != 2 {
		t.Errorf("retired: %+v, %v", e, err)
	}
	check("retired", want{open: true, inForce: true, finished: true, version: 2})
	if _, err := r.Retire(t.Context(), owner, move); !errs.Is(err, errs.Conflict) {
		t.Errorf("retiring twice = %v", err)
	}
	if err := r.EndRotation(t.Context(), editor, rocketID); err != nil {
		t.Fatal(err)
	}
	check("ended", want{inForce: true, finished: true, version: 2})
	var did []string
	for _, e := range r.events() {
		if e.Action == audit.EntryRetired && changes(e) != "previous version:1>" {
			t.Errorf("the event of retiring: %s", changes(e))
		}
		did = append([]string{string(e.Action) + " " + e.Actor.Name}, did...)
	}
	if got, want := strings.Join(did, ", "), "entry.create owner@acme.example, rotation.begin owner@acme.example, rotation.begin owner@acme.example, entry.save editor@acme.example, entry.promote owner@acme.example, entry.retire owner@acme.example, rotation.end editor@acme.example"; got != want {
		t.Errorf("events:\n%s, want\n%s", got, want)
	}
	if err := r.BeginRotation(t.Context(), editor, rocketID, config.KeepsOne); err != nil {
		t.Fatal(err)
	}
	check("the next one", want{open: true})
}

// The deadline alone finishes a rotation, and an edit that keeps the secret does
// not hide it.
func TestRotationByTheEntryAlone(t *testing.T) {
	r := launched(t)
	if err := r.BeginRotation(t.Context(), owner, rocketID, config.KeepsBoth); err != nil {
		t.Fatal(err)
	}
	if _, err := r.paste("new-secret-2", config.PutInForce, 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	if x := r.rotating(); !x.Accepted || x.Finished() {
		t.Errorf("before its deadline: %+v", x)
	}
	for range 40 {
		r.now()
	}
	if x := r.rotating(); x.Accepted || !x.Finished() {
		t.Errorf("after its deadline: %+v", x)
	}
	if _, err := r.Retire(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 1}); !errs.Is(err, errs.Conflict) {
		t.Errorf("retiring after the deadline = %v", err)
	}
	if _, err := r.RollBack(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if x := r.rotating(); x.New.Number != 0 || x.Finished() {
		t.Errorf("rolled back: %+v", x)
	}
	v, err := r.paste("new-secret-2", config.Pend, 0)
	if err != nil || v.Number != 3 {
		t.Fatal(v.Number, err)
	}
	if x := r.rotating(); x.SameAs != 2 || x.New.Number != 3 {
		t.Errorf("an old secret again: %+v", x)
	}
}

func TestPasteSecretRefuses(t *testing.T) {
	r := launched(t)
	before := r.dump()
	for _, tt := range []struct{ value, says string }{{"old-secret-1", "This is the secret that is in force, of version 1."}, {" old-secret-1\u200b", "This is the secret that is in force"}, {"  ", "Paste the new secret."}, {"", "Paste the new secret."}} {
		if _, err := r.paste(tt.value, config.Pend, 0); !strings.HasPrefix(errs.Fields(err)["secret"], tt.says) {
			t.Errorf("%q = %v", tt.value, err)
		}
	}
	if _, err := r.PasteSecret(t.Context(), owner, config.Paste{ID: rocketID, Revision: 7, Secret: secret.NewText("x")}); !errs.Is(err, errs.Conflict) {
		t.Errorf("at another revision = %v", err)
	}
	if _, err := r.PasteSecret(t.Context(), owner, config.Paste{ID: rocketID, Revision: r.get(rocketID).Revision, Secret: secret.NewText("x"), Expires: "tomorrow"}); errs.Fields(err)["expires.clientSecret"] == "" {
		t.Errorf("with a date that is none = %v", err)
	}
	r.unchanged(before)
	r.save(draft("acme:anything", 1)) // pending: nothing is in force
	if err := r.BeginRotation(t.Context(), owner, "acme:anything", config.KeepsBoth); !errs.Is(err, errs.Invalid) {
		t.Errorf("with nothing in force = %v", err)
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: "acme:anything", Revision: 1, Version: 1, Revert: time.Minute}); errs.Fields(err)["minutes"] == "" {
		t.Errorf("a way back to nothing = %v", err)
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: "acme:anything", Revision: 1, Version: 1, Revert: config.MaxRevert + 1}); errs.Fields(err)["minutes"] == "" {
		t.Errorf("a way back for too long = %v", err)
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: "acme:anything", Revision: 1, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.BeginRotation(t.Context(), owner, "acme:anything", config.KeepsBoth); !errs.Is(err, errs.Invalid) {
		t.Errorf("without a client secret = %v", err)
	}
}

// Another client id is another app: the event of a save, and of a promotion, says so.
func TestAnotherClientIDIsAnotherApp(t *testing.T) {
	r := launched(t)
	other := config.Draft{ID: rocketID, Values: []config.Input{plain("clientId", "rocket-2"), hidden("clientSecret", "s")}}
	v := r.save(other)
	in, _ := r.Version(t.Context(), rocketID, 1)
	if key, is := r.OtherApp(in, v); key != "clientId" || !is {
		t.Errorf("OtherApp = %q, %v", key, is)
	}
	if _, is := r.OtherApp(in, in); is {
		t.Error("the same is another app")
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 2}); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.events()[:2] {
		if !strings.Contains(e.Note, "clientId is another one: this is another app at the provider.") {
			t.Errorf("%s: %q", e.Action, e.Note)
		}
	}
}

// Invariant 1 for every change of this file's methods.
func TestNoRotationWithoutItsRecord(t *testing.T) {
	for name, f := range map[string]func(*room) error{
		"begin":  func(r *room) error { return r.BeginRotation(t.Context(), owner, rocketID, config.KeepsOne) },
		"end":    func(r *room) error { return r.EndRotation(t.Context(), owner, rocketID) },
		"paste":  func(r *room) error { _, err := r.paste("another", config.Pend, 0); return err },
		"expiry": func(r *room) error { return r.SetExpiry(t.Context(), owner, expires("2027-01-31")) },
		"retire": func(r *room) error {
			_, err := r.Retire(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 1})
			return err
		},
		"revert": func(r *room) error {
			w, _ := r.WatchOf(t.Context(), rocketID)
			_, err := r.Revert(t.Context(), owner, w, "found", "report")
			return err
		},
		"end of a watch": func(r *room) error {
			w, _ := r.WatchOf(t.Context(), rocketID)
			return r.EndWatch(t.Context(), owner, w, config.WatchWorks, "found", "report")
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, broken := range []bool{false, true} {
				r := launched(t)
				if err := r.BeginRotation(t.Context(), owner, rocketID, config.KeepsBoth); err != nil {
					t.Fatal(err)
				}
				if _, err := r.paste("new-secret-2", config.Pend, 0); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Promote(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 2, Accept: 80 * time.Hour, Revert: time.Hour}); err != nil {
					t.Fatal(err)
				}
				n := len(r.events())
				if !broken {
					if err := f(r); err != nil || len(r.events()) != n+1 {
						t.Errorf("%v, %d events more", err, len(r.events())-n)
					}
					continue
				}
				r.breakAuditLog()
				before := r.dump()
				if err := f(r); err == nil {
					t.Error("it happened without a record")
				}
				r.unchanged(before)
			}
		})
	}
}

// Deleting an entry deletes what is kept beside it.
func TestDeletingTakesTheRotationAlong(t *testing.T) {
	r := launched(t)
	if err := r.BeginRotation(t.Context(), owner, rocketID, config.KeepsBoth); err != nil {
		t.Fatal(err)
	}
	if err := r.SetExpiry(t.Context(), owner, expires("2027-01-31")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.paste("new-secret-2", config.Pend, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Promote(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision, Version: 2, Revert: time.Hour}); err != nil {
		t.Fatal(err)
	}
	there := func() (n int) {
		for key := range r.dump() {
			for _, p := range []string{"config/rotation/", "config/watch/", "config/expiry/"} {
				if strings.HasPrefix(key, p) {
					n++
				}
			}
		}
		return n
	}
	if there() != 3 {
		t.Fatalf("%d records", there())
	}
	if err := r.Delete(t.Context(), owner, config.Move{ID: rocketID, Revision: r.get(rocketID).Revision}); err != nil {
		t.Fatal(err)
	}
	if there() != 0 {
		t.Errorf("%d records are left", there())
	}
}
