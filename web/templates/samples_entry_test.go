package templates

import "time"

func sampleValues() EntryValuesPage {
	return EntryValuesPage{
		Entry: entryHead(TabValues),
		Standing: Standing{
			Current:  StandingVersion{"6", HealthWorks, "", "Promoted", before(7 * 24 * time.Hour), "integrations@acme.example", "", ""},
			Pending:  StandingVersion{"7", HealthWrong, "Client secret wrong", "Saved", before(12 * time.Minute), "integrations@acme.example", "Rotate the client secret, as every quarter", "Changes 1 of 6 values."},
			Previous: StandingVersion{Number: "5", More: "It is accepted beside version 6 until 24 September, 09:20 UTC."},
		},
		Notice:   Notice{VerdictWarning, "Promoting version 7 now would break Intercom for every consumer", "Its test says that the client secret is wrong. Promote stays possible and asks for your reason.", Link{"See the diagnosis", "/config/acme:intercom/test"}, false},
		Doubtful: "Look at 1 value of version 7 again", Mend: Link{"Edit", "/config/acme:intercom/edit"},
		Doubts: []Doubt{{"Client secret.", "Same value as Client secret of globex:intercom, version 3, in force. Copy it again from this entry's own app, unless both are to use one.", Link{"Open globex:intercom", "/config/globex:intercom"}}},
		Approval: func() ApprovalPanel {
			p := samplePanel()
			p.Review, p.Change = Link{"Review version 7", "/config/acme:intercom/approve"}, Link{"Change the rule", "/config/acme:intercom/rule"}
			return p
		}(),
		Heading: "Five values, one changed", Version: "7", Against: "version 6",
		Versions: []VersionPill{{"6", "Version 6, in force", false}, {"7", "Version 7, pending", true}},
		Rows: []ValueRow{
			{Key: "clientId", Shown: PlainValue(id, ""), Compared: "Same", Set: before(250 * 24 * time.Hour), SetBy: "admin@"},
			{Key: "clientSecret", Shown: SealedValue(fpOld, "40 characters"), Changed: true, Compared: "equals version 4", Set: before(12 * time.Minute), SetBy: "integrations@", CanReveal: true, Rotates: true, Expires: "Expires on 31 January 2027, in 12 days.", Late: true, Doubts: "Same value as Client secret of globex:intercom, version 3, in force.", Cleaned: "2 white-space characters were trimmed off its ends."},
			{Key: "apiVersion", Shown: PlainValue("2.10", ""), Compared: "Same", Set: before(7 * 24 * time.Hour), SetBy: "integrations@"},
			{Key: "region", Shown: PlainValue("us", ""), Compared: "Same", Set: before(250 * 24 * time.Hour), SetBy: "admin@"},
			{Key: "sandbox", Shown: PlainValue("false", "boolean"), Compared: "Same", Set: before(250 * 24 * time.Hour), SetBy: "admin@"},
		},
		FootText: "callbackUrl is not set, so the default holds:", FootCode: "https://backoffice.acme.example/auth/intercom/callback",
		Revision: "19", Hours: hours(),
		Promote:  PromoteForm{Version: "7", Current: "6", Effect: "Version 7 takes the place of version 6 for every consumer, at once.", Warning: "Its test says that the client secret is wrong.", Reason: "as typed", Errors: []FieldError{{"promote-reason", "Say why you promote a version that fails its test."}}},
		Discard:  DiscardChoice{"7", "Its values cannot be brought back. Version 6 stays in force."},
		Expiries: []ExpiryForm{{"clientSecret", "Client secret", "2027-01-31", "Write the day as year-month-day.", "Said by ops@acme.example, 2 hours ago."}},
		Compare: CompareForm{
			Keys: []Choice{{"clientSecret", "clientSecret", true}}, Error: "Paste a value first.", Answer: "Your paste is the client secret of version 6, which is in force.",
			Result: []LineupRow{
				{"Your paste", fpNow, true, VerdictNotChecked, "", "40 characters"},
				{"Version 7, pending", fpOld, false, VerdictWrong, "Different", ""},
				{"Version 6, in force", fpNow, true, VerdictOK, "The same", ""},
			},
		},
	}
}

