package templates

import "cmp"

// An ApprovalPanel is what an entry asks of a version before it is put in force, and
// what of it there is.
type ApprovalPanel struct {
	Words  string // "A second person has to approve a version before it is put in force."; "" draws nothing
	Quiet  bool   // nothing is asked for: a line is enough
	Steps  []ApprovalStep
	Review Link // "Review version 7"; the zero Link draws no button
	Change Link // "Change the rule"; the zero Link draws none
}

// acts reports whether there is something to press.
func (p ApprovalPanel) acts() bool { return p.Review.Known() || p.Change.Known() }

// An ApprovalStep is one thing that was decided or is waited for.
type ApprovalStep struct {
	Verdict Verdict
	Word    string // "Waits for a second person", "Approved", "Rejected", "Tested"
	By      string // "ops@acme.example"; "" for nobody
	When    Time
	Comment string
}

// tail is what stands after the time.
func (s ApprovalStep) tail() string {
	if s.Comment == "" {
		return "."
	}
	return ": “" + s.Comment + "”"
}

// An ApprovalPage is GET /config/:id/approve: what is approved, and the forms that do
// it. They post version, revision, hash and reason to /config/:id/approve and
// /config/:id/reject.
type ApprovalPage struct {
	Frame
	Entry    EntryHead
	Panel    ApprovalPanel
	Version  string
	Current  string // number of what is in force; "" if nothing is
	Revision string
	Hash     string // content hash of Version, which is what is approved
	Short    string // its beginning, for people
	Author   string
	Saved    Time
	Why      string // the reason of the version; "" if none was given
	Heading  string // "Version 7 changes one thing of version 6"
	Changes  []DiffLine
	Doubtful string // heads Doubts
	Doubts   []Doubt

	MayNot      string // why this person cannot approve it; "" if they can
	CanReject   bool
	Withdraws   bool // rejecting withdraws an approval
	Reason      string
	ReasonError string
}

// heading says what is approved.
func (p ApprovalPage) heading() string { return cmp.Or(p.Heading, "What changes") }

// rejectWord is what the button of the second form does.
func (p ApprovalPage) rejectWord() string {
	if p.Withdraws {
		return "Withdraw the approval"
	}
	return "Reject version " + p.Version
}

// A RulePage is GET /config/:id/rule. It posts rule, revision and reason there.
type RulePage struct {
	Frame
	Entry       EntryHead
	Revision    string
	Rules       []Choice // "" follows the instance
	Owners      bool     // only an owner can lower the rule of now
	Reason      string
	RuleError   string
	ReasonError string
	Notice      Notice
}

// Errors lists the faults of the form for its summary.
func (p RulePage) Errors() []FieldError {
	return faults("rule", p.RuleError, "reason", p.ReasonError)
}

// Errors lists the faults of the form for its summary.
func (p ApprovalPage) Errors() []FieldError { return faults("reject-reason", p.ReasonError) }
