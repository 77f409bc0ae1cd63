package server

import (
	"errors"
	"strconv"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// acceptChoices are how long a previous version may stay accepted.
func acceptChoices(selected int) (out []templates.Choice) {
	for _, h := range []struct {
		hours int
		label string
	}{{0, "Not at all"}, {1, "For an hour"}, {24, "For a day"}, {168, "For a week"}} {
		out = append(out, templates.Choice{Name: strconv.Itoa(h.hours), Label: h.label, Selected: h.hours == selected})
	}
	return out
}

// promote is POST /config/:id/promote.
func (p valuePages) promote(c echo.Context) error {
	return p.move(c, func(m config.Move) (flash, error) {
		_, err := p.Config.Promote(c.Request().Context(), actor(c), m)
		return flash{said: saidPromoted, n: m.Version}, err
	}, moved{audit.EntryPromoted, isInForce})
}

// rollBack is POST /config/:id/rollback.
func (p valuePages) rollBack(c echo.Context) error {
	return p.move(c, func(m config.Move) (flash, error) {
		_, err := p.Config.RollBack(c.Request().Context(), actor(c), m)
		return flash{said: saidRolledBack, n: m.Version}, err
	}, moved{audit.EntryRolledBack, isInForce})
}

// discard is POST /config/:id/discard.
func (p valuePages) discard(c echo.Context) error {
	return p.move(c, func(m config.Move) (flash, error) {
		_, err := p.Config.Discard(c.Request().Context(), actor(c), m)
		return flash{said: saidDiscarded, n: m.Version}, err
	}, moved{audit.EntryDiscarded, isDiscarded})
}

// move reads one of the small forms, does it, and goes back to the entry. What
// cannot be done, and is not done as asked already, is shown on the tab, with
// the state of now.
func (p valuePages) move(c echo.Context, do func(config.Move) (flash, error), how moved) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	m, err := readMove(c, id)
	if err != nil {
		return err
	}
	said, err := do(m)
	if err == nil || errs.Is(err, errs.Conflict) && p.repeatsMove(c.Request().Context(), actor(c), m, how) {
		return p.see(c, entryURL(id), said)
	}
	kind, msg := errs.Of(err)
	if kind != errs.Conflict && kind != errs.Invalid && !errors.Is(err, store.ErrUnsaved) {
		return err
	}
	because(c, err)
	msg += again(c, err)
	c.Request().Form.Del("version") // it may not be there any more; show the newest
	return p.draw(c, statuses[kind].status, func(page *templates.EntryValuesPage) {
		page.Promote.Reason, page.Hours = m.Reason, acceptChoices(int(m.Accept/time.Hour))
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "This form was not carried out", Refused: true, Text: msg + " This page shows how the entry stands now."}
		if m.Reason != "" && page.Promote.Version == "" { // there is no form to put it back into
			page.Notice.Text += " You wrote: " + m.Reason
		}
	})
}
