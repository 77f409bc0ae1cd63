package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// setupToken is the record of the one-time set-up link. The token is 256 random
// bits, so a plain SHA-256 of it tells nothing.
type setupToken struct {
	Hash    []byte    `json:"hash"`
	Created time.Time `json:"created"`
}

var setupTokens = store.Table[setupToken]{Prefix: "auth/setup"}

var (
	errSetUp    = errs.New(errs.NotFound, "BackOffice is set up already. Sign in instead.")
	errBadToken = errs.New(errs.NotFound, "This set-up link is not valid, or no longer. Start BackOffice again: it prints a new one.")
)

// SetupToken makes a fresh token for the set-up link, which replaces any earlier
// one; only its hash is kept. Once there is a user it makes none, and needed is
// false.
func (s *Service) SetupToken(ctx context.Context) (token secret.Text, needed bool, err error) {
	text := base64.RawURLEncoding.EncodeToString(random(32))
	record := setupToken{Hash: hashOf(text), Created: s.now()}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		set, err := allUsers(tx)
		if needed = err == nil && len(set.IDs) == 0; !needed {
			return err
		}
		return setupTokens.Put(tx, "", record)
	})
	if err != nil || !needed {
		return secret.Text{}, false, wrap("making a set-up token", err)
	}
	return secret.NewText(text), true, nil
}

// CheckSetup returns nil if token opens the set-up, and an errs.NotFound if it
// does not or if there is a user already.
func (s *Service) CheckSetup(ctx context.Context, token secret.Text) error {
	err := s.store.View(ctx, func(r store.Reader) error { return checkSetup(r, token) })
	return wrap("checking the set-up token", err)
}

func checkSetup(r getter, token secret.Text) error {
	set, err := allUsers(r)
	if err != nil {
		return err
	}
	if len(set.IDs) > 0 {
		return errSetUp
	}
	stored, err := setupTokens.Get(r, "")
	if errors.Is(err, store.ErrNotFound) {
		return errBadToken
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(stored.Hash, hashOf(token.Reveal())) != 1 {
		return errBadToken
	}
	return nil
}

// NewAdmin is what the set-up page asks for.
type NewAdmin struct {
	Token           secret.Text
	Email           string
	Password, Again secret.Text
}

// Setup makes the first user, an owner, and uses up the token. by says from
// where; its person is the new user. It returns an errs.NotFound as CheckSetup
// does, or errs.Field errors for email, password and password2.
func (s *Service) Setup(ctx context.Context, by audit.Actor, n NewAdmin) (User, error) {
	if err := s.CheckSetup(ctx, n.Token); err != nil { // before the work of hashing
		return User{}, err
	}
	email := normalEmail(n.Email)
	if err := errors.Join(checkEmail(email), checkNewPassword(email, n.Password, n.Again)); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, n.Password)
	if err != nil {
		return User{}, fmt.Errorf("hashing the first password: %w", err)
	}
	now := s.now()
	a := account{User: User{ID: newID(), Email: email, Grant: Grant{Role: Owner}, Created: now, PasswordChanged: now}, Password: hash}
	by.ID, by.Name = a.ID, a.Email
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if err := checkSetup(tx, n.Token); err != nil {
			return err
		}
		setupTokens.Delete(tx, "")
		return errors.Join(addAccount(tx, a), audit.Append(tx, audit.Event{
			Time: now, Actor: by, Action: audit.Setup, Target: a.Email, Outcome: audit.Done, Note: "As " + string(a.Role) + ".",
		}))
	})
	if err != nil {
		return User{}, wrap("setting up the first admin", err)
	}
	return a.User, nil
}

// addAccount writes a new user with all that finds it.
func addAccount(tx store.Tx, a account) error {
	set, err := allUsers(tx)
	if err != nil {
		return err
	}
	set.IDs = append(set.IDs, a.ID)
	return errors.Join(userSets.Put(tx, "", set), accounts.Put(tx, a.ID, a), emails.Put(tx, emailKey(a.Email), emailOwner{a.ID}))
}

// newID returns a fresh id of a user: at least 128 random bits.
func newID() string { return strings.ToLower(rand.Text()) }

func hashOf(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// wrap is fmt.Errorf("doing: %w", err), and nil for nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
