package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// A Person is a user as the team sees one.
type Person struct {
	User
	Seen       time.Time  // exact to a minute; zero for who was never signed in
	Identities []Identity // who at a provider signs them in
}

// lastSeen is the record of when a user was here last. It outlives sessions.
type lastSeen struct {
	Time time.Time `json:"time"`
}

var seens = store.Table[lastSeen]{Prefix: "auth/seen/"}

func noteSeen(tx store.Tx, userID string, t time.Time) error {
	return seens.Put(tx, userID, lastSeen{t})
}

// People returns everybody, in the order in which they came.
func (s *Service) People(ctx context.Context) ([]Person, error) {
	users, err := s.Users(ctx)
	if err != nil {
		return nil, err
	}
	people := make([]Person, len(users))
	err = s.store.View(ctx, func(r store.Reader) error {
		for i, u := range users {
			seen, err := orZero(seens.Get(r, u.ID))
			if err != nil {
				return err
			}
			list, err := orZero(identityLists.Get(r, u.ID))
			if err != nil {
				return err
			}
			people[i] = Person{u, seen.Time, list.Links}
		}
		return nil
	})
	return people, wrap("reading when people were seen", err)
}

var (
	errAbove     = errs.New(errs.Refused, "Only somebody with the same role or a higher one, for at least the same entries, can do this.")
	errLastOwner = errs.New(errs.Invalid, "This is the last owner who can sign in with a password, so nothing was changed. Make somebody else an owner first.")
	errNoChange  = errs.New(errs.Refused, "Your role does not allow this any more. An owner can change it.")
)

// SetGrant gives the user another role or other entries, and ends all sessions of
// the user. by is who does it. It returns errs.Field errors for role and entries,
// an errs.Refused if by does not reach so far, an errs.NotFound, or an
// errs.Invalid for the last owner. A grant that the user has already changes
// nothing.
func (s *Service) SetGrant(ctx context.Context, by audit.Actor, userID string, g Grant) error {
	if err := g.Check(); err != nil {
		return err
	}
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		me, a, err := manage(tx, by, userID)
		switch {
		case err != nil || a.Grant == g:
			return err
		case !me.Reaches(g):
			return errAbove
		}
		was := a.Grant
		a.Grant, a.Mapped = g, false
		event := audit.Event{Action: audit.GrantChanged, Changes: changes(was, g)}
		return settlePerson(tx, a, stamp(event, by, now, a.Email))
	})
	return wrap("changing a role", err)
}

// Disable keeps the user from signing in, and ends all sessions of the user. It
// returns what SetGrant does. Somebody who is disabled already stays so.
func (s *Service) Disable(ctx context.Context, by audit.Actor, userID string) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		_, a, err := manage(tx, by, userID)
		if err != nil || !a.Active() {
			return err
		}
		a.Disabled = now
		return settlePerson(tx, a, stamp(audit.Event{Action: audit.PersonDisabled}, by, now, a.Email))
	})
	return wrap("disabling an account", err)
}

// Enable lets a disabled user sign in again, with the password of before.
func (s *Service) Enable(ctx context.Context, by audit.Actor, userID string) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		_, a, err := manage(tx, by, userID)
		if err != nil || a.Active() {
			return err
		}
		a.Disabled = time.Time{}
		return settlePerson(tx, a, stamp(audit.Event{Action: audit.PersonEnabled}, by, now, a.Email))
	})
	return wrap("enabling an account", err)
}

// manage reads who acts and whom it is about, and refuses unless the one may
// change the other as both are now. Somebody with other entries than one's own is
// unknown.
func manage(tx store.Tx, by audit.Actor, userID string) (me, them account, err error) {
	if me, err = manager(tx, by); err != nil {
		return me, them, err
	}
	if them, err = accountByID(tx, userID); err != nil {
		return me, them, err
	}
	if !them.Entries.Within(me.Entries) {
		return me, account{}, errs.New(errs.NotFound, "This account does not exist.")
	}
	if !me.Reaches(them.Grant) {
		return me, them, errAbove
	}
	return me, them, nil
}

// manager reads who acts, and refuses somebody who was disabled or lost the
// permission since the request began.
func manager(tx store.Tx, by audit.Actor) (account, error) {
	me, err := orZero(accounts.Get(tx, by.ID))
	if err == nil && (me.ID == "" || !me.Active() || !me.May(TeamWrite, true)) {
		err = errNoChange
	}
	return me, err
}

// settlePerson writes a changed account with its event, ends its sessions, and
// refuses if no owner would be left.
func settlePerson(tx store.Tx, a account, e audit.Event) error {
	ended, err := EndAll(tx, a.ID, "")
	if err != nil {
		return err
	}
	if ended > 0 {
		e.Note = fmt.Sprintf("Sessions ended: %d.", ended)
	}
	if err := errors.Join(accounts.Put(tx, a.ID, a), audit.Append(tx, e)); err != nil {
		return err
	}
	return ownerRemains(tx)
}

// ownerRemains refuses a transaction after which nobody could give rights back. An
// owner without a password does not count: a provider may be switched off.
func ownerRemains(tx store.Tx) error {
	set, err := allUsers(tx)
	if err != nil {
		return err
	}
	for _, id := range set.IDs {
		a, err := accounts.Get(tx, id)
		if err != nil {
			return fmt.Errorf("user %q: %w", id, err)
		}
		if a.Role == Owner && a.Active() && !a.NoPassword {
			return nil
		}
	}
	return errLastOwner
}

func stamp(e audit.Event, by audit.Actor, now time.Time, target string) audit.Event {
	e.Time, e.Actor, e.Target, e.Outcome = now, by, target, audit.Done
	return e
}

// changes is a grant before and after, for the log.
func changes(was, is Grant) (out []audit.Change) {
	if was.Role != is.Role {
		out = append(out, audit.Change{Key: "role", Before: string(was.Role), After: string(is.Role)})
	}
	if was.Entries != is.Entries {
		out = append(out, audit.Change{Key: "entries", Before: was.Entries.Words(), After: is.Entries.Words()})
	}
	return out
}

// Words is the pattern as people read it.
func (p Pattern) Words() string {
	if p.All() {
		return "all"
	}
	return string(p)
}

// StillMay refuses, in the caller's transaction, somebody who was disabled or lost
// the permission since the request began.
func StillMay(tx store.Tx, by audit.Actor, p Permission) error {
	me, err := orZero(accounts.Get(tx, by.ID))
	if err == nil && (me.ID == "" || !me.Active() || !me.May(p, true)) {
		err = errNoChange
	}
	return err
}

// Losing returns who would have no way in without the provider: who signs in
// through it, may sign in, and has no password.
func (s *Service) Losing(ctx context.Context) (out []User, err error) {
	all, err := s.Users(ctx)
	for _, u := range all {
		if u.Active() && u.NoPassword {
			out = append(out, u)
		}
	}
	return out, err
}
