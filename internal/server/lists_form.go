package server

import (
	"strconv"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// The tabs Scopes and Webhooks each save a version that differs from the one
// they showed by one list: the declared permissions, or the chosen topics.

// saveList saves a version with another list. set puts the list of the form
// into the draft; draw draws the tab again with what could not be saved.
func (g gate) saveList(c echo.Context, set func(*config.Draft, []string), field string, draw func(status int, f templates.SaveForm, chosen []string) error) error {
	e, def, err := g.entry(c)
	if err != nil {
		return err
	}
	f, err := readEntryForm(c, nil)
	if err != nil {
		return err
	}
	p, err := c.FormParams()
	if err != nil {
		return err
	}
	chosen := p[field]
	base, err := g.Config.Open(c.Request().Context(), e.ID, f.base)
	if err != nil {
		return err
	}
	d := config.Draft{ID: e.ID, Revision: f.revision, Base: f.base, Scopes: base.Scopes, Topics: base.Topics, Reason: f.reason, Then: f.then, Values: keepAll(base)}
	set(&d, chosen)
	saved, err := g.Config.Save(c.Request().Context(), actor(c), d)
	if err == nil {
		return g.see(c, entryURL(e.ID)+"/"+map[string]string{"scope": "scopes", "topic": "webhooks"}[field], savedFlash(saved, d.Then))
	}
	kind, msg := errs.Of(err)
	form := templates.SaveForm{Base: strconv.Itoa(f.base), Revision: strconv.FormatInt(f.revision, 10), Reason: f.reason}
	switch {
	case kind == errs.Conflict:
		if form, err = g.overtakenList(c, def, form, base.Version, e.ID); err != nil {
			return err
		}
	case kind == errs.Invalid:
		form.Errors = listErrors(err, msg)
	default:
		return err
	}
	return draw(statuses[kind].status, form, chosen)
}

// overtakenList renews a form of which somebody else was faster.
func (g gate) overtakenList(c echo.Context, _ *connector.Definition, form templates.SaveForm, from config.Version, id config.ID) (templates.SaveForm, error) {
	e, err := g.Config.Get(c.Request().Context(), id)
	if err != nil {
		return form, err
	}
	if form.Conflict, err = g.conflict(c.Request().Context(), e, from); err != nil {
		return form, err
	}
	form.Base, form.Revision = strconv.Itoa(e.Newest()), strconv.FormatInt(e.Revision, 10)
	return form, nil
}

// listErrors are the faults of a save, for the summary of the form.
func listErrors(err error, msg string) (out []templates.FieldError) {
	for name, m := range errs.Fields(err) {
		out = append(out, templates.FieldError{Field: name, Msg: m})
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
