package templates

// OverviewPage is GET /: whether things work, what is pending, what happened.
type OverviewPage struct {
	Frame
	Heading   string // one sentence: "Two connectors are broken, one pending change fails its test"
	Summary   string // "17 of 25 entries work."
	NoEntries bool   // nothing is kept yet: the page says how to begin, and draws no board

	Attention []AttentionRow // most harm first; empty: nothing needs attention
	Tally     []HealthCount  // entries by health
	Board     []BoardEntry   // every entry, up to a cap
	BoardMore string         // "Show all 10,000 entries"; "" if the board is complete
	Pending   []PendingRow
	Events    []EventLine // the last few
}

// An AttentionRow is an entry that needs somebody, with the next step.
type AttentionRow struct {
	ID      string // entry
	Initial string // two letters of its connector: "In"
	Status  Health
	Fact    string // "Client secret is wrong"; "" says the word of the status
	Detail  string // whom it affects, since when
	Action  Link   // "See the diagnosis"
}

// A HealthCount is how many entries have a health.
type HealthCount struct {
	Health Health
	Count  string
}

// A BoardEntry is an entry on the board.
type BoardEntry struct {
	ID     string
	Health Health
}

// A PendingRow is a version that is saved and not yet in force.
type PendingRow struct {
	ID      string
	Version string // "7"
	Health  Health // of the pending version
	Fact    string // "Client secret wrong"; "" says the word of the health
	Changes string // "Changes clientSecret"
	By      string
	When    Time
}

// An EventLine is one event of the audit log in a short list.
type EventLine struct {
	Number   string // of the event, without commas: its address is /audit/{Number}
	Sentence string // "Saved version 7 of acme:intercom"
	By       string // "integrations@acme.example"
	When     Time
}
