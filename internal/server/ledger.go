package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// A ledger is what is known about the permissions of an entry: what it declares,
// what its topics and its identity call need, and what runs found out.
type ledger struct {
	def      *connector.Definition
	declared []string // permission IDs
	needs    []need
	runs     []oauth.GrantRun // newest first
	now      oauth.GrantedTo  // what a grant to the shown version depends on
	counted  []oauth.GrantRun // those of runs that say something about it
}

// ledger reads what runs found out about an entry. It counts for the shown version
// only what was found with the same app, at the same address.
func (p scopePages) ledger(c echo.Context, def *connector.Definition, o config.Opened, declared []string) (ledger, error) {
	l := ledger{def: def, declared: declared, needs: needsOf(def, o.Topics)}
	var err error
	if l.runs, err = p.OAuth.Grants(c.Request().Context(), o.Entry); err != nil || len(l.runs) == 0 {
		return l, err
	}
	l.now = p.OAuth.GrantedTo(o.Entry, o)
	for _, r := range l.runs {
		if r.App.Since(l.now) == "" {
			l.counted = append(l.counted, r)
		}
	}
	return l, nil
}

// A found is a grant with the run that found it.
type found struct {
	oauth.GrantAt
	run     oauth.GrantRun
	earlier bool // the latest run that counts did not find it out
}

// grant is what is known about one permission: by the latest run that counts, or
// where that found nothing out, by an earlier one for the same account: one that is
// not known is the same as no other.
func (l ledger) grant(id string) (found, bool) {
	var first found
	known := false
	for i, r := range l.counted {
		if i > 0 && (whose(r) == "" || whose(r) != whose(l.counted[0])) {
			continue
		}
		j := slices.IndexFunc(r.Grants, func(g oauth.GrantAt) bool { return g.Permission == id })
		if j < 0 {
			continue
		}
		f := found{r.Grants[j], r, i > 0}
		if f.State != oauth.Unclear {
			return f, true
		}
		if !known {
			first, known = f, true
		}
	}
	return first, known
}

// whose is the account that a run's token was for, in words.
func whose(r oauth.GrantRun) string {
	var parts []string
	for _, f := range r.Whose {
		parts = append(parts, f.Label+" "+f.Value)
	}
	return strings.Join(parts, ", ")
}

// in reports whether a permission is known to be in a state.
func (l ledger) in(id string, state oauth.GrantState) bool {
	g, ok := l.grant(id)
	return ok && g.State == state
}

// held are the permissions that the entry may count on: declared or granted, and not
// refused.
func (l ledger) held() (out []string) {
	for _, p := range l.def.Permissions {
		id := p.ID()
		if (slices.Contains(l.declared, id) || l.in(id, oauth.Granted)) && !l.in(id, oauth.Refused) {
			out = append(out, id)
		}
	}
	return out
}

