package templates

import "time"

func sampleGuide() EntryGuidePage {
	head := entryHead(TabGuide)
	head.HasGuide, head.GuideCount = true, "4 of 7"
	report := Link{"See the report", "/config/acme:intercom/test/20260917-121500.000-0a1b2c3d"}
	return EntryGuidePage{
		Frame: frame("Set-up guide · acme:intercom", SectionConfiguration), Entry: head, Heading: "Four of seven steps are done", CanWrite: true,
		Refused: "Nothing was saved", Errors: []FieldError{{"draft-listing-name", "Name of the listing is one character too long: 40 are allowed. Shorten it."}},
		Kinds:    []GuideKind{{"internal", "Internal integration", "Private, for one's own workspace.", false}, {"public", "Public app", "To be installed by others.", true}},
		KindNote: "Chosen by ops@acme.example, 2 hours ago.",
		Steps: []GuideStep{
			{ID: "account", N: 1, Title: "Have a developer account", Done: true, Verdict: VerdictOK, Word: "Done, ticked by admin@acme.example", Words: "Sign in, and open the Developer Hub.",
				Ticked: "Ticked by hand", TickedBy: "admin@acme.example", TickedAt: before(7 * 24 * time.Hour), Note: "the old one", Links: []Link{{"Open Intercom", "https://app.intercom.com/"}}, CanUntick: true},
			{ID: "oauth", N: 2, Title: "Choose OAuth, the redirect URL and the permissions", Verdict: VerdictWarning, Word: "One permission missing", Words: "Choose OAuth, and add this redirect URL.",
				Findings: []GuideFinding{{VerdictOK, "A consent run of version 6 came back to this redirect URI.", before(2 * time.Hour), "ops@acme.example", report},
					{VerdictWarning, "The chosen topics need Read tickets. The tab Scopes has the ledger.", Time{}, "", Link{}}},
				Copies: []GuideCopy{{"copy-oauth-1", "Redirect URL", "https://backoffice.acme.example/auth/intercom/callback", "Copy it whole."}, {"copy-oauth-2", "Base URL", "", ""}},
				Notes:  []string{"Permissions are never sent in the authorize address."}, Acts: []Link{{"Scopes", "/config/acme:intercom/scopes"}}, CanTick: true},
			{ID: "webhooks", N: 3, Title: "Receive webhooks", Optional: true, Verdict: VerdictNotChecked, Word: "To do", Words: "Add this endpoint.",
				Findings: []GuideFinding{{VerdictNotChecked, "No notification whose signature holds has come yet.", Time{}, "", Link{}}}, CanTick: true, CanSkip: true},
			{ID: "live", N: 4, Title: "Go live", Verdict: VerdictNotChecked, Word: "To do", Words: "Submit the app for review.", Count: "1 of 2 done", Revision: "3", CanTick: true,
				Checklist: []GuideItem{{"video", "A video shows everything.", true, "admin@acme.example", before(time.Hour)}, {"rules", "The terms are followed.", false, "", Time{}}},
				Counters: []GuideCounter{{ID: "listing-name", Label: "Name of the listing", Text: "Acme for Intercom, the best of all integrations", Limit: 40, Length: 47, Without: "Intercom", Note: "Unique.",
					Error: "Name of the listing is 7 characters too long: 40 are allowed. Shorten it.", Hints: []GuideHint{{"without", "It must not contain “Intercom”.", true}}},
					{ID: "short", Label: "Short description", Limit: 70, NoStop: true, Hints: []GuideHint{{"stop", "It must not end with a full stop.", false}}}}},
		},
		Limits: "Rate limit and API version", Seen: []Fact{{Label: "Limit, as seen", Text: "166"}, {Label: "Left then", Text: "165"}}, LimitsAt: report, Rate: "Documented: 10,000 calls a minute.",
		Versions: []Fact{{Label: "This entry sends", Text: "Intercom-Version: 2.10", Code: true, Verdict: VerdictWarning, Word: "Old"}, {Label: "Newest stable offered", Text: "2.16", Code: true}},
		Version:  "Versions are not decimals.", Old: Notice{VerdictWarning, "API version 2.10 is old", "The newest is 2.16.", Link{"Edit", "/config/acme:intercom/edit"}, false},
	}
}