func sampleApproval() ApprovalPage {
	return ApprovalPage{Frame: frame("Review version 7 · acme:intercom", SectionConfiguration), Entry: entryHead(TabNone), Panel: samplePanel(), Version: "7", Current: "6", Revision: "19",
		Hash: "9f2ac1d4a0b19f2ac1d4a0b1", Short: "9f2ac1d4a0b1", Author: "integrations@acme.example", Saved: before(12 * time.Minute), Why: "the secret was rotated",
		Heading: "Version 7 changes 1 thing of version 6", Changes: []DiffLine{{SignRemoved, "clientSecret", SealedValue(fpNow, "40 characters")}, {SignAdded, "clientSecret", SealedValue(fpOld, "40 characters")}},
		CanReject: true, Withdraws: true, Reason: "as typed", ReasonError: "Say what is wrong with it."}
}

func samplePanel() ApprovalPanel {
	return ApprovalPanel{Words: "A version needs a good test and the approval of a second person before it is put in force.",
		Steps: []ApprovalStep{{VerdictOK, "Approved", "ops@acme.example", before(4 * time.Minute), "looks right"}, {VerdictNotChecked, "Waits for a good test of version 7", "", Time{}, ""}}}
}

func sampleNewForm() EntryFormPage {
	return EntryFormPage{
		TestNote: sampleTestNote, Frame: frame("Add acme:intercom", SectionConfiguration), New: true, ID: "acme:intercom", IDError: "There is an entry acme:intercom already.",
		Connector: "intercom", Name: "Intercom", Initial: "In", Lead: "Saving makes version 1. It is not in force until you promote it.",
		Fields: []FormField{
			{Key: "clientId", Label: "Client ID", Help: "In the Developer Hub: your app, Configure, Authentication.", Where: Link{"Open the Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"}, Required: true},
			{Key: "clientSecret", Label: "Client secret", Help: "It stands below the client ID. It is sealed before it is stored.", Required: true, Sealed: true},
			{Key: "region", Label: "Region", Help: "Where your workspace is hosted.", Options: []Choice{{"us", "United States", true}, {"eu", "Europe", false}, {"au", "Australia", false}}},
		},
		RedirectURI: "https://backoffice.acme.example/auth/intercom/callback", RedirectKey: "callbackUrl",
		WebhookURL: "https://backoffice.acme.example/webhooks/intercom",
		Console:    Link{"Open the Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"},
		Permissions: []Tick{
			{"Read conversations", "Read conversations", "View conversations", true, false},
			{"Read one admin", "Read one admin", "View a single admin", false, false},
		},
		Topics: []Tick{{"ping", "ping", "Always on", true, true}, {"conversation.user.created", "conversation.user.created", "Needs Read conversations", false, false}},
		Limits: "Up to 100 keys, 64 KiB a value.", Back: "/config/new",
	}
}

func sampleEditForm() EntryFormPage {
	p := sampleNewForm()
	p.Frame, p.New, p.IDError, p.Revision, p.Base = frame("Nothing was saved · Edit acme:intercom", SectionConfiguration), false, "", "20", "7"
	p.Lead, p.Reason, p.Back = "Saving makes version 8. Version 6 stays in force until you promote.", "Correct the client secret of version 7.", "/config/acme:intercom"
	p.Errors = []FieldError{{"f.clientId", "Client ID has a space in it"}, {"f.clientSecret", "Client secret is the one of version 4"}}
	p.Notice = Notice{VerdictWarning, "Your paste had white space at its ends", "It was cut off: Intercom compares every character.", Link{}, false}
	p.Conflict = Conflict{"ops@acme.example", before(90 * time.Second), "Revision 19 became 20.", []DiffLine{
		{SignRemoved, "apiVersion", PlainValue("2.10", "")}, {SignAdded, "apiVersion", PlainValue("2.9", "")},
	}, "/config/acme:intercom/edit"}
	p.Fields[0].Text, p.Fields[0].Error = "5b1c7f0e 3c44", "There is a space in it. Intercom compares every character."
	p.Fields[1].Stored, p.Fields[1].Error = SealedValue(fpNow, "40 characters"), "You pasted the secret that version 5 replaced."
	p.Fields[0].Cleaned = "1 white-space character was trimmed off its ends."
	p.Fields[1].Doubts = []Doubt{{"", "There is a space inside. Ids and secrets have none.", Link{}}, {"", "Same value as Client secret of globex:intercom.", Link{"Open globex:intercom", "/config/globex:intercom"}}}
	p.Fields[1].Warning = "Type it again: a secret never comes back into a form."
	p.Fields[1].Lineup = []LineupRow{
		{"Your paste", fpOld, true, VerdictNotChecked, "", "40 characters"},
		{"Version 4", fpOld, true, VerdictWrong, "The same", ""},
		{"Version 6, in force", fpNow, false, VerdictNotChecked, "", "40 characters"},
	}
	p.Keys = []KeyRow{
		{N: "1", Key: "clientID", Text: id, KeyWarning: "Did you mean clientId? It is set above.", Doubts: []Doubt{{"", "It begins or ends with white space.", Link{}}}},
		{N: "2", Key: "sandbox", Text: "false", Note: "Read as a boolean. Put it in quotes for a text."},
		{N: "3", Key: "webhookSecret", Sealed: true, Stored: SealedValue(fpOld, "32 characters"), TextError: "A value may have up to 64 KiB."},
		{N: "4", KeyError: "Two keys have this name."},
	}
	return p
}

