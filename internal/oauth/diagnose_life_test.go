package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// wantTooMany holds an error to its kind and its words.
func wantTooMany(t *testing.T, err error, words string) {
	t.Helper()
	if kind, msg := errs.Of(err); kind != errs.TooMany || !strings.Contains(msg, words) {
		t.Errorf("got %v, want too many with %q", err, words)
	}
}

// A run is refused while the entry or the host of its provider rests, or the
// hour's calls are used up. What was used is told by the events, and a refusal
// leaves none.
func TestRestraint(t *testing.T) {
	pauses := 0
	limits := oauth.Limits{Calls: 6, CoolDown: time.Minute, LongCoolDown: 15 * time.Minute, Budget: 14, Whole: time.Minute,
		Pause: func() time.Duration { pauses++; return 0 }}
	v := &vendor{auth: "both"}
	r := newRig(t, setup{limits: &limits, authorize: "%s/authorize", definition: "  clientAuth: post\n  apiUrl: \"{authorizeBase}/api\"",
		values: map[string]string{"clientId": goodID, "clientSecret": goodSecret}})
	r.provider.token, r.provider.pages = v.token, v.page
	try := func() error {
		ref, err := r.oauth.Diagnose(r.t.Context(), by, id, 1)
		if err == nil {
			r.wait(ref)
		}
		return err
	}

	must(t, try())
	if rep := r.newest(); rep.Calls != 6 || pauses != 5 {
		t.Errorf("%d calls with %d pauses between them", rep.Calls, pauses)
	}
	wantTooMany(t, try(), "acme:rocket was tested a moment ago")
	_, err := r.oauth.DiagnoseDraft(t.Context(), by, r.draft("globex:rocket", 0, 0))
	wantTooMany(t, err, "Another entry was tested at 127.0.0.1")
	if n := len(r.events(audit.Diagnosing)); n != 1 {
		t.Errorf("%d runs on the record, want 1", n)
	}

	r.clock.pass(61 * time.Second)
	must(t, try())
	r.clock.pass(61 * time.Second)
	wantTooMany(t, try(), "12 calls were made to 127.0.0.1")
	r.clock.pass(58 * time.Minute)
	must(t, try())

	v.limit = 1 // of calls: every further one is answered with 429
	r.clock.pass(time.Hour)
	must(t, try())
	r.clock.pass(14 * time.Minute)
	wantTooMany(t, try(), "asked for a pause")
	r.clock.pass(time.Minute + time.Second)
	must(t, try())
	if n, m := len(r.events(audit.Diagnosing)), len(r.events(audit.Diagnosed)); n != 5 || m != 5 {
		t.Errorf("%d runs began and %d ended on the record, want 5", n, m)
	}
	if e := r.events(audit.Diagnosed)[4]; e.Outcome != audit.Done || !strings.Contains(e.Note, "6 calls to 127.0.0.1") {
		t.Errorf("the event of the first run: %+v", e)
	}
}

// Runs of several entries that begin at once are one run for their provider.
func TestOneRunAHost(t *testing.T) {
	limits := oauth.Limits{Calls: 6, CoolDown: time.Minute, LongCoolDown: 15 * time.Minute, Budget: 60, Whole: time.Minute, Pause: func() time.Duration { return 0 }}
	v := &vendor{auth: "both"}
	r := newRig(t, setup{limits: &limits, authorize: "%s/authorize", definition: "  clientAuth: post\n  apiUrl: \"{authorizeBase}/api\""})
	r.provider.play(v)
	var wg sync.WaitGroup
	var began, refused atomic.Int64
	for n := range 8 {
		wg.Go(func() {
			ref, err := r.oauth.DiagnoseDraft(t.Context(), by, r.draft(config.ID(fmt.Sprintf("globex:rocket:m%d", n)), 0, 0))
			if errs.Is(err, errs.TooMany) {
				refused.Add(1)
				return
			}
			must(t, err)
			began.Add(1)
			r.wait(ref)
		})
	}
	wg.Wait()
	if began.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d runs began and %d were refused", began.Load(), refused.Load())
	}
	r.clock.pass(61 * time.Second)
	ref, err := r.oauth.DiagnoseDraft(t.Context(), by, r.draft("globex:rocket:m9", 0, 0))
	must(t, err)
	r.wait(ref)
}

