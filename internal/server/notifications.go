package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// notificationPages show what providers sent. Their addresses begin with
// /notifications, because below /webhooks the providers post; only the list has
// /webhooks itself.
type notificationPages struct{ gate }

const (
	notificationsPath  = "/webhooks"
	notificationPage   = 50 // how many one page of the list shows
	notificationEvents = "/notifications/events"
)

// newsPermission is what a page must know to show notifications.
const newsPermission = auth.WebhookRead

// list is GET /webhooks.
func (p notificationPages) list(c echo.Context) error {
	f, faults := readNewsFilter(c)
	f.Only = p.newsSight(c)
	found, err := p.Webhooks.List(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := templates.NotificationsPage{Frame: p.frame(c, "Webhooks", templates.SectionWebhooks),
		Lead: "What providers sent, over all entries, newest first. Times are UTC.", Verdicts: verdictChoices(c.QueryParam("verdict")),
		Entry: c.QueryParam("entry"), Topic: c.QueryParam("topic"), Account: c.QueryParam("account"), From: c.QueryParam("from"), To: c.QueryParam("to"),
		Errors: faults, Filtered: filteredNews(c), Again: newsURL(c, notificationsPath, c.QueryParam("before"))}
	if page.News, err = p.newsList(c, f, found); err != nil {
		return err
	}
	if found.More {
		page.Older = newsURL(c, notificationsPath, found.Next)
	}
	if f.Before != "" {
		page.Newest = newsURL(c, notificationsPath, "")
	} else if len(faults) == 0 {
		page.News.Events = newsURL(c, notificationEvents, "")
	}
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
		because(c, errs.New(errs.Invalid, faults[0].Msg))
	}
	return render(c, status, templates.Notifications(page))
}

// dayWords are the totals of a day: "1,284 in 24 hours, 3 refused".
func dayWords(t webhook.Totals) string {
	switch {
	case t.Day == 0:
		return "None in 24 hours"
	case t.Refused == 0:
		return templates.Count(int64(t.Day)) + " in 24 hours, none refused"
	}
	return fmt.Sprintf("%s in 24 hours, %s refused", templates.Count(int64(t.Day)), templates.Count(int64(t.Refused)))
}

// newsList is a page of the list.
func (p notificationPages) newsList(c echo.Context, f webhook.Filter, found webhook.Page) (templates.NotificationList, error) {
	l := templates.NotificationList{Entries: true, Showing: plural(len(found.Notifications), "notification")}
	all, err := p.entries(c)
	if err != nil {
		return l, err
	}
	for _, n := range found.Notifications {
		l.Rows = append(l.Rows, p.newsRow(n, isThere(all, n.Owner)))
	}
	if found.More {
		l.Showing += ", and there may be older ones"
	}
	l.Nothing, err = p.nothing(c, f, found)
	return l, err
}

// isThere reports whether an owner is one of these entries, which are in the order
// of their ids.
func isThere(all []config.Entry, owner string) bool {
	_, ok := slices.BinarySearchFunc(all, owner, func(e config.Entry, id string) int { return strings.Compare(string(e.ID), id) })
	return ok
}

// nothing says why a list is empty, and what to do next.
func (p notificationPages) nothing(c echo.Context, f webhook.Filter, found webhook.Page) (templates.Empty, error) {
	switch {
	case found.More:
		return templates.Empty{Heading: "No notification of this part of the log matches", Text: "There may be older ones that do: the log is searched part by part."}, nil
	case f.Before != "" || filteredNews(c):
		return templates.Empty{Heading: "No notification matches", Text: "Look for a longer time, or take a filter away.",
			Action: templates.Link{Label: "Clear the filter", URL: notificationsPath}}, nil
	}
	out := templates.Empty{Heading: "No notification has come yet",
		Text:   "Register the webhook URL of an entry at its provider, or send a test notification from the tab Webhooks of the entry.",
		Action: templates.Link{Label: "Choose an entry", URL: "/config"}}
	all, err := p.entries(c)
	if err != nil {
		return out, err
	}
	if len(all) == 0 && !p.allows(c, configWrite) {
		out.Text, out.Action = "There is no entry of a connector yet.", templates.Link{}
	} else if len(all) == 0 {
		out.Text, out.Action = "Add the entry of a connector first: its tab Webhooks has the address to register.", templates.Link{Label: "Add an entry", URL: "/config/new"}
	}
	for _, e := range all {
		if def := p.Config.Definition(e.ID); def != nil && def.Webhooks != nil {
			out.Action = templates.Link{Label: "Open the webhooks of " + string(e.ID), URL: entryURL(e.ID) + "/webhooks"}
			break
		}
	}
	return out, nil
}

// newsRow is one line of a list.
func (g gate) newsRow(n webhook.Notification, there bool) templates.NotificationRow {
	return templates.NotificationRow{ID: n.ID, URL: notificationURL(n.Owner, n.ID), When: g.when(n.Received), Entry: ownerLink(n.Owner, there),
		Topic: visible(n.Topic, 100), Arrival: arrivalOf(n), Word: arrivalWord(n), ProviderID: visible(n.ProviderID, 60), Took: templates.Took(n.Took), Test: n.Test}
}

