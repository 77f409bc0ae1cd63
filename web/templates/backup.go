package templates

// BackupPage is GET /settings/backup: how the backups stand. Its forms post to
// /settings/backup and /settings/backup/download.
type BackupPage struct {
	Frame
	Verdict    Verdict
	Word       string // "Kept", "Overdue"
	Lead       string // a sentence on the last good one
	Notice     Notice // what does not work
	Take       bool   // the person may make and download one
	Save       bool   // there is a directory to make one in
	Since      Time   // when the one under way began; the zero Time if none is
	Schedule   []Fact
	Recipients []string // public keys
	File       []Fact   // the data file and its free share
	FileNote   string   // whether to compact it
	Rows       []BackupRow
}

// A BackupRow is a backup that was made, or was not.
type BackupRow struct {
	When    Time
	How     string // "By the schedule"
	By      string
	File    string // its name; "" if it was taken away
	Size    string
	Sum     string // SHA-256, in hex
	To      string // "Encrypted", "Not encrypted"
	Verdict Verdict
	Word    string // "Read back", "Taken away", "Failed"
	Fault   string
}
