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
	v, faults := visitOf(c), errs.Fields(err)
	return render(c, status, templates.Account(templates.AccountPage{
		Frame: p.frame(c, "Account", templates.SectionNone), Since: p.when(v.session.Created), Created: p.when(v.user.Created), MinLength: minPassword,
		CurrentError: faults["current"], PasswordError: faults["password"], RepeatError: faults["password2"],
	}))
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
