package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// rotationPages are the flow in which the client secret of an entry is replaced.
type rotationPages struct{ gate }

// A rotateTab is the page as one request has it: why a form was not carried out,
// and what it had, but for the secret.
type rotateTab struct {
	status          int
	refused         string
	err             error
	expires, reason string
}

// show is GET /config/:id/rotate.
func (p rotationPages) show(c echo.Context) error {
	return p.draw(c, rotateTab{status: http.StatusOK})
}

// act is POST /config/:id/rotate: every form that changes nothing in force, and
// the short way, which takes what promoting takes.
func (p rotationPages) act(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	ctx, by := c.Request().Context(), actor(c)
	switch c.FormValue("do") {
	case "begin":
		err = p.Config.BeginRotation(ctx, by, id, config.Keeps(c.FormValue("keeps")))
		return p.done(c, id, err, rotateTab{refused: "The answer was not saved"}, flash{said: saidRotationBegun})
	case "end":
		err = p.Config.EndRotation(ctx, by, id)
		return p.done(c, id, err, rotateTab{refused: "Nothing was ended"}, flash{said: saidRotationEnded})
	case "paste":
		return p.paste(c, id)
	}
	return errs.New(errs.Invalid, "The form does not say what to do. Open the page again and use its buttons.")
}

// done goes back to the page, or draws it with why nothing was done.
func (p rotationPages) done(c echo.Context, id config.ID, err error, t rotateTab, said flash) error {
	if err == nil {
		return p.see(c, entryURL(id)+"/rotate", said)
	}
	kind, _ := errs.Of(err)
	if kind != errs.Conflict && kind != errs.Invalid {
		return err
	}
	because(c, err)
	t.status, t.err = statuses[kind].status, err
	return p.draw(c, t)
}

func (p rotationPages) paste(c echo.Context, id config.ID) error {
	ctx := c.Request().Context()
	then, err := readThen(c.FormValue("then"))
	if err != nil {
		return err
	}
	if err := p.mayPut(c, then); err != nil {
		return err
	}
	m, err := readRevised(c)
	if err != nil {
		return err
	}
	x := config.Paste{ID: id, Revision: m.Revision, Secret: secret.NewText(c.FormValue("secret")), Expires: strings.TrimSpace(c.FormValue("expires")),
		Reason: m.Reason, Then: then, Accept: m.Accept}
	saved, err := p.Config.PasteSecret(ctx, actor(c), x)
	if errs.Is(err, errs.Conflict) {
		saved, err = p.pastedAlready(c, x, err)
	}
	if err != nil {
		return p.done(c, id, err, rotateTab{refused: "Nothing was saved", expires: x.Expires, reason: x.Reason}, flash{})
	}
	said := savedFlash(saved, then)
	if then == config.PutInForce {
		ref, err := p.OAuth.Diagnose(ctx, actor(c), id, saved.Version.Number)
		if err == nil {
			return p.see(c, reportURL(ref), said)
		}
		p.Log.Warn("testing a new secret at once", "request", visitOf(c).requestID, "error", err)
	}
	return p.see(c, entryURL(id)+"/rotate", said)
}

// pastedAlready finds that a form which was sent twice is saved, by the same
// person and a moment ago.
func (p rotationPages) pastedAlready(c echo.Context, x config.Paste, conflict error) (config.Saved, error) {
	e, err := p.Config.Get(c.Request().Context(), x.ID)
	if err != nil || e.Revision != x.Revision+1 || e.ChangedBy != actor(c).Name || p.Now().Sub(e.Changed) > repeatWithin {
		return config.Saved{}, conflict
	}
	o, err := p.Config.Open(c.Request().Context(), x.ID, e.Next-1)
	if err != nil || !o.Time.Equal(e.Changed) || o.Values[p.Config.SecretKey(o.Version)].Text().Reveal() != strings.TrimSpace(x.Secret.Reveal()) {
		return config.Saved{}, conflict
	}
	return config.Saved{Version: o.Version}, nil
}

// readRevised is readMove for a form that names no version.
func readRevised(c echo.Context) (config.Move, error) {
	c.Request().Form.Set("version", "0")
	return readMove(c, "")
}

