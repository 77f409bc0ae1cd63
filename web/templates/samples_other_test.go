package templates

import "time"

func sampleConnector() ConnectorPage {
	return ConnectorPage{
		Frame: frame("Intercom", SectionConnectors), Key: "intercom", Name: "Intercom", Initial: "In", NewID: "acme:intercom", Source: "built in",
		Summary: "Conversations with customers, contacts and tickets.",
		Entries: []BoardEntry{{"acme:intercom", HealthWorks}, {"acme-eu:intercom", HealthNotTested}},
		Fields: []DefinitionField{
			{"clientId", "Client ID", "In the Developer Hub: your app, Configure, Authentication.", false, true, nil, ""},
			{"clientSecret", "Client secret", "Below the client ID.", true, true, nil, ""},
			{"region", "Region", "Where the workspace is hosted.", false, false, []string{"United States", "Europe", "Australia"}, "us"},
		},
		Endpoints: []EndpointRow{
			{"United States", "https://app.intercom.com/oauth", "https://api.intercom.io/auth/eagle/token", "https://api.intercom.io", "", false},
			{"Rehearsal", "http://localhost:8081/oauth", "http://localhost:8081/auth/eagle/token", "http://localhost:8081", "Not Intercom", true},
		},
		Handshake:   []Fact{{Label: "Client authentication", Text: "client_secret_post", Code: true}, {Label: "PKCE", Text: "not sent"}, {Label: "Scope parameter", Text: "never sent"}},
		Headers:     []Fact{{Label: "Intercom-Version", Text: "2.10", Code: true}},
		Permissions: []PermissionRow{{ID: "read_conversations", Label: "Read conversations", Name: "read_conversations", Meaning: "View conversations", Note: "As documented."}, {ID: "Read admins", Label: "Read admins", Meaning: "List and view all admins", Aliases: []string{"read_teams"}}},
		Topics:      []TopicNeeds{{"ping", "None, always on", "Sent once when the endpoint is saved"}, {"conversation.user.created", "Read conversations", ""}},
		Signatures:  []SignatureRule{{"X-Hub-Signature", "HMAC-SHA1 over the raw body", "every notification"}},
		Links:       []DefinitionLink{{Link{"Developer Hub", "https://app.intercom.com/a/apps/_/developer-hub"}, "console"}},
		Notes:       []string{"Each region has its own endpoints."},
	}
}

func sampleAudit() AuditPage {
	row := func(n, shown, person, action, target, detail string, v Verdict, outcome string) AuditRow {
		return AuditRow{n, shown, before(12 * time.Minute), person, action, target, detail, v, outcome, "203.0.113.24"}
	}
	return AuditPage{
		Frame: frame("Audit log", SectionAudit), Lead: "48,213 events. An event is never changed and never removed.",
		Text: "acme", Addr: "203.0.113.24", Who: "integrations@acme.example", Target: "acme:intercom", From: "2026-09-17T00:00", To: "2026-09-17T15:00",
		Actions: []Choice{{"", "All actions", true}, {"entry-saved", "Saved a version", false}}, Outcomes: []Choice{{"", "All outcomes", true}, {"refused", "Refused", false}},
		Errors: []FieldError{{"from", "“yesterday” is no time. Write it as 2026-09-17T00:00."}}, Filtered: true,
		Rows: []AuditRow{
			row("48212", "48,212", "integrations@acme.example", "Finished a test", "acme:intercom", "version 7", VerdictOK, "Done"),
			row("48210", "48,210", "integrations@acme.example", "Saved a version", "acme:intercom", "version 7", VerdictOK, "Done"),
			row("48208", "48,208", "ops@acme.example", "Signed in", "ops@acme.example", "", VerdictWrong, "Refused"),
			row("48207", "48,207", "owner@acme.example", "Tried a token", "acme:notion", "version 2", VerdictWarning, "Failed"),
		},
		Showing: "50 of 94 events", Older: "/audit?before=48207", Newest: "/audit",
		Chart: AuditChart{Heading: "about 94 events from 2026-09-17 00:00 to 2026-09-17 02:00", Hint: "Estimated.", Label: "Events over time, in 2 bars.", Most: "1", All: "/audit",
			Kept: []Choice{{"who", "integrations@acme.example", false}}, Axis: []string{"2026-09-17 00:00", "2026-09-17 01:00"},
			Bars: []AuditBar{{"10.0", "8.0", "580.0", "88.0", "2026-09-17T00:00", "2026-09-17T01:00", "2026-09-17 00:00 to 2026-09-17 01:00", "about 94", "/audit?from=2026-09-17T00%3A00"},
				{"610.0", "96.0", "580.0", "0.0", "2026-09-17T01:00", "2026-09-17T02:00", "2026-09-17 01:00 to 2026-09-17 02:00", "0", ""}}},
		State: sampleLogState(), MayExport: true, Chosen: []Choice{{"who", "integrations@acme.example", false}},
	}
}

