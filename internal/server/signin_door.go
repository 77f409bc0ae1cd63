package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// The way to the OpenID provider and back, for people who are not signed in, who
// confirm a setting, or who prove that they are still there.

// confirmPath is the one-time link of a setting.
const confirmPath = "/login/confirm"

func (g gate) browserName() string {
	if g.Site.Secure() {
		return "__Host-backoffice-oidc"
	}
	return "backoffice-oidc"
}

// browserOf is the secret by which the browser is known that left for the provider;
// "" for one that did not.
func (g gate) browserOf(c echo.Context) string {
	k, err := c.Cookie(g.browserName())
	if err != nil || len(k.Value) != 43 {
		return ""
	}
	return k.Value
}

// leave sends the browser to the provider. Two tabs may be away at a time: they
// share the secret.
func (g gate) leave(c echo.Context, d signin.Departure, back string) error {
	d.Browser = g.browserOf(c)
	if d.Browser == "" {
		b := make([]byte, 32)
		rand.Read(b) // never fails
		d.Browser = base64.RawURLEncoding.EncodeToString(b)
	}
	address, err := g.SignIn.Start(c.Request().Context(), actor(c), d)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the address of the provider cannot be read") // the cause would quote its state
	}
	c.SetCookie(g.cookie(g.browserName(), d.Browser, 15*60))
	h := c.Response().Header()
	h.Set("Refresh", "0; url="+address)
	h.Set("Referrer-Policy", "no-referrer")
	return render(c, http.StatusOK, templates.DoorLeave(templates.DoorLeavePage{Stage: g.stage(c), Host: u.Host, URL: address, Back: back}))
}

// provider is POST /login/provider: to sign in, to accept an invitation whose link
// was opened, or to confirm a setting by its link.
func (p doorPages) provider(c echo.Context) error {
	d := signin.Departure{Purpose: signin.ToSignIn, Next: ownPath(c.FormValue("next"))}
	if token := c.FormValue("invite"); token != "" {
		if _, err := p.Auth.CheckInvitation(c.Request().Context(), secret.NewText(token)); err != nil {
			return err
		}
		d.Invite = auth.InviteKey(secret.NewText(token))
	}
	if token := c.FormValue("token"); token != "" {
		d.Purpose, d.Token, d.Next = signin.ToConfirm, secret.NewText(token), signInPath
	}
	visitOf(c).user = auth.User{} // whoever is signed in here need not be who comes back
	return p.refusedAtDoor(c, p.leave(c, d, "/login"))
}

// askConfirm is GET /login/confirm, with the token of a one-time link.
func (p doorPages) askConfirm(c echo.Context) error {
	token := secret.NewText(c.QueryParam("token"))
	button, err := p.SignIn.CheckToken(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, templates.LoginConfirm(templates.LoginConfirmPage{Stage: p.stage(c), OneTime: token.Reveal(), Button: button}))
}

// callback is GET /login/callback: the browser is back from the provider.
func (p doorPages) callback(c echo.Context) error {
	v := visitOf(c)
	by := actor(c)
	o, err := p.SignIn.Return(c.Request().Context(), by, signin.Arrival{Query: c.QueryParams(), Browser: p.browserOf(c), User: v.user.ID})
	if o.Purpose == signin.ToProve {
		if err != nil {
			return err
		}
		if err := p.renew(c); err != nil {
			return err
		}
		page := templates.ConfirmedPage{Frame: p.frame(c, "You are confirmed", templates.SectionNone), Action: o.Then.Action}
		for _, f := range o.Then.Fields {
			page.Fields = append(page.Fields, templates.CarriedField{Name: f.Name, Text: f.Text})
		}
		return render(c, http.StatusOK, templates.Confirmed(page))
	}
	var half *auth.CodeNeeded
	var link *auth.PasswordNeeded
	switch {
	case errors.As(err, &half):
		return p.drawCode(c, http.StatusOK, half.Ticket, o.Next, "")
	case errors.As(err, &link):
		return p.drawLink(c, http.StatusOK, templates.LoginLinkPage{OneTime: link.Ticket.Reveal(), Email: link.Email, Next: o.Next})
	case err != nil:
		return p.refusedAtDoor(c, err)
	}
	if _, err := p.Sessions.Enter(c.Response(), c.Request(), o.Entry, v.addr); err != nil {
		return err
	}
	if o.InForce {
		return p.see(c, signInPath, flash{said: saidSignInForce})
	}
	return c.Redirect(http.StatusSeeOther, ownPath(o.Next))
}

