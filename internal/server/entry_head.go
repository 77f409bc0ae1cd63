package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// A standing is what is known about how well one version works.
type standing struct {
	Health templates.Health
	Fact   string    // the headline of the report that says so; "" if there is none
	Tested time.Time // zero if nobody has tested it
	By     string

	How     string // "without consent"; "" for a consent run
	Partial bool   // it works but for a permission
	Earlier int    // the earlier version that was tested instead of this one; 0 if there is none
	Radar   bool   // the radar says so, not the test
}

// healthOf is a standing of the domain as pages draw it.
func healthOf(s oauth.Standing) templates.Health {
	switch s {
	case oauth.Works:
		return templates.HealthWorks
	case oauth.Broken:
		return templates.HealthWrong
	case oauth.Undecided:
		return templates.HealthInconclusive
	case oauth.Stale:
		return templates.HealthStale
	}
	return templates.HealthNotTested
}

// checked is a check of the domain as pages draw it.
func (g gate) checked(e config.Entry, c oauth.Check) standing {
	if def, ok := g.Catalogue.Get(e.Connector); !ok || def.OAuth == nil {
		return standing{Health: templates.HealthNoTest}
	}
	test := c.Last
	if c.Radar {
		test = c.Before
	}
	s := standing{Health: healthOf(c.Standing), Fact: c.Last.Headline, Tested: test.Started, By: test.By, Radar: c.Radar}
	if test.Kind == oauth.Diagnosis {
		s.How = "without consent"
	}
	s.Partial = c.Standing == oauth.Works && c.Last.Verdict == oauth.Warning && c.Last.Kind == oauth.ConsentRun
	if c.Standing == oauth.Stale {
		s.Fact = "" // a good result of before: its headline would say that all is well
	}
	if c.Other {
		s.Tested, s.By, s.Earlier = time.Time{}, "", c.Last.Version
	}
	return s
}

// entryStanding is how an entry stands in lists: by what is in force, or while
// nothing is, by what is pending.
func (g gate) entryStanding(e config.Entry, h oauth.Health) standing {
	if e.Current == 0 {
		return g.checked(e, h.Pending)
	}
	return g.checked(e, h.Current)
}

// head is what the tabs of an entry share.
func (g gate) head(c echo.Context, e config.Entry, def *connector.Definition, tab templates.Tab) (templates.EntryHead, error) {
	tested, err := g.healths(c)
	if err != nil {
		return templates.EntryHead{}, err
	}
	s := g.entryStanding(e, tested[e.ID])
	h := templates.EntryHead{ID: string(e.ID), Initial: initial(def, e.ID), Connector: e.Connector, Health: s.Health, Tab: tab,
		May: g.mayOf(c), State: "nothing is in force yet", VersionCount: templates.Count(int64(e.Next - 1)), HasScopes: def != nil && len(def.Permissions) > 0,
		HasWebhooks: def != nil && def.Webhooks != nil, HasGuide: def != nil}
	h.Tested, h.TestedBy, h.TestedHow = g.when(s.Tested), s.By, s.How
	switch {
	case s.Earlier != 0:
		h.State = fmt.Sprintf("version %d is in force and has not been tested; version %d was", e.Current, s.Earlier)
	case e.Current != 0:
		h.State = fmt.Sprintf("version %d is in force", e.Current)
	case e.Pending != 0:
		h.State = fmt.Sprintf("version %d is pending and nothing is in force yet", e.Pending)
	}
	if e.Current != 0 && e.Pending != 0 {
		h.More = pendingSentence(e, g.checked(e, tested[e.ID].Pending))
	}
	word, err := g.approvalWord(c, e)
	if err != nil {
		return templates.EntryHead{}, err
	}
	if word != "" {
		h.More = strings.TrimSpace(h.More + " It " + word + ".")
	}
	if err := g.addRadar(c, &h, e, tested[e.ID]); err != nil {
		return templates.EntryHead{}, err
	}
	if err := g.addRotation(c, &h, e); err != nil {
		return templates.EntryHead{}, err
	}
	if def != nil && def.OAuth != nil {
		h.TestVersion, h.TestNote = strconv.Itoa(e.Newest()), testNote(def.Name)
	}
	v, err := g.version(c, e.ID, e.Newest())
	if err != nil {
		return templates.EntryHead{}, err
	}
	if n := len(v.Scopes); n > 0 {
		h.ScopeCount = strconv.Itoa(n)
	}
	if n := len(v.Topics); n > 0 {
		h.TopicCount = strconv.Itoa(n)
	}
	return h, nil
}

