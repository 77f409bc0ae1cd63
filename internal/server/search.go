package server

import (
	"net/url"
	"strconv"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

const auditPermission = auth.AuditRead

// hitsShown is how many hits of one sort the search shows.
const hitsShown = 10

func (p housePages) findEntries(c echo.Context, q string) (templates.SearchGroup, error) {
	g := templates.SearchGroup{ID: "entries"}
	every, err := p.listed(c)
	if err != nil {
		return g, err
	}
	rows, _ := every.choose(listQuery{text: q})
	g.Heading = plural(len(rows), "entry")
	for _, r := range rows[:min(len(rows), hitsShown)] {
		def, _ := p.Catalogue.Get(r.entry.Connector)
		g.Hits = append(g.Hits, templates.SearchHit{Link: templates.Link{Label: string(r.entry.ID), URL: entryURL(r.entry.ID)}, Code: true,
			Initial: initial(def, r.entry.ID), Hint: r.name, Shown: true, Health: r.standing.Health})
	}
	if len(rows) > hitsShown {
		g.All = templates.Link{Label: "Show all " + plural(len(rows), "entry"), URL: "/config?q=" + url.QueryEscape(q)}
	}
	return g, nil
}

func (p housePages) findConnectors(_ echo.Context, q string) (templates.SearchGroup, error) {
	g := templates.SearchGroup{ID: "connectors"}
	found := p.Catalogue.Search(q)
	g.Heading = plural(len(found), "connector")
	for _, d := range found[:min(len(found), hitsShown)] {
		g.Hits = append(g.Hits, templates.SearchHit{Link: templates.Link{Label: d.Name, URL: "/connectors/" + d.Key}, Initial: d.Initial, Hint: d.Summary})
	}
	if len(found) > hitsShown {
		g.All = templates.Link{Label: "Show all " + plural(len(found), "connector"), URL: "/connectors?q=" + url.QueryEscape(q)}
	}
	return g, nil
}

// findPeople finds people by their address; a hit leads to what they did.
func (p housePages) findPeople(c echo.Context, q string) (templates.SearchGroup, error) {
	g := templates.SearchGroup{ID: "people"}
	if !p.allows(c, auditPermission) {
		return g, nil
	}
	people, err := p.Auth.Users(c.Request().Context())
	if err != nil {
		return g, err
	}
	for _, u := range people {
		if !u.Entries.Within(visitOf(c).user.Entries) {
			continue
		}
		if strings.Contains(u.Email, strings.ToLower(q)) && len(g.Hits) < hitsShown {
			g.Hits = append(g.Hits, templates.SearchHit{Link: templates.Link{Label: u.Email, URL: "/audit?who=" + url.QueryEscape(u.Email)}, Hint: string(u.Role) + ", what they did"})
		}
	}
	g.Heading = pick(len(g.Hits) == 1, "1 person", strconv.Itoa(len(g.Hits))+" people")
	return g, nil
}

// findEvents finds events by their target, by the person, or by their number.
func (p housePages) findEvents(c echo.Context, q string) (templates.SearchGroup, error) {
	g := templates.SearchGroup{ID: "events"}
	if !p.allows(c, auditPermission) {
		return g, nil
	}
	add := func(e audit.Event) {
		g.Hits = append(g.Hits, templates.SearchHit{Link: templates.Link{Label: sentence(e), URL: "/audit/" + strconv.FormatInt(e.N, 10)}, Hint: e.Actor.Name + ", " + p.when(e.Time).Ago})
	}
	if n, err := strconv.ParseInt(strings.ReplaceAll(q, ",", ""), 10, 64); err == nil {
		if leaf, err := p.Audit.Get(c.Request().Context(), n); err == nil && p.sees(c, leaf.Event) {
			add(leaf.Event)
		}
	}
	filters := []audit.Filter{{Target: q, Limit: hitsShown}, {Who: strings.ToLower(q), Limit: hitsShown}}
	if every, err := p.listed(c); err == nil { // the log finds whole targets only: try the first entry that matches
		if rows, _ := every.choose(listQuery{text: q}); len(rows) > 0 {
			filters = append(filters, audit.Filter{Target: string(rows[0].entry.ID), Limit: hitsShown})
		}
	}
	for _, f := range filters {
		f.Only = p.sight(c)
		log, err := p.Audit.List(c.Request().Context(), f)
		if err != nil {
			return g, err
		}
		for _, e := range log.Events {
			add(e)
		}
		if log.More {
			key := pick(f.Target != "", "target", "who")
			g.All = templates.Link{Label: "Show all in the audit log", URL: "/audit?" + key + "=" + url.QueryEscape(f.Target+f.Who)}
		}
		if len(log.Events) > 0 {
			break
		}
	}
	g.Heading = plural(len(g.Hits), "event")
	return g, nil
}
