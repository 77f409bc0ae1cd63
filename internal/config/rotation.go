package config

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Keeps is how many client secrets of an app hold at the provider at a time. Its
// text is stored.
type Keeps string

// What can be said of a provider. KeepsUnknown is an answer too.
const (
	KeepsBoth    Keeps = "both"    // a new one holds beside the old one, until that is deleted
	KeepsOne     Keeps = "one"     // making a new one ends the old one
	KeepsUnknown Keeps = "unknown" // whoever does it does not know
)

// ParseKeeps returns the answer that s names, or an errs.Field error on "keeps".
func ParseKeeps(s string) (Keeps, error) {
	switch k := Keeps(s); k {
	case KeepsBoth, KeepsOne, KeepsUnknown:
		return k, nil
	}
	return "", errs.Field("keeps", "Say whether the provider keeps both secrets for a while. If you do not know, say so.")
}

// A Rotation is what people said about replacing the client secret of an entry.
// Everything else about it is read from the entry: see RotationOf.
type Rotation struct {
	Key     string             `json:"key"`  // of the secret: "clientSecret"
	Old     secret.Fingerprint `json:"old"`  // of the secret that is to go
	From    int                `json:"from"` // the version that was in force
	Keeps   Keeps              `json:"keeps"`
	Started time.Time          `json:"started"`
	By      string             `json:"by"`
	Ended   time.Time          `json:"ended,omitzero"` // when somebody called it over
	EndedBy string             `json:"endedBy,omitempty"`
}

var rotations = store.Table[Rotation]{Prefix: "config/rotation/"}

// A Rotating is how far a rotation has come, as the entry shows it.
type Rotating struct {
	Rotation
	Open     bool    // somebody began it and nobody called it over
	Entry    Entry   // as it stands
	New      Version // has the new secret; Number is 0 while there is none
	InForce  bool    // New is in force
	Accepted bool    // the old secret is still accepted beside it, until Entry.PreviousUntil
	SameAs   int     // an older version with the secret of New; 0 if there is none
	Watch    Watch   // of the promotion of New; the zero one if nobody wanted it
}

// Finished reports whether the new secret is in force and the old one is not
// accepted any more.
func (r Rotating) Finished() bool { return r.InForce && !r.Accepted }

// SecretKey is the key of the client secret of a version of the entry, or "" if
// it has none.
func (s *Service) SecretKey(v Version) string {
	_, key := idAndSecret(s.Definition(v.Entry), v)
	if k, ok := v.Key(key); !ok || !k.Secret || k.Length == 0 {
		return ""
	}
	return key
}

// BeginRotation says that the client secret of the entry is being replaced, or
// changes what was said of the provider. It returns an errs.NotFound, an
// errs.Invalid if no client secret is in force, and an errs.Field error on "keeps".
func (s *Service) BeginRotation(ctx context.Context, by audit.Actor, id ID, keeps Keeps) error {
	if _, err := ParseKeeps(string(keeps)); err != nil {
		return err
	}
	now, err := s.RotationOf(ctx, id)
	if err != nil {
		return err
	}
	v, key, err := s.rotatable(ctx, now.Entry)
	if err != nil {
		return err
	}
	k, _ := v.Key(key)
	r := Rotation{Key: key, Old: k.Fingerprint, From: v.Number, Keeps: keeps, Started: s.now().UTC(), By: by.Name}
	if now.Open && !now.Finished() {
		r.Old, r.From, r.Started, r.By = now.Old, now.From, now.Started, now.By
	}
	event := audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.RotationBegun, Target: string(id), Version: r.From, Outcome: audit.Done,
		Note: map[Keeps]string{KeepsBoth: "The provider is said to keep both secrets for a while.", KeepsOne: "The provider is said to have one secret only.",
			KeepsUnknown: "Whether the provider keeps both secrets is not known."}[keeps]}
	return s.rotation(ctx, id, r, event)
}

