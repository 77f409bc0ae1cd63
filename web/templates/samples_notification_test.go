package templates

import "time"

func sampleNewsRows() []NotificationRow {
	row := func(n string, ago time.Duration, topic string, a Arrival, word, took string) NotificationRow {
		return NotificationRow{ID: n, URL: "/notifications/acme:intercom/" + n, When: before(ago), Entry: Link{"acme:intercom", "/config/acme:intercom/webhooks"},
			Topic: topic, Arrival: a, Word: word, ProviderID: "notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b" + n, Took: took}
	}
	rows := []NotificationRow{
		row("9", 6*time.Minute, "company.created", ArrivalValid, "", "38 ms"),
		row("8", 7*time.Minute, "conversation.user.created", ArrivalValid, "", "31 ms"),
		row("7", 9*time.Minute, "conversation.user.created", ArrivalMismatch, "Unknown secret", "12 ms"),
		row("6", 14*time.Minute, "contact.user.created", ArrivalValid, "", "35 ms"),
		row("5", 14*time.Minute, "contact.user.created", ArrivalRepeated, "", "29 ms"),
		row("4", 21*time.Minute, "company.created", ArrivalMismatch, "Body changed", "14 ms"),
		row("3", 26*time.Minute, "company.created", ArrivalStale, "", "11 ms"),
		row("2", 2*time.Hour, "", ArrivalUnsigned, "", "2 ms"),
		row("1", 3*time.Hour, "ping", ArrivalNoSecret, "", "3 ms"),
	}
	rows[7].Entry, rows[7].ProviderID = Link{Label: "intercom, 2 entries"}, ""
	rows[8].Test = true
	return rows
}

func sampleNotifications() NotificationsPage {
	return NotificationsPage{
		Frame: frame("Webhooks", SectionWebhooks), Lead: "1,284 in 24 hours, 3 refused. Newest first, times are UTC.",
		Verdicts: []Choice{{"", "All", true}, {"ok", "Accepted", false}, {"refused", "Refused", false}}, Entry: "acme:intercom", Topic: "company.created",
		Account: "a86dr8yl", From: "2026-09-17T00:00", To: "2026-09-17T15:00", Errors: []FieldError{{"from", "“yesterday” is no time. Write it as 2026-09-17T00:00."}}, Filtered: true,
		News:  NotificationList{Events: "/notifications/events?topic=company.created", Entries: true, Rows: sampleNewsRows(), Showing: "9 notifications"},
		Older: "/webhooks?before=1", Newest: "/webhooks", Again: "/webhooks?topic=company.created",
	}
}

