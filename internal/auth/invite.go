package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// inviteFor is how long the link of an invitation is good.
const inviteFor = 24 * time.Hour

// An Invitation waits for somebody to come and choose a password.
type Invitation struct {
	Email string `json:"email"`
	Grant
	By      string    `json:"by"` // id of who invited
	ByName  string    `json:"byName"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// invitedAs is the record of an address that has an invitation.
type invitedAs struct {
	Key string `json:"key"`
}

// The key of an invitation is the hash of its token: 256 random bits, so that the
// hash tells nothing.
var (
	invitations = store.Table[Invitation]{Prefix: "auth/invite/"}
	invitees    = store.Table[invitedAs]{Prefix: "auth/invited/"}
)

var errBadInvite = errs.New(errs.NotFound, "This invitation is not valid, or no longer. Its link is good for a day and for one use. Ask whoever invited you for another one.")

func inviteKey(token secret.Text) string { return hex.EncodeToString(hashOf(token.Reveal())) }

// Invite makes a one-time link's token for somebody new, in place of any earlier
// one for the address; only its hash is kept. It returns errs.Field errors for
// email, role and entries, or an errs.Refused if by does not reach so far.
func (s *Service) Invite(ctx context.Context, by audit.Actor, email string, g Grant) (secret.Text, error) {
	email = normalEmail(email)
	if err := errors.Join(checkEmail(email), g.Check()); err != nil {
		return secret.Text{}, err
	}
	token := secret.NewText(newToken())
	key, now := inviteKey(token), s.now()
	inv := Invitation{Email: email, Grant: g, By: by.ID, ByName: by.Name, Created: now, Expires: now.Add(inviteFor)}
	event := stamp(audit.Event{Action: audit.PersonInvited, Changes: changes(Grant{}, g)}, by, now, email)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		me, err := manager(tx, by)
		if err != nil {
			return err
		}
		if !me.Reaches(g) {
			return errAbove
		}
		if taken, err := orZero(emails.Get(tx, emailKey(email))); err != nil {
			return err
		} else if taken.ID != "" {
			return errs.Field("email", "There is an account with this address already.")
		}
		if _, err := dropInvitation(tx, email, me.Grant); err != nil {
			return err
		}
		return errors.Join(invitations.Put(tx, key, inv), invitees.Put(tx, emailKey(email), invitedAs{key}), audit.Append(tx, event))
	})
	if err != nil {
		return secret.Text{}, wrap("inviting somebody", err)
	}
	return token, nil
}

// dropInvitation takes back the invitation that an address has, if it has one
// that who has reach could have made.
func dropInvitation(tx store.Tx, email string, reach Grant) (there bool, err error) {
	old, err := orZero(invitees.Get(tx, emailKey(email)))
	if err != nil || old.Key == "" {
		return false, err
	}
	inv, err := orZero(invitations.Get(tx, old.Key))
	if err != nil {
		return false, err
	}
	if inv.Email != "" && !reach.Reaches(inv.Grant) {
		return true, errAbove
	}
	invitations.Delete(tx, old.Key)
	invitees.Delete(tx, emailKey(email))
	return true, nil
}

// Withdraw ends the invitation that the address has. It returns an errs.NotFound
// if there is none any more.
func (s *Service) Withdraw(ctx context.Context, by audit.Actor, email string) error {
	email = normalEmail(email)
	event := stamp(audit.Event{Action: audit.InviteWithdrew}, by, s.now(), email)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		me, err := manager(tx, by)
		if err != nil {
			return err
		}
		there, err := dropInvitation(tx, email, me.Grant)
		if err == nil && !there {
			err = errs.New(errs.NotFound, "This address has no open invitation. It may have been used just now.")
		}
		if err != nil {
			return err
		}
		return audit.Append(tx, event)
	})
	return wrap("withdrawing an invitation", err)
}

// Invitations returns those that are good now, in the order of their keys.
func (s *Service) Invitations(ctx context.Context) (out []Invitation, err error) {
	now := s.now()
	err = s.store.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: invitations.Prefix})
		if err != nil {
			return err
		}
		for _, it := range items {
			inv, err := invitations.Get(r, strings.TrimPrefix(it.Key, invitations.Prefix))
			if err != nil {
				return err
			}
			if inv.check(r, now) == nil {
				out = append(out, inv)
			}
		}
		return nil
	})
	return out, wrap("listing the invitations", err)
}

// check refuses an invitation that has expired, or whose maker could not make it
// any more: who is disabled must not come back by a link of before.
func (inv Invitation) check(r getter, now time.Time) error {
	if !now.Before(inv.Expires) {
		return errBadInvite
	}
	maker, err := orZero(accounts.Get(r, inv.By))
	if err == nil && (maker.ID == "" || !maker.Active() || !maker.May(TeamWrite, true) || !maker.Reaches(inv.Grant)) {
		err = errBadInvite
	}
	return err
}

// CheckInvitation returns the invitation that token opens, or an errs.NotFound.
func (s *Service) CheckInvitation(ctx context.Context, token secret.Text) (inv Invitation, err error) {
	now := s.now()
	err = s.store.View(ctx, func(r store.Reader) error {
		inv, err = invitation(r, token, now)
		return err
	})
	return inv, wrap("checking an invitation", err)
}

func invitation(r getter, token secret.Text, now time.Time) (Invitation, error) {
	inv, err := invitations.Get(r, inviteKey(token))
	if errors.Is(err, store.ErrNotFound) {
		return Invitation{}, errBadInvite
	}
	if err == nil {
		err = inv.check(r, now)
	}
	if err != nil {
		return Invitation{}, err
	}
	return inv, nil
}

// NewPerson is what the page of an invitation asks for.
type NewPerson struct {
	Token           secret.Text
	Name            string // may be empty
	Password, Again secret.Text
}

// Join makes the account of who was invited, and uses up the invitation. by says
// from where. It returns an errs.NotFound as CheckInvitation does, or errs.Field
// errors for name, password and password2.
func (s *Service) Join(ctx context.Context, by audit.Actor, n NewPerson) (User, error) {
	inv, err := s.CheckInvitation(ctx, n.Token) // before the work of hashing
	if err != nil {
		return User{}, err
	}
	n.Name = strings.TrimSpace(n.Name)
	if err := errors.Join(checkName(n.Name), checkNewPassword(inv.Email, n.Password, n.Again)); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, n.Password)
	if err != nil {
		return User{}, fmt.Errorf("hashing a first password: %w", err)
	}
	now, id := s.now(), newID()
	var a account
	err = s.store.Update(ctx, func(tx store.Tx) error {
		inv, err := invitation(tx, n.Token, now)
		if err != nil {
			return err
		}
		if p, err := orZero(localPolicies.Get(tx, "")); err != nil || p.OwnersOnly && inv.Role != Owner {
			return errors.Join(err, errOwnersOnly)
		}
		a = account{User: User{ID: id, Email: inv.Email, Name: n.Name, Grant: inv.Grant, Created: now, PasswordChanged: now}, Password: hash}
		invitations.Delete(tx, inviteKey(n.Token))
		invitees.Delete(tx, emailKey(inv.Email))
		who := by
		who.ID, who.Name = a.ID, a.Email
		event := stamp(audit.Event{Action: audit.PersonJoined, Changes: changes(Grant{}, a.Grant), Note: "Invited by " + inv.ByName + "."}, who, now, a.Email)
		return errors.Join(addAccount(tx, a), audit.Append(tx, event))
	})
	if err != nil {
		return User{}, wrap("accepting an invitation", err)
	}
	return a.User, nil
}

var errOwnersOnly = errs.New(errs.Refused, "Only owners sign in with a password here. Open the link of your invitation again, and choose to sign in through the provider.")

const maxName = 100 // characters

func checkName(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errs.Field("name", "A name is one line of text.")
	case utf8.RuneCountInString(s) > maxName:
		return errs.Field("name", fmt.Sprintf("A name has at most %d characters.", maxName))
	}
	return nil
}

// sweepInvitations deletes those that have expired.
func (s *Service) sweepInvitations(ctx context.Context) error {
	now := s.now()
	return sweeper[Invitation]{
		store: s.store,
		table: invitations,
		gone:  func(inv Invitation) bool { return !now.Before(inv.Expires) },
		drop: func(tx store.Tx, key string, inv Invitation) error {
			invitations.Delete(tx, key)
			latest, err := orZero(invitees.Get(tx, emailKey(inv.Email)))
			if err == nil && latest.Key == key {
				invitees.Delete(tx, emailKey(inv.Email))
			}
			return err
		},
	}.sweep(ctx)
}
