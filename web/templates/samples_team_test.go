package templates

import "time"

func sampleGrantForm() GrantForm {
	return GrantForm{Email: "new@acme", Entries: "acme:<x>", EmailError: "This is no e-mail address.", RoleError: "There is no such role.", EntriesError: "A pattern is an id in which * stands for anything.",
		Roles: []RoleChoice{{"owner", "Owner", "Everything.", false}, {"viewer", "Viewer", "Reads entries.", true}}}
}

// ofSomebody is the form for a person who is there, which asks for no address.
func (f GrantForm) ofSomebody() GrantForm {
	f.Email, f.EmailError = "", ""
	return f
}

func sampleTeam() TeamPage {
	return TeamPage{Frame: frame("Team", SectionTeam), Lead: "3 people, one of them disabled. Whoever is new comes by a one-time link.",
		People: []PersonRow{
			{Email: "owner@acme.example", Name: "Ada", You: true, Role: "Owner", Entries: "all entries", Seen: before(time.Minute), URL: "/team/a", Way: "Password"},
			{Email: "ops@acme.example", Role: "Editor", Entries: "acme:*", URL: "/team/b", Way: "login.example.com"},
			{Email: "contractor@acme.example", Role: "Viewer", Entries: "globex:*", Seen: before(90 * 24 * time.Hour), Disabled: true},
		},
		Invites: []InviteRow{{Email: "new@acme.example", Role: "Editor", Entries: "acme:*", By: "owner@acme.example", Until: before(-24 * time.Hour), CanWithdraw: true}},
		Invite:  sampleGrantForm(),
		OneTime: OneTime{Address: "https://backoffice.acme.example/invite?token=one-time", For: "new@acme.example", Until: before(-24 * time.Hour)},
		Heads:   []string{"Owner", "Editor"},
		Matrix: []MatrixRow{{Words: "Put a version in force", Cells: []MatrixCell{{"Owner", "yes"}, {"Editor", "outside production"}}},
			{Words: "Pause the radar", Cells: []MatrixCell{{"Owner", "yes"}, {"Editor", "no"}}, House: true}}}
}

func samplePerson() PersonPage {
	return PersonPage{Frame: frame("ops@acme.example · Team", SectionTeam), URL: "/team/b", Email: "ops@acme.example", Name: "Grace", You: true,
		Facts: []Fact{{Label: "E-mail", Text: "ops@acme.example"}}, Factor: true, Linked: true, Form: sampleGrantForm().ofSomebody(), Sessions: sampleSessions(),
		Notice: Notice{Verdict: VerdictWarning, Heading: "Nothing was changed", Text: "This is the last owner.", Refused: true}}
}

func sampleSessions() []SessionRow {
	return []SessionRow{{Handle: "a", Device: "Firefox on Linux", Address: "203.0.113.7", Seen: before(time.Minute), Began: before(46 * time.Minute), Current: true},
		{Handle: "b", Device: "Safari on an iPhone", Address: "2001:db8::1", Seen: before(time.Hour), Began: before(5 * time.Hour)}}
}

func sampleSignIn() SignInPage {
	state := SignInState{Issuer: "https://login.example.com", By: "owner@acme.example", At: before(time.Hour), Stored: SealedValue(fpOld, "40 characters"),
		Facts: []Fact{{Label: "Issuer", Text: "https://login.example.com", Code: true}, {Label: "Allowed domains", Text: "acme.example"}}}
	return SignInPage{Frame: frame("Sign-in · Settings", SectionSettings), RedirectURI: "https://backoffice.acme.example/login/callback", Current: state,
		Waiting: SignInWaiting{SignInState: state, Running: true, Until: before(-10 * time.Minute), Came: "Not in force: who came back is grace@acme.example.", CameAt: before(time.Minute)},
		Link:    OneTime{Address: "https://backoffice.acme.example/login/confirm?token=one-time", Until: before(-10 * time.Minute)},
		Form: SignInForm{Issuer: "https://login.example.com", Client: "0oa7d1c", Scopes: "openid email profile", Claim: "groups", Button: "Sign in with Example ID", Domains: "acme.example",
			Rules: "integrators = editor acme:*", Roles: []Choice{{"", "None: nobody is made", true}, {"viewer", "Viewer", false}}, OwnersOnly: true, Trust: true, Context: "urn:two", Stored: SealedValue(fpOld, "40 characters"), Asks: true},
		Losing: []string{"grace@acme.example"},
		Report: SignInReport{What: "The setting in force", Fields: []Fact{{Label: "Issuer", Verdict: VerdictOK, Word: "OK"}},
			Steps: []SignInStep{{VerdictWrong, "Wrong", "Send a code that nobody was given", "It refuses the secret."}}},
		Refusal: Notice{Verdict: VerdictWarning, Heading: "Nothing was changed", Text: "Somebody else saved another setting.", Refused: true}}
}

func sampleSignInFaults() SignInPage {
	const bad = "This is one line of at most 500 characters."
	return SignInPage{Frame: frame("Sign-in · Settings", SectionSettings), RedirectURI: "https://backoffice.acme.example/login/callback",
		Waiting: SignInWaiting{SignInState: sampleSignIn().Current, Problem: "login.example.com does not answer."},
		Form: SignInForm{Roles: []Choice{{"", "None: nobody is made", true}}, IssuerError: bad, ClientError: bad, SecretError: bad, ScopesError: bad, ClaimError: bad, ButtonError: bad,
			DomainsError: bad, RulesError: bad, RoleError: bad, EntriesError: bad, ContextError: bad}}
}
