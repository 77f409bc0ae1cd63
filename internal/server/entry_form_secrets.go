package server

import (
	"net/url"
	"strings"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
	"backoffice/web/templates"
)

// What is typed into a secret field never goes back to a page. A form that comes
// back has lost it, and must not be saved as if nothing had been typed: the
// field asks for it again until it is typed, or a box says to do without it.

// A choice is what a form says of a secret beside what is typed for it.
type choice struct {
	lost bool // retype.<key>: a page before this one lost what was typed
	keep bool // keep.<key>: do without it
	drop bool // drop.<key>: take out what is stored
}

// readChoices reads what the form says of its secrets, after they are read.
func (f *entryForm) readChoices(p url.Values) {
	f.choices = map[string]choice{}
	read := func(key string) {
		f.choices[key] = choice{p.Has("retype." + key), p.Has("keep." + key), p.Has("drop." + key)}
	}
	for key := range f.secrets {
		read(key)
	}
	for _, r := range f.rows {
		if r.sealed {
			read(r.key)
		}
	}
}

// lost reports whether the next page has lost what was typed for the key.
func (f entryForm) lost(key string, typed secret.Text) bool {
	return !typed.IsZero() || f.choices[key].lost
}

// unsettled is the fault of a secret that was typed before and not again, or of
// which the form asks for two things at once. It keeps the form from being saved.
func (f entryForm) unsettled(key string, typed secret.Text, stored bool) string {
	c, asked := f.choices[key], 0
	for _, one := range []bool{!typed.IsZero(), c.keep, c.drop} {
		if one {
			asked++
		}
	}
	switch {
	case asked > 1:
		return "Type a new value, or tick one box: this asked for more than one of them."
	case asked == 0 && c.lost && stored:
		return "You typed a new value. Secrets never come back to a page: type it again, or tick “Keep the stored one”."
	case asked == 0 && c.lost:
		return "You typed a new value. Secrets never come back to a page: type it again."
	}
	return ""
}

// settled reports whether the form says clearly what becomes of each secret.
// The page says what does not.
func (s formState) settled() bool {
	for key, typed := range s.form.secrets {
		if s.form.unsettled(key, typed, s.stores(key)) != "" {
			return false
		}
	}
	for _, r := range s.form.rows {
		if r.sealed && s.form.unsettled(r.key, r.typed, s.stores(r.key)) != "" {
			return false
		}
	}
	return true
}

// stores reports whether the version that is edited has a secret of this name.
func (s formState) stores(key string) bool {
	k, ok := s.base.Key(key)
	return ok && k.Secret
}

// again is how a page asks for a secret that it lost: what is at fault, and the
// box that does without it. optional is whether it may be empty.
func (s formState) again(key string, typed secret.Text, optional bool) (fault string, r templates.Retype) {
	fault = s.form.unsettled(key, typed, s.stores(key))
	if !s.form.lost(key, typed) {
		return fault, r
	}
	c := s.form.choices[key]
	if !typed.IsZero() { // now it is lost, whatever was ticked
		again := entryForm{choices: map[string]choice{key: {lost: true}}}
		fault, c = together(fault, again.unsettled(key, secret.Text{}, s.stores(key))), choice{}
	}
	r = templates.Retype{Key: key, Keep: c.keep}
	switch {
	case s.stores(key):
		r.Label = "Keep the stored one"
	case optional:
		r.Label = "Leave it empty"
	}
	return fault, r
}

// drops reports whether a stored value is to be taken out. What a definition
// asks for cannot be.
func (f entryForm) drops(field connector.Field) bool {
	return field.Secret && !field.Required && f.choices[field.Key].drop
}

// together joins the faults of one control.
func together(words ...string) string { return strings.TrimSpace(strings.Join(words, " ")) }
