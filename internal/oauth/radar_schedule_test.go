package oauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
)

// sweep runs the radar's loop every step until the clock has moved by all, and
// returns when each call was sent.
func (r *rig) sweep(s *oauth.Service, step, all time.Duration) (sent []time.Time) {
	r.t.Helper()
	for end := r.clock.now().Add(all); r.clock.now().Before(end); r.clock.pass(step) {
		before := r.provider.requests()
		must(r.t, s.RadarSweep(r.t.Context()))
		n := r.provider.requests() - before
		if n > 1 {
			r.t.Fatalf("one sweep sent %d calls", n)
		}
		if n == 1 {
			sent = append(sent, r.clock.now())
		}
	}
	return sent
}

// Each entry is asked once in each day, at a moment that nobody can foresee, also
// if the program is started anew every few minutes.
func TestRadarSchedule(t *testing.T) {
	t.Parallel()
	r := vendorRig(t, &vendor{}, "post", nil)
	r.diagnose(1)
	var sent []time.Time
	service := r.oauth
	for range 4 * 8 * 24 {
		sent = append(sent, r.sweep(service, 5*time.Minute, 15*time.Minute)...)
		service = r.service(setup{}, publicURL) // a restart: only the records are left
	}
	if len(sent) < 7 || len(sent) > 9 {
		t.Fatalf("%d calls in eight days: %v", len(sent), sent)
	}
	hours := map[int]bool{}
	for i, at := range sent {
		hours[at.Hour()] = true
		if i == 0 {
			continue
		}
		gap := at.Sub(sent[i-1])
		if gap < 5*time.Hour+55*time.Minute || gap > 48*time.Hour+10*time.Minute {
			t.Errorf("%s after the one before", gap)
		}
		if i > 1 && at.Truncate(24*time.Hour).Sub(sent[i-1].Truncate(24*time.Hour)) > 24*time.Hour+10*time.Minute {
			t.Errorf("no call in the day before %s", at)
		}
	}
	if len(hours) < 2 {
		t.Errorf("all calls were in the same hour: %v", sent)
	}
}

// many saves and calibrates n entries.
func (r *rig) many(n int) {
	r.t.Helper()
	for i := range n {
		d := config.Draft{ID: config.ID(fmt.Sprintf("acme%02d:rocket", i)), Then: config.PutInForce}
		for k, v := range map[string]string{"clientId": goodID, "clientSecret": goodSecret, "region": "US"} {
			d.Values = append(d.Values, config.Input{Key: k, Secret: k == "clientSecret", Value: config.TextValue(secret.NewText(v))})
		}
		_, err := r.config.Save(r.t.Context(), by, d)
		must(r.t, err)
		ref, err := r.oauth.Diagnose(r.t.Context(), by, d.ID, 1)
		must(r.t, err)
		r.wait(ref)
	}
}

// After a long time without the program, what is overdue is not asked in a burst.
func TestRadarSpreadsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	const n = 30
	r := vendorRig(t, &vendor{}, "post", nil)
	r.many(n)
	must(t, r.oauth.RadarSweep(t.Context())) // gives each its moment
	r.clock.pass(10 * 24 * time.Hour)
	again := r.service(setup{}, publicURL)
	sent := r.sweep(again, time.Minute, 6*time.Hour+30*time.Minute) // the last of them may have to wait for each other
	if len(sent) != n {
		t.Fatalf("%d of %d entries were asked within six hours", len(sent), n)
	}
	hour := 0
	for _, at := range sent {
		if at.Sub(sent[0]) < time.Hour {
			hour++
		}
	}
	if hour > n/2 {
		t.Errorf("%d of %d calls were sent within the first hour", hour, n)
	}
	if len(r.sweep(again, time.Minute, time.Hour)) > 3 { // but for a few whose next day begins
		t.Error("entries were asked twice")
	}
}

// The radar leaves two thirds of the hour's budget to people, waits as they do,
// and forgets nobody.
func TestRadarBudget(t *testing.T) {
	t.Parallel()
	const n = 12
	r := vendorRig(t, &vendor{}, "post", nil)
	r.many(n)
	limits := oauth.Limits{Calls: 6, Budget: 9, CoolDown: time.Minute, LongCoolDown: 15 * time.Minute, Whole: time.Minute, Pause: func() time.Duration { return 0 }}
	s := r.service(setup{limits: &limits}, publicURL)
	must(t, s.RadarSweep(t.Context()))
	r.clock.pass(10 * 24 * time.Hour)
	sent := r.sweep(s, 30*time.Second, 13*time.Hour)
	if len(sent) < n {
		t.Fatalf("%d of %d entries were asked: %v", len(sent), n, sent)
	}
	for i := range sent {
		if i > 0 && sent[i].Sub(sent[i-1]) < time.Minute {
			t.Errorf("%s between two calls to one host", sent[i].Sub(sent[i-1]))
		}
		if i >= 3 && sent[i].Sub(sent[i-3]) < time.Hour {
			t.Errorf("four calls within %s", sent[i].Sub(sent[i-3]))
		}
	}
	_, err := s.RunRadar(t.Context(), "acme00:rocket")
	if _, again := s.RunRadar(t.Context(), "acme00:rocket"); !errs.Is(again, errs.TooMany) {
		t.Errorf("a second call at once: %v, %v", err, again)
	}
}

