package server

import (
	"net/http"
	"strconv"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/keyring"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// keyPages are the keys that seal the data, beneath Settings.
type keyPages struct{ gate }

const (
	keysPath     = "/settings/keys"
	keysProgress = "/settings/keys/progress" // asked for by the page itself
)

// keysManage is what a page must know to offer a change of the keys.
const keysManage = auth.KeysManage

// oldKey is the age from which a key should be changed.
const oldKey = 365 * 24 * time.Hour

// show is GET /settings/keys.
func (p keyPages) show(c echo.Context) error {
	s, err := p.Keys.State(c.Request().Context())
	if err != nil {
		return err
	}
	page := templates.KeysPage{Frame: p.frame(c, "Keys", templates.SectionSettings), May: p.allows(c, keysManage), Writable: s.Writable,
		Work: p.work(s.Work), Counted: p.when(s.Count.Time)}
	if s.Work.UnderWay {
		page.Refresh = refreshSeconds
	}
	counted, stale := !s.Count.Time.IsZero(), 0
	for _, k := range s.Keys {
		row := templates.SealingKey{ID: k.ID, Since: p.when(k.Since), Retired: p.when(k.Retired)}
		row.State, row.Word = p.keyState(k)
		if counted {
			row.Seals = recordsWords(k.Sealed)
		}
		page.Keys = append(page.Keys, row)
		if !k.Primary {
			stale += k.Sealed
		}
		if !k.Primary && k.Retired.IsZero() && k.Sealed == 0 && counted && !s.Work.UnderWay {
			end := templates.KeyEnd{ID: k.ID}
			if p.Site.KeyInFile {
				end.Copy = p.Site.KeyFile + ".with-" + k.ID
			}
			page.Ends = append(page.Ends, end)
		}
	}
	if stale > 0 {
		page.Stale = recordsWords(stale)
	}
	page.Facts = p.keyFacts()
	return render(c, http.StatusOK, templates.Keys(page))
}

func (g gate) keyState(k keyring.Key) (templates.Verdict, string) {
	switch {
	case !k.Retired.IsZero():
		return templates.VerdictNotChecked, "Retired"
	case k.Primary && g.Now().Sub(k.Since) > oldKey:
		return templates.VerdictWarning, "Seals, and is older than a year"
	case k.Primary:
		return templates.VerdictOK, "Seals"
	}
	return templates.VerdictNotChecked, "Opens what it sealed"
}

// keyFacts say where the key is kept.
func (g gate) keyFacts() []templates.Fact {
	s := g.Site
	wrapped := templates.Fact{Label: "Passphrase", Text: "None: whoever can read it has the key"}
	if s.KeyWrapped != nil && s.KeyWrapped() {
		wrapped.Text = "It is wrapped by one"
	}
	return []templates.Fact{{Label: "Key that seals", Text: g.Keys.Box.KeyID(), Code: true}, {Label: "Where it is", Text: s.KeyFile, Code: s.KeyInFile}, wrapped}
}

func (g gate) work(w keyring.Work) templates.KeyWork {
	if !w.UnderWay {
		return templates.KeyWork{}
	}
	out := templates.KeyWork{UnderWay: true, By: w.By, Begun: g.when(w.Begun), Words: recordsWords(w.Done) + " so far"}
	if w.Total > 0 {
		out.Done, out.Total = strconv.Itoa(w.Done), strconv.Itoa(w.Total)
		out.Words = templates.Count(int64(w.Done)) + " of " + recordsWords(w.Total)
	}
	return out
}

func recordsWords(n int) string {
	if n == 1 {
		return "1 record"
	}
	return templates.Count(int64(n)) + " records"
}

// progress is GET /settings/keys/progress: the part of the page about a re-sealing,
// for that page. When it has ended, the page is to load itself again.
func (p keyPages) progress(c echo.Context) error {
	if !isFragment(c) {
		return c.Redirect(http.StatusSeeOther, keysPath)
	}
	s, err := p.Keys.State(c.Request().Context())
	if err != nil {
		return err
	}
	if !s.Work.UnderWay {
		c.Response().Header().Set("HX-Refresh", "true")
		return c.NoContent(http.StatusOK)
	}
	return render(c, http.StatusOK, templates.KeyProgress(p.work(s.Work)))
}

// rotate is POST /settings/keys/rotate: a new key, and everything sealed anew.
func (p keyPages) rotate(c echo.Context) error {
	if _, err := p.Keys.Rotate(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	if err := p.Keys.Reseal(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	return p.see(c, keysPath, flash{said: saidKeyMade})
}

// reseal is POST /settings/keys/reseal.
func (p keyPages) reseal(c echo.Context) error {
	if err := p.Keys.Reseal(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	return p.see(c, keysPath, flash{said: saidResealing})
}

// retire is POST /settings/keys/retire.
func (p keyPages) retire(c echo.Context) error {
	if _, err := p.Keys.Retire(c.Request().Context(), actor(c), c.FormValue("key"), c.FormValue("copy") == "yes"); err != nil {
		return err
	}
	return p.see(c, keysPath, flash{said: saidKeyRetired})
}