func (p doorPages) drawLink(c echo.Context, status int, page templates.LoginLinkPage) error {
	page.Stage = p.stage(c)
	return render(c, status, templates.LoginLink(page))
}

// link is POST /login/link: the account's own password, before it is linked.
func (p doorPages) link(c echo.Context) error {
	by, next, ticket := actor(c), ownPath(c.FormValue("next")), secret.NewText(c.FormValue("ticket"))
	by.ID, by.Name = "", ""
	e, err := p.Auth.LinkWithPassword(c.Request().Context(), by, ticket, secret.NewText(c.FormValue("password")))
	if err == nil {
		if _, err := p.Sessions.Enter(c.Response(), c.Request(), e, visitOf(c).addr); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, next)
	}
	var half *auth.CodeNeeded
	if errors.As(err, &half) {
		return p.drawCode(c, http.StatusOK, half.Ticket, next, "")
	}
	kind, msg := errs.Of(err)
	if kind != errs.TooMany && errs.Fields(err)["password"] == "" {
		return p.refusedAtDoor(c, err)
	}
	because(c, err)
	return p.drawLink(c, statuses[kind].status, templates.LoginLinkPage{OneTime: ticket.Reveal(), Next: next, PasswordError: msg})
}

// refusedAtDoor draws the sign-in page with what an error says to people. A fault of
// ours stays an error.
func (p doorPages) refusedAtDoor(c echo.Context, err error) error {
	kind, msg := errs.Of(err)
	if err == nil || kind == errs.Internal {
		return err
	}
	because(c, err)
	status := statuses[kind].status
	if kind == errs.Unsigned || kind == errs.Refused {
		status = http.StatusUnprocessableEntity // 401 would ask for a WWW-Authenticate header, and nobody lacks a permission
	}
	return p.drawLogin(c, status, templates.LoginPage{Next: "/", Error: msg})
}

// drawLogin draws the sign-in page with the ways in that there are.
func (p doorPages) drawLogin(c echo.Context, status int, page templates.LoginPage) error {
	page.Stage, page.Passkeys = p.stage(c), p.Auth.PasskeysWork()
	o, ok, err := p.SignIn.Offered(c.Request().Context())
	if err != nil {
		return err
	}
	if ok {
		page.Provider, page.OwnersOnly = o.Button, o.OwnersOnly
	}
	return render(c, status, templates.Login(page))
}

// carryPrefix is before the names of fields that the page which asks for a sign-in
// takes along.
const carryPrefix = "carry."

// proveAtProvider is POST /account/proof/provider: somebody without a password signs
// in at the provider again, for a form that waits.
func (p accountPages) proveAtProvider(c echo.Context) error {
	then := signin.Then{Action: ownPath(c.FormValue("action"))}
	for _, name := range append([]string{"next"}, carried...) {
		for _, text := range c.Request().PostForm[carryPrefix+name] {
			then.Fields = append(then.Fields, signin.Field{Name: name, Text: text})
		}
	}
	return p.leave(c, signin.Departure{Purpose: signin.ToProve, User: visitOf(c).user.ID, Then: then}, "/account")
}

// asksPassword reports whether a form asks for the own password: it was not given a
// moment ago, and there is one that counts.
func (g gate) asksPassword(c echo.Context) (bool, error) {
	v := visitOf(c)
	if g.Sessions.Proven(v.session) {
		return false, nil
	}
	return g.Auth.PasswordCounts(c.Request().Context(), v.user.ID)
}

// providerNames are the hosts of the providers of somebody's identities.
func providerNames(all []auth.Identity) string {
	var hosts []string
	for _, x := range all {
		host := x.Issuer
		if u, err := url.Parse(x.Issuer); err == nil && u.Host != "" {
			host = u.Host
		}
		hosts = append(hosts, host)
	}
	return strings.Join(hosts, ", ")
}