// addRotation adds how far the replacement of the client secret has come, and that
// a version came back by itself.
func (g gate) addRotation(c echo.Context, h *templates.EntryHead, e config.Entry) error {
	r, err := g.Config.RotationOf(c.Request().Context(), e.ID)
	if err != nil {
		return err
	}
	w := r.Watch
	if w.Since.IsZero() { // a promotion can be watched without a rotation
		if w, err = g.Config.WatchOf(c.Request().Context(), e.ID); err != nil {
			return err
		}
	}
	if w.Fresh(e) {
		h.Reverted = g.reverted(e, w)
	}
	switch {
	case !r.Open || r.Finished():
	case r.New.Number == 0:
		h.Rotation = "the new one is not pasted yet"
	case !r.InForce:
		h.Rotation = fmt.Sprintf("version %d has the new one and is pending", r.New.Number)
	default:
		h.Rotation = fmt.Sprintf("the new one is in force, and version %d is accepted until %s", e.Previous, until(e.PreviousUntil))
	}
	return nil
}

// pendingSentence says how the pending version does.
func pendingSentence(e config.Entry, s standing) string {
	how := "has not been tested"
	switch s.Health {
	case templates.HealthWorks:
		how = "works"
		if s.Partial {
			how = "works, but a permission is missing"
		}
	case templates.HealthWrong:
		how = "fails"
	case templates.HealthInconclusive:
		how = "could not be decided by its test"
	case templates.HealthStale:
		how = "was tested long ago"
	case templates.HealthNoTest:
		return fmt.Sprintf("Version %d is pending.", e.Pending)
	}
	return fmt.Sprintf("Version %d is pending and %s.", e.Pending, how)
}

// standing is the panel of versions that carry a label.
func (g gate) standing(c echo.Context, e config.Entry) (templates.Standing, error) {
	var out templates.Standing
	var err error
	if out.Current, err = g.standingVersion(c, e, e.Current); err != nil {
		return out, err
	}
	if out.Pending, err = g.standingVersion(c, e, e.Pending); err != nil {
		return out, err
	}
	if e.Previous != 0 && e.PreviousUntil.After(g.Now()) {
		if out.Previous, err = g.standingVersion(c, e, e.Previous); err != nil {
			return out, err
		}
		out.Current.More = fmt.Sprintf("Version %d is accepted beside it until %s.", e.Previous, until(e.PreviousUntil))
		out.Previous.More = "Accepted until " + until(e.PreviousUntil) + "."
	}
	if e.Current != 0 && !e.InForceSince.IsZero() {
		out.Current.Did, out.Current.When, out.Current.By = "Put in force", g.when(e.InForceSince), e.InForceBy
	}
	return out, nil
}

func (g gate) standingVersion(c echo.Context, e config.Entry, n int) (templates.StandingVersion, error) {
	if n == 0 {
		return templates.StandingVersion{}, nil
	}
	v, err := g.version(c, e.ID, n)
	if err != nil {
		return templates.StandingVersion{}, err
	}
	s, err := g.versionStanding(c, e, v)
	return templates.StandingVersion{Number: strconv.Itoa(n), Health: s.Health, Fact: s.Fact, Did: "Saved", When: g.when(v.Time), By: v.Author, Reason: v.Reason}, err
}

// versionStanding is how well any version of an entry works, by the last
// run that tested its content. What carries a label has it at hand; an
// older version is looked up among the reports.
func (g gate) versionStanding(c echo.Context, e config.Entry, v config.Version) (standing, error) {
	if v.Number == e.Current || v.Number == e.Pending {
		tested, err := g.healths(c)
		if v.Number == e.Current {
			return g.checked(e, tested[e.ID].Current), err
		}
		return g.checked(e, tested[e.ID].Pending), err
	}
	runs, err := g.OAuth.Reports(c.Request().Context(), e.ID)
	if err != nil {
		return standing{}, err
	}
	h := oauth.HealthOf(config.Entry{ID: e.ID, Pending: v.Number, PendingHash: v.ContentHash}, runs, g.Now())
	return g.checked(e, h.Pending), nil
}
