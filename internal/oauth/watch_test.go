package oauth_test

import (
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
)

// promoted pastes a secret as version 2 and puts it in force for a watch of 20
// minutes.
func (r *rig) promoted(pasted string) config.Entry {
	r.t.Helper()
	e, err := r.config.Get(r.t.Context(), id)
	must(r.t, err)
	_, err = r.config.PasteSecret(r.t.Context(), by, config.Paste{ID: id, Revision: e.Revision, Secret: secret.NewText(pasted)})
	must(r.t, err)
	e, err = r.config.Get(r.t.Context(), id)
	must(r.t, err)
	e, err = r.config.Promote(r.t.Context(), by, config.Move{ID: id, Revision: e.Revision, Version: e.Pending, Accept: time.Hour, Revert: 20 * time.Minute})
	must(r.t, err)
	return e
}

// watchSweep runs one sweep and lets the test that it began end.
func (r *rig) watchSweep() {
	r.t.Helper()
	must(r.t, r.oauth.WatchSweep(r.t.Context()))
	if run := r.oauth.UnderWay(id); run != "" {
		r.wait(oauth.Ref{Entry: id, Report: run})
	}
}

func (r *rig) watch() config.Watch {
	r.t.Helper()
	w, err := r.config.WatchOf(r.t.Context(), id)
	must(r.t, err)
	return w
}

// TestWatch promotes a version at each sort of provider, lets the time of the
// watch go by, and looks at what is in force then.
func TestWatch(t *testing.T) {
	nothing := func(*rig) {}
	for _, tt := range []struct {
		name    string
		vendor  *vendor
		pasted  string
		happens func(*rig) // after the first check
		end     config.WatchEnd
		current int
		pending int
		checks  int
		event   audit.Action
		found   string
	}{
		{"the new secret is wrong", &vendor{}, wrongSecret, nothing, config.WatchReverted, 1, 2, 1, audit.EntryReverted, "proved the client secret of version 2 wrong"},
		{"the new secret is right", &vendor{}, goodSecret, nothing, config.WatchWorks, 2, 0, 4, audit.WatchEnded, "4 checks were made, and the client secret of version 2 was found right."},
		{"the new secret is wrong, and the provider looks at the code first", &vendor{order: codeFirst}, wrongSecret, nothing, config.WatchUndecided, 2, 0, 4, audit.WatchEnded, "4 checks were made, and none could decide. Version 2 stays in force."},
		{"one error for id and secret, behind a login", &vendor{words: oneCode, doors: afterLogin}, wrongSecret, nothing, config.WatchUndecided, 2, 0, 4, audit.WatchEnded, "none could decide"},
		{"the provider is down", &vendor{down: 1}, wrongSecret, nothing, config.WatchUndecided, 2, 0, 4, audit.WatchEnded, "none could decide"},
		{"right at first, and wrong later", &vendor{}, goodSecret, func(r *rig) { r.provider.token = rotate(&vendor{auth: "both"}) }, config.WatchReverted, 1, 2, 2, audit.EntryReverted, "wrong"},
		{"somebody saves meanwhile", &vendor{order: codeFirst}, wrongSecret, func(r *rig) {
			r.save(2, map[string]string{"clientId": goodID, "clientSecret": "another"}, nil, config.Pend)
		},
			config.WatchOvertaken, 2, 3, 1, audit.WatchEnded, "The entry was changed by owner@acme.example"},
		{"somebody promotes another meanwhile", &vendor{order: codeFirst}, wrongSecret, func(r *rig) {
			r.save(2, map[string]string{"clientId": goodID, "clientSecret": "another"}, nil, config.PutInForce)
		},
			config.WatchOvertaken, 3, 0, 1, audit.WatchEnded, "does not come back by itself any more"},
		{"somebody else changes the rule meanwhile", &vendor{order: codeFirst}, wrongSecret, func(r *rig) {
			e, err := r.config.Get(r.t.Context(), id)
			must(r.t, err)
			_, err = r.config.SetRule(r.t.Context(), audit.Actor{ID: "u9", Name: "other@acme.example"}, config.RuleChange{ID: id, Revision: e.Revision, Rule: config.RuleTest})
			must(r.t, err)
		},
			config.WatchOvertaken, 2, 0, 1, audit.WatchEnded, "The entry was changed by other@acme.example"},
		{"the radar is paused", &vendor{}, wrongSecret, func(r *rig) { must(r.t, r.oauth.PauseRadar(r.t.Context(), by, true)) }, config.WatchReverted, 1, 2, 1, audit.EntryReverted, "wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := vendorRig(t, tt.vendor, "post", map[string]string{"clientSecret": "the-old-one"})
			r.promoted(tt.pasted)
			if got := r.watch(); !got.On() || got.Before != 1 || got.Version != 2 || got.By != by.Name {
				t.Fatalf("the watch is %+v", got)
			}
			r.watchSweep()
			tt.happens(r)
			for range 30 {
				r.clock.pass(time.Minute)
				r.watchSweep()
			}
			e, err := r.config.Get(t.Context(), id)
			must(t, err)
			w := r.watch()
			if e.Current != tt.current || e.Pending != tt.pending || w.End != tt.end {
				t.Errorf("in force %d, pending %d, the watch ended %q (%s); want %d, %d, %q", e.Current, e.Pending, w.End, w.Found, tt.current, tt.pending, tt.end)
			}
			if n := len(r.events(audit.Diagnosing)); n != tt.checks {
				t.Errorf("%d checks, want %d", n, tt.checks)
			}
			events := r.events(tt.event)
			if len(events) != 1 || !strings.Contains(events[0].Note, tt.found) || events[0].Actor.Name != "automatic revert" {
				t.Errorf("events: %+v", events)
			}
			if tt.end == config.WatchReverted && (!strings.Contains(events[0].Note, "On behalf of "+by.Name) || w.Report == "" || !w.Fresh(e) || e.Previous != 0) {
				t.Errorf("the revert: %+v, %+v, %+v", events[0], w, e)
			}
			if found := leaks(r.dump(), wrongSecret, goodSecret); len(found) > 0 {
				t.Errorf("secrets in the file: %q", found)
			}
		})
	}
}

