package server

import (
	"net/http"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// newPasskey is POST /account/factor/passkey-new: the page on which the browser is
// asked for a new passkey.
func (p factorPages) newPasskey(c echo.Context) error {
	v := visitOf(c)
	question, err := p.Auth.BeginPasskey(c.Request().Context(), v.user.ID, v.session.Binding(), c.FormValue("name"))
	if fault := errs.Fields(err)["name"]; fault != "" {
		because(c, err)
		return p.draw(c, http.StatusUnprocessableEntity, templates.FactorPage{NewName: c.FormValue("name"), NameError: fault})
	}
	if err != nil {
		return p.refused(c, err)
	}
	return p.draw(c, http.StatusOK, templates.FactorPage{NewName: c.FormValue("name"), Question: question})
}

// refused draws the page with why no passkey was added, if that was made for people.
func (p factorPages) refused(c echo.Context, err error) error {
	kind, msg := errs.Of(err)
	if msg == "" {
		return err
	}
	because(c, err)
	return p.draw(c, statuses[kind].status, templates.FactorPage{Notice: templates.Notice{Verdict: templates.VerdictWrong, Heading: "No passkey was added", Text: msg, Refused: true}})
}

// addPasskey is POST /account/factor/passkey-add: the browser's answer. The password
// is not asked for again: the question was given in this very session only after
// that, and is good for five minutes. If the passkey is the first second factor, the
// answer is the only page that ever has the recovery codes.
func (p factorPages) addPasskey(c echo.Context) error {
	v := visitOf(c)
	codes, err := p.Auth.AddPasskey(c.Request().Context(), actor(c), v.session.Binding(), v.session.ID, secret.NewText(c.FormValue("passkey")))
	if err != nil {
		return p.refused(c, err)
	}
	return p.drawCodes(c, codes, saidPasskeyAdded)
}

// renamePasskey is POST /account/factor/passkey-rename.
func (p factorPages) renamePasskey(c echo.Context) error {
	if err := p.Auth.RenamePasskey(c.Request().Context(), actor(c), c.FormValue("which"), c.FormValue("name")); err != nil {
		return err
	}
	return p.see(c, "/account/factor", flash{said: saidPasskeyRenamed})
}

// removePasskey is POST /account/factor/passkey-remove.
func (p factorPages) removePasskey(c echo.Context) error {
	v := visitOf(c)
	if err := p.Auth.RemovePasskey(c.Request().Context(), actor(c), v.session.ID, c.FormValue("which"), p.Site.SecondFactor.Requires(v.user.Grant)); err != nil {
		return err
	}
	if err := p.renew(c); err != nil {
		return err
	}
	return p.see(c, "/account/factor", flash{said: saidPasskeyRemoved})
}

// fillPasskeys says which passkeys there are, and why there can be none.
func (p factorPages) fillPasskeys(c echo.Context, page *templates.FactorPage) error {
	if !p.Auth.PasskeysWork() {
		page.NoPasskeys = "Passkeys belong to a host name like backoffice.example.com, and the public URL of this instance is " + p.origin() + ". Whoever runs it can give it such a name."
	}
	if page.NewName == "" {
		page.NewName = deviceOf(c.Request().UserAgent())
	}
	all, err := p.Auth.Passkeys(c.Request().Context(), visitOf(c).user.ID)
	for _, k := range all {
		row := templates.PasskeyRow{Which: k.Handle, Name: k.Name, Kind: kindOfPasskey(k), Created: p.when(k.Created), Elsewhere: k.Elsewhere}
		if !k.Used.IsZero() {
			row.Used = p.when(k.Used)
		}
		if !k.Stopped.IsZero() {
			row.Stopped = p.when(k.Stopped)
		}
		page.Passkeys = append(page.Passkeys, row)
	}
	return err
}

// kindOfPasskey says where its private key is, as far as the device says.
func kindOfPasskey(k auth.Passkey) string {
	switch {
	case k.Synced:
		return "Synced between devices"
	case k.Syncable:
		return "Can be synced, and is not yet"
	}
	return "Bound to one device"
}

// hasPasskey reports whether the person can be asked for a passkey here.
func (g gate) hasPasskey(c echo.Context) bool {
	return g.Auth.PasskeysWork() && visitOf(c).user.Passkeys > 0
}

// beginProof is POST /account/proof/passkey: what a passkey of the person is asked,
// in place of the password.
func (p accountPages) beginProof(c echo.Context) error {
	v := visitOf(c)
	json, err := p.Auth.BeginConfirm(c.Request().Context(), v.user.ID, v.session.Binding())
	return p.question(c, json, err)
}
