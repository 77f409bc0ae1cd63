package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// consent is POST /config/:id/consent: a consent run. The answer is a page of ours
// that leads to the provider, because a form's target may not redirect to
// another origin (form-action of the content security policy).
func (p testPages) consent(c echo.Context) error {
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
