package templates

import "net/url"

// AuditPage is GET /audit: the log, newest first. Its form takes who, action,
// target, outcome, addr, text, from and to as a query.
type AuditPage struct {
	Frame
	Lead     string // "48,213 events."
	Text     string // as typed
	Addr     string // as typed
	Who      string // as typed
	Target   string // as typed
	From     string // as a datetime-local value: "2026-09-17T00:00"
	To       string
	Actions  []Choice
	Outcomes []Choice
	Errors   []FieldError // "from" is no time
	Filtered bool         // some filter is set
	Cut      bool         // the page ended early: older events may match
	Rows     []AuditRow
	Showing  string // "50 of 94 events"
	Events   string // address that tells of new ones; "" if the list does not go on
	Older    string // address of older events; "" if there are none
	Newest   string // address of the newest events; "" if these are they

	Chart     AuditChart
	State     LogState
	MayExport bool
	Chosen    []Choice // the filter, as an export takes it: names and values
}

// An AuditRow is one event. Its address is /audit/{Number}.
type AuditRow struct {
	Number  string // without commas
	Shown   string // "48,210"
	Time    Time   // drawn exactly
	Person  string
	Action  string // "Saved a version"
	Target  string
	Detail  string // "version 7"
	Verdict Verdict
	Outcome string // "Done", "Refused", "Failed"
	From    string // address
}

// AuditEventPage is GET /audit/:n: one event.
type AuditEventPage struct {
	Frame
	Number   string
	Heading  string // "integrations@acme.example saved version 7 of acme:intercom"
	When     Time
	Reason   string
	Note     string
	Changes  []ChangeRow
	Foot     Link // "Compare the versions"
	Target   Link // the entry or person that it is about, if it has a page
	Person   string
	Verdict  Verdict
	Outcome  string
	Address  string
	Request  string
	Leaf     string // hash of the event in the log
	Root     string // of the tree of TreeSize, in which the event was proven to stand
	TreeSize string // "48,213 events"; "" for who may not know
	Proof    ProofTree
	Steps    []ProofStep // of all of the proof; empty for who may not know how long the log is

	ProofWords string // what the proof shows
	Receipt    string // address of the receipt
	Related    []Link // other lists that the event is in, and what it is about
	Older      string // address of the event before; "" for none
	Newer      string
}

// A ProofTree is a picture of the way from an event up to the root, in units of
// ViewBox. Given and Path are lines; the boxes are hashes.
type ProofTree struct {
	Label, ViewBox, Given, Path string
	Boxes                       []ProofBox
}

// A ProofBox is one hash: given by the log, or computed.
type ProofBox struct {
	X, Y, Width, Height, TextX, TextY, Text string
	Given                                   bool
}

// A ProofStep is one hash that the log gives, of which events it is, and what it
// makes together with what was computed before.
type ProofStep struct{ Given, Of, Sum string }

// A ChangeRow is what one key or label was and what it became.
type ChangeRow struct {
	Key     string
	Code    bool // Key is a key of the entry: monospaced
	Before  Shown
	After   Shown
	Changed bool
}

// showsFoot reports whether there are changes that the foot can lead on from.
func (p AuditEventPage) showsFoot() bool { return len(p.Changes) > 0 && p.Foot.Known() }

// because ends the sentence under the heading.
func (p AuditEventPage) because() string {
	if p.Reason == "" {
		return "."
	}
	return ", with the reason “" + p.Reason + "”."
}

// historyOf is the log of what one person did, or of what is about one thing.
func historyOf(field, name string) string { return "/audit?" + field + "=" + url.QueryEscape(name) }
