package server

import (
	"maps"
	"slices"
	"strconv"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// The tabs Scopes and Webhooks each save a version that differs from the one
// they showed by one list: the declared permissions, or the chosen topics.

// A listForm is how one of them does it.
type listForm struct {
	field, tab string                                         // of the form; of the address
	set        func(*config.Draft, []string)                  // puts the list into the draft
	draw       func(int, templates.SaveForm, *[]string) error // the tab again, with what could not be saved
}

// saveList saves a version with another list.
func (g gate) saveList(c echo.Context, l listForm) error {
	e, _, err := g.entry(c)
	if err != nil {
		return err
	}
	f, err := readEntryForm(c, nil)
	if err == nil {
		err = g.mayPut(c, f.then)
	}
	if err != nil {
		return err
	}
	base, err := g.baseOf(c, e, f)
	if err != nil {
		return err
	}
	chosen := c.Request().PostForm[l.field]
	d := config.Draft{ID: e.ID, Revision: f.revision, Base: f.base, Scopes: base.Scopes, Topics: base.Topics, Reason: f.reason, Then: f.then, Values: keepAll(base)}
	l.set(&d, chosen)
	saved, err := g.Config.Save(c.Request().Context(), actor(c), d)
	again := false
	if errs.Is(err, errs.Conflict) {
		saved, again = g.repeatsSave(c.Request().Context(), actor(c), d, base)
	}
	if err == nil || again {
		return g.see(c, entryURL(e.ID)+"/"+l.tab, savedFlash(saved, d.Then))
	}
	form := templates.SaveForm{Base: strconv.Itoa(f.base), Revision: strconv.FormatInt(f.revision, 10), Reason: f.reason}
	kind, msg := errs.Of(err)
	because(c, err)
	switch kind {
	case errs.Conflict:
		if err := g.rebase(c, &form, base.Version); err != nil {
			return err
		}
	case errs.Invalid:
		form.Errors = listErrors(err, msg)
	default:
		return err
	}
	return l.draw(statuses[kind].status, form, &chosen)
}

// rebase renews a form of which somebody else was faster.
func (g gate) rebase(c echo.Context, form *templates.SaveForm, from config.Version) error {
	e, err := g.Config.Get(c.Request().Context(), from.Entry)
	if err != nil {
		return err
	}
	form.Base, form.Revision = strconv.Itoa(e.Newest()), strconv.FormatInt(e.Revision, 10)
	form.Conflict, err = g.conflict(c.Request().Context(), e, from)
	return err
}

// listErrors are the faults of a save, for the summary of the form.
func listErrors(err error, msg string) (out []templates.FieldError) {
	faults := errs.Fields(err)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		out = append(out, templates.FieldError{Field: name, Msg: faults[name]})
	}
	if len(out) == 0 {
		out = append(out, templates.FieldError{Field: "reason", Msg: msg})
	}
	return out
}

// keepAll are the values of a version as they are.
func keepAll(o config.Opened) (in []config.Input) {
	for _, k := range o.Keys {
		in = append(in, config.Input{Key: k.Name, Secret: k.Secret, Keep: true})
	}
	return in
}

// newestForm is the end of a form that starts from the newest version.
func newestForm(e config.Entry) templates.SaveForm {
	return templates.SaveForm{Base: strconv.Itoa(e.Newest()), Revision: strconv.FormatInt(e.Revision, 10)}
}
