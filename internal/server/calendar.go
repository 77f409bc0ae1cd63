package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/ical"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// calendarPath is the address of somebody's calendar. Its token is the whole
// right to read it: programs that show calendars send nothing else.
const calendarPath = "/calendar/:token"

// How often one sender may ask for calendars.
const (
	calendarRate  = 0.2 // a second
	calendarBurst = 20
	maxAskers     = 2000
)

// calendarPages are the feed of a person, and what the account says of it.
type calendarPages struct {
	gate
	asked *askers
}

// askers are those who asked for calendars lately, each with a limit.
type askers struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

func (x *askers) allow(addr string, c calendarPages) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.of[addr]
	if l == nil {
		if x.of == nil || len(x.of) >= maxAskers {
			x.of = map[string]*rate.Limiter{} // those who asked too often begin anew; memory stays bounded
		}
		l = rate.NewLimiter(calendarRate, calendarBurst)
		x.of[addr] = l
	}
	return l.AllowN(c.Now(), 1)
}

// feed is GET /calendar/:token. It draws no page, also for what it refuses: a page
// would have the address in it. Whose token it is, whether that person may still
// sign in and for which entries the role is are looked at each time.
func (p calendarPages) feed(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Referrer-Policy", "no-referrer")
	if !p.asked.allow(visitOf(c).addr, p) {
		h.Set("Retry-After", "60")
		return c.NoContent(http.StatusTooManyRequests)
	}
	token, ok := strings.CutSuffix(pathParam(c, "token"), ".ics")
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	u, err := p.Auth.CalendarUser(c.Request().Context(), secret.NewText(token))
	if errs.Is(err, errs.NotFound) || err == nil && !u.May(auth.ConfigRead, p.Site.Production()) {
		return c.NoContent(http.StatusNotFound)
	}
	if err != nil {
		return p.unreadable(c, err)
	}
	all, err := p.Config.Expiries(c.Request().Context())
	if err != nil {
		return p.unreadable(c, err)
	}
	h.Set("Cache-Control", "private, max-age=900")
	h.Set("Content-Disposition", `inline; filename="backoffice.ics"`)
	return c.Blob(http.StatusOK, "text/calendar; charset=utf-8", p.calendar(u, all).Encode())
}

// unreadable is an error without a page.
func (p calendarPages) unreadable(c echo.Context, err error) error {
	p.Log.Error("making a calendar", "request", visitOf(c).requestID, "error", err)
	return c.NoContent(http.StatusServiceUnavailable)
}

// calendar has the dates of the entries that the person's role is for: which
// secret of which entry, and when. It has no value, and no fingerprint.
func (p calendarPages) calendar(u auth.User, all []config.Expiring) ical.Calendar {
	out := ical.Calendar{Product: "-//BackOffice//BackOffice " + p.Site.Version + "//EN", Name: "Secrets that expire"}
	if p.Site.Environment != "" {
		out.Name += " (" + p.Site.Environment + ")"
	}
	for _, x := range all {
		if !u.Entries.Covers(string(x.Entry)) {
			continue
		}
		id := sha256.Sum256([]byte(string(x.Entry) + "\x00" + x.Key + "\x00" + x.Fingerprint.String()))
		out.Events = append(out.Events, ical.Event{UID: hex.EncodeToString(id[:16]) + "@" + p.Site.PublicURL.Hostname(), Stamp: x.At, Day: x.Day(),
			Summary: fmt.Sprintf("%s of %s expires", x.Label, x.Entry), Text: fmt.Sprintf("%s of %s is said to expire on this day (UTC). Replace it before that.", x.Label, x.Entry),
			URL: p.origin() + entryURL(x.Entry), Remind: []int{30, 7, 1}})
	}
	return out
}

// change is POST /account/calendar: a new address, or none. Its answer is the only
// page that ever has the address.
func (p calendarPages) change(c echo.Context) error {
	ctx := c.Request().Context()
	switch c.FormValue("action") {
	case "make":
		token, err := p.Auth.MakeCalendar(ctx, actor(c))
		if err != nil {
			return err
		}
		return accountPages{p.gate}.drawWith(c, http.StatusOK, nil, p.origin()+"/calendar/"+token.Reveal()+".ics")
	case "withdraw":
		if err := p.Auth.EndCalendar(ctx, actor(c)); err != nil {
			return err
		}
		return p.see(c, "/account", flash{said: saidCalendarEnded})
	}
	return errs.New(errs.Invalid, "The form does not say what to do. Open your account again and use its buttons.")
}

// fillCalendar says on the account page whether there is an address.
func (p accountPages) fillCalendar(c echo.Context, page *templates.AccountPage, address string) error {
	made, err := p.Auth.Calendar(c.Request().Context(), visitOf(c).user.ID)
	page.CalendarMade, page.CalendarAddress = p.when(made), address
	return err
}
