package oauth

import (
	"fmt"
	"strconv"
)

// permissions is what the run found out about permissions, one row each.
func (c caseFile) permissions(m *markdown) {
	if len(c.report.Grants) == 0 {
		return
	}
	m.heading(2, "Permissions")
	var rows [][]string
	for _, g := range c.report.Grants {
		step := ""
		if g.Step >= 0 && g.Step < len(c.report.Steps) {
			step = strconv.Itoa(g.Step + 1)
		}
		rows = append(rows, []string{code(g.Permission), g.State.String(), basisWords[min(max(int(g.Basis), 0), len(basisWords)-1)], prose(g.Evidence), step})
	}
	m.table([]string{"Permission", "State", "Known by", "Evidence", "Step"}, rows)
	if c.report.Unprobed != "" {
		m.para(prose(c.report.Unprobed))
	}
}

var basisWords = [...]string{"", "our reading of a call", "a call that the documentation ties to it", "the words of a refusal", "the token answer", "RFC 6749 section 5.1"}

// used says what became of the token.
func (c caseFile) used() string {
	calls := 0
	for _, st := range c.report.Steps {
		if st.bearer() {
			calls++
		}
	}
	switch calls {
	case 0:
		return "No token was used."
	case 1:
		return "The token was used for one call and forgotten."
	}
	return fmt.Sprintf("The token was used for %d calls, all of them GET, and forgotten.", calls)
}

// bearer reports whether the step sent a token.
func (st Step) bearer() bool {
	for _, l := range st.Sent {
		if field(l) == "authorization" && st.called() && lower(l.Name) == "authorization: bearer" {
			return true
		}
	}
	return false
}
