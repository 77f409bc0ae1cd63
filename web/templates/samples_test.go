package templates

import (
	"time"

	"github.com/a-h/templ"
)

// sampleNow is the instant at which the samples are seen.
var sampleNow = time.Date(2026, 9, 17, 14, 36, 40, 0, time.UTC)

func before(d time.Duration) Time { return TimeAt(sampleNow.Add(-d), sampleNow) }

const (
	fpOld = Fingerprint("9c41e07b5d2f")
	fpNow = Fingerprint("3b8fa2d6c914")
	id    = "5b1c7f0e-3c44-4c0e-9a7a-2f1d6be0c9d3"
)

// A sample is a page as it may be seen, full or with nothing in it.
type sample struct {
	name string
	page templ.Component
}

func frame(title string, s Section) Frame {
	return Frame{
		Title: title, Section: s, User: "owner@acme.example", Environment: "Production", Version: "1.4.0",
		EventCount: "48,213", EntryCount: "25", ConnectorCount: "55", Path: "/config/acme:intercom?version=7", May: mayAll,
	}
}

// mayAll is somebody who may do everything.
var mayAll = May{Write: true, Promote: true, Delete: true, Test: true, Audit: true, Team: true, Settings: true, People: true, Radar: true}

func stageAround() Stage {
	return Stage{Environment: "Production", Host: "backoffice.acme.example", Version: "1.4.0"}
}

func entryHead(tab Tab) EntryHead {
	return EntryHead{
		ID: "acme:intercom", Initial: "In", Connector: "intercom", Health: HealthWorks,
		State: "version 6 is in force", Tested: before(2 * time.Hour), TestedBy: "ops@acme.example",
		More: "Version 7 is pending and fails.", Tab: tab, TestVersion: "7", TestNote: sampleTestNote, TestedHow: "without consent",
		ScopeCount: "10", VersionCount: "7", HasScopes: true, HasWebhooks: true, May: mayAll,
	}
}

func hours() []Choice {
	return []Choice{{"0", "Not at all", false}, {"1", "For one hour", false}, {"24", "For a day", true}, {"168", "For a week", false}}
}

