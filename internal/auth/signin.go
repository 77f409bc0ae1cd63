package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// errWrong has the same words for an unknown account and for a wrong password.
var errWrong = errs.New(errs.Invalid, "E-mail address or password is wrong.")

// A guess is one password offered for one account.
type guess struct {
	account  account // the zero one if there is none
	keys     throttleKeys
	network  string // MAC of where it came from
	password secret.Text
	failure  audit.Event // what is recorded if it is wrong; settle adds time and outcome
	wrong    error       // what the person is told then
	lapse    string      // what is recorded of it; "" for a wrong password
	always   bool        // the password counts also where only those of owners do
	door     bool        // it is for a sign-in, and not by who is signed in
}

// knownNetworks is the record of where a user has signed in from, oldest first.
type knownNetworks struct {
	MACs []string `json:"macs"`
}

// maxKnown is how many networks are remembered for a user.
const maxKnown = 8

var knowns = store.Table[knownNetworks]{Prefix: "auth/known/"}

// SignIn returns the user whom e-mail address and password name. by says from
// where; nobody is signed in yet. It returns an errs.TooMany while the account or
// the address has to wait, errs.Field errors for what is empty, and otherwise an
// errs.Invalid whose words do not tell what was wrong. Of somebody with a second
// factor the error is a *CodeNeeded, for SignInWithCode. The caller then makes a
// session with SessionStore.Renew.
func (s *Service) SignIn(ctx context.Context, by audit.Actor, email string, password secret.Text) (User, error) {
	email = normalEmail(email)
	if err := required(email, password); err != nil {
		return User{}, err
	}
	a, err := s.find(ctx, email)
	if err != nil {
		return User{}, fmt.Errorf("looking for an account: %w", err)
	}
	failure := audit.Event{Actor: by, Action: audit.SignInFailed, Target: a.Email}
	g := guess{account: a, password: password, failure: failure, wrong: errWrong, door: true}
	right, stale, err := s.evaluate(ctx, &g, email)
	if err != nil {
		return User{}, fmt.Errorf("signing in: %w", err)
	}
	fresh, note := "", ""
	if right && stale {
		if fresh, err = s.hasher.hash(ctx, password); err != nil {
			return User{}, fmt.Errorf("renewing a password hash: %w", err)
		}
		note = "The password hash was renewed at today's cost."
	}
	now := s.now()
	ticket, err := s.sealTicket(ticket{UserID: a.ID, Changed: a.PasswordChanged}, now)
	if err != nil {
		return User{}, fmt.Errorf("making a ticket: %w", err)
	}
	by.ID, by.Name = a.ID, a.Email
	half, asks := false, CodeNeeded{}
	err = s.settle(ctx, g, right, now, func(tx store.Tx, a account) error {
		if fresh != "" {
			a.Password = fresh
		}
		if half = a.HasFactor(); half { // signed in is who has the second factor too
			asks = s.needed(a, ticket)
			return accounts.Put(tx, a.ID, a)
		}
		return errors.Join(accounts.Put(tx, a.ID, a), g.remember(tx), audit.Append(tx, audit.Event{
			Time: now, Actor: by, Action: audit.SignIn, Target: a.Email, Outcome: audit.Done, Note: note,
		}))
	})
	if err != nil {
		return User{}, fmt.Errorf("signing in: %w", err)
	}
	if half {
		return User{}, &asks
	}
	return a.User, nil
}

func required(email string, password secret.Text) error {
	var noEmail, noPassword error
	if email == "" {
		noEmail = errs.Field("email", "Enter your e-mail address.")
	}
	if password.IsZero() {
		noPassword = errs.Field("password", "Enter your password.")
	}
	return errors.Join(noEmail, noPassword)
}