func sampleLogState() LogState {
	return LogState{Verdict: VerdictWrong, Word: "Not intact", Sentence: "What does not hold needs a person.", When: before(4 * time.Minute), Name: "backoffice-1a2b3c4d",
		Alarm:  Notice{Verdict: VerdictWrong, Heading: "The audit log is not what was signed", Text: "Event 7 was changed after it was written."},
		Facts:  []Fact{{Label: "Events", Text: "48,213"}, {Label: "Root", Text: "n5EWH0NDPkmm3m22gNefYBWfLkrJFyYhoShGQoFYRAs=", Code: true}, {Label: "Anchor", Text: "File /mnt/anchors", Verdict: VerdictOK, Word: "Keeps the head"}},
		Public: "backoffice-fe812c12+4bf58045+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs", Short: "48213 d947 2877 4829 adf2 927b 32d0 aa5a e548", MayCheck: true}
}

func sampleEvent() AuditEventPage {
	return AuditEventPage{
		Frame: frame("Event 48,210", SectionAudit), Number: "48210", Heading: "integrations@acme.example saved version 7 of acme:intercom",
		When: before(12 * time.Minute), Reason: "Rotate the client secret, as every quarter", Note: "From the form",
		Changes: []ChangeRow{
			{"clientSecret", true, SealedValue(fpNow, "40 characters"), SealedValue(fpOld, "40 characters"), true},
			{"Pending", false, Shown{}, PlainValue("version 7", ""), true},
			{"In force", false, PlainValue("version 6", ""), PlainValue("version 6", ""), false},
		},
		Foot: Link{"Compare the versions", "/config/acme:intercom/history?left=6&right=7"}, Target: Link{"acme:intercom", "/config/acme:intercom"},
		Person: "integrations@acme.example", Verdict: VerdictOK, Outcome: "Done", Address: "203.0.113.24", Request: "01K5BXQ4M7R2",
		Leaf: "n5EWH0NDPkmm3m22gNefYBWfLkrJFyYhoShGQoFYRAs=", TreeSize: "48,213 events", Root: "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=", Receipt: "/audit/48210/receipt", Related: []Link{{"Version 7 of acme:intercom", "/config/acme:intercom?version=7"}},
		Older: "/audit/48209", Newer: "/audit/48211",
	}
}

func settingsLog() LogState {
	s := sampleLogState()
	s.Back = "settings"
	return s
}

func sampleSettings() SettingsPage {
	return SettingsPage{
		Frame: frame("Settings", SectionSettings), PublicURL: "https://backoffice.acme.example", Started: before(9 * 24 * time.Hour),
		Checks:  []Fact{{Label: "Your browser’s address", Text: "https://backoffice.acme.example", Code: true, Verdict: VerdictOK, Word: "The same"}},
		Sealing: []Fact{{Label: "Key", Text: "2041773395", Code: true}, {Label: "Seals", Text: "the values of 151 versions"}},
		About:   []Fact{{Label: "Version", Text: "BackOffice 1.4.0"}, {Label: "Data file", Text: "backoffice.db, 41.8 MB"}, {Label: "Events", Text: "48,213"}},
		Sandbox: "http://localhost:8081", Outside: sampleOutside(), Log: settingsLog(),
	}
}

