package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// formPages are the pages on which an entry is made and edited.
type formPages struct{ gate }

// fresh is GET /config/new without a connector and an id: which one is it?
func (p formPages) fresh(c echo.Context) error {
	key, typed := c.QueryParam("connector"), c.QueryParam("id")
	if key == "" && typed == "" {
		return p.choose(c, "")
	}
	def, known := p.Catalogue.Get(key)
	if key != "" && !known {
		return errs.Newf(errs.NotFound, "There is no connector %q. The catalogue lists those there are; an entry without one takes any id.", key)
	}
	if key == "" {
		id, err := config.ParseID(typed)
		if err != nil {
			return p.choose(c, errs.Fields(err)["id"])
		}
		def = p.Config.Definition(id)
	}
	f := entryForm{id: typed}
	if def != nil && typed == "" {
		f.id = "acme:" + def.Key
	}
	return p.draw(c, http.StatusOK, formState{form: f, def: def, isNew: true})
}

func (p formPages) choose(c echo.Context, fault string) error {
	page := templates.ChooseConnectorPage{Frame: p.frame(c, "Add an entry", templates.SectionConfiguration),
		Query: c.QueryParam("q"), ID: c.QueryParam("id"), IDError: fault}
	status := http.StatusOK
	if fault != "" {
		status = http.StatusUnprocessableEntity
	}
	page.Connectors, page.Nearest = p.tiles(c, page.Query)
	return render(c, status, templates.ChooseConnector(page))
}

// create is POST /config.
func (p formPages) create(c echo.Context) error {
	s, id, err := p.sentNew(c)
	if err != nil {
		return err
	}
	if s.form.addRow {
		s.err = nil
		return p.draw(c, http.StatusOK, s)
	}
	if s.err != nil {
		return p.draw(c, http.StatusUnprocessableEntity, s)
	}
	return p.store(c, id, s, config.Version{})
}

// sentNew decodes the form of a new entry. What is wrong with its id is in the
// state.
func (p formPages) sentNew(c echo.Context) (formState, config.ID, error) {
	id, idErr := config.ParseID(strings.TrimSpace(c.FormValue("id")))
	def, _ := p.Catalogue.Get(c.FormValue("connector"))
	if idErr == nil && def == nil {
		def = p.Config.Definition(id)
	}
	f, err := readEntryForm(c, def)
	if err != nil {
		return formState{}, id, err
	}
	f.revision, f.base = 0, 0 // whatever was sent: nothing is there yet
	s := formState{form: f, def: def, isNew: true, err: idErr}
	if idErr == nil && !p.covers(c, id) {
		s.err = errs.Field("id", "Your role is for the entries "+visitOf(c).user.Entries.Words()+". Choose an id among them, or ask an owner.")
		return s, id, nil
	}
	if idErr == nil && keyOf(p.Config.Definition(id)) != keyOf(def) {
		s.err = errs.Field("id", "An entry of "+def.Name+" has "+def.Key+" after the vendor, for example acme:"+def.Key+".")
	}
	return s, id, nil
}

// edit is GET /config/:id/edit.
func (p formPages) edit(c echo.Context) error {
	s, _, err := p.stored(c)
	if err != nil {
		return err
	}
	return p.draw(c, http.StatusOK, s)
}

// stored is the form as it stands for what is kept now.
func (p formPages) stored(c echo.Context) (formState, config.Entry, error) {
	e, def, err := p.entry(c)
	if err != nil {
		return formState{}, e, err
	}
	base, err := p.Config.Open(c.Request().Context(), e.ID, e.Newest())
	if err != nil {
		return formState{}, e, err
	}
	return formState{form: formOf(e, base, def), def: def, entry: e, base: base}, e, nil
}

// baseOf opens the version that a form was made from. In an entry that was deleted
// and made again meanwhile there may be none: then there is nothing to build on,
// and saving finds the conflict, which keeps what was typed.
func (g gate) baseOf(c echo.Context, e config.Entry, f entryForm) (config.Opened, error) {
	base, err := g.Config.Open(c.Request().Context(), e.ID, f.base)
	if errs.Is(err, errs.NotFound) && e.Revision != f.revision {
		return config.Opened{Version: config.Version{Entry: e.ID}}, nil
	}
	return base, err
}

// entry reads the entry in the path, and its definition.
func (g gate) entry(c echo.Context) (config.Entry, *connector.Definition, error) {
	id, err := entryID(c)
	if err != nil {
		return config.Entry{}, nil, err
	}
	e, err := g.Config.Get(c.Request().Context(), id)
	return e, g.Config.Definition(id), err
}

