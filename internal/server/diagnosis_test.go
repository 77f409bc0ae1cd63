package server

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/store"

	"github.com/labstack/echo/v4"
)

// finished waits until a test is done, and until its time has passed: the clock of
// the house stands still, and no test begins before the last one ended.
func (h *house) finished(run string) oauth.Progress {
	h.t.Helper()
	l, ok := h.deps.OAuth.Live(run)
	if !ok {
		h.t.Fatalf("no test %s", run)
	}
	for p := l.Progress(); ; p = l.Next(h.t.Context(), len(p.Report.Steps), p.Doing) {
		if p.Done || h.t.Context().Err() != nil {
			h.pass(time.Minute)
			return p
		}
	}
}

// diagnose presses the button and returns the path of the run and its id.
func (h *house) diagnose(p *person, version string) (address, run string) {
	h.t.Helper()
	address = p.post(entry+"/test", "version", version).want(303).header.Get("Location")
	return address, path.Base(address)
}

func TestDiagnosis(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(entry+"/test").want(200, "Nobody has tested this entry yet", "Test version 1", "Go on in Intercom", "Up to 6 calls to Intercom", "may count there as failed sign-ins", "No real code is sent")
	address, run := h.diagnose(p, "1")
	if address != entry+"/test/"+run {
		t.Errorf("the button leads to %q", address)
	}
	h.finished(run)
	r := must(h.deps.OAuth.Report(t.Context(), "acme:intercom", run))(t)
	page := p.get(address).want(200, r.Headline, "Without consent", "Client ID", "Client secret", "Client authentication", "Redirect URI", "Reachability", "Clock",
		"How sure is this?", "Go on in Intercom", "Test again", "This is a rehearsal")
	page.lacks("data-events", "http-equiv")
	if got := len(page.all("li[data-step]")); got != len(r.Steps) {
		t.Errorf("%d steps are drawn, want %d", got, len(r.Steps))
	}
	for _, a := range []audit.Action{audit.Diagnosing, audit.Diagnosed} {
		if got := h.events(a); len(got) != 1 || got[0].Target != "acme:intercom" || got[0].Version != 1 || got[0].Actor.Name != ownerEmail {
			t.Errorf("events of %s: %+v", a, got)
		}
	}
	p.get(entry+"/test").want(200, r.Headline, "Earlier runs")
	p.post(entry+"/test", "version", "9").want(404, "has no version")
}

// A test under way can be left, found again and watched, with scripts or without.
func TestLiveRun(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	release := h.hold()
	defer release()
	address, run := h.diagnose(p, "1")
	page := p.get(address).want(200, "Testing version 1", "You may leave this page", "Started by "+ownerEmail, "Steps so far", "Not decided yet")
	if got, _ := attr(page.one("section[data-events]"), "data-events"); got != address+"/events" {
		t.Errorf("the events are at %q", got)
	}
	if !strings.Contains(page.body, `<noscript><meta http-equiv="refresh" content="2"></noscript>`) {
		t.Error("without scripts the page does not load itself again")
	}
	tab := p.get(entry+"/test").want(200, "A test is under way", ownerEmail+" started it just now.")
	if got := tab.link("Watch it"); got != address {
		t.Errorf("the way to the test leads to %q, want %q", got, address)
	}
	tab.lacks("http-equiv")
	second := p.post(entry+"/test", "version", "1").want(429, "No test was started", "A test of acme:intercom is under way", "Reference", "A test is under way")
	if got := second.link("Watch it"); got != address {
		t.Errorf("the refusal leads to %q, want %q", got, address)
	}
	p.raw("HEAD", address+"/events", nil).want(200)
	p.get("/config/acme:other/test/" + run + "/events").want(404)
	p.get(entry+"/test/"+strings.Repeat("0", len(run))+"/events").want(404, "no such test under way")

	first, again := p.watch(h.srv, address+"/events"), p.watch(h.srv, address+"/events")
	for _, s := range []*events{first, again} {
		if e := s.next(t); e.name != "steps" || !strings.Contains(e.data, `id="live-steps"`) {
			t.Errorf("the first event is %+v", e)
		}
	}
	again.stop() // who goes away ends nothing
	release()
	headline := h.finished(run).Report.Headline
	var last event
	for last = first.next(t); last.name == "steps"; last = first.next(t) {
	}
	if last.name != "done" || last.data != headline {
		t.Errorf("the last event is %+v, want the headline %q", last, headline)
	}
	if e := first.next(t); e != (event{}) {
		t.Errorf("after the end comes %+v", e)
	}
	late := p.get(address + "/events").want(200)
	if strings.Count(late.body, "event: steps") != 1 || strings.Count(late.body, "event: done") != 1 || late.header.Get("X-Accel-Buffering") != "no" ||
		!strings.HasPrefix(late.header.Get("Content-Type"), "text/event-stream") {
		t.Errorf("who comes late hears %v\n%s", late.header, late.body)
	}
	p.get(address).want(200, headline).lacks("data-events", "http-equiv")
	p.get(entry + "/test").want(200).lacks("A test is under way")
}

// events are the server-sent events of one answer.
type events struct {
	stop  context.CancelFunc
	lines *bufio.Scanner
}

type event struct{ name, data string }

