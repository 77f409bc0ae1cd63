package templates

// A LogState is how the audit log stands: what the last check found, and what can
// be held against it. The button posts back to /audit/check.
type LogState struct {
	Verdict  Verdict
	Word     string // "Intact"; "" for who may not see any of it
	Sentence string // "All 48,213 events were checked."
	When     Time   // the check ended
	Alarm    Notice
	Facts    []Fact
	Name     string // of the public key
	Public   string // the public key
	Short    string // of the signed head, for paper; "" if there is none
	MayCheck bool
	Back     string // "settings" if the page is that one
}

// Known reports whether there is something to draw.
func (s LogState) Known() bool { return s.Word != "" }

// asFiltered says that an export has what the page is about, and not everything.
func (p AuditPage) asFiltered() string {
	if p.Filtered {
		return ", as filtered"
	}
	return ""
}
