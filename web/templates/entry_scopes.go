package templates

import (
	"strconv"
	"strings"
)

// EntryScopesPage is GET /config/:id/scopes. Its form posts scope (repeated),
// base, revision, reason and then there.
type EntryScopesPage struct {
	Frame
	Entry    EntryHead
	None     string // why there is nothing to declare, a whole sentence; "" if there is
	Heading  string // "One permission is missing, two are not needed here"
	Lead     string // how this provider grants permissions
	Console  Link
	Findings []LedgerFinding
	Rows     []PermissionRow
	Rest     []PermissionRow // what nothing chosen here needs and nobody declared
	Tally    []Fact          // counts, each with Verdict and Word: "1 refused"
	Source   string          // "5 permissions declared in version 7, pending"
	From     GrantSource     // the run that the states come from
	Why      Notice          // why some are unclear
	Probes   []ProbeRow
	Runs     []GrantRunRow // newest first
	Notes    []string
	Save     SaveForm
	Provider string // "Intercom"
}

// A PermissionRow is one permission of the ledger.
type PermissionRow struct {
	ID       string // what the form sends
	Label    string // as the provider shows it
	Name     string // machine name; "" reads "machine name not published"
	Meaning  string
	Group    string
	Aliases  []string // names that other guides use for it
	Note     string   // what is not confirmed about it
	Declared bool
	Needed   []string // topics and calls that need it
	Probes   []string // calls that tell about it
	Asked    string   // for, in the authorize URL: "Yes", "No", "Never sent"
	Verdict  Verdict  // with Word
	Word     string   // what to mend: "Missing", "Not needed here"; "" if nothing is

	Granted   Verdict // with GrantWord
	GrantWord string  // "Granted", "Likely granted", "Refused", "Unclear"
	Known     bool    // the state was found out
	Call      string  // that the evidence begins with: "GET /admins"; "" for none
	Evidence  string  // what follows it: "gave 403."
	Found     Time
	FoundBy   string // "by an earlier run, of version 5"; "" if by the latest
	Report    string // address of the run; "" if its report is not kept
}

// A LedgerFinding is what to mend about some permissions, and how.
type LedgerFinding struct {
	Verdict     Verdict
	Word        string // "Needed, but not declared"
	Permissions []string
	Step        string
}

// A GrantSource is the run that the states of a ledger come from. The zero one is
// none.
type GrantSource struct {
	How   string // "consent run of version 6"
	When  Time
	Whose string // "Workspace Acme, Workspace ID x1"
	Note  string
}

// Known reports whether there is a run.
func (s GrantSource) Known() bool { return s.How != "" }

// A ProbeRow is a call that tells about permissions.
type ProbeRow struct {
	Call        string // "GET /admins"
	Label       string
	Permissions []string // labels
	Word        string   // "Documented", "Our reading", "No permission known"
	Note        string
}

// A GrantRunRow is what one run found out.
type GrantRunRow struct {
	When       Time
	How        string // "Consent run"
	Version    string
	By         string
	Whose      string
	Tally      []Fact // "4 granted"
	Changes    []GrantChange
	Compared   bool   // with a run before it
	Unprobed   string // why not all was asked
	NotCounted string // why it says nothing about the entry of now
	Report     string // address; "" if the report is not kept
}

// A GrantChange is a permission with another state than in the run before.
type GrantChange struct{ Permission, Before, After string }

// restWords heads what is folded away.
func (p EntryScopesPage) restWords() string {
	return strconv.Itoa(len(p.Rest)) + " more that are neither declared nor needed here"
}

// unchanged is said where no state differs from the run before.
func (r GrantRunRow) unchanged() string {
	if r.Compared {
		return "Nothing"
	}
	return "No run before it for the same app and account"
}

// probedBy is the calls that tell about the row's permission.
func (r PermissionRow) probedBy() string { return strings.Join(r.Probes, ", ") }

// Control is the id of the row's checkbox.
func (r PermissionRow) Control() string { return "scope-" + slug(r.ID) }

// Marked reports whether the row stands out.
func (r PermissionRow) Marked() bool { return r.Verdict == VerdictWrong }

// slug makes an id of a text: letters and digits stay, all else becomes a dash
// with its code, so that two texts never share an id.
func slug(s string) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
			out = append(out, c)
			continue
		}
		out = append(out, '-', hex[c>>4], hex[c&15])
	}
	return string(out)
}
