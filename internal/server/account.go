package server

import (
	"net/http"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// newAdmin reads the form of the first admin.
func newAdmin(c echo.Context, token secret.Text, email string) auth.NewAdmin {
	return auth.NewAdmin{Token: token, Email: email,
		Password: secret.NewText(c.FormValue("password")), Again: secret.NewText(c.FormValue("password2"))}
}

// accountPages are what a person can do about the own account.
type accountPages struct{ gate }

// show is GET /account.
func (p accountPages) show(c echo.Context) error { return p.draw(c, http.StatusOK, nil) }

func (p accountPages) draw(c echo.Context, status int, err error) error {
	return p.drawWith(c, status, err, "")
}

// drawWith is draw with a calendar address that was just made, or "".
func (p accountPages) drawWith(c echo.Context, status int, err error, calendar string) error {
	v, faults := visitOf(c), errs.Fields(err)
	sessions, sessErr := p.sessionRows(c, v.user.ID)
	if sessErr != nil {
		return sessErr
	}
	links, linkErr := p.Auth.Identities(c.Request().Context(), v.user.ID)
	if linkErr != nil {
		return linkErr
	}
	page := templates.AccountPage{Sessions: sessions, Provider: providerNames(links), NoOwn: v.user.NoPassword,
		Frame: p.frame(c, "Account", templates.SectionNone), Created: p.when(v.user.Created), Factors: v.user.Factors(), MinLength: minPassword,
		CurrentError: faults["current"], PasswordError: faults["password"], RepeatError: faults["password2"],
	}
	if err := p.fillCalendar(c, &page, calendar); err != nil {
		return err
	}
	return render(c, status, templates.Account(page))
}

// password is POST /account/password. The session is renewed with it.
func (p accountPages) password(c echo.Context) error {
	v := visitOf(c)
	err := p.Auth.ChangePassword(c.Request().Context(), actor(c), auth.PasswordChange{
		UserID: v.user.ID, Session: v.session.ID, Current: secret.NewText(c.FormValue("current")),
		Password: secret.NewText(c.FormValue("password")), Again: secret.NewText(c.FormValue("password2"))})
	if kind, msg := errs.Of(err); kind == errs.TooMany {
		err = errs.Field("current", msg)
	}
	if len(errs.Fields(err)) > 0 {
		return p.draw(c, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	user, err := p.Auth.User(c.Request().Context(), v.user.ID)
	if err != nil {
		return err
	}
	if _, err := p.Sessions.Renew(c.Response(), c.Request(), user, v.addr); err != nil {
		return err
	}
	return p.see(c, "/account", flash{said: saidPassword})
}

// sessionRows are the sessions of a user, for the pages that end them.
func (g gate) sessionRows(c echo.Context, userID string) (out []templates.SessionRow, err error) {
	all, err := g.Sessions.Of(c.Request().Context(), userID)
	for _, s := range all {
		out = append(out, templates.SessionRow{Handle: s.Handle(), Device: deviceOf(s.Agent), Address: s.Addr, Seen: g.when(s.Seen), Began: g.when(s.Created),
			Current: s.ID == visitOf(c).session.ID})
	}
	return out, err
}

// end is POST /account/sessions: one session of one's own, or all but this one.
func (p accountPages) end(c echo.Context) error {
	v := visitOf(c)
	_, err := p.Sessions.End(c.Request().Context(), actor(c), auth.Ending{UserID: v.user.ID, Handle: c.FormValue("session"), Keep: v.session.ID})
	if err != nil {
		return err
	}
	if c.FormValue("session") == v.session.Handle() {
		return c.Redirect(http.StatusSeeOther, "/login?out=1")
	}
	return p.see(c, "/account", flash{said: saidEnded})
}
