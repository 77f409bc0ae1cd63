package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// cataloguePages show the connector definitions.
type cataloguePages struct{ gate }

// list is GET /connectors.
func (p cataloguePages) list(c echo.Context) error {
	q := c.QueryParam("q")
	page := templates.ConnectorsPage{Frame: p.frame(c, "Connectors", templates.SectionConnectors), Query: q}
	page.Connectors, page.Nearest = p.tiles(c, q)
	all, own := p.Catalogue.All(), 0
	for _, d := range all {
		if d.Source != connector.BuiltIn {
			own++
		}
	}
	page.Lead = plural(len(all), "connector") + " built in."
	if own > 0 {
		page.Lead = fmt.Sprintf("%s, %d of them yours.", plural(len(all), "connector"), own)
	}
	return render(c, http.StatusOK, templates.Connectors(page))
}

// tiles are the connectors that q finds, and for an empty list the nearest.
func (g gate) tiles(c echo.Context, q string) (tiles []templates.ConnectorTile, nearest string) {
	found := g.Catalogue.Search(q)
	used := map[string]int{}
	if all, err := g.entries(c); err == nil {
		for _, e := range all {
			used[e.Connector]++
		}
	}
	for _, d := range found {
		t := templates.ConnectorTile{Key: d.Key, Name: d.Name, Initial: d.Initial, Summary: d.Summary, ID: "acme:" + d.Key}
		if n := used[d.Key]; n > 0 {
			t.InUse = plural(n, "entry")
		}
		tiles = append(tiles, t)
	}
	if len(tiles) == 0 {
		nearest = g.nearest(q)
	}
	return tiles, nearest
}

// nearest names the connector whose name shares the longest beginning with q.
func (g gate) nearest(q string) string {
	best, name := 0, ""
	for _, d := range g.Catalogue.All() {
		n := 0
		for a, b := strings.ToLower(d.Name), strings.ToLower(strings.TrimSpace(q)); n < len(a) && n < len(b) && a[n] == b[n]; n++ {
		}
		if n > best {
			best, name = n, d.Name
		}
	}
	if best < 2 {
		return ""
	}
	return "Nearest: " + name + "."
}

// show is GET /connectors/:key.
func (p cataloguePages) show(c echo.Context) error {
	key := pathParam(c, "key")
	d, ok := p.Catalogue.Get(key)
	if !ok {
		return errs.Newf(errs.NotFound, "There is no connector %q. The catalogue lists those there are.", key)
	}
	page := templates.ConnectorPage{Frame: p.frame(c, d.Name+" · Connectors", templates.SectionConnectors),
		Key: d.Key, Name: d.Name, Initial: d.Initial, Summary: d.Summary, NewID: "acme:" + d.Key, Source: d.Source, Notes: d.Notes}
	for _, f := range d.Fields {
		page.Fields = append(page.Fields, definitionField(f))
	}
	page.Endpoints = endpointRows(d)
	page.Handshake, page.Headers = handshakeFacts(d), headerFacts(d)
	for _, perm := range d.Permissions {
		page.Permissions = append(page.Permissions, templates.PermissionRow{ID: perm.ID(), Label: perm.Label, Name: perm.Name, Meaning: perm.Meaning,
			Group: perm.Group, Aliases: perm.Aliases, Note: perm.Note})
	}
	for _, t := range d.Topics {
		page.Topics = append(page.Topics, templates.TopicNeeds{Name: t.Name, Needs: topicNeeds(d, t), Note: t.Note})
	}
	if d.Webhooks != nil {
		for _, s := range d.Webhooks.Signatures {
			page.Signatures = append(page.Signatures, templates.SignatureRule{Header: s.Header, How: signatureWords(s), For: s.For})
		}
	}
	for _, l := range d.Links {
		page.Links = append(page.Links, templates.DefinitionLink{Link: templates.Link{Label: l.Label, URL: l.URL}, For: l.For})
	}
	entries, err := p.boardOf(c, func(e config.Entry) bool { return e.Connector == d.Key })
	if err != nil {
		return err
	}
	page.Entries = entries
	return render(c, http.StatusOK, templates.Connector(page))
}

func definitionField(f connector.Field) templates.DefinitionField {
	out := templates.DefinitionField{Key: f.Key, Label: f.Label, Help: f.Help, Sealed: f.Secret, Required: f.Required, Default: f.Default}
	for _, o := range f.Options {
		out.Options = append(out.Options, o.Label)
		if o.Value == f.Default {
			out.Default = o.Label
		}
	}
	return out
}

// endpointRows are the addresses of a definition: one row for each choice that
// changes them, or one.
func endpointRows(d *connector.Definition) (rows []templates.EndpointRow) {
	if d.OAuth == nil {
		return nil
	}
	i := slices.IndexFunc(d.Fields, func(f connector.Field) bool { return len(f.Options) > 0 && len(f.Options[0].Set) > 0 })
	if i < 0 {
		return []templates.EndpointRow{{Authorize: d.OAuth.AuthorizeURL, TokenURL: d.OAuth.TokenURL, API: d.OAuth.APIURL}}
	}
	for _, o := range d.Fields[i].Options {
		row := templates.EndpointRow{Region: o.Label, Note: o.Note, Rehearsal: o.Rehearsal}
		fill := func(s string) string {
			for k, v := range o.Set {
				s = strings.ReplaceAll(s, "{"+k+"}", v)
			}
			return s
		}
		row.Authorize, row.TokenURL, row.API = fill(d.OAuth.AuthorizeURL), fill(d.OAuth.TokenURL), fill(d.OAuth.APIURL)
		rows = append(rows, row)
	}
	return rows
}

func handshakeFacts(d *connector.Definition) []templates.Fact {
	o := d.OAuth
	if o == nil {
		return nil
	}
	facts := []templates.Fact{{Label: "Client authentication", Text: "client_secret_" + o.ClientAuth.String(), Code: true}}
	pkce := "Not sent"
	if o.PKCE {
		pkce = "Sent, method S256"
	}
	scope := "Never sent: permissions are ticked in the provider’s console"
	if o.SendScopes {
		scope = "Sent, joined by " + map[string]string{" ": "a space", ",": "a comma"}[o.ScopeDelimiter]
		if scope == "Sent, joined by " {
			scope += o.ScopeDelimiter
		}
	}
	facts = append(facts, templates.Fact{Label: "PKCE", Text: pkce}, templates.Fact{Label: "Scope parameter", Text: scope},
		templates.Fact{Label: "Token read from", Text: strings.Join(o.TokenFields, ", else "), Code: true})
	if len(o.DefaultScopes) > 0 {
		facts = append(facts, templates.Fact{Label: "Default scopes", Text: strings.Join(o.DefaultScopes, " "), Code: true})
	}
	if d.Identity != nil {
		facts = append(facts, templates.Fact{Label: "Identity call", Text: "GET " + d.Identity.URL, Code: true})
	}
	return facts
}

func headerFacts(d *connector.Definition) (facts []templates.Fact) {
	if d.Identity != nil {
		for k, v := range d.Identity.Headers {
			facts = append(facts, templates.Fact{Label: k, Text: v, Code: true})
		}
	}
	slices.SortFunc(facts, func(a, b templates.Fact) int { return strings.Compare(a.Label, b.Label) })
	if r := d.RateLimit; r != nil {
		for _, f := range []templates.Fact{{Label: "Rate limit", Text: r.Limit}, {Label: "Calls left", Text: r.Remaining}, {Label: "Starts anew at", Text: r.Reset}} {
			if f.Text != "" {
				f.Code = true
				facts = append(facts, f)
			}
		}
	}
	return facts
}