// fullPages has one sample of every page with everything in it.
func fullPages() []sample {
	toasted := frame("Values · acme:intercom", SectionConfiguration)
	toasted.Toast, toasted.ToastRecord = "Saved as version 7, pending", "/audit/48210"
	values := sampleValues()
	values.Frame = toasted
	rehearsal := frame("Test · acme:intercom", SectionConfiguration)
	rehearsal.Rehearsal, rehearsal.Staging, rehearsal.Environment = true, true, "Staging"
	rehearsal.AddressWarning = "You are at http://localhost:8080, but the public URL is https://backoffice.acme.example: redirect URIs are built from the public URL."
	works := sampleWorks()
	works.Frame = rehearsal
	return []sample{
		{"setup", Setup(SetupPage{Stage: Stage{Version: "1.4.0"}, OneTime: "one-time", PublicURL: "https://backoffice.acme.example", Email: "owner@acme.example", PasswordError: "The password has 9 characters; it needs at least 12.", MinLength: "12"})},
		{"team", Team(sampleTeam())},
		{"confirm", Confirm(ConfirmPage{Frame: frame("Your password again", SectionNone), Action: "/team/invite", Fields: []CarriedField{{"email", "new@acme.example"}}, PasswordError: "This is not your password."})},
		{"factor", Factor(FactorPage{Frame: frame("Second factor", SectionNone), On: true, Since: before(time.Hour), Left: "10 of 10 left", Codes: []string{"abcd-efgh-ijkl-mnop"}})},
		{"factor-passkeys", Factor(FactorPage{Frame: frame("Second factor", SectionNone), On: true, Required: true, Since: before(time.Hour), Left: "9 of 10 left", Passkeys: samplePasskeys(), NewName: "Firefox on Linux", NameError: "A name has at most 60 characters.",
			Notice: Notice{Verdict: VerdictWrong, Heading: "No passkey was added", Text: "This passkey is registered already.", Refused: true}})},
		{"factor-making", Factor(FactorPage{Frame: frame("Second factor", SectionNone), NewName: "Work laptop", Question: `{"publicKey":{}}`})},
		{"factor-nowhere", Factor(FactorPage{Frame: frame("Second factor", SectionNone), NoPasskeys: "The public URL is http://127.0.0.1:8080."})},
		{"confirm-passkey", Confirm(ConfirmPage{Frame: frame("Your password again", SectionNone), Action: "/team/invite", Passkey: true, PasskeyError: "This passkey was not accepted."})},
		{"login-passkey", Login(LoginPage{Stage: stageAround(), Next: "/config", Passkeys: true})},
		{"login-code-passkey", LoginCode(LoginCodePage{Stage: stageAround(), OneTime: "sealed", Next: "/", App: true, Passkey: true})},
		{"login-code-passkey-only", LoginCode(LoginCodePage{Stage: stageAround(), OneTime: "sealed", Next: "/", Passkey: true, Error: "This passkey was not accepted."})},
		{"factor-required", Factor(FactorPage{Frame: frame("Second factor", SectionNone), Required: true})},
		{"factor-enrol", Factor(FactorPage{Frame: frame("Second factor", SectionNone), Enrols: true, Drawing: "M4 4h7v1h-7z", Size: "41", OneTimeKey: "ABCD EFGH", CodeError: "This code is not right."})},
		{"login-code", LoginCode(LoginCodePage{Stage: stageAround(), OneTime: "sealed", Next: "/", Error: "This code is not right."})},
		{"sign-in", SignInSettings(sampleSignIn())},
		{"sign-in-faults", SignInSettings(sampleSignInFaults())},
		{"login-provider", Login(LoginPage{Stage: stageAround(), Next: "/", Provider: "Sign in with Example ID", OwnersOnly: true})},
		{"login-confirm", LoginConfirm(LoginConfirmPage{Stage: stageAround(), OneTime: "one-time", Button: "Sign in with Example ID"})},
		{"login-link", LoginLink(LoginLinkPage{Stage: stageAround(), OneTime: "sealed", Email: "ops@acme.example", Next: "/", PasswordError: "This is not the password of your account here."})},
		{"door-leave", DoorLeave(DoorLeavePage{Stage: stageAround(), Host: "login.example.com", URL: "https://login.example.com/authorize?state=x", Back: "/login"})},
		{"confirm-provider", ConfirmAtProvider(ConfirmPage{Frame: frame("Sign in once more", SectionNone), Action: "/team/invite", Fields: []CarriedField{{"email", "new@acme.example"}}, Button: "Sign in with Example ID"})},
		{"confirm-nowhere", ConfirmAtProvider(ConfirmPage{Frame: frame("Sign in once more", SectionNone), Action: "/team/invite"})},
		{"confirmed", Confirmed(ConfirmedPage{Frame: frame("You are confirmed", SectionNone), Action: "/team/invite", Fields: []CarriedField{{"email", "new@acme.example"}}})},
		{"invite-provider", Invite(InvitePage{Stage: stageAround(), OneTime: "one-time", Email: "new@acme.example", Role: "editor", Entries: "acme:*", By: "owner@acme.example", MinLength: "12", Provider: "Sign in with Example ID", NoOwn: true})},
		{"account-provider", Account(AccountPage{Frame: frame("Account", SectionNone), Sessions: sampleSessions(), Created: before(time.Hour), MinLength: "12", Provider: "login.example.com", NoOwn: true})},
		{"team-person", TeamMember(samplePerson())},
		{"team-person-disabled", TeamMember(PersonPage{Frame: frame("P", SectionTeam), URL: "/team/c", Email: "c@acme.example", Disabled: true, Form: sampleGrantForm().ofSomebody()})},
		{"invite", Invite(InvitePage{Stage: stageAround(), OneTime: "one-time", Email: "new@acme.example", Role: "editor", Entries: "acme:*", By: "owner@acme.example", Name: "Ada", NameError: "A name is one line of text.", PasswordError: "Choose a password.", RepeatError: "The two passwords differ.", MinLength: "12"})},
		{"login", Login(LoginPage{Stage: stageAround(), Email: "owner@acme.example", Next: "/config", Error: "E-mail or password is not right. Try again in 4 seconds.", Said: "You have signed out."})},
		{"overview", Overview(sampleOverview())},
		{"config-list", ConfigList(sampleList())},
		{"config-choose", ChooseConnector(ChooseConnectorPage{Frame: frame("Add an entry", SectionConfiguration), Query: "in", Connectors: sampleTiles(), ID: "Acme intercom", IDError: "An id is vendor:service or vendor:service:module, in lower-case letters, digits and dashes."})},
		{"entry-new", EntryForm(sampleNewForm())},
		{"entry-edit", EntryForm(sampleEditForm())},
		{"entry-values", EntryValues(values)},
		{"entry-reveal", Reveal(RevealPage{Frame: frame("Reveal clientSecret · acme:intercom", SectionConfiguration), Entry: entryHead(TabNone), Version: "7", Key: "clientSecret", Stored: SealedValue(fpOld, "40 characters"), Reason: "Check against the Developer Hub", Asks: true})},
		{"entry-revealed", Revealed(RevealedPage{Frame: frame("clientSecret · acme:intercom", SectionConfiguration), Entry: entryHead(TabNone), Version: "7", Key: "clientSecret", Stored: SealedValue(fpOld, "40 characters"), Value: "not-a-real-secret-not-a-real-secret-0001", Seconds: "30", Hide: "/config/acme:intercom?version=7"})},
		{"entry-guide", EntryGuide(sampleGuide())},
		{"entry-test", EntryTest(sampleTest())},
		{"entry-test-works", EntryTest(works)},
		{"entry-test-live", EntryTest(sampleLive())},
		{"entry-test-diagnosis", EntryTest(sampleDiagnosis())},
		{"entry-test-compare", CompareRuns(sampleCompare())},
		{"trial", Trial(TrialPage{Frame: rehearsal, ID: "acme:intercom", Back: Link{"acme:intercom", "/config/acme:intercom"}, Kept: Link{"See it in the history of acme:intercom", "/config/acme:intercom/test/x"}, Report: sampleDiagnosis().Report})},
		{"trial-live", Trial(TrialPage{Frame: rehearsal, ID: "acme:intercom", Live: sampleLive().Live})},
		{"trial-refused", TrialRefused(TrialRefusedPage{Frame: rehearsal, Heading: "A field needs your attention", Faults: []Fact{{Label: "Client secret", Text: "Type it again."}}, Watch: Link{"Watch the test that is under way", "/trials/x"}})},
		{"entry-leave", Leave(LeavePage{Frame: rehearsal, Entry: entryHead(TabTest), Provider: "Intercom", Version: "7, pending", URL: "https://app.intercom.com/oauth?client_id=x&state=y", Host: "app.intercom.com", Asks: "Sign in there and approve the app. You come back here with the report.", Back: "https://backoffice.acme.example/auth/intercom/callback", Expires: "10 minutes"})},
		{"entry-scopes", EntryScopes(sampleScopes())},
		{"entry-webhooks", EntryWebhooks(sampleWebhooks())},
		{"notifications", Notifications(sampleNotifications())},
		{"notification", Notification(sampleNotification())},
		{"notification-refused", Notification(sampleRefusedNotification())},
		{"entry-history", EntryHistory(sampleHistory())},
		{"entry-approve", Approval(sampleApproval())},
		{"entry-rule", Rule(RulePage{Frame: frame("Approval · acme:intercom", SectionConfiguration), Entry: entryHead(TabNone), Revision: "19", Owners: true, Reason: "as typed", RuleError: "There is no such rule.", ReasonError: "Say why.", Notice: Notice{Verdict: VerdictWarning, Heading: "Nothing was saved", Text: "Ask an owner."}, Rules: []Choice{{"", "As the instance: nothing", false}, {"person", "A second person's approval", true}}})},
		{"entry-delete", Delete(DeletePage{Frame: frame("Delete acme:intercom", SectionConfiguration), Entry: entryHead(TabNone), Revision: "19", Typed: "acme:intercm", Error: "That is not the id: it is acme:intercom.", Breaks: []string{"Version 6 is in force: every consumer of acme:intercom gets no values from this moment on.", "All 7 versions and 12 test reports are deleted; their secrets cannot be brought back."}, Keeps: []string{"Its 31 events stay in the audit log."}})},
		{"connectors", Connectors(ConnectorsPage{Frame: frame("Connectors", SectionConnectors), Lead: "55 connectors, 54 built in and 1 of yours.", Connectors: sampleTiles()})},
		{"connector", Connector(sampleConnector())},
		{"audit", Audit(sampleAudit())},
		{"audit-event", AuditEvent(sampleEvent())},
		{"rotate", EntryRotate(sampleRotate())},
		{"rotate-short", EntryRotate(sampleRotateShort())},
		{"account", Account(AccountPage{Frame: frame("Account", SectionNone), Sessions: sampleSessions(), Created: before(250 * 24 * time.Hour), MinLength: "12", CurrentError: "That is not your password.", PasswordError: "The new password is the old one.", RepeatError: "The two do not match.", CalendarMade: before(time.Hour), CalendarAddress: "https://backoffice.acme.example/calendar/x.ics"})},
		{"settings", Settings(sampleSettings())},
		{"backup", Backup(sampleBackup())},
		{"backup-none", Backup(BackupPage{Frame: frame("Backup", SectionSettings), Verdict: VerdictNotChecked, Word: "None"})},
		{"keys", Keys(sampleKeys())},
		{"keys-resealing", Keys(sampleResealing())},
		{"keys-elsewhere", Keys(sampleKeysElsewhere())},
		{"keys-new", Keys(KeysPage{Frame: frame("Keys", SectionSettings), Keys: []SealingKey{{ID: "7a9b1c2d", State: VerdictOK, Word: "Seals", Since: before(time.Minute)}}, Writable: true})},
		{"outside-visit", OutsideVisit(OutsideVisitPage{Frame: frame("Check with your browser", SectionSettings), PublicURL: "https://backoffice.acme.example",
			Link: "https://backoffice.acme.example/auth/outside-in/callback", Until: "17 September, 12:10 UTC"})},
		{"outside-visit-back", OutsideVisit(OutsideVisitPage{Frame: frame("Check with your browser", SectionSettings), PublicURL: "https://backoffice.acme.example",
			Came: true, Back: true, Action: "https://backoffice.acme.example/webhooks/outside-in", Field: "text", Probe: "a+b", Until: "17 September, 12:10 UTC"})},
		{"search", Search(sampleSearch())},
		{"error", Error(sampleError(true))},
		{"error-stage", Error(sampleError(false))},
	}
}

