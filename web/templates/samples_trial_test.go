package templates

import "time"

const sampleTestNote = "Up to 6 calls to Intercom. Those with a corrupted secret or a made-up client ID may count there as failed sign-ins. No real code is sent."

func sampleRuns(chosen string) []Choice {
	return []Choice{
		{"20260917T143240Z", "17 September, 14:32:40 UTC: version 7, Client secret is wrong", chosen == "20260917T143240Z"},
		{"20260917T123107Z", "17 September, 12:31:07 UTC: version 6, Works", chosen == "20260917T123107Z"},
	}
}

func sampleLive() EntryTestPage {
	p := EntryTestPage{Frame: frame("Test · acme:intercom", SectionConfiguration), Entry: entryHead(TabTest), Provider: "Intercom"}
	p.Refresh = "2"
	scale := ScaleFor(500 * time.Millisecond)
	p.Live = LiveRun{
		Events: "/config/acme:intercom/test/x/events", Heading: "Testing version 7", Doing: "Ask for a token with an impossible code", By: "Started by ops@acme.example",
		Sentence: "The steps appear as they finish. You may leave this page: the test goes on, and its report is kept.",
		Fields:   []string{"Client ID", "Client secret", "Client authentication", "Redirect URI", "Reachability", "Clock"},
		Report: Report{Ticks: scale.Ticks(), Steps: []Step{
			{Number: "1", Name: "Look up api.intercom.io", Hint: "3 public addresses", Verdict: VerdictOK, Bar: scale.Bar(0, 21*time.Millisecond), Took: "21 ms"},
			{Number: "2", Name: "Connect and greet over TLS 1.3", Verdict: VerdictOK, Bar: scale.Bar(21*time.Millisecond, 88*time.Millisecond), Took: "88 ms", Evidence: "The certificate is good until 17 November."},
		}},
	}
	return p
}

// sampleDiagnosis is a finished test without consent.
func sampleDiagnosis() EntryTestPage {
	p := sampleTest()
	p.Notice = Notice{}
	p.Refusal = Notice{VerdictWarning, "No test was started", "acme:intercom was tested a moment ago.", Link{}, true}
	r := &p.Report
	r.How, r.Grid, r.Controls = "Without consent", true, true
	r.Fields = []FieldVerdict{
		{Label: "Client ID", Verdict: VerdictOK, Text: "Known to Intercom: a made-up ID gets another answer.", Plain: id, Confidence: "High confidence", Evidence: []Link{{"Step 3", "#step-3"}, {"Step 4", "#step-4"}}},
		{Label: "Client secret", Verdict: VerdictWrong, Text: "Gets the same answer as a made-up secret.", Fingerprint: fpOld, Confidence: "High confidence", Remedy: "Copy the client secret again from the Developer Hub.", Evidence: []Link{{"Step 3", "#step-3"}}},
		{Label: "Client authentication", Verdict: VerdictOK, Text: "Sent as form fields, and the provider looked at it.", Confidence: "Medium confidence"},
		{Label: "Redirect URI", Verdict: VerdictInconclusive, Text: "Intercom checks it after the sign-in only.", Plain: "https://backoffice.acme.example/auth/intercom/callback"},
		{Label: "Reachability", Verdict: VerdictOK, Text: "Intercom answers us."},
		{Label: "Clock", Verdict: VerdictNotChecked, Text: "The answers had no date."},
	}
	r.Steps[3].Control, r.Steps[3].Hint = true, "another answer"
	r.RemedyLead, r.Remedy, r.Lineup = "Each field above says what to do about it. Then test again.", nil, nil
	return p
}

func sampleCompare() CompareRunsPage {
	return CompareRunsPage{
		Frame: frame("Two runs · acme:intercom", SectionConfiguration), Entry: entryHead(TabTest), Heading: "The verdict of one field changed",
		Before:  ComparedRun{"20260917T123107Z", "17 September, 12:31:07 UTC", FieldVerdict{Verdict: VerdictOK, Word: "Works"}},
		After:   ComparedRun{"20260917T143240Z", "17 September, 14:32:40 UTC", FieldVerdict{Verdict: VerdictWrong, Word: "Client secret is wrong"}},
		Fields:  []ChangedVerdict{{"Client secret", FieldVerdict{Verdict: VerdictOK}, FieldVerdict{Verdict: VerdictWrong, Text: "Gets the same answer as a made-up secret."}}},
		Facts:   []ChangedFact{{"Values", "version 6", "version 7"}, {"How", "Without consent", "Without consent"}, {"Took", "1.41 s", "1.51 s"}},
		Values:  "From version 6 to version 7:",
		Changes: []DiffLine{{SignRemoved, "clientSecret", SealedValue(fpNow, "40 characters")}, {SignAdded, "clientSecret", SealedValue(fpOld, "40 characters")}},
		Steps:   []ChangedVerdict{{"Ask with an impossible code", FieldVerdict{Verdict: VerdictOK, Text: "401 Unauthorized invalid_grant"}, FieldVerdict{Word: "Not asked"}}},
		Left:    sampleRuns("20260917T123107Z"), Right: sampleRuns("20260917T143240Z"),
	}
}
