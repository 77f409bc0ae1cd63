package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"backoffice/internal/connector"
	"backoffice/internal/errs"
)

// The limits of an entry. They are said in the form before they are met.
const (
	MaxKeys   = 100                 // keys an entry
	MaxValue  = 64 << 10            // bytes a value
	MaxName   = 128                 // characters of a key
	MaxReason = 1000                // characters of a reason
	MaxAccept = 90 * 24 * time.Hour // that a previous version stays accepted
	maxList   = 500                 // scopes or topics of a version
	maxWord   = 200                 // characters of a scope or topic
)

// Then is what happens to a version when it has been saved.
type Then int

// What a form offers: "Save as pending" and "Save and put in force".
const (
	Pend Then = iota
	PutInForce
)

// A Draft is what somebody wants to be the next version of an entry.
type Draft struct {
	ID       ID
	Revision int64   // of the entry that the form showed; 0 creates the entry
	Base     int     // the version that the form showed; kept secrets come from it
	Values   []Input // in the order of the form
	Scopes   []string
	Topics   []string
	Reason   string
	Then     Then
	Accept   time.Duration // how long the version that was current stays accepted, with PutInForce

	Expires map[string]string // when secret values of this version expire, by key, as SetExpiry takes it; others stay as they are
}

// An Input is one key of a Draft. With Keep, the value of the base version is
// taken over, and Value is ignored: this is how a form leaves a secret alone.
type Input struct {
	Key    string
	Secret bool // a field that the definition calls secret is one in any case
	Keep   bool
	Value  Value
}

// follow returns the draft as it will be kept: what def calls secret is secret,
// what was typed into its text fields is clean, scopes and topics are sorted sets.
// It also returns what was cleaned away. What the caller holds stays as it is.
func (d Draft) follow(def *connector.Definition) (Draft, []Cleaning) {
	var cleanings []Cleaning
	d.Values = slices.Clone(d.Values)
	for i := range d.Values {
		in := &d.Values[i]
		f, known := field(def, in.Key)
		if !known {
			continue
		}
		in.Secret = in.Secret || f.Secret
		if in.Keep {
			continue
		}
		if clean, c := Clean(f, in.Value.text); c.changed() {
			in.Value, cleanings = TextValue(clean), append(cleanings, c)
		}
	}
	d.Scopes = slices.Compact(slices.Sorted(slices.Values(d.Scopes)))
	d.Topics = slices.Compact(slices.Sorted(slices.Values(d.Topics)))
	if d.Revision == 0 {
		d.Base = 0
	}
	return d, cleanings
}

// field is def.Field for a def that may be nil.
func field(def *connector.Definition, key string) (connector.Field, bool) {
	if def == nil {
		return connector.Field{}, false
	}
	return def.Field(key)
}

// checkWords holds everything but the values against its limits.
func (d Draft) checkWords() error {
	err := errors.Join(checkReason(d.Reason), checkList("scope", d.Scopes), checkList("topic", d.Topics))
	switch d.Then {
	case Pend:
		return err
	case PutInForce:
		return errors.Join(err, checkAccept(d.Accept))
	}
	return fmt.Errorf("a draft asks for an unknown Then %d", d.Then)
}

func checkReason(reason string) error {
	switch {
	case utf8.RuneCountInString(reason) > MaxReason:
		return errs.Field("reason", fmt.Sprintf("A reason has at most %d characters; this has %d. Shorten it.", MaxReason, utf8.RuneCountInString(reason)))
	case !utf8.ValidString(reason):
		return errs.Field("reason", "The reason has bytes that are not text. Type it again.")
	}
	return nil
}

func checkAccept(d time.Duration) error {
	if d < 0 || d > MaxAccept {
		return errs.Field("hours", fmt.Sprintf("The version that was in force can stay accepted for at most %d days. Choose a shorter time.", MaxAccept/(24*time.Hour)))
	}
	return nil
}

func checkList(name string, words []string) error {
	if len(words) > maxList {
		return errs.Field(name, fmt.Sprintf("An entry has at most %d %ss; these are %d. Remove some.", maxList, name, len(words)))
	}
	for _, w := range words {
		switch {
		case w == "":
			return errs.Field(name, fmt.Sprintf("A %s has no name. Remove it, or name it.", name))
		case utf8.RuneCountInString(w) > maxWord:
			return errs.Field(name, fmt.Sprintf("The name of a %s has at most %d characters. Shorten it.", name, maxWord))
		case !utf8.ValidString(w), strings.ContainsFunc(w, unicode.IsControl):
			return errs.Field(name, fmt.Sprintf("The name of a %s has a character that cannot be shown. Type it again.", name))
		}
	}
	return nil
}
