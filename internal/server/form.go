package server

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"

	"github.com/labstack/echo/v4"
)

// An entryForm is the form of an entry as it was sent. What was typed into its
// secret fields is in Text from here on, and never goes back to a page.
type entryForm struct {
	id       string
	revision int64
	base     int
	plain    map[string]string      // what was typed into plain fields, by key
	secrets  map[string]secret.Text // what was typed into secret fields, by key
	choices  map[string]choice      // what is said of secrets beside that, by key
	rows     []keyRow
	scopes   []string
	topics   []string
	reason   string
	then     config.Then
	addRow   bool              // the button that only adds a row was pressed
	otherApp bool              // the box is ticked that says that another client id is meant
	expires  map[string]string // when secrets expire, as typed, by key; only those that the form had
}

// A keyRow is a further key as it was typed. text is empty if it is a secret.
type keyRow struct {
	key    string
	sealed bool
	text   string
	typed  secret.Text
}

// readEntryForm decodes the form of an entry that follows def, which is nil for
// a plain entry. Whatever cannot be read is an errs.Invalid.
func readEntryForm(c echo.Context, def *connector.Definition) (entryForm, error) {
	p := c.Request().PostForm
	f := entryForm{
		id: strings.TrimSpace(p.Get("id")), reason: strings.TrimSpace(p.Get("reason")), addRow: p.Get("row") == "add",
		scopes: p["scope"], topics: p["topic"], plain: map[string]string{}, secrets: map[string]secret.Text{},
	}
	var err error
	if f.then, err = readThen(p.Get("then")); err != nil && !f.addRow {
		return entryForm{}, err
	}
	if f.revision, f.base, err = readRevision(p.Get("revision"), p.Get("base")); err != nil {
		return entryForm{}, err
	}
	if def != nil {
		for _, field := range def.Fields {
			typed := p.Get("f." + field.Key)
			if field.Secret {
				f.secrets[field.Key] = secret.NewText(typed)
				continue
			}
			f.plain[field.Key] = typed
		}
	}
	f.otherApp, f.expires = p.Get("other-app") == "yes", readExpires(p)
	f.rows, err = readRows(def, p)
	f.readChoices(p)
	return f, err
}

// readExpires reads the dates beside secret fields. An empty one takes a date back.
func readExpires(p url.Values) map[string]string {
	out := map[string]string{}
	for name := range p {
		if key, ok := strings.CutPrefix(name, "expires."); ok {
			out[key] = strings.TrimSpace(p.Get(name))
		}
	}
	return out
}

