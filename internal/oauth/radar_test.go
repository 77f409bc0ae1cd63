package oauth_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
)

// rotate has the vendor see another secret than the one that is sent: as if the
// registered one had been replaced at the provider.
func rotate(v *vendor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user, _, basic := r.BasicAuth(); basic {
			r.SetBasicAuth(user, wrongSecret)
		} else {
			r.Form.Set("client_secret", wrongSecret)
		}
		v.token(w, r)
	}
}

// remove has the vendor see another client ID: as if the app had been deleted.
func remove(v *vendor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Form.Set("client_id", wrongID)
		v.token(w, r)
	}
}

// wordsAlone is a token address whose answers differ in their words alone.
func wordsAlone(secretNow string, more func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		words := "The authorization code is invalid"
		switch {
		case r.Form.Get("client_id") != goodID:
			words = "There is no such client"
		case r.Form.Get("client_secret") != secretNow:
			words = "The secret does not match"
		}
		answer(400, fmt.Sprintf(`{"error":"denied","error_description":%q}`, words+more()))(w, r)
	}
}

// emptySuccess is a token address that says nothing at all to a code it does not
// know.
func emptySuccess(w http.ResponseWriter, r *http.Request) {
	if r.Form.Get("client_id") != goodID || r.Form.Get("client_secret") != goodSecret {
		answer(401, `{"error":"invalid_client"}`)(w, r)
		return
	}
	answer(200, `{}`)(w, r)
}

func still() string { return "" }

