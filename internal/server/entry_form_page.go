package server

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// A formState is everything that the form of an entry is drawn from.
type formState struct {
	form     entryForm
	def      *connector.Definition // nil for a plain entry
	isNew    bool
	entry    config.Entry  // zero for a new one
	base     config.Opened // the version that is edited; zero for a new one
	err      error         // joined field errors, or one error about the whole
	conflict templates.Conflict
	asksApp  string // the key of the client id, if the form has to say that another app is meant
}

// spareRows are the empty rows for further keys that a form ends with.
const spareRows = 1

// formOf is the form that shows a stored version.
func formOf(e config.Entry, base config.Opened, def *connector.Definition) entryForm {
	f := entryForm{id: string(e.ID), revision: e.Revision, base: base.Number, scopes: base.Scopes, topics: base.Topics, plain: map[string]string{}}
	for _, k := range base.Keys {
		if def != nil {
			if field, known := def.Field(k.Name); known {
				if !field.Secret {
					f.plain[k.Name] = base.Values[k.Name].Text().Reveal()
				}
				continue
			}
		}
		r := keyRow{key: k.Name, sealed: k.Secret}
		if !k.Secret {
			r.text = base.Values[k.Name].Typed()
		}
		f.rows = append(f.rows, r)
	}
	return f
}

func (p formPages) draw(c echo.Context, status int, s formState) error {
	page := templates.EntryFormPage{
		New: s.isNew, ID: s.form.id, Connector: keyOf(s.def), Initial: initial(s.def, config.ID(s.form.id)), Reason: s.form.reason,
		Limits:   fmt.Sprintf("Up to %d keys, 64 KiB a value. Keys are case-sensitive.", config.MaxKeys),
		Conflict: s.conflict, Back: "/config",
	}
	title := "Add an entry"
	page.Lead = "Saving as pending puts nothing in force: test it first, then promote it."
	if !s.isNew {
		title = "Edit " + s.form.id
		page.Lead = editLead(s.entry)
		page.Revision, page.Base, page.Back = strconv.FormatInt(s.form.revision, 10), strconv.Itoa(s.form.base), entryURL(s.entry.ID)
	}
	page.Frame = p.frame(c, title, templates.SectionConfiguration)
	p.offerForce(&page.Frame, s.entry)
	because(c, s.err)
	faults := errs.Fields(s.err)
	if _, msg := errs.Of(s.err); s.err != nil && len(faults) == 0 {
		page.Notice = templates.Notice{Verdict: templates.VerdictWrong, Heading: "Nothing was saved", Text: upperFirst(strings.TrimPrefix(msg, "Nothing was saved: ")), Refused: true}
	}
	page.IDError = faults["id"]
	p.fillFields(&page, s, faults)
	if err := p.fillDates(c, &page, s, faults); err != nil {
		return err
	}
	p.fillRows(&page, s, faults)
	if err := p.fillDoubts(c, &page, s); err != nil {
		return err
	}
	if err := p.fillDefinition(c, &page, s); err != nil {
		return err
	}
	page.Errors = summary(page, faults)
	page.Rehearsal = p.rehearses(s.def, s.texts())
	return render(c, status, templates.EntryForm(page))
}

func editLead(e config.Entry) string {
	lead := fmt.Sprintf("Saving makes version %d.", e.Next)
	if e.Current != 0 {
		lead += fmt.Sprintf(" Version %d stays in force until you put another one in force, and then ends at once; to let it count for a while longer, save as pending and promote.", e.Current)
	}
	return lead
}

// texts are the plain values as typed, for building addresses.
func (s formState) texts() map[string]string {
	texts := map[string]string{}
	for k, v := range s.form.plain {
		if v != "" {
			texts[k] = v
		}
	}
	return texts
}

func (p formPages) fillFields(page *templates.EntryFormPage, s formState, faults map[string]string) {
	if s.def == nil {
		return
	}
	page.Name = s.def.Name
	for _, field := range s.def.Fields {
		f := templates.FormField{Key: field.Key, Label: field.Label, Help: field.Help, Required: field.Required, Sealed: field.Secret, Error: faults[field.Key]}
		if s.def.OAuth != nil {
			f.ClientID, f.Pair = field.Key == s.def.OAuth.ClientIDKey, field.Key == s.def.OAuth.ClientSecretKey
		}
		if s.asksApp == field.Key || f.ClientID && s.form.otherApp {
			f.Confirm, f.Confirmed = otherAppWords, s.form.otherApp
		}
		if k, ok := s.base.Key(field.Key); ok && field.Secret {
			f.Stored = sealedKey(k)
			f.CanDrop, f.Drop = !field.Required, s.form.drops(field) && s.form.secrets[field.Key].IsZero()
		}
		if field.Secret {
			fault, retype := s.again(field.Key, s.form.secrets[field.Key], !field.Required)
			f.Error, f.Retype = together(f.Error, fault), retype
		}
		if !field.Secret {
			f.Text = s.form.plain[field.Key]
			f.Options, f.Note = choices(field, f.Text, s.isNew)
			if f.Text == "" && s.isNew && len(field.Options) == 0 {
				f.Text = field.Default
			}
		}
		page.Fields = append(page.Fields, f)
	}
}

// otherAppWords say what another client id breaks.
const otherAppWords = "I mean another app: tokens of all installations stay with the old one, everybody has to consent anew, and webhooks have to be set up and signed anew."

