package templates

// OverviewPage is GET /: whether things work, what is pending, what happened.
type OverviewPage struct {
	Frame
	Heading   string // one sentence: "Two connectors are broken, one pending change fails its test"
	Summary   string // "17 of 25 entries work."
	NoEntries bool   // nothing is kept yet: the page says how to begin, and draws no board

	Alarm     Notice         // the audit log is not what it should be
	Backup    Notice         // backups are not made as the schedule says
	Attention []AttentionRow // most harm first; empty: nothing needs attention
	Tally     []HealthCount  // entries by health
	Board     []BoardEntry   // every entry, up to a cap
	BoardMore string         // "Show all 10,000 entries"; "" if the board is complete
	Awaited   []PendingRow   // that wait for this person's approval
	AwaitMore string         // "3 versions more"; "" for none
	Pending   []PendingRow
	Events    []EventLine // the last few
	Radar     RadarPanel
}

// A RadarPanel is what the unattended check found out. The button posts paused,
// yes or no, to /radar.
type RadarPanel struct {
	Off       bool // by the operator: there is no button
	Paused    bool
	PausedBy  string
	PausedAt  Time
	Last      Time         // the last call; the zero Time says that there was none
	Counts    []RadarCount // the states that entries in force have
	Calibrate string       // what to do about those that have nothing to be compared with; "" for none
	Turned    []RadarRow   // that the radar saw refused
	More      string       // "3 entries more"; "" for none
}

// A RadarCount is how many entries are in one state.
type RadarCount struct {
	Verdict Verdict
	Count   string
	Word    string // "no change"
}

// A RadarRow is an entry that the radar saw refused.
type RadarRow struct {
	ID      string
	Initial string
	Fact    string // "Client secret is refused now"
	Since   Time
}

// word is the state of the radar in one word, with its tone.
func (p RadarPanel) word() status {
	switch {
	case p.Off:
		return in(VerdictNotChecked, "Off")
	case p.Paused:
		return in(VerdictWarning, "Paused")
	}
	return in(VerdictOK, "On")
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
	Waits   string // "waits for approval"; "" for nothing
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

// steered reports whether there is the button that pauses the radar.
func (p RadarPanel) steered(may May) bool { return !p.Off && may.Radar }