// TestRadar calibrates an entry with each sort of provider, lets something
// happen there, and runs the radar once.
func TestRadar(t *testing.T) {
	same := func(*rig, *vendor) {}
	becomes := func(f func(*vendor) http.HandlerFunc) func(*rig, *vendor) {
		return func(r *rig, v *vendor) { r.provider.token = f(v) }
	}
	says := func(h http.HandlerFunc) func(*rig, *vendor) { return func(r *rig, _ *vendor) { r.provider.token = h } }
	none := func(r *rig) {}
	test := func(r *rig) { r.diagnose(1) }
	wordy := func(r *rig) { r.provider.token = wordsAlone(goodSecret, still); r.diagnose(1) }
	bare := func(r *rig) { r.provider.token = emptySuccess; r.diagnose(1) }
	for _, tt := range []struct {
		name     string
		vendor   *vendor
		auth     string
		before   func(*rig)
		happens  func(*rig, *vendor)
		verdict  oauth.Verdict
		why      oauth.RadarReason
		calls    int
		turned   bool
		standing oauth.Standing
		state    oauth.RadarState
	}{
		{"nothing happens", &vendor{}, "post", test, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"nothing happens, basic", &vendor{auth: "basic"}, "basic", test, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"nothing happens, with noise", &vendor{noise: true}, "post", test, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"nothing happens, HTTP 200 with an error", &vendor{envelope: ok200, noise: true}, "post", test, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"nothing happens, error.list", &vendor{envelope: errorList}, "post", test, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"the secret is replaced", &vendor{}, "post", test, becomes(rotate), oauth.Wrong, oauth.RadarAsCorrupted, 1, true, oauth.Broken, oauth.RadarWrong},
		{"the secret is replaced, basic", &vendor{auth: "basic"}, "basic", test, becomes(rotate), oauth.Wrong, oauth.RadarAsCorrupted, 1, true, oauth.Broken, oauth.RadarWrong},
		{"the secret is replaced, with noise", &vendor{noise: true, envelope: ok200}, "post", test, becomes(rotate), oauth.Wrong, oauth.RadarAsCorrupted, 1, true, oauth.Broken, oauth.RadarWrong},
		{"the app is deleted", &vendor{}, "post", test, becomes(remove), oauth.Wrong, oauth.RadarAsMadeUp, 1, true, oauth.Broken, oauth.RadarWrong},
		{"the app is deleted, one error for both", &vendor{words: oneCode}, "post", test, becomes(remove), oauth.Wrong, oauth.RadarEither, 1, true, oauth.Broken, oauth.RadarWrong},
		{"the secret expires", &vendor{}, "post", test, func(_ *rig, v *vendor) { v.expired = true }, oauth.Wrong, oauth.RadarExpired, 1, true, oauth.Broken, oauth.RadarWrong},
		{"429", &vendor{}, "post", test, func(_ *rig, v *vendor) { v.limit = 1 }, oauth.Inconclusive, oauth.RadarSilent, 1, false, oauth.Works, oauth.RadarOpen},
		{"it hangs up", &vendor{}, "post", test, func(_ *rig, v *vendor) { v.down = 1 }, oauth.Inconclusive, oauth.RadarSilent, 1, false, oauth.Works, oauth.RadarOpen},
		{"503", &vendor{}, "post", test, says(answer(503, `{"error":"invalid_client"}`)), oauth.Inconclusive, oauth.RadarSilent, 1, false, oauth.Works, oauth.RadarOpen},
		{"a page", &vendor{}, "post", test, says(answer(200, "<!doctype html><title>Hello</title>", "Content-Type", "text/html")), oauth.Inconclusive, oauth.RadarSilent, 1, false, oauth.Works, oauth.RadarOpen},
		{"another order", &vendor{}, "post", test, func(_ *rig, v *vendor) { v.order = requestFirst }, oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"another refusal", &vendor{}, "post", test, says(answer(403, `{"error":"client_blocked","error_description":"This client is blocked"}`)), oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"a token for any code", &vendor{}, "post", test, func(_ *rig, v *vendor) { v.generous = true }, oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"an empty success: a token for any code", &vendor{}, "post", bare, says(answer(200, `{"access_token":"`+accessToken+`"}`)), oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"an empty success: nothing happens", &vendor{}, "post", bare, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"words alone: nothing happens", &vendor{}, "post", wordy, same, oauth.OK, oauth.RadarAsBefore, 1, false, oauth.Works, oauth.RadarOK},
		{"words alone: the secret is replaced", &vendor{}, "post", wordy, says(wordsAlone(wrongSecret, still)), oauth.Wrong, oauth.RadarAsCorrupted, 1, true, oauth.Broken, oauth.RadarWrong},
		{"words alone: other words", &vendor{}, "post", wordy, says(wordsAlone(goodSecret, func() string { return ", sorry" })), oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"words alone: other words, replaced", &vendor{}, "post", wordy, says(wordsAlone(wrongSecret, func() string { return ", sorry" })), oauth.Inconclusive, oauth.RadarOther, 1, false, oauth.Works, oauth.RadarOpen},
		{"not tested", &vendor{}, "post", none, same, oauth.Inconclusive, oauth.RadarNotCalibrated, 0, false, oauth.NotTested, oauth.RadarUncalibrated},
		{"only a consent run", &vendor{}, "post", consent, same, oauth.Inconclusive, oauth.RadarNotCalibrated, 0, false, oauth.Works, oauth.RadarUncalibrated},
		{"a test that could not decide", &vendor{order: codeFirst}, "post", test, same, oauth.Inconclusive, oauth.RadarNotCalibrated, 0, false, oauth.Undecided, oauth.RadarUncalibrated},
		{"a test that found the method wrong", &vendor{auth: "basic"}, "post", test, same, oauth.Inconclusive, oauth.RadarNotCalibrated, 0, false, oauth.Broken, oauth.RadarUncalibrated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := vendorRig(t, tt.vendor, tt.auth, nil)
			tt.before(r)
			r.clock.pass(time.Hour)
			tt.happens(r, tt.vendor)
			sent := r.provider.requests()
			run := r.turn(r.oauth)
			want := oauth.RadarRun{Entry: id, Version: 1, Calls: tt.calls, Verdict: tt.verdict, Why: tt.why, Turned: tt.turned}
			if run != want {
				t.Errorf("%+v\nwant %+v", run, want)
			}
			if n := r.provider.requests() - sent; n != tt.calls {
				t.Errorf("the provider got %d requests, want %d", n, tt.calls)
			}
			r.stands(tt.standing, tt.state)
			r.radarEvents(run)
			if found := leaks(r.dump(), goodSecret, wrongSecret); len(found) > 0 {
				t.Errorf("the data file holds %q", found)
			}
		})
	}
}

