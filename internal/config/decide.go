package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Ruling asks to approve or to reject the pending version, as it was shown.
type Ruling struct {
	ID       ID
	Revision int64
	Version  int
	Hash     string // content hash of Version
	Comment  string // of the audit log; needed to reject
}

// Approve notes that by approves exactly this content of the pending version, over
// exactly what is in force. It returns an errs.Conflict if the entry is no longer at
// r.Revision, or another version is pending, or the approval is there already; an
// errs.Refused, which is on record, for whoever saved the version or changed the entry
// last; an errs.Invalid if the entry asks for no approval; an errs.NotFound; and an
// errs.Field error on "reason".
func (s *Service) Approve(ctx context.Context, by audit.Actor, r Ruling) (Entry, error) {
	return s.decide(ctx, by, r, audit.EntryApproved)
}

// Reject notes that by is against the pending version. It withdraws an approval,
// whoever gave it. It returns what Approve does, but refuses nobody for having saved
// the version.
func (s *Service) Reject(ctx context.Context, by audit.Actor, r Ruling) (Entry, error) {
	return s.decide(ctx, by, r, audit.EntryRejected)
}

func (s *Service) decide(ctx context.Context, by audit.Actor, r Ruling, action audit.Action) (Entry, error) {
	m := Move{ID: r.ID, Revision: r.Revision, Version: r.Version, Reason: strings.TrimSpace(r.Comment)}
	if err := checkReason(m.Reason); err != nil {
		return Entry{}, err
	}
	if action == audit.EntryRejected && m.Reason == "" {
		return Entry{}, errs.Field("reason", "Say what is wrong with it, for whoever saved it.")
	}
	event := s.event(by, action, m)
	v, err := s.diffToCurrent(ctx, m, &event)
	if err != nil {
		return Entry{}, err
	}
	d := Decision{Approved: action == audit.EntryApproved, Version: r.Version, Hash: r.Hash, ByID: by.ID, By: by.Name, Time: event.Time, Comment: m.Reason}
	e, err := s.touch(ctx, m.ID, m.Revision, event, func(tx store.Tx, e *Entry, event *audit.Event) error {
		if err := s.mayDecide(*e, v, m, d, by); err != nil {
			return err
		}
		if e.Approved() && !d.Approved {
			event.Action, event.Note = audit.ApprovalWithdrawn, strings.TrimSpace(fmt.Sprintf("It had the approval of %s. %s", e.Decision.By, event.Note))
		}
		d := d
		d.Base, d.BaseHash = e.Current, e.CurrentHash
		e.Decision = d
		event.Changes = append([]audit.Change{{Key: "content hash", Before: e.CurrentHash, After: e.PendingHash}}, event.Changes...)
		return remember(tx, e.ID, d)
	})
	return e, s.held(ctx, event, err)
}

// mayDecide refuses a decision that cannot be made.
func (s *Service) mayDecide(e Entry, v Version, m Move, d Decision, by audit.Actor) error {
	if err := e.checkPending(m); err != nil {
		return err
	}
	switch {
	case d.Hash != e.PendingHash:
		return errs.New(errs.Conflict, "The version has another content than the one that you were shown. Look at it again.")
	case !s.RuleOf(e).Person():
		return errs.New(errs.Invalid, "This entry asks for nobody's approval.")
	case d.Approved && e.Approved():
		return errs.Newf(errs.Conflict, "%s has approved this version already.", e.Decision.By)
	case d.Approved:
		return e.mayApprove(v, by)
	}
	return nil
}

// MayApprove returns an errs.Refused for whoever saved the pending version v of e or
// changed the entry last: two people have to have seen what is put in force.
func (e Entry) MayApprove(v Version, by audit.Actor) error { return e.mayApprove(v, by) }

func (e Entry) mayApprove(v Version, by audit.Actor) error {
	switch {
	case samePerson(by, v.AuthorID, v.Author):
		return errs.Wrap(errs.Refused, "You saved this version, so somebody else has to approve it.", errHeld)
	case samePerson(by, e.ChangedByID, e.ChangedBy):
		return errs.Wrap(errs.Refused, "You changed this entry last, so somebody else has to approve the version.", errHeld)
	}
	return nil
}

// samePerson goes by the id, and by the address where a record is from before ids
// were in it.
func samePerson(by audit.Actor, id, name string) bool {
	return by.ID != "" && by.ID == id || strings.EqualFold(by.Name, name)
}

