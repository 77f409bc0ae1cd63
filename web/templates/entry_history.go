package templates

// EntryHistoryPage is GET /config/:id/history. Its forms: compare by
// ?left=&right=, roll back by POST /config/:id/rollback (version, revision,
// hours, reason), discard by POST /config/:id/discard (version, revision).
type EntryHistoryPage struct {
	Frame
	Entry    EntryHead
	Left     []Choice
	Right    []Choice
	Compared bool   // two versions are chosen
	Heading  string // "Version 7 changes one value of version 6"
	Compare  []DiffLine
	Count    string // "Seven versions"
	Revision string
	Hours    []Choice // how long what was in force stays accepted
	Versions []VersionRow
	Older    string // address of older versions; "" if there are none
	Record   string // address of its events in the audit log; "" for who may not see it
	Errors   []FieldError
}

// showsFoot reports whether there is something to lead on to.
func (p EntryHistoryPage) showsFoot() bool { return p.Older != "" || p.Record != "" }

// A VersionRow is one version. It never changes; only labels move.
type VersionRow struct {
	Number      string
	Label       Label
	Until       string // of a previous one: ", until 24 Sep"
	Health      Health
	Fact        string // "Client secret wrong"; "" says the word of the health
	Reason      string
	By          string
	When        Time
	Changes     []DiffLine // against the version that it was made from
	Hash        string     // content hash, shortened; "" hides it
	Record      string     // address of its event in the audit log; "" for who may not see it
	CanRollBack bool
	Decisions   []ApprovalStep // oldest first
	Discard     DiscardChoice
}

// why is the reason of the version.
func (v VersionRow) why() string {
	if v.Reason == "" {
		return "Without a reason."
	}
	return v.Reason
}