// save is POST /config/:id.
func (p formPages) save(c echo.Context) error {
	e, def, err := p.entry(c)
	if errs.Is(err, errs.NotFound) {
		return p.orphaned(c, err)
	}
	if err != nil {
		return err
	}
	f, err := readEntryForm(c, def)
	if err != nil {
		return err
	}
	base, err := p.baseOf(c, e, f)
	if err != nil {
		return err
	}
	s := formState{form: f, def: def, entry: e, base: base}
	if f.addRow {
		return p.draw(c, http.StatusOK, s)
	}
	return p.store(c, e.ID, s, base.Version)
}

// orphaned draws the form of an entry that somebody deleted meanwhile as the
// form of a new one: what was typed stays, what was stored is gone.
func (p formPages) orphaned(c echo.Context, gone error) error {
	id, err := entryID(c)
	if err != nil {
		return err
	}
	f, err := readEntryForm(c, p.Config.Definition(id))
	if err != nil {
		return err
	}
	f.id, f.revision, f.base = string(id), 0, 0
	_, msg := errs.Of(gone)
	return p.draw(c, statuses[errs.NotFound].status, formState{form: f, def: p.Config.Definition(id), isNew: true,
		err: errs.New(errs.NotFound, msg+" Saving this form makes it anew; type its secrets again.")})
}

// store saves what the form says; what cannot be saved comes back as the form
// with what was typed, except secrets.
func (p formPages) store(c echo.Context, id config.ID, s formState, base config.Version) error {
	if !s.settled() {
		because(c, errors.New("a secret that a page lost is to be typed again"))
		return p.draw(c, http.StatusUnprocessableEntity, s)
	}
	d := s.form.draft(id, s.def)
	if err := p.mayPut(c, d.Then); err != nil {
		return err
	}
	dropMissing(&d, base, s.def)
	if err := p.dropKnownDates(c, &d, base); err != nil {
		return err
	}
	if asks, err := p.asksOtherApp(c, d, s); err != nil || asks != "" {
		if err != nil {
			return err
		}
		s.err, s.asksApp = errs.Field(asks, "This is another client ID than the one in force. It is not a rotation: see below, and say that you mean it."), asks
		return p.draw(c, http.StatusUnprocessableEntity, s)
	}
	saved, err := p.Config.Save(c.Request().Context(), actor(c), d)
	if err == nil {
		return p.see(c, entryURL(id), savedFlash(saved, d.Then))
	}
	kind, _ := errs.Of(err)
	if kind == errs.Invalid && !s.isNew && p.onlyDates(c, id, s) == nil {
		return p.see(c, entryURL(id), flash{said: saidExpiry})
	}
	if kind == errs.Conflict {
		if saved, again := p.repeatsSave(c.Request().Context(), actor(c), d, s.base); again {
			return p.see(c, entryURL(id), savedFlash(saved, d.Then))
		}
	}
	switch {
	case kind == errs.NotFound && !s.isNew:
		return p.orphaned(c, err)
	case kind == errs.Conflict && !s.isNew:
		return p.overtaken(c, id, s)
	case kind == errs.Invalid, kind == errs.Conflict:
		s.err = err
		return p.draw(c, statuses[kind].status, s)
	case errors.Is(err, store.ErrUnsaved):
		_, msg := errs.Of(err)
		s.err = errs.Wrap(kind, msg+again(c, err), err)
		return p.draw(c, statuses[kind].status, s)
	}
	return err
}

// offerForce leaves "Save and put in force" out of a form where the entry's rule does
// not let it through.
func (g gate) offerForce(f *templates.Frame, e config.Entry) {
	f.May.Promote = f.May.Promote && g.Config.RuleOf(e) == config.RuleNone
}

// asksOtherApp returns the key of the client id if a draft has another one than the
// version in force and than the version that the form showed, and nobody has said
// that this is meant: then it is another app. A form that is overtaken, or that was
// sent twice, is not asked: saving tells it so.
func (p formPages) asksOtherApp(c echo.Context, d config.Draft, s formState) (string, error) {
	if s.form.otherApp || s.isNew || s.entry.Current == 0 || d.Revision != s.entry.Revision {
		return "", nil
	}
	made := p.Config.Unsaved(d, s.base)
	if key, other := p.Config.OtherApp(s.base.Version, made.Version); !other || key == "" {
		return "", nil
	}
	inForce, err := p.Config.Version(c.Request().Context(), s.entry.ID, s.entry.Current)
	if errs.Is(err, errs.NotFound) {
		return "", nil // deleted and made anew meanwhile: saving finds the conflict
	}
	if err != nil {
		return "", err
	}
	key, other := p.Config.OtherApp(inForce, made.Version)
	return pick(other, key, ""), nil
}