// emptyPages has every page with nothing in it but what it cannot do without.
func emptyPages() []sample {
	f := Frame{Title: "Empty", User: "owner@acme.example", Version: "1.4.0"}
	bare := EntryHead{ID: "acme:plain", State: "nothing is in force yet"}
	return []sample{
		{"empty-setup", Setup(SetupPage{MinLength: "12"})},
		{"empty-login", Login(LoginPage{})},
		{"empty-overview", Overview(OverviewPage{Frame: f, Heading: "Nothing is kept here yet", NoEntries: true})},
		{"empty-overview-well", Overview(OverviewPage{Frame: f, Heading: "Everything works", Board: []BoardEntry{{"acme:intercom", HealthWorks}}})},
		{"empty-config-list", ConfigList(ConfigListPage{Frame: f})},
		{"empty-config", ConfigEmpty(ConfigEmptyPage{Frame: f, ConnectorCount: "55"})},
		{"empty-choose", ChooseConnector(ChooseConnectorPage{Frame: f, Query: "intercm", Nearest: "Nearest: Intercom."})},
		{"empty-form-new", EntryForm(EntryFormPage{Frame: f, New: true, Back: "/config"})},
		{"empty-form-edit", EntryForm(EntryFormPage{Frame: f, ID: "acme:plain", Back: "/config"})},
		{"empty-values", EntryValues(EntryValuesPage{Frame: f, Entry: bare, Heading: "No values"})},
		{"empty-reveal", Reveal(RevealPage{Frame: f, Entry: bare})},
		{"empty-revealed", Revealed(RevealedPage{Frame: f, Entry: bare, Seconds: "30", Hide: "/config/acme:plain"})},
		{"empty-test", EntryTest(EntryTestPage{Frame: f, Entry: bare, Provider: "Intercom", CanToken: true, Starts: []TestStart{{Version: "1", Label: LabelPending}}})},
		{"empty-compare", CompareRuns(CompareRunsPage{Frame: f, Entry: bare, Heading: "No verdict changed", Values: "Both runs tested the same values.", Before: ComparedRun{Run: "a", Name: "Then"}, After: ComparedRun{Run: "b", Name: "Now"}})},
		{"empty-trial-refused", TrialRefused(TrialRefusedPage{Frame: f, Heading: "Nothing was tested", Message: "The entry was deleted."})},
		{"empty-no-test", EntryTest(EntryTestPage{Frame: f, Entry: bare, NoTest: "No definition knows this connector, so there is no handshake to test."})},
		{"empty-leave", Leave(LeavePage{Frame: f, Entry: bare, URL: "https://provider.example/authorize"})},
		{"empty-guide", EntryGuide(EntryGuidePage{Frame: f, Entry: bare, Heading: "Nothing is left to do"})},
		{"empty-guide-none", EntryGuide(EntryGuidePage{Frame: f, Entry: bare, None: "No definition knows this service."})},
		{"empty-scopes", EntryScopes(EntryScopesPage{Frame: f, Entry: bare, Heading: "No permissions"})},
		{"empty-scopes-none", EntryScopes(EntryScopesPage{Frame: f, Entry: bare, None: "No definition knows this connector."})},
		{"empty-webhooks", EntryWebhooks(EntryWebhooksPage{Frame: f, Entry: bare, Heading: "No topics"})},
		{"empty-webhooks-none", EntryWebhooks(EntryWebhooksPage{Frame: f, Entry: bare, None: "No definition knows this connector."})},
		{"empty-webhooks-news", EntryWebhooks(EntryWebhooksPage{Frame: f, Entry: bare, Heading: "No topics", ShowsNews: true, News: NotificationList{Nothing: Empty{Heading: "Nothing has come yet", Text: "Register the URL."}}})},
		{"empty-notifications", Notifications(NotificationsPage{Frame: f, Again: "/webhooks", News: NotificationList{Nothing: Empty{"No notification has come yet", "Register the URL.", Link{"Open the entry", "/config/acme:intercom/webhooks"}}}})},
		{"empty-notification", Notification(NotificationPage{Frame: f, Headline: "came", For: Link{Label: "intercom"}, Download: "/notifications/intercom/1/body"})},
		{"empty-history", EntryHistory(EntryHistoryPage{Frame: f, Entry: bare, Count: "No version"})},
		{"empty-approve", Approval(ApprovalPage{Frame: f, Entry: bare})},
		{"empty-rule", Rule(RulePage{Frame: f, Entry: bare})},
		{"empty-delete", Delete(DeletePage{Frame: f, Entry: bare})},
		{"empty-connectors", Connectors(ConnectorsPage{Frame: f})},
		{"empty-connector", Connector(ConnectorPage{Frame: f, Key: "plain", Name: "Plain"})},
		{"empty-team", Team(TeamPage{Frame: f})},
		{"empty-confirm", Confirm(ConfirmPage{Frame: frame("C", SectionNone), Action: "/account/proof"})},
		{"empty-audit", Audit(AuditPage{Frame: f})},
		{"empty-audit-filtered", Audit(AuditPage{Frame: f, Filtered: true})},
		{"empty-audit-cut", Audit(AuditPage{Frame: f, Filtered: true, Cut: true, Older: "/audit?text=x&before=9"})},
		{"empty-audit-event", AuditEvent(AuditEventPage{Frame: f, Number: "0", Heading: "Something happened"})},
		{"empty-rotate", EntryRotate(EntryRotatePage{Frame: f, Entry: bare, None: "Nothing of this entry is in force, so there is no secret to replace."})},
		{"empty-account", Account(AccountPage{Frame: f, MinLength: "12"})},
		{"empty-settings", Settings(SettingsPage{Frame: f})},
		{"empty-search", Search(SearchPage{Frame: f, Query: "nothing"})},
		{"empty-search-nothing", Search(SearchPage{Frame: f})},
		{"empty-error", Error(ErrorPage{Frame: f, Heading: "This page could not be opened"})},
	}
}

