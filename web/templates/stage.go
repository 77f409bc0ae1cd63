package templates

// A Stage is what stands around a page for somebody who is not signed in.
type Stage struct {
	Environment string // "Production"; "" draws no badge
	Staging     bool
	Host        string // of the public URL: "backoffice.acme.example"
	Version     string
	Theme       Theme
}

// foot is the line under the page.
func (s Stage) foot() string {
	if s.Version == "" {
		return "BackOffice"
	}
	return "BackOffice " + s.Version
}

// SetupPage is GET /setup: the first admin is created, once.
// Its form posts token, email, password and password2 to /setup.
type SetupPage struct {
	Stage
	OneTime       string // the one-time value of the link, sent back in the field "token"; dead once an admin exists
	PublicURL     string
	Email         string // as typed
	EmailError    string
	PasswordError string
	RepeatError   string // the two passwords differ
	MinLength     string // "12"
}

// Errors lists the faults of the form for its summary.
func (p SetupPage) Errors() []FieldError {
	return faults("email", p.EmailError, "password", p.PasswordError, "password2", p.RepeatError)
}

// LoginPage is GET /login. Its form posts email, password and next to /login.
type LoginPage struct {
	Stage
	Email string // as typed
	Next  string // where to go afterwards, a path of ours
	Error string // why the sign-in was refused; one sentence that does not tell which of the two was wrong
	Said  string // "You have signed out."; "" for none

	Provider   string // text of the button that leads to the provider; "" for none
	OwnersOnly bool   // only owners sign in with a password

	Passkeys bool // they can be used here, whoever has one
	NoAdmin  bool // nobody can sign in yet: the page says how the first admin comes about, and has no form
}

// heading is that of the form for a password.
func (p LoginPage) heading() string {
	if p.Provider != "" {
		return "Sign in with a password"
	}
	return "Sign in"
}

// rank is the class of its button: the provider's comes first.
func (p LoginPage) rank() string {
	if p.Provider != "" {
		return ""
	}
	return "is-main"
}

// faults pairs ids of controls with messages and leaves out those without one.
func faults(pairs ...string) []FieldError {
	var out []FieldError
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, FieldError{Field: pairs[i], Msg: pairs[i+1]})
		}
	}
	return out
}

// ErrorPage says that something did not work, what it means and what to do.
type ErrorPage struct {
	Frame            // drawn if SignedIn; otherwise only Title, Theme, Environment and Staging are read
	SignedIn  bool   // around it: the frame, or the stage
	Status    string // "Error 404"
	Heading   string // states a fact: "There is no entry acme:intercm"
	Message   string // what happened and what to do; words from errs, or general ones
	Remedy    Link   // the next step, drawn as the main button
	Beside    bool   // the remedy opens another tab, and nothing leads away: reloading this page sends its form again
	Reference string // of the log line; "" if there is none
	When      Time
	Request   string // "GET /config/acme:intercom", without a query; "" hides it
}

// stage is what stands around the page for somebody who is not signed in.
func (p ErrorPage) stage() Stage {
	return Stage{Environment: p.Environment, Staging: p.Staging, Version: p.Version, Theme: p.Theme}
}