// promote is POST /config/:id/rotate/promote.
func (p rotationPages) promote(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	m, err := readMove(c, id)
	if err != nil {
		return err
	}
	minutes, err := strconv.Atoi("0" + c.FormValue("minutes"))
	if err != nil || minutes > 24*60 {
		return errs.New(errs.Invalid, "The form could not be read. Open the page again and use its buttons.")
	}
	m.Revert = time.Duration(minutes) * time.Minute
	if off, err := p.OAuth.WatchOff(c.Request().Context()); err != nil {
		return err
	} else if off != "" && minutes > 0 {
		return p.done(c, id, errs.Field("minutes", off+" Promote without it, and test by hand."), rotateTab{refused: "Nothing was promoted", reason: m.Reason}, flash{})
	}
	_, err = p.Config.Promote(c.Request().Context(), actor(c), m)
	if errs.Is(err, errs.Conflict) && p.repeatsMove(c.Request().Context(), actor(c), m, moved{audit.EntryPromoted, isInForce}) {
		err = nil
	}
	return p.done(c, id, err, rotateTab{refused: "Nothing was promoted", reason: m.Reason}, flash{said: saidPromoted, n: m.Version})
}

// retire is POST /config/:id/rotate/retire.
func (p rotationPages) retire(c echo.Context) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	m, err := readMove(c, id)
	if err != nil {
		return err
	}
	_, err = p.Config.Retire(c.Request().Context(), actor(c), m)
	isRetired := func(e config.Entry, _ config.Move) bool { return e.Previous == 0 }
	if errs.Is(err, errs.Conflict) && p.repeatsMove(c.Request().Context(), actor(c), m, moved{audit.EntryRetired, isRetired}) {
		err = nil
	}
	return p.done(c, id, err, rotateTab{refused: "Nothing was retired", reason: m.Reason}, flash{said: saidRetired, n: m.Version})
}

func (p rotationPages) draw(c echo.Context, t rotateTab) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabNone)
	if err != nil {
		return err
	}
	head.Rotation = "" // this is the page where it leads
	page := templates.EntryRotatePage{Frame: p.frame(c, "Replace the client secret · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		Revision: strconv.FormatInt(e.Revision, 10)}
	r, err := p.Config.RotationOf(c.Request().Context(), e.ID)
	if err != nil {
		return err
	}
	s := rotateState{Rotating: r, def: def}
	if e.Current == 0 {
		page.None = "Nothing of this entry is in force, so there is no secret to replace. Edit the entry instead."
	} else if s.current, err = p.open(c, e.ID, e.Current); err != nil {
		return err
	} else if page.Key = p.Config.SecretKey(s.current.Version); page.Key == "" {
		page.None = "The version in force has no client secret. Edit the entry if it is to get one."
	}
	if page.None == "" {
		page.Label = fieldLabel(def, page.Key)
		page.Rehearsal = p.rehearses(def, s.current.Texts())
		page.Console = p.consoleOf(def, page.Rehearsal)
		if err := p.fillRotation(c, &page, &s, t); err != nil {
			return err
		}
	}
	t.fill(&page)
	return render(c, t.status, templates.EntryRotate(page))
}

func fieldLabel(def *connector.Definition, key string) string {
	if def != nil {
		if f, ok := def.Field(key); ok {
			return f.Label
		}
	}
	return key
}

// fill says on the page why a form was not carried out.
func (t rotateTab) fill(page *templates.EntryRotatePage) {
	if t.err == nil {
		return
	}
	page.Refused = t.refused
	faults := errs.Fields(t.err)
	page.Paste.Error, page.Paste.ExpiresError, page.Promote.Error = faults["secret"], faults[config.ExpiryField(page.Key)], faults["minutes"]
	if f := faults[page.Key]; f != "" {
		page.Paste.Error = f
	}
	for _, x := range []struct{ control, msg string }{{"secret", page.Paste.Error}, {"expires", page.Paste.ExpiresError}, {"minutes", page.Promote.Error},
		{"keeps", faults["keeps"]}, {"rotate", faults["hours"]}, {"rotate", faults["reason"]}} {
		if x.msg != "" {
			page.Errors = append(page.Errors, templates.FieldError{Field: x.control, Msg: x.msg})
		}
	}
	if _, msg := errs.Of(t.err); len(page.Errors) == 0 {
		page.Errors = []templates.FieldError{{Field: "rotate", Msg: msg + " This page shows how the entry stands now."}}
	}
}