// A provider that asks for a pause gets it.
func TestRadarHeedsAPause(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	r.diagnose(1)
	limits := oauth.DefaultLimits()
	s := r.service(setup{limits: &limits}, publicURL)
	v.limit = 1
	r.clock.pass(time.Hour)
	if run := r.turn(s); run.Verdict != oauth.Inconclusive || run.Why != oauth.RadarSilent {
		t.Fatalf("%+v", run)
	}
	r.clock.pass(14 * time.Minute)
	sent := r.provider.requests()
	if _, err := s.RunRadar(t.Context(), id); !errs.Is(err, errs.TooMany) || r.provider.requests() != sent {
		t.Errorf("14 minutes after a 429: %v, %d calls", err, r.provider.requests()-sent)
	}
	r.clock.pass(2 * time.Minute)
	if _, err := s.RunRadar(t.Context(), id); err != nil {
		t.Errorf("16 minutes after a 429: %v", err)
	}
}

// While the radar is paused or off, nothing is sent.
func TestRadarPause(t *testing.T) {
	t.Parallel()
	r := vendorRig(t, &vendor{}, "post", nil)
	r.diagnose(1)
	must(t, r.oauth.PauseRadar(t.Context(), by, true))
	must(t, r.oauth.PauseRadar(t.Context(), by, true))
	if sent := r.sweep(r.oauth, time.Hour, 72*time.Hour); len(sent) > 0 {
		t.Errorf("calls while paused: %v", sent)
	}
	again := r.service(setup{}, publicURL)
	if _, err := again.RunRadar(t.Context(), id); !errs.Is(err, errs.Conflict) {
		t.Errorf("paused, after a restart: %v", err)
	}
	if v := r.radar(); !v.Paused || v.PausedBy != by.Name || v.Off {
		t.Errorf("the view says %+v", v)
	}
	must(t, again.PauseRadar(t.Context(), by, false))
	if sent := r.sweep(again, 10*time.Minute, 49*time.Hour); len(sent) == 0 {
		t.Error("no call after it was resumed")
	}
	if v := r.radar(); v.Paused {
		t.Errorf("the view says %+v", v)
	}
	for _, a := range []audit.Action{audit.RadarPaused, audit.RadarResumed} {
		if e := r.events(a); len(e) != 1 || e[0].Actor != by || e[0].Outcome != audit.Done {
			t.Errorf("events of %s: %+v", a, e)
		}
	}
	off := oauth.New(oauth.Options{RadarOff: true, Store: r.raw, Box: r.box, Config: r.config, Guard: r.guard(setup{}), PublicURL: publicURL, Now: r.clock.now})
	if sent := r.sweep(off, time.Hour, 72*time.Hour); len(sent) > 0 {
		t.Errorf("calls while off: %v", sent)
	}
	if _, err := off.RunRadar(t.Context(), id); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "--radar") {
		t.Errorf("off: %v", err)
	}
}

// The radar and a person do not test an entry at once.
func TestRadarOneAtATime(t *testing.T) {
	t.Parallel()
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	r.diagnose(1)
	var meanwhile []error
	r.provider.token = func(w http.ResponseWriter, req *http.Request) {
		_, byPerson := r.oauth.Diagnose(t.Context(), by, id, 1)
		_, byRadar := r.oauth.RunRadar(t.Context(), id)
		meanwhile = []error{byPerson, byRadar}
		v.token(w, req)
	}
	r.turn(r.oauth)
	for _, err := range meanwhile {
		if !errs.Is(err, errs.TooMany) {
			t.Errorf("a run beside another: %v", err)
		}
	}
	if r.oauth.UnderWay(id) != "" {
		t.Error("the run of the radar can be watched")
	}
	r.oauth.Close()
	if _, err := r.oauth.RunRadar(t.Context(), id); !errs.Is(err, errs.Unavailable) {
		t.Errorf("after the end: %v", err)
	}
}