func (r *rig) newest() oauth.Report {
	r.t.Helper()
	list, err := r.oauth.Reports(r.t.Context(), id)
	must(r.t, err)
	return r.report(oauth.Ref{Entry: id, Report: list[0].ID}, nil)
}

// draft is a draft with what is registered at a vendor.
func (r *rig) draft(entry config.ID, revision int64, base int) config.Draft {
	d := config.Draft{ID: entry, Revision: revision, Base: base}
	for k, v := range map[string]string{"clientId": goodID, "clientSecret": goodSecret, "region": "US"} {
		d.Values = append(d.Values, config.Input{Key: k, Secret: k == "clientSecret", Value: config.TextValue(secret.NewText(v))})
	}
	return d
}

// While a run is under way, it can be watched step by step, no second one of the
// entry begins, and to close the room ends it with a report.
func TestLive(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	hold, held := make(chan struct{}), make(chan struct{}, 10)
	r.provider.token = func(w http.ResponseWriter, req *http.Request) {
		held <- struct{}{}
		select {
		case <-hold:
			v.token(w, req)
		case <-req.Context().Done():
		}
	}
	ref, err := r.oauth.Diagnose(t.Context(), by, id, 1)
	must(t, err)
	<-held
	live, ok := r.oauth.Live(ref.Report)
	if !ok || live.By != by.ID || r.oauth.UnderWay(id) != ref.Report {
		t.Fatalf("the run is not to be found: %t, under way %q", ok, r.oauth.UnderWay(id))
	}
	p := live.Progress()
	if p.Done || p.Kept || p.Report.Verdict != oauth.NotChecked || len(p.Report.Steps) != 3 || !strings.Contains(p.Doing, "impossible code") {
		t.Errorf("in the middle: %+v", p)
	}
	_, err = r.oauth.Diagnose(t.Context(), by, id, 1)
	wantTooMany(t, err, "under way")

	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if p := live.Next(expired, 3, p.Doing); p.Done || len(p.Report.Steps) != 3 {
		t.Errorf("waiting without time: %+v", p)
	}
	hold <- struct{}{} // one answer goes through
	if p := live.Next(t.Context(), 3, p.Doing); len(p.Report.Steps) < 3 {
		t.Errorf("a step got lost: %+v", p)
	}
	<-held
	r.oauth.Close()
	p = live.Progress()
	if !p.Done || !p.Kept || p.Err != nil || p.Report.Verdict != oauth.Inconclusive || r.oauth.UnderWay(id) != "" {
		t.Errorf("after the end: %+v", p)
	}
	if rep := r.newest(); rep.ID != ref.Report || rep.Field(oauth.ClientSecret).Verdict != oauth.Inconclusive {
		t.Errorf("the report of a run that was cut: %+v", rep)
	}
	if _, err := r.oauth.Diagnose(t.Context(), by, id, 1); errs.Is(err, errs.Unavailable) != true {
		t.Errorf("a run began after the end: %v", err)
	}
	r.clock.pass(16 * time.Minute)
	if _, ok := r.oauth.Live(ref.Report); ok {
		t.Error("a run of long ago is still watched")
	}
}

