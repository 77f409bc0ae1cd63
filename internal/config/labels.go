package config

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Move asks for a label to be moved on an entry that stands at Revision.
type Move struct {
	ID       ID
	Revision int64
	Version  int
	Accept   time.Duration // how long the version that was current stays accepted; at most MaxAccept
	Reason   string
	Revert   time.Duration // with Promote: how long checks may put back what was in force; 0 for never, at most MaxRevert
}

// Promote puts the pending version in force: current becomes previous (until
// m.Accept is over; what was previous before loses its label), pending becomes
// current. It returns an errs.Conflict if the entry is no longer at m.Revision
// or m.Version is not the pending one, an errs.NotFound, errs.Field errors on "hours",
// "minutes" and "reason", and an errs.Invalid, which is on record, if the version lacks
// what the entry's rule asks for. With m.Revert, it begins a Watch.
func (s *Service) Promote(ctx context.Context, by audit.Actor, m Move) (Entry, error) {
	return s.move(ctx, m, s.event(by, audit.EntryPromoted, m), func(tx store.Tx, e Entry, to Version, now time.Time) (string, error) {
		if m.Revert > 0 && e.Current == 0 {
			return "", errs.Field("minutes", "Nothing is in force yet, so there is nothing to go back to.")
		}
		if err := e.checkPending(m); err != nil {
			return "", err
		}
		return "", s.hold(tx, e, m.Version, to.ContentHash, now)
	})
}

// RollBack puts an older version in force again. A pending version stays
// pending. It returns what Promote returns, and an errs.Invalid if the version
// is the current or the pending one. If the entry has a rule of approval, it goes back
// only to what was in force before, for a reason, and without a new approval.
func (s *Service) RollBack(ctx context.Context, by audit.Actor, m Move) (Entry, error) {
	return s.move(ctx, m, s.event(by, audit.EntryRolledBack, m), func(tx store.Tx, e Entry, to Version, now time.Time) (string, error) {
		switch m.Version {
		case e.Current:
			return "", errs.Newf(errs.Invalid, "Version %d is in force already.", m.Version)
		case e.Pending:
			return "", errs.Newf(errs.Invalid, "Version %d is pending: promote it instead.", m.Version)
		}
		return s.holdBack(tx, e, m, to.ContentHash, now)
	})
}

// move puts version m.Version in force if allow does not refuse it. The
// versions are read before the transaction: they are immutable, and as the
// entry is still at m.Revision then, they are the right ones.
func (s *Service) move(ctx context.Context, m Move, event audit.Event, allow func(store.Tx, Entry, Version, time.Time) (note string, err error)) (Entry, error) {
	if err := errors.Join(checkAccept(m.Accept), checkRevert(m.Revert), checkReason(m.Reason)); err != nil {
		return Entry{}, err
	}
	to, err := s.diffToCurrent(ctx, m, &event)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.change(ctx, m, event, func(tx store.Tx, e *Entry) (string, error) {
		note, err := allow(tx, *e, to, event.Time)
		if err != nil {
			return "", err
		}
		if e.Pending == m.Version {
			e.Pending, e.PendingHash = 0, ""
		}
		e.putInForce(to, m.Accept, event.Time, event.Actor.Name)
		return note, nil
	}, func(tx store.Tx, before, after Entry) error { return beginWatch(tx, m, event, before, after) })
	return e, s.held(ctx, event, err)
}

// diffToCurrent returns the version that m names, and writes into the event
// how it differs from the one in force.
func (s *Service) diffToCurrent(ctx context.Context, m Move, event *audit.Event) (Version, error) {
	e, err := s.Get(ctx, m.ID)
	if err != nil {
		return Version{}, err
	}
	if e.Revision != m.Revision {
		return Version{}, overtaken(e)
	}
	to, err := s.Version(ctx, m.ID, m.Version)
	if err != nil {
		return Version{}, err
	}
	var current Version
	if e.Current != 0 {
		if current, err = s.Version(ctx, m.ID, e.Current); err != nil {
			return Version{}, err
		}
	}
	diff := Diff(current, to)
	event.Changes = diff.audit()
	notes := append(diff.notes(), s.otherApp(m.ID, current, to)...)
	if m.Revert > 0 {
		notes = append(notes, fmt.Sprintf("Version %d comes back by itself if a check within %s proves the client secret wrong.", current.Number, minutes(m.Revert)))
	}
	event.Note = strings.Join(notes, " ")
	return to, nil
}

