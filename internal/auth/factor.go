package auth

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// factor is the record of what goes with a person's second factors: an app that
// makes codes, if there is one, and the recovery codes.
type factor struct {
	Sealed   []byte   `json:"sealed,omitempty"`   // the secret that the app shares, sealed under the record's key
	Step     int64    `json:"step,omitempty"`     // of the last code that was accepted: none is good twice
	Recovery []string `json:"recovery,omitempty"` // SHA-256 of the recovery codes that are left
}

// newFactor is the record of an app that is being set up.
type newFactor struct {
	Sealed  []byte    `json:"sealed"`
	Created time.Time `json:"created"`
}

var (
	factors    = store.Table[factor]{Prefix: "auth/factor/"}
	newFactors = store.Table[newFactor]{Prefix: "auth/factor-new/"}
)

// What is sealed here. Tickets wait in a page, not in the store.
var (
	_ = secret.Declare(secret.Kind{Prefix: factors.Prefix, Words: "secrets of second factors", Find: secret.Field("sealed")})
	_ = secret.Declare(secret.Kind{Prefix: newFactors.Prefix, Words: "secrets of second factors being set up", Find: secret.Field("sealed")})
	_ = secret.Declare(secret.Kind{Prefix: ticketKey, Words: "tickets of sign-ins"})
)

const (
	enrolFor      = 15 * time.Minute // how long an app may be set up
	ticketFor     = 5 * time.Minute  // how long a password waits for its code
	recoveryCodes = 10
	ticketKey     = "auth/ticket" // what tickets are sealed for
)

var (
	errWrongCode = errs.Field("code", "This code is not right, or was used already. Codes change every 30 seconds; check the clock of your device.")
	errTicket    = errs.New(errs.Unsigned, "The sign-in took too long. Enter e-mail address and password again.")
	errNoEnrol   = errs.New(errs.Conflict, "The set-up of the app took too long, or was done in another tab. Begin again.")
)

// A CodeNeeded is the error of a sign-in whose password was right and that needs a
// second factor now. Ticket is for SignInWithCode and BeginSecondPasskey, five
// minutes long.
type CodeNeeded struct {
	Ticket       secret.Text
	App, Passkey bool // what the person has
}

func (*CodeNeeded) Error() string { return "a second factor is needed" }

// ticket is what a ticket says, sealed.
type ticket struct {
	UserID  string    `json:"user"`
	Changed time.Time `json:"changed"`           // of the password that was right
	Through bool      `json:"through,omitempty"` // the provider, and not a password, came first
	Proof   time.Time `json:"proof,omitzero"`    // when they had signed in there
	Expires time.Time `json:"expires"`
}

// Enrolment is an app that is being set up: what it is told, as an address and as
// letters to type.
type Enrolment struct{ URI, Key secret.Text }

// BeginFactor makes a new secret for an app of the user, in place of one that was
// not confirmed. The app counts once ConfirmFactor has had a code of it.
func (s *Service) BeginFactor(ctx context.Context, userID, issuer string) (Enrolment, error) {
	a, err := s.account(ctx, userID)
	if err != nil {
		return Enrolment{}, err
	}
	key := random(factorSize)
	sealed, err := s.box.Seal(key, newFactors.Prefix+userID)
	if err != nil {
		return Enrolment{}, wrap("sealing the secret of an app", err)
	}
	rec := newFactor{sealed, s.now()}
	err = s.store.Update(ctx, func(tx store.Tx) error { return newFactors.Put(tx, userID, rec) })
	return enrolment(key, issuer, a.Email), wrap("beginning the set-up of an app", err)
}

func enrolment(key []byte, issuer, email string) Enrolment {
	return Enrolment{URI: secret.NewText(otpauth(key, issuer, email)), Key: secret.NewText(factorBase32.EncodeToString(key))}
}

// Enrolling is what BeginFactor made, for the page that is drawn again. It returns
// an errs.Conflict if there is nothing any more.
func (s *Service) Enrolling(ctx context.Context, userID, issuer string) (Enrolment, error) {
	key, _, err := s.enrolling(ctx, userID)
	if err != nil {
		return Enrolment{}, err
	}
	a, err := s.account(ctx, userID)
	return enrolment(key, issuer, a.Email), err
}

