package server

import (
	"slices"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// What is doubtful about values stands beside them: in the form that has them,
// saved or not, and in the tab Values.

// doubts are those about o. What names other entries is for people who may see
// all of them, and says nothing in a rehearsal: the sandbox has one app for all.
func (g gate) doubts(c echo.Context, id config.ID, o config.Opened) ([]config.Doubt, error) {
	doubts, err := g.Config.Doubts(c.Request().Context(), id, o)
	if err != nil || g.allows(c, auth.ConfigRead) && g.unlimited(c) && !g.rehearses(g.Config.Definition(id), o.Texts()) {
		return doubts, err
	}
	return slices.DeleteFunc(doubts, func(d config.Doubt) bool { return d.Kind == config.SharedValue }), nil
}

// doubtsOf are the doubts about one key, as a page has them.
func doubtsOf(doubts []config.Doubt, key string) (out []templates.Doubt) {
	for _, d := range doubts {
		if d.Key == key {
			out = append(out, templates.Doubt{Text: d.Words(), Link: doubtLink(d)})
		}
	}
	return out
}

func doubtLink(d config.Doubt) templates.Link {
	if d.Other == "" {
		return templates.Link{}
	}
	return templates.Link{Label: "Open " + string(d.Other), URL: entryURL(d.Other)}
}

// fillDoubts says what is doubtful about the values of a form, whether they were
// typed or are stored, and what saving would take off them.
func (p formPages) fillDoubts(c echo.Context, page *templates.EntryFormPage, s formState) error {
	id, err := config.ParseID(s.form.id)
	valid := err == nil && keyOf(p.Config.Definition(id)) == keyOf(s.def)
	if !valid && s.def != nil {
		id = config.ID("acme:" + s.def.Key) // the definition is all that matters
	}
	o := p.Config.Unsaved(s.form.draft(id, s.def), s.base)
	doubts := config.Inspect(s.def, o)
	if valid {
		if doubts, err = p.doubts(c, id, o); err != nil {
			return err
		}
	}
	for i := range page.Fields {
		f := &page.Fields[i]
		f.Doubts = doubtsOf(doubts, f.Key)
		if cleaned := cleanedOf(o, f.Key); cleaned != "" && !f.Sealed {
			f.Cleaned, f.Text = cleaned, o.Values[f.Key].Text().Reveal()
		}
	}
	for i := range page.Keys {
		page.Keys[i].Doubts = doubtsOf(doubts, page.Keys[i].Key)
	}
	return nil
}

// cleanedOf says what was taken off the value of a key.
func cleanedOf(o config.Opened, key string) string {
	for _, c := range o.Cleaned {
		if c.Key == key {
			return c.Words()
		}
	}
	return ""
}

// standingDoubts are those about a version that is kept. That another entry has the
// same values is said until they are in force, and once when they were just saved,
// but not ever after: to find out takes a look at every entry.
func (p valuePages) standingDoubts(c echo.Context, e config.Entry, o config.Opened, saved bool) ([]config.Doubt, error) {
	if o.Number != e.Pending && !saved {
		return p.Config.Looks(e.ID, o), nil
	}
	return p.doubts(c, e.ID, o)
}

// fillDoubts says what is doubtful about a version. One that a test proved has
// doubts beside its values only: it works as it is.
func (p valuePages) fillDoubts(c echo.Context, page *templates.EntryValuesPage, e config.Entry, o config.Opened) error {
	doubts, err := p.standingDoubts(c, e, o, page.Toast != "")
	if err != nil {
		return err
	}
	keys := map[string]bool{}
	for _, d := range doubts {
		keys[d.Key] = true
		page.Doubts = append(page.Doubts, templates.Doubt{Label: d.Label + ".", Text: d.Words(), Link: doubtLink(d)})
	}
	for i := range page.Rows {
		r := &page.Rows[i]
		var words []string
		for _, d := range doubtsOf(doubts, r.Key) {
			words = append(words, d.Text)
		}
		r.Doubts, r.Cleaned = strings.Join(words, " "), cleanedOf(o, r.Key)
	}
	if len(doubts) == 0 {
		return nil
	}
	s, err := p.versionStanding(c, e, o.Version)
	if err != nil || s.Health == templates.HealthWorks {
		page.Doubts = nil
		return err
	}
	page.Doubtful = "Look at " + plural(len(keys), "value") + " of version " + page.Version + " again"
	if o.Number == e.Newest() && p.allows(c, auth.ConfigWrite) {
		page.Mend = templates.Link{Label: "Edit", URL: entryURL(e.ID) + "/edit"}
	}
	return nil
}
