package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// What a passkey is asked at the door belongs to one browser, which has no session
// yet: a cookie with a random value stands for it until the browser ends.

func (g gate) doorName() string {
	if g.Site.Secure() {
		return "__Host-backoffice-door"
	}
	return "backoffice-door"
}

// doorSession is what the browser's cookie says; "" for none.
func (g gate) doorSession(c echo.Context) string {
	if k, err := c.Cookie(g.doorName()); err == nil {
		return k.Value
	}
	return ""
}

// beginDoorSession is doorSession, and makes one for a browser that has none.
func (g gate) beginDoorSession(c echo.Context) (string, error) {
	if s := g.doorSession(c); s != "" {
		return s, nil
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	s := base64.RawURLEncoding.EncodeToString(random)
	c.SetCookie(g.cookie(g.doorName(), s, 0))
	return s, nil
}

// question answers a script that asks what a passkey is to be asked. An error that
// was made for people goes back in words.
func (g gate) question(c echo.Context, json string, err error) error {
	kind, msg := errs.Of(err)
	switch {
	case err == nil:
		return c.JSONBlob(http.StatusOK, []byte(json))
	case msg == "":
		return err
	}
	because(c, err)
	return c.JSON(statuses[kind].status, map[string]string{"error": msg})
}

// beginPasskey is POST /login/passkey/begin: what any passkey of this instance is
// asked, or with a ticket, one of who gave the right password.
func (p doorPages) beginPasskey(c echo.Context) error {
	door, err := p.beginDoorSession(c)
	if err != nil {
		return err
	}
	by := actor(c)
	if ticket := c.FormValue("ticket"); ticket != "" {
		json, err := p.Auth.BeginSecondPasskey(c.Request().Context(), by, secret.NewText(ticket), door)
		if errs.Is(err, errs.Unsigned) {
			_, msg := errs.Of(err)
			err = errs.New(errs.Invalid, msg) // 401 would ask for a WWW-Authenticate header
		}
		return p.question(c, json, err)
	}
	json, err := p.Auth.BeginPasskeySignIn(by, door)
	return p.question(c, json, err)
}

// passkey is POST /login/passkey: the answer, which signs in. It is in no case told
// whether anybody has the passkey.
func (p doorPages) passkey(c echo.Context) error {
	by, answer, ticket := actor(c), secret.NewText(c.FormValue("passkey")), secret.NewText(c.FormValue("ticket"))
	by.ID, by.Name = "", "" // whoever is signed in here need not be the one who answers
	var entry auth.Entry
	var err error
	if ticket.IsZero() {
		entry, err = p.Auth.SignInWithPasskey(c.Request().Context(), by, p.doorSession(c), answer)
	} else {
		entry, err = p.Auth.SignInWithSecondPasskey(c.Request().Context(), by, ticket, p.doorSession(c), answer)
	}
	if err == nil {
		if _, err := p.Sessions.Enter(c.Response(), c.Request(), entry, visitOf(c).addr); err != nil {
			return unopened(err)
		}
		return c.Redirect(http.StatusSeeOther, ownPath(c.FormValue("next")))
	}
	if errors.Is(err, store.ErrUnsaved) {
		return unopened(err)
	}
	kind, msg := errs.Of(err)
	if kind == errs.Internal || kind == errs.Unavailable {
		return err
	}
	because(c, err)
	status := statuses[kind].status
	if kind == errs.Unsigned {
		status = http.StatusUnprocessableEntity
	} else if !ticket.IsZero() {
		return p.drawCode(c, status, ticket, c.FormValue("next"), msg)
	}
	return p.drawLogin(c, status, templates.LoginPage{Next: ownPath(c.FormValue("next")), Error: msg})
}