// fillDates adds to the secret fields when their values expire. What is typed anew
// gets the date of the form; for what is kept, the date can be changed.
func (p formPages) fillDates(c echo.Context, page *templates.EntryFormPage, s formState, faults map[string]string) error {
	dates, err := p.Config.ExpiriesOf(c.Request().Context(), s.base.Version)
	if err != nil {
		return err
	}
	for i := range page.Fields {
		f := &page.Fields[i]
		if !f.Sealed {
			continue
		}
		f.HasExpiry, f.Expires, f.ExpiresError = true, dates[f.Key].Date, faults[config.ExpiryField(f.Key)]
		if typed, sent := s.form.expires[f.Key]; sent {
			f.Expires = typed
		}
	}
	return nil
}

// choices are the options of a field, with the one that is chosen, and its note.
func choices(field connector.Field, text string, isNew bool) (out []templates.Choice, note string) {
	if len(field.Options) == 0 {
		return nil, ""
	}
	if text == "" {
		text = field.Default
	}
	for _, o := range field.Options {
		out = append(out, templates.Choice{Name: o.Value, Label: o.Label, Selected: o.Value == text})
		if o.Value == text {
			note = o.Note
		}
	}
	return out, note
}

func (p formPages) fillRows(page *templates.EntryFormPage, s formState, faults map[string]string) {
	var names []string
	for _, r := range s.form.rows {
		names = append(names, r.key)
	}
	if s.def != nil {
		for _, f := range s.def.Fields {
			names = append(names, f.Key)
		}
	}
	warnings := config.Warnings(s.def, names)
	rows := s.form.rows
	for range spareRows {
		rows = append(rows, keyRow{})
	}
	for i, r := range rows {
		row := templates.KeyRow{N: strconv.Itoa(i + 1), Key: r.key, Sealed: r.sealed, Text: r.text, KeyWarning: warnings[r.key], KeyError: faults[r.key]}
		if r.key == "" {
			row.KeyWarning, row.KeyError = "", ""
			if r.text != "" || !r.typed.IsZero() {
				row.KeyError = "This value has no key. Type one, or clear the value."
			}
		}
		if k, ok := s.base.Key(r.key); ok && k.Secret {
			row.Stored = sealedKey(k)
		}
		if r.sealed {
			row.TextError, row.Retype = s.again(r.key, r.typed, false)
		}
		if kind := config.ParseValue(r.text).Kind(); !r.sealed && r.text != "" && kind != connector.Text {
			row.Note = fmt.Sprintf("Read as a %s. Put it in quotes for a text.", kindName(kind))
		}
		page.Keys = append(page.Keys, row)
	}
}

func (p formPages) fillDefinition(c echo.Context, page *templates.EntryFormPage, s formState) error {
	if s.def == nil {
		return nil
	}
	id, err := config.ParseID(s.form.id)
	if err != nil {
		id = config.ID("acme:" + s.def.Key)
	}
	if s.def.OAuth != nil {
		page.TestNote = testNote(s.def.Name)
		page.RedirectURI = p.redirectURI(s.def, s.form.plain[s.def.OAuth.RedirectKey])
		page.RedirectKey = s.def.OAuth.RedirectKey
	}
	page.Console = p.consoleOf(s.def, page.Rehearsal)
	if s.def.Webhooks != nil {
		if page.WebhookURL, err = p.webhookURL(c, id); err != nil {
			return err
		}
	}
	for _, perm := range s.def.Permissions {
		page.Permissions = append(page.Permissions, templates.Tick{ID: perm.ID(), Label: perm.Label, Hint: permissionHint(perm), Chosen: slices.Contains(s.form.scopes, perm.ID())})
	}
	for _, t := range s.def.Topics {
		page.Topics = append(page.Topics, templates.Tick{ID: t.Name, Label: t.Name, Hint: topicNeeds(s.def, t), Chosen: t.Always || slices.Contains(s.form.topics, t.Name), Fixed: t.Always})
	}
	page.Permissions = append(page.Permissions, unknownTicks(s.form.scopes, func(w string) bool { _, ok := s.def.Permission(w); return ok })...)
	page.Topics = append(page.Topics, unknownTicks(s.form.topics, func(w string) bool { _, ok := s.def.Topic(w); return ok })...)
	return nil
}

// unknownTicks keeps what an entry declares and its definition does not know,
// so that saving the form does not drop it unseen.
func unknownTicks(words []string, known func(string) bool) (out []templates.Tick) {
	for _, w := range words {
		if !known(w) {
			out = append(out, templates.Tick{ID: w, Label: w, Hint: "Not known to the definition", Chosen: true})
		}
	}
	return out
}

// summary lists the faults in the order of the form, each with the id of its
// control.
func summary(page templates.EntryFormPage, faults map[string]string) (out []templates.FieldError) {
	if faults["id"] != "" {
		out = append(out, templates.FieldError{Field: "id", Msg: faults["id"]})
	}
	used := map[string]bool{"id": true}
	for _, f := range page.Fields {
		if f.Error != "" {
			out, used[f.Key] = append(out, templates.FieldError{Field: f.Control(), Msg: f.Error}), true
		}
	}
	control := map[string]string{} // where a fault without a control of its own leads
	for _, r := range page.Keys {
		switch {
		case r.KeyError == "":
		case r.Key == "":
			control["key"] = cmp.Or(control["key"], r.KeyID()) // the domain has this fault too, under this name
		case !used[r.Key]:
			out, used[r.Key] = append(out, templates.FieldError{Field: r.KeyID(), Msg: r.KeyError}), true
		}
		if r.TextError != "" {
			out = append(out, templates.FieldError{Field: r.TextID(), Msg: r.TextError})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		if !used[name] {
			out = append(out, templates.FieldError{Field: cmp.Or(control[name], name), Msg: faults[name]})
		}
	}
	return out
}