// Discard takes the label off the pending version, which stays in the history.
// It returns an errs.Conflict or an errs.NotFound, as Promote does, and an
// errs.Field error on "reason".
func (s *Service) Discard(ctx context.Context, by audit.Actor, m Move) (Entry, error) {
	if err := checkReason(m.Reason); err != nil {
		return Entry{}, err
	}
	return s.change(ctx, m, s.event(by, audit.EntryDiscarded, m), func(_ store.Tx, e *Entry) (string, error) {
		if err := e.checkPending(m); err != nil {
			return "", err
		}
		e.Pending, e.PendingHash, e.Decision = 0, "", Decision{}
		return "", nil
	})
}

func (s *Service) event(by audit.Actor, action audit.Action, m Move) audit.Event {
	return audit.Event{Time: s.now().UTC(), Actor: by, Action: action, Target: string(m.ID), Version: m.Version,
		Outcome: audit.Done, Reason: m.Reason}
}

func (e Entry) checkPending(m Move) error {
	if e.Pending == 0 || e.Pending != m.Version {
		return errs.Newf(errs.Conflict, "Version %d is not pending any more. Look at the entry again.", m.Version)
	}
	return nil
}

// change runs f on the entry in one transaction, if it still is at m.Revision,
// and records the event with the labels that f moved, and the note that it returns.
// also writes what belongs to the change beside the entry.
func (s *Service) change(ctx context.Context, m Move, event audit.Event, f func(store.Tx, *Entry) (note string, err error), also ...func(tx store.Tx, before, after Entry) error) (Entry, error) {
	var changed Entry
	err := s.store.Update(ctx, func(tx store.Tx) error {
		before, err := entryAt(tx, m.ID, m.Revision)
		if err != nil {
			return err
		}
		after := before
		note, err := f(tx, &after)
		if err != nil {
			return err
		}
		after.Revision, after.Changed, after.ChangedBy = before.Revision+1, event.Time, event.Actor.Name
		after.ChangedByID, after.TouchedBy = event.Actor.ID, ""
		changed = after
		done := event
		done.Changes = append(moves(before, after), event.Changes...)
		done.Note = strings.TrimSpace(strings.Join(append([]string{note, event.Note}, acceptNotes(before, after)...), " "))
		if err := noteInForce(tx, before, after); err != nil {
			return err
		}
		for _, f := range also {
			if err := f(tx, before, after); err != nil {
				return err
			}
		}
		return errors.Join(put(tx, after), audit.Append(tx, done))
	})
	if err != nil {
		return Entry{}, fmt.Errorf("changing %s: %w", m.ID, err)
	}
	return changed, nil
}

// entryAt returns the entry if it still is at the revision. It returns an
// errs.NotFound or an errs.Conflict.
func entryAt(tx store.Tx, id ID, revision int64) (Entry, error) {
	e, err := entries.Get(tx, string(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Entry{}, Missing(id)
	case err != nil:
		return Entry{}, err
	case e.Revision != revision:
		return Entry{}, overtaken(e)
	}
	return e, nil
}

// putInForce moves the label current to v, and previous to what had it.
func (e *Entry) putInForce(v Version, accept time.Duration, at time.Time, by string) {
	e.Previous, e.PreviousUntil = e.Current, at.Add(accept)
	if e.Current == 0 || accept <= 0 {
		e.Previous, e.PreviousUntil = 0, time.Time{}
	}
	e.Current, e.CurrentHash = v.Number, v.ContentHash
	e.InForceSince, e.InForceBy = at, by
	e.Decision = Decision{} // it was about another one in force
}

// moves are the labels that stand elsewhere now, as an event has them. Their
// names have a space, which no key has.
func moves(before, after Entry) (out []audit.Change) {
	for _, m := range []struct {
		label         string
		before, after int
	}{
		{"current version", before.Current, after.Current},
		{"pending version", before.Pending, after.Pending},
		{"previous version", before.Previous, after.Previous},
	} {
		if m.before != m.after {
			out = append(out, audit.Change{Key: m.label, Before: number(m.before), After: number(m.after)})
		}
	}
	return out
}

// number is a version's number in an audit event: "" for none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// acceptNotes says for an event until when the previous version is accepted.
func acceptNotes(before, after Entry) []string {
	if after.Previous == 0 || after.Current == before.Current {
		return nil
	}
	return []string{fmt.Sprintf("Version %d stays accepted until %s.", after.Previous, after.PreviousUntil.Format("2006-01-02 15:04 UTC"))}
}