// A watch that was begun by one program is kept by the next; what was due while
// there was none does not happen after its time.
func TestWatchSurvivesARestart(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	r.promoted(wrongSecret)
	r.oauth.Close()
	r.oauth = r.service(setup{}, publicURL)
	r.clock.pass(15 * time.Minute)
	r.watchSweep()
	r.watchSweep()
	if w := r.watch(); w.End != config.WatchReverted {
		t.Errorf("after a restart the watch is %+v", w)
	}
	late := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	late.promoted(wrongSecret)
	late.clock.pass(20 * time.Minute)
	late.watchSweep()
	if w := late.watch(); w.End != config.WatchUndecided || !strings.HasPrefix(w.Found, "No check could be made in time") {
		t.Errorf("after its time the watch is %+v", w)
	}
	if n := late.provider.requests(); n != 0 {
		t.Errorf("%d requests after its time", n)
	}
}

// What a check proves counts only for the entry as it was promoted: whoever acts
// first wins, and the other finds a conflict.
func TestRevertAndAPersonAtOnce(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	e := r.promoted(wrongSecret)
	w := r.watch()
	if _, err := r.config.RollBack(t.Context(), by, config.Move{ID: id, Revision: e.Revision, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.config.Revert(t.Context(), audit.Actor{Name: "x"}, w, "", ""); !errs.Is(err, errs.Conflict) {
		t.Errorf("a revert after a roll-back = %v", err)
	}
	r.watchSweep()
	if w := r.watch(); w.End != config.WatchOvertaken {
		t.Errorf("the watch is %+v", w)
	}
	if err := r.config.EndWatch(t.Context(), by, w, config.WatchWorks, "", ""); !errs.Is(err, errs.Conflict) {
		t.Errorf("ending an ended watch = %v", err)
	}
	other := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	e = other.promoted(wrongSecret)
	other.watchSweep()
	other.watchSweep()
	if _, err := other.config.RollBack(t.Context(), by, config.Move{ID: id, Revision: e.Revision, Version: 1}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a roll-back after the revert = %v", err)
	}
}

// A test that cannot begin yet, because of the limits, begins when it may.
func TestWatchWaitsForTheLimits(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	r.oauth = r.service(setup{limits: &oauth.Limits{Calls: 6, CoolDown: time.Minute, Budget: 1000, Pause: func() time.Duration { return 0 }, Whole: time.Minute}}, publicURL)
	r.promoted(wrongSecret)
	r.diagnose(1) // of what was in force: it says nothing about the promoted one
	r.watchSweep()
	if w := r.watch(); !w.On() || len(r.events(audit.Diagnosing)) != 1 {
		t.Fatalf("it did not wait: %+v", w)
	}
	for range 3 {
		r.clock.pass(time.Minute)
		r.watchSweep()
	}
	if w := r.watch(); w.End != config.WatchReverted {
		t.Errorf("the watch is %+v", w)
	}
}

// With the radar off nothing is sent unattended.
func TestWatchWithTheRadarOff(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": "the-old-one"})
	must(t, r.oauth.PauseRadar(t.Context(), by, true))
	r.promoted(wrongSecret)
	r.watchSweep()
	off, err := r.oauth.WatchOff(t.Context())
	if err != nil || off == "" || r.provider.requests() != 0 {
		t.Errorf("paused: %q, %v, %d requests", off, err, r.provider.requests())
	}
	must(t, r.oauth.PauseRadar(t.Context(), by, false))
	r.watchSweep()
	if got, err := r.oauth.Watched(t.Context(), r.watch()); err != nil || got.Checks != 1 || got.Last.ID == "" {
		t.Errorf("Watched = %+v, %v", got, err)
	}
}