func (p *person) watch(srv *httptest.Server, path string) *events {
	p.h.t.Helper()
	ctx, stop := context.WithCancel(p.h.t.Context())
	req := must(http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+path, nil))(p.h.t)
	res := must(p.client.Do(req))(p.h.t)
	p.h.t.Cleanup(func() { stop(); res.Body.Close() })
	if res.StatusCode != 200 {
		p.h.t.Fatalf("%s: status %d", path, res.StatusCode)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return &events{stop, lines}
}

// next is the next event, or the zero one at the end.
func (s *events) next(t *testing.T) (e event) {
	t.Helper()
	for s.lines.Scan() {
		switch name, text, _ := strings.Cut(s.lines.Text(), ": "); name {
		case "event":
			e.name = text
		case "data":
			e.data += text
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	return event{}
}

// The limit of the server for a whole answer does not hold for a stream: with one
// that is over at once, events come all the same.
func TestStreamOutlivesTheWriteTimeout(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	hasty := httptest.NewUnstartedServer(h.srv.Config.Handler)
	hasty.Config.WriteTimeout = time.Nanosecond
	hasty.Start()
	t.Cleanup(hasty.Close)
	release := h.hold()
	defer release()
	address, _ := h.diagnose(p, "1")
	s := p.watch(hasty, address+"/events")
	if e := s.next(t); e.name != "steps" {
		t.Fatalf("the first event is %+v", e)
	}
	release()
	for e := s.next(t); e.name != "done"; e = s.next(t) {
		if e.name == "" {
			t.Fatal("the stream broke off")
		}
	}
}

// Too early is said on the tab, and to programs in a header.
func TestTooEarly(t *testing.T) {
	t.Parallel()
	h := open(t, plan{routes: func(g gate) []route {
		return append(routes(g), route{"GET", "/early", auth.SignedIn, func(echo.Context) error {
			return &errs.Error{Kind: errs.TooMany, Msg: "Later.", Until: start.Add(90 * time.Second)}
		}})
	}})
	h.save("acme:intercom", nil)
	p := h.owner()
	wait := []byte(`{"until":"` + start.Add(42*time.Second+time.Millisecond).Format(time.RFC3339Nano) + `","asked":false}`)
	if err := h.store.Update(t.Context(), func(tx store.Tx) error { tx.Put("oauth/pace/entry/acme:intercom", wait); return nil }); err != nil {
		t.Fatal(err)
	}
	a := p.post(entry+"/test", "version", "1").want(429, "No test was started", "acme:intercom was tested a moment ago", "UTC", "Test connection")
	if got := a.header.Get("Retry-After"); got != "43" {
		t.Errorf("Retry-After is %q, want 43", got)
	}
	page := p.get(entry + "/edit").want(200)
	form := controls(page.one("form[action=" + entry + "]"))
	b := p.send("POST", "/config/test-values", form).want(429, "Too early for another test", "was tested a moment ago", "Go back to the other tab")
	if got := b.header.Get("Retry-After"); got != "43" {
		t.Errorf("Retry-After of unsaved values is %q, want 43", got)
	}
	if got := p.get("/early").want(429, "Later.").header.Get("Retry-After"); got != "90" {
		t.Errorf("Retry-After of an error page is %q, want 90", got)
	}
}

// What cannot be tested is said on the tab.
func TestNothingToTest(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	h.save("acme:own", func(d *config.Draft) { d.Values = []config.Input{{Key: "k", Value: text("v")}} })
	p := h.owner()
	p.post("/config/acme:own/test", "version", "1").want(422, "there is nothing to test")
}

// What changed between two runs.
func TestCompareRuns(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	p.get(entry + "/test/compare").want(404)
	first := path.Base(p.get(h.consent(p, "1", true)).want(303).header.Get("Location"))
	h.pass(time.Minute)
	second := path.Base(p.get(h.consent(p, "1", true)).want(303).header.Get("Location"))
	h.pass(time.Minute)
	h.save("acme:intercom", func(d *config.Draft) {
		d.Revision, d.Base, d.Values[1].Value = 1, 1, text("0123456789012345678901234567890123456789")
	})
	third := path.Base(p.get(h.consent(p, "2", true)).want(303).header.Get("Location"))

	page := p.get(entry+"/test/"+second).want(200, "Compare the run")
	form := controls(page.one("form[action=" + entry + "/test/compare]"))
	if form.Get("a") != first || form.Get("b") != second {
		t.Errorf("offered are %s and %s, want %s and %s", form.Get("a"), form.Get("b"), first, second)
	}
	p.get(entry+"/test/compare?"+form.Encode()).want(200, "No verdict changed", "Both runs tested the same values.", "Every step had the same answer in both runs.")
	p.get(entry+"/test/compare").want(200, "From version 1 to version 2:")
	p.get(entry+"/test/compare?a="+first+"&b="+third).want(200, "The verdicts of 5 fields changed", "From version 1 to version 2:", "clientSecret", "Exchange the code for a token",
		"version 1", "version 2", "Consent run", "Inconclusive").lacks("0123456789012345")
	h.pass(time.Minute)
	fourth := path.Base(p.get(h.consent(p, "1", true)).want(303).header.Get("Location"))
	form = controls(p.get(entry + "/test/" + fourth).one("form[action=" + entry + "/test/compare]"))
	if form.Get("a") != second || form.Get("b") != fourth {
		t.Errorf("offered are %s and %s, want the two runs of version 1: %s and %s", form.Get("a"), form.Get("b"), second, fourth)
	}
	p.get(entry + "/test/compare?a=nosuch&b=" + third).want(404)
	p.get("/config/acme:nosuch/test/compare").want(404)
}
