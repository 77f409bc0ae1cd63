package server

import (
	"fmt"
	"net/http"
	"strconv"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// historyPages are the tab History of an entry.
type historyPages struct{ gate }

// historyPage is how many versions one page shows.
const historyPage = 20

// show is GET /config/:id/history.
func (p historyPages) show(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabHistory)
	if err != nil {
		return err
	}
	before, _ := strconv.Atoi(c.QueryParam("before"))
	vs, err := p.Config.Versions(c.Request().Context(), e.ID, before, historyPage)
	if err != nil {
		return err
	}
	page := templates.EntryHistoryPage{Record: p.recordsAbout(c, e.ID), Frame: p.frame(c, "History · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Count: plural(e.Next-1, "version"), Revision: strconv.FormatInt(e.Revision, 10), Hours: acceptChoices(24)}
	decided, err := p.decisions(c, e.ID, vs)
	if err != nil {
		return err
	}
	for _, v := range vs {
		row, err := p.row(c, e, v)
		if err != nil {
			return err
		}
		row.Decisions = decided[v.Number]
		page.Versions = append(page.Versions, row)
	}
	if len(vs) > 0 && vs[len(vs)-1].Number > 1 {
		page.Older = fmt.Sprintf("%s/history?before=%d", entryURL(e.ID), vs[len(vs)-1].Number)
	}
	if err := p.compare(c, &page, e); err != nil {
		return err
	}
	return render(c, http.StatusOK, templates.EntryHistory(page))
}

func (p historyPages) row(c echo.Context, e config.Entry, v config.Version) (templates.VersionRow, error) {
	after, err := p.Config.Open(c.Request().Context(), e.ID, v.Number)
	if err != nil {
		return templates.VersionRow{}, err
	}
	before := config.Opened{}
	if v.Base != 0 {
		if before, err = p.Config.Open(c.Request().Context(), e.ID, v.Base); err != nil {
			return templates.VersionRow{}, err
		}
	}
	s, err := p.versionStanding(c, e, v)
	if err != nil {
		return templates.VersionRow{}, err
	}
	row := templates.VersionRow{Number: strconv.Itoa(v.Number), Label: labelOf(e, v.Number), Health: s.Health, Fact: s.Fact,
		Reason: v.Reason, By: v.Author, When: p.when(v.Time), Changes: diffLines(before, after, false), Hash: v.ContentHash[:12],
		Record: p.recordAt(c, string(e.ID), v.Time, 0)}
	switch v.Number {
	case e.Current:
	case e.Pending:
		if p.allows(c, auth.ConfigWrite) {
			row.Discard = templates.DiscardChoice{Version: row.Number, Effect: "Its values stay in the history."}
		}
	default:
		row.CanRollBack = p.allows(c, auth.ConfigPromote)
	}
	if v.Number == e.Previous {
		row.Until = ", until " + until(e.PreviousUntil)
	}
	return row, nil
}

func labelOf(e config.Entry, n int) templates.Label {
	switch n {
	case 0:
		return templates.LabelNone
	case e.Current:
		return templates.LabelCurrent
	case e.Pending:
		return templates.LabelPending
	case e.Previous:
		return templates.LabelPrevious
	}
	return templates.LabelNone
}

// compare fills in what two chosen versions have that is different.
func (p historyPages) compare(c echo.Context, page *templates.EntryHistoryPage, e config.Entry) error {
	left, right := c.QueryParam("left"), c.QueryParam("right")
	page.Compared = left != "" || right != ""
	if !page.Compared {
		left, right = strconv.Itoa(max(1, e.Next-2)), strconv.Itoa(e.Next-1)
		if e.Current != 0 && e.Pending != 0 {
			left, right = strconv.Itoa(e.Current), strconv.Itoa(e.Pending)
		}
	}
	page.Left, page.Right = versionChoices(e, left), versionChoices(e, right)
	if !page.Compared {
		return nil
	}
	a, err := p.open(c, e, left)
	if err != nil {
		return err
	}
	b, err := p.open(c, e, right)
	if err != nil {
		return err
	}
	n := len(config.Diff(a.Version, b.Version))
	page.Heading = fmt.Sprintf("Version %d changes %s of version %d", b.Number, plural(n, "thing"), a.Number)
	if n == 0 {
		page.Heading = fmt.Sprintf("Versions %d and %d are the same", a.Number, b.Number)
	}
	page.Compare = diffLines(a, b, true)
	return nil
}

func (p historyPages) open(c echo.Context, e config.Entry, number string) (config.Opened, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return config.Opened{}, errs.New(errs.NotFound, "Choose two versions to compare.")
	}
	return p.Config.Open(c.Request().Context(), e.ID, n)
}

// versionChoices are the newest versions of an entry, for a select.
func versionChoices(e config.Entry, chosen string) (out []templates.Choice) {
	const most = 200
	for n := e.Next - 1; n > 0 && n >= e.Next-most; n-- {
		out = append(out, templates.Choice{Name: strconv.Itoa(n), Label: versionName(e, n)[len("Version "):], Selected: strconv.Itoa(n) == chosen})
	}
	return out
}
