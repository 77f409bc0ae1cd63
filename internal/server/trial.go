package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// testPages are the tab Test of an entry, and where a consent run comes back.
type testPages struct{ gate }

// show is GET /config/:id/test and GET /config/:id/test/:run.
func (p testPages) show(c echo.Context) error { return p.draw(c, http.StatusOK, "") }

func (p testPages) draw(c echo.Context, status int, tokenFault string) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabTest)
	if err != nil {
		return err
	}
	page := templates.EntryTestPage{Frame: p.frame(c, "Test · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Provider: providerName(def, e.ID), TokenError: tokenFault}
	if def == nil || def.OAuth == nil {
		page.NoTest = "No definition knows how this service does OAuth, so there is nothing to test. The operator can add one: see --connectors."
		return render(c, status, templates.EntryTest(page))
	}
	p.fillStarts(&page, e, c.FormValue("version"))
	page.CanToken = def.Identity != nil
	page.TokenNote = "It shows what the token may do, without a consent run"
	if page.Away, err = p.away(c, e, page.Provider); err != nil {
		return err
	}
	runs, err := p.OAuth.Reports(c.Request().Context(), e.ID)
	if err != nil {
		return err
	}
	chosen := c.Param("run")
	if chosen == "" && len(runs) > 0 {
		chosen = runs[0].ID
	}
	p.fillRuns(&page, e, runs, chosen)
	if chosen != "" {
		if err := p.fillReport(c, &page, e, def, chosen); err != nil {
			return err
		}
	}
	newest, err := p.open(c, e.ID, e.Newest())
	if err != nil {
		return err
	}
	page.Rehearsal = page.Rehearsal || p.rehearses(def, newest.Texts())
	return render(c, status, templates.EntryTest(page))
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
		Link: templates.Link{Label: "Edit the values", URL: entryURL(e.ID) + "/edit"}}, nil
}

// fillStarts offers the versions that can be tested: the pending one first,
// because that is what is about to be put in force. chosen is the version that
// a form was sent with, or "".
func (p testPages) fillStarts(page *templates.EntryTestPage, e config.Entry, chosen string) {
	add := func(n int) {
		if n == 0 {
			return
		}
		page.Starts = append(page.Starts, templates.TestStart{Version: strconv.Itoa(n), Label: labelOf(e, n), Main: len(page.Starts) == 0})
		page.Versions = append(page.Versions, templates.Choice{Name: strconv.Itoa(n), Label: versionName(e, n), Selected: strconv.Itoa(n) == chosen})
	}
	add(e.Pending)
	add(e.Current)
	if len(page.Starts) == 0 {
		add(e.Newest())
	}
}

func (p testPages) fillRuns(page *templates.EntryTestPage, e config.Entry, runs []oauth.Summary, chosen string) {
	shown := []oauth.Field{oauth.ClientID, oauth.ClientSecret, oauth.RedirectURI, oauth.Reachability}
	for _, f := range shown {
		page.RunFields = append(page.RunFields, f.Label())
	}
	for _, r := range runs {
		row := templates.RunRow{Run: r.ID, When: p.when(r.Started), Verdict: verdictOf(r.Verdict), Result: r.Headline, Version: strconv.Itoa(r.Version),
			Took: templates.Took(r.Took), By: r.By, Chosen: r.ID == chosen, Stale: stale(e, r.ContentHash)}
		for _, f := range shown {
			row.Fields = append(row.Fields, templates.FieldVerdict{Label: f.Label(), Verdict: verdictOf(fieldOf(r.Fields, f).Verdict)})
		}
		page.Runs = append(page.Runs, row)
	}
}

// stale reports whether a run tested what is neither in force nor pending now.
func stale(e config.Entry, hash string) bool { return hash != e.CurrentHash && hash != e.PendingHash }

func fieldOf(fields []oauth.FieldVerdict, f oauth.Field) oauth.FieldVerdict {
	for _, v := range fields {
		if v.Field == f {
			return v
		}
	}
	return oauth.FieldVerdict{Field: f}
}

// start is POST /config/:id/test: a consent run. The answer is a page of ours
// that leads to the provider, because a form's target may not redirect to
// another origin (form-action of the content security policy).
func (p testPages) start(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	n, err := p.shownVersion(c, e)
	if err != nil {
		return err
	}
	address, provider, err := p.OAuth.Start(c.Request().Context(), actor(c), oauth.Binding(visitOf(c).session.Binding()), e.ID, n)
	if err != nil {
		return err
	}
	o, err := p.open(c, e.ID, n)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("an authorize address of our own cannot be read") // the cause would quote its state
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	page := templates.LeavePage{Frame: p.frame(c, "Going to "+provider, templates.SectionConfiguration), Entry: head, Provider: provider,
		Version: strings.TrimPrefix(versionName(e, n), "Version "), URL: address, Host: u.Host, Asks: "Sign in there and approve the app, or deny it.",
		Back: p.OAuth.RedirectURI(def, o), Expires: "10 minutes"}
	page.Rehearsal = p.rehearses(def, o.Texts())
	h := c.Response().Header()
	h.Set("Refresh", "0; url="+address)
	h.Set("Referrer-Policy", "no-referrer")
	return render(c, http.StatusOK, templates.Leave(page))
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
		return p.draw(c, http.StatusUnprocessableEntity, msg)
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
