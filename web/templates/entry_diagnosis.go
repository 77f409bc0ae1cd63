package templates

// A LiveRun is a test under way. The zero LiveRun is none.
type LiveRun struct {
	Events   string   // address of its server-sent events
	Heading  string   // "Testing version 7"
	Sentence string   // what may be done meanwhile
	Doing    string   // the step under way: "Ask for a token"; "" between two
	By       string   // "Started by ops@acme.example"
	Fields   []string // that will have a verdict
	Report   Report   // Steps and Ticks of what is done
}

// Shown reports whether a test is under way.
func (l LiveRun) Shown() bool { return l.Events != "" }

// fieldsClass lays the fields out.
func (r Report) fieldsClass() string {
	if r.Grid {
		return "fields is-grid"
	}
	return "fields"
}

// grounded reports whether there is something to say about how the verdict is
// known.
func (f FieldVerdict) grounded() bool { return f.Confidence != "" || len(f.Evidence) > 0 }

// goOnWords are the words of the button that starts a consent run.
func (s TestStart) goOnWords(provider string) string {
	if s.Main {
		return "Go on in " + provider
	}
	return "Go on with version " + s.Version
}

// A TrialPage is GET /trials/:run: a test of values that are not saved, for who
// started it.
type TrialPage struct {
	Frame
	ID     string // of the entry that the values are meant for
	Back   Link   // to that entry; the zero Link if there is none yet
	Kept   Link   // the report in the history; the zero Link if it is not kept
	Live   LiveRun
	Report Report // if Live is none
	Notice Notice
}

// A TrialRefusedPage is the answer to POST /config/test-values if nothing was
// tested: the form is still open in another tab.
type TrialRefusedPage struct {
	Frame
	Heading string
	Message string
	Faults  []Fact // a field of the form, and what is wrong with it
	Watch   Link   // the test that is under way already; the zero Link for none
}
