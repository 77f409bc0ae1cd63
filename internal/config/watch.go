package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// MaxRevert is the longest time after a promotion in which a version can come
// back by itself.
const MaxRevert = 2 * time.Hour

// A WatchEnd is how a Watch ended. Its text is stored.
type WatchEnd string

// The ends. The empty one is that it goes on.
const (
	WatchOn        WatchEnd = ""
	WatchReverted  WatchEnd = "reverted"  // a check proved the secret wrong, and Before is in force again
	WatchWorks     WatchEnd = "works"     // a check found it right, and none found it wrong
	WatchUndecided WatchEnd = "undecided" // no check could decide
	WatchOvertaken WatchEnd = "overtaken" // somebody changed the entry: what people do counts more
)

// A Watch is what somebody chose at a promotion: if a check proves the client
// secret of the promoted version wrong before Until, the version before comes
// back by itself. An entry has at most one, that of its last such promotion.
type Watch struct {
	Entry    ID        `json:"entry"`
	Version  int       `json:"version"` // that was put in force
	Hash     string    `json:"hash"`    // its content
	Before   int       `json:"before"`  // that comes back
	Revision int64     `json:"revision"`
	By       string    `json:"by"` // who chose it
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	End      WatchEnd  `json:"end,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
	Found    string    `json:"found,omitempty"`  // what ended it, in a sentence
	Report   string    `json:"report,omitempty"` // of the check that decided
	After    int64     `json:"after,omitempty"`  // the entry's revision when Before was back
}

// On reports whether the watch goes on.
func (w Watch) On() bool { return !w.Since.IsZero() && w.End == WatchOn }

// Fresh reports whether what the watch did is the last that happened to the entry.
func (w Watch) Fresh(e Entry) bool { return w.End == WatchReverted && w.After == e.Revision }

var watches = store.Table[Watch]{Prefix: "config/watch/"}

func checkRevert(d time.Duration) error {
	if d < 0 || d > MaxRevert {
		return errs.Field("minutes", fmt.Sprintf("A version can come back by itself for at most %s. Choose a shorter time.", minutes(MaxRevert)))
	}
	return nil
}

func minutes(d time.Duration) string {
	if d == time.Minute {
		return "1 minute"
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

// beginWatch keeps the watch that a promotion asks for.
func beginWatch(tx store.Tx, m Move, event audit.Event, before, after Entry) error {
	if m.Revert <= 0 || event.Action != audit.EntryPromoted {
		return nil
	}
	return watches.Put(tx, string(m.ID), Watch{Entry: m.ID, Version: after.Current, Hash: after.CurrentHash, Before: before.Current, Revision: after.Revision,
		By: event.Actor.Name, Since: event.Time, Until: event.Time.Add(m.Revert)})
}

// Watches returns the watches of all entries, ended ones too, in the order of the
// ids.
func (s *Service) Watches(ctx context.Context) (out []Watch, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		out, err = watches.List(r, "", 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the watches: %w", err)
	}
	return out, nil
}

// WatchOf returns the watch of an entry, or the zero one.
func (s *Service) WatchOf(ctx context.Context, id ID) (w Watch, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		w, err = watches.Get(r, string(id))
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Watch{}, fmt.Errorf("reading the watch of %s: %w", id, err)
	}
	return w, nil
}

// Revert puts the version back in force that was before w, whose check, with the
// given report, proved the secret wrong. What was promoted becomes pending, unless
// another version is. To go back to what was in force needs nobody's approval. It
// returns an errs.Conflict if anything happened to the entry, or to the watch,
// since: what people do counts more.
func (s *Service) Revert(ctx context.Context, by audit.Actor, w Watch, found, report string) (Entry, error) {
	m := Move{ID: w.Entry, Revision: w.Revision, Version: w.Before}
	event := s.event(by, audit.EntryReverted, m)
	to, err := s.diffToCurrent(ctx, m, &event)
	if err != nil {
		return Entry{}, err
	}
	event.Note = strings.TrimSpace(fmt.Sprintf("On behalf of %s, who chose this when version %d was promoted. %s %s", w.By, w.Version, found, event.Note))
	end := w
	end.End, end.Ended, end.Found, end.Report = WatchReverted, event.Time, found, report
	return s.change(ctx, m, event, func(_ store.Tx, e *Entry) (string, error) {
		failed, hash := e.Current, e.CurrentHash
		e.putInForce(to, 0, event.Time, event.Actor.Name)
		if e.Pending == 0 {
			e.Pending, e.PendingHash = failed, hash
		}
		return "", nil
	}, func(tx store.Tx, _, after Entry) error {
		ended := end
		ended.After = after.Revision
		return endWatch(tx, w, ended)
	})
}

// EndWatch ends w without going back. It returns an errs.Conflict if w has ended
// or is not the entry's watch any more.
func (s *Service) EndWatch(ctx context.Context, by audit.Actor, w Watch, end WatchEnd, found, report string) error {
	ended := w
	ended.End, ended.Ended, ended.Found, ended.Report = end, s.now().UTC(), found, report
	event := audit.Event{Time: ended.Ended, Actor: by, Action: audit.WatchEnded, Target: string(w.Entry), Version: w.Version, Outcome: audit.Done, Note: found}
	err := s.store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(endWatch(tx, w, ended), audit.Append(tx, event))
	})
	if err != nil {
		return fmt.Errorf("ending the watch of %s: %w", w.Entry, err)
	}
	return nil
}

func endWatch(tx store.Tx, w, ended Watch) error {
	now, err := watches.Get(tx, string(w.Entry))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || !now.On() || now.Revision != w.Revision || !now.Since.Equal(w.Since) {
		return errs.Newf(errs.Conflict, "The watch over version %d of %s has ended already.", w.Version, w.Entry)
	}
	return watches.Put(tx, string(w.Entry), ended)
}
