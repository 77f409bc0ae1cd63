package server

import (
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// radarPages are what shows and steers the radar, for people and for machines.
type radarPages struct{ gate }

// pause is POST /radar.
func (p radarPages) pause(c echo.Context) error {
	said := map[string]said{"yes": saidRadarPaused, "no": saidRadarResumed}[c.FormValue("paused")]
	if said == saidNothing {
		return errs.New(errs.Invalid, "This form does not say whether to pause the radar. Open the overview and use its button.")
	}
	if err := p.OAuth.PauseRadar(c.Request().Context(), actor(c), said == saidRadarPaused); err != nil {
		return err
	}
	return p.see(c, "/", flash{said: said})
}

// radarTurned is how many of the entries that the radar saw refused the overview
// names.
const radarTurned = 6

// radar is the panel of the overview.
func (g gate) radar(c echo.Context) (out templates.RadarPanel, err error) {
	entries, err := g.entries(c)
	if err != nil {
		return out, err
	}
	tested, err := g.healths(c)
	if err != nil {
		return out, err
	}
	v, err := g.OAuth.Radar(c.Request().Context(), entries, tested)
	if err != nil {
		return out, err
	}
	out = templates.RadarPanel{Last: g.when(v.Last), Off: v.Off, Paused: v.Paused, PausedBy: v.PausedBy, PausedAt: g.when(v.PausedAt)}
	for _, s := range radarStates {
		if n := v.Counts[s.state]; n > 0 {
			out.Counts = append(out.Counts, templates.RadarCount{Verdict: s.verdict, Count: templates.Count(int64(n)), Word: s.word})
		}
	}
	if n := v.Counts[oauth.RadarUncalibrated]; n > 0 {
		out.Calibrate = plural(n, "entry") + " " + pick(n == 1, "has", "have") + " nothing to be compared with. Use Test connection once on each; if that proves client ID and secret, the radar watches it from then on."
	}
	for _, e := range v.Wrong[:min(len(v.Wrong), radarTurned)] {
		def := g.Config.Definition(e.ID)
		out.Turned = append(out.Turned, templates.RadarRow{ID: string(e.ID), Initial: initial(def, e.ID), Fact: e.Why.Headline(), Since: g.when(e.Since)})
	}
	if n := len(v.Wrong) - len(out.Turned); n > 0 {
		out.More = plural(n, "entry") + " more"
	}
	return out, nil
}

// radarStates are the states in the order in which the overview counts them.
var radarStates = []struct {
	state   oauth.RadarState
	verdict templates.Verdict
	word    string
}{
	{oauth.RadarOK, templates.VerdictOK, "no change"},
	{oauth.RadarWrong, templates.VerdictWrong, "refused"},
	{oauth.RadarOpen, templates.VerdictInconclusive, "not decided"},
	{oauth.RadarUncalibrated, templates.VerdictNotChecked, "not calibrated"},
	{oauth.RadarUntestable, templates.VerdictNotChecked, "not testable"},
	{oauth.RadarWaits, templates.VerdictNotChecked, "not asked yet"},
}

// addRadar adds what the radar says to the head of an entry.
func (g gate) addRadar(c echo.Context, h *templates.EntryHead, e config.Entry, tested oauth.Health) error {
	r, ok, err := g.OAuth.RadarOf(c.Request().Context(), e, tested)
	if err != nil || !ok {
		return err
	}
	h.More = strings.TrimSpace(h.More + " " + g.radarSentence(r))
	return nil
}

func (g gate) radarSentence(r oauth.RadarEntry) string {
	switch ago := g.when(r.Last).Ago; {
	case r.State == oauth.RadarWrong:
		return "Radar: " + lowerFirst(r.Why.Headline()) + ", first seen " + g.when(r.Since).Ago + "."
	case r.Paused:
		return "Radar: paused."
	case r.State == oauth.RadarOK:
		return "Radar: no change, " + ago + "."
	case r.State == oauth.RadarOpen:
		return "Radar: not decided, " + ago + "."
	case r.State == oauth.RadarUncalibrated:
		return "Radar: needs one good test to compare with."
	case r.State == oauth.RadarUntestable:
		return "Radar: the version in force cannot be tested."
	}
	return "Radar: not asked yet."
}
