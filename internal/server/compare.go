package server

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// compare is POST /config/:id/compare.
func (p valuePages) compare(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	key, paste := c.FormValue("key"), secret.NewText(strings.TrimSpace(c.FormValue("paste")))
	if paste.IsZero() {
		return p.draw(c, http.StatusUnprocessableEntity, func(page *templates.EntryValuesPage) {
			page.Compare.Error = "Paste a value to compare."
		})
	}
	if !p.guesses.allow(visitOf(c).user.ID) {
		return p.draw(c, http.StatusTooManyRequests, func(page *templates.EntryValuesPage) {
			page.Compare.Error = "Those were many comparisons in a row. Wait a minute, then paste again."
		})
	}
	cmp, err := p.Config.Compare(c.Request().Context(), actor(c), id, key, paste)
	if err != nil {
		return err
	}
	e, err := p.Config.Get(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return p.draw(c, http.StatusOK, func(page *templates.EntryValuesPage) {
		page.Compare.Result, page.Compare.Answer = comparison(e, key, cmp)
		for i := range page.Compare.Keys {
			page.Compare.Keys[i].Selected = page.Compare.Keys[i].Name == key
		}
	})
}

// comparison is the line-up of a paste with the stored values, and its answer.
func comparison(e config.Entry, key string, cmp config.Comparison) (rows []templates.LineupRow, answer string) {
	answer = "Your paste is none of the stored values of " + key + "."
	same := false
	for _, v := range cmp.Versions {
		row := templates.LineupRow{Label: versionName(e, v.Version), Fingerprint: templates.Fingerprint(v.Key.Fingerprint), Same: v.Same,
			Verdict: templates.VerdictWrong, Word: "Different"}
		if v.Same {
			row.Verdict, row.Word = templates.VerdictOK, "The same"
			if !same {
				answer = "Your paste is the " + key + " of " + lowerFirst(row.Label) + "."
			}
			same = true
		}
		rows = append(rows, row)
	}
	paste := templates.LineupRow{Label: "Your paste", Fingerprint: templates.Fingerprint(cmp.Fingerprint), Same: same, Note: characters(cmp.Length)}
	return append([]templates.LineupRow{paste}, rows...), answer
}

// guesses bounds how often a person may compare: each comparison tells something
// about a secret without showing it. It is safe for concurrent use.
type guesses struct {
	now func() time.Time

	mu sync.Mutex
	of map[string]*rate.Limiter // by the id of the person
}

// compareBurst is how many comparisons may follow each other; one more is allowed
// every compareEvery.
const (
	compareBurst = 10
	compareEvery = 6 * time.Second
)

func (g *guesses) allow(person string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = map[string]*rate.Limiter{}
	}
	l := g.of[person]
	if l == nil {
		l = rate.NewLimiter(rate.Every(compareEvery), compareBurst)
		g.of[person] = l
	}
	return l.AllowN(g.now(), 1)
}