// CheckPassword returns nil if password is the one of the user, as a
// confirmation by somebody who is signed in, which is on record. A wrong one counts
// and is recorded as at sign-in, and gives an errs.Field for password, or an
// errs.TooMany.
func (s *Service) CheckPassword(ctx context.Context, by audit.Actor, userID string, password secret.Text) error {
	a, err := s.account(ctx, userID)
	if err != nil {
		return err
	}
	if password.IsZero() {
		return errs.Field("password", "Enter your password.")
	}
	failure := audit.Event{Actor: by, Action: audit.SignInFailed, Target: a.Email, Note: whileConfirming}
	g := guess{account: a, password: password, failure: failure, wrong: errs.Field("password", "This is not your password.")}
	right, _, err := s.evaluate(ctx, &g, a.Email)
	if err != nil {
		return fmt.Errorf("checking a password: %w", err)
	}
	now := s.now()
	err = s.settle(ctx, g, right, now, func(tx store.Tx, a account) error {
		return audit.Append(tx, stamp(audit.Event{Action: audit.Confirmed, Note: "With the password."}, by, now, a.Email))
	})
	return wrap("checking a password", err)
}

const whileConfirming = "While confirming an action."

// PasswordChange is what a person gives to get another password. Session is the
// one that goes on; all others end.
type PasswordChange struct {
	UserID, Session          string
	Current, Password, Again secret.Text
}

// ChangePassword gives the user another password and ends the user's other
// sessions. It returns errs.Field errors for current, password and password2, an
// errs.TooMany, or an errs.Conflict if the password was changed meanwhile.
// Sessions that SessionStore.Renew makes for a User read before are refused.
func (s *Service) ChangePassword(ctx context.Context, by audit.Actor, c PasswordChange) error {
	a, err := s.account(ctx, c.UserID)
	if err != nil {
		return err
	}
	if err := c.check(a.Email); err != nil {
		return err
	}
	event := audit.Event{Actor: by, Action: audit.PasswordChanged, Target: a.Email}
	g := guess{account: a, password: c.Current, failure: event, wrong: errs.Field("current", "This is not your password.")}
	right, _, err := s.evaluate(ctx, &g, a.Email)
	if err != nil {
		return fmt.Errorf("checking the current password: %w", err)
	}
	var hash string
	if right {
		if hash, err = s.hasher.hash(ctx, c.Password); err != nil {
			return fmt.Errorf("hashing the new password: %w", err)
		}
	}
	now := s.now()
	err = s.settle(ctx, g, right, now, func(tx store.Tx, a account) error {
		a.Password, a.PasswordChanged = hash, now
		ended, err := EndAll(tx, a.ID, c.Session)
		done := event
		done.Time, done.Outcome, done.Note = now, audit.Done, fmt.Sprintf("Other sessions ended: %d.", ended)
		return errors.Join(err, accounts.Put(tx, a.ID, a), audit.Append(tx, done))
	})
	return wrap("changing a password", err)
}

func (c PasswordChange) check(email string) error {
	var noCurrent error
	bad := checkNewPassword(email, c.Password, c.Again)
	if c.Current.IsZero() {
		noCurrent = errs.Field("current", "Enter the password that you have now.")
	} else if bad == nil && normalPassword(c.Current).Reveal() == normalPassword(c.Password).Reveal() {
		bad = errs.Field("password", "This is the password that you have now. Choose another one.")
	}
	return errors.Join(noCurrent, bad)
}

// find returns the account with the address, or the zero one.
func (s *Service) find(ctx context.Context, email string) (a account, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		owner, err := emails.Get(r, emailKey(email))
		if err == nil {
			a, err = accounts.Get(r, owner.ID)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return a, err
}

// evaluate says whether g's password is right and its hash stale, unless the
// account or the address has to wait: then it returns an errs.TooMany without
// looking at the password. It fills g's keys. email is the address as typed.
func (s *Service) evaluate(ctx context.Context, g *guess, email string) (right, stale bool, err error) {
	now, net := s.now(), Network(g.failure.Actor.Addr)
	g.network = s.mac("known\x00" + net)
	var wait time.Duration
	var unrecorded bool
	err = s.store.View(ctx, func(r store.Reader) error {
		known, err := orZero(knowns.Get(r, g.account.ID))
		if err != nil {
			return err
		}
		g.keys = s.throttleKeys(email, net, slices.Contains(known.MACs, g.network))
		wait, unrecorded, err = g.keys.waiting(r, now)
		return err
	})
	switch {
	case err != nil:
		return false, false, err
	case wait > 0 && unrecorded:
		return false, false, s.refuse(ctx, *g, wait, now)
	case wait > 0:
		return false, false, tooMany(wait)
	}
	return s.hasher.verify(ctx, g.account.Password, g.password)
}

// refuse records that g was not evaluated, and says how long to wait.
func (s *Service) refuse(ctx context.Context, g guess, wait time.Duration, now time.Time) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		_, unrecorded, err := g.keys.waiting(tx, now)
		if err != nil {
			return err
		}
		return g.recordRefused(tx, now, unrecorded)
	})
	if err != nil {
		return err
	}
	return tooMany(wait)
}

