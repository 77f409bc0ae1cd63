package templates

import "strings"

// EntryTestPage is GET /config/:id/test and GET /config/:id/test/:run: one
// report, the latest if none is chosen, or a test under way, and what can be run.
type EntryTestPage struct {
	Frame
	Entry     EntryHead
	NoTest    string // why this entry has no test, a whole sentence; "" if it has one
	Notice    Notice // "Tested before the last change"
	Refusal   Notice // why the test that was asked for did not start
	UnderWay  Notice // a test of this entry that is under way now
	Away      Notice // a consent run that has not come back
	Live      LiveRun
	HasReport bool // false: nobody has tested this version yet
	Report    Report

	Provider   string      // "Intercom"
	Starts     []TestStart // versions that can be tested; the first is the one to go on with
	StartNote  string      // "Version 7 has no client secret, so there is nothing to test."; "" for none
	CanToken   bool        // the definition has an identity call: draws the form for a test token
	TokenNote  string      // where to get a test token
	TokenError string      // why the one that was posted was not tried
	Versions   []Choice    // whose region and API version a test token is tried with

	RunFields []string // heads of the columns of Runs: "Client ID", "Client secret", …
	Runs      []RunRow // newest first
	Left      []Choice // runs to compare; fewer than two draw no form
	Right     []Choice
}

// untested heads the tab while there is no report.
func (p EntryTestPage) untested() string {
	if p.Away.Known() {
		return "No test of this entry has come back yet"
	}
	return "Nobody has tested this entry yet"
}

// A TestStart is a version that can be tested. Its forms post version to
// /config/:id/test, or to /config/:id/consent for a consent run.
type TestStart struct {
	Version string
	Label   Label
	Hint    string // "With this secret it stopped at the token."
	Main    bool   // the one to start with
}

// A Report is one run of a test, ready to show. Nothing in it is a secret:
// evidence carries fingerprints.
type Report struct {
	Verdict  Verdict
	Heading  string // "Client secret is wrong", "Works"
	Sentence string // who is affected
	Action   Link   // the first thing to do: "Replace the client secret"
	Fields   []FieldVerdict
	Version  string // "Version 7, pending"
	How      string // "Consent run", "Without consent", "Test token"
	Grid     bool   // six fields, in two rows of three
	When     Time
	Took     string
	By       string
	CaseFile string // address of the report as a file; "" if it is not kept
	Record   string // address of its event in the audit log; "" for who may not see it

	RemedyLead string // what is known about the cause
	Lineup     []LineupRow
	Remedy     []RemedyStep // empty: there is nothing to do

	Identity []Fact // whose token it was: workspace, region, admin
	Grants   GrantSummary
	Limits   []Fact // rate limits that the provider told
	Sure     string // how sure the verdict is, and why

	StepsHeading string   // "Five steps in 1.51 s"
	Ticks        []string // see Scale.Ticks
	Steps        []Step
	Controls     bool   // some of Steps were asked with made-up values
	NotRun       string // "Not run: permissions."; "" if everything was
}

// A GrantSummary is what a report found out about permissions, in short. The zero
// one is nothing.
type GrantSummary struct {
	Tally    []Fact   // "4 likely granted"
	Refused  []string // labels
	Unprobed string   // why not all was asked
	Ledger   string   // address of the tab Scopes
}

// Known reports whether something was found out.
func (s GrantSummary) Known() bool { return len(s.Tally) > 0 }

// refusedWords names what is refused.
func (s GrantSummary) refusedWords() string {
	if len(s.Refused) == 0 {
		return ""
	}
	return "Refused: " + strings.Join(s.Refused, ", ") + "."
}

// open reports whether there is something to do.
func (r Report) open() bool {
	return len(r.Remedy) > 0 || r.Verdict == VerdictWrong || r.Verdict == VerdictInconclusive
}

// remedyLead begins what to do. Where there is nothing to do it says so.
func (r Report) remedyLead() string {
	if r.RemedyLead == "" && len(r.Remedy) == 0 && len(r.Lineup) == 0 {
		return "All that was checked is right. Test again after a change at the provider."
	}
	return r.RemedyLead
}

// A FieldVerdict is what a report says about one field: client id, client
// secret, redirect URI, permission, reachability.
type FieldVerdict struct {
	Label       string
	Verdict     Verdict
	Word        string // "Missing"; "" says the word of the verdict
	Text        string // how it is known
	Plain       string // the value tested, if it is plain
	Fingerprint Fingerprint
	Confidence  string // "High confidence"; "" where the verdict is a proof, or says nothing
	Remedy      string // what to do about it
	Evidence    []Link // the steps that it rests on
}

// A RemedyStep is one thing to do, in plain words.
type RemedyStep struct {
	Text string
	Link Link
}

// A Fact is a name and what it stands for.
type Fact struct {
	Label   string
	Text    string
	Code    bool    // monospaced
	Verdict Verdict // drawn with Word if Word is not empty
	Word    string
}

// A Step is one step of a test, a row of the waterfall.
type Step struct {
	Name     string // "Exchange the code for a token"
	Hint     string // "secret refused"
	Verdict  Verdict
	Word     string // "Answered"; "" says the word of the verdict
	Bar      Bar    // see Scale.Bar
	Took     string
	Number   string // its place in the run: the row is #step-{Number}
	Control  bool   // it was asked with made-up values
	Open     bool   // its evidence is unfolded at first: the step that decided
	Evidence string // what the step proves
	Sent     Message
	Received Message
	Foot     string // "Only the named fields of an answer are kept."
}

// Anchor is the id to which the evidence of a verdict leads. It is inside of what
// unfolds: then browsers unfold it by themselves.
func (s Step) Anchor() string { return "step-" + s.Number }

// BarClass is the colour of the step's bar.
func (s Step) BarClass() string {
	if s.Control {
		return "is-control"
	}
	return s.Verdict.Class()
}

// HasEvidence reports whether the row unfolds.
func (s Step) HasEvidence() bool {
	return s.Evidence != "" || s.HasExchange()
}

// HasExchange reports whether something was sent or came back.
func (s Step) HasExchange() bool { return len(s.Sent.Lines) > 0 || len(s.Received.Lines) > 0 }

// A Message is one side of an exchange, redacted.
type Message struct {
	Meta    string  // "14:32:40.861 UTC", "401 Unauthorized"
	Verdict Verdict // with which Meta is drawn; VerdictNotChecked draws it plain
	Lines   []Line
}

// Judged reports whether Meta is drawn as a verdict.
func (m Message) Judged() bool { return m.Verdict != VerdictNotChecked }

// A Line is a line of a message: "client_id=" and its text, or a text alone.
type Line struct {
	Key      string // with its sign: "Location:", "client_id="; "" for none
	Text     string
	Redacted bool // Text stands for a value that was taken out: "9c41 e07b 5d2f · 40 characters"
	Strong   bool // Key is the method of the request
	Note     string
}

// A RunRow is an earlier run.
type RunRow struct {
	Run     string // its address is /config/:id/test/{Run}
	When    Time
	Verdict Verdict
	Result  string         // "Client secret wrong"
	How     string         // "Consent run", "Without consent", "Test token"
	Version string         // "7", "not saved"
	From    string         // "edited from 7", of a version that is not saved
	Fields  []FieldVerdict // in the order of RunFields
	Took    string
	By      string
	Chosen  bool // the one that the page shows
	Stale   bool // tested values that are no longer those of its label
}