func samplePasskeys() []PasskeyRow {
	return []PasskeyRow{{Which: "a", Name: "Work laptop", Kind: "Bound to one device", Created: before(time.Hour)},
		{Which: "b", Name: "Phone", Kind: "Synced between devices", Created: before(time.Hour), Used: before(time.Minute), Stopped: before(time.Minute), Elsewhere: "old.example"}}
}

func sampleTiles() []ConnectorTile {
	return []ConnectorTile{
		{"intercom", "Intercom", "In", "Conversations with customers, contacts and tickets.", "acme:intercom", "2 entries"},
		{"linkedin", "LinkedIn", "Li", "Profiles, companies and posts.", "acme:linkedin", ""},
		{"google:drive", "Google Drive", "Gd", "Files and folders of Google Workspace.", "acme:google:drive", "1 entry"},
		{"zoom", "Zoom", "Zo", "Meetings, recordings and users.", "acme:zoom", ""},
	}
}

func sampleOverview() OverviewPage {
	return OverviewPage{
		Alarm:   Notice{Verdict: VerdictWrong, Heading: "The audit log is not what was signed", Text: "Event 7 was changed.", Link: Link{"See how the log stands", "/audit#proof"}},
		Frame:   frame("Overview", SectionOverview),
		Heading: "Two connectors are broken, one pending change fails its test",
		Summary: "17 of 25 entries work; 5 wait for a first or a new test.",
		Attention: []AttentionRow{
			{"acme:microsoft", "Ms", HealthWrong, "Client secret is wrong", "In force, so consumers get no tokens. First seen 5 hours ago.", Link{"Replace the secret", "/config/acme:microsoft/edit"}},
			{"acme:hubspot", "Hs", HealthWrong, "Redirect URI is wrong", "Version 8 changed callbackUrl yesterday. Version 7 worked.", Link{"Compare with version 7", "/config/acme:hubspot/history?left=7&right=8"}},
			{"acme:intercom", "In", HealthWrong, "Pending version 7 has a wrong client secret", "Nobody is affected: version 6 stays in force and works.", Link{"See the diagnosis", "/config/acme:intercom/test"}},
			{"acme:notion", "No", HealthInconclusive, "The test is inconclusive", "Notion answered with status 429, so nothing can be said about the secret.", Link{"Test again", "/config/acme:notion/test"}},
		},
		Tally: []HealthCount{{HealthWorks, "17"}, {HealthWrong, "2"}, {HealthInconclusive, "1"}, {HealthStale, "3"}, {HealthNotTested, "2"}},
		Board: []BoardEntry{
			{"acme:airtable", HealthWorks}, {"acme:asana", HealthWorks}, {"acme:calendly", HealthStale}, {"acme:docusign", HealthWorks},
			{"acme:dropbox", HealthWorks}, {"acme:figma", HealthWorks}, {"acme:github", HealthWorks}, {"acme:google:analytics", HealthNotTested},
			{"acme:google:drive", HealthWorks}, {"acme:google:gmail", HealthStale}, {"acme:hubspot", HealthWrong}, {"acme:intercom", HealthWorks},
			{"acme:microsoft", HealthWrong}, {"acme:microsoft:dynamics", HealthWorks}, {"acme:notion", HealthInconclusive}, {"acme:internal-tool", HealthNoTest},
		},
		BoardMore: "Show all 25 entries",
		Awaited:   []PendingRow{{"acme:intercom", "7", HealthWorks, "", "Changes clientSecret", "waits for approval", "integrations@acme.example", before(12 * time.Minute)}},
		AwaitMore: "3 versions more",
		Pending: []PendingRow{
			{"acme:intercom", "7", HealthWrong, "Client secret wrong", "Changes clientSecret", "waits for approval", "integrations@acme.example", before(12 * time.Minute)},
			{"acme:figma", "7", HealthWorks, "", "Adds the scope webhooks:write", "", "integrations@acme.example", before(3 * time.Hour)},
			{"acme:quickbooks", "8", HealthNotTested, "", "Sets sandbox to false", "is rejected", "ops@acme.example", before(4 * 24 * time.Hour)},
		},
		Events: []EventLine{
			{"48212", "Tested version 7 of acme:intercom", "integrations@acme.example", before(4 * time.Minute)},
			{"48210", "Saved version 7 of acme:intercom", "integrations@acme.example", before(12 * time.Minute)},
			{"48208", "Refused a sign-in", "ops@acme.example, from 198.51.100.7", before(31 * time.Minute)},
		},
		Radar: RadarPanel{
			Last: before(7 * time.Minute), Counts: []RadarCount{{VerdictOK, "16", "no change"}, {VerdictWrong, "1", "refused"}, {VerdictNotChecked, "4", "not calibrated"}},
			Turned:    []RadarRow{{"acme:microsoft", "Ms", "Client secret has expired", before(5 * time.Hour)}},
			Calibrate: "4 entries have nothing to be compared with. Use Test connection once on each; if that proves client ID and secret, the radar watches it from then on.",
		},
	}
}

