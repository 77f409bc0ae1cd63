package server

import (
	"net/http"
	"path"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/exchange"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// What a session alone is not enough for asks for the password or a passkey again,
// unless one was given in this session a moment ago. A form that came without it goes back
// and forth once more: the page that asks carries what was typed, and sends it to
// where it was going, with the password.

// carried are the fields that the page which asks takes along. None is a secret,
// unless somebody types an address of a replay with one in it, which goes back to
// who typed it alone.
var carried = []string{"name", "target", "email", "role", "entries", "version", "revision", "hash", "rule", "key", "reason", "session", "required", "format", "which", "ids", "id", "recipients", "who", "action", "outcome", "addr", "text", "from", "to", "copy",
	"issuer", "clientId", "scopes", "claim", "button", "domains", "rules", "owners", "trust", "acr"}

// demandProof reports whether the request may go on. If not, it has been answered.
func (g gate) demandProof(c echo.Context, may auth.Permission) (proven bool, err error) {
	reads := c.Request().Method != http.MethodPost
	if !may.NeedsProof() || reads && c.Path() != caseFilePath || g.Sessions.Proven(visitOf(c).session) {
		return true, nil
	}
	page := templates.ConfirmPage{Action: c.Request().URL.EscapedPath()}
	if reads {
		page.Action, page.Fields = "/account/proof", []templates.CarriedField{{Name: "next", Text: c.Request().URL.RequestURI()}}
	}
	for _, name := range carried {
		if reads {
			break
		}
		for _, text := range c.Request().PostForm[name] {
			if name == "recipients" && exchange.MeantAsRecipients(text) != text {
				text = "?" // it may be a private key; this is refused as well
			}
			page.Fields = append(page.Fields, templates.CarriedField{Name: name, Text: text})
		}
	}
	counts, err := g.Auth.PasswordCounts(c.Request().Context(), visitOf(c).user.ID)
	if err != nil {
		return false, err
	}
	if !counts {
		return false, g.drawAtProvider(c, page)
	}
	if !reads && (c.Request().PostForm.Has("password") || c.FormValue("passkey") != "") {
		return g.proveOrAsk(c, page)
	}
	return false, g.drawConfirm(c, http.StatusForbidden, page)
}

// drawAtProvider asks somebody without a password to sign in at the provider again.
func (g gate) drawAtProvider(c echo.Context, page templates.ConfirmPage) error {
	page.Frame = g.frame(c, "Sign in once more", templates.SectionNone)
	if c.Request().Method != http.MethodPost {
		page.Path = path.Dir(page.Path)
	}
	o, ok, err := g.SignIn.Offered(c.Request().Context())
	if err != nil {
		return err
	}
	if ok {
		page.Button = o.Button
	}
	return render(c, http.StatusForbidden, templates.ConfirmAtProvider(page))
}

// proveOrAsk takes the password or the passkey of a form, or asks for it again.
func (g gate) proveOrAsk(c echo.Context, page templates.ConfirmPage) (proven bool, err error) {
	err = g.prove(c)
	faults := errs.Fields(err)
	if page.PasswordError, page.PasskeyError = faults["password"], faults["passkey"]; len(faults) > 0 {
		because(c, err)
		return false, g.drawConfirm(c, http.StatusUnprocessableEntity, page)
	}
	return err == nil, err
}

// prove checks the passkey of a form, or else the password, and renews the session
// with it. It returns an errs.Field for the one that is not right.
func (g gate) prove(c echo.Context) error {
	v := visitOf(c)
	err := g.checkProof(c)
	if err != nil {
		return err
	}
	v.session, err = g.Sessions.Renew(c.Response(), c.Request(), v.user, v.addr)
	return err
}

func (g gate) checkProof(c echo.Context) error {
	ctx, v := c.Request().Context(), visitOf(c)
	if answer := c.FormValue("passkey"); answer != "" {
		err := g.Auth.ConfirmPasskey(ctx, actor(c), v.user.ID, v.session.Binding(), secret.NewText(answer))
		if kind, msg := errs.Of(err); kind == errs.TooMany || kind == errs.Invalid {
			return errs.Field("passkey", msg)
		}
		return err
	}
	err := g.Auth.CheckPassword(ctx, actor(c), v.user.ID, secret.NewText(c.FormValue("password")))
	if kind, msg := errs.Of(err); kind == errs.TooMany {
		return errs.Field("password", msg)
	}
	return err
}

func (g gate) drawConfirm(c echo.Context, status int, page templates.ConfirmPage) error {
	page.Passkey = g.hasPasskey(c)
	page.Frame = g.frame(c, "Your password again", templates.SectionNone)
	if c.Request().Method != http.MethodPost {
		page.Path = path.Dir(page.Path) // what was asked for is no page
	}
	return render(c, status, templates.Confirm(page))
}

// proof is POST /account/proof: the password for what a link leads to.
func (p accountPages) proof(c echo.Context) error {
	next := ownPath(c.FormValue("next"))
	if p.Sessions.Proven(visitOf(c).session) { // at the provider, a moment ago
		return c.Redirect(http.StatusSeeOther, next)
	}
	proven, err := p.proveOrAsk(c, templates.ConfirmPage{Action: "/account/proof", Fields: []templates.CarriedField{{Name: "next", Text: next}}})
	if err != nil || !proven {
		return err
	}
	return c.Redirect(http.StatusSeeOther, next)
}
