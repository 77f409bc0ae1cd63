package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/webhook"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	client "github.com/prometheus/client_model/go"
)

// metrics is GET /metrics, for whoever has the operator's token. Behind a proxy
// on the same machine every request comes from a loopback address, so an address
// cannot decide; without a token there are no metrics.
func (p radarPages) metrics(c echo.Context) error {
	want := p.Site.MetricsToken
	if want.IsZero() {
		return errs.New(errs.NotFound, "There are no metrics here. The operator can switch them on: see --metrics-token.")
	}
	scheme, got, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
	a, b := sha256.Sum256([]byte(want.Reveal())), sha256.Sum256([]byte(strings.TrimSpace(got)))
	if !strings.EqualFold(scheme, "bearer") || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="metrics"`)
		return c.String(http.StatusUnauthorized, "Metrics need the token of --metrics-token.\n")
	}
	families, err := p.gauges.Gather()
	if err != nil {
		p.Log.Error("gathering metrics", "request", visitOf(c).requestID, "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	gathered := prometheus.GathererFunc(func() ([]*client.MetricFamily, error) { return families, nil })
	promhttp.HandlerFor(gathered, promhttp.HandlerOpts{}).ServeHTTP(c.Response(), c.Request())
	return nil
}

// gaugesOf is what Prometheus reads: the process, and how the entries stand.
func gaugesOf(d Deps) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "backoffice_build_info", Help: "1, with the version of the program.",
		ConstLabels: prometheus.Labels{"version": d.Site.Version, "goversion": runtime.Version()}})
	build.Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build, entryGauges{d}, auditGauges{d}, backupGauges{d})
	if saved := d.Site.Commits; saved != nil {
		r.MustRegister(
			prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "backoffice_store_updates_total", Help: "Changes of the data file that were saved since the program started."},
				func() float64 { updates, _ := saved(); return float64(updates) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "backoffice_store_commits_total", Help: "Commits that they shared. Each syncs the data file twice."},
				func() float64 { _, commits := saved(); return float64(commits) }))
	}
	return r
}

var (
	credentialOK = prometheus.NewDesc("backoffice_credential_ok", "1 if the last test or radar run that decided found client ID and secret right, 0 if wrong. Absent if that is not known.", []string{"entry"}, nil)
	sinceTest    = prometheus.NewDesc("backoffice_seconds_since_last_test", "Seconds since the last test of what is in force. Absent if there was none.", []string{"entry"}, nil)
	lastVerdict  = prometheus.NewDesc("backoffice_last_verdict", "1 at the verdict of the last test or radar turn that counts for what is in force, 0 at the others.", []string{"entry", "verdict"}, nil)
	radarRuns    = prometheus.NewDesc("backoffice_radar_runs_total", "Radar runs that sent a call since the program started, by what they found.", []string{"verdict"}, nil)
	radarTurns   = prometheus.NewDesc("backoffice_radar_turned_total", "Changes of the radar's verdict between ok and wrong since the program started, by the verdict after.", []string{"to"}, nil)
	radarPaused  = prometheus.NewDesc("backoffice_radar_paused", "1 if the radar is paused or off.", nil, nil)
	hooksKept    = prometheus.NewDesc("backoffice_notifications_total", "Notifications of providers that were kept since the program started, by what their signature proved.", []string{"verdict"}, nil)
	hooksTurned  = prometheus.NewDesc("backoffice_notifications_turned_away_total", "Requests to the addresses of notifications that were not taken since the program started, by the reason.", []string{"reason"}, nil)
	radarCounts  = prometheus.NewDesc("backoffice_radar_entries", "Entries in force by what the radar knows of them.", []string{"state"}, nil)
)

// gaugeVerdicts are the labels of backoffice_last_verdict.
var gaugeVerdicts = []struct {
	verdict oauth.Verdict
	label   string
}{{oauth.OK, "ok"}, {oauth.Warning, "warning"}, {oauth.Wrong, "wrong"}, {oauth.Inconclusive, "inconclusive"}, {oauth.NotChecked, "not-tested"}}

// entryGauges tells how the entries stand at the moment of asking. It reads what
// both rooms keep in memory, not the records.
type entryGauges struct{ Deps }

// Describe sends nothing: which entries there are is not known beforehand.
func (entryGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{credentialOK, sinceTest, lastVerdict, radarRuns, radarTurns, radarPaused, radarCounts, hooksKept, hooksTurned, secretExpires} {
		ch <- d
	}
}

// Collect sends the state of now, or an error that Gather returns.
func (g entryGauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := g.collect(ctx, ch); err != nil {
		ch <- prometheus.NewInvalidMetric(lastVerdict, fmt.Errorf("reading how the entries stand: %w", err))
	}
}

func (g entryGauges) collect(ctx context.Context, ch chan<- prometheus.Metric) error {
	entries, err := g.Config.All(ctx)
	if err != nil {
		return err
	}
	healths, err := g.OAuth.HealthOfAll(ctx, entries)
	if err != nil {
		return err
	}
	view, err := g.OAuth.Radar(ctx, entries, healths)
	if err != nil {
		return err
	}
	now := g.Now()
	for _, e := range entries {
		if def, ok := g.Catalogue.Get(e.Connector); ok && def.OAuth != nil && e.Current != 0 {
			collectEntry(ch, e, healths[e.ID].Current, now)
		}
	}
	collectRadar(ch, view, g.OAuth.RadarCounts())
	collectHooks(ch, g.Webhooks)
	return g.collectExpiries(ctx, ch, now)
}

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func collectEntry(ch chan<- prometheus.Metric, e config.Entry, c oauth.Check, now time.Time) {
	id, test, said := string(e.ID), c.Last, c.Last
	switch {
	case c.Other:
		test, said = oauth.Summary{}, oauth.Summary{}
	case c.Radar:
		test = c.Before
	}
	switch said.Credentials() {
	case oauth.OK:
		ch <- gauge(credentialOK, 1, id)
	case oauth.Wrong:
		ch <- gauge(credentialOK, 0, id)
	}
	if !test.Started.IsZero() {
		ch <- gauge(sinceTest, now.Sub(test.Started).Seconds(), id)
	}
	for _, v := range gaugeVerdicts {
		on := 0.0
		if v.verdict == said.Verdict {
			on = 1
		}
		ch <- gauge(lastVerdict, on, id, v.label)
	}
}

// collectHooks names no entry: whoever reads metrics learns how much comes, not for
// whom.
func collectHooks(ch chan<- prometheus.Metric, s *webhook.Service) {
	kept, turned := s.Counts()
	for _, v := range webhook.Verdicts() {
		ch <- prometheus.MustNewConstMetric(hooksKept, prometheus.CounterValue, float64(kept[v]), string(v))
	}
	for _, t := range webhook.Turns() {
		ch <- prometheus.MustNewConstMetric(hooksTurned, prometheus.CounterValue, float64(turned[t]), string(t))
	}
}

func collectRadar(ch chan<- prometheus.Metric, v oauth.RadarView, n oauth.RadarCounts) {
	for _, verdict := range []oauth.Verdict{oauth.OK, oauth.Wrong, oauth.Inconclusive} {
		ch <- prometheus.MustNewConstMetric(radarRuns, prometheus.CounterValue, float64(n.Runs[verdict]), verdict.String())
	}
	for _, verdict := range []oauth.Verdict{oauth.OK, oauth.Wrong} {
		ch <- prometheus.MustNewConstMetric(radarTurns, prometheus.CounterValue, float64(n.Turns[verdict]), verdict.String())
	}
	paused := 0.0
	if v.Paused || v.Off {
		paused = 1
	}
	ch <- gauge(radarPaused, paused)
	for _, s := range radarStates {
		ch <- gauge(radarCounts, float64(v.Counts[s.state]), strings.ReplaceAll(s.word, " ", "-"))
	}
}
