package server

import (
	"net/url"
	"slices"
	"strings"

	"backoffice/internal/connector"
	"backoffice/web/templates"
)

// A need is a call or a chosen topic that works with any one of some
// permissions.
type need struct {
	by  string   // "GET /me", "topic ticket.created"
	any []string // permission IDs
}

func (n need) met(declared []string) bool {
	return slices.ContainsFunc(n.any, func(id string) bool { return slices.Contains(declared, id) })
}

// needsOf is what an entry with these topics needs permissions for.
func needsOf(def *connector.Definition, topics []string) (out []need) {
	if def.Identity != nil && def.Identity.Permission != "" {
		if p, ok := def.Permission(def.Identity.Permission); ok {
			out = append(out, need{identityCall(def), []string{p.ID()}})
		}
	}
	for _, name := range topics {
		if t, ok := def.Topic(name); ok && len(t.Needs) > 0 {
			out = append(out, need{"topic " + t.Name, t.Needs})
		}
	}
	return out
}

// unmet is how many permissions are missing: those of which one is enough count
// once, also for several topics.
func unmet(needs []need, declared []string) int {
	groups := map[string]bool{}
	for _, n := range needs {
		if !n.met(declared) {
			groups[strings.Join(n.any, "\n")] = true
		}
	}
	return len(groups)
}

// permissionRow says what a permission is needed for by what this entry has
// chosen, and whether it is missing, or one of several of which one is.
func permissionRow(p connector.Permission, needs []need, declared []string) templates.PermissionRow {
	row := templates.PermissionRow{ID: p.ID(), Label: p.Label, Name: p.Name, Meaning: p.Meaning, Group: p.Group, Aliases: p.Aliases, Note: p.Note,
		Declared: slices.Contains(declared, p.ID()), Word: "Not declared"}
	alone, among := false, false
	for _, n := range needs {
		if !slices.Contains(n.any, p.ID()) {
			continue
		}
		row.Needed = append(row.Needed, n.by)
		if !n.met(declared) {
			alone, among = alone || len(n.any) == 1, among || len(n.any) > 1
		}
	}
	switch {
	case row.Declared && len(row.Needed) == 0:
		row.Verdict, row.Word = templates.VerdictNotChecked, "Declared, not needed here"
	case row.Declared:
		row.Verdict, row.Word = templates.VerdictOK, "Declared"
	case alone:
		row.Verdict, row.Word = templates.VerdictWrong, "Missing"
	case among:
		row.Verdict, row.Word = templates.VerdictWarning, "One of these is enough"
	}
	return row
}

// identityCall is the identity request as documentation writes it: "GET /me".
func identityCall(def *connector.Definition) string {
	path := def.Identity.URL
	if i := strings.Index(path, "}/"); i >= 0 {
		path = path[i+1:]
	} else if u, err := url.Parse(path); err == nil {
		path = u.Path
	}
	return "GET " + path
}
