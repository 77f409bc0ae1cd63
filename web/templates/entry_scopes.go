package templates

// EntryScopesPage is GET /config/:id/scopes. Its form posts scope (repeated),
// base, revision, reason and then there.
type EntryScopesPage struct {
	Frame
	Entry    EntryHead
	None     string // why there is nothing to declare, a whole sentence; "" if there is
	Heading  string // "One permission is missing, two are not needed"
	Lead     string // how this provider grants permissions
	Console  Link
	Rows     []PermissionRow
	Tally    []Fact // counts, each with Verdict and Word: "1 missing"
	Source   string // "Declared in version 7, pending"
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
	Verdict  Verdict  // with Word
	Word     string   // "Declared", "Missing", "Not needed", "Not declared"
}

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
