package server

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/sandbox"
	"backoffice/internal/secret"

	"github.com/labstack/echo/v4"
	client "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// calibrate runs a whole test without consent of version 1.
func (h *house) calibrate() {
	h.t.Helper()
	ref := must(h.deps.OAuth.Diagnose(h.t.Context(), audit.Actor{Name: ownerEmail}, "acme:intercom", 1))(h.t)
	live, ok := h.deps.OAuth.Live(ref.Report)
	for ok && !live.Progress().Done {
		live.Next(h.t.Context(), 100, "nothing")
	}
	if p := live.Progress(); !p.Kept {
		h.t.Fatalf("the report is not kept: %v", p.Err)
	}
}

// turn is one turn of the radar.
func (h *house) turn() oauth.RadarRun {
	h.t.Helper()
	for {
		run, err := h.deps.OAuth.RunRadar(h.t.Context(), "acme:intercom")
		if errs.Is(err, errs.TooMany) && strings.Contains(err.Error(), "under way") {
			runtime.Gosched() // the test that was waited for is about to let go
			continue
		}
		return must(run, err)(h.t)
	}
}

// refuse has the sandbox refuse every client that it knew until now.
func (h *house) refuse(on bool) {
	f := sandbox.Faults{}
	if on {
		f.ClientAuth = sandbox.BasicOnly
	}
	h.provider.Set(f)
}

// The overview and the entry say what the radar found out, and what to do.
func TestRadarPages(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	get := func(path string) answer { return h.owner().get(path) } // hours go by
	get("/").want(200, "Radar On", "1 not asked yet", "Last request: never", "Pause the radar").lacks("refused")
	get(entry).want(200, "Radar: not asked yet.")
	h.turn()
	get("/").want(200, "1 not calibrated", "1 entry has nothing to be compared with. Use Test connection once")
	get(entry).want(200, "Radar: needs one good test to compare with.")
	h.calibrate()
	get("/").want(200, "1 not asked yet").lacks("not calibrated")
	h.pass(time.Minute)
	h.turn()
	h.pass(3 * time.Hour)
	get("/").want(200, "1 no change", "Last request: 3 hours ago").lacks("Test connection once")
	get(entry).want(200, "Works : version 1 is in force, tested without consent 3 hours ago by "+ownerEmail, "Radar: no change, 3 hours ago.")

	h.refuse(true)
	h.turn()
	h.pass(2 * time.Hour)
	a := get("/").want(200, "1 connector is broken", "acme:intercom : Client ID or secret is refused now", "In force. The radar saw it.", "1 refused",
		"First seen 2 hours ago . A test says which value it is, and what to do.")
	if n := len(a.all(`a[href=` + entry + `/test]`)); n < 3 {
		t.Errorf("%d ways to the test, want one in what needs attention and two in the panel", n)
	}
	get(entry).want(200, "Wrong : version 1 is in force, tested without consent 5 hours ago by "+ownerEmail, "Radar: client ID or secret is refused now, first seen 2 hours ago.")
	get("/config?health=wrong").want(200, "acme:intercom")
	get("/audit").want(200, "Changed the radar's verdict", "Asked by radar", "radar")
	get("/audit?action=radar.turned").want(200, "acme:intercom")

	h.refuse(false)
	h.turn()
	get("/").want(200, "Everything works", "1 no change").lacks("refused now")
	if n := len(h.events(audit.RadarTurned)); n != 2 {
		t.Errorf("%d events of turning, want 2", n)
	}
}

// Somebody who may test may pause the radar, and everybody sees that it is.
func TestRadarIsPaused(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	page := p.get("/")
	p.submit(page, "/radar").leadsTo("/")
	page = p.get("/").want(200, "The radar is paused", "Radar Paused", "Paused by "+ownerEmail+" just now", "Nothing is sent.", "Let the radar go on").lacks("Pause the radar")
	p.get(entry).want(200, "Radar: paused.")
	if _, err := h.deps.OAuth.RunRadar(t.Context(), "acme:intercom"); err == nil && len(h.events(audit.RadarAsked)) > 0 {
		t.Error("something was sent while paused")
	}
	p.submit(page, "/radar").leadsTo("/")
	p.get("/").want(200, "The radar goes on", "Radar On", "Pause the radar")
	p.post("/radar").want(422, "does not say whether to pause")
	p.post("/radar", "paused", "maybe").want(422, "does not say whether to pause")
	for _, a := range []audit.Action{audit.RadarPaused, audit.RadarResumed} {
		if e := h.events(a); len(e) != 1 || e[0].Actor.Name != ownerEmail || e[0].Actor.RequestID == "" || e[0].Outcome != audit.Done {
			t.Errorf("events of %s: %+v", a, e)
		}
	}
}

const metricsToken = "CANARY+metrics/token=8&"

// scrape reads /metrics as Prometheus does.
func (p *person) scrape() map[string]*client.MetricFamily {
	p.h.t.Helper()
	a := p.get("/metrics", "Authorization", "Bearer "+metricsToken).want(200)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return must(parser.TextToMetricFamilies(strings.NewReader(a.body)))(p.h.t)
}