func sampleTest() EntryTestPage {
	ok := FieldVerdict{Verdict: VerdictOK}
	at := func(label string, v FieldVerdict) FieldVerdict { v.Label = label; return v }
	scale := ScaleFor(1510 * time.Millisecond)
	bar := func(start, took int) Bar {
		return scale.Bar(time.Duration(start)*time.Millisecond, time.Duration(took)*time.Millisecond)
	}
	run := func(n string, ago time.Duration, v Verdict, result, version string) RunRow {
		return RunRow{Run: n, When: before(ago), Verdict: v, Result: result, How: "Without consent", Version: version, Took: "1.51 s", By: "integrations@acme.example", Fields: []FieldVerdict{
			at("Client ID", ok), at("Client secret", FieldVerdict{Verdict: v}), at("Redirect URI", ok), at("Permission", FieldVerdict{}), at("Reachability", ok),
		}}
	}
	runs := []RunRow{
		run("20260917T143240Z", 4*time.Minute, VerdictWrong, "Client secret wrong", "7"),
		run("20260917T123107Z", 2*time.Hour, VerdictOK, "Works", "6"),
		run("20260910T091855Z", 7*24*time.Hour, VerdictInconclusive, "Not reachable", "6"),
	}
	runs[0].Chosen, runs[2].Stale = true, true
	return EntryTestPage{
		Frame: frame("Client secret is wrong · acme:intercom", SectionConfiguration), Entry: entryHead(TabTest), HasReport: true,
		Notice:   Notice{VerdictWarning, "Tested before the last change", "Version 7 was saved after this run. Test again to know about it.", Link{}, false},
		Provider: "Intercom", StartNote: "With this secret it stops at the token.",
		Starts:   []TestStart{{"7", LabelPending, "Saved 12 minutes ago", true}, {"6", LabelCurrent, "", false}},
		UnderWay: Notice{VerdictNotChecked, "A test is under way", "ops@acme.example started it just now.", Link{"Watch it", "/config/acme:intercom/test/x"}, false},
		Left:     sampleRuns("20260917T123107Z"), Right: sampleRuns("20260917T143240Z"),
		CanToken: true, TokenNote: "In the Developer Hub: your app, Configure, Authentication.", TokenError: "That is no token: it has a space in it.",
		Versions:  []Choice{{"7", "Version 7, pending", true}, {"6", "Version 6, in force", false}},
		RunFields: []string{"Client ID", "Client secret", "Redirect URI", "Permission", "Reachability"}, Runs: runs,
		Report: Report{
			Verdict: VerdictWrong, Heading: "Client secret is wrong",
			Sentence: "The provider knows the client ID of version 7 but refuses its secret. Nobody is affected: version 7 is pending, and version 6 stays in force.",
			Action:   Link{"Replace the client secret", "/config/acme:intercom/edit"},
			Fields: []FieldVerdict{
				{Label: "Client ID", Verdict: VerdictOK, Text: "The provider showed the consent page for it.", Plain: id},
				{Label: "Client secret", Verdict: VerdictWrong, Text: "The token endpoint refused the client.", Fingerprint: fpOld},
				{Label: "Redirect URI", Verdict: VerdictOK, Text: "The provider sent the browser back to it.", Plain: "https://backoffice.acme.example/auth/intercom/callback"},
				{Label: "Permission", Text: "No token, so nothing was asked with one."},
				{Label: "Reachability", Verdict: VerdictOK, Text: "The provider answers.", Plain: "api.intercom.io · 88 ms"},
			},
			Version: "Version 7, pending", How: "Consent run", When: before(4 * time.Minute), Took: "1.51 s", By: "integrations@acme.example",
			CaseFile:   "/config/acme:intercom/test/20260917-120000.000-00000000/casefile",
			RemedyLead: "The secret in version 7 is an old one: it has the fingerprint of version 4.",
			Lineup: []LineupRow{
				{"Version 7, pending", fpOld, true, VerdictWrong, "Refused now", ""},
				{"Version 4", fpOld, true, VerdictNotChecked, "", "Same value"},
				{"Version 6, in force", fpNow, false, VerdictOK, "Accepted", ""},
			},
			Remedy: []RemedyStep{
				{"In the Developer Hub open your app and copy the client secret that stands there now.", Link{"Open the Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"}},
				{"Paste it into a new version.", Link{"Replace the client secret", "/config/acme:intercom/edit"}},
				{"Test again. If all fields are OK, promote.", Link{}},
			},
			Identity:     []Fact{{Label: "Workspace", Text: "Acme (tx2p130c)"}, {Label: "Region", Text: "US", Code: true}, {Label: "E-mail", Text: "admin@acme.example", Verdict: VerdictOK, Word: "Verified"}},
			Limits:       []Fact{{Label: "Limit", Text: "166 in 10 seconds"}, {Label: "Left", Text: "165"}},
			Sure:         "Decided by the answer of the token endpoint to a code that it had just made.",
			StepsHeading: "Four steps in 1.51 s", Ticks: scale.Ticks(), NotRun: "Not run: identity, permissions, rate limit.",
			Steps: []Step{
				{Number: "1", Name: "Look up api.intercom.io", Hint: "public addresses", Verdict: VerdictOK, Bar: bar(0, 21), Took: "21 ms"},
				{Number: "2", Name: "Open consent", Hint: "approved", Verdict: VerdictOK, Bar: bar(121, 302), Took: "302 ms", Evidence: "The provider sent the browser back with a code."},
				{Number: "3", Name: "Exchange the code for a token", Hint: "client refused", Verdict: VerdictWrong, Bar: bar(704, 229), Took: "229 ms", Open: true,
					Evidence: "The token endpoint refuses the client before it looks at the code.",
					Sent: Message{Meta: "14:32:40.861 UTC", Lines: []Line{
						{Key: "POST", Text: "https://api.intercom.io/auth/eagle/token", Strong: true},
						{Key: "Accept: ", Text: "application/json"}, {},
						{Key: "client_id=", Text: id}, {Key: "client_secret=", Text: "9c41 e07b 5d2f · 40 characters", Redacted: true},
						{Key: "code=", Text: "c1e9 07aa 51f0 · 44 characters", Redacted: true, Note: "(used once)"},
					}},
					Received: Message{Meta: "401 Unauthorized", Verdict: VerdictWrong, Lines: []Line{{Key: "Content-Type: ", Text: "application/json"}, {}, {Key: "code ", Text: "unauthorized"}}},
					Foot:     "Only the named fields of an answer are kept. A raw body may repeat what was sent.",
				},
				{Number: "4", Name: "Ask whose token it is", Hint: "not run", Verdict: VerdictNotChecked, Bar: bar(933, 0), Took: "0 ms"},
			},
		},
	}
}

