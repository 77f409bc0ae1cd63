package templates

import "net/url"

// An EntryHead is what all tabs of an entry share: its name, its state in one
// sentence, its actions, the tabs. The sentence reads
//
//	Works: version 6 is in force, tested 2 hours ago by ops@acme.example. Version 7 is pending and fails.
type EntryHead struct {
	ID        string // "acme:intercom"
	Initial   string // "In"
	Connector string // key of its definition; "" for a plain entry
	Health    Health
	State     string // "version 6 is in force"; "nothing is in force yet"
	Tested    Time   // of what is in force; the zero Time leaves the test out of the sentence
	TestedBy  string
	TestedHow string // "without consent"; "" for a consent run
	More      string // further sentences: "Version 7 is pending and fails."; "" for none
	Tab       Tab    // which is open

	TestVersion  string // number of the version that the button Test connection tests; "" draws no button
	TestNote     string // what a test does, beside its button
	ScopeCount   string // declared permissions; "" hides the number
	TopicCount   string
	VersionCount string
	HasScopes    bool // its definition knows permissions: draws the tab
	HasWebhooks  bool
	HasGuide     bool   // there is a guide to set it up: draws the tab
	GuideCount   string // "4 of 7"; "" hides it

	May May // what the person may do with it

	Rotation string // how far the replacement of the client secret has come; "" if none is open
	Reverted Notice // that a version came back by itself
}

// A Tab is a page of an entry.
type Tab int

// The tabs. TabNone is for pages of an entry that are no tab.
const (
	TabNone Tab = iota
	TabValues
	TabTest
	TabScopes
	TabWebhooks
	TabHistory
	TabGuide
)

// entryPath is the address of an entry, or of a page beneath it.
func entryPath(id, page string) string {
	path := "/config/" + url.PathEscape(id)
	if page != "" {
		path += "/" + page
	}
	return path
}

// A StandingVersion is one version that a label points at.
type StandingVersion struct {
	Number string // "6"; "" if the label points at nothing
	Health Health
	Fact   string // "Client secret wrong"; "" says the word of the health
	Did    string // "Promoted", "Saved"
	When   Time
	By     string
	Reason string
	More   string // "Version 5 is accepted beside it until 24 September, 09:20 UTC.", "Changes 1 of 6 values."
}

// Known reports whether the label points at a version.
func (s StandingVersion) Known() bool { return s.Number != "" }

// Standing is what is in force, what is pending and what is still accepted.
type Standing struct {
	Current  StandingVersion
	Pending  StandingVersion
	Previous StandingVersion // no longer in force, accepted until its deadline; drawn as a line
}

// EntryValuesPage is GET /config/:id, tab Values, of one version.
type EntryValuesPage struct {
	Frame
	Entry    EntryHead
	Standing Standing
	Approval ApprovalPanel
	Doubtful string // heads Doubts: "Look at two values again"
	Doubts   []Doubt
	Mend     Link   // where the doubtful values can be changed
	Notice   Notice // "Promoting version 7 now would break Intercom for every consumer"

	Heading  string        // "Six values, one changed"
	Version  string        // number of the version shown
	Versions []VersionPill // the versions that can be shown here
	Against  string        // "version 6": heads the column that compares; "" draws no such column
	Rows     []ValueRow
	FootText string // "callbackUrl is not set, so the default holds:"; "" for none
	FootCode string // the address that holds

	Revision string      // of the entry, for the forms
	Promote  PromoteForm // the zero PromoteForm draws no form
	Compare  CompareForm // the zero CompareForm draws no form
	Expiries []ExpiryForm
	Hours    []Choice      // how long the previous version stays accepted: 0, 1, 24, 168
	Discard  DiscardChoice // the zero DiscardChoice draws no button
}

// A VersionPill chooses the version that is shown: ?version=N.
type VersionPill struct {
	Number string
	Label  string // "Version 7, pending"
	Chosen bool
}

