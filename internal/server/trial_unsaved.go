package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// This file tests values that are not saved: the form of an entry is sent to
// another tab, so that nothing typed is lost.

// testValues is POST /config/test-values. It needs two permissions: it reads what
// only a form of an entry may send, and it tests.
func (p formPages) testValues(c echo.Context) error {
	if err := p.may(c, auth.ConfigWrite); err != nil {
		return err
	}
	s, id, base, err := p.sent(c)
	if err == nil {
		err = s.err
	}
	if faults := s.lost(); err == nil && len(faults) > 0 {
		return p.refuseTrial(c, s, id, errs.New(errs.Invalid, ""), faults)
	}
	if err != nil {
		return p.refuseTrial(c, s, id, err, errs.Fields(err))
	}
	d := s.form.draft(id, s.def)
	dropMissing(&d, base, s.def)
	ref, err := p.OAuth.DiagnoseDraft(c.Request().Context(), actor(c), d)
	if err != nil {
		return p.refuseTrial(c, s, id, err, errs.Fields(err))
	}
	return c.Redirect(http.StatusSeeOther, trialURL(ref.Report))
}

func trialURL(run string) string { return "/trials/" + run }

// sent decodes the form of an entry, new or not.
func (p formPages) sent(c echo.Context) (formState, config.ID, config.Version, error) {
	if c.FormValue("revision") == "" {
		s, id, err := p.sentNew(c)
		return s, id, config.Version{}, err
	}
	id, err := config.ParseID(c.FormValue("id"))
	if err == nil {
		err = p.reaches(c, id)
	}
	if err != nil {
		return formState{}, id, config.Version{}, err
	}
	e, err := p.Config.Get(c.Request().Context(), id)
	if err != nil {
		return formState{}, id, config.Version{}, err
	}
	def := p.Config.Definition(id)
	f, err := readEntryForm(c, def)
	if err != nil {
		return formState{}, id, config.Version{}, err
	}
	base, err := p.baseOf(c, e, f)
	return formState{form: f, def: def, entry: e, base: base}, id, base.Version, err
}

// lost are the secrets that a page before this one lost and that are to be typed
// again, each with what is asked.
func (s formState) lost() map[string]string {
	out := map[string]string{}
	ask := func(key string, fault string) {
		if fault != "" {
			out[key] = fault
		}
	}
	for key, typed := range s.form.secrets {
		ask(key, s.form.unsettled(key, typed, s.stores(key)))
	}
	for _, r := range s.form.rows {
		if r.sealed {
			ask(r.key, s.form.unsettled(r.key, r.typed, s.stores(r.key)))
		}
	}
	return out
}

// refuseTrial says why nothing was tested. Words come from the error only if it
// was made for people.
func (p formPages) refuseTrial(c echo.Context, s formState, id config.ID, err error, faults map[string]string) error {
	kind, msg := errs.Of(err)
	page := templates.TrialRefusedPage{Heading: "Nothing was tested", Message: msg}
	switch kind {
	case errs.Invalid, errs.Conflict, errs.NotFound:
	case errs.TooMany:
		page.Heading = "Too early for another test"
	default:
		return err
	}
	if len(faults) > 0 {
		page.Heading, page.Message = pick(len(faults) == 1, "A field needs your attention", "Some fields need your attention"), ""
	}
	for _, key := range slices.Sorted(maps.Keys(faults)) {
		page.Faults = append(page.Faults, templates.Fact{Label: controlName(s.def, key), Text: faults[key]})
	}
	if run := p.OAuth.UnderWay(id); kind == errs.TooMany && run != "" {
		page.Watch = p.watch(c, id, run)
	}
	because(c, err)
	p.retryAfter(c, err)
	page.Frame = p.frame(c, page.Heading, templates.SectionConfiguration)
	return render(c, statuses[kind].status, templates.TrialRefused(page))
}

// watch leads to a test under way, if this person may see it.
func (g gate) watch(c echo.Context, id config.ID, run string) templates.Link {
	l, ok := g.OAuth.Live(run)
	switch {
	case !ok:
		return templates.Link{}
	case !homeless(l.Progress().Report):
		return templates.Link{Label: "Watch the test that is under way", URL: reportURL(oauth.Ref{Entry: id, Report: run})}
	case l.By == visitOf(c).user.ID:
		return templates.Link{Label: "Watch the test that is under way", URL: trialURL(run)}
	}
	return templates.Link{}
}

// controlName is what a form calls one of its fields.
func controlName(def *connector.Definition, key string) string {
	if def != nil {
		if f, ok := def.Field(key); ok && f.Label != "" {
			return f.Label
		}
	}
	switch key {
	case "id":
		return "Id of the entry"
	case "key", "value":
		return "Further keys"
	case "":
		return "A key without a name"
	}
	return strings.ToUpper(key[:1]) + key[1:]
}

// trial is GET /trials/:run: a test of values that are not saved, for who started
// it.
func (p testPages) trial(c echo.Context) error {
	l, err := p.own(c)
	if err != nil {
		return err
	}
	progress := l.Progress()
	r := progress.Report
	if !r.Unsaved {
		return c.Redirect(http.StatusSeeOther, reportURL(oauth.Ref{Entry: r.Entry, Report: r.ID}))
	}
	e, def := config.Entry{}, p.Config.Definition(r.Entry)
	page := templates.TrialPage{Frame: p.frame(c, "Test of values · "+string(r.Entry), templates.SectionConfiguration), ID: string(r.Entry)}
	if !homeless(r) {
		if e, err = p.Config.Get(c.Request().Context(), r.Entry); err != nil {
			return err
		}
		page.Back = templates.Link{Label: string(r.Entry), URL: entryURL(r.Entry)}
	}
	page.Rehearsal = r.Rehearsal
	switch {
	case !progress.Done:
		page.Refresh, page.Live = refreshSeconds, p.live(progress, trialURL(r.ID)+"/events")
	case progress.Kept:
		page.Kept = templates.Link{Label: "See it in the history of " + string(r.Entry), URL: reportURL(oauth.Ref{Entry: r.Entry, Report: r.ID})}
	case progress.Err != nil:
		page.Notice = notKept()
	}
	if progress.Done {
		page.Report = p.report(r, e, def, config.Version{})
	}
	return render(c, http.StatusOK, templates.Trial(page))
}

// trialEvents is GET /trials/:run/events.
func (p testPages) trialEvents(c echo.Context) error {
	l, err := p.own(c)
	if err != nil {
		return err
	}
	return p.follow(c, auth.ConfigTest, l)
}

// own is the test in the path, for the account that started it. For anybody else
// there is none.
func (p testPages) own(c echo.Context) (*oauth.Live, error) {
	l, ok := p.OAuth.Live(c.Param("run"))
	if !ok || l.By != visitOf(c).user.ID || !p.covers(c, l.Progress().Report.Entry) {
		return nil, errs.New(errs.NotFound, "There is no such test of yours. Values that are not saved are known for a quarter of an hour after their test. Open the form and test them again.")
	}
	return l, nil
}