// turn is one turn of the radar. A diagnosis holds its entry a moment longer
// than it can be watched.
func (r *rig) turn(s *oauth.Service) oauth.RadarRun {
	r.t.Helper()
	for {
		run, err := s.RunRadar(r.t.Context(), id)
		if errs.Is(err, errs.TooMany) && strings.Contains(err.Error(), "under way") {
			runtime.Gosched()
			continue
		}
		must(r.t, err)
		return run
	}
}

// consent is a consent run that proves the credentials.
func consent(r *rig) {
	token := r.provider.token
	r.provider.token = answer(200, `{"access_token":"`+accessToken+`","token_type":"Bearer"}`)
	r.run()
	r.provider.token = token
}

// stands fails the test unless the entry stands so, by its health and by the
// view of the radar.
func (r *rig) stands(standing oauth.Standing, state oauth.RadarState) {
	r.t.Helper()
	healths, err := r.oauth.Health(r.t.Context())
	must(r.t, err)
	check := healths[id].Current
	if check.Standing != standing || check.Radar != (state == oauth.RadarWrong) {
		r.t.Errorf("it stands as %s (by radar: %t), want %s", check.Standing, check.Radar, standing)
	}
	v := r.radar()
	if v.Counts[state] != 1 || len(v.Counts) != 1 || len(v.Wrong) != v.Counts[oauth.RadarWrong] {
		r.t.Errorf("the radar counts %v, with %d wrong, want one in state %d", v.Counts, len(v.Wrong), state)
	}
	e, err := r.config.Get(r.t.Context(), id)
	must(r.t, err)
	one, ok, err := r.oauth.RadarOf(r.t.Context(), e, healths[id])
	must(r.t, err)
	if !ok || one.State != state {
		r.t.Errorf("the radar says %+v of the entry, want state %d", one, state)
	}
}

func (r *rig) radar() oauth.RadarView {
	r.t.Helper()
	entries, err := r.config.All(r.t.Context())
	must(r.t, err)
	healths, err := r.oauth.HealthOfAll(r.t.Context(), entries)
	must(r.t, err)
	v, err := r.oauth.Radar(r.t.Context(), entries, healths)
	must(r.t, err)
	return v
}

// radarEvents fails the test unless the run left exactly its one event.
func (r *rig) radarEvents(run oauth.RadarRun) {
	r.t.Helper()
	asked, turned := r.events(audit.RadarAsked), r.events(audit.RadarTurned)
	all := append(asked, turned...)
	if len(all) != run.Calls || (len(turned) == 1) != run.Turned {
		r.t.Fatalf("%d events of asking and %d of turning, want %d in all, turned: %t", len(asked), len(turned), run.Calls, run.Turned)
	}
	if run.Calls == 0 {
		return
	}
	e, outcome := all[0], audit.Failed
	if run.Verdict == oauth.OK {
		outcome = audit.Done
	}
	print := r.box.Fingerprint(goodSecret).String()
	if e.Actor != (audit.Actor{Name: "radar"}) || e.Target != string(id) || e.Version != 1 || e.Outcome != outcome ||
		!strings.HasPrefix(e.Note, run.Why.Headline()+". 1 call to 127.0.0.1:") || !strings.HasSuffix(e.Note, " with the secret "+print+".") {
		r.t.Errorf("the event is %+v", e)
	}
}

