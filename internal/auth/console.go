package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// What somebody can do who has the data file in hand, while nothing serves it: the
// way back when nobody can sign in. It is on record like everything else.

// console is who did it.
var console = audit.Actor{Name: "console"}

// newPassword makes a password of 128 random bits for somebody, who is to change it.
func newPassword() secret.Text { return secret.NewText(strings.ToLower(rand.Text())) }

// ConsoleAdd makes an account, and returns the password that was made for it. It
// returns errs.Field errors for email, role and entries.
func (s *Service) ConsoleAdd(ctx context.Context, email string, g Grant) (secret.Text, error) {
	email = normalEmail(email)
	if err := errors.Join(checkEmail(email), g.Check()); err != nil {
		return secret.Text{}, err
	}
	password := newPassword()
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return secret.Text{}, wrap("hashing a password", err)
	}
	now := s.now()
	a := account{User: User{ID: newID(), Email: email, Grant: g, Created: now, PasswordChanged: now}, Password: hash}
	event := stamp(audit.Event{Action: audit.PersonJoined, Changes: changes(Grant{}, g), Note: "Added on the console."}, console, now, email)
	err = s.store.Update(ctx, func(tx store.Tx) error {
		taken, err := orZero(emails.Get(tx, emailKey(email)))
		if err == nil && taken.ID != "" {
			err = errs.Field("email", "There is an account with this address already.")
		}
		if err != nil {
			return err
		}
		return errors.Join(addAccount(tx, a), audit.Append(tx, event))
	})
	if err != nil {
		return secret.Text{}, wrap("adding an account", err)
	}
	return password, nil
}

// ConsoleDisable is Disable for the account with the address.
func (s *Service) ConsoleDisable(ctx context.Context, email string) error {
	now := s.now()
	err := s.onConsole(ctx, email, func(tx store.Tx, a account) error {
		if !a.Active() {
			return nil
		}
		a.Disabled = now
		return settlePerson(tx, a, stamp(audit.Event{Action: audit.PersonDisabled}, console, now, a.Email))
	})
	return wrap("disabling an account", err)
}

// ConsoleReset lets the account with the address sign in with a new password alone,
// which it returns: app, passkeys, recovery codes and the links to a provider go, a
// disabled account is enabled, and all sessions end.
func (s *Service) ConsoleReset(ctx context.Context, email string) (secret.Text, error) {
	password := newPassword()
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return secret.Text{}, wrap("hashing a password", err)
	}
	now := s.now()
	err = s.onConsole(ctx, email, func(tx store.Tx, a account) error {
		unlinked, err := unlinkAll(tx, a.ID)
		if err != nil {
			return err
		}
		newFactors.Delete(tx, a.ID)
		a.NoPassword, a.Mapped = false, false
		a.Password, a.PasswordChanged, a.Disabled = hash, now, time.Time{}
		event := audit.Event{Action: audit.PasswordChanged, Note: "Reset on the console, without a second factor." + goneWords(a.User)}
		if unlinked > 0 {
			event.Note += " Unlinked from the sign-in provider."
		}
		return settleFactors(tx, a, "", stamp(event, console, now, a.Email), takeAll)
	})
	if err != nil {
		return secret.Text{}, wrap("resetting an account", err)
	}
	return password, nil
}

// onConsole changes the account with the address.
func (s *Service) onConsole(ctx context.Context, email string, change func(store.Tx, account) error) error {
	return s.store.Update(ctx, func(tx store.Tx) error {
		owner, err := emails.Get(tx, emailKey(normalEmail(email)))
		if errors.Is(err, store.ErrNotFound) {
			return errs.New(errs.NotFound, "No account has this address. The command list shows all.")
		}
		if err != nil {
			return err
		}
		a, err := accountByID(tx, owner.ID)
		if err != nil {
			return err
		}
		return change(tx, a)
	})
}
