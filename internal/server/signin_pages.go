package server

import (
	"net/http"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// signInPages are where an owner changes how people sign in.
type signInPages struct{ gate }

const signInPath = "/settings/sign-in"

// show is GET /settings/sign-in.
func (p signInPages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, nil, signInDrawing{})
}

// A signInDrawing is what one answer has that the page alone does not.
type signInDrawing struct {
	typed  *signin.Draft // instead of what is saved
	token  secret.Text   // of a link that was just made
	report templates.SignInReport
}

func (p signInPages) draw(c echo.Context, status int, fault error, d signInDrawing) error {
	because(c, fault)
	ctx := c.Request().Context()
	view, err := p.SignIn.View(ctx)
	if err != nil {
		return err
	}
	page := templates.SignInPage{Frame: p.frame(c, "Sign-in · Settings", templates.SectionSettings), RedirectURI: p.SignIn.RedirectURI(), Report: d.report}
	if view.Current != nil {
		page.Current = p.signInState(*view.Current)
	}
	base := view.Current
	if w := view.Pending; w != nil {
		base = &w.State
		page.Waiting = templates.SignInWaiting{SignInState: p.signInState(w.State), Running: w.Running, Until: p.when(w.Until), Problem: w.Problem, Came: w.Came, CameAt: p.when(w.CameAt)}
		if !d.token.IsZero() {
			page.Link = templates.OneTime{Address: p.origin() + confirmPath + "?token=" + d.token.Reveal(), For: w.Button, Until: p.when(w.Until)}
		}
	}
	losing, err := p.Auth.Losing(ctx)
	if err != nil {
		return err
	}
	for _, u := range losing {
		page.Losing = append(page.Losing, u.Email)
	}
	if page.Form, err = p.signInForm(c, base, d.typed, fault); err != nil {
		return err
	}
	if kind, msg := errs.Of(fault); fault != nil && len(errs.Fields(fault)) == 0 && kind != errs.Internal {
		page.Refusal = templates.Notice{Verdict: templates.VerdictWarning, Heading: "Nothing was changed", Text: msg, Refused: true}
	}
	return render(c, status, templates.SignInSettings(page))
}

// signInState says a setting in facts.
func (p signInPages) signInState(s signin.State) templates.SignInState {
	or := func(text, none string) string {
		if text == "" {
			return none
		}
		return text
	}
	rules := "None"
	if len(s.Rules) > 0 {
		rules = strings.ReplaceAll(signin.RulesText(s.Rules), "\n", "; ")
	}
	fallback := "Nobody is made without an invitation"
	if s.Default.Role != "" {
		fallback = roleName(s.Default.Role) + ", " + entriesOf(s.Default.Entries)
	}
	factor := "The own app here"
	if s.TrustFactor {
		factor = "The provider’s, if its token says so"
	}
	return templates.SignInState{Issuer: s.Issuer, Stored: sealedSecret(s), By: s.By, At: p.when(s.At), Facts: []templates.Fact{
		{Label: "Issuer", Text: s.Issuer, Code: true}, {Label: "Client ID", Text: s.ClientID, Code: true}, {Label: "Scopes", Text: strings.Join(s.Scopes, " "), Code: true},
		{Label: "Allowed domains", Text: or(strings.Join(s.Domains, ", "), "All")}, {Label: "Roles of groups", Text: rules}, {Label: "Whoever is in none", Text: fallback},
		{Label: "Passwords", Text: pick(s.OwnersOnly, "Of owners only", "Of everybody who has one")}, {Label: "Second factor", Text: factor}, {Label: "Button", Text: s.Button}}}
}

func sealedSecret(s signin.State) templates.Shown {
	return templates.SealedValue(templates.Fingerprint(s.Fingerprint), plural(s.Length, "character"))
}

// signInForm is the form with what is saved, or with what was typed.
func (p signInPages) signInForm(c echo.Context, base *signin.State, typed *signin.Draft, fault error) (templates.SignInForm, error) {
	d := signin.Draft{Scopes: "openid email profile", GroupsClaim: "groups"}
	f := templates.SignInForm{}
	if base != nil {
		d = signin.Draft{Issuer: base.Issuer, ClientID: base.ClientID, Scopes: strings.Join(base.Scopes, " "), GroupsClaim: base.GroupsClaim, Button: base.Button,
			Domains: strings.Join(base.Domains, " "), Rules: signin.RulesText(base.Rules), Default: base.Default, OwnersOnly: base.OwnersOnly, TrustFactor: base.TrustFactor, FactorContext: base.FactorContext}
		f.Stored = sealedSecret(*base)
	}
	if typed != nil {
		d = *typed
	}
	f.Issuer, f.Client, f.Scopes, f.Claim, f.Button, f.Domains, f.Rules, f.Entries, f.Context = d.Issuer, d.ClientID, d.Scopes, d.GroupsClaim, d.Button, d.Domains, d.Rules, string(d.Default.Entries), d.FactorContext
	f.OwnersOnly, f.Trust = d.OwnersOnly, d.TrustFactor
	f.Roles = []templates.Choice{{Name: "", Label: "None: nobody is made", Selected: d.Default.Role == ""}}
	for _, r := range auth.Roles() {
		if !(auth.Grant{Role: r}).May(auth.ConfigReveal, true) {
			f.Roles = append(f.Roles, templates.Choice{Name: string(r), Label: roleName(r), Selected: r == d.Default.Role})
		}
	}
	e := errs.Fields(fault)
	f.IssuerError, f.ClientError, f.SecretError, f.ScopesError, f.ClaimError, f.ButtonError = e["issuer"], e["clientId"], e["secret"], e["scopes"], e["claim"], e["button"]
	f.DomainsError, f.RulesError, f.RoleError, f.EntriesError, f.ContextError = e["domains"], e["rules"], e["role"], e["entries"], e["acr"]
	var err error
	f.Asks, err = p.asksPassword(c)
	return f, err
}

