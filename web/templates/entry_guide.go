package templates

import "strconv"

// EntryGuidePage is GET /config/:id/guide. All its forms post to that address: do
// says what ("tick", "skip", "untick" with step and note; "kind" with kind;
// "check" with step and item, repeated; "draft" with step, revision and a text
// draft.<counter> each).
type EntryGuidePage struct {
	Frame
	Entry    EntryHead
	None     string // why there is no guide, a whole sentence; "" if there is
	Heading  string // "Four of seven steps are done"
	Errors   []FieldError
	Refused  string // heads Errors: "Nothing was saved"
	CanWrite bool   // draws the forms
	Kinds    []GuideKind
	KindNote string // who chose, and when
	Steps    []GuideStep
	Seen     []Fact // what the provider's headers told
	Limits   string // heads the panel of limits and versions; "" draws none
	LimitsAt Link   // the report that Seen is from
	Rate     string // what the provider documents about its limit
	Versions []Fact // the API version that is sent, and the newest
	Version  string // what is not certain about versions
	Old      Notice
}

// A GuideKind is a kind of app to choose.
type GuideKind struct {
	ID      string
	Label   string
	Meaning string
	Chosen  bool
}

// A GuideStep is one step with its state.
type GuideStep struct {
	ID        string
	N         int
	Title     string
	Optional  bool
	Done      bool    // draws a tick instead of the number, and folds the step
	Verdict   Verdict // with Word
	Word      string  // "Done, Intercom knows the client ID", "To do"
	Words     string
	Findings  []GuideFinding
	Ticked    string // "ticked by hand"; "" if it is not: who and when follow
	TickedBy  string
	TickedAt  Time
	Note      string
	Copies    []GuideCopy
	Links     []Link
	Notes     []string
	Checklist []GuideItem
	Count     string // "3 of 9 done"
	Counters  []GuideCounter
	Revision  string // of the drafts
	Acts      []Link // pages of the product where the step goes on
	CanTick   bool
	CanSkip   bool
	CanUntick bool
}

// A GuideFinding is what is known about one part of a step.
type GuideFinding struct {
	Verdict Verdict
	Text    string // a sentence
	When    Time
	By      string
	More    Link // the report, or the notification
}

// A GuideCopy is a value to carry to the provider.
type GuideCopy struct {
	ID    string // of its control
	Label string
	Text  string // exactly; "" if the entry lacks what it is made of
	Hint  string
}

// A GuideItem is a line of a checklist.
type GuideItem struct {
	ID   string
	Text string
	Done bool
	By   string
	When Time
}

// A GuideCounter is a draft whose length is limited.
type GuideCounter struct {
	ID      string
	Label   string
	Text    string
	Limit   int
	Length  int
	Error   string
	Without string // what must not stand in it, for the script that counts
	NoStop  bool
	Hints   []GuideHint
	Note    string
}

// A GuideHint is what the provider will not like about a draft.
type GuideHint struct {
	About string // "without" or "stop", for the script
	Text  string
	Shown bool
}

// tick is the id of the step's element, and of what belongs to it.
func (s GuideStep) tick(of string) string {
	if of == "" {
		return "step-" + s.ID
	}
	return of + "-" + s.ID
}

func (s GuideStep) number() string { return strconv.Itoa(s.N) }

// says heads the step for those who hear it.
func (s GuideStep) says() string { return "Step " + s.number() + ": " }

// title is the step's title, with a word for what can be left out.
func (s GuideStep) title() string {
	if s.Optional {
		return s.Title + " (optional)"
	}
	return s.Title
}

// about tells the controls of one step from those of another, for those who hear
// them by themselves.
func (s GuideStep) about() string { return " (" + s.Title + ")" }

// folded reports whether the step is drawn closed: what is done is in the way.
func (s GuideStep) folded() bool { return s.Done }

// known reports whether there is something to say about the step's state.
func (s GuideStep) known() bool { return len(s.Findings) > 0 || s.Ticked != "" }

// leads reports whether the step goes on at other pages.
func (s GuideStep) leads() bool { return len(s.Acts) > 0 || len(s.Links) > 0 }

// acts reports whether somebody who may write can do something here.
func (s GuideStep) acts(may bool) bool { return may && (s.takesNote() || s.CanUntick) }

func (s GuideStep) takesNote() bool { return s.CanTick || s.CanSkip }

// limited reports whether something is known about the rate limit.
func (p EntryGuidePage) limited() bool { return p.Rate != "" || len(p.Seen) > 0 }

func (c GuideCounter) control() string { return "draft-" + c.ID }

// describedBy are the ids of what explains the control.
func (c GuideCounter) describedBy() string {
	ids := c.control() + "-count"
	if c.Note != "" {
		ids += " " + c.control() + "-hint"
	}
	for _, h := range c.Hints {
		ids += " " + c.hintID(h)
	}
	if c.Error != "" {
		ids += " " + c.control() + "-error"
	}
	return ids
}

func (c GuideCounter) hintID(h GuideHint) string { return c.control() + "-" + h.About }

// count is the length beside the limit, in words that the script writes too.
func (c GuideCounter) count() string {
	words := strconv.Itoa(c.Length) + " of " + strconv.Itoa(c.Limit) + " characters"
	if over := c.Length - c.Limit; over > 0 {
		words += ", " + strconv.Itoa(over) + " too many"
	}
	return words
}

func (c GuideCounter) countClass() string {
	if c.Length > c.Limit {
		return "count-line is-over"
	}
	return "count-line"
}

func (c GuideCounter) limit() string { return strconv.Itoa(c.Limit) }

// A bar is one part of the meter.
type bar struct{ class, x string }

// bars are the parts of the meter, one a step.
func (p EntryGuidePage) bars() (out []bar) {
	for i, s := range p.Steps {
		out = append(out, bar{s.Verdict.Class(), strconv.Itoa(i * 16)})
	}
	return out
}

func (p EntryGuidePage) meterBox() string {
	return "0 0 " + strconv.Itoa(max(1, len(p.Steps)*16-2)) + " 6"
}

// tail is what stands after the time of a finding.
func (f GuideFinding) tail() string {
	if f.By == "" {
		return ""
	}
	return " by " + f.By
}