// An entry that is deleted while it is tested gets no report, but what was sent
// is on the record.
func TestDeletedWhileTested(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	held, hold := make(chan struct{}, 10), make(chan struct{})
	r.provider.token = func(w http.ResponseWriter, req *http.Request) {
		held <- struct{}{}
		<-hold
		v.token(w, req)
	}
	ref, err := r.oauth.Diagnose(t.Context(), by, id, 1)
	must(t, err)
	<-held
	e, err := r.config.Get(t.Context(), id)
	must(t, err)
	must(t, r.config.Delete(t.Context(), by, config.Move{ID: id, Revision: e.Revision, Reason: "Gone."}))
	close(hold)
	p := r.wait(ref)
	if !errs.Is(p.Err, errs.NotFound) || p.Kept || !p.Done {
		t.Errorf("%+v", p)
	}
	if keys := r.keys("oauth/report"); len(keys) != 0 {
		t.Errorf("left behind: %q", keys)
	}
	if e := r.events(audit.Diagnosed); len(e) != 1 || !strings.Contains(e[0].Note, "calls to") {
		t.Errorf("events: %+v", e)
	}
}

// Values of a form are tested before they are saved. If they belong to an entry,
// the report is in its history, and counts for the version that they become.
func TestDiagnoseDraft(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": wrongSecret})
	e, err := r.config.Get(t.Context(), id)
	must(t, err)
	d := r.draft(id, e.Revision, 1)
	ref, err := r.oauth.DiagnoseDraft(t.Context(), by, d)
	must(t, err)
	p := r.wait(ref)
	if !p.Kept || !p.Report.Unsaved || p.Report.Version != 1 || p.Report.Verdict != oauth.OK || p.Report.Field(oauth.ClientSecret).Verdict != oauth.OK {
		t.Errorf("%+v", p)
	}
	if h := r.health(); h.Current.Standing != oauth.NotTested || h.Pending.Standing != oauth.NotTested {
		t.Errorf("what is not saved counts already: %+v", h)
	}
	_, err = r.config.Save(t.Context(), by, d)
	must(t, err)
	if h := r.health(); h.Pending.Standing != oauth.Works || h.Pending.Last.ID != ref.Report || !h.Pending.Last.Unsaved {
		t.Errorf("the version does not have the test of its values: %+v", h)
	}

	ref, err = r.oauth.DiagnoseDraft(t.Context(), by, r.draft("globex:rocket", 0, 0))
	must(t, err)
	if p := r.wait(ref); p.Kept || p.Err != nil || p.Report.Verdict != oauth.OK || p.Report.Version != 0 {
		t.Errorf("values of no entry: %+v", p)
	}
	if keys := r.keys("oauth/report/globex"); len(keys) != 0 {
		t.Errorf("a report of no entry is kept: %q", keys)
	}
	if e := r.events(audit.Diagnosed); len(e) != 2 || e[0].Target != "globex:rocket" || !strings.Contains(e[0].Note, "not saved") {
		t.Errorf("events: %+v", e)
	}
	if found := leaks(r.dump(), goodSecret, wrongSecret); len(found) > 0 {
		t.Errorf("the data file holds %q", found)
	}

	bad := r.draft(id, e.Revision, 1)
	_, err = r.oauth.DiagnoseDraft(t.Context(), by, bad)
	if !errs.Is(err, errs.Conflict) {
		t.Errorf("a draft of an entry that was changed: %v", err)
	}
}

func (r *rig) summaries() []oauth.Summary {
	r.t.Helper()
	list, err := r.oauth.Reports(r.t.Context(), id)
	must(r.t, err)
	return list
}

func (r *rig) health() oauth.Health {
	r.t.Helper()
	all, err := r.oauth.Health(r.t.Context())
	must(r.t, err)
	return all[id]
}