func (s *Service) enrolling(ctx context.Context, userID string) (key, sealed []byte, err error) {
	now := s.now()
	err = s.store.View(ctx, func(r store.Reader) error {
		rec, err := orZero(newFactors.Get(r, userID))
		if err == nil && (rec.Sealed == nil || now.Sub(rec.Created) >= enrolFor) {
			err = errNoEnrol
		}
		sealed = rec.Sealed
		return err
	})
	if err != nil {
		return nil, nil, wrap("reading the set-up of an app", err)
	}
	key, err = s.box.Open(sealed, newFactors.Prefix+userID)
	return key, sealed, wrap("opening the set-up of an app", err)
}

// ConfirmFactor makes the app of BeginFactor the user's second factor once code is
// one of its codes. If it is the first one, of whichever kind, it returns recovery
// codes, which only hashes are kept of. All sessions of the user but keep end. It
// returns an errs.Field for code, or an errs.Conflict.
func (s *Service) ConfirmFactor(ctx context.Context, by audit.Actor, keep, code string) (codes []secret.Text, err error) {
	for range sealedTries {
		if codes, err = s.confirmFactor(ctx, by, keep, code); !errors.Is(err, errSealedAnew) {
			return codes, err
		}
	}
	return nil, errNoEnrol
}

func (s *Service) confirmFactor(ctx context.Context, by audit.Actor, keep, code string) ([]secret.Text, error) {
	key, pending, err := s.enrolling(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	step, ok := stepOf(key, plainCode(code), now)
	if !ok {
		return nil, errWrongCode
	}
	sealed, err := s.box.Seal(key, factors.Prefix+by.ID)
	if err != nil {
		return nil, wrap("sealing the secret of an app", err)
	}
	codes, hashes := newRecovery()
	first := false
	err = s.store.Update(ctx, func(tx store.Tx) error {
		rec, err := orZero(newFactors.Get(tx, by.ID))
		switch {
		case err != nil || rec.Sealed == nil:
			return errors.Join(err, errNoEnrol)
		case !bytes.Equal(rec.Sealed, pending):
			return errSealedAnew
		}
		newFactors.Delete(tx, by.ID)
		return changeFactors(tx, by.ID, keep, stamp(audit.Event{Action: audit.FactorAdded}, by, now, ""), func(f *means) error {
			first = f.addRecovery(hashes)
			f.app, f.Sealed, f.Step = now, sealed, step
			return nil
		})
	})
	if err != nil {
		return nil, wrap("confirming an app", err)
	}
	if !first {
		return nil, nil
	}
	return codes, nil
}

// RemoveFactor takes the app of who does it. Other sessions end. If the person
// needs a second factor and has no other, it returns an errs.Refused.
func (s *Service) RemoveFactor(ctx context.Context, by audit.Actor, keep string, needed bool) error {
	event := stamp(audit.Event{Action: audit.FactorRemoved}, by, s.now(), "")
	err := s.store.Update(ctx, func(tx store.Tx) error {
		return changeFactors(tx, by.ID, keep, event, func(f *means) error {
			if f.app.IsZero() {
				return errs.New(errs.NotFound, "There is no app to remove.")
			}
			f.app, f.Sealed, f.Step = time.Time{}, nil, 0
			return f.suffices(needed)
		})
	})
	return wrap("removing an app", err)
}

// ResetFactor takes app, passkeys and recovery codes of somebody who lost them. by
// reaches the person, as for SetGrant.
func (s *Service) ResetFactor(ctx context.Context, by audit.Actor, userID string) error {
	event := stamp(audit.Event{Action: audit.FactorRemoved}, by, s.now(), "")
	err := s.store.Update(ctx, func(tx store.Tx) error {
		_, them, err := manage(tx, by, userID)
		if err != nil || !them.HasFactor() {
			return err
		}
		e := event
		e.Note = "For somebody else." + goneWords(them.User)
		return changeFactors(tx, userID, "", e, takeAll)
	})
	return wrap("resetting a second factor", err)
}

// NewRecovery makes ten new recovery codes in place of those that are left.
func (s *Service) NewRecovery(ctx context.Context, by audit.Actor) ([]secret.Text, error) {
	codes, hashes := newRecovery()
	event := stamp(audit.Event{Action: audit.RecoveryMade}, by, s.now(), by.Name)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		f, err := factors.Get(tx, by.ID)
		if errors.Is(err, store.ErrNotFound) {
			return errs.New(errs.NotFound, "There is no second factor to recover. Set one up first.")
		}
		if err != nil {
			return err
		}
		f.Recovery = hashes
		return errors.Join(factors.Put(tx, by.ID, f), audit.Append(tx, event))
	})
	if err != nil {
		return nil, wrap("making recovery codes", err)
	}
	return codes, nil
}

