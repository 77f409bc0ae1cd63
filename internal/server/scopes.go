package server

import (
	"fmt"
	"net/http"
	"slices"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// scopePages are the tab Scopes of an entry.
type scopePages struct{ gate }

// show is GET /config/:id/scopes.
func (p scopePages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, templates.SaveForm{}, nil)
}

// save is POST /config/:id/scopes.
func (p scopePages) save(c echo.Context) error {
	return p.saveList(c, listForm{"scope", "scopes", func(d *config.Draft, chosen []string) { d.Scopes = chosen },
		func(status int, f templates.SaveForm, chosen *[]string) error { return p.draw(c, status, f, chosen) }})
}

// draw draws the tab for the newest version; chosen, if given, is what a form
// that could not be saved declared.
func (p scopePages) draw(c echo.Context, status int, form templates.SaveForm, chosen *[]string) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabScopes)
	if err != nil {
		return err
	}
	o, err := p.open(c, e.ID, e.Newest())
	if err != nil {
		return err
	}
	page := templates.EntryScopesPage{Frame: p.frame(c, "Scopes · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Provider: providerName(def, e.ID), Source: "Declared in " + lowerFirst(versionName(e, o.Number)), Save: form, Console: consoleLink(def)}
	page.Rehearsal = p.rehearses(def, o.Texts())
	if form.Base == "" {
		page.Save = newestForm(e)
	}
	declared := o.Scopes
	if chosen != nil {
		declared = *chosen
	}
	declared = permissionIDs(def, declared)
	fillScopes(&page, def, declared, o.Topics)
	return render(c, status, templates.EntryScopes(page))
}

// permissionIDs are the permissions as entries declare them: a label or the name
// of another guide becomes the id; what the definition does not know stays.
func permissionIDs(def *connector.Definition, words []string) []string {
	if def == nil {
		return words
	}
	out := make([]string, len(words))
	for i, w := range words {
		if p, ok := def.Permission(w); ok {
			w = p.ID()
		}
		out[i] = w
	}
	return out
}

func fillScopes(page *templates.EntryScopesPage, def *connector.Definition, declared, topics []string) {
	if def == nil || len(def.Permissions) == 0 {
		page.None = "No definition knows the permissions of this service, so there is nothing to declare here."
		page.Heading = "No permissions are known"
		return
	}
	page.Lead = scopeLead(def)
	page.Notes = def.Notes
	needs := needsOf(def, topics)
	missing, unneeded, has := unmet(needs, declared), 0, 0
	for _, perm := range def.Permissions {
		row := permissionRow(perm, needs, declared)
		if row.Declared {
			has++
			if len(row.Needed) == 0 {
				unneeded++
			}
		}
		page.Rows = append(page.Rows, row)
	}
	for _, w := range declared {
		if _, known := def.Permission(w); !known {
			page.Rows = append(page.Rows, templates.PermissionRow{ID: w, Label: w, Name: w, Meaning: "Not known to the definition.", Declared: true, Verdict: templates.VerdictWarning, Word: "Unknown"})
			has++
		}
	}
	sortScopes(page.Rows)
	page.Heading = scopeHeading(has, missing)
	page.Tally = []templates.Fact{{Verdict: templates.VerdictOK, Word: fmt.Sprintf("%d declared", has)}}
	if missing > 0 {
		page.Tally = append(page.Tally, templates.Fact{Verdict: templates.VerdictWrong, Word: fmt.Sprintf("%d missing", missing)})
	}
	if unneeded > 0 {
		page.Tally = append(page.Tally, templates.Fact{Verdict: templates.VerdictNotChecked, Word: fmt.Sprintf("%d that nothing chosen here needs", unneeded)})
	}
}

func scopeLead(def *connector.Definition) string {
	if def.OAuth == nil || def.OAuth.SendScopes {
		return "What is declared here is asked for in the authorize URL. Whoever consents sees the whole list, so declare only what is used."
	}
	return def.Name + "’s permissions are ticked in its console and never sent in the authorize URL. Declare here what is ticked there: BackOffice then says which topics and calls cannot work. Whoever consents sees them all, so tick only what is used."
}

func scopeHeading(declared, missing int) string {
	s := plural(declared, "permission") + " declared"
	if declared == 0 {
		s = "No permission is declared yet"
	}
	if missing > 0 {
		s += ", " + fmt.Sprint(missing) + " missing"
	}
	return s
}

// sortScopes puts what needs a look first, then what is declared.
func sortScopes(rows []templates.PermissionRow) {
	rank := func(r templates.PermissionRow) int {
		switch {
		case r.Marked(), r.Verdict == templates.VerdictWarning:
			return 0
		case r.Declared:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(rows, func(a, b templates.PermissionRow) int { return rank(a) - rank(b) })
}