func sampleKeys() KeysPage {
	return KeysPage{
		Frame: frame("Keys", SectionSettings), May: true, Writable: true, Counted: before(9 * time.Second), Stale: "9 records",
		Facts: []Fact{{Label: "Key that seals", Text: "7a9b1c2d", Code: true}, {Label: "Where it is", Text: "/var/lib/backoffice/backoffice.key", Code: true}, {Label: "Passphrase", Text: "It is wrapped by one"}},
		Keys: []SealingKey{
			{ID: "7a9b1c2d", State: VerdictWarning, Word: "Seals, and is older than a year", Since: before(433 * 24 * time.Hour), Seals: "10,412 records"},
			{ID: "11d2e3f4", State: VerdictNotChecked, Word: "Opens what it sealed", Since: before(500 * 24 * time.Hour), Seals: "9 records"},
			{ID: "0badcafe", State: VerdictNotChecked, Word: "Opens what it sealed", Since: before(600 * 24 * time.Hour), Seals: "0 records"},
			{ID: "5eed5eed", State: VerdictNotChecked, Word: "Retired", Since: before(700 * 24 * time.Hour), Retired: before(600 * 24 * time.Hour), Seals: "0 records"},
		},
		Ends: []KeyEnd{{ID: "0badcafe", Copy: "/var/lib/backoffice/backoffice.key.with-0badcafe"}, {ID: "0badcaff"}},
	}
}

func sampleResealing() KeysPage {
	p := sampleKeys()
	p.Ends, p.Refresh = nil, "2"
	p.Work = KeyWork{UnderWay: true, Done: "4120", Total: "10421", Words: "4,120 of 10,421 records", By: "owner@acme.example", Begun: before(8 * time.Second)}
	return p
}

func sampleKeysElsewhere() KeysPage {
	p := sampleKeys()
	p.Writable, p.Work = false, KeyWork{UnderWay: true, Words: "0 records so far", By: "console", Begun: before(time.Second)}
	return p
}

func sampleOutside() OutsideCheck {
	return OutsideCheck{May: true, Known: true, Verdict: VerdictWrong, Heading: "The public address has a fault: Scheme", When: before(4 * time.Minute),
		Took: "184 ms", By: "owner@acme.example", Rows: []OutsideRow{
			{ID: "outside-reach", Label: "Answers from outside", Verdict: VerdictOK, Reason: "What is sent to the public address comes to this instance."},
			{ID: "outside-scheme", Label: "Scheme", Verdict: VerdictWrong, Reason: "Sent as https, seen as http.", Registered: "https", Sent: "https", Delivered: "http",
				Remedy: "Have the proxy send X-Forwarded-Proto.", Lines: []ProxyLines{{"outside-scheme-nginx", "nginx", "proxy_set_header X-Forwarded-Proto $scheme;"}}},
		}}
}

func sampleSearch() SearchPage {
	return SearchPage{
		Frame: frame("intercom", SectionNone), Query: "intercom",
		Groups: []SearchGroup{
			{"Two entries", "entries", []SearchHit{
				{Link: Link{"acme:intercom", "/config/acme:intercom"}, Code: true, Initial: "In", Hint: "Intercom, version 6", Shown: true, Health: HealthWorks},
				{Link: Link{"acme-eu:intercom", "/config/acme-eu:intercom"}, Code: true, Initial: "In", Hint: "Intercom, version 2", Shown: true, Health: HealthStale},
			}, Link{"Show them in the list", "/config?q=intercom"}},
			{"One connector", "connectors", []SearchHit{{Link: Link{"Intercom", "/connectors/intercom"}, Initial: "In", Hint: "Conversations with customers"}}, Link{}},
			{"Two events", "events", []SearchHit{{Link: Link{"Saved version 7 of acme:intercom", "/audit/48210"}, Hint: "integrations@acme.example, 12 minutes ago"}}, Link{"Show them in the log", "/audit?target=acme:intercom"}},
		},
	}
}

func sampleError(signedIn bool) ErrorPage {
	return ErrorPage{
		Frame: frame("There is no entry acme:intercm", SectionConfiguration), SignedIn: signedIn, Status: "Error 404",
		Heading: "There is no entry acme:intercm", Message: "It may have been deleted, or the address has a slip in it. Nothing was changed.",
		Remedy: Link{"Look through the configuration", "/config"}, Reference: "01K5BY0TR4W8", When: before(0), Request: "GET /config/acme:intercm",
	}
}