func sampleWorks() EntryTestPage {
	p := sampleTest()
	p.Notice, p.TokenError, p.StartNote = Notice{}, "", ""
	r := &p.Report
	r.Verdict, r.Heading, r.Sentence, r.Action = VerdictOK, "Works", "The provider accepted version 7 from consent to identity.", Link{"Promote version 7", "/config/acme:intercom?version=7#promote"}
	r.Fields[1] = FieldVerdict{Label: "Client secret", Verdict: VerdictOK, Text: "The token endpoint issued a token.", Fingerprint: fpNow}
	r.Fields[3] = FieldVerdict{Label: "Permission", Verdict: VerdictOK, Text: "The identity call was allowed.", Plain: "Read one admin"}
	r.RemedyLead, r.Lineup, r.Remedy, r.NotRun = "Every field is proven. Version 7 can be put in force.", nil, nil, ""
	for i := range r.Steps {
		r.Steps[i].Verdict, r.Steps[i].Open, r.Steps[i].Hint = VerdictOK, false, ""
		r.Steps[i].Received.Verdict = VerdictNotChecked
	}
	r.Steps[3].Bar, r.Steps[3].Took = ScaleFor(1510*time.Millisecond).Bar(940*time.Millisecond, 570*time.Millisecond), "570 ms"
	return p
}

