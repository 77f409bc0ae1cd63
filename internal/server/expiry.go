package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// remindFrom is how many days before a secret expires pages begin to say so.
const remindFrom = 30

// expire is POST /config/:id/expiry.
func (p valuePages) expire(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.FormValue("version"))
	if err != nil {
		return errs.New(errs.Invalid, "The form could not be read. Open the entry again and use its buttons.")
	}
	x := config.ExpiryChange{ID: id, Version: n, Key: c.FormValue("key"), Date: strings.TrimSpace(c.FormValue("expires"))}
	err = p.Config.SetExpiry(c.Request().Context(), actor(c), x)
	if fault := errs.Fields(err)[config.ExpiryField(x.Key)]; fault != "" {
		because(c, err)
		return p.draw(c, http.StatusUnprocessableEntity, func(page *templates.EntryValuesPage) {
			for i := range page.Expiries {
				if page.Expiries[i].Key == x.Key {
					page.Expiries[i].Error, page.Expiries[i].Date = fault, x.Date
				}
			}
		})
	}
	if err != nil {
		return err
	}
	e, err := p.Config.Get(c.Request().Context(), id)
	if err != nil {
		return err
	}
	to := entryURL(id)
	if n != e.Newest() {
		to += "?version=" + strconv.Itoa(n)
	}
	return p.see(c, to, flash{said: saidExpiry})
}

// fillExpiries says on the tab Values when the secrets of a version expire.
func (p valuePages) fillExpiries(c echo.Context, page *templates.EntryValuesPage, o config.Opened) error {
	dates, err := p.Config.ExpiriesOf(c.Request().Context(), o.Version)
	if err != nil {
		return err
	}
	def := p.Config.Definition(o.Entry)
	for _, k := range o.Keys {
		x, known := dates[k.Name]
		if known {
			i := slices.IndexFunc(page.Rows, func(r templates.ValueRow) bool { return r.Key == k.Name })
			page.Rows[i].Expires, page.Rows[i].Late = expiryWords(x, p.Now()), x.DaysLeft(p.Now()) <= remindFrom
		}
		if !k.Secret || !p.allows(c, auth.ConfigWrite) {
			continue
		}
		f := templates.ExpiryForm{Key: k.Name, Label: fieldLabel(def, k.Name), Date: x.Date}
		if known {
			f.Note = "Said by " + x.By + ", " + p.when(x.At).Ago + "."
		}
		page.Expiries = append(page.Expiries, f)
	}
	return nil
}

// expiryWords is a date in a sentence.
func expiryWords(x config.Expiry, now time.Time) string {
	day := x.Day().Format("2 January 2006")
	switch n := x.DaysLeft(now); {
	case n < -1:
		return fmt.Sprintf("Expired on %s, %d days ago.", day, -n)
	case n == -1:
		return "Expired on " + day + ", yesterday."
	case n == 0:
		return "Expires today, " + day + "."
	case n == 1:
		return "Expires on " + day + ", tomorrow."
	default:
		return fmt.Sprintf("Expires on %s, in %d days.", day, n)
	}
}

// expiring are the dates of the entries that the person's role is for, the
// earliest first.
func (g gate) expiring(c echo.Context) (out []config.Expiring, err error) {
	all, err := g.Config.Expiries(c.Request().Context())
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if g.covers(c, x.Entry) {
			out = append(out, x)
		}
	}
	return out, nil
}

// expiries puts the entries first on the overview whose secrets expire soon.
func (p housePages) expiries(c echo.Context, page *templates.OverviewPage) error {
	all, err := p.expiring(c)
	if err != nil {
		return err
	}
	var rows []templates.AttentionRow
	for _, x := range all {
		n := x.DaysLeft(p.Now())
		if n > remindFrom || len(rows) >= attentionShown {
			break
		}
		row := templates.AttentionRow{ID: string(x.Entry), Initial: initial(p.Config.Definition(x.Entry), x.Entry), Status: templates.HealthStale, Fact: expiryFact(x, n),
			Detail: expiryWords(x.Expiry, p.Now()) + " Nothing here stops at the date; the provider may."}
		if n <= 1 {
			row.Status = templates.HealthInconclusive
		}
		row.Action = templates.Link{Label: "See the entry", URL: entryURL(x.Entry)}
		if v, err := p.Config.Version(c.Request().Context(), x.Entry, x.Version); err == nil && p.allows(c, auth.ConfigWrite) && p.Config.SecretKey(v) == x.Key {
			row.Action = templates.Link{Label: "Replace it", URL: entryURL(x.Entry) + "/rotate"}
		}
		rows = append(rows, row)
	}
	page.Attention = append(rows, page.Attention...)
	return nil
}

// expiryFact is a reminder in a few words; the thresholds are 30 days, 7 days, one
// day, and after.
func expiryFact(x config.Expiring, days int) string {
	switch {
	case days < 0:
		return x.Label + " has expired"
	case days == 0:
		return x.Label + " expires today"
	case days == 1:
		return x.Label + " expires tomorrow"
	case days <= 7:
		return x.Label + " expires within a week"
	}
	return x.Label + " expires within a month"
}

// reverts puts the entries first on the overview that went back by themselves, and
// were left so.
func (p housePages) reverts(c echo.Context, page *templates.OverviewPage) error {
	all, err := p.Config.Watches(c.Request().Context())
	if err != nil {
		return err
	}
	var rows []templates.AttentionRow
	for _, w := range all {
		if w.End != config.WatchReverted || !p.covers(c, w.Entry) {
			continue
		}
		e, err := p.Config.Get(c.Request().Context(), w.Entry)
		if errs.Is(err, errs.NotFound) || err == nil && !w.Fresh(e) {
			continue
		}
		if err != nil {
			return err
		}
		rows = append(rows, templates.AttentionRow{ID: string(e.ID), Initial: initial(p.Config.Definition(e.ID), e.ID), Status: templates.HealthInconclusive,
			Fact: fmt.Sprintf("Version %d came back by itself", w.Before), Detail: w.Found + " Consumers have what they had before.",
			Action: templates.Link{Label: "See the rotation", URL: entryURL(e.ID) + "/rotate"}})
	}
	page.Attention = append(rows, page.Attention...)
	return nil
}

// remind adds to the rows of the list when their secrets expire soon.
func (p listPages) remind(c echo.Context, rows []templates.EntryRow) error {
	all, err := p.expiring(c)
	if err != nil {
		return err
	}
	soonest := map[string]config.Expiring{}
	for _, x := range all {
		if _, has := soonest[string(x.Entry)]; !has && x.DaysLeft(p.Now()) <= remindFrom {
			soonest[string(x.Entry)] = x
		}
	}
	for i, r := range rows {
		if x, ok := soonest[r.ID]; ok {
			rows[i].Expires = expiryFact(x, x.DaysLeft(p.Now()))
		}
	}
	return nil
}

var secretExpires = prometheus.NewDesc("backoffice_secret_expires_seconds", "Seconds until the day begins (UTC) on which a secret in force is said to expire; negative after it. Absent where no date is known.", []string{"entry", "field"}, nil)

func (g entryGauges) collectExpiries(ctx context.Context, ch chan<- prometheus.Metric, now time.Time) error {
	all, err := g.Config.Expiries(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		ch <- gauge(secretExpires, x.Day().Sub(now).Seconds(), string(x.Entry), x.Key)
	}
	return nil
}
