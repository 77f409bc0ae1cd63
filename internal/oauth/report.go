package oauth

import (
	"time"

	"backoffice/internal/config"
	"backoffice/internal/egress"
)

// A Report is one run of a test: what was tried, with which version, and what
// it proves. It holds no secret. Text of the provider is in Identity, RateLimit,
// the Received lines of Steps and, as a quotation, the reasons of Fields only, cut
// and stripped; escape it all the same.
type Report struct {
	ID          string        `json:"id"` // sorts by time
	Entry       config.ID     `json:"entry"`
	Version     int           `json:"version"`
	ContentHash string        `json:"hash"` // what was tested; see config.Version
	Kind        Kind          `json:"kind"`
	Provider    string        `json:"provider"` // name of the definition
	Region      string        `json:"region,omitempty"`
	Rehearsal   bool          `json:"rehearsal,omitempty"` // it spoke to the sandbox
	Started     time.Time     `json:"started"`
	Took        time.Duration `json:"took"`              // our part: from the callback on
	Consent     time.Duration `json:"consent,omitempty"` // the person's part: from Start to the callback
	By          string        `json:"by"`
	Unsaved     bool          `json:"unsaved,omitempty"` // it tested values of a form; Version is the one that they were edited from, or 0
	Calls       int           `json:"calls,omitempty"`   // that a Diagnosis sent to the provider's OAuth addresses

	Verdict   Verdict        `json:"verdict"`
	Headline  string         `json:"headline"`
	Denied    bool           `json:"denied,omitempty"` // the person said no: it tells nothing about the entry
	Fields    []FieldVerdict `json:"fields"`           // those of Kind.Fields, in order
	Remedies  []string       `json:"remedies,omitempty"`
	Identity  []Fact         `json:"identity,omitempty"`
	RateLimit *RateLimit     `json:"rateLimit,omitempty"` // nil if the provider told none
	Steps     []Step         `json:"steps"`

	Grants   []Grant `json:"grants,omitempty"`   // what the run found out about permissions
	Unprobed string  `json:"unprobed,omitempty"` // why not every probe was sent; "" if all were
}

// Field returns what the report says about f.
func (r Report) Field(f Field) FieldVerdict {
	for _, v := range r.Fields {
		if v.Field == f {
			return v
		}
	}
	return FieldVerdict{Field: f}
}

// set replaces what the report says about v.Field. A run that does not judge the
// field has no place for it.
func (r *Report) set(v FieldVerdict) {
	for i := range r.Fields {
		if r.Fields[i].Field == v.Field {
			r.Fields[i] = v
		}
	}
}

// A FieldVerdict is what a report says about one field, and how that is known.
type FieldVerdict struct {
	Field   Field   `json:"field"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`

	Confidence Confidence `json:"confidence,omitzero"`
	Remedy     string     `json:"remedy,omitempty"`   // what to do about it, in plain words
	Evidence   []int      `json:"evidence,omitempty"` // indexes of the Steps that it rests on
}

// A Fact is one thing that the identity answer told. Value is "" if the answer
// did not have it. Verdict is Warning for a fact that contradicts the entry, and
// NotChecked for any other.
type Fact struct {
	Label   string  `json:"label"`
	Value   string  `json:"value,omitempty"`
	Verdict Verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`
}

// A RateLimit is what the provider's headers told, as text of theirs.
type RateLimit struct {
	Limit     string    `json:"limit,omitempty"`
	Remaining string    `json:"remaining,omitempty"`
	Reset     string    `json:"reset,omitempty"`
	ResetAt   time.Time `json:"resetAt,omitzero"` // Reset, if it is unix seconds
}

// A Step is one step of a run, a row of its waterfall, with its evidence.
type Step struct {
	Name     string           `json:"name"`
	Probe    string           `json:"probe,omitempty"` // the letter of a question of a Diagnosis: "S", "B"
	Start    time.Duration    `json:"start"`           // since Report.Started
	Took     time.Duration    `json:"took"`
	Verdict  Verdict          `json:"verdict"`
	Hint     string           `json:"hint,omitempty"` // a few words: "code refused"
	Why      string           `json:"why,omitempty"`  // what the step proves
	Sent     []Line           `json:"sent,omitempty"`
	Received []Line           `json:"received,omitempty"`
	Exchange *egress.Exchange `json:"exchange,omitempty"` // the call with its phases; nil if the browser carried the step

	Further []egress.Exchange `json:"further,omitempty"` // the hops of a redirect after it
}

// A Line is one line of what was sent or came back.
type Line struct {
	Name     string `json:"name"` // as on the wire: "client_id", "Content-Type", "GET"
	In       Place  `json:"in,omitzero"`
	Value    string `json:"value"`
	Redacted bool   `json:"redacted,omitempty"` // Value stands for what was taken out
	Note     string `json:"note,omitempty"`
}

// in returns l at its place in the message.
func (l Line) in(p Place) Line {
	l.In = p
	return l
}

// placed puts lines at one place.
func placed(p Place, lines ...Line) []Line {
	for i := range lines {
		lines[i].In = p
	}
	return lines
}

// A Summary is what a list of runs shows of one.
type Summary struct {
	ID          string         `json:"id"`
	Version     int            `json:"version"`
	ContentHash string         `json:"hash"`
	Kind        Kind           `json:"kind"`
	Started     time.Time      `json:"started"`
	Took        time.Duration  `json:"took"`
	By          string         `json:"by"`
	Unsaved     bool           `json:"unsaved,omitempty"`
	Verdict     Verdict        `json:"verdict"`
	Headline    string         `json:"headline"`
	Denied      bool           `json:"denied,omitempty"`
	Fields      []FieldVerdict `json:"fields"` // without reasons
}

// Summary returns what a list shows of r.
func (r Report) Summary() Summary {
	s := Summary{ID: r.ID, Version: r.Version, ContentHash: r.ContentHash, Kind: r.Kind, Started: r.Started, Took: r.Took,
		By: r.By, Unsaved: r.Unsaved, Verdict: r.Verdict, Headline: r.Headline, Denied: r.Denied}
	for _, f := range r.Fields {
		s.Fields = append(s.Fields, FieldVerdict{Field: f.Field, Verdict: f.Verdict})
	}
	return s
}

// A Ref says where a report is: GET /config/{Entry}/test/{Report}.
type Ref struct {
	Entry  config.ID
	Report string
}
