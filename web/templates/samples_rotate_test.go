package templates

import "time"

func sampleRotate() EntryRotatePage {
	head := entryHead(TabNone)
	head.Reverted = Notice{VerdictWarning, "Version 6 came back by itself", "The check proved the client secret of version 7 wrong.", Link{"See the check", "/config/acme:intercom/test"}, false}
	head.Rotation = "version 7 has the new one and is pending"
	report := Link{"See the report", "/config/acme:intercom/test/20260917-121500.000-0a1b2c3d"}
	return EntryRotatePage{
		Frame: frame("Replace the client secret · acme:intercom", SectionConfiguration), Entry: head, Heading: "Step 2 of 6: paste it here", Lead: "Anybody who may do the next step can go on here.",
		Refused: "Nothing was saved", Errors: []FieldError{{"secret", "This is the secret that is in force."}}, Revision: "19", Key: "clientSecret", Label: "Client secret",
		Keeps:   []RotateKeep{{"both", "Both hold", "No outage.", true}, {"one", "Only one", "A short outage.", false}, {"unknown", "I do not know", "Go on as if both hold.", false}},
		Console: Link{"Open Intercom", "https://app.intercom.com/"}, CanEnd: "Give the rotation up", Test: "7", Was: "6", Retire: "6", Since: before(time.Hour),
		Paste:   RotatePaste{Error: "This is the secret that is in force.", Expires: "2027-13-01", ExpiresError: "Write the day as year-month-day.", Reason: "as typed", Warning: "Version 7 is pending and loses its label.", Button: "Save it as pending"},
		Promote: RotatePromote{Version: "7", Current: "6", Hours: hours(), Minutes: []Choice{{"0", "Leave it in force", false}, {"10", "Go back by itself, within 10 minutes", true}}, Warning: "Nobody has tested it yet.", Reason: "as typed", Error: "The radar is paused."},
		Uses:    []RotateUse{{"The new secret", fpNow, false, "12", before(time.Minute), Link{"See it", "/notifications/acme:intercom/x"}}, {"The old secret", fpOld, true, "0", Time{}, Link{}}},
		Steps: []RotateStep{
			{N: 1, ID: "make", Title: "Make a new secret at the provider", Verdict: VerdictOK, Word: "Done", Done: true, Words: "Open the console.", Notes: []string{"Whether both hold is not known here."}, Form: RotateBegin,
				Findings: []GuideFinding{{VerdictOK, "Begun, with the answer: both secrets hold.", before(time.Hour), "ops@acme.example", Link{}}}},
			{N: 2, ID: "paste", Title: "Paste it here", Verdict: VerdictInconclusive, Word: "Now", Now: true, Words: "It becomes a pending version.", Form: RotatePasteForm},
			{N: 3, ID: "test", Title: "Test it", Verdict: VerdictWrong, Word: "The secret is wrong", Words: "A test without consent.", Form: RotateTest, Findings: []GuideFinding{{VerdictWrong, "Version 7: Client secret is wrong.", before(time.Hour), "", report}}},
			{N: 4, ID: "promote", Title: "Promote it", Verdict: VerdictNotChecked, Word: "Later", Words: "Consumers get the new secret.", Form: RotatePromoteForm},
			{N: 5, ID: "watch", Title: "Watch which secret is in use", Verdict: VerdictNotChecked, Word: "Later", Words: "What comes shows it.", Form: RotateWatch},
			{N: 6, ID: "retire", Title: "Retire the old secret", Verdict: VerdictNotChecked, Word: "Later", Words: "Then delete it there.", Form: RotateRetire},
		},
	}
}

func sampleRotateShort() EntryRotatePage {
	p := sampleRotate()
	p.Entry.Reverted, p.Refused, p.Errors = Notice{}, "", nil
	p.Paste = RotatePaste{Force: true, Hours: hours(), Warning: "Every consumer gets it at once, untested.", Button: "Save and put in force now"}
	p.Promote.Off, p.Promote.Error = "The radar is paused, so no check runs by itself.", ""
	return p
}