// ownerLink leads to the entry whose notification it is, if it is there.
func ownerLink(owner string, there bool) templates.Link {
	if there {
		return templates.Link{Label: owner, URL: entryURL(config.ID(owner)) + "/webhooks"}
	}
	if !strings.Contains(owner, ":") {
		return templates.Link{Label: "/webhooks/" + owner}
	}
	return templates.Link{Label: owner}
}

// notificationURL is the page of one notification. An address has a slash in it,
// for which a plus stands, that no id and no service has.
func notificationURL(owner, id string) string {
	return "/notifications/" + strings.ReplaceAll(owner, "/", "+") + "/" + url.PathEscape(id)
}

// ownerParam is the owner in the request's path.
func ownerParam(c echo.Context) string { return strings.ReplaceAll(pathParam(c, "owner"), "+", "/") }

// definitionOf is the definition that the notifications of an owner follow.
func (g gate) definitionOf(owner string) *connector.Definition {
	if id, err := config.ParseID(owner); err == nil {
		return g.Config.Definition(id)
	}
	service := owner[strings.LastIndex(owner, "/")+1:]
	def, _ := g.Catalogue.Get(service)
	return def
}

// newsFilters are the parameters of the list.
var newsFilters = []string{"verdict", "entry", "topic", "account", "from", "to"}

func filteredNews(c echo.Context) bool {
	for _, k := range newsFilters {
		if c.QueryParam(k) != "" {
			return true
		}
	}
	return false
}

// verdictChoices are the options of the filter by verdict.
func verdictChoices(chosen string) (out []templates.Choice) {
	for _, o := range []struct{ name, label string }{{"", "All"}, {"ok", "Accepted"}, {"refused", "Refused, for any reason"}, {"repeated", "Repeated"},
		{"mismatch", templates.ArrivalMismatch.Word()}, {"stale", templates.ArrivalStale.Word()}, {"malformed", templates.ArrivalMalformed.Word()},
		{"unsigned", templates.ArrivalUnsigned.Word()}, {"no-secret", templates.ArrivalNoSecret.Word()}} {
		out = append(out, templates.Choice{Name: o.name, Label: o.label, Selected: o.name == chosen})
	}
	return out
}

// readNewsFilter reads the filter of the list. What cannot be read is left out
// and reported.
func readNewsFilter(c echo.Context) (webhook.Filter, []templates.FieldError) {
	f := webhook.Filter{Topic: strings.TrimSpace(c.QueryParam("topic")), Account: strings.TrimSpace(c.QueryParam("account")),
		Before: c.QueryParam("before"), Limit: notificationPage}
	var faults []templates.FieldError
	fault := func(field, msg string) { faults = append(faults, templates.FieldError{Field: field, Msg: msg}) }
	switch v := c.QueryParam("verdict"); v {
	case "":
	case "refused":
		f.Refused = true
	case "repeated":
		f.Repeated = true
	default:
		var err error
		if f.Verdict, err = webhook.ParseVerdict(v); err != nil {
			fault("verdict", "There is no such verdict. Choose one of the list.")
		}
	}
	if s := strings.TrimSpace(c.QueryParam("entry")); s != "" {
		if owner, ok := readOwner(s); ok {
			f.Owner = owner
		} else {
			fault("entry", "This is no id of an entry. Ids have the form vendor:service, for example acme:intercom.")
		}
	}
	for _, end := range []struct {
		name string
		t    *time.Time
	}{{"from", &f.From}, {"to", &f.To}} {
		if s := c.QueryParam(end.name); s != "" {
			var err error
			if *end.t, err = readTime(s); err != nil {
				fault(end.name, "This is no time. Write it as 2026-09-17T14:30, in UTC.")
			}
		}
	}
	return f, faults
}

// readOwner reads whose notifications to list: an entry, or an address that
// several share.
func readOwner(s string) (string, bool) {
	probe := s
	if !strings.Contains(s, ":") {
		if strings.Contains(s, "/") {
			probe = strings.Replace(s, "/", ":", 1)
		} else {
			probe = "x:" + s
		}
	}
	_, err := config.ParseID(probe)
	return s, err == nil
}

// newsURL is an address with the filter of this request, from before a
// notification on.
func newsURL(c echo.Context, path, before string) string {
	q := url.Values{}
	for _, k := range newsFilters {
		if v := c.QueryParam(k); v != "" {
			q.Set(k, v)
		}
	}
	if before != "" {
		q.Set("before", before)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// events is GET /notifications/events: the list as it goes on.
func (p notificationPages) events(c echo.Context) error {
	f, faults := readNewsFilter(c)
	if len(faults) > 0 {
		return errs.New(errs.Invalid, faults[0].Msg)
	}
	f.Before, f.Only = "", p.newsSight(c)
	return p.followNews(c, newsPermission, func(ctx context.Context) (templates.NotificationList, error) {
		found, err := p.Webhooks.List(ctx, f)
		if err != nil {
			return templates.NotificationList{}, err
		}
		return p.newsList(c, f, found)
	})
}
