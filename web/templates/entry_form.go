package templates

import (
	"strconv"

	"github.com/a-h/templ"
)

// EntryFormPage is the form of an entry: GET /config/new and
// GET /config/:id/edit, and the answer (422, 409) if it cannot be saved. It
// posts to /config or to /config/:id the fields id, connector, revision, base,
// f.<key>, key, value, secret, reason, scope, topic, then, row.
//
// No field holds a secret: what was typed into a secret field is gone when the
// form comes back, and Stored says what is kept.
type EntryFormPage struct {
	Frame
	New         bool // POST /config with an id to type; otherwise POST /config/:id
	ID          string
	IDError     string
	Connector   string // key of the definition; "" for a plain entry
	Name        string // of the connector: "Intercom"; "" for a plain entry
	Initial     string
	Lead        string // "Saving makes version 8. Version 6 stays in force until you promote."
	Revision    string // of the entry as the form was made; "" for a new one
	Base        string // number of the version that is edited; "" for a new one
	Errors      []FieldError
	Notice      Notice // "Your paste had a space at its end: it was cut off"
	Conflict    Conflict
	Fields      []FormField
	RedirectURI string // to copy; "" if there is no handshake
	RedirectKey string // the key that overrides it: "callbackUrl"; "" if there is none
	WebhookURL  string // to copy; "" if there are no webhooks
	Console     Link   // the provider's console, where the values stand
	Keys        []KeyRow
	Permissions []Tick // scope: declared permissions
	Topics      []Tick // topic: chosen topics
	Reason      string // as typed
	Limits      string // "Up to 100 keys, 64 KiB a value."
	Back        string // where Cancel goes
	TestNote    string // what "Test these values" does; "" draws no button
}

// Action is where the form posts to.
func (p EntryFormPage) Action() string {
	if p.New {
		return "/config"
	}
	return entryPath(p.ID, "")
}

// A FormField is a field that the definition asks for. Its control has the name
// and the id "f.<Key>".
type FormField struct {
	Key      string // "clientId"
	Label    string // "Client ID"
	Help     string // where to find it, in plain words
	Where    Link   // the page of the provider where it stands
	Required bool
	Sealed   bool     // write-only: never carries text
	ClientID bool     // it is the client id: what is pasted is held against the secret
	Pair     bool     // it is the client secret: what is pasted is held against the id
	Stored   Shown    // of a sealed field: what is kept now; the zero Shown if nothing is
	Text     string   // what a plain field holds; ignored if Sealed
	Options  []Choice // if any: a select
	Note     string   // of the chosen option, or "Read as a boolean."
	Error    string
	Warning  string
	Doubts   []Doubt     // reasons to look at the value again; they block nothing
	Cleaned  string      // what was taken off what was typed: "2 white-space characters were trimmed off its ends."
	Lineup   []LineupRow // fingerprints that explain Error or Warning
	Retype   Retype
	CanDrop  bool // what is stored may be taken out, by the box drop.<Key>
	Drop     bool // that box is ticked

	Confirm      string // draws the box other-app, with these words
	Confirmed    bool   // that box is ticked
	HasExpiry    bool   // draws the control expires.<Key>
	Expires      string // "2027-01-31"
	ExpiresError string
}

// A Retype says that a secret was typed and lost on the way to this page. It
// sends retype.<Key>, and the box keep.<Key> if Label says what that would do.
type Retype struct {
	Key   string // "" if nothing was lost; a row without a key loses nothing that could be saved
	Label string // "Keep the stored one"; "" for no box
	Keep  bool   // the box is ticked
}

// Known reports whether a secret was lost.
func (r Retype) Known() bool { return r.Key != "" }

// CanKeep reports whether there is the box.
func (r Retype) CanKeep() bool { return r.Known() && r.Label != "" }

// Control is the id and the name of the field's control.
func (f FormField) Control() string { return "f." + f.Key }

// HasStored reports whether a secret is kept.
func (f FormField) HasStored() bool { return f.Sealed && f.Stored.Fingerprint.Known() }

// DescribedBy lists the ids that explain the control.
func (f FormField) DescribedBy() string {
	return describedAlso(described(f.Control(), f.Error, f.Warning, f.hint()), f.Control(), f.Doubts)
}

func (f FormField) hint() string { return f.Help + f.Note + f.Where.URL }

// A KeyRow is a further key: one of the repeated rows key, value, secret. A row
// with an empty key is ignored by the server.
type KeyRow struct {
	N          string // distinguishes the rows of a page: "1"
	Key        string
	Sealed     bool   // the select says yes: the value is write-only
	Stored     Shown  // of a sealed row: what is kept now
	Text       string // of a plain row, as typed or stored; ignored if Sealed
	Note       string // "Read as a boolean. Put it in quotes for a text."
	KeyError   string
	TextError  string
	Retype     Retype
	KeyWarning string // "Did you mean clientId? It is set above."
	Doubts     []Doubt
}

// HasStored reports whether a secret is kept.
func (k KeyRow) HasStored() bool { return k.Sealed && k.Stored.Fingerprint.Known() }

// KeyID is the id of the control for the name of the key.
func (k KeyRow) KeyID() string { return "key-" + k.N }

// TextID is the id of the control for its value.
func (k KeyRow) TextID() string { return "value-" + k.N }

// SealID is the id of the select that says whether it is a secret.
func (k KeyRow) SealID() string { return "secret-" + k.N }

// KeyDescribedBy lists the ids that explain the name of the key.
func (k KeyRow) KeyDescribedBy() string { return described(k.KeyID(), k.KeyError, k.KeyWarning, "") }

