package server

import (
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
		Provider: providerName(def, e.ID), Save: form}
	p.offerForce(&page.Frame, e)
	page.Rehearsal = p.rehearses(def, o.Texts())
	page.Console = p.consoleOf(def, page.Rehearsal)
	if form.Base == "" {
		page.Save = newestForm(e)
	}
	declared := o.Scopes
	if chosen != nil {
		declared = *chosen
	}
	declared = permissionIDs(def, declared)
	page.Source = plural(len(declared), "permission") + " declared in " + lowerFirst(versionName(e, o.Number))
	if err := p.fill(c, &page, def, o, declared); err != nil {
		return err
	}
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

// fill draws the ledger: what needs a look and what is declared first, and folded
// away what this entry has nothing to do with.
func (p scopePages) fill(c echo.Context, page *templates.EntryScopesPage, def *connector.Definition, o config.Opened, declared []string) error {
	if def == nil || len(def.Permissions) == 0 {
		page.None = "No definition knows the permissions of this service, so there is nothing to declare here."
		page.Heading = "No permissions are known"
		return nil
	}
	l, err := p.ledger(c, def, o, declared)
	if err != nil {
		return err
	}
	kept, err := p.keptRuns(c, l)
	if err != nil {
		return err
	}
	page.Lead, page.Notes = scopeLead(def), def.Notes
	held := l.held()
	for _, perm := range def.Permissions {
		row := l.row(perm, held)
		p.evidence(&row, l, kept)
		if row.Declared || len(row.Needed) > 0 || row.Word != "" {
			page.Rows = append(page.Rows, row)
		} else {
			page.Rest = append(page.Rest, row)
		}
	}
	for _, w := range l.unknown() {
		row := templates.PermissionRow{ID: w, Label: w, Name: w, Meaning: "Not known to the definition.", Asked: l.asked(connector.Permission{Name: w}), Declared: slices.Contains(declared, w), Verdict: templates.VerdictWarning, Word: "Unknown"}
		p.evidence(&row, l, kept)
		page.Rows = append(page.Rows, row)
	}
	sortScopes(page.Rows)
	page.Heading, page.Findings, page.Tally = l.heading(held), l.findings(held), grantTally(page.Rows)
	page.From, page.Why = p.source(l), l.whyUnclear()
	page.Probes, page.Runs = probeRows(def), p.history(l, kept)
	return nil
}

// keptRuns are the runs whose report is still there.
func (p scopePages) keptRuns(c echo.Context, l ledger) (ids []string, err error) {
	if len(l.runs) == 0 {
		return nil, nil
	}
	list, err := p.OAuth.Reports(c.Request().Context(), l.runs[0].Entry)
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids, err
}

func scopeLead(def *connector.Definition) string {
	if def.OAuth == nil || def.OAuth.SendScopes {
		return "What is declared here is asked for in the authorize URL. Whoever consents sees the whole list, so declare only what is used."
	}
	return def.Name + "’s permissions are ticked in its console and never sent in the authorize URL. Declare here what is ticked there: BackOffice then says which topics and calls cannot work. Whoever consents sees them all, so tick only what is used."
}

// sortScopes puts what needs a look first, then what is declared.
func sortScopes(rows []templates.PermissionRow) {
	rank := func(r templates.PermissionRow) int {
		switch {
		case r.Marked():
			return 0
		case r.Verdict == templates.VerdictWarning:
			return 1
		case r.Word != "":
			return 2
		case r.Declared:
			return 3
		}
		return 4
	}
	slices.SortStableFunc(rows, func(a, b templates.PermissionRow) int { return rank(a) - rank(b) })
}