// EndRotation calls a rotation over, whether it is finished or given up. No
// version changes. It returns an errs.Conflict if none is open.
func (s *Service) EndRotation(ctx context.Context, by audit.Actor, id ID) error {
	now, err := s.RotationOf(ctx, id)
	if err != nil {
		return err
	}
	if !now.Open {
		return errs.Newf(errs.Conflict, "No rotation of %s is open. Somebody may have ended it already.", id)
	}
	r := now.Rotation
	r.Ended, r.EndedBy = s.now().UTC(), by.Name
	event := audit.Event{Time: r.Ended, Actor: by, Action: audit.RotationEnded, Target: string(id), Version: now.New.Number, Outcome: audit.Done, Note: "It is finished."}
	if !now.Finished() {
		event.Note = "It was given up. Nothing of the entry changed by that."
	}
	return s.rotation(ctx, id, r, event)
}

func (s *Service) rotation(ctx context.Context, id ID, r Rotation, event audit.Event) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		there, err := HasEntry(tx, id)
		if err == nil && !there {
			err = Missing(id)
		}
		if err != nil {
			return err
		}
		return errors.Join(rotations.Put(tx, string(id), r), audit.Append(tx, event))
	})
	if err != nil {
		return fmt.Errorf("keeping the rotation of %s: %w", id, err)
	}
	return nil
}

// rotatable returns the version in force and the key of its client secret.
func (s *Service) rotatable(ctx context.Context, e Entry) (Version, string, error) {
	if e.Current == 0 {
		return Version{}, "", errs.New(errs.Invalid, "Nothing of this entry is in force, so there is no secret to replace. Edit the entry instead.")
	}
	v, err := s.Version(ctx, e.ID, e.Current)
	if err != nil {
		return Version{}, "", err
	}
	key := s.SecretKey(v)
	if key == "" {
		return Version{}, "", errs.New(errs.Invalid, "The version in force has no client secret to replace. Edit the entry instead.")
	}
	return v, key, nil
}

// RotationOf reads how far the rotation of an entry has come. Before there is one,
// Open is false and Keeps is "". It returns an errs.NotFound.
func (s *Service) RotationOf(ctx context.Context, id ID) (Rotating, error) {
	var out Rotating
	now := s.now()
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		if out.Entry, err = entries.Get(r, string(id)); err != nil {
			return err
		}
		if out.Rotation, err = rotations.Get(r, string(id)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		out.Open = !out.Started.IsZero() && out.Ended.IsZero()
		if out.Started.IsZero() {
			return nil
		}
		return out.read(r, now)
	})
	if errors.Is(err, store.ErrNotFound) {
		return Rotating{}, Missing(id)
	}
	if err != nil {
		return Rotating{}, fmt.Errorf("reading the rotation of %s: %w", id, err)
	}
	return out, nil
}