// TextDescribedBy lists the ids that explain the value.
func (k KeyRow) TextDescribedBy() string {
	return describedAlso(described(k.TextID(), k.TextError, "", k.Note), k.TextID(), k.Doubts)
}

// A Doubt is a reason to look at a value again. Neither field has a part of it.
type Doubt struct {
	Label string // of the value; "" where it stands beside the value
	Text  string // what is odd, and what to do
	Link  Link   // to another entry, if it is about one
}

// describedAlso adds the list of doubts to what describes a control.
func describedAlso(ids, control string, doubts []Doubt) string {
	switch {
	case len(doubts) == 0:
		return ids
	case ids == "":
		return control + "-doubts"
	}
	return ids + " " + control + "-doubts"
}

// paste says to the script which rules hold for what is pasted.
func (f FormField) paste() string {
	switch {
	case f.ClientID:
		return "id"
	case f.Sealed:
		return "secret"
	}
	return "field"
}

// described is the value of aria-describedby for a control with this id: of its
// error, its warning and its hint those that are there.
func described(id, err, warning, hint string) string {
	out := ""
	for _, part := range []struct{ text, suffix string }{{err, "-error"}, {warning, "-warning"}, {hint, "-hint"}} {
		if part.text == "" {
			continue
		}
		if out != "" {
			out += " "
		}
		out += id + part.suffix
	}
	return out
}

// A Tick is a checkbox of a repeated field.
type Tick struct {
	ID     string // of the permission or topic: what the form sends
	Label  string
	Hint   string // its meaning, its machine name, what it needs
	Chosen bool
	Fixed  bool // cannot be switched off: drawn ticked, and not sent
}

// A Conflict says that somebody saved in between. What was typed stays in the
// form; saving again, with the new revision, puts it over theirs.
type Conflict struct {
	Who     string // "ops@acme.example"; "" for no conflict
	When    Time
	What    string // "Revision 19 became 20."
	Changes []DiffLine
	Theirs  string // address that opens the form anew with their version
}

// Shown reports whether there is a conflict.
func (c Conflict) Shown() bool { return c.Who != "" }

// A SaveForm is the end of a form that makes a new version: reason, and the two
// buttons then=pending and then=current.
type SaveForm struct {
	Base     string // number of the version that is edited
	Revision string
	Reason   string // as typed
	Errors   []FieldError
	Conflict Conflict
}

// subject is what the form is for: the connector's name, or the id.
func (p EntryFormPage) subject() string {
	switch {
	case p.Name != "":
		return p.Name
	case p.ID != "":
		return p.ID
	}
	return "any service"
}

// faultsHeading heads the summary of errors.
func (p EntryFormPage) faultsHeading() string {
	if len(p.Errors) == 1 {
		return "Nothing was saved: one value needs your eye"
	}
	return "Nothing was saved: " + strconv.Itoa(len(p.Errors)) + " values need your eye"
}

// kindHint follows the key under a label.
func (f FormField) kindHint() string {
	switch {
	case f.Sealed && f.Required:
		return ", kept sealed"
	case f.Sealed:
		return ", kept sealed, optional"
	case f.Required:
		return ""
	}
	return ", optional"
}

// hintText is the help with the note after it.
func (f FormField) hintText() string {
	if f.Help == "" || f.Note == "" {
		return f.Help + f.Note + " "
	}
	return f.Help + " " + f.Note + " "
}

// placeholder says what an empty control of a secret does.
func (f FormField) placeholder() string {
	switch {
	case f.Retype.Known():
		return "Type it again"
	case f.HasStored():
		return "A value is stored; leave blank to keep it"
	}
	return ""
}

// droppable reports whether there is the box that takes out what is stored.
func (f FormField) droppable() bool { return f.CanDrop && f.HasStored() }

// placeholder says what an empty control of a secret does.
func (k KeyRow) placeholder() string {
	switch {
	case k.Retype.Known():
		return "Type it again"
	case k.HasStored():
		return "Stored; leave blank to keep it"
	}
	return ""
}

// mustType reports whether the browser may insist on a secret: not while one is
// stored, which an empty control keeps.
func (f FormField) mustType() bool { return f.Required && !f.HasStored() }

// aria is what the control tells screen readers about its state.
func (f FormField) aria() templ.Attributes { return ariaOf(f.Error, f.DescribedBy()) }

// ariaOf is aria-invalid where there is an error, and aria-describedby where
// there is an explanation.
func ariaOf(err, describedBy string) templ.Attributes {
	out := templ.Attributes{}
	if err != "" {
		out["aria-invalid"] = "true"
	}
	if describedBy != "" {
		out["aria-describedby"] = describedBy
	}
	return out
}

// plain reports whether the row's value may be read.
func (k KeyRow) plain() bool { return !k.Sealed }

// removeLabel names the row that the button removes.
func (k KeyRow) removeLabel() string {
	if k.Key == "" {
		return "Remove this key"
	}
	return "Remove " + k.Key
}

// chosenOf says how many of the boxes are ticked: "6 of 31 chosen". One that
// cannot be switched off is no choice, as on the tab Webhooks.
func chosenOf(ticks []Tick) string {
	chosen, fixed := 0, 0
	for _, t := range ticks {
		switch {
		case t.Fixed:
			fixed++
		case t.Chosen:
			chosen++
		}
	}
	words := strconv.Itoa(chosen) + " of " + strconv.Itoa(len(ticks)-fixed) + " chosen"
	if fixed > 0 {
		words += ", " + strconv.Itoa(fixed) + " always on"
	}
	return words
}