// readRows reads the further keys. A key that is a secret of the definition, or
// a misspelt one, is a secret here whatever was chosen: what was typed for it
// must not come back on a page.
func readRows(def *connector.Definition, p url.Values) (rows []keyRow, err error) {
	keys, texts, sealed := p["key"], p["value"], p["secret"]
	if len(keys) != len(texts) || len(keys) != len(sealed) {
		return nil, errs.New(errs.Invalid, "The rows of further keys could not be read: each has a key, a value and whether it is a secret. Go back and send the form again.")
	}
	for i, k := range keys {
		r := keyRow{key: strings.TrimSpace(k)}
		r.sealed = sealed[i] == "yes" || meansSecret(def, r.key)
		if r.sealed {
			r.typed = secret.NewText(texts[i])
		} else {
			r.text = texts[i]
		}
		if r.key != "" || texts[i] != "" {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func meansSecret(def *connector.Definition, key string) bool {
	if def == nil {
		return false
	}
	if want, misspelt := def.MisspelledKey(key); misspelt {
		key = want
	}
	f, _ := def.Field(key)
	return f.Secret
}

func readThen(s string) (config.Then, error) {
	switch s {
	case "pending", "":
		return config.Pend, nil
	case "current":
		return config.PutInForce, nil
	}
	return 0, errs.New(errs.Invalid, "The form did not say whether to save as pending or to put in force. Use one of its two buttons.")
}

// readRevision reads which state of an entry a form was made from. Both are
// empty for a new entry.
func readRevision(revision, base string) (int64, int, error) {
	if revision == "" && base == "" {
		return 0, 0, nil
	}
	r, err1 := strconv.ParseInt(revision, 10, 64)
	b, err2 := strconv.Atoi(base)
	if err1 != nil || err2 != nil || r < 1 || b < 0 {
		return 0, 0, errs.New(errs.Invalid, "The form did not say which state of the entry it was made from. Open it again.")
	}
	return r, b, nil
}

// draft is the form as the domain takes it.
func (f entryForm) draft(id config.ID, def *connector.Definition) config.Draft {
	d := config.Draft{ID: id, Revision: f.revision, Base: f.base, Scopes: permissionIDs(def, f.scopes), Topics: f.topics, Reason: f.reason, Then: f.then, Expires: f.expires}
	if def != nil {
		for _, field := range def.Fields {
			if in, ok := f.input(field); ok {
				d.Values = append(d.Values, in)
			}
		}
	}
	for _, r := range f.rows {
		in := config.Input{Key: r.key, Secret: r.sealed, Value: config.ParseValue(r.text)}
		if r.sealed {
			in.Keep, in.Value = r.typed.IsZero(), config.TextValue(r.typed)
		}
		d.Values = append(d.Values, in)
	}
	return d
}

// input is what was typed for a field of the definition; an empty plain field
// is no key at all, and an empty secret keeps what is stored.
func (f entryForm) input(field connector.Field) (config.Input, bool) {
	in := config.Input{Key: field.Key, Secret: field.Secret}
	if f.drops(field) {
		return in, false
	}
	if field.Secret {
		typed := f.secrets[field.Key]
		in.Keep, in.Value = typed.IsZero(), config.TextValue(typed)
		return in, !in.Keep || f.base != 0
	}
	typed := f.plain[field.Key]
	if field.Kind == connector.Text {
		in.Value = config.TextValue(secret.NewText(typed))
	} else {
		in.Value = config.ParseValue(strings.TrimSpace(typed))
	}
	return in, typed != ""
}

// dropMissing takes kept secrets out of a draft that the base version never
// had: an optional secret that was left empty again.
func dropMissing(d *config.Draft, base config.Version, def *connector.Definition) {
	if def == nil {
		return
	}
	kept := d.Values[:0]
	for _, in := range d.Values {
		field, known := def.Field(in.Key)
		_, stored := base.Key(in.Key)
		if known && field.Secret && in.Keep && !stored {
			continue
		}
		kept = append(kept, in)
	}
	d.Values = kept
}

// readMove reads the small forms that move a label: version, revision, hours,
// reason.
func readMove(c echo.Context, id config.ID) (config.Move, error) {
	version, err1 := strconv.Atoi(c.FormValue("version"))
	revision, err2 := strconv.ParseInt(c.FormValue("revision"), 10, 64)
	hours, err3 := strconv.Atoi("0" + c.FormValue("hours"))
	if err1 != nil || err2 != nil || err3 != nil || hours > 24*365 {
		return config.Move{}, errs.New(errs.Invalid, "The form could not be read. Open the entry again and use its buttons.")
	}
	return config.Move{ID: id, Version: version, Revision: revision, Accept: time.Duration(hours) * time.Hour, Reason: strings.TrimSpace(c.FormValue("reason"))}, nil
}

// pathParam is a part of the request's path, without its escapes.
func pathParam(c echo.Context, name string) string {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return ""
	}
	return s
}

// entryID is the id in the request's path.
func entryID(c echo.Context) (config.ID, error) {
	id, err := config.ParseID(pathParam(c, "id"))
	if err != nil {
		return "", errs.New(errs.NotFound, "There is no entry with this id. Ids have the form vendor:service, for example acme:intercom.")
	}
	return id, nil
}
