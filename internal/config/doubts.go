package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Unsaved returns what Save would keep of d, without checking or keeping it: to
// look at values, or to test them, before they are saved. base is the version
// that kept values come from. What d keeps and base does not have is left out.
func (s *Service) Unsaved(d Draft, base Opened) Opened {
	d, cleaned := d.follow(s.Definition(d.ID))
	o := Opened{Version{Entry: d.ID, Base: d.Base, Reason: d.Reason, Scopes: d.Scopes, Topics: d.Topics, Cleaned: cleaned}, map[string]Value{}}
	c := content{map[string]Value{}, map[string]bool{}}
	for _, in := range d.Values {
		v := in.Value
		if in.Keep {
			kept, ok := base.Values[in.Key]
			if !ok {
				continue
			}
			v = kept
		}
		if _, twice := o.Values[in.Key]; twice || checkName(in.Key) != nil {
			continue
		}
		o.Values[in.Key], c.values[in.Key], c.secrets[in.Key] = v, v, in.Secret
		o.Keys = append(o.Keys, s.key(o.Version, in.Key, c, base.Version))
	}
	slices.SortFunc(o.Keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return o
}

// Doubts returns what is doubtful about the values of o, a version of the entry
// id or what Unsaved made of a draft for it: what Inspect finds, and values that
// are those of another place, found by their fingerprints alone. Nothing but o is
// opened. It names other entries, so it is for people who may see all of them.
func (s *Service) Doubts(ctx context.Context, id ID, o Opened) ([]Doubt, error) {
	in := inspection{s.Definition(id), o}
	mine, prints := in.watched(s.box), map[secret.Fingerprint]bool{}
	for _, m := range mine {
		prints[m.print] = true
	}
	var found map[secret.Fingerprint][]holder
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		if found, err = s.holders.holders(r, s, prints); err != nil {
			return err
		}
		return baseHolders(r, id, in, found)
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the values of %s elsewhere: %w", id, err)
	}
	doubts := s.looks.of(in)
	equal := slices.ContainsFunc(doubts, func(d Doubt) bool { return d.Kind == SameAsID })
	if !equal {
		doubts = append(doubts, in.changedPlaces(id, mine, found)...)
	}
	return in.ordered(append(doubts, in.shared(id, mine, found)...)), nil
}

// Looks is the part of Doubts that the values tell by themselves. It reads nothing.
// The caller may append to what it gets.
func (s *Service) Looks(id ID, o Opened) []Doubt {
	in := inspection{s.Definition(id), o}
	return in.ordered(s.looks.of(in))
}

// baseHolders adds what the version that o was made from holds: it may have lost
// its label to o.
func baseHolders(r store.Reader, id ID, in inspection, found map[secret.Fingerprint][]holder) error {
	if in.o.Base == 0 {
		return nil
	}
	v, err := openKeys.Get(r, versionID(id, in.o.Base))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	for print, h := range holdersIn(v, labelledVersion{in.o.Base, ""}, id, in.def) {
		found[print] = append([]holder{h}, found[print]...)
	}
	return err
}

// A watchedValue is a client id or a secret of what is inspected.
type watchedValue struct {
	key   string
	print secret.Fingerprint
}

func (in inspection) watched(box *secret.Box) (out []watchedValue) {
	id, _ := idAndSecret(in.def, in.o.Version)
	for _, k := range in.o.Keys {
		if f, ok := field(in.def, k.Name); ok && f.Secret {
			k.Secret = true
		}
		v := in.o.Values[k.Name]
		k.Kind, k.Length = v.kind, v.text.Len() // whoever made o
		if watched(k, id, in.def) {
			out = append(out, watchedValue{k.Name, box.Fingerprint(v.text.Reveal())})
		}
	}
	return out
}

// changedPlaces finds the id in the place of the secret, and the other way round,
// by what the entry's other versions hold.
func (in inspection) changedPlaces(entry ID, mine []watchedValue, found map[secret.Fingerprint][]holder) []Doubt {
	id, secretKey := idAndSecret(in.def, in.o.Version)
	at := func(key, other string) (holder, bool) {
		for _, m := range mine {
			i := slices.IndexFunc(found[m.print], func(h holder) bool { return h.entry == entry && h.version != in.o.Number && h.key == other })
			if m.key == key && i >= 0 {
				return found[m.print][i], true
			}
		}
		return holder{}, false
	}
	asSecret, idIsSecret := at(id, secretKey)
	asID, secretIsID := at(secretKey, id)
	switch {
	case idIsSecret && secretIsID:
		return []Doubt{in.doubt(id, look{Swapped, fmt.Sprintf("%s and %s have changed places against version %d.", in.label(id), in.label(secretKey), asSecret.version),
			"One of the two versions has them the wrong way round. The provider's page says which is which; usually only the secret is hidden there."})}
	case idIsSecret:
		return []Doubt{in.doubt(id, look{Swapped, fmt.Sprintf("This is the %s of version %d.", asSecret.called, asSecret.version),
			fmt.Sprintf("Put the %s here. Pages show this field to everybody, so also make a new secret at the provider.", in.label(id))})}
	case secretIsID:
		return []Doubt{in.doubt(secretKey, look{Swapped, fmt.Sprintf("This is the %s of version %d.", asID.called, asID.version),
			fmt.Sprintf("Copy the %s, and put it here.", in.label(secretKey))})}
	}
	return nil
}

// shared finds values that other entries have too. An app that two entries use
// is said once, at the secret.
func (in inspection) shared(entry ID, mine []watchedValue, found map[secret.Fingerprint][]holder) (out []Doubt) {
	id, secretKey := idAndSecret(in.def, in.o.Version)
	others := map[string][]holder{}
	for _, m := range mine {
		for _, h := range found[m.print] {
			if h.entry != entry {
				others[m.key] = append(others[m.key], h)
			}
		}
	}
	whole := sameApp(others[id], others[secretKey])
	for _, m := range mine {
		hs := others[m.key]
		if len(hs) == 0 || m.key == id && whole.entry != "" {
			continue
		}
		h, remedy := hs[0], "Copy it again from this entry's own app, unless both are to use one."
		found := fmt.Sprintf("Same value as %s of %s, version %d, %s", h.called, h.entry, h.version, h.label)
		if m.key == secretKey && whole.entry != "" {
			h, remedy = whole, "If both entries are to use one app, leave it: a new secret then concerns both. Else copy ID and secret from this entry's own app."
			found = fmt.Sprintf("Same app as %s: ID and secret are those of its version %d, %s", h.entry, h.version, h.label)
		}
		d := in.doubt(m.key, look{SharedValue, found + furtherEntries(hs, h.entry) + ".", remedy})
		d.Other = h.entry
		out = append(out, d)
	}
	return out
}

// sameApp is the first version that has both.
func sameApp(ids, secrets []holder) holder {
	for _, s := range secrets {
		if s.use == clientSecret && slices.ContainsFunc(ids, func(h holder) bool { return h.entry == s.entry && h.version == s.version && h.use == clientID }) {
			return s
		}
	}
	return holder{}
}

// furtherEntries counts the entries but the one that is named.
func furtherEntries(hs []holder, named ID) string {
	others := map[ID]bool{}
	for _, h := range hs {
		if h.entry != named {
			others[h.entry] = true
		}
	}
	switch len(others) {
	case 0:
		return ""
	case 1:
		return ", and as one more entry"
	}
	return fmt.Sprintf(", and as %d more entries", len(others))
}
