package server

import (
	"net/http"
	"strconv"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// secretPages show one secret, after the password.
type secretPages struct{ gate }

// revealSeconds is how long a revealed secret stays on the page.
const revealSeconds = "30"

// ask is GET /config/:id/reveal.
func (p secretPages) ask(c echo.Context) error { return p.draw(c, http.StatusOK, nil) }

func (p secretPages) draw(c echo.Context, status int, fault error) error {
	look, stored, err := p.look(c)
	if err != nil {
		return err
	}
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	asks, err := p.asksPassword(c)
	if err != nil {
		return err
	}
	faults := errs.Fields(fault)
	return render(c, status, templates.Reveal(templates.RevealPage{
		Frame: p.frame(c, "Reveal "+look.Key+" · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Version: strconv.Itoa(look.Version), Key: look.Key, Stored: stored, Reason: look.Reason,
		Asks: asks, Passkey: p.hasPasskey(c), ReasonError: faults["reason"],
	}))
}

// look reads which secret is asked for, and how it may be shown.
func (p secretPages) look(c echo.Context) (config.Look, templates.Shown, error) {
	id, err := entryID(c)
	if err != nil {
		return config.Look{}, templates.Shown{}, err
	}
	n, err := strconv.Atoi(c.FormValue("version"))
	if err != nil {
		return config.Look{}, templates.Shown{}, errs.New(errs.NotFound, "The link does not say which version is meant. Open the entry and choose Reveal there.")
	}
	v, err := p.Config.Version(c.Request().Context(), id, n)
	if err != nil {
		return config.Look{}, templates.Shown{}, err
	}
	look := config.Look{ID: id, Version: n, Key: c.FormValue("key"), Reason: strings.TrimSpace(c.FormValue("reason"))}
	k, ok := v.Key(look.Key)
	if !ok || !k.Secret {
		return config.Look{}, templates.Shown{}, errs.Newf(errs.NotFound, "Version %d of %s has no secret of this name.", n, id)
	}
	return look, sealedKey(k), nil
}

// reveal is POST /config/:id/reveal: the audit event, then the secret. That the
// password was given a moment ago is admit's to see. The page hides it by script, and where scripts are off by
// going back after the same time.
func (p secretPages) reveal(c echo.Context) error {
	look, stored, err := p.look(c)
	if err != nil {
		return err
	}
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	value, err := p.Config.Reveal(c.Request().Context(), actor(c), look)
	if errs.Fields(err)["reason"] != "" {
		return p.draw(c, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	hide := entryURL(look.ID) + "?version=" + strconv.Itoa(look.Version)
	c.Response().Header().Set("Refresh", revealSeconds+"; url="+hide)
	return render(c, http.StatusOK, templates.Revealed(templates.RevealedPage{
		Frame: p.frame(c, look.Key+" · "+string(look.ID), templates.SectionConfiguration), Entry: head, Version: strconv.Itoa(look.Version),
		Key: look.Key, Stored: stored, Value: value.Reveal(), Seconds: revealSeconds, Hide: hide,
	}))
}