// A test without consent that could not decide takes nothing from what is known;
// one that found something does.
func TestDiagnosisAndHealth(t *testing.T) {
	v := &vendor{}
	r := vendorRig(t, v, "post", nil)
	v.order, v.doors = codeFirst, afterLogin
	r.diagnose(1)
	r.wantProven(false, 0)
	if h := r.health(); h.Current.Standing != oauth.Undecided {
		t.Errorf("after a run that could not decide: %+v", h)
	}
	v.order, v.doors, v.codes = clientFirst, pages, nil
	good := r.diagnose(1)
	if h := r.health(); h.Current.Standing != oauth.Works || h.Current.Last.ID != good.ID {
		t.Errorf("after a good run: %+v", h)
	}
	r.wantProven(true, 0)
	r.wantProven(true, oauth.StaleAfter-time.Hour)
	r.wantProven(false, oauth.StaleAfter+time.Hour)
	v.order, v.doors, v.codes = codeFirst, afterLogin, nil
	r.diagnose(1)
	r.wantProven(true, 0)
	if h := r.health(); h.Current.Standing != oauth.Works || h.Current.Last.ID != good.ID {
		t.Errorf("an undecided run took a good one away: %+v", h)
	}
	e, err := r.config.Get(t.Context(), id)
	must(t, err)
	list, err := r.oauth.Reports(t.Context(), id)
	must(t, err)
	if h := oauth.HealthOf(e, list, r.clock.now()); h.Current.Standing != oauth.Works || h.Current.Last.ID != good.ID {
		t.Errorf("the history says otherwise: %+v", h)
	}
	v.order, v.doors, v.codes, v.expired = clientFirst, pages, nil, true
	r.diagnose(1)
	r.wantProven(false, 0)
	if h := r.health(); h.Current.Standing != oauth.Broken {
		t.Errorf("after a bad run: %+v", h)
	}
	v.order, v.doors, v.expired, v.codes = codeFirst, afterLogin, false, nil
	r.diagnose(1)
	if h := r.health(); h.Current.Standing != oauth.Broken {
		t.Errorf("an undecided run took a bad one away: %+v", h)
	}
	v.order, v.codes = clientFirst, nil // the redirect URI stays open, but the credentials are found good
	right := r.diagnose(1)
	for name, h := range map[string]oauth.Health{"kept": r.health(), "of the history": oauth.HealthOf(e, r.summaries(), r.clock.now())} {
		if h.Current.Standing != oauth.Undecided || h.Current.Last.ID != right.ID {
			t.Errorf("%s, after the credentials were found good: %+v", name, h.Current)
		}
	}
}

// A fault of ours in a run ends that run alone, is told to the log without what it
// was about, and leaves a report that blames nobody.
func TestPanicEndsOneRun(t *testing.T) {
	var told []string
	r := newRig(t, setup{own: func(context.Context, audit.Actor) (oauth.OwnAddress, error) { panic("CANARY-in-a-panic") },
		panicked: func(run, what string, stack []byte) { told = append(told, run, what, string(stack)) }})
	rep := r.diagnose(1)
	if rep.Verdict != oauth.Inconclusive || rep.Headline != "This program failed while it read an answer" || rep.Field(oauth.ClientSecret).Verdict != oauth.NotChecked {
		t.Errorf("%s: %q", rep.Verdict, rep.Headline)
	}
	if len(told) != 3 || told[0] != rep.ID || told[1] != "string" || !strings.Contains(told[2], "ourAddress") || strings.Contains(told[2], "CANARY") {
		t.Errorf("told %q", told)
	}
	if strings.Contains(r.dump(), "CANARY-in") {
		t.Error("what it panicked with is kept")
	}
	r.diagnose(1) // the next one may begin
}

// wantProven says whether what is in force has a good test, later by that much; other
// content and other entries never have.
func (r *rig) wantProven(want bool, later time.Duration) {
	r.t.Helper()
	e, err := r.config.Get(r.t.Context(), id)
	must(r.t, err)
	now := r.clock.now().Add(later)
	must(r.t, r.raw.View(r.t.Context(), func(rd store.Reader) error {
		for _, tt := range []struct {
			id   config.ID
			hash string
			want bool
		}{{id, e.CurrentHash, want}, {id, "another", false}, {"acme:other", e.CurrentHash, false}} {
			got, err := oauth.Proven(rd, tt.id, tt.hash, now)
			if err != nil || got != tt.want {
				r.t.Errorf("Proven(%s, %.8s, %s later) = %v, %v; want %v", tt.id, tt.hash, later, got, err, tt.want)
			}
		}
		return nil
	}))
}