// What the radar saw refused is broken until it sees it accepted, or somebody
// tests it.
func TestRadarTurns(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	r.diagnose(1)
	turn := func(name string, verdict oauth.Verdict, turned bool, standing oauth.Standing, state oauth.RadarState) {
		t.Helper()
		r.clock.pass(time.Hour)
		run := r.turn(r.oauth)
		if run.Verdict != verdict || run.Turned != turned {
			t.Errorf("%s: %+v, want %s, turned: %t", name, run, verdict, turned)
		}
		r.stands(standing, state)
	}
	turn("good", oauth.OK, false, oauth.Works, oauth.RadarOK)
	r.provider.token = rotate(v)
	turn("refused", oauth.Wrong, true, oauth.Broken, oauth.RadarWrong)
	since := r.radar().Wrong[0].Since
	turn("refused again", oauth.Wrong, false, oauth.Broken, oauth.RadarWrong)
	if w := r.radar().Wrong[0]; !w.Since.Equal(since) || !w.Last.Equal(since.Add(time.Hour)) || w.Why != oauth.RadarAsCorrupted {
		t.Errorf("wrong since %s, last %s, %s", w.Since, w.Last, w.Why)
	}
	r.provider.token = answer(500, "")
	turn("no answer", oauth.Inconclusive, false, oauth.Broken, oauth.RadarWrong)
	r.provider.token = v.token
	turn("good again", oauth.OK, true, oauth.Works, oauth.RadarOK)
	r.provider.token = rotate(v)
	turn("refused a second time", oauth.Wrong, true, oauth.Broken, oauth.RadarWrong)

	r.clock.pass(time.Minute)
	r.provider.token = v.token
	if rep := r.diagnose(1); rep.Verdict != oauth.OK {
		t.Fatalf("the test says %s", rep.Verdict)
	}
	r.stands(oauth.Works, oauth.RadarWaits)
	r.provider.token = rotate(v)
	turn("refused after a good test", oauth.Wrong, true, oauth.Broken, oauth.RadarWrong)
	c := r.oauth.RadarCounts()
	if c.Runs[oauth.OK] != 2 || c.Runs[oauth.Wrong] != 4 || c.Runs[oauth.Inconclusive] != 1 || c.Turns[oauth.Wrong] != 3 || c.Turns[oauth.OK] != 1 {
		t.Errorf("counted %+v", c)
	}
	if n := len(r.events(audit.RadarTurned)); n != 4 {
		t.Errorf("%d events of turning, want 4", n)
	}
}

// A change of the entry, or of how it is asked, ends what the radar knew.
func TestRadarForgets(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	r.diagnose(1)
	r.provider.token = rotate(v)
	r.clock.pass(time.Hour)
	r.turn(r.oauth)
	r.stands(oauth.Broken, oauth.RadarWrong)
	r.save(1, map[string]string{"clientId": goodID, "clientSecret": goodSecret + "2"}, nil, config.PutInForce)
	r.stands(oauth.Stale, oauth.RadarWaits)
	run := r.turn(r.oauth)
	if run.Why != oauth.RadarNotCalibrated || run.Calls != 0 {
		t.Errorf("a version that nobody tested: %+v", run)
	}
	other := r.service(setup{}, "https://moved.example.com") // another redirect URI
	r.save(2, map[string]string{"clientId": goodID, "clientSecret": goodSecret}, nil, config.PutInForce)
	if run = r.turn(other); run.Why != oauth.RadarNotCalibrated || run.Calls != 0 {
		t.Errorf("with another redirect URI: %+v", run)
	}
	if run = r.turn(r.oauth); run.Why != oauth.RadarAsCorrupted {
		t.Errorf("back at the calibrated version: %+v", run)
	}
}

// Nothing of an entry that is deleted while it is asked stays, but the event.
func TestRadarWhileDeleted(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	r.diagnose(1)
	r.provider.token = func(w http.ResponseWriter, req *http.Request) {
		e, err := r.config.Get(t.Context(), id)
		must(t, err)
		must(t, r.config.Delete(t.Context(), by, config.Move{ID: id, Revision: e.Revision}))
		v.token(w, req)
	}
	run := r.turn(r.oauth)
	r.radarEvents(run)
	for _, prefix := range []string{"oauth/radar/", "oauth/calibration/", "oauth/pace/entry/"} {
		if keys := r.keys(prefix); len(keys) > 0 {
			t.Errorf("left of a deleted entry: %q", keys)
		}
	}
	if _, err := r.oauth.RunRadar(t.Context(), id); !errs.Is(err, errs.NotFound) {
		t.Errorf("a deleted entry: %v", err)
	}
}
