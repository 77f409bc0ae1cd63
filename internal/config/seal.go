package config

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
)

// describe completes the version with what may be shown of each value and the
// content hash, and returns the values as they are sealed.
func (s *Service) describe(p *prepared, c content) (plain []byte, err error) {
	v := &p.version
	for _, name := range slices.Sorted(maps.Keys(c.values)) {
		v.Keys = append(v.Keys, s.key(*v, name, c, p.base.Version))
	}
	if plain, err = encodeValues(c.values); err != nil {
		return nil, err
	}
	v.ContentHash, err = s.contentHash(plain, v.Scopes, v.Topics)
	return plain, err
}

// seal completes the version, with the values sealed for its own place.
func (s *Service) seal(p *prepared, c content) error {
	v := &p.version
	plain, err := s.describe(p, c)
	if err != nil {
		return err
	}
	if p.base.Number != 0 && v.ContentHash == p.base.ContentHash && sameSecrecy(*v, p.base.Version) {
		return errs.Newf(errs.Invalid, "Nothing is different from version %d, so there is nothing to save.", p.base.Number)
	}
	bound, err := v.boundTo(v.Entry, v.Number)
	if err != nil {
		return err
	}
	v.Sealed, err = s.box.Seal(plain, bound)
	return err
}

// boundTo is what the sealed values are authenticated with: their place, and
// everything that stands beside them in the open. Else somebody who can write the
// file, but has no key, could have a page show a secret as plain, or put another
// author to a version.
func (v Version) boundTo(id ID, n int) (string, error) {
	beside, err := v.beside, error(nil)
	if beside == "" {
		beside, err = v.inTheOpen()
	}
	return sealedAt(id, n) + "\x00" + beside, err
}

// Values of versions are sealed for more than their key: see boundTo.
var _ = secret.Declare(secret.Kind{Prefix: versions.Prefix, Words: "values of versions", Find: findSealed})

func findSealed(key string, record []byte) ([]secret.Sealed, error) {
	sealed, err := secret.FieldOf("sealed", key, record)
	if err != nil || sealed == nil {
		return nil, err
	}
	var v Version
	if err := json.Unmarshal(record, &v); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", key, secret.ErrDamaged)
	}
	beside, err := v.inTheOpen()
	return []secret.Sealed{{Bytes: sealed, Place: key + "\x00" + beside}}, err
}

// inTheOpen is the record without what is sealed.
func (v Version) inTheOpen() (string, error) {
	v.Sealed = nil
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encoding a version: %w", err)
	}
	return string(b), nil
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