// value is that of the one sample with these labels; ok is false if there is none.
func value(all map[string]*client.MetricFamily, name string, labels ...string) (float64, bool) {
	for _, m := range all[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i+1 < len(labels); i += 2 {
			fits = fits && has[labels[i]] == labels[i+1]
		}
		if fits {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue(), true
		}
	}
	return 0, false
}

// metered is a house with metrics, whose overview is of acme:intercom and of a
// plain entry, which has no test.
func metered(t *testing.T) *house {
	h := open(t, plan{token: metricsToken})
	h.save("acme:intercom", nil)
	h.save("acme:plain", nil)
	return h
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := metered(t)
	p := h.visitor()
	hold := func(step string, want map[string]float64) {
		t.Helper()
		all := p.scrape()
		for line, v := range want {
			name, labels, _ := strings.Cut(line, " ")
			got, ok := value(all, name, strings.FieldsFunc(labels, func(r rune) bool { return r == ' ' || r == '=' })...)
			if absent := v < 0; ok == absent || ok && got != v {
				t.Errorf("%s: %s is %v (there: %t), want %v", step, line, got, ok, v)
			}
		}
	}
	const gone = -1
	verdict := func(now string) map[string]float64 {
		all := map[string]float64{}
		for _, v := range []string{"ok", "warning", "wrong", "inconclusive", "not-tested"} {
			all["backoffice_last_verdict entry=acme:intercom verdict="+v] = 0
		}
		all["backoffice_last_verdict entry=acme:intercom verdict="+now] = 1
		return all
	}
	hold("not tested", verdict("not-tested"))
	hold("not tested", map[string]float64{"backoffice_credential_ok entry=acme:intercom": gone, "backoffice_seconds_since_last_test entry=acme:intercom": gone,
		"backoffice_last_verdict entry=acme:plain": gone, "backoffice_radar_paused": 0, "backoffice_radar_runs_total verdict=ok": 0,
		"backoffice_radar_turned_total to=wrong": 0, "backoffice_radar_entries state=not-asked-yet": 1, "backoffice_build_info version=1.0.0": 1, "backoffice_store_updates_total": 7, "backoffice_store_commits_total": 3})
	if _, ok := value(p.scrape(), "go_goroutines"); !ok {
		t.Error("nothing is said of the process")
	}
	h.calibrate()
	h.pass(90 * time.Second)
	hold("tested", map[string]float64{"backoffice_credential_ok entry=acme:intercom": 1, "backoffice_seconds_since_last_test entry=acme:intercom": 90})
	hold("tested", verdict("ok"))
	h.turn()
	h.refuse(true)
	h.turn()
	h.pass(30 * time.Second)
	hold("refused", map[string]float64{"backoffice_credential_ok entry=acme:intercom": 0, "backoffice_seconds_since_last_test entry=acme:intercom": 120,
		"backoffice_radar_runs_total verdict=ok": 1, "backoffice_radar_runs_total verdict=wrong": 1, "backoffice_radar_turned_total to=wrong": 1,
		"backoffice_radar_turned_total to=ok": 0, "backoffice_radar_entries state=refused": 1, "backoffice_radar_entries state=not-asked-yet": 0})
	hold("refused", verdict("wrong"))
	if err := h.deps.OAuth.PauseRadar(t.Context(), audit.Actor{Name: ownerEmail}, true); err != nil {
		t.Fatal(err)
	}
	hold("paused", map[string]float64{"backoffice_radar_paused": 1})
}

// Metrics name entries, so they are for who has the token alone.
func TestMetricsNeedTheToken(t *testing.T) {
	t.Parallel()
	h := metered(t)
	for who, p := range map[string]*person{"nobody": h.visitor(), "the owner": h.owner()} {
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + metricsToken + "x", "Bearer " + metricsToken[1:], "Basic " + metricsToken, metricsToken} {
			a := p.get("/metrics", echo.HeaderAuthorization, header).want(401).lacks("acme")
			if a.header.Get(echo.HeaderWWWAuthenticate) != `Bearer realm="metrics"` {
				t.Errorf("%s with %q: WWW-Authenticate is %q", who, header, a.header.Get(echo.HeaderWWWAuthenticate))
			}
		}
		p.get("/metrics?token=" + metricsToken).want(401)
		p.get("/metrics", "Authorization", "bearer "+metricsToken).want(200)
	}
	if a := h.visitor().raw(http.MethodPost, "/metrics", nil, "Authorization", "Bearer "+metricsToken); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
	repair := h.breakStore(errors.New("the disk is gone"))
	h.visitor().get("/metrics", "Authorization", "Bearer "+metricsToken).want(503).lacks("disk")
	repair()
	closed := open(t, plan{})
	closed.visitor().get("/metrics", "Authorization", "Bearer ").want(404, "--metrics-token")
	if !closed.deps.Site.MetricsToken.IsZero() || secret.NewText(metricsToken).IsZero() {
		t.Error("the houses do not differ in their token")
	}
}
