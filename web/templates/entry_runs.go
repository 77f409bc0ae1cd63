package templates

// A CompareRunsPage is GET /config/:id/test/compare: what changed from one run to
// another.
type CompareRunsPage struct {
	Frame
	Entry         EntryHead
	Heading       string // "Two fields changed"
	Before, After ComparedRun
	Fields        []ChangedVerdict // whose verdict is another
	Facts         []ChangedFact    // version, how, took
	Values        string           // "Both tested the same values."
	Changes       []DiffLine       // from the values of the first to those of the second
	Steps         []ChangedVerdict // whose answer is another
	Left, Right   []Choice         // runs to compare
}

// A ComparedRun is one of the two.
type ComparedRun struct {
	Run    string // its address is /config/:id/test/{Run}
	Name   string // "17 September, 14:32:40 UTC"
	Result FieldVerdict
}

// A ChangedVerdict is what two runs say about one thing.
type ChangedVerdict struct {
	Label         string
	Before, After FieldVerdict
}

// A ChangedFact is what two runs are.
type ChangedFact struct{ Label, Before, After string }