func sampleScopes() EntryScopesPage {
	return EntryScopesPage{
		Frame: frame("Scopes · acme:intercom", SectionConfiguration), Entry: entryHead(TabScopes), Provider: "Intercom",
		Heading: "One permission is missing, one is not needed",
		Lead:    "Intercom’s permissions are ticked in the Developer Hub and never sent in the OAuth URL. Users see them all when they consent, so ask only for what is used.",
		Console: Link{"Open the Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"},
		Findings: []LedgerFinding{{VerdictWrong, "Needed, but not declared", []string{"Read tickets"}, "Tick it in Intercom’s console and below, save both, then consent again with a new run."},
			{VerdictNotChecked, "Declared, but not needed here", []string{"Read admins", "Write tags"}, "If your consumers do not use it either, untick it below."}},
		Rows: []PermissionRow{
			{ID: "Read tickets", Label: "Read tickets", Meaning: "View tickets", Needed: []string{"ticket.created"}, Asked: "Never sent", Verdict: VerdictWrong, Word: "Missing", Granted: VerdictNotChecked, GrantWord: "Unclear", Evidence: "Not probed: no harmless read is known that would tell."},
			{ID: "Read admins", Label: "Read admins", Meaning: "List and view all admins", Aliases: []string{"read_teams"}, Note: "Which label the guide means is not confirmed.", Declared: true, Asked: "Never sent", Verdict: VerdictNotChecked, Word: "Not needed here",
				Granted: VerdictWarning, GrantWord: "Refused", Known: true, Call: "GET /admins", Evidence: "gave 403. Intercom answered: “You do not have the required scope (Read admins) to access this resource” (forbidden).", Found: before(time.Hour), FoundBy: "by an earlier run, of version 5", Report: "/config/acme:intercom/test/r1", Probes: []string{"GET /admins"}},
			{ID: "read_conversations", Label: "Read conversations", Name: "read_conversations", Meaning: "View conversations", Declared: true, Asked: "Never sent", Needed: []string{"conversation.user.created", "conversation.admin.replied"}, Granted: VerdictOK, GrantWord: "Likely granted", Known: true,
				Call: "GET /conversations?per_page=1", Evidence: "gave 200. That this permission is what allows it is our reading.", Found: before(time.Hour), Report: "/config/acme:intercom/test/r1", Probes: []string{"GET /conversations?per_page=1"}},
		},
		Rest:   []PermissionRow{{ID: "Write tags", Label: "Write tags", Meaning: "Create tags", Asked: "Never sent", GrantWord: "Unclear", Evidence: "No run has asked yet."}},
		Tally:  []Fact{{Verdict: VerdictOK, Word: "1 likely granted"}, {Verdict: VerdictWarning, Word: "1 refused"}, {Verdict: VerdictNotChecked, Word: "1 unclear"}},
		Source: "2 permissions declared in version 7, pending",
		From:   GrantSource{"consent run of version 6", before(time.Hour), "Workspace Acme, Workspace ID x1", "A pasted token need not be one of this app."},
		Why:    Notice{Verdict: VerdictNotChecked, Heading: "Why some are unclear", Text: "BackOffice never writes to an account to find out."},
		Probes: []ProbeRow{{"GET /admins", "List admins", []string{"Read admins"}, "Our reading", "That it is what allows it is our reading."}, {"GET /teams", "List teams", nil, "No permission known", ""}},
		Runs: []GrantRunRow{
			{When: before(time.Hour), How: "Consent run", Version: "6", By: "ops@acme.example", Whose: "Workspace Acme", Tally: []Fact{{Verdict: VerdictOK, Word: "1 granted"}, {Verdict: VerdictWarning, Word: "1 refused"}}, Changes: []GrantChange{{"Read admins", "granted", "refused"}}, Compared: true, Report: "/config/acme:intercom/test/r1"},
			{When: before(48 * time.Hour), How: "Test token", Version: "5", By: "ops@acme.example", Tally: []Fact{{Verdict: VerdictNotChecked, Word: "7 unclear"}}, Unprobed: "Not probed: the provider asked for a pause.", NotCounted: "Found with version 5; the client ID changed since. Not counted."},
		},
		Notes: []string{"Declaring a permission here records what the app should ask for. It is granted in the Developer Hub."},
		Save:  SaveForm{Base: "7", Revision: "19", Reason: "Add tickets", Errors: []FieldError{{"reason", "Somebody else saved."}}},
	}
}

