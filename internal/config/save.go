package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// Saved is the version that a Save made. Its Cleaned says what was taken off the
// values that were typed.
type Saved struct{ Version Version }

// Save keeps d as the next version of its entry and moves the label that d.Then
// asks for; with d.Revision 0 it creates the entry. A version that was pending
// before loses its label to one that is saved as pending, and to one that was
// made from it. Save returns joined errs.Field errors (named by key, or "id",
// "key", "reason", "hours", "scope", "topic") for what cannot be kept, an
// errs.Conflict if the entry is no longer at d.Revision, an errs.NotFound if it
// or its version d.Base is gone, and an errs.Invalid if nothing would change.
// Then nothing is written.
func (s *Service) Save(ctx context.Context, by audit.Actor, d Draft) (Saved, error) {
	p, err := s.prepare(ctx, by, d)
	if err != nil {
		return Saved{}, err
	}
	err = s.store.Update(ctx, func(tx store.Tx) error { return s.commit(tx, p, by) })
	if err = s.held(ctx, p.refused(by), err); err != nil {
		return Saved{}, fmt.Errorf("saving %s: %w", p.draft.ID, err)
	}
	return Saved{p.version}, nil
}

// prepared is everything about a save that must happen once, before the
// transaction: reading the base, taking the time, sealing.
type prepared struct {
	draft     Draft
	connector string
	base      Opened
	version   Version
	otherApp  []string // that it is another app than the one in force, in words; none if it is the same
	dates     []Expiry // of its values; see Draft.Expires
}

func (s *Service) prepare(ctx context.Context, by audit.Actor, d Draft) (prepared, error) {
	p, c, err := s.compose(ctx, by, d)
	if err != nil {
		return prepared{}, err
	}
	if err := s.seal(&p, c); err != nil {
		return prepared{}, err
	}
	return p, p.date(by)
}

// Preview returns what Save would make of d, opened, and keeps nothing: no
// version has its Number, which is 0. It has the errors of Save, except that a
// draft without a difference is none.
func (s *Service) Preview(ctx context.Context, d Draft) (Opened, error) {
	p, c, err := s.compose(ctx, audit.Actor{}, d)
	if err != nil {
		return Opened{}, err
	}
	p.version.Number, p.version.Base = 0, d.Base
	if _, err := s.describe(&p, c); err != nil {
		return Opened{}, err
	}
	return Opened{p.version, c.values}, nil
}

// compose checks a draft and makes a version of it that has no values yet.
func (s *Service) compose(ctx context.Context, by audit.Actor, d Draft) (prepared, content, error) {
	e, base, err := s.basis(ctx, d)
	if err != nil {
		return prepared{}, content{}, err
	}
	def := s.Definition(d.ID)
	d, cleaned := d.follow(def)
	c, err := d.content(def, base)
	if err := errors.Join(err, d.checkWords()); err != nil {
		return prepared{}, content{}, err
	}
	origin, err := tokenOrigin(def, d, base, c)
	if err != nil {
		return prepared{}, content{}, err
	}
	p := prepared{draft: d, connector: keyOf(def), base: base}
	if e.Current != 0 {
		if p.otherApp, err = s.otherThan(ctx, e, c); err != nil {
			return prepared{}, content{}, err
		}
	}
	p.version = Version{Entry: d.ID, Number: e.Next, Base: d.Base, Author: by.Name, AuthorID: by.ID, Time: s.now().UTC(),
		Reason: d.Reason, Scopes: d.Scopes, Topics: d.Topics, TokenOrigin: origin, Cleaned: cleaned}
	return p, c, nil
}

func keyOf(def *connector.Definition) string {
	if def == nil {
		return ""
	}
	return def.Key
}

// basis reads the entry that d changes and the version that it was edited from.
func (s *Service) basis(ctx context.Context, d Draft) (Entry, Opened, error) {
	if _, err := ParseID(string(d.ID)); err != nil {
		return Entry{}, Opened{}, err
	}
	e, err := s.Get(ctx, d.ID)
	if d.Revision == 0 {
		if err == nil {
			return Entry{}, Opened{}, exists(d.ID)
		}
		if !errs.Is(err, errs.NotFound) {
			return Entry{}, Opened{}, err
		}
		return Entry{Next: 1}, Opened{}, nil
	}
	if err != nil {
		return Entry{}, Opened{}, err
	}
	if e.Revision != d.Revision {
		return Entry{}, Opened{}, overtaken(e)
	}
	base, err := s.Open(ctx, d.ID, d.Base)
	return e, base, err
}

func exists(id ID) error {
	return &errs.Error{Kind: errs.Conflict, Field: "id", Msg: fmt.Sprintf("There is an entry %s already. Open it and edit it, or choose another id.", id)}
}

func overtaken(e Entry) error {
	who := cmp.Or(e.TouchedBy, e.ChangedBy)
	if who == "" {
		who = "Somebody"
	}
	return errs.Newf(errs.Conflict, "%s changed this entry after you opened it. Look at what changed, then decide again.", who)
}

// entry returns the entry that p changes, as it stands in the transaction.
func (p prepared) entry(tx store.Tx) (Entry, error) {
	if p.draft.Revision != 0 {
		e, err := entryAt(tx, p.draft.ID, p.draft.Revision)
		if err == nil && e.Next != p.version.Number { // it opens only in the place that it was sealed for
			err = overtaken(e)
		}
		return e, err
	}
	_, err := entries.Get(tx, string(p.draft.ID))
	if err == nil {
		return Entry{}, exists(p.draft.ID)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return Entry{}, err
	}
	last, err := deleted.Get(tx, string(p.draft.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Entry{}, err
	}
	rule, err := deletedRules.Get(tx, string(p.draft.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Entry{}, err
	}
	return Entry{ID: p.draft.ID, Revision: last, Created: p.version.Time, Rule: rule}, nil
}

// labelled is the entry with the new version, and on it the label that the
// draft asks for.
func (p prepared) labelled(e Entry) Entry {
	v := p.version
	e.Connector = p.connector
	e.Next, e.Revision = v.Number+1, e.Revision+1
	e.Changed, e.ChangedBy, e.ChangedByID, e.TouchedBy = v.Time, v.Author, v.AuthorID, ""
	if p.draft.Then == Pend {
		e.Pending, e.PendingHash, e.Decision = v.Number, v.ContentHash, Decision{}
		return e
	}
	if e.Pending == v.Base {
		e.Pending, e.PendingHash = 0, ""
	}
	e.putInForce(v, p.draft.Accept, v.Time, v.Author)
	return e
}

func (p prepared) event(by audit.Actor, before, after Entry) audit.Event {
	diff := Diff(p.base.Version, p.version)
	e := audit.Event{Time: p.version.Time, Actor: by, Action: audit.EntrySaved, Target: string(p.draft.ID),
		Version: p.version.Number, Outcome: audit.Done, Reason: p.draft.Reason,
		Changes: append(moves(before, after), diff.audit()...)}
	notes := []string{"Saved as pending."}
	if p.draft.Then == PutInForce {
		notes = []string{"Saved and put in force."}
	}
	if p.version.Base != 0 {
		notes = append(notes, fmt.Sprintf("Made from version %d.", p.version.Base))
	}
	if p.draft.Revision == 0 {
		e.Action = audit.EntryCreated
	}
	notes = append(append(notes, diff.notes()...), p.otherApp...)
	for _, x := range p.dates {
		e.Changes = append(e.Changes, audit.Change{Key: expiryOf + x.Key, After: x.Date})
	}
	e.Note = strings.Join(append(notes, acceptNotes(before, after)...), " ")
	return e
}
