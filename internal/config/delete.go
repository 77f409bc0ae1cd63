package config

import (
	"context"
	"fmt"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// Delete removes the entry with all its versions and what other rooms keep of
// it. Its audit events stay, and its last revision, so that nobody's old form
// fits an entry that is made under this id later. It returns an errs.Conflict
// if the entry is no longer at m.Revision, an errs.NotFound, and an errs.Field
// error on "reason".
func (s *Service) Delete(ctx context.Context, by audit.Actor, m Move) error {
	if err := checkReason(m.Reason); err != nil {
		return err
	}
	event := s.event(by, audit.EntryDeleted, m)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		e, err := entryAt(tx, m.ID, m.Revision)
		if err != nil {
			return err
		}
		if err := s.remove(tx, e); err != nil {
			return err
		}
		done := event
		done.Version, done.Changes = e.Current, moves(e, Entry{})
		done.Note = fmt.Sprintf("Versions deleted with it: %d.", e.Next-1)
		return audit.Append(tx, done)
	})
	if err != nil {
		return fmt.Errorf("deleting %s: %w", m.ID, err)
	}
	return nil
}

func (s *Service) remove(tx store.Tx, e Entry) error {
	for n := 1; n < e.Next; n++ {
		versions.Delete(tx, versionID(e.ID, n))
		reviews.Delete(tx, versionID(e.ID, n))
	}
	entries.Delete(tx, string(e.ID))
	rotations.Delete(tx, string(e.ID))
	watches.Delete(tx, string(e.ID))
	expiries.Delete(tx, string(e.ID))
	for _, f := range s.alsoDelete {
		if err := f(tx, e.ID); err != nil {
			return err
		}
	}
	deletedRules.Delete(tx, string(e.ID)) // of one before this
	if e.Rule != "" {
		if err := deletedRules.Put(tx, string(e.ID), e.Rule); err != nil {
			return err
		}
	}
	if err := deleted.Put(tx, string(e.ID), e.Revision); err != nil {
		return err
	}
	return raiseGeneration(tx)
}
