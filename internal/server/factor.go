package server

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
	"rsc.io/qr"
)

// factorPages are where a person sets up passkeys and an app that makes codes.
type factorPages struct{ gate }

// demandFactor keeps somebody who has to have a second factor and has none from
// everything but the own account. It reports whether the request may go on; if
// not, it has been answered, or the error is to be.
func (g gate) demandFactor(c echo.Context, may auth.Permission) (goOn bool, err error) {
	u := visitOf(c).user
	if u.HasFactor() || visitOf(c).session.Factor || !g.Site.SecondFactor.Requires(u.Grant) || may == auth.SignedIn || may == auth.Factor {
		return true, nil
	}
	const at = "/account/factor"
	switch {
	case isFragment(c):
		c.Response().Header().Set("HX-Redirect", at)
		return false, c.NoContent(http.StatusForbidden)
	case c.Request().Method == http.MethodPost:
		return false, errs.New(errs.Refused, "Your role needs a second factor, and you have none yet. Set one up under your account first.")
	}
	return false, c.Redirect(http.StatusSeeOther, at)
}

// show is GET /account/factor.
func (p factorPages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, templates.FactorPage{})
}

func (p factorPages) draw(c echo.Context, status int, page templates.FactorPage) error {
	u := visitOf(c).user
	page.Frame = p.frame(c, "Second factor", templates.SectionNone)
	page.Required = p.Site.SecondFactor.Requires(u.Grant)
	page.On = !u.App.IsZero()
	page.Since = p.when(u.App)
	if err := p.fillPasskeys(c, &page); err != nil {
		return err
	}
	if u.HasFactor() {
		n, err := p.Auth.RecoveryLeft(c.Request().Context(), u.ID)
		if err != nil {
			return err
		}
		page.Left = fmt.Sprintf("%s of 10 left", strconv.Itoa(n))
	}
	return render(c, status, templates.Factor(page))
}

// begin is POST /account/factor/begin. Its answer has the secret, for the app
// alone.
func (p factorPages) begin(c echo.Context) error {
	e, err := p.Auth.BeginFactor(c.Request().Context(), visitOf(c).user.ID, p.issuer())
	if err != nil {
		return err
	}
	return p.drawEnrolment(c, http.StatusOK, e, "")
}

// issuer is what an app calls this instance.
func (g gate) issuer() string { return "BackOffice " + g.Site.PublicURL.Host }

func (p factorPages) drawEnrolment(c echo.Context, status int, e auth.Enrolment, fault string) error {
	code, err := qr.Encode(e.URI.Reveal(), qr.M)
	if err != nil {
		return errors.New("an address for an app cannot be drawn") // the cause could quote it
	}
	return p.draw(c, status, templates.FactorPage{Enrols: true, OneTimeKey: grouped(e.Key), Drawing: drawn(code), Size: strconv.Itoa(code.Size + 2*quiet), CodeError: fault})
}

// quiet is the empty border that a QR code needs, in modules.
const quiet = 4

// drawn is a QR code as the path of an SVG: a rectangle for each run of black.
func drawn(code *qr.Code) string {
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return b.String()
}

// grouped is a key as people type it: four letters at a time.
func grouped(key secret.Text) string {
	var b strings.Builder
	for i, r := range key.Reveal() {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// confirm is POST /account/factor: a code of the app. Its answer is the only page
// that ever has the recovery codes.
func (p factorPages) confirm(c echo.Context) error {
	v := visitOf(c)
	codes, err := p.Auth.ConfirmFactor(c.Request().Context(), actor(c), v.session.ID, c.FormValue("code"))
	if fault := errs.Fields(err)["code"]; fault != "" {
		because(c, err)
		e, err := p.Auth.Enrolling(c.Request().Context(), v.user.ID, p.issuer())
		if err != nil {
			return err
		}
		return p.drawEnrolment(c, http.StatusUnprocessableEntity, e, fault)
	}
	if err != nil {
		return err
	}
	return p.drawCodes(c, codes, saidFactorAdded)
}

// drawCodes renews the session, whose privilege has changed, and shows the codes. If
// there are none it goes back to the page, which says what was done.
func (p factorPages) drawCodes(c echo.Context, codes []secret.Text, done said) error {
	if err := p.renew(c); err != nil {
		return err
	}
	if len(codes) == 0 {
		return p.see(c, "/account/factor", flash{said: done})
	}
	page := templates.FactorPage{}
	for _, code := range codes {
		page.Codes = append(page.Codes, code.Reveal())
	}
	return p.draw(c, http.StatusOK, page)
}

// renew reads the account again and gives the browser a new session.
func (g gate) renew(c echo.Context) (err error) {
	v := visitOf(c)
	if v.user, err = g.Auth.User(c.Request().Context(), v.user.ID); err != nil {
		return err
	}
	v.session, err = g.Sessions.Renew(c.Response(), c.Request(), v.user, v.addr)
	return err
}

// codes is POST /account/factor/codes.
func (p factorPages) codes(c echo.Context) error {
	codes, err := p.Auth.NewRecovery(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	return p.drawCodes(c, codes, saidNothing)
}

// remove is POST /account/factor/remove.
func (p factorPages) remove(c echo.Context) error {
	v := visitOf(c)
	if err := p.Auth.RemoveFactor(c.Request().Context(), actor(c), v.session.ID, p.Site.SecondFactor.Requires(v.user.Grant)); err != nil {
		return err
	}
	if err := p.renew(c); err != nil {
		return err
	}
	return p.see(c, "/account/factor", flash{said: saidFactorRemoved})
}

// resetFactor is POST /team/:user/factor, for who has lost app and codes.
func (p teamPages) resetFactor(c echo.Context) error {
	return p.change(c, saidFactorRemoved, func(u auth.User) error { return p.Auth.ResetFactor(c.Request().Context(), actor(c), u.ID) })
}

// drawCode goes on with a sign-in whose first half was right.
func (p doorPages) drawCode(c echo.Context, status int, ticket secret.Text, next, fault string) error {
	need := p.Auth.Needed(c.Request().Context(), ticket)
	return render(c, status, templates.LoginCode(templates.LoginCodePage{Stage: p.stage(c), OneTime: ticket.Reveal(), App: need.App, Passkey: need.Passkey, Next: ownPath(next), Error: fault}))
}

// loginCode is POST /login/code.
func (p doorPages) loginCode(c echo.Context) error {
	by, ticket := actor(c), secret.NewText(c.FormValue("ticket"))
	by.ID, by.Name = "", ""
	e, err := p.Auth.SignInWithCode(c.Request().Context(), by, ticket, c.FormValue("code"))
	if err == nil {
		if _, err := p.Sessions.Enter(c.Response(), c.Request(), e, visitOf(c).addr); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, ownPath(c.FormValue("next")))
	}
	kind, msg := errs.Of(err)
	switch kind {
	case errs.Invalid, errs.TooMany:
		because(c, err)
		return p.drawCode(c, statuses[kind].status, ticket, c.FormValue("next"), msg)
	case errs.Unsigned:
		because(c, err)
		return p.drawLogin(c, http.StatusUnprocessableEntity, templates.LoginPage{Next: ownPath(c.FormValue("next")), Error: msg})
	}
	return err
}