func sampleList() ConfigListPage {
	columns := make([]Column, len(ListColumns))
	for i, c := range ListColumns {
		c.URL = "/config?sort=" + c.Name
		columns[i] = c
	}
	columns[0].Order = Ascending
	row := func(id, initial, connector string, h Health, version, pending string) EntryRow {
		return EntryRow{id, initial, connector, h, version, pending, before(5 * time.Hour), before(22 * 24 * time.Hour), "integrations@acme.example", ""}
	}
	rows := []EntryRow{
		row("acme:airtable", "Ai", "Airtable", HealthWorks, "4", ""),
		row("acme:calendly", "Ca", "Calendly", HealthStale, "5", ""),
		row("acme:figma", "Fi", "Figma", HealthWorks, "6", "7"),
		row("acme:google:analytics", "Ga", "Google Analytics", HealthNotTested, "none", "1"),
		row("acme:hubspot", "Hs", "HubSpot", HealthWrong, "8", ""),
		row("acme:intercom", "In", "Intercom", HealthWorks, "6", "7"),
		row("acme:internal-tool", "It", "No definition", HealthNoTest, "1", ""),
		row("acme:notion", "No", "Notion", HealthInconclusive, "3", ""),
	}
	rows[3].Tested = Time{}
	rows[5].Expires = "Client secret expires within a week"
	return ConfigListPage{
		Frame: frame("Configuration", SectionConfiguration), Lead: "10,000 entries, one for each OAuth app that the platform uses.",
		Query: "acme", Health: "works", Sort: "id", Dir: "asc",
		Pills: []Pill{
			{All: true, Count: "25", URL: "/config", Chosen: true}, {Health: HealthWrong, Count: "2", URL: "/config?health=wrong"},
			{Health: HealthInconclusive, Count: "1", URL: "/config?health=inconclusive"}, {Health: HealthStale, Count: "3", URL: "/config?health=stale"},
			{Health: HealthNotTested, Count: "2", URL: "/config?health=not-tested"}, {Health: HealthWorks, Count: "17", URL: "/config?health=works"},
		},
		Columns: columns, Rows: rows, Showing: "51 to 58 of 10,000 entries. Stale means: tested before the last change.",
		Next: "/config?after=acme:notion", Previous: "/config",
	}
}
