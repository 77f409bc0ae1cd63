package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// listPages are the list of all entries.
type listPages struct{ gate }

// listPage is how many entries one page shows.
const listPage = 50

// A listQuery is what the address of the list asks for.
type listQuery struct {
	text   string
	health string
	sort   string
	down   bool
	from   int
}

// list is GET /config. With htmx it answers with the panel of rows alone.
func (p listPages) list(c echo.Context) error {
	q, err := readListQuery(c)
	if err != nil {
		return err
	}
	all, err := p.entries(c)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return render(c, http.StatusOK, templates.ConfigEmpty(templates.ConfigEmptyPage{
			Frame: p.frame(c, "Configuration", templates.SectionConfiguration), ConnectorCount: templates.Count(int64(p.Catalogue.Len()))}))
	}
	every, err := p.listed(c)
	if err != nil {
		return err
	}
	rows, counts := every.choose(q)
	page := templates.ConfigListPage{Frame: p.frame(c, "Configuration", templates.SectionConfiguration),
		Lead:  plural(len(all), "entry") + ", one for each OAuth app that the platform uses.",
		Query: q.text, Health: q.health, Sort: q.sort, Pills: pills(q, counts), Columns: columns(q)}
	if q.down {
		page.Dir = "desc"
	}
	p.cut(&page, q, rows, len(all))
	if err := p.remind(c, page.Rows); err != nil {
		return err
	}
	c.Response().Header().Add("Vary", "HX-Request")
	if isFragment(c) {
		return render(c, http.StatusOK, templates.EntriesFragment(page))
	}
	return render(c, http.StatusOK, templates.ConfigList(page))
}

func readListQuery(c echo.Context) (listQuery, error) {
	q := listQuery{text: strings.TrimSpace(c.QueryParam("q")), health: c.QueryParam("health"), sort: c.QueryParam("sort"), down: c.QueryParam("dir") == "desc"}
	if q.health != "" {
		if _, err := templates.ParseHealth(q.health); err != nil {
			return q, errs.Wrap(errs.NotFound, "There is no such filter. Choose one above the list.", err)
		}
	}
	if q.sort != "" && !slices.ContainsFunc(templates.ListColumns[:], func(col templates.Column) bool { return col.Name == q.sort }) {
		return q, errs.New(errs.NotFound, "The list has no such column to sort by. Choose one at its head.")
	}
	q.from, _ = strconv.Atoi(c.QueryParam("after"))
	q.from = max(0, q.from)
	return q, nil
}

// cut formats the rows of one page.
func (p listPages) cut(page *templates.ConfigListPage, q listQuery, rows []*listRow, total int) {
	from := q.from
	if from >= len(rows) { // an old address of a list that has become shorter
		from = max(0, len(rows)-1) / listPage * listPage
	}
	to := min(from+listPage, len(rows))
	page.Rows = make([]templates.EntryRow, 0, to-from)
	for _, r := range rows[from:to] {
		page.Rows = append(page.Rows, p.row(r))
	}
	page.Showing = fmt.Sprintf("%s to %s of %s.", templates.Count(int64(min(from+1, to))), templates.Count(int64(to)), plural(len(rows), "entry"))
	if len(rows) == 0 {
		page.Showing = "None of " + plural(total, "entry") + "."
	}
	if to < len(rows) {
		page.Next = q.url(func(v url.Values) { v.Set("after", strconv.Itoa(to)) })
	}
	if from > 0 {
		page.Previous = q.url(func(v url.Values) {
			v.Del("after")
			if from > listPage {
				v.Set("after", strconv.Itoa(from-listPage))
			}
		})
	}
}

func (p listPages) row(r *listRow) templates.EntryRow {
	def, _ := p.Catalogue.Get(r.entry.Connector)
	row := templates.EntryRow{ID: string(r.entry.ID), Initial: initial(def, r.entry.ID), Connector: r.name, Health: r.standing.Health,
		Version: "none", Tested: p.when(r.standing.Tested), Changed: p.when(r.entry.Changed), ChangedBy: r.entry.ChangedBy}
	if r.entry.Current != 0 {
		row.Version = strconv.Itoa(r.entry.Current)
	}
	if r.entry.Pending != 0 {
		row.Pending = strconv.Itoa(r.entry.Pending)
	}
	return row
}

// url is the address of the list for q, with a change.
func (q listQuery) url(change func(url.Values)) string {
	v := url.Values{}
	for k, s := range map[string]string{"q": q.text, "health": q.health, "sort": q.sort} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if q.down {
		v.Set("dir", "desc")
	}
	change(v)
	if len(v) == 0 {
		return "/config"
	}
	return "/config?" + v.Encode()
}

func pills(q listQuery, counts map[templates.Health]int) []templates.Pill {
	total := 0
	for _, n := range counts {
		total += n
	}
	out := []templates.Pill{{All: true, Count: templates.Count(int64(total)), URL: q.url(func(v url.Values) { v.Del("health") }), Chosen: q.health == ""}}
	for _, h := range templates.Healths() {
		if counts[h] == 0 && q.health != h.String() {
			continue
		}
		out = append(out, templates.Pill{Health: h, Count: templates.Count(int64(counts[h])), Chosen: q.health == h.String(),
			URL: q.url(func(v url.Values) { v.Set("health", h.String()) })})
	}
	return out
}

// columns are the heads of the table: each sorts by it, the one that sorts now
// turns round.
func columns(q listQuery) []templates.Column {
	out := slices.Clone(templates.ListColumns[:])
	for i := range out {
		col := &out[i]
		sorted := q.sort == col.Name || q.sort == "" && col.Name == "id"
		col.URL = q.url(func(v url.Values) {
			v.Set("sort", col.Name)
			v.Del("dir")
			if sorted && !q.down {
				v.Set("dir", "desc")
			}
		})
		switch {
		case sorted && q.down:
			col.Order = templates.Descending
		case sorted:
			col.Order = templates.Ascending
		}
	}
	return out
}