// A ValueRow is one key of a version.
type ValueRow struct {
	Key       string
	Shown     Shown
	Changed   bool   // against the version compared with: the row is marked
	Compared  string // "Same", "New"; beside the badge if Changed: "equals version 4"
	Set       Time   // when this value was set
	SetBy     string
	CanReveal bool   // sealed, and the user may reveal it
	Rotates   bool   // it is the client secret, and one is in force: there is a flow to replace it
	Expires   string // "Expires on 31 January 2027, in 12 days."; "" if no date is known
	Late      bool   // the date is near, or past
	Doubts    string // reasons to look at it again
	Cleaned   string // what saving this version took off it
}

// An ExpiryForm says when one secret of the version shown expires. It posts key,
// version and expires to /config/:id/expiry.
type ExpiryForm struct {
	Key   string
	Label string
	Date  string // "2027-01-31", as typed or kept
	Error string
	Note  string // who said it, and when
}

// Control is the id of the form's control.
func (f ExpiryForm) Control() string { return "expires-" + slug(f.Key) }

// A PromoteForm puts a version in force. It posts version, revision, hours and
// reason to /config/:id/promote.
type PromoteForm struct {
	Version string // "" draws no form
	Current string // number of what is in force now; "" if nothing is
	Effect  string // what promoting does: "Version 7 takes the place of version 6 for every consumer."
	Warning string // why one should think twice: "Its test says that the client secret is wrong."
	Reason  string // as typed
	Errors  []FieldError
}

// Shown reports whether there is something to promote.
func (f PromoteForm) Shown() bool { return f.Version != "" }

// A DiscardChoice throws a pending version away. It posts version and revision
// to /config/:id/discard.
type DiscardChoice struct {
	Version string // "" draws no button
	Effect  string // what is lost: "Its values cannot be brought back. Version 6 stays in force."
}

// Shown reports whether there is something to discard.
func (d DiscardChoice) Shown() bool { return d.Version != "" }

// A CompareForm says whether a paste is a stored secret, by fingerprint. It
// posts paste and key to /config/:id/compare; the paste never comes back.
type CompareForm struct {
	Keys   []Choice // sealed keys of the entry; empty draws no form
	Error  string
	Result []LineupRow // first the paste, then the versions; empty before a comparison
	Answer string      // "Your paste is the client secret of version 6, which is in force."
}

// A LineupRow is a fingerprint in a list of fingerprints: equal bars mean an
// equal value.
type LineupRow struct {
	Label       string // "Version 6, in force"
	Fingerprint Fingerprint
	Same        bool    // equals the one that is asked about
	Verdict     Verdict // with Word; VerdictNotChecked with an empty Word draws Note instead
	Word        string  // "The same", "Different", "Refused now"
	Note        string  // "40 characters"
}

// RevealPage is GET /config/:id/reveal: it asks for the password and a reason
// before a secret is shown. It posts version, key, password and reason there.
type RevealPage struct {
	Frame
	Entry       EntryHead
	Version     string
	Key         string
	Stored      Shown  // the fingerprint and the length of what would be shown
	Reason      string // as typed
	Asks        bool   // for the password, which was not given a moment ago
	Passkey     bool   // the person has one, which will do as well
	ReasonError string
}

// asksPasskey reports whether a passkey is asked for in place of the password.
func (p RevealPage) asksPasskey() bool { return p.Asks && p.Passkey }

// Errors lists the faults of the form for its summary.
func (p RevealPage) Errors() []FieldError {
	return faults("reason", p.ReasonError)
}

// RevealedPage is the answer to POST /config/:id/reveal, the one page that
// shows a secret. Value is the only field of any view model that holds one. The
// server sends it with Cache-Control: no-store and Refresh: 30; url=Hide, which
// hides the secret where scripts are off.
type RevealedPage struct {
	Frame
	Entry   EntryHead
	Version string
	Key     string
	Stored  Shown
	Value   string // the secret
	Seconds string // "30": after them the value is gone from the page
	Hide    string // where to go then: the Values tab
}

