package server

import (
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// A person's role may be for some entries alone. What it does not cover does not
// exist for the person: an address that names it gets the answer of an id that
// was never used, and nothing that counts, lists or finds entries has it. Routes
// with :id are held to it by admit, before their handlers; a handler that learns
// of an entry in another way asks reaches. Routes with :owner, whose :id is that of
// a notification, are held to whose it is.

// allows reports whether the person may do what p says. It decides what a page
// offers; admit decides what is done.
func (g gate) allows(c echo.Context, p auth.Permission) bool {
	return visitOf(c).user.May(p, g.Site.Production())
}

// mayOf is what the person may do, for pages.
func (g gate) mayOf(c echo.Context) templates.May {
	return templates.May{
		Write: g.allows(c, auth.ConfigWrite), Promote: g.allows(c, auth.ConfigPromote), Delete: g.allows(c, auth.ConfigDelete), Test: g.allows(c, auth.ConfigTest),
		News: g.allows(c, auth.WebhookRead), Audit: g.allows(c, auth.AuditRead), Export: g.allows(c, auth.EntriesExport), Import: g.allows(c, auth.EntriesImport), Team: g.allows(c, auth.TeamRead), Settings: g.allows(c, auth.SettingsRead),
		People: g.allows(c, auth.TeamWrite), Radar: g.allows(c, auth.RadarPause),
	}
}

// editLink leads to the form of an entry, for who may save one.
func (g gate) editLink(c echo.Context, id config.ID, label string) templates.Link {
	if !g.allows(c, auth.ConfigWrite) {
		return templates.Link{}
	}
	return templates.Link{Label: label, URL: entryURL(id) + "/edit"}
}

// unlimited reports whether the person's role is for all entries.
func (g gate) unlimited(c echo.Context) bool { return visitOf(c).user.Entries.All() }

// covers reports whether the person's role is for the entry.
func (g gate) covers(c echo.Context, id config.ID) bool {
	return visitOf(c).user.Entries.Covers(string(id))
}

// coversOwner reports whether the person may know of the notifications of an
// owner: an entry, or an address that several share. What none of them signed may
// be for any of them, also for one that is gone, so the role has to be for every
// entry that the address could have.
func (g gate) coversOwner(c echo.Context, owner string) bool {
	if id, err := config.ParseID(owner); err == nil {
		return g.covers(c, id)
	}
	vendor, service, ok := strings.Cut(owner, "/")
	if !ok {
		vendor, service = "*", owner
	}
	own := vendor + ":" + service
	return auth.Pattern(own + " " + own + ":*").Within(visitOf(c).user.Entries)
}

// newsSight is coversOwner for a filter of notifications: nil for who sees all.
func (g gate) newsSight(c echo.Context) func(owner string) bool {
	if g.unlimited(c) {
		return nil
	}
	return func(owner string) bool { return g.coversOwner(c, owner) }
}

// reachesPath is reaches for the entry, or for the owner of a notification, that
// the path names, if it names one.
func (g gate) reachesPath(c echo.Context) error {
	switch names := c.ParamNames(); {
	case slices.Contains(names, "owner"):
		return g.reachesOwner(c, ownerParam(c))
	case !slices.Contains(names, "id"):
		return nil
	}
	id, err := entryID(c)
	if err != nil {
		return err
	}
	return g.reaches(c, id)
}

// reaches returns the errs.NotFound of an entry that does not exist, which is on
// record, unless the person's role is for it.
func (g gate) reaches(c echo.Context, id config.ID) error {
	if g.covers(c, id) {
		return nil
	}
	g.recordRefusal(c, fmt.Sprintf("The role is for %s, not for %s.", visitOf(c).user.Entries, id))
	return config.Missing(id)
}

// reachesOwner is reaches for the owner of a notification.
func (g gate) reachesOwner(c echo.Context, owner string) error {
	if g.coversOwner(c, owner) {
		return nil
	}
	g.recordRefusal(c, fmt.Sprintf("The role is for %s, not for all of %s.", visitOf(c).user.Entries, visible(owner, shownText)))
	return webhook.Missing()
}

// sees reports whether the person may read the event. Whose role is for some
// entries sees what happened to them, and what they did themselves elsewhere than
// to an entry.
func (g gate) sees(c echo.Context, e audit.Event) bool {
	u := visitOf(c).user
	if u.Entries.All() {
		return true
	}
	if id, err := config.ParseID(e.Target); err == nil {
		return g.covers(c, id)
	}
	return e.Actor.ID == u.ID
}

// sight is sees for a filter of the log: nil for who sees all.
func (g gate) sight(c echo.Context) func(audit.Event) bool {
	if g.unlimited(c) {
		return nil
	}
	return func(e audit.Event) bool { return g.sees(c, e) }
}

// eventNotFound is what somebody is told of an event that is there for others.
func eventNotFound(n int64) error {
	return errs.Newf(errs.NotFound, "The audit log has no event %d for you.", n)
}
