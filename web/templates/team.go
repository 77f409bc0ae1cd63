package templates

// TeamPage is GET /team. Its form posts email, role and entries to /team/invite.
type TeamPage struct {
	Frame
	Lead    string // "Six people, one of them disabled."
	People  []PersonRow
	Invites []InviteRow
	Invite  GrantForm // only drawn for who may change people
	OneTime OneTime   // the link that was just made
	Heads   []string  // of the matrix: the roles
	Matrix  []MatrixRow
}

// A PersonRow is one person of the team.
type PersonRow struct {
	Email, Name string
	You         bool
	Role        string // "Editor"
	Entries     string // "acme:*"; "All"
	Factors     string // "app, 2 passkeys"; "" for none
	Way         string // how they sign in: "Password", "login.example.com"
	Seen        Time   // zero for never
	Disabled    bool
	URL         string // of the page that changes the person; "" for who may not
	History     string // of what the person did; "" for who may not see it
}

// state is whether the person may sign in.
func (r PersonRow) state() status {
	if r.Disabled {
		return in(VerdictNotChecked, "Disabled")
	}
	return in(VerdictOK, "Active")
}

// second is whether the person has a second factor.
func (r PersonRow) second() status {
	if r.Factors != "" {
		return in(VerdictOK, r.Factors)
	}
	return in(VerdictNotChecked, "None")
}

// An InviteRow is an open invitation.
type InviteRow struct {
	Email, Role, Entries, By string
	Until                    Time
	CanWithdraw              bool
}

// A OneTime is the link of an invitation, which is shown once. The zero OneTime is
// none.
type OneTime struct {
	Address string // the whole link
	For     string // "new@acme.example"
	Until   Time
}

// Known reports whether there is a link to draw.
func (o OneTime) Known() bool { return o.Address != "" }

// A GrantForm asks for a role and for the entries that it is for.
type GrantForm struct {
	Email        string // of somebody new
	Roles        []RoleChoice
	Entries      string // "" for all
	EmailError   string
	RoleError    string
	EntriesError string
}

// Errors lists the faults of the form for its summary.
func (f GrantForm) Errors() []FieldError {
	return faults("email", f.EmailError, "role-"+f.firstRole(), f.RoleError, "entries", f.EntriesError)
}

func (f GrantForm) firstRole() string {
	if len(f.Roles) == 0 {
		return ""
	}
	return f.Roles[0].Name
}

// A RoleChoice is one role of a form.
type RoleChoice struct {
	Name, Label, Words string
	Selected           bool
}

// A MatrixRow is one permission with what the matrix says of each role.
type MatrixRow struct {
	Words string
	Cells []MatrixCell
	House bool // not for somebody who is limited to some entries
}

// A MatrixCell is "yes", "no" or a condition, under the name of its role.
type MatrixCell struct{ Role, Text string }

// verdict is the tone of the cell.
func (c MatrixCell) verdict() status {
	switch c.Text {
	case "yes":
		return in(VerdictOK, "Yes")
	case "no":
		return in(VerdictNotChecked, "No")
	}
	return in(VerdictWarning, "Outside production")
}

// PersonPage is GET /team/<id>. Its form posts role and entries there.
type PersonPage struct {
	Frame
	URL      string // "/team/x7c": the page itself
	Email    string
	Name     string
	You      bool
	Disabled bool
	Facts    []Fact
	Form     GrantForm
	Linked   bool         // to somebody at a provider
	Factor   bool         // there is a second one
	Sessions []SessionRow // only for who may end them
	Notice   Notice
}

// heading is the name, or the address of somebody without one.
func (p PersonPage) heading() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

// InvitePage is GET /invite, with the token of the one-time link. Its form posts
// name, password and password2 there.
type InvitePage struct {
	Stage
	OneTime       string // what the link brought, for the form
	Email, Role   string
	Entries       string // "all entries"; "acme:*"
	By            string
	Name          string
	NameError     string
	PasswordError string
	RepeatError   string
	MinLength     string
	Provider      string // text of the button that accepts through the provider; "" for none
	NoOwn         bool   // a password would not count
}

// Errors lists the faults of the form for its summary.
func (p InvitePage) Errors() []FieldError {
	return faults("name", p.NameError, "password", p.PasswordError, "password2", p.RepeatError)
}

// afterGrant says what changing the role does beside that.
func (p PersonPage) afterGrant() string {
	if p.You {
		return "This is you. Your other sessions end at once."
	}
	return "All sessions of this person end at once: the new role begins with the next sign-in."
}