// settle commits what follows from a guess, in one transaction. Guesses made at
// the same time are all evaluated before the first is counted; so the wait is
// looked at again here, and if there is one by now, nobody learns whether the
// guess was right. ifRight gets the account as it is in the transaction.
func (s *Service) settle(ctx context.Context, g guess, right bool, now time.Time, ifRight func(store.Tx, account) error) error {
	var answer error
	err := s.store.Update(ctx, func(tx store.Tx) error {
		answer = nil
		wait, unrecorded, err := g.keys.waiting(tx, now)
		switch {
		case err != nil:
			return err
		case wait > 0:
			answer = tooMany(wait)
			return g.recordRefused(tx, now, unrecorded)
		case !right:
			answer = g.wrong
			return g.recordWrong(tx, now)
		}
		a, err := accountByID(tx, g.account.ID)
		if err != nil {
			return err
		}
		if !a.Active() { // whoever knows the password learns no more than who does not
			answer = g.wrong
			return g.recordWrong(tx, now)
		}
		if counts, err := passwordCounts(tx, a); err != nil || !counts && !g.always {
			answer, g.lapse = g.wrong, "Right, but only owners sign in with a password."
			return errors.Join(err, g.recordWrong(tx, now))
		}
		if grouped, err := byGroup(tx, a); err != nil || grouped && g.door {
			answer, g.lapse = g.wrong, "Right, but the role is from a group, so the provider signs in."
			return errors.Join(err, g.recordWrong(tx, now))
		}
		if a.Password != g.account.Password {
			return errs.New(errs.Conflict, "The password of this account was changed a moment ago. Use the new one.")
		}
		throttles.Delete(tx, g.keys.account)
		return ifRight(tx, a)
	})
	if err != nil {
		return err
	}
	return answer
}

// recordWrong counts the guess and appends its event.
func (g guess) recordWrong(tx store.Tx, now time.Time) error {
	wait, err := g.keys.punish(tx, now)
	if err != nil {
		return err
	}
	what := "Wrong password."
	switch {
	case g.lapse != "":
		what = g.lapse
	case g.account.ID == "":
		what = "No account has the address."
	case !g.account.Active():
		what = "The account is disabled."
	}
	if wait > 0 {
		what += " The next attempt has to wait " + inWords(wait) + "."
	}
	return audit.Append(tx, g.event(now, audit.Failed, what))
}

// recordRefused appends the event of an attempt that was not evaluated, once a wait.
func (g guess) recordRefused(tx store.Tx, now time.Time, unrecorded bool) error {
	if !unrecorded {
		return nil
	}
	return errors.Join(g.keys.markRefused(tx, now), audit.Append(tx, g.event(now, audit.Refused,
		"Not evaluated: after wrong attempts it has to wait. Further attempts in this wait are not recorded.")))
}

func (g guess) event(now time.Time, o audit.Outcome, what string) audit.Event {
	e := g.failure
	e.Time, e.Outcome = now, o
	if e.Note != "" {
		what += " " + e.Note
	}
	e.Note = what
	return e
}

// remember keeps the network as one from which the account has signed in.
func (g guess) remember(tx store.Tx) error {
	known, err := orZero(knowns.Get(tx, g.account.ID))
	if err != nil || slices.Contains(known.MACs, g.network) {
		return err
	}
	known.MACs = append(known.MACs, g.network)
	if over := len(known.MACs) - maxKnown; over > 0 {
		known.MACs = known.MACs[over:]
	}
	return knowns.Put(tx, g.account.ID, known)
}
