package templates

import "strconv"

// EntryRotatePage is GET /config/:id/rotate: the client secret of an entry is
// replaced in steps, each with what shows how it stands. Its forms post to that
// address (do: "begin" with keeps; "paste" with revision, secret, expires, reason,
// then and hours; "end"), below it to /promote (revision, version, hours, minutes,
// reason) and /retire (revision, version, reason), and to /config/:id/test.
type EntryRotatePage struct {
	Frame
	Entry    EntryHead
	None     string // why there is nothing to replace, a whole sentence; "" if there is
	Notice   Notice
	Refused  string // heads Errors: "Nothing was saved"
	Errors   []FieldError
	Heading  string // "Step 3 of 6: test it"
	Lead     string
	Steps    []RotateStep
	Revision string
	Key      string // of the secret: "clientSecret"
	Label    string // "Client secret"

	Keeps   []RotateKeep
	Console Link
	Paste   RotatePaste
	Promote RotatePromote
	Retire  string // the version that can be retired; "" for none
	CanEnd  string // what the button that ends the rotation says; "" draws none
	Test    string // the version with the new secret, to be tested
	Was     string // the version with the old secret, to be tested; "" for none
	Uses    []RotateUse
	Since   Time // from when on Uses are counted
}

// A RotateStep is one step.
type RotateStep struct {
	N        int
	ID       string
	Title    string
	Verdict  Verdict // with Word
	Word     string  // "Done", "Now", "Later"
	Done     bool
	Now      bool
	Words    string
	Findings []GuideFinding
	Notes    []string
	Form     RotateForm
}

// A RotateForm is what can be done in a step.
type RotateForm int

// The forms.
const (
	RotateNoForm RotateForm = iota
	RotateBegin
	RotatePasteForm
	RotateTest
	RotatePromoteForm
	RotateWatch
	RotateRetire
)

// A RotateKeep is an answer to how many secrets the provider keeps.
type RotateKeep struct {
	ID      string
	Label   string
	Meaning string
	Chosen  bool
}

// A RotatePaste is the form for the new secret. What is pasted never comes back.
type RotatePaste struct {
	Error        string
	Expires      string // as typed
	ExpiresError string
	Reason       string
	Force        bool // it is put in force at once
	Hours        []Choice
	Warning      string // that a version which is pending loses its label
	Button       string
}

// A RotatePromote is the form that puts the new secret in force.
type RotatePromote struct {
	Version string
	Current string
	Hours   []Choice
	Minutes []Choice
	Off     string // why no check can run by itself; "" if it can
	Warning string
	Reason  string
	Error   string // about Minutes
}

// A RotateUse is how often a secret has signed notifications.
type RotateUse struct {
	Label       string // "The new secret, version 7"
	Fingerprint Fingerprint
	Old         bool
	Count       string
	Last        Time
	More        Link // the last notification
}

func (s RotateStep) number() string { return strconv.Itoa(s.N) }

// says is what the number of a step looks like, for who does not see it.
func (s RotateStep) says() string {
	if s.Done {
		return "Done: step " + s.number() + ": "
	}
	return "Step " + s.number() + ": "
}

// open reports whether the step is drawn in full: what is done can be unfolded.
func (s RotateStep) open() bool { return !s.Done }

func (p EntryRotatePage) path(page string) string {
	if page == "" {
		return entryPath(p.Entry.ID, "rotate")
	}
	return entryPath(p.Entry.ID, "rotate/"+page)
}
