package server

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

func (p testPages) fillRuns(page *templates.EntryTestPage, e config.Entry, runs []oauth.Summary, chosen string) {
	shown := []oauth.Field{oauth.ClientID, oauth.ClientSecret, oauth.RedirectURI, oauth.Reachability}
	for _, f := range shown {
		page.RunFields = append(page.RunFields, f.Label())
	}
	for _, r := range runs {
		row := templates.RunRow{Run: r.ID, When: p.when(r.Started), Verdict: verdictOf(r.Verdict), Result: r.Headline, How: kindWords(r.Kind),
			Version: strconv.Itoa(r.Version), Took: templates.Took(r.Took), By: r.By, Chosen: r.ID == chosen, Stale: stale(e, r.ContentHash)}
		if r.Unsaved {
			row.Version, row.Stale = "not saved", false
			if r.Version != 0 {
				row.From = fmt.Sprintf("edited from %d", r.Version)
			}
		}
		for _, f := range shown {
			row.Fields = append(row.Fields, templates.FieldVerdict{Label: f.Label(), Verdict: verdictOf(fieldOf(r.Fields, f).Verdict)})
		}
		page.Runs = append(page.Runs, row)
	}
	a, b := pairOf(runs, chosen)
	page.Left, page.Right = p.runChoices(runs, a), p.runChoices(runs, b)
}

// kindWords is what a page calls a kind of run.
func kindWords(k oauth.Kind) string {
	switch k {
	case oauth.TokenRun:
		return "Test token"
	case oauth.Diagnosis:
		return "Without consent"
	}
	return "Consent run"
}

// stale reports whether a run tested what is neither in force nor pending now.
func stale(e config.Entry, hash string) bool { return hash != e.CurrentHash && hash != e.PendingHash }

func fieldOf(fields []oauth.FieldVerdict, f oauth.Field) oauth.FieldVerdict {
	for _, v := range fields {
		if v.Field == f {
			return v
		}
	}
	return oauth.FieldVerdict{Field: f}
}

// pairOf are the two runs that are compared unless others are chosen: the chosen
// one, or the latest, with the one before it that tested the same version, or
// else just the one before.
func pairOf(runs []oauth.Summary, chosen string) (before, after string) {
	at := 0
	for i, r := range runs {
		if r.ID == chosen {
			at = i
		}
	}
	if len(runs) == 0 {
		return "", ""
	}
	for _, r := range runs[at+1:] {
		if r.Version == runs[at].Version && r.Unsaved == runs[at].Unsaved {
			return r.ID, runs[at].ID
		}
	}
	if at+1 < len(runs) {
		return runs[at+1].ID, runs[at].ID
	}
	return runs[min(1, len(runs)-1)].ID, runs[0].ID
}

func (p testPages) runChoices(runs []oauth.Summary, chosen string) (out []templates.Choice) {
	for _, r := range runs {
		out = append(out, templates.Choice{Name: r.ID, Label: fmt.Sprintf("%s: %s, %s", runTime(r.Started), testedWords(r.Version, r.Unsaved), r.Headline), Selected: r.ID == chosen})
	}
	return out
}

func testedWords(version int, unsaved bool) string {
	if unsaved {
		return "not saved"
	}
	return fmt.Sprintf("version %d", version)
}

// compare is GET /config/:id/test/compare: what changed from run a to run b.
func (p testPages) compare(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	runs, err := p.OAuth.Reports(c.Request().Context(), e.ID)
	if err != nil {
		return err
	}
	first, second := pairOf(runs, "")
	first, second = cmp.Or(c.QueryParam("a"), first), cmp.Or(c.QueryParam("b"), second)
	a, err := p.OAuth.Report(c.Request().Context(), e.ID, first)
	if err != nil {
		return err
	}
	b, err := p.OAuth.Report(c.Request().Context(), e.ID, second)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabTest)
	if err != nil {
		return err
	}
	d := oauth.Between(a, b)
	page := templates.CompareRunsPage{Frame: p.frame(c, "Two runs · "+string(e.ID), templates.SectionConfiguration), Entry: head, Heading: comparedWords(d),
		Before: comparedRun(a), After: comparedRun(b), Left: p.runChoices(runs, a.ID), Right: p.runChoices(runs, b.ID)}
	page.Rehearsal = a.Rehearsal || b.Rehearsal
	if page.Values, page.Changes, err = p.changedValues(c, a, b, d.SameValues); err != nil {
		return err
	}
	fillDifference(&page, d, a, b)
	return render(c, http.StatusOK, templates.CompareRuns(page))
}

func comparedWords(d oauth.Difference) string {
	switch n := len(d.Fields); {
	case n == 1:
		return "The verdict of one field changed"
	case n > 1:
		return fmt.Sprintf("The verdicts of %d fields changed", n)
	}
	return "No verdict changed"
}

// runTime names a run among others: exactly, because two may be a minute apart.
func runTime(t time.Time) string { return t.UTC().Format("2 January, 15:04:05") + " UTC" }

func comparedRun(r oauth.Report) templates.ComparedRun {
	return templates.ComparedRun{Run: r.ID, Name: kindWords(r.Kind) + ", " + runTime(r.Started), Result: templates.FieldVerdict{Verdict: verdictOf(r.Verdict), Word: r.Headline}}
}

func fillDifference(page *templates.CompareRunsPage, d oauth.Difference, a, b oauth.Report) {
	for _, f := range d.Fields {
		page.Fields = append(page.Fields, templates.ChangedVerdict{Label: f.Field.Label(), Before: judged(f.Before), After: judged(f.After)})
	}
	for _, s := range d.Steps {
		page.Steps = append(page.Steps, templates.ChangedVerdict{Label: s.Name, Before: answered(s.Before), After: answered(s.After)})
	}
	page.Facts = []templates.ChangedFact{{Label: "Values", Before: testedWords(a.Version, a.Unsaved), After: testedWords(b.Version, b.Unsaved)},
		{Label: "How", Before: kindWords(a.Kind), After: kindWords(b.Kind)},
		{Label: "Took", Before: templates.Took(a.Took), After: templates.Took(b.Took)}}
}

func judged(f oauth.FieldVerdict) templates.FieldVerdict {
	return templates.FieldVerdict{Verdict: verdictOf(f.Verdict), Text: f.Reason}
}

func answered(a *oauth.StepAnswer) templates.FieldVerdict {
	if a == nil {
		return templates.FieldVerdict{Word: "Not asked"}
	}
	out := templates.FieldVerdict{Verdict: verdictOf(a.Verdict), Text: strings.TrimSpace(a.Status + " " + a.Code)}
	if a.Verdict == oauth.NotChecked && a.Status != "" {
		out.Word = "Answered"
	}
	return out
}

// changedValues says how the values differ that two runs tested. Of values that
// were not saved only their hash is known.
func (p testPages) changedValues(c echo.Context, a, b oauth.Report, same bool) (string, []templates.DiffLine, error) {
	switch {
	case same:
		return "Both runs tested the same values.", nil, nil
	case a.Unsaved || b.Unsaved:
		return "The values differ. Those that were not saved are not kept, so only the steps show what was sent.", nil, nil
	}
	before, err := p.Config.Open(c.Request().Context(), a.Entry, a.Version)
	if err != nil {
		return "", nil, err
	}
	after, err := p.Config.Open(c.Request().Context(), b.Entry, b.Version)
	return fmt.Sprintf("From version %d to version %d:", a.Version, b.Version), diffLines(before, after, false), err
}