// save is POST /settings/sign-in. Its answer is the only page that ever has the
// link.
func (p signInPages) save(c echo.Context) error {
	d := signin.Draft{Issuer: c.FormValue("issuer"), ClientID: c.FormValue("clientId"), Scopes: c.FormValue("scopes"), GroupsClaim: c.FormValue("claim"),
		Button: c.FormValue("button"), Domains: c.FormValue("domains"), Rules: c.FormValue("rules"), Secret: secret.NewText(strings.TrimSpace(c.FormValue("clientSecret"))),
		Default:    auth.Grant{Role: auth.Role(c.FormValue("role")), Entries: auth.NewPattern(c.FormValue("entries"))},
		OwnersOnly: c.FormValue("owners") != "", TrustFactor: c.FormValue("trust") != "", FactorContext: c.FormValue("acr")}
	token, err := p.SignIn.Save(c.Request().Context(), actor(c), d)
	if err != nil {
		d.Secret = secret.Text{}
		return p.refused(c, err, signInDrawing{typed: &d})
	}
	return p.draw(c, http.StatusOK, nil, signInDrawing{token: token})
}

// begin is POST /settings/sign-in/begin.
func (p signInPages) begin(c echo.Context) error {
	token, err := p.SignIn.Begin(c.Request().Context(), actor(c))
	if err != nil {
		return p.refused(c, err, signInDrawing{})
	}
	return p.draw(c, http.StatusOK, nil, signInDrawing{token: token})
}

// refused draws the page with why nothing was done.
func (p signInPages) refused(c echo.Context, err error, d signInDrawing) error {
	kind, _ := errs.Of(err)
	if kind == errs.Internal {
		return err
	}
	return p.draw(c, statuses[kind].status, err, d)
}

// discard is POST /settings/sign-in/discard.
func (p signInPages) discard(c echo.Context) error {
	if err := p.SignIn.Discard(c.Request().Context(), actor(c)); err != nil {
		return p.refused(c, err, signInDrawing{})
	}
	return p.see(c, signInPath, flash{said: saidSignInDropped})
}

// off is POST /settings/sign-in/off.
func (p signInPages) off(c echo.Context) error {
	if err := p.SignIn.TurnOff(c.Request().Context(), actor(c)); err != nil {
		return p.refused(c, err, signInDrawing{})
	}
	return p.see(c, signInPath, flash{said: saidSignInOff})
}

// test is POST /settings/sign-in/test.
func (p signInPages) test(c echo.Context) error {
	r, err := p.SignIn.Test(c.Request().Context(), actor(c))
	if err != nil {
		return p.refused(c, err, signInDrawing{})
	}
	report := templates.SignInReport{What: pick(r.Pending, "The saved setting, which is not in force", "The setting in force")}
	for _, f := range []struct {
		label string
		v     signin.Verdict
	}{{"Issuer", r.Issuer}, {"Client ID", r.ClientID}, {"Client secret", r.Secret}, {"Redirect URI", r.Redirect}} {
		verdict, word := signInVerdict(f.v)
		report.Fields = append(report.Fields, templates.Fact{Label: f.label, Verdict: verdict, Word: word})
	}
	for _, s := range r.Steps {
		verdict, word := signInVerdict(s.Verdict)
		report.Steps = append(report.Steps, templates.SignInStep{Verdict: verdict, Word: word, Name: s.Name, Text: s.Text})
	}
	return p.draw(c, http.StatusOK, nil, signInDrawing{report: report})
}

func signInVerdict(v signin.Verdict) (templates.Verdict, string) {
	switch v {
	case signin.OK:
		return templates.VerdictOK, "OK"
	case signin.Wrong:
		return templates.VerdictWrong, "Wrong"
	}
	return templates.VerdictNotChecked, "Not decided"
}