// read finds the version with the new secret: the pending one, or the one in
// force, if its secret is not the old one.
func (r *Rotating) read(tx store.Reader, now time.Time) error {
	e := r.Entry
	for _, n := range []int{e.Pending, e.Current} {
		if n == 0 || r.New.Number != 0 {
			continue
		}
		v, err := versions.Get(tx, versionID(e.ID, n))
		if err != nil {
			return err
		}
		if k, ok := v.Key(r.Key); ok && k.Fingerprint != r.Old {
			r.New, r.InForce = v, n == e.Current
		}
	}
	if r.New.Number == 0 {
		return nil
	}
	if e.Previous != 0 && now.Before(e.PreviousUntil) {
		v, err := versions.Get(tx, versionID(e.ID, e.Previous))
		if err != nil {
			return err
		}
		k, ok := v.Key(r.Key)
		r.Accepted = ok && k.Fingerprint == r.Old
	}
	w, err := watches.Get(tx, string(e.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && w.Version == r.New.Number {
		r.Watch = w
	}
	return r.older(tx)
}

// older finds the newest earlier version that has the secret of New already.
func (r *Rotating) older(tx store.Reader) error {
	k, _ := r.New.Key(r.Key)
	for n := k.Since - 1; n > 0 && n >= k.Since-compareDepth; n-- {
		v, err := openKeys.Get(tx, versionID(r.Entry.ID, n))
		if err != nil {
			return err
		}
		if had, ok := v.Key(r.Key); ok && had.Fingerprint == k.Fingerprint {
			r.SameAs = n
			return nil
		}
	}
	return nil
}

// A Paste is a new client secret for an entry that stands at Revision.
type Paste struct {
	ID       ID
	Revision int64
	Secret   secret.Text
	Expires  string // "2026-12-01"; "" for not known
	Reason   string
	Then     Then
	Accept   time.Duration // with PutInForce
}

// PasteSecret saves the version in force once more, with another client secret.
// It has the errors of Save, and an errs.Field error on "secret" if the secret is
// missing or is the one in force.
func (s *Service) PasteSecret(ctx context.Context, by audit.Actor, p Paste) (Saved, error) {
	e, err := s.Get(ctx, p.ID)
	if err != nil {
		return Saved{}, err
	}
	if e.Revision != p.Revision {
		return Saved{}, overtaken(e)
	}
	v, key, err := s.rotatable(ctx, e)
	if err != nil {
		return Saved{}, err
	}
	pasted := p.Secret
	if f, known := field(s.Definition(p.ID), key); known {
		pasted, _ = Clean(f, pasted)
	}
	k, _ := v.Key(key)
	switch {
	case pasted.IsZero():
		return Saved{}, errs.Field("secret", "Paste the new secret. The provider's page shows it when it is made, often only once.")
	case k.Kind == connector.Text && s.box.Fingerprint(pasted.Reveal()) == k.Fingerprint:
		return Saved{}, errs.Field("secret", fmt.Sprintf("This is the secret that is in force, of version %d. Copy the new one from the provider's page.", v.Number))
	}
	d := Draft{ID: p.ID, Revision: p.Revision, Base: e.Current, Scopes: v.Scopes, Topics: v.Topics, Reason: p.Reason, Then: p.Then, Accept: p.Accept}
	for _, k := range v.Keys {
		in := Input{Key: k.Name, Secret: k.Secret, Keep: true}
		if k.Name == key {
			in = Input{Key: k.Name, Secret: true, Value: TextValue(p.Secret)}
		}
		d.Values = append(d.Values, in)
	}
	if p.Expires != "" {
		d.Expires = map[string]string{key: p.Expires}
	}
	return s.Save(ctx, by, d)
}

// Retire ends the time for which the previous version is accepted. It returns an
// errs.Conflict if the entry is no longer at m.Revision, or m.Version is not the
// previous one, or its time is over.
func (s *Service) Retire(ctx context.Context, by audit.Actor, m Move) (Entry, error) {
	if err := checkReason(m.Reason); err != nil {
		return Entry{}, err
	}
	event := s.event(by, audit.EntryRetired, m)
	return s.change(ctx, m, event, func(_ store.Tx, e *Entry) (string, error) {
		if e.Previous == 0 || e.Previous != m.Version || !event.Time.Before(e.PreviousUntil) {
			return "", errs.Newf(errs.Conflict, "Version %d is not accepted any more. Look at the entry again.", m.Version)
		}
		e.Previous, e.PreviousUntil = 0, time.Time{}
		return "", nil
	})
}

// OtherApp reports whether a client id is another than the one in force: then it
// is another app, with none of the installations of this one. def may be nil.
func (s *Service) OtherApp(inForce, v Version) (key string, other bool) {
	key, _ = idAndSecret(s.Definition(inForce.Entry), inForce)
	was, had := inForce.Key(key)
	is, has := v.Key(key)
	return key, had && was.Length > 0 && (!has || is.Fingerprint != was.Fingerprint)
}

func (s *Service) otherApp(id ID, inForce, v Version) []string {
	inForce.Entry = id
	if key, other := s.OtherApp(inForce, v); other {
		return []string{fmt.Sprintf("%s is another one: this is another app at the provider.", key)}
	}
	return nil
}

// otherThan is otherApp for content that is not a version yet.
func (s *Service) otherThan(ctx context.Context, e Entry, c content) ([]string, error) {
	v, err := s.Version(ctx, e.ID, e.Current)
	if err != nil {
		return nil, err
	}
	key, _ := idAndSecret(s.Definition(e.ID), v)
	var keys []Key
	if value, ok := c.values[key]; ok {
		keys = []Key{{Name: key, Fingerprint: s.box.Fingerprint(value.text.Reveal())}}
	}
	return s.otherApp(e.ID, v, Version{Keys: keys}), nil
}