func sampleWebhooks() EntryWebhooksPage {
	return EntryWebhooksPage{
		Frame: frame("Webhooks · acme:intercom", SectionConfiguration), Entry: entryHead(TabWebhooks), Provider: "Intercom",
		URL: "https://backoffice.acme.example/webhooks/intercom", URLHint: "Paste it in the Developer Hub under Webhooks. One endpoint gets the events of every workspace that installed the app.",
		Console:    Link{"Open the Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"},
		SigningKey: "clientSecret", SignedBy: "of version 6", Signing: fpNow, Also: []Signed{{"clientSecret of version 5, still accepted until 24 September, 09:20 UTC", fpOld, Link{"version 5", "/config/acme:intercom?version=5"}}}, Shared: "https://backoffice.acme.example/webhooks/intercom works too.",
		Rules:   []SignatureRule{{"X-Hub-Signature", "HMAC-SHA1 over the raw body, in hex after sha1=", "every notification"}},
		Heading: "One of three topics cannot arrive", Source: "Chosen in version 7, pending",
		Groups: []TopicGroup{
			{"", []TopicRow{{Name: "ping", Always: true, Chosen: true, Verdict: VerdictOK, Word: "Ready", Note: "Always on"}}},
			{"Read conversations", []TopicRow{{Name: "conversation.user.created", Chosen: true, Verdict: VerdictOK, Word: "Ready", Last: before(7 * time.Minute)}, {Name: "conversation.admin.replied", Word: "Not chosen"}}},
			{"Read tickets", []TopicRow{{Name: "ticket.created", Chosen: true, Verdict: VerdictWrong, Word: "Permission missing"}}},
		},
		Aliases:   []AliasRow{{"conversation.created", []string{"conversation.user.created", "conversation.admin.single.created"}, "The guide’s name covers both."}},
		Notes:     []string{"Intercom turns an endpoint off that answers too slowly."},
		Save:      SaveForm{Base: "7", Revision: "19", Conflict: Conflict{"ops@acme.example", before(time.Minute), "Revision 18 became 19.", []DiffLine{{SignAdded, "region", PlainValue("eu", "")}}, "/config/acme:intercom/webhooks"}},
		ShowsNews: true, All: Link{"All notifications", "/webhooks?entry=acme:intercom"}, SendTest: sampleSendTest(),
		News: NotificationList{Events: "/config/acme:intercom/webhooks/events", Rows: sampleNewsRows()[:5], Showing: "1,284 in 24 hours, 3 refused", State: sampleHookState(),
			Topics: []TopicArrival{{"conversation.user.created", before(7 * time.Minute)}}},
	}
}

func sampleHistory() EntryHistoryPage {
	left := []Choice{{"7", "7, pending", false}, {"6", "6, in force", true}, {"5", "5, previous", false}}
	right := []Choice{{"7", "7, pending", true}, {"6", "6, in force", false}, {"5", "5, previous", false}}
	changed := []DiffLine{
		{SignRemoved, "clientSecret", Shown{Sealed: true, Fingerprint: fpNow, Length: "40 characters"}},
		{SignAdded, "clientSecret", Shown{Sealed: true, Fingerprint: fpOld, Length: "40 characters", Note: "equals version 4"}},
	}
	return EntryHistoryPage{
		Record: "/audit?target=acme:intercom",
		Frame:  frame("History · acme:intercom", SectionConfiguration), Entry: entryHead(TabHistory), Left: left, Right: right, Compared: true,
		Heading: "Version 7 changes one value of version 6", Compare: append([]DiffLine{{SignKept, "clientId", PlainValue(id, "")}}, changed...),
		Count: "Seven versions", Revision: "19", Hours: hours(), Older: "/config/acme:intercom/history?before=4",
		Errors: []FieldError{{"reason-5", "The entry was changed in between."}},
		Versions: []VersionRow{
			{Number: "7", Label: LabelPending, Health: HealthWrong, Fact: "Client secret wrong", Reason: "Rotate the client secret, as every quarter.", By: "integrations@acme.example", When: before(12 * time.Minute), Changes: changed, Hash: "1f0c9a", Discard: DiscardChoice{"7", "Its values cannot be brought back."}},
			{Number: "6", Label: LabelCurrent, Health: HealthWorks, By: "integrations@acme.example", When: before(7 * 24 * time.Hour)},
			{Number: "5", Label: LabelPrevious, Until: ", until 24 Sep", Health: HealthNotTested, Reason: "A laptop was lost.", By: "ops@acme.example", When: before(70 * 24 * time.Hour), Changes: changed[1:], CanRollBack: true},
		},
	}
}
