package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// doorPages are what somebody meets who is not signed in.
type doorPages struct{ gate }

const minPassword = "12"

// askSetup is GET /setup, with the token of the one-time link.
func (p doorPages) askSetup(c echo.Context) error {
	token := secret.NewText(c.QueryParam("token"))
	if err := p.Auth.CheckSetup(c.Request().Context(), token); err != nil {
		return err
	}
	return p.drawSetup(c, http.StatusOK, token, "", nil)
}

func (p doorPages) drawSetup(c echo.Context, status int, token secret.Text, email string, err error) error {
	because(c, err)
	faults := errs.Fields(err)
	return render(c, status, templates.Setup(templates.SetupPage{
		Stage: p.stage(c), OneTime: token.Reveal(), PublicURL: p.origin(), Email: email, MinLength: minPassword,
		EmailError: faults["email"], PasswordError: faults["password"], RepeatError: faults["password2"],
	}))
}

// setup is POST /setup: the first admin, once.
func (p doorPages) setup(c echo.Context) error {
	token, email := secret.NewText(c.FormValue("token")), c.FormValue("email")
	user, err := p.Auth.Setup(c.Request().Context(), actor(c), newAdmin(c, token, email))
	if len(errs.Fields(err)) > 0 {
		return p.drawSetup(c, http.StatusUnprocessableEntity, token, email, err)
	}
	if err != nil {
		return err
	}
	if _, err := p.Sessions.Renew(c.Response(), c.Request(), user, visitOf(c).addr); err != nil {
		return err
	}
	return p.see(c, "/", flash{said: saidSetUp})
}

// askLogin is GET /login.
func (p doorPages) askLogin(c echo.Context) error {
	next := ownPath(c.QueryParam("next"))
	if visitOf(c).signedIn {
		return c.Redirect(http.StatusSeeOther, next)
	}
	users, err := p.Auth.Users(c.Request().Context())
	if err != nil {
		return err
	}
	page := templates.LoginPage{Next: next, NoAdmin: len(users) == 0}
	switch {
	case c.QueryParam("out") != "":
		page.Said = "You have signed out."
	case c.QueryParam("back") != "":
		page.Said = "You are back from the provider, but not signed in here any more, so the answer was not looked at. Sign in and start the test again."
	}
	return p.drawLogin(c, http.StatusOK, page)
}

// login is POST /login. A wrong password and an unknown account get the same
// answer.
func (p doorPages) login(c echo.Context) error {
	next, email := ownPath(c.FormValue("next")), c.FormValue("email")
	by := actor(c)
	by.ID, by.Name = "", "" // whoever is signed in here need not be the one who types
	user, err := p.Auth.SignIn(c.Request().Context(), by, email, secret.NewText(c.FormValue("password")))
	if err == nil {
		if _, err := p.Sessions.Enter(c.Response(), c.Request(), auth.Entry{User: user, Proof: p.Now()}, visitOf(c).addr); err != nil {
			return unopened(err)
		}
		return c.Redirect(http.StatusSeeOther, next)
	}
	if errors.Is(err, store.ErrUnsaved) {
		return unopened(err)
	}
	var half *auth.CodeNeeded
	if errors.As(err, &half) {
		return p.drawCode(c, http.StatusOK, half.Ticket, next, "")
	}
	kind, msg := errs.Of(err)
	if kind == errs.Internal || kind == errs.Unavailable {
		return err
	}
	because(c, err)
	status := statuses[kind].status
	if kind == errs.Unsigned {
		status = http.StatusUnprocessableEntity // 401 would ask for a WWW-Authenticate header
	}
	return p.drawLogin(c, status, templates.LoginPage{Email: email, Next: next, Error: msg})
}

// unopened says why nobody can sign in while nothing can be saved.
func unopened(err error) error {
	if !errors.Is(err, store.ErrUnsaved) {
		return err
	}
	return errs.Wrap(errs.Unavailable, "Nobody can sign in now: a session has to be saved, and nothing can be. Whoever runs this instance finds the reason in its log and at /readyz. Who is signed in already can go on reading.", err)
}

// logout is POST /logout.
func (p doorPages) logout(c echo.Context) error {
	if err := p.Sessions.SignOut(c.Response(), c.Request(), actor(c)); err != nil {
		return err
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return c.Redirect(http.StatusSeeOther, "/login?out=1")
}

// theme is POST /theme: the choice stays in a cookie of this browser.
func (p doorPages) theme(c echo.Context) error {
	t, err := templates.ParseTheme(c.FormValue("theme"))
	if err != nil {
		return errs.Wrap(errs.Invalid, "There is no such theme. Choose light, dark, or as the system.", err)
	}
	const year = 365 * 24 * 60 * 60
	c.SetCookie(p.cookie(themeCookie, t.String(), year))
	return c.Redirect(http.StatusSeeOther, ownPath(c.FormValue("next")))
}

// ownPath is next if it is a path of this product, else "/": nobody is sent
// elsewhere by a link that was made for them.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") {
		return "/"
	}
	return u.RequestURI()
}
