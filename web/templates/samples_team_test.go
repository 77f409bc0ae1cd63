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
			{Email: "owner@acme.example", Name: "Ada", You: true, Role: "Owner", Entries: "all entries", Seen: before(time.Minute), URL: "/team/a"},
			{Email: "ops@acme.example", Role: "Editor", Entries: "acme:*", URL: "/team/b"},
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
		Facts: []Fact{{Label: "E-mail", Text: "ops@acme.example"}}, Factor: true, Form: sampleGrantForm().ofSomebody(), Sessions: sampleSessions(),
		Notice: Notice{Verdict: VerdictWarning, Heading: "Nothing was changed", Text: "This is the last owner.", Refused: true}}
}

func sampleSessions() []SessionRow {
	return []SessionRow{{Handle: "a", Device: "Firefox on Linux", Address: "203.0.113.7", Seen: before(time.Minute), Began: before(46 * time.Minute), Current: true},
		{Handle: "b", Device: "Safari on an iPhone", Address: "2001:db8::1", Seen: before(time.Hour), Began: before(5 * time.Hour)}}
}
