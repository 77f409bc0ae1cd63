package config

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"backoffice/internal/errs"
)

// seal completes the version: what may be shown of each value, the content
// hash, and the values sealed for the version's own place.
func (s *Service) seal(p *prepared, c content) error {
	v := &p.version
	for _, name := range slices.Sorted(maps.Keys(c.values)) {
		v.Keys = append(v.Keys, s.key(*v, name, c, p.base.Version))
	}
	plain, err := encodeValues(c.values)
	if err != nil {
		return err
	}
	if v.ContentHash, err = s.contentHash(plain, v.Scopes, v.Topics); err != nil {
		return err
	}
	if p.base.Number != 0 && v.ContentHash == p.base.ContentHash && sameSecrecy(*v, p.base.Version) {
		return errs.Newf(errs.Invalid, "Nothing is different from version %d, so there is nothing to save.", p.base.Number)
	}
	if plain, err = json.Marshal(sealed{Secret: secretNames(v.Keys), Values: plain}); err != nil {
		return fmt.Errorf("encoding a version: %w", err)
	}
	v.Sealed, err = s.box.Seal(plain, sealedAt(v.Entry, v.Number))
	return err
}

// sealed is what is sealed of a version: the values, and which of them are
// secret. What stands beside them in the open says that too, but somebody who can
// write the file could change it, and a page would show a secret as plain.
type sealed struct {
	Secret []string        `json:"secret"`
	Values json.RawMessage `json:"values"`
}

func secretNames(keys []Key) []string {
	names := []string{}
	for _, k := range keys {
		if k.Secret {
			names = append(names, k.Name)
		}
	}
	return names
}

// unseal decodes what seal encoded and holds it against what stands in the open.
func unseal(v Version, plain []byte) (map[string]Value, error) {
	var in sealed
	if err := json.Unmarshal(plain, &in); err != nil {
		return nil, errors.New("the sealed content is no version") // the cause could quote a value
	}
	values, err := decodeValues(in.Values)
	if err != nil {
		return nil, err
	}
	same := len(values) == len(v.Keys) && slices.Equal(in.Secret, secretNames(v.Keys))
	for _, k := range v.Keys {
		if _, ok := values[k.Name]; !ok {
			same = false
		}
	}
	if !same {
		return nil, errors.New("what stands beside the sealed values was changed")
	}
	return values, nil
}

func sameSecrecy(a, b Version) bool {
	return slices.EqualFunc(a.Keys, b.Keys, func(x, y Key) bool { return x.Name == y.Name && x.Secret == y.Secret })
}

// key is what may be shown of a value. The fingerprint is over its text, so that
// a pasted secret has that of the stored one. A value that the base version has too
// keeps the date since when it is set.
func (s *Service) key(v Version, name string, c content, base Version) Key {
	value := c.values[name]
	k := Key{Name: name, Secret: c.secrets[name], Kind: value.kind, Length: value.text.Len(),
		Fingerprint: s.box.Fingerprint(value.text.Reveal()), Since: v.Number, SetAt: v.Time, SetBy: v.Author}
	if old, ok := base.Key(name); ok && old.Fingerprint == k.Fingerprint && old.Kind == k.Kind {
		k.Since, k.SetAt, k.SetBy = old.Since, old.SetAt, old.SetBy
	}
	return k
}

// contentHash identifies the content of a version: a test is bound to it.
func (s *Service) contentHash(values []byte, scopes, topics []string) (string, error) {
	b, err := json.Marshal(struct {
		Values         json.RawMessage
		Scopes, Topics []string
	}{values, scopes, topics})
	if err != nil {
		return "", fmt.Errorf("hashing a version: %w", err)
	}
	return hex.EncodeToString(s.box.MAC("content", b)), nil
}