func sampleNotification() NotificationPage {
	span := func(k SpanKind, t string) Span { return Span{k, t} }
	return NotificationPage{
		Frame: frame("company.created came from Intercom, unchanged", SectionWebhooks), Initial: "In", Topic: "company.created", Headline: "came from Intercom, unchanged",
		When: before(6 * time.Minute), For: Link{"acme:intercom", "/config/acme:intercom/webhooks"}, Answered: "answered with 200 after 38 ms",
		Download: "/notifications/acme:intercom/9/body", Arrival: ArrivalValid,
		Steps: []SignatureStep{
			{Title: "1. The header that came", What: "X-Hub-Signature", Code: true, Text: "Lower-case hex after the prefix sha1=.", Plain: "sha1=ea9080f499c6448b5de925915986dec6b5066c28"},
			{Title: "2. The key", What: "clientSecret of version 6", Text: "In force.", Fingerprint: fpNow},
			{Title: "3. The message", What: "The raw body", Text: "Every byte as it arrived, before anything parsed it.", Plain: "484 bytes"},
			{Title: "4. HMAC-SHA-1 of key and message", What: "Equal", Judged: true, Verdict: VerdictOK, Text: "Computed here, compared in constant time.", Plain: "sha1=ea9080f499c6448b5de925915986dec6b5066c28"},
		},
		Proves: "Whoever sent it knows the client secret, and no byte was changed on the way.",
		Content: Content{Caption: "application/json, 484 bytes, shown indented", Spans: []Span{
			span(SpanPlain, "{\n  "), span(SpanKey, `"type":`), span(SpanPlain, " \"notification_event\",\n  "), span(SpanKey, `"app_id":`), span(SpanPlain, " "), span(SpanRead, `"a86dr8yl"`),
			span(SpanPlain, ",\n  "), span(SpanKey, `"name":`), span(SpanPlain, ` "abc`), span(SpanOdd, `\u202e`), span(SpanPlain, "cba\"\n}"),
		}, Cut: "Only the first 64 KiB are shown."},
		Headers: []Line{{Key: "Accept:", Text: " application/json"}, {Key: "Authorization:", Text: "not kept", Redacted: true}},
		Facts: []NotificationFact{
			{Label: "Topic", Text: "company.created", Code: true}, {Label: "Workspace", Text: "a86dr8yl", Code: true}, {Label: "Attempt", Text: "1"},
			{Label: "Repeated", Link: Link{"It was there before", "/notifications/acme:intercom/4"}},
			{Label: "From", Text: "34.231.68.152", Code: true, Note: "One of the addresses that Intercom documents: US", Tone: VerdictOK},
			{Label: "Id", Text: "notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b3", Code: true},
		},
		Times: []NotificationFact{
			{Label: "Happened", When: before(7 * time.Minute)}, {Label: "Arrived", When: before(6 * time.Minute), Note: "1 minute later"},
			{Label: "Answered", Text: "200 after 38 ms", Note: "Intercom waits 5 s."},
		},
		Replay:  ReplayForm{"/notifications/acme:intercom/9/replay", "https://intern.acme.example/hooks", "This host may not be reached.", "The same bytes, signed anew with clientSecret of version 6."},
		Replays: []ReplayRow{{before(time.Minute), "owner@acme.example", "https://hooks.acme.example/intercom", VerdictOK, "200", "The target took it.", "88 ms", "/audit?target=acme:intercom"}, {before(2 * time.Minute), "owner@acme.example", "https://hooks.acme.example/intercom", VerdictWrong, "No answer", "Nothing listens there.", "2 ms", ""}},
		OfEntry: Link{"All notifications of acme:intercom", "/webhooks?entry=acme:intercom"}, OfLog: Link{"Everything about acme:intercom in the audit log", "/audit?target=acme:intercom"}, OfAccount: Link{"All of the workspace a86dr8yl", "/webhooks?account=a86dr8yl"},
	}
}

func sampleRefusedNotification() NotificationPage {
	p := sampleNotification()
	p.Headline, p.Arrival, p.Word, p.Answered = "was refused: its body was changed on the way", ArrivalMismatch, "Body changed", "answered with 401 after 14 ms"
	p.Why = Why{Heading: "The body was changed on the way", Text: "The signature holds for the body written anew without spaces.",
		Remedy: "Have the proxy pass the body on as it is.", Signer: Signed{"clientSecret of version 6, in force", fpNow, Link{"clientSecret of version 6, in force", "/config/acme:intercom?version=6"}},
		Facts: []Fact{{Label: "Body", Text: "written anew without spaces"}}, Tried: "96 variants were tried.", Action: Link{"Check the public address", "/settings#outside"}}
	p.Steps[3] = SignatureStep{Title: "4. HMAC-SHA-1 of key and message", What: "Different", Judged: true, Verdict: VerdictWrong, Text: "None of the accepted secrets gives it."}
	p.Proves, p.Replay, p.Content = "Nobody can tell who sent these bytes.", ReplayForm{}, Content{Caption: "No content type, 0 bytes"}
	return p
}

func sampleHookState() HookState {
	return HookState{VerdictWarning, "3 were refused in 24 hours", "1,284 came in 24 hours.", before(6 * time.Minute),
		Link{"See the refused ones", "/webhooks?entry=acme%3Aintercom&verdict=refused"}}
}

func sampleSendTest() SendTest {
	return SendTest{Topics: []Choice{{"ping", "ping", true}, {"company.created", "company.created", false}}, Note: "BackOffice signs it and posts it to its own public address, as Intercom would.",
		Error: "There is no such topic.", Result: SentTest{Verdict: VerdictWrong, Heading: "The test notification did not arrive", Text: "Look at the proxy.", Link: Link{"See the notification", "/notifications/acme:intercom/1"},
			Steps: []SignatureStep{{Title: "1. Sent", What: "ping", Code: true, Text: "To the public address.", Plain: "notif_1"}, {Title: "2. Answered", What: "502", Judged: true, Verdict: VerdictWrong, Text: "After 12 ms."}, {Title: "3. Arrived", What: "No", Judged: true}, {Title: "4. Verdict", What: "None", Judged: true}}}}
}