// unknown are permissions that the entry declares or a run found, and that the
// definition does not know.
func (l ledger) unknown() (out []string) {
	add := func(id string) {
		if _, known := l.def.Permission(id); !known && id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, id := range l.declared {
		add(id)
	}
	for _, r := range l.counted[:min(1, len(l.counted))] {
		for _, g := range r.Grants {
			if g.State == oauth.Granted {
				add(g.Permission)
			}
		}
	}
	return out
}

// A finding is what least privilege says about a permission.
type finding int

// The findings, most harm first.
const (
	sound       finding = iota // nothing to say
	refusedUsed                // declared and needed, but refused
	missing                    // needed, and neither declared nor granted
	oneOf                      // one of several of which one is missing
	refusedIdle                // declared, but refused
	undeclared                 // granted and needed, but not declared
	excess                     // granted, and neither declared nor needed
	idle                       // declared, but nothing chosen here needs it
)

// find is the finding about a permission. held is l.held().
func (l ledger) find(id string, held []string) finding {
	declared, needed, alone, among := slices.Contains(l.declared, id), false, false, false
	for _, n := range l.needs {
		if slices.Contains(n.any, id) {
			needed = true
			if n.met(held) || !declared && l.chosen(n) {
				continue // where one is declared and refused, that one is to be mended
			}
			alone, among = alone || len(n.any) == 1, among || len(n.any) > 1
		}
	}
	refused, granted := l.in(id, oauth.Refused), l.in(id, oauth.Granted)
	switch {
	case declared && refused && (alone || among):
		return refusedUsed
	case declared && refused:
		return refusedIdle
	case declared && !needed:
		return idle
	case declared:
		return sound
	case alone:
		return missing
	case among:
		return oneOf
	case granted && needed:
		return undeclared
	case granted:
		return excess
	}
	return sound
}

// chosen reports whether one of the permissions of which any is enough is declared.
func (l ledger) chosen(n need) bool {
	return slices.ContainsFunc(n.any, func(id string) bool { return slices.Contains(l.declared, id) })
}

// findingWords are the chip of a row and its tone.
var findingWords = [...]struct {
	verdict templates.Verdict
	word    string
}{
	sound:       {},
	refusedUsed: {templates.VerdictWrong, "Missing"},
	missing:     {templates.VerdictWrong, "Missing"},
	oneOf:       {templates.VerdictWarning, "One of these is enough"},
	refusedIdle: {templates.VerdictWarning, "Declared, but refused"},
	undeclared:  {templates.VerdictWarning, "Not declared"},
	excess:      {templates.VerdictWarning, "Not declared, not needed here"},
	idle:        {templates.VerdictNotChecked, "Not needed here"},
}

// row is one permission of the ledger.
func (l ledger) row(p connector.Permission, held []string) templates.PermissionRow {
	row := permissionRow(p, l.needs, l.declared)
	f := findingWords[l.find(p.ID(), held)]
	row.Verdict, row.Word = f.verdict, f.word
	row.Asked = l.asked(p)
	for _, probe := range l.def.Probed(p.ID()) {
		row.Probes = append(row.Probes, connector.Call(probe.URL))
	}
	if id := l.def.Identity; id != nil && id.Permission != "" {
		if own, ok := l.def.Permission(id.Permission); ok && own.ID() == p.ID() {
			row.Probes = append(row.Probes, connector.Call(id.URL))
		}
	}
	return row
}

// asked says whether the authorize URL asks for a permission.
func (l ledger) asked(p connector.Permission) string {
	switch {
	case l.def.OAuth == nil || !l.def.OAuth.SendScopes:
		return "Never sent"
	case p.Name == "":
		return "No name to send"
	case slices.Contains(l.def.Asked(l.declared), p.Name):
		return "Yes"
	}
	return "No"
}

// grantState is whether a permission is granted, as a page draws it.
func grantState(g found, known bool) (templates.Verdict, string) {
	likely := g.Basis == oauth.Reading
	switch {
	case !known || g.State == oauth.Unclear:
		return templates.VerdictNotChecked, "Unclear"
	case g.State == oauth.Granted && likely:
		return templates.VerdictOK, "Likely granted"
	case g.State == oauth.Granted:
		return templates.VerdictOK, "Granted"
	case g.Basis == oauth.Listed:
		return templates.VerdictWarning, "Not granted"
	case likely:
		return templates.VerdictWarning, "Likely refused"
	}
	return templates.VerdictWarning, "Refused"
}

// evidence fills what is known about a grant into its row.
func (p scopePages) evidence(row *templates.PermissionRow, l ledger, kept []string) {
	g, known := l.grant(row.ID)
	row.Granted, row.GrantWord = grantState(g, known)
	switch {
	case known:
		row.Evidence, row.Found = g.GrantAt.Evidence, p.when(g.Time)
		if rest, begins := strings.CutPrefix(row.Evidence, g.Call+" "); begins && g.Call != "" {
			row.Call, row.Evidence = g.Call, rest
		}
		row.Known = g.State != oauth.Unclear
		if g.earlier {
			row.FoundBy = fmt.Sprintf(pick(g.run.Kind == oauth.TokenRun, "by an earlier run with a pasted token and the settings of version %d", "by an earlier run, of version %d"), g.run.Version)
		}
		if slices.Contains(kept, g.run.Run) {
			row.Report = reportURL(oauth.Ref{Entry: g.run.Entry, Report: g.run.Run})
		}
	case len(l.counted) == 0:
		row.Evidence = "No run has asked yet."
	case len(row.Probes) > 0:
		row.Evidence = "The run did not ask."
	default:
		row.Evidence = "Not probed: no harmless read is known that would tell."
	}
	if row.Granted == templates.VerdictWarning && row.Marked() {
		row.Granted = templates.VerdictWrong
	}
}

// source says which run the states come from.
func (p scopePages) source(l ledger) templates.GrantSource {
	if len(l.counted) == 0 {
		return templates.GrantSource{}
	}
	r := l.counted[0]
	s := templates.GrantSource{How: runName(r), When: p.when(r.Started), Whose: whose(r)}
	if r.Kind == oauth.TokenRun {
		s.Note = "A pasted token need not be one of this app: nothing proves that."
	}
	return s
}

func runName(r oauth.GrantRun) string {
	if r.Kind == oauth.TokenRun {
		return fmt.Sprintf("test token with the settings of version %d", r.Version)
	}
	return fmt.Sprintf("consent run of version %d", r.Version)
}

// whyUnclear says why some states are not known.
func (l ledger) whyUnclear() templates.Notice {
	n := templates.Notice{Verdict: templates.VerdictNotChecked, Heading: "Why some are unclear"}
	switch {
	case len(l.counted) == 0 && len(l.runs) > 0:
		r := l.runs[0]
		n.Verdict, n.Heading = templates.VerdictWarning, "What was found out is not counted"
		n.Text = fmt.Sprintf("The %s found permissions out, but %s. A new consent run tells about the values of now.", runName(r), r.App.Since(l.now))
	case len(l.counted) == 0 && len(l.def.Probes) == 0 && (l.def.OAuth == nil || !l.def.OAuth.SendScopes):
		n.Text = "The definition of " + l.def.Name + " has no reads that would tell, so a run finds out no more than whether the identity call is allowed."
	case len(l.counted) == 0:
		n.Text = "No run has found out yet what is granted. Start one on the tab Test: a consent run, or a pasted test token."
	default:
		n.Text = cmp.Or(l.counted[0].Unprobed, "BackOffice finds out by what the token answer says and by reading with the token.") +
			" It never writes to an account to find out, and a read that several permissions could allow proves none of them. Likely means that the call answered, but that this permission is what it needs is our reading, not " + l.def.Name + "’s word."
	}
	return n
}