// remember adds a decision to the history of its version.
func remember(tx store.Tx, id ID, d Decision) error {
	r, err := review(tx, id, d.Version)
	if err != nil {
		return err
	}
	r.Decisions = append(r.Decisions, d)
	r.Decisions = r.Decisions[max(0, len(r.Decisions)-maxDecisions):]
	return reviews.Put(tx, versionID(id, d.Version), r)
}

// touch changes what is no content of an entry and no label: its revision rises, and
// who changed it last stays.
func (s *Service) touch(ctx context.Context, id ID, revision int64, event audit.Event, f func(store.Tx, *Entry, *audit.Event) error) (Entry, error) {
	var touched Entry
	err := s.store.Update(ctx, func(tx store.Tx) error {
		e, err := entryAt(tx, id, revision)
		if err != nil {
			return err
		}
		done := event
		if err := f(tx, &e, &done); err != nil {
			return err
		}
		e.Revision, e.TouchedBy = e.Revision+1, event.Actor.Name
		touched = e
		return errors.Join(put(tx, e), audit.Append(tx, done))
	})
	if err != nil {
		return Entry{}, fmt.Errorf("changing %s: %w", id, err)
	}
	return touched, nil
}

// A RuleChange asks for another rule of an entry.
type RuleChange struct {
	ID       ID
	Revision int64
	Rule     Rule // "" to follow the instance
	Reason   string
	Owner    bool // whether it is an owner who asks
}

// SetRule gives the entry another rule. To ask for less than before takes a reason,
// and where a second person had to approve, an owner: else whoever has to be approved
// could lower the rule first. It returns an errs.Conflict, an errs.NotFound, an
// errs.Refused, which is on record, an errs.Invalid if nothing would change, and an
// errs.Field error on "rule" or "reason".
func (s *Service) SetRule(ctx context.Context, by audit.Actor, c RuleChange) (Entry, error) {
	c.Reason = strings.TrimSpace(c.Reason)
	if err := checkReason(c.Reason); err != nil {
		return Entry{}, err
	}
	if c.Rule != "" {
		if _, err := ParseRule(string(c.Rule)); err != nil {
			return Entry{}, errs.Field("rule", "There is no such rule. Choose one of the list.")
		}
	}
	event := s.event(by, audit.RuleChanged, Move{ID: c.ID, Reason: c.Reason})
	e, err := s.touch(ctx, c.ID, c.Revision, event, func(_ store.Tx, e *Entry, event *audit.Event) error {
		before := *e
		e.Rule = c.Rule
		old, now := s.RuleOf(before), s.RuleOf(*e)
		switch {
		case before.Rule == e.Rule:
			return errs.New(errs.Invalid, "This is the rule already, so there is nothing to save.")
		case old.Person() && !now.Person() && !c.Owner:
			return errs.Wrap(errs.Refused, "Only an owner can take the second person out of the rule of an entry. Ask one.", errHeld)
		case old.lowers(now) && c.Reason == "":
			return errs.Field("reason", "The rule asks for less from now on. Say why, for the audit log.")
		}
		event.Changes = []audit.Change{{Key: "approval rule", Before: ruleName(before.Rule), After: ruleName(e.Rule)}}
		if before.Rule == "" || e.Rule == "" {
			event.Note = fmt.Sprintf("The rule of the instance is %s.", s.rule)
		}
		return nil
	})
	return e, s.held(ctx, event, err)
}

// ruleName is a rule in an event.
func ruleName(r Rule) string {
	if r == "" {
		return "as the instance"
	}
	return string(r)
}

// Begin notes the rule of the instance, with an event if it is another one than when
// the program ran last.
func (s *Service) Begin(ctx context.Context, by audit.Actor) error {
	event := audit.Event{Time: s.now().UTC(), Actor: by, Action: audit.InstanceRule, Outcome: audit.Done}
	err := s.store.Update(ctx, func(tx store.Tx) error {
		last, err := standingRule.Get(tx, "")
		if errors.Is(err, store.ErrNotFound) {
			last, err = RuleNone, nil
		}
		if err != nil || last == s.rule {
			return err
		}
		done := event
		done.Changes = []audit.Change{{Key: "approval rule", Before: string(last), After: string(s.rule)}}
		return errors.Join(standingRule.Put(tx, "", s.rule), audit.Append(tx, done))
	})
	if err != nil {
		return fmt.Errorf("noting the rule of approval: %w", err)
	}
	return nil
}