// RecoveryLeft is how many recovery codes of the user were not used.
func (s *Service) RecoveryLeft(ctx context.Context, userID string) (n int, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		f, err := orZero(factors.Get(r, userID))
		n = len(f.Recovery)
		return err
	})
	return n, wrap("counting recovery codes", err)
}

// newRecovery makes recovery codes of 80 random bits each, so that a plain SHA-256
// tells nothing of them.
func newRecovery() (codes []secret.Text, hashes []string) {
	for range recoveryCodes {
		text := strings.ToLower(factorBase32.EncodeToString(random(10)))
		codes = append(codes, secret.NewText(text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:]))
		hashes = append(hashes, recoveryHash(text))
	}
	return codes, hashes
}

func recoveryHash(text string) string { return hex.EncodeToString(hashOf("recovery\x00" + text)) }

// plainCode is a code as typed, without what people put between its parts.
func plainCode(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(s)))
}

// sealTicket seals what t says, from now on for a while.
func (s *Service) sealTicket(t ticket, now time.Time) (secret.Text, error) {
	t.Expires = now.Add(ticketFor)
	b, err := json.Marshal(t)
	if err != nil {
		return secret.Text{}, err
	}
	sealed, err := s.box.Seal(b, ticketKey)
	if err != nil {
		return secret.Text{}, err
	}
	return secret.NewText(tokenBase64.EncodeToString(sealed)), nil
}

// openTicket returns what a ticket says and the account that it is for, or an
// errs.Unsigned.
func (s *Service) openTicket(ctx context.Context, t secret.Text) (ticket, account, error) {
	sealed, err := tokenBase64.DecodeString(t.Reveal())
	var b []byte
	if err == nil {
		b, err = s.box.Open(sealed, ticketKey)
	}
	var said ticket
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err != nil || !s.now().Before(said.Expires) {
		return said, account{}, errTicket
	}
	a, err := s.account(ctx, said.UserID)
	if errs.Is(err, errs.NotFound) || err == nil && (!a.Active() || !a.PasswordChanged.Equal(said.Changed)) {
		err = errTicket
	}
	return said, a, err
}

// SignInWithCode ends a sign-in that needed a code: one of the app, or one of the
// recovery codes. It returns an errs.Unsigned for a ticket that is not good any
// more, an errs.TooMany, or an errs.Field for code. Wrong codes are counted apart
// from wrong passwords, in the same way.
func (s *Service) SignInWithCode(ctx context.Context, by audit.Actor, t secret.Text, code string) (Entry, error) {
	said, a, err := s.openTicket(ctx, t)
	if err != nil {
		return Entry{}, err
	}
	if code = plainCode(code); code == "" {
		return Entry{}, errs.Field("code", "Enter the code that the app shows, or a recovery code.")
	}
	now, net := s.now(), Network(by.Addr)
	g := guess{account: a, network: s.mac("known\x00" + net), wrong: errWrongCode, lapse: "Wrong code.",
		failure: audit.Event{Actor: by, Action: audit.SignInFailed, Target: a.Email}}
	if g.keys, err = s.codeKeys(ctx, a.ID, net, g.network); err != nil {
		return Entry{}, fmt.Errorf("reading who signed in from where: %w", err)
	}
	by.ID, by.Name = a.ID, a.Email
	for range sealedTries {
		if err = s.tryCode(ctx, g, codeGuess{code: code, now: now, by: by, through: said.Through}); !errors.Is(err, errSealedAnew) {
			break
		}
	}
	if err != nil {
		return Entry{}, fmt.Errorf("signing in with a code: %w", err)
	}
	if said.Through {
		return Entry{User: a.User, Proof: said.Proof}, nil
	}
	return Entry{User: a.User, Proof: now}, nil
}

