package templates

// SignInPage is GET /settings/sign-in: the provider through which people sign in,
// the one that waits to be confirmed, and the form of both.
type SignInPage struct {
	Frame
	RedirectURI string
	Current     SignInState
	Waiting     SignInWaiting
	Link        OneTime // the one-time link that was just made
	Form        SignInForm
	Losing      []string // who would have no way in without the provider
	Report      SignInReport
	Refusal     Notice // why nothing was done
}

// A SignInState is a setting in force or waiting. The zero one is none.
type SignInState struct {
	Issuer string
	Facts  []Fact
	Stored Shown // the client secret, by its fingerprint
	By     string
	At     Time
}

// Known reports whether there is a setting.
func (s SignInState) Known() bool { return s.Issuer != "" }

// SignInWaiting is a setting that is not in force.
type SignInWaiting struct {
	SignInState
	Running bool
	Until   Time
	Problem string // why it could not begin
	Came    string // what came back instead of the owner
	CameAt  Time
}

// state is how the waiting setting stands.
func (w SignInWaiting) state() status {
	if w.Running {
		return in(VerdictWarning, "Not in force")
	}
	return in(VerdictNotChecked, "Not in force, and not waiting")
}

// SignInForm is posted to /settings/sign-in. The secret is typed and never shown.
type SignInForm struct {
	Issuer, Client, Scopes, Claim, Button, Domains, Rules, Entries, Context string
	Roles                                                                   []Choice
	OwnersOnly, Trust                                                       bool
	Stored                                                                  Shown // the secret that is kept if none is typed
	Asks                                                                    bool  // the own password, too

	IssuerError, ClientError, SecretError, ScopesError, ClaimError, ButtonError, DomainsError, RulesError, RoleError, EntriesError, ContextError string
}

// Errors lists the faults of the form for its summary.
func (f SignInForm) Errors() []FieldError {
	return faults("issuer", f.IssuerError, "clientId", f.ClientError, "clientSecret", f.SecretError, "scopes", f.ScopesError, "claim", f.ClaimError, "rules", f.RulesError,
		"domains", f.DomainsError, "role", f.RoleError, "entries", f.EntriesError, "button", f.ButtonError, "acr", f.ContextError)
}

// secretHint says what becomes of an empty field.
func (f SignInForm) secretHint() string {
	if f.Stored.Sealed {
		return "Empty keeps the one that is kept, unless the issuer or its token address is at another host now."
	}
	return "It is sealed at once, and never shown again."
}

// SignInReport is what a test of the provider found out. The zero one is none.
type SignInReport struct {
	What   string // "The setting that is not in force"
	Fields []Fact
	Steps  []SignInStep
}

// A SignInStep is one thing that the test did.
type SignInStep struct {
	Verdict    Verdict
	Word       string
	Name, Text string
}

// Known reports whether there is a report.
func (r SignInReport) Known() bool { return len(r.Fields) > 0 }

// DoorLeavePage says where the browser goes next, before it goes there.
type DoorLeavePage struct {
	Stage
	Host string // "login.example.com"
	URL  string
	Back string // where "Stay here" leads
}

// LoginConfirmPage is what the one-time link of a setting opens. Its form posts
// token to /login/provider.
type LoginConfirmPage struct {
	Stage
	OneTime string
	Button  string
}

// LoginLinkPage asks for the account's own password before it is linked. Its form
// posts ticket, next and password to /login/link.
type LoginLinkPage struct {
	Stage
	OneTime       string // what says who came back from the provider, sealed
	Email, Next   string
	PasswordError string
}

// Errors lists the faults of the form for its summary.
func (p LoginLinkPage) Errors() []FieldError { return faults("password", p.PasswordError) }

// ConfirmedPage goes on with a form once the provider has confirmed who sent it.
type ConfirmedPage struct {
	Frame
	Action string
	Fields []CarriedField
}
