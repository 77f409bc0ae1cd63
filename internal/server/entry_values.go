package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// valuePages are the tab Values of an entry and what can be done there.
type valuePages struct{ gate }

// show is GET /config/:id.
func (p valuePages) show(c echo.Context) error {
	return p.draw(c, http.StatusOK, nil)
}

// draw draws the tab; change, if given, puts the result of a form into it.
func (p valuePages) draw(c echo.Context, status int, change func(*templates.EntryValuesPage)) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	n, err := p.shownVersion(c, e)
	if err != nil {
		return err
	}
	o, err := p.open(c, e.ID, n)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabValues)
	if err != nil {
		return err
	}
	page := templates.EntryValuesPage{Frame: p.frame(c, "Values · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Version: strconv.Itoa(n), Revision: strconv.FormatInt(e.Revision, 10), Hours: acceptChoices(24)}
	page.Rehearsal = p.rehearses(def, o.Texts())
	if page.Standing, err = p.standing(c, e); err != nil {
		return err
	}
	if err := p.fillValues(c, &page, e, def, o); err != nil {
		return err
	}
	if err := p.fillExpiries(c, &page, o); err != nil {
		return err
	}
	if err := p.fillDoubts(c, &page, e, o); err != nil {
		return err
	}
	if page.Approval, err = p.approvalPanel(c, e); err != nil {
		return err
	}
	p.fillActs(c, &page, e, o)
	if word, err := p.approvalWord(c, e); err != nil || word != "" {
		if err != nil {
			return err
		}
		page.Promote = templates.PromoteForm{}
	}
	if change != nil {
		change(&page)
	}
	return render(c, status, templates.EntryValues(page))
}

// shownVersion is the version that ?version= names, or the newest.
func (g gate) shownVersion(c echo.Context, e config.Entry) (int, error) {
	q := c.FormValue("version")
	if q == "" {
		return e.Newest(), nil
	}
	n, err := strconv.Atoi(q)
	if err != nil || n < 1 || n >= e.Next {
		return 0, errs.Newf(errs.NotFound, "%s has no version %q. Its newest is %d.", e.ID, q, e.Next-1)
	}
	return n, nil
}

func (p valuePages) fillValues(c echo.Context, page *templates.EntryValuesPage, e config.Entry, def *connector.Definition, o config.Opened) error {
	against := config.Opened{}
	other := e.Current
	if o.Number == e.Current {
		other = e.Previous
	}
	if other != 0 && other != o.Number {
		var err error
		if against, err = p.open(c, e.ID, other); err != nil {
			return err
		}
		page.Against = fmt.Sprintf("version %d", other)
	}
	changed, rotates := 0, ""
	if e.Current != 0 {
		rotates = p.Config.SecretKey(o.Version)
	}
	page.Rows = make([]templates.ValueRow, 0, len(o.Keys))
	for _, k := range o.Keys {
		row := templates.ValueRow{Key: k.Name, Shown: copiedKey(o, k), Set: p.when(k.SetAt), SetBy: k.SetBy,
			CanReveal: k.Secret && p.allows(c, revealPermission), Rotates: k.Name == rotates}
		if page.Against != "" {
			row.Changed, row.Compared = compared(against, k)
		}
		if row.Changed {
			changed++
		}
		page.Rows = append(page.Rows, row)
	}
	page.Heading = plural(len(o.Keys), "value")
	if page.Against != "" {
		page.Heading += ", " + pick(changed == 0, "none", strconv.Itoa(changed)) + " changed"
	}
	page.Versions = versionPills(e, o.Number)
	p.fillNotices(c, page, def, o)
	if def != nil && def.OAuth != nil {
		if _, own := o.Key(def.OAuth.RedirectKey); !own && def.OAuth.RedirectKey != "" {
			page.FootText = def.OAuth.RedirectKey + " is not set, so the default redirect URI holds:"
			page.FootCode = p.redirectURI(def, "")
		}
	}
	return nil
}

// compared says whether a value differs from the one in another version.
func compared(against config.Opened, k config.Key) (changed bool, word string) {
	old, had := against.Key(k.Name)
	switch {
	case !had:
		return true, "New"
	case old.Fingerprint != k.Fingerprint || old.Kind != k.Kind:
		return true, ""
	}
	return false, "Same"
}

func (p valuePages) fillNotices(c echo.Context, page *templates.EntryValuesPage, def *connector.Definition, o config.Opened) {
	var names []string
	for _, k := range o.Keys {
		names = append(names, k.Name)
	}
	warnings := config.Warnings(def, names)
	var texts []string
	for _, n := range names {
		if w := warnings[n]; w != "" {
			texts = append(texts, n+": "+w)
		}
	}
	if len(texts) > 0 {
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: plural(len(texts), "key") + " may be misspelt", Text: strings.Join(texts, " "),
			Link: p.editLink(c, o.Entry, "Edit")}
	}
}

func versionPills(e config.Entry, shown int) (out []templates.VersionPill) {
	add := func(n int, label string) {
		if n != 0 {
			out = append(out, templates.VersionPill{Number: strconv.Itoa(n), Label: label, Chosen: n == shown})
		}
	}
	add(e.Current, fmt.Sprintf("Version %d, in force", e.Current))
	add(e.Pending, fmt.Sprintf("Version %d, pending", e.Pending))
	add(e.Previous, fmt.Sprintf("Version %d, previous", e.Previous))
	if shown != e.Current && shown != e.Pending && shown != e.Previous {
		add(shown, fmt.Sprintf("Version %d", shown))
	}
	return out
}

// fillActs offers what can be done with the versions that carry labels.
func (p valuePages) fillActs(c echo.Context, page *templates.EntryValuesPage, e config.Entry, o config.Opened) {
	for _, k := range o.Keys {
		if k.Secret && p.allows(c, auth.ConfigWrite) {
			page.Compare.Keys = append(page.Compare.Keys, templates.Choice{Name: k.Name, Label: k.Name})
		}
	}
	if e.Pending == 0 {
		return
	}
	n := strconv.Itoa(e.Pending)
	if p.allows(c, auth.ConfigWrite) {
		page.Discard = templates.DiscardChoice{Version: n, Effect: "Its values stay in the history."}
		if e.Current != 0 {
			page.Discard.Effect = fmt.Sprintf("Its values stay in the history. Version %d stays in force.", e.Current)
		}
	}
	if !p.allows(c, auth.ConfigPromote) {
		return
	}
	page.Promote = templates.PromoteForm{Version: n, Effect: fmt.Sprintf("Version %d is put in force for every consumer.", e.Pending)}
	if e.Current != 0 {
		page.Promote.Current = strconv.Itoa(e.Current)
		page.Promote.Effect = fmt.Sprintf("Version %d takes the place of version %d for every consumer.", e.Pending, e.Current)
	}
	switch page.Standing.Pending.Health {
	case templates.HealthWrong:
		page.Promote.Warning = "Its test failed: " + page.Standing.Pending.Fact + "."
	case templates.HealthNotTested:
		page.Promote.Warning = "Nobody has tested it yet."
	}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// versionName is a version with its label: "Version 6, in force".
func versionName(e config.Entry, n int) string {
	s := fmt.Sprintf("Version %d", n)
	switch n {
	case e.Current:
		return s + ", in force"
	case e.Pending:
		return s + ", pending"
	case e.Previous:
		return s + ", previous"
	}
	return s
}

// until is a deadline in a sentence.
func until(t time.Time) string { return t.UTC().Format("2 January, 15:04") + " UTC" }
