package templates

// AccountPage is GET /account. Its form posts current, password and password2
// to /account/password.
type AccountPage struct {
	Frame
	Sessions      []SessionRow
	Created       Time   // of the account
	Factors       string // "app, 2 passkeys"; "" for none
	CurrentError  string
	PasswordError string
	RepeatError   string
	MinLength     string // "12"
	Provider      string // "login.example.com": where this person signs in, too; "" for nowhere
	NoOwn         bool   // there is no password here

	CalendarMade    Time   // when the calendar address was made; the zero Time if there is none
	CalendarAddress string // only in the answer that made it
}

// Errors lists the faults of the form for its summary.
func (p AccountPage) Errors() []FieldError {
	return faults("current", p.CurrentError, "password", p.PasswordError, "password2", p.RepeatError)
}

// second says what there is beside the password.
func (p AccountPage) second() string {
	if p.Factors == "" {
		return "none"
	}
	return p.Factors
}

// A SessionRow is one browser that somebody is signed in with.
type SessionRow struct {
	Handle  string // what ends it, in a form
	Device  string // "Firefox on Linux"
	Address string
	Seen    Time
	Began   Time
	Current bool // it is the one that asks
}

// what names the session for who does not see the row.
func (r SessionRow) what() string { return r.Device + ", " + r.Address }

// others counts the sessions that are not the one that asks.
func (p AccountPage) others() int {
	n := 0
	for _, r := range p.Sessions {
		if !r.Current {
			n++
		}
	}
	return n
}

// ConfirmPage asks for the password, or a passkey, before what a form or a link
// asked for is done. Its form goes where that one went, with its fields.
type ConfirmPage struct {
	Frame
	Action        string
	Fields        []CarriedField
	PasswordError string
	Passkey       bool // the person has one, which will do as well
	PasskeyError  string
	Button        string // of the provider, for ConfirmAtProvider; "" if there is none
}

// heading says what is asked for.
func (p ConfirmPage) heading() string {
	if p.Passkey {
		return "Your password or passkey again"
	}
	return "Your password again"
}

// A CarriedField is what was typed into the form before. It is no secret.
type CarriedField struct{ Name, Text string }

// SettingsPage is GET /settings: what the program was started with, and how its
// public address stands. Nothing is changed here.
type SettingsPage struct {
	Frame
	PublicURL string
	Started   Time
	Checks    []Fact // facts with a verdict: "Address of this browser", "Transport"
	Outside   OutsideCheck
	Log       LogState // the zero LogState for who may not see it
	Backup    Fact     // how the backups stand: Text, Verdict and Word
	Sealing   []Fact   // key id, what it seals
	SignIn    Link     // to how people sign in; the zero Link for who may not see it
	About     []Fact   // version, data file and its size, events, Go version
	Sandbox   string   // its address; "" if it is off
}

// SearchPage is GET /search: entries, connectors and events that match.
type SearchPage struct {
	Frame
	Query  string
	Groups []SearchGroup // those that found something
}

// A SearchGroup is what was found of one sort.
type SearchGroup struct {
	Heading string // "Two entries"
	ID      string // of its heading: "entries"
	Hits    []SearchHit
	All     Link // to the whole list, filtered
}

// A SearchHit is one thing that was found.
type SearchHit struct {
	Link
	Code    bool   // Label is an id: monospaced
	Initial string // of a tile; "" draws none
	Hint    string
	Shown   bool // Health is drawn
	Health  Health
}

// heading says what was looked for.
func (p SearchPage) heading() string {
	switch {
	case p.Query == "":
		return "Search"
	case len(p.Groups) == 0:
		return "Nothing matches “" + p.Query + "”"
	}
	return "What matches “" + p.Query + "”"
}
