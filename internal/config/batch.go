package config

import (
	"context"
	"errors"
	"fmt"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// A DraftError says which draft of a SaveAll cannot be kept, and why.
type DraftError struct {
	ID  ID
	Err error // as Save returns it
}

func (e *DraftError) Error() string { return fmt.Sprintf("saving %s: %v", e.ID, e.Err) }

// Unwrap is for errs.Of and errs.Fields.
func (e *DraftError) Unwrap() error { return e.Err }

// SaveAll keeps all drafts, each as Save would, or none of them: one transaction
// has every version, every event, and the event that the function about returns of
// the saved versions, which are in the order of drafts. An id may be there once. It
// returns a *DraftError for the first draft that cannot be kept.
func (s *Service) SaveAll(ctx context.Context, by audit.Actor, drafts []Draft, about func([]Version) audit.Event) ([]Version, error) {
	all := make([]prepared, 0, len(drafts))
	made := make([]Version, 0, len(drafts))
	for _, d := range drafts {
		p, err := s.prepare(ctx, by, d)
		if err != nil {
			return nil, &DraftError{d.ID, err}
		}
		all, made = append(all, p), append(made, p.version)
	}
	last := about(made)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		for _, p := range all {
			if err := s.commit(tx, p, by); err != nil {
				return &DraftError{p.draft.ID, err}
			}
		}
		return audit.Append(tx, last)
	})
	var draft *DraftError
	if errors.As(err, &draft) {
		for _, p := range all {
			if p.draft.ID == draft.ID {
				err = s.held(ctx, p.refused(by), err)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// commit writes a prepared version, the label that it asked for, and the event.
// Every save goes through it, and is held to the entry's rule of approval.
func (s *Service) commit(tx store.Tx, p prepared, by audit.Actor) error {
	before, err := p.entry(tx)
	if err != nil {
		return err
	}
	if p.draft.Then == PutInForce {
		if err := s.hold(tx, before, 0, p.version.ContentHash, p.version.Time); err != nil {
			return err
		}
	}
	after := p.labelled(before)
	if err := p.expire(tx); err != nil {
		return err
	}
	return errors.Join(versions.Put(tx, versionID(after.ID, p.version.Number), p.version), noteInForce(tx, before, after),
		put(tx, after), audit.Append(tx, p.event(by, before, after)))
}

// refused is the event of a save that the entry's rule refuses.
func (p prepared) refused(by audit.Actor) audit.Event {
	return audit.Event{Time: p.version.Time, Actor: by, Action: audit.EntrySaved, Target: string(p.draft.ID), Reason: p.draft.Reason}
}