// codeKeys are the counts of wrong codes. Whoever has the password could else keep the
// person out: as with passwords, an address from which the person signed in before has
// a count of its own.
func (s *Service) codeKeys(ctx context.Context, userID, net, networkMAC string) (k throttleKeys, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		known, err := orZero(knowns.Get(r, userID))
		account := "code\x00" + userID
		if slices.Contains(known.MACs, networkMAC) {
			account = "code from\x00" + net + "\x00" + userID
		}
		k = throttleKeys{account: s.mac(account), address: s.mac("address\x00" + net)}
		return err
	})
	return k, err
}

// sealedTries is how often something is read anew that was sealed anew, with another
// key or for another app, between reading it and the transaction that counts on it.
const sealedTries = 3

var errSealedAnew = errors.New("it was sealed anew in the meantime")

// tryCode judges a code, and commits what follows from it.
func (s *Service) tryCode(ctx context.Context, g guess, c codeGuess) error {
	f, step, err := s.match(ctx, g.account.ID, c.code, c.now)
	if err != nil {
		return fmt.Errorf("checking a code: %w", err)
	}
	c.step = step
	var answer error
	err = s.store.Update(ctx, func(tx store.Tx) error {
		answer, err = s.settleCode(tx, g, f, c)
		return err
	})
	return errors.Join(err, answer)
}

// A codeGuess is a code that was offered, and the step that it is of; 0 if none.
type codeGuess struct {
	code string
	step int64
	now  time.Time
	by   audit.Actor

	through bool // the provider came first
}

// match opens the user's secret and says which step code is of.
func (s *Service) match(ctx context.Context, userID, code string, now time.Time) (f factor, step int64, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		f, err = orZero(factors.Get(r, userID))
		return err
	})
	if err != nil || f.Sealed == nil {
		return f, 0, err
	}
	key, err := s.box.Open(f.Sealed, factors.Prefix+userID)
	if err != nil {
		return f, 0, err
	}
	step, _ = stepOf(key, code, now)
	return f, step, nil
}

// settleCode commits what follows from a code: none is good twice, also if it is
// offered twice at the same time.
func (s *Service) settleCode(tx store.Tx, g guess, seen factor, c codeGuess) (answer, err error) {
	wait, unrecorded, err := g.keys.waiting(tx, c.now)
	switch {
	case err != nil:
		return nil, err
	case wait > 0:
		return tooMany(wait), g.recordRefused(tx, c.now, unrecorded)
	}
	a, err := accountByID(tx, g.account.ID)
	if err == nil && (!a.Active() || !a.PasswordChanged.Equal(g.account.PasswordChanged)) {
		return errTicket, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := orZero(factors.Get(tx, a.ID))
	if err != nil {
		return nil, err
	}
	note := "With a code of the app."
	hash := recoveryHash(c.code)
	switch {
	case c.step > f.Step && !bytes.Equal(f.Sealed, seen.Sealed):
		return nil, errSealedAnew
	case c.step > f.Step:
		f.Step = c.step
	case slices.Contains(f.Recovery, hash):
		f.Recovery = slices.DeleteFunc(slices.Clone(f.Recovery), func(h string) bool { return h == hash })
		note = fmt.Sprintf("With a recovery code; %d are left.", len(f.Recovery))
	default:
		return g.wrong, g.recordWrong(tx, c.now)
	}
	throttles.Delete(tx, g.keys.account)
	if c.through {
		note = "Through the provider. " + note
	}
	event := stamp(audit.Event{Action: audit.SignIn, Note: note}, c.by, c.now, a.Email)
	return nil, errors.Join(factors.Put(tx, a.ID, f), g.remember(tx), audit.Append(tx, event))
}

// Needed is what a sign-in with the ticket still needs. A ticket that is not good
// any more needs nothing.
func (s *Service) Needed(ctx context.Context, t secret.Text) CodeNeeded {
	_, a, err := s.openTicket(ctx, t)
	if err != nil {
		return CodeNeeded{Ticket: t}
	}
	return s.needed(a, t)
}

func (s *Service) needed(a account, t secret.Text) CodeNeeded {
	return CodeNeeded{Ticket: t, App: !a.App.IsZero(), Passkey: a.Passkeys > 0 && s.party != nil}
}
