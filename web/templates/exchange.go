package templates

// ExportPage is GET /config/export. Its form posts which, ids, id, format and
// recipients.
type ExportPage struct {
	Frame
	Count           string // "12 entries"
	All             bool   // all are chosen
	Ids             string // the patterns that were typed
	Entries         []ExportRow
	More            string // says that there are too many to tick; "" if all are in Entries
	YAML            bool
	MaySeal         bool // the person may reveal, so may take sealed secrets along
	Recipients      string
	IdsError        string
	RecipientsError string
}

// An ExportRow is an entry that can be ticked.
type ExportRow struct {
	ID     string
	Ticked bool
}

func (p ExportPage) faults() (out []FieldError) {
	for _, f := range []FieldError{{"ids", p.IdsError}, {"recipients", p.RecipientsError}} {
		if f.Msg != "" {
			out = append(out, f)
		}
	}
	return out
}

// ImportPage is GET /config/import. Its form posts file, text and identity, as
// multipart/form-data.
type ImportPage struct {
	Frame
	Recipient     string // of this instance
	FileError     string
	IdentityError string
}

func (p ImportPage) faults() (out []FieldError) {
	for _, f := range []FieldError{{"file", p.FileError}, {"identity", p.IdentityError}} {
		if f.Msg != "" {
			out = append(out, f)
		}
	}
	return out
}

// PlanPage is GET /config/import/:plan. Its form posts leave, anyway, then, reason
// and what is typed for rows that lack something.
type PlanPage struct {
	Frame
	URL         string
	Origin      string // "From https://a.example, exported 3 days ago by …"
	Until       Time
	Counts      string // "2 to decide, 1 to create, …"
	Groups      []PlanGroup
	Faults      []PlanFault
	Same        []string // ids for which there is nothing to do
	SameHeading string   // "Nothing to do for 3 entries"
	SameMore    string   // says how many ids are not drawn; "" for none
	MayForce    bool
	Force       bool // put in force is chosen
	Reason      string
	Error       FieldError // of the form as a whole
	Nothing     bool       // there is nothing that could be imported
}

// A PlanGroup is the rows of one verdict.
type PlanGroup struct {
	Heading, Hint string
	Rows          []PlanRow
	More          string // says how many are not drawn; "" for none
}

// A PlanFault is a row that cannot be taken.
type PlanFault struct{ Line, ID, Text string }

// A PlanRow is what an import would do with one entry.
type PlanRow struct {
	ID, Line string
	What     Verdict
	Word     string // "Create"
	Why      []string
	Notes    []string
	Diff     []DiffLine
	CanLeave bool // it is imported unless it is left out
	Leave    bool
	CanTake  bool // it is left out unless it is taken anyway
	Take     bool
	Fields   []PlanField
}

func (r PlanRow) status() status { return in(r.What, r.Word) }

// A PlanField asks for what the file does not have.
type PlanField struct{ Control, Name, Label string }

func (p PlanPage) faults() []FieldError {
	if p.Error.Msg == "" {
		return nil
	}
	return []FieldError{p.Error}
}