// DeletePage is GET /config/:id/delete. It posts confirm (the id, typed) and
// revision there.
type DeletePage struct {
	Frame
	Entry    EntryHead
	Breaks   []string // what stops working, one sentence each
	Keeps    []string // what stays: "Its 31 events stay in the audit log."
	Revision string
	Typed    string
	Error    string // "That is not the id."
}

// LeavePage is the answer to POST /config/:id/consent: "Going to Intercom". The
// server adds a Refresh header that opens the same address by itself.
type LeavePage struct {
	Frame
	Entry    EntryHead
	Provider string // "Intercom"
	Version  string // that is tested: "7, pending"
	URL      string // authorization URL with its one-time state
	Host     string // of URL: "app.intercom.com"
	Asks     string // what will be asked there: "Sign in and approve the app."
	Back     string // the redirect URI to which the provider sends the browser back
	Expires  string // "10 minutes"
}

// A tabLink is one tab of an entry.
type tabLink struct {
	URL, Label, Count string
	Open              bool
}

// tabs are the tabs that this entry has, with the open one marked.
func (h EntryHead) tabs() []tabLink {
	tabs := []tabLink{
		{entryPath(h.ID, ""), "Values", "", h.Tab == TabValues},
		{entryPath(h.ID, "test"), "Test", "", h.Tab == TabTest},
	}
	if h.HasScopes {
		tabs = append(tabs, tabLink{entryPath(h.ID, "scopes"), "Scopes", h.ScopeCount, h.Tab == TabScopes})
	}
	if h.HasWebhooks {
		tabs = append(tabs, tabLink{entryPath(h.ID, "webhooks"), "Webhooks", h.TopicCount, h.Tab == TabWebhooks})
	}
	tabs = append(tabs, tabLink{entryPath(h.ID, "history"), "History", h.VersionCount, h.Tab == TabHistory})
	if h.HasGuide {
		tabs = append(tabs, tabLink{entryPath(h.ID, "guide"), "Set-up guide", h.GuideCount, h.Tab == TabGuide})
	}
	return tabs
}

// quiet is h on a page that is about one act: no tab is open, and no other act
// is offered.
func (h EntryHead) quiet() EntryHead {
	h.Tab = TabNone
	return h
}

// acts reports whether the actions are drawn.
func (h EntryHead) acts() bool { return h.Tab != TabNone && (h.May.Write || h.May.Test) }

// testClass makes Test connection the main button, but for the tabs whose main
// button saves.
func (h EntryHead) testClass() string {
	if h.Tab == TabScopes || h.Tab == TabWebhooks {
		return "btn"
	}
	return "btn is-main"
}

// how stands between "tested" and the time.
func (h EntryHead) how() string {
	if h.TestedHow == "" {
		return ""
	}
	return h.TestedHow + " "
}

// rest ends the sentence about the state.
func (h EntryHead) rest() string {
	if h.More == "" {
		return "."
	}
	return ". " + h.More
}

// tail is what stands after the time: who, why, and what else is to say.
func (s StandingVersion) tail() string {
	out := ""
	if s.By != "" {
		out += " by " + s.By
	}
	if s.Reason != "" {
		out += ": “" + s.Reason + "”"
	}
	out += "."
	if s.More != "" {
		out += " " + s.More
	}
	return out
}

// sentence is the line about the version that is still accepted.
func (s StandingVersion) sentence() string {
	return "Version " + s.Number + " was in force before. " + s.More
}

// plainID is the id of the element that holds the row's plain value.
func (r ValueRow) plainID() string { return "plain-" + slug(r.Key) }

// canCopy reports whether the row has a plain value to carry elsewhere.
func (r ValueRow) canCopy() bool { return !r.Shown.Sealed && r.Shown.Plain != "" }

// testable reports whether the button Test connection is drawn.
func (h EntryHead) testable() bool { return h.TestVersion != "" && h.May.Test }
