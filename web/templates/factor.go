package templates

// FactorPage is GET /account/factor and what follows from its forms. The page of
// an enrolment has the secret that the app is to know, and the one after it the
// recovery codes: each is shown once, to who makes them.
type FactorPage struct {
	Frame
	On       bool   // there is an app
	Required bool   // the role needs a second factor
	Since    Time   // when the app was set up
	Left     string // recovery codes: "9 of 10 left"
	Notice   Notice

	Passkeys   []PasskeyRow
	NoPasskeys string // why there can be none here; "" if there can
	NewName    string // of the next one
	NameError  string
	Question   string // what the browser is asked for a new passkey, as JSON

	Enrols     bool
	Drawing    string // the QR code as the path of an SVG
	Size       string // of the drawing, in modules
	OneTimeKey string // what the drawing says, to type
	CodeError  string

	Codes []string // recovery codes that were just made
}

// has reports whether there is a second factor.
func (p FactorPage) has() bool { return p.On || len(p.Passkeys) > 0 }

// removable reports whether the app may go.
func (p FactorPage) removable() bool { return p.On && (!p.Required || len(p.Passkeys) > 0) }

// overview reports whether the page shows what there is, and not a step of setting
// something up.
func (p FactorPage) overview() bool { return !p.Enrols && p.Question == "" }

// passkeyState says whether there are passkeys.
func (p FactorPage) passkeyState() status {
	switch {
	case len(p.Passkeys) > 0:
		return in(VerdictOK, "Set up")
	case p.On:
		return in(VerdictNotChecked, "None")
	}
	return in(VerdictWarning, "None")
}

// appState says whether there is an app.
func (p FactorPage) appState() status {
	switch {
	case p.On:
		return in(VerdictOK, "Set up")
	case len(p.Passkeys) > 0:
		return in(VerdictNotChecked, "None")
	}
	return in(VerdictWarning, "None")
}

// addClass is the look of the button that adds a passkey: the main one for who has
// none.
func (p FactorPage) addClass() string {
	if len(p.Passkeys) > 0 {
		return "btn"
	}
	return "btn is-main"
}

// viewBox is the whole drawing.
func (p FactorPage) viewBox() string { return "0 0 " + p.Size + " " + p.Size }

// Errors lists the faults of the form for its summary.
func (p FactorPage) Errors() []FieldError { return faults("code", p.CodeError, "name", p.NameError) }

// begins is what the button that begins an enrolment says.
func (p FactorPage) begins() string {
	if p.On {
		return "Set up another app instead"
	}
	return "Set up an app"
}

// LoginCodePage asks for a second factor after the password was right. Its forms
// post ticket, next and code to /login/code, or ticket, next and passkey to
// /login/passkey.
type LoginCodePage struct {
	Stage
	OneTime      string // what says that the password was right, sealed
	App, Passkey bool   // what the person has
	Next         string
	Error        string
}

// lead says which codes are taken.
func (p LoginCodePage) lead() string {
	switch {
	case p.App && p.Passkey:
		return "Or the code that your app shows now, or one of your recovery codes."
	case p.Passkey:
		return "Or one of your recovery codes."
	}
	return "The code that your app shows now, or one of your recovery codes."
}

// codeClass is the look of the button that sends a code.
func (p LoginCodePage) codeClass() string {
	if p.Passkey {
		return "btn"
	}
	return "btn is-main"
}
