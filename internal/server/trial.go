package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// testPages are the tab Test of an entry, and where a consent run comes back.
type testPages struct{ gate }

// A tab is the tab Test as one request has it.
type tab struct {
	status     int
	tokenFault string
	refusal    templates.Notice // why a test did not start
}

// show is GET /config/:id/test and GET /config/:id/test/:run.
func (p testPages) show(c echo.Context) error { return p.draw(c, tab{status: http.StatusOK}) }

func (p testPages) draw(c echo.Context, t tab) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabTest)
	if err != nil {
		return err
	}
	page := templates.EntryTestPage{Frame: p.frame(c, "Test · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Provider: providerName(def, e.ID), TokenError: t.tokenFault, Refusal: t.refusal}
	key, plain, err := p.bodyKey(c, e, t)
	if err != nil {
		return err
	}
	if known, ok := p.bodies.get(key); plain && ok {
		page.Rehearsal = known.rehearsal
		return render(c, t.status, templates.EntryTestAgain(page.Frame, head, known.body))
	}
	if def == nil || def.OAuth == nil {
		page.NoTest = "No definition knows how this service does OAuth, so there is nothing to test. The operator can add one: see --connectors."
		return render(c, t.status, templates.EntryTest(page))
	}
	page.CanToken = def.Identity != nil && p.allows(c, auth.ConfigTest)
	page.TokenNote = "It shows what the token may do, without a consent run"
	if page.Away, err = p.away(c, e, page.Provider); err != nil {
		return err
	}
	shown, err := p.fillResult(c, &page, e, def)
	if err != nil {
		return err
	}
	if p.allows(c, auth.ConfigTest) {
		p.fillStarts(&page, e, c.FormValue("version"), shown)
	}
	newest, err := p.open(c, e.ID, e.Newest())
	if err != nil {
		return err
	}
	page.Rehearsal = page.Rehearsal || p.rehearses(def, newest.Texts())
	if !plain || page.Live.Shown() || page.UnderWay.Known() {
		return render(c, t.status, templates.EntryTest(page))
	}
	body, err := templates.DrawTestBody(page)
	if err != nil {
		return err
	}
	p.bodies.put(key, drawnBody{body, page.Rehearsal})
	return render(c, t.status, templates.EntryTestAgain(page.Frame, head, body))
}

// fillResult draws the run that was asked for, or the latest one, and the list of
// all. It returns the version that it shows, or 0.
func (p testPages) fillResult(c echo.Context, page *templates.EntryTestPage, e config.Entry, def *connector.Definition) (int, error) {
	runs, err := p.OAuth.Reports(c.Request().Context(), e.ID)
	if err != nil {
		return 0, err
	}
	chosen := c.Param("run")
	if live, ok := p.liveOf(e.ID, chosen); ok {
		if progress := live.Progress(); !progress.Done || !progress.Kept {
			p.fillRuns(page, e, runs, chosen)
			p.fillLive(page, progress, e, def)
			return progress.Report.Version, nil
		}
	}
	page.UnderWay = p.underWay(e.ID)
	if chosen == "" && len(runs) > 0 {
		chosen = runs[0].ID
	}
	p.fillRuns(page, e, runs, chosen)
	if chosen == "" {
		return 0, nil
	}
	return p.fillReport(c, page, e, def, chosen)
}

// away is the notice about a consent run that has not come back: the commonest
// mistake, a client ID that the provider does not know, leaves no other trace.
func (p testPages) away(c echo.Context, e config.Entry, provider string) (templates.Notice, error) {
	run, ok, err := p.OAuth.Started(c.Request().Context(), e.ID)
	if err != nil || !ok {
		return templates.Notice{}, err
	}
	return templates.Notice{Verdict: templates.VerdictWarning, Heading: fmt.Sprintf("A run of version %d has not come back", run.Version),
		Text: fmt.Sprintf("%s started it %s. If %s showed an error page, check the client ID and that the redirect URI %s is registered with %s exactly like this.",
			run.By, p.when(run.Time).Ago, provider, run.RedirectURI, provider),
		Link: p.editLink(c, e.ID, "Edit the values")}, nil
}

// fillStarts offers the versions that can be tested: first the one that the page
// shows, then the pending one, because that is what is about to be put in force.
// chosen is the version that a form was sent with, or "".
func (p testPages) fillStarts(page *templates.EntryTestPage, e config.Entry, chosen string, shown int) {
	versions := []int{e.Pending, e.Current}
	if e.Pending == 0 && e.Current == 0 {
		versions = []int{e.Newest()}
	}
	if shown == e.Current && e.Pending != 0 {
		slices.Reverse(versions)
	}
	for _, n := range versions {
		if n != 0 {
			page.Starts = append(page.Starts, templates.TestStart{Version: strconv.Itoa(n), Label: labelOf(e, n), Main: len(page.Starts) == 0})
		}
	}
	for _, n := range []int{e.Pending, e.Current, e.Newest()} {
		name := strconv.Itoa(n)
		if n != 0 && !slices.ContainsFunc(page.Versions, func(v templates.Choice) bool { return v.Name == name }) {
			page.Versions = append(page.Versions, templates.Choice{Name: name, Label: versionName(e, n), Selected: name == chosen})
		}
	}
}

// token is POST /config/:id/test/token: the identity call with a pasted token.
func (p testPages) token(c echo.Context) error {
	e, _, err := p.entry(c)
	if err != nil {
		return err
	}
	n, err := p.shownVersion(c, e)
	if err != nil {
		return err
	}
	ref, err := p.OAuth.TestToken(c.Request().Context(), actor(c), e.ID, n, secret.NewText(strings.TrimSpace(c.FormValue("token"))))
	if kind, msg := errs.Of(err); kind == errs.Invalid {
		return p.draw(c, tab{status: http.StatusUnprocessableEntity, tokenFault: msg})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, reportURL(ref))
}

// callback is GET /auth/:service/callback: the provider sent the browser back.
// The redirect takes the code out of the address bar.
func (p testPages) callback(c echo.Context) error {
	ref, err := p.OAuth.Callback(c.Request().Context(), actor(c), oauth.Binding(visitOf(c).session.Binding()), pathParam(c, "service"), c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, reportURL(ref))
}

func reportURL(r oauth.Ref) string { return entryURL(r.Entry) + "/test/" + url.PathEscape(r.Report) }

// verdictOf is a verdict as pages draw it.
func verdictOf(v oauth.Verdict) templates.Verdict {
	switch v {
	case oauth.OK:
		return templates.VerdictOK
	case oauth.Wrong:
		return templates.VerdictWrong
	case oauth.Inconclusive:
		return templates.VerdictInconclusive
	case oauth.Warning:
		return templates.VerdictWarning
	}
	return templates.VerdictNotChecked
}
