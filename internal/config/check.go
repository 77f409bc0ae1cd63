package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"backoffice/internal/connector"
	"backoffice/internal/errs"
)

// keyName is what a key may be called: printable ASCII without spaces, so that
// two keys that look the same are the same.
var keyName = regexp.MustCompile(`^[!-~]+$`)

// content is the checked values of a draft.
type content struct {
	values  map[string]Value
	secrets map[string]bool
}

// content turns the draft's inputs into the values of a version, or returns all
// their faults as joined errs.Field errors, named by key. base is the version
// that kept values come from; def is nil for a plain entry.
func (d Draft) content(def *connector.Definition, base Opened) (content, error) {
	c := content{map[string]Value{}, map[string]bool{}}
	var faults []error
	named := map[string]bool{} // also the keys at fault, of which one fault is enough
	for _, in := range d.Values {
		v, err := in.value(base)
		switch {
		case checkName(in.Key) != nil:
			err = checkName(in.Key)
		case named[in.Key]:
			err = errs.Field(in.Key, fmt.Sprintf("The key %s is there twice. Remove one of them.", in.Key))
		}
		named[in.Key] = true
		if err != nil {
			faults = append(faults, err)
			continue
		}
		c.values[in.Key], c.secrets[in.Key] = v, in.Secret
	}
	if len(d.Values) > MaxKeys {
		faults = append(faults, errs.Field("key", fmt.Sprintf("An entry has at most %d keys; these are %d. Remove some, or make a second entry with a module part in its id.", MaxKeys, len(d.Values))))
	}
	return c, errors.Join(append(faults, c.checkFields(def, named)...)...)
}

func checkName(key string) error {
	switch {
	case key == "":
		return errs.Field("key", "A value has no key. Name it, or remove the row.")
	case utf8.RuneCountInString(key) > MaxName:
		return errs.Field(key, fmt.Sprintf("A key has at most %d characters; this has %d. Shorten it.", MaxName, utf8.RuneCountInString(key)))
	case !keyName.MatchString(key):
		return errs.Field(key, "A key has letters, digits and signs of plain ASCII, without spaces.")
	}
	return nil
}

// value is the input's own value, or that of the base version.
func (in Input) value(base Opened) (Value, error) {
	if in.Keep {
		return in.kept(base)
	}
	text := in.Value.text.Reveal()
	switch {
	case in.Value.size() > MaxValue:
		return Value{}, errs.Field(in.Key, fmt.Sprintf("The value of %s has %d bytes; the limit is %d (64 KiB).", in.Key, in.Value.size(), MaxValue))
	case !utf8.ValidString(text), strings.ContainsRune(text, 0):
		return Value{}, errs.Field(in.Key, fmt.Sprintf("The value of %s has bytes that are not text. Encode it, for example as base64.", in.Key))
	}
	return in.Value, nil
}

func (in Input) kept(base Opened) (Value, error) {
	k, ok := base.Key(in.Key)
	switch {
	case !ok:
		return Value{}, errs.Field(in.Key, fmt.Sprintf("There is no stored value of %s to keep. Type it.", in.Key))
	case k.Secret && !in.Secret:
		return Value{}, errs.Field(in.Key, fmt.Sprintf("%s was stored as a secret. To show it from now on, type its value again.", in.Key))
	}
	return base.Values[in.Key], nil
}

// checkFields holds the values against what the definition asks for, except
// for keys that named has though they have no value: their fault is known.
func (c content) checkFields(def *connector.Definition, named map[string]bool) (faults []error) {
	if def == nil {
		return nil
	}
	for _, f := range def.Fields {
		v, ok := c.values[f.Key]
		if !ok && named[f.Key] {
			continue
		}
		err := checkField(f, v)
		if err == nil && c.secrets[f.Key] && !f.Secret { // addresses are made without secrets
			err = errs.Field(f.Key, f.Label+" is read openly by this connector, so it cannot be kept as a secret.")
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// checkField adds to the definition's own check that a value is the JSON
// scalar that the field asks for: "true" in quotes is no boolean.
func checkField(f connector.Field, v Value) error {
	if err := f.Check(v.text.Reveal()); err != nil {
		return err
	}
	if v.kind != f.Kind && !v.empty() {
		return errs.Field(f.Key, fmt.Sprintf("%s is a %s here, and must be a %s.", f.Label, v.kind, f.Kind))
	}
	return nil
}

// Warnings are what an admin should look at before trusting the names of the
// given keys, by key: a wrong case of a field that the definition has, or two
// keys that differ only by case. They never block. def may be nil.
func Warnings(def *connector.Definition, names []string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		if def != nil {
			if want, ok := def.MisspelledKey(name); ok {
				out[name] = fmt.Sprintf("Did you mean %s? Keys are read letter by letter: %s is another key.", want, name)
				continue
			}
		}
		if other, ok := sameCase(name, names); ok {
			out[name] = fmt.Sprintf("%s is there too, and differs only by case.", other)
		}
	}
	return out
}

// sameCase finds a name in names that differs from name by case alone.
func sameCase(name string, names []string) (string, bool) {
	for _, n := range names {
		if n != name && strings.EqualFold(n, name) {
			return n, true
		}
	}
	return "", false
}
