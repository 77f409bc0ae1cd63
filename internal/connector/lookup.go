package connector

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"backoffice/internal/errs"
)

// Field returns the field with this key.
func (d *Definition) Field(key string) (Field, bool) {
	for _, f := range d.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// Permission finds a permission by its ID, its label or an alias. An exact ID
// wins; after that case does not count.
func (d *Definition) Permission(name string) (Permission, bool) {
	for _, p := range d.Permissions {
		if p.ID() == name {
			return p, true
		}
	}
	for _, p := range d.Permissions {
		for _, n := range p.names() {
			if name != "" && strings.EqualFold(n, name) {
				return p, true
			}
		}
	}
	return Permission{}, false
}

// names is everything that a permission is found by, each once.
func (p Permission) names() []string {
	out := []string{p.ID()}
	for _, n := range append([]string{p.Label}, p.Aliases...) {
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Topic returns the topic with this name. It does not follow aliases: see
// Webhooks.Aliases.
func (d *Definition) Topic(name string) (Topic, bool) {
	for _, t := range d.Topics {
		if t.Name == name {
			return t, true
		}
	}
	return Topic{}, false
}

// MisspelledKey returns the field key that was probably meant by key: the one
// that differs from it only by case, - or _, as clientID and client_id differ
// from clientId. ok is false if key is right or resembles none.
func (d *Definition) MisspelledKey(key string) (want string, ok bool) {
	if _, right := d.Field(key); right {
		return "", false
	}
	for _, f := range d.Fields {
		if foldKey(f.Key) == foldKey(key) {
			return f.Key, true
		}
	}
	return "", false
}

var keyMarks = strings.NewReplacer("_", "", "-", "", " ", "")

func foldKey(key string) string { return strings.ToLower(keyMarks.Replace(key)) }

// Check reports what is wrong with value as a value of f: an Invalid error
// that names f.Key, with words that never repeat the value. An empty value is
// wrong only for a required field.
func (f Field) Check(value string) error {
	switch {
	case value == "" && f.Required:
		return errs.Field(f.Key, f.Label+" is missing. Fill it in.")
	case value == "":
		return nil
	case !utf8.ValidString(value):
		return errs.Field(f.Key, f.Label+" has bytes that are not text. Paste it again.")
	case len(f.Options) > 0 && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == value }):
		return errs.Field(f.Key, f.Label+" is none of the choices. Choose one of the list.")
	case !f.Kind.holds(value):
		return errs.Field(f.Key, f.Label+" must be "+kindWants[f.Kind]+".")
	case f.Pattern != "" && !f.matches(value):
		return errs.Field(f.Key, f.Label+" must be "+f.Shape+".")
	}
	return nil
}

var kindWants = map[Kind]string{Number: "a number", Boolean: "true or false", Null: "null"}

// holds reports whether value is the literal text of a JSON scalar of kind k.
func (k Kind) holds(value string) bool {
	switch k {
	case Number:
		var n json.Number
		return value[0] != '"' && value != "null" && strings.TrimSpace(value) == value && json.Unmarshal([]byte(value), &n) == nil
	case Boolean:
		return value == "true" || value == "false"
	case Null:
		return value == "null"
	}
	return true
}

func (f Field) matches(value string) bool {
	re, err := compile(f.Pattern)
	return err == nil && re.MatchString(value)
}