// dropKnownDates takes the dates out of a draft that the form showed and nobody
// changed: the date of an old secret says nothing of a new one.
func (p formPages) dropKnownDates(c echo.Context, d *config.Draft, base config.Version) error {
	dates, err := p.Config.ExpiriesOf(c.Request().Context(), base)
	if err != nil {
		return err
	}
	changed := map[string]string{}
	for key, date := range d.Expires {
		if dates[key].Date != date {
			changed[key] = date
		}
	}
	d.Expires = changed
	return nil
}

// onlyDates saves the dates of a form that changes nothing else. It fails if the form
// changes no date either, or something else is wrong with it.
func (p formPages) onlyDates(c echo.Context, id config.ID, s formState) error {
	o, err := p.Config.Open(c.Request().Context(), id, s.form.base)
	if err != nil {
		return err
	}
	d := s.form.draft(id, s.def)
	dropMissing(&d, o.Version, s.def)
	if !holds(o, d, o, s.def) || s.entry.Revision != s.form.revision {
		return errs.New(errs.Invalid, "More than dates changed.")
	}
	dates, err := p.Config.ExpiriesOf(c.Request().Context(), o.Version)
	if err != nil {
		return err
	}
	changed := false
	for _, key := range slices.Sorted(maps.Keys(s.form.expires)) {
		if dates[key].Date == s.form.expires[key] {
			continue
		}
		changed = true
		if err := p.Config.SetExpiry(c.Request().Context(), actor(c), config.ExpiryChange{ID: id, Version: o.Number, Key: key, Date: s.form.expires[key]}); err != nil {
			return err
		}
	}
	if !changed {
		return errs.New(errs.Invalid, "No date changed.")
	}
	return nil
}

// mayPut refuses to put what is saved in force at once, if the role does not
// allow to put anything in force.
func (g gate) mayPut(c echo.Context, then config.Then) error {
	if then != config.PutInForce {
		return nil
	}
	return g.may(c, auth.ConfigPromote)
}

func savedFlash(s config.Saved, then config.Then) flash {
	f := flash{said: saidPending, n: s.Version.Number}
	if then == config.PutInForce {
		f.said = saidForce
	}
	cleaned := s.Version.Cleaned
	switch {
	case slices.ContainsFunc(cleaned, func(c config.Cleaning) bool { return len(c.Removed) > 0 }):
		f.said = map[said]said{saidPending: saidCleanedPending, saidForce: saidCleanedForce}[f.said]
	case len(cleaned) > 0:
		f.said = map[said]said{saidPending: saidTrimmedPending, saidForce: saidTrimmedForce}[f.said]
	}
	return f
}

// overtaken draws the form of somebody who was not the first to save. What they
// typed stays. Kept secrets now come from the version that was saved meanwhile.
func (p formPages) overtaken(c echo.Context, id config.ID, s formState) error {
	because(c, errs.New(errs.Conflict, "The entry was saved in between."))
	e, err := p.Config.Get(c.Request().Context(), id)
	if err != nil {
		return err
	}
	s.conflict, err = p.conflict(c.Request().Context(), e, s.base.Version)
	if err != nil {
		return err
	}
	if s.base, err = p.Config.Open(c.Request().Context(), id, e.Newest()); err != nil {
		return err
	}
	s.conflict.What = "Revision " + strconv.FormatInt(s.form.revision, 10) + " became " + strconv.FormatInt(e.Revision, 10) + "."
	s.entry, s.form.revision, s.form.base = e, e.Revision, e.Newest()
	return p.draw(c, http.StatusConflict, s)
}

// conflict says what happened to an entry since the version from.
func (g gate) conflict(ctx context.Context, e config.Entry, from config.Version) (templates.Conflict, error) {
	now, err := g.Config.Open(ctx, e.ID, e.Newest())
	if err != nil {
		return templates.Conflict{}, err
	}
	before := config.Opened{Version: from}
	if from.Number != 0 {
		if before, err = g.Config.Open(ctx, e.ID, from.Number); err != nil {
			return templates.Conflict{}, err
		}
	}
	who, at := e.ChangedBy, e.Changed
	if e.TouchedBy != "" { // nothing was saved, but decided
		who = e.TouchedBy
		if e.Decision.Time.After(at) {
			at = e.Decision.Time
		}
	}
	return templates.Conflict{Who: who, When: g.when(at), Changes: diffLines(before, now, false),
		Theirs: entryURL(e.ID) + "/edit"}, nil
}

func entryURL(id config.ID) string { return "/config/" + string(id) }

func keyOf(def *connector.Definition) string {
	if def == nil {
		return ""
	}
	return def.Key
}
