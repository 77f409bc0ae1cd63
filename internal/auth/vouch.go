package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Source says where the grant of a Vouched is from.
type Source string

// The sources.
const (
	FromNowhere Source = ""        // no group of theirs has a role here, and nobody gets one by default
	FromGroup   Source = "group"   // the role follows the groups, at every sign-in
	FromDefault Source = "default" // what whoever is new gets
)

// A Vouched is somebody whom an OpenID provider has signed in, as a verified token
// says. Nothing in it is a secret.
type Vouched struct {
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Email    string    `json:"email"`    // normalised; "" if the provider told none
	Verified bool      `json:"verified"` // the provider says that the address is theirs
	Domain   bool      `json:"domain"`   // the address is of a domain that may sign in
	Name     string    `json:"name"`
	Grant    Grant     `json:"grant"`
	Source   Source    `json:"source"`
	Factor   bool      `json:"factor"` // a second factor was given there, and that is believed
	Proof    time.Time `json:"proof"`  // when they signed in there last; zero if it does not tell
	Invite   string    `json:"invite"` // key of the invitation whose link they opened; "" for none
}

// where is the provider as the log and pages name it.
func (v Vouched) where() string {
	if u, err := url.Parse(v.Issuer); err == nil && u.Host != "" {
		return u.Host
	}
	return v.Issuer
}

func (v Vouched) identity(now time.Time) Identity {
	return Identity{Issuer: v.Issuer, Subject: v.Subject, Email: v.Email, Since: now, Last: now}
}

// An Entry is what a sign-in ends with: whose session is to begin, and what was
// proven on the way to it.
type Entry struct {
	User   User
	Proof  time.Time // when the person proved who they are; zero if that is not known
	Factor bool      // a second factor was given at the provider
}

// A PasswordNeeded is the error of a sign-in through the provider that would link
// an owner's or admin's account: its own password is needed once. Ticket is for
// LinkWithPassword, five minutes long.
type PasswordNeeded struct {
	Ticket secret.Text
	Email  string // of the account
}

func (*PasswordNeeded) Error() string { return "the account's own password is needed" }

// InviteKey is what a Vouched names the invitation of a link by.
func InviteKey(token secret.Text) string { return inviteKey(token) }

// A lapse is why somebody is not signed in: for the log, and for the person.
type lapse struct{ note, words string }

// A meeting is what a Vouched means for the accounts as they are.
type meeting struct {
	account   account // the zero one for somebody new
	linked    bool
	confirm   bool       // the account's password is needed before it is linked
	invited   Invitation // of somebody new; the zero one for none
	inviteKey string
	out       lapse // why not; the zero one for no reason
	end       bool  // the account's sessions end with that
}

// meet says what v means. It only reads.
func meet(r getter, v Vouched, now time.Time) (m meeting, err error) {
	owner, err := orZero(identities.Get(r, identityKey(v.Issuer, v.Subject)))
	if err != nil {
		return m, err
	}
	if owner.User != "" {
		m.linked = true
		m.account, err = accountByID(r, owner.User)
		if err == nil {
			m.knows(v)
		}
		return m, err
	}
	switch {
	case v.Email == "":
		m.out = lapse{"The provider told no e-mail address.", "Your sign-in provider did not tell your e-mail address, so it is not known who you are here. Ask whoever runs the provider, or an owner of this instance."}
		return m, nil
	case !v.Verified:
		m.out = lapse{"The provider does not say that the e-mail address is verified.", "Your sign-in provider does not say that your e-mail address is verified. Have it verified there, then try again."}
		return m, nil
	case !v.Domain:
		m.out = lapse{"The domain of the e-mail address is not among the allowed ones.", "Addresses of your domain may not sign in here. Choose another account at the provider, or ask an owner of this instance."}
		return m, nil
	}
	holder, err := orZero(emails.Get(r, emailKey(v.Email)))
	if err != nil {
		return m, err
	}
	if holder.ID == "" {
		return m, m.fresh(r, v, now)
	}
	if m.account, err = accountByID(r, holder.ID); err != nil {
		return m, err
	}
	list, err := orZero(identityLists.Get(r, holder.ID))
	if _, taken := list.of(v.Issuer); taken {
		m.out = lapse{"The account is linked to somebody else at the provider.", "Your address belongs to an account that is linked to somebody else at the provider. If the account there was made anew, somebody who manages people here can unlink it on Team."}
		return m, err
	}
	m.confirm = m.account.May(ConfigReveal, true) && !m.account.NoPassword
	m.knows(v)
	return m, err
}

// knows looks at an account that exists.
func (m *meeting) knows(v Vouched) {
	switch a := m.account; {
	case !a.Active():
		m.out = lapse{"The account is disabled.", "This account cannot sign in. Somebody who manages people here can tell why."}
	case a.Mapped && v.Source != FromGroup && a.Role != Owner:
		m.out, m.end = lapse{"The role came from a group, and no group of theirs has a role here any more.", errNoGroup}, true
	}
}

const errNoGroup = "None of your groups at the provider has a role here. Ask whoever manages the groups, or an owner of this instance for an invitation."

// fresh looks at somebody who has no account: there is an invitation, or a role.
func (m *meeting) fresh(r getter, v Vouched, now time.Time) error {
	as, err := orZero(invitees.Get(r, emailKey(v.Email)))
	if err != nil {
		return err
	}
	if v.Invite != "" && v.Invite != as.Key {
		m.out = lapse{"The invitation is for another address.", "The invitation is for another address than the one that your provider tells. Choose the other account there, or ask for another invitation."}
		return nil
	}
	if as.Key != "" {
		inv, err := orZero(invitations.Get(r, as.Key))
		if err != nil {
			return err
		}
		if inv.Email != "" && inv.check(r, now) == nil {
			m.invited, m.inviteKey = inv, as.Key
		}
	}
	switch {
	case m.invited.Email != "" && m.invited.May(ConfigReveal, true) && v.Invite == "":
		m.out = lapse{"The invitation of an owner or admin is accepted by its link.", "You are invited. Open the link of your invitation, and choose there to sign in through the provider."}
	case m.invited.Email == "" && v.Source == FromNowhere:
		m.out = lapse{"No account, no invitation, and no group with a role here.", errNoGroup}
	}
	return nil
}

// grant is what an account of somebody new may do.
func (m meeting) grant(v Vouched) Grant {
	if m.invited.Email != "" && v.Source != FromGroup {
		return m.invited.Grant
	}
	return v.Grant
}

// SignInVouched returns who is to have a session. It links an account at the
// provider to the account here that has its verified address, or makes an account
// for who is invited or has a role by the setting; from then on issuer and subject
// alone are the identity. A role that comes from a group is brought up to date, but
// an owner's. The error is a *PasswordNeeded before an owner's or admin's account
// is linked, a *CodeNeeded where the own second factor is asked for, and an
// errs.Refused with what to do. Every refusal is on record.
func (s *Service) SignInVouched(ctx context.Context, by audit.Actor, v Vouched) (Entry, error) {
	now, id := s.now(), newID()
	var seen meeting
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		seen, err = meet(r, v, now)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("signing in through the provider: %w", err)
	}
	code, err := s.sealTicket(ticket{UserID: seen.account.ID, Changed: seen.account.PasswordChanged, Through: true, Proof: v.Proof}, now)
	if err != nil {
		return Entry{}, fmt.Errorf("making a ticket: %w", err)
	}
	confirm, err := s.sealLink(linkTicket{UserID: seen.account.ID, Vouched: v}, now)
	if err != nil {
		return Entry{}, fmt.Errorf("making a ticket: %w", err)
	}
	var answer error
	var a account
	err = s.store.Update(ctx, func(tx store.Tx) error {
		answer = nil
		m, err := meet(tx, v, now)
		switch {
		case err != nil:
			return err
		case m.out != lapse{}:
			answer = errs.New(errs.Refused, m.out.words)
			return s.recordLapse(tx, by, m, v, now)
		case m.account.ID != seen.account.ID || !m.account.PasswordChanged.Equal(seen.account.PasswordChanged):
			answer = errs.New(errs.Conflict, "This account was changed a moment ago. Sign in again.")
			return nil
		case m.confirm:
			answer = &PasswordNeeded{confirm, m.account.Email}
			return nil
		}
		var half bool
		if a, half, err = enter(tx, by, m, v, entering{id, now}); half {
			need := s.needed(a, code)
			answer = &need
		}
		return err
	})
	if err == nil {
		err = answer
	}
	if err != nil {
		return Entry{}, fmt.Errorf("signing in through the provider: %w", err)
	}
	return Entry{User: a.User, Proof: v.Proof, Factor: v.Factor}, nil
}

// entering is what must be made before the transaction.
type entering struct {
	id  string // of an account, if one is made
	now time.Time
}

// enter commits a sign-in through the provider, and reports whether a code is
// needed yet.
func enter(tx store.Tx, by audit.Actor, m meeting, v Vouched, e entering) (a account, half bool, err error) {
	a = m.account
	if a.ID == "" {
		if a, err = joinVouched(tx, by, m, v, e); err != nil {
			return a, false, err
		}
	}
	by.ID, by.Name = a.ID, a.Email
	if !m.linked {
		event := stamp(audit.Event{Action: audit.IdentityLinked, Note: "At " + v.where() + "."}, by, e.now, a.Email)
		if err := audit.Append(tx, event); err != nil {
			return a, false, err
		}
	}
	if v.Source == FromGroup && a.Role != Owner {
		if err := follow(tx, by, &a, v, e.now); err != nil {
			return a, false, err
		}
	}
	if err := errors.Join(link(tx, a.ID, v.identity(e.now)), accounts.Put(tx, a.ID, a)); err != nil {
		return a, false, err
	}
	if a.HasFactor() && !v.Factor {
		return a, true, nil
	}
	note := "Through " + v.where() + "."
	if v.Factor {
		note += " A second factor was given there."
	}
	return a, false, audit.Append(tx, stamp(audit.Event{Action: audit.SignIn, Note: note}, by, e.now, a.Email))
}

// follow gives the account the role of its group.
func follow(tx store.Tx, by audit.Actor, a *account, v Vouched, now time.Time) error {
	was := a.Grant
	a.Grant, a.Mapped = v.Grant, true
	if was == v.Grant {
		return nil
	}
	ended, err := EndAll(tx, a.ID, "")
	if err != nil {
		return err
	}
	note := "By a group at " + v.where() + "."
	if ended > 0 {
		note += fmt.Sprintf(" Sessions ended: %d.", ended)
	}
	return audit.Append(tx, stamp(audit.Event{Action: audit.GrantChanged, Changes: changes(was, v.Grant), Note: note}, by, now, a.Email))
}

// joinVouched makes the account of somebody new, without a password.
func joinVouched(tx store.Tx, by audit.Actor, m meeting, v Vouched, e entering) (account, error) {
	name := strings.TrimSpace(v.Name)
	if checkName(name) != nil {
		name = ""
	}
	a := account{User: User{ID: e.id, Email: v.Email, Name: name, Grant: m.grant(v), Created: e.now, PasswordChanged: e.now,
		NoPassword: true, Mapped: v.Source == FromGroup}}
	note := "Through " + v.where() + "."
	if m.invited.Email != "" {
		invitations.Delete(tx, m.inviteKey)
		invitees.Delete(tx, emailKey(v.Email))
		note += " Invited by " + m.invited.ByName + "."
	}
	by.ID, by.Name = a.ID, a.Email
	return a, errors.Join(addAccount(tx, a), audit.Append(tx, stamp(audit.Event{Action: audit.PersonJoined, Changes: changes(Grant{}, a.Grant), Note: note}, by, e.now, a.Email)))
}

// recordLapse counts a refusal, and appends its event.
func (s *Service) recordLapse(tx store.Tx, by audit.Actor, m meeting, v Vouched, now time.Time) error {
	target := m.account.Email
	if target == "" && v.Verified {
		target = v.Email
	}
	note := m.out.note
	if m.end {
		ended, err := EndAll(tx, m.account.ID, "")
		if err != nil {
			return err
		}
		if ended > 0 {
			note += fmt.Sprintf(" Sessions ended: %d.", ended)
		}
	}
	return s.vouchGuess(by, target, note).recordWrong(tx, now)
}

// vouchGuess is a sign-in through the provider that came to nothing: it counts
// against the address that it came from, apart from wrong passwords.
func (s *Service) vouchGuess(by audit.Actor, target, note string) guess {
	return guess{keys: throttleKeys{address: s.mac("vouched\x00" + Network(by.Addr))}, lapse: note,
		failure: audit.Event{Actor: by, Action: audit.SignInFailed, Target: target}}
}

// VouchWaits returns an errs.TooMany while the address has to wait after sign-ins
// through the provider that came to nothing. The first attempt in a wait is on
// record.
func (s *Service) VouchWaits(ctx context.Context, by audit.Actor) error {
	now, g := s.now(), s.vouchGuess(by, "", "")
	var wait time.Duration
	var unrecorded bool
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		wait, unrecorded, err = g.keys.waiting(r, now)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading a wait: %w", err)
	case wait > 0 && unrecorded:
		return s.refuse(ctx, g, wait, now)
	case wait > 0:
		return tooMany(wait)
	}
	return nil
}

// VouchFailed counts and records a sign-in through the provider that came to
// nothing, and returns an errs.Refused with words for the person. note is for the
// log, target the account if one is known.
func (s *Service) VouchFailed(ctx context.Context, by audit.Actor, target, note, words string) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error { return s.vouchGuess(by, target, note).recordWrong(tx, now) })
	if err != nil {
		return fmt.Errorf("recording a sign-in that failed: %w", err)
	}
	return errs.New(errs.Refused, words)
}

// linkTicket is what a ticket of PasswordNeeded says, sealed.
type linkTicket struct {
	UserID  string    `json:"user"`
	Vouched Vouched   `json:"vouched"`
	Expires time.Time `json:"expires"`
}

const linkKey = "auth/link-ticket" // what such tickets are sealed for

var _ = secret.Declare(secret.Kind{Prefix: linkKey, Words: "tickets of accounts that are being linked"})

func (s *Service) sealLink(t linkTicket, now time.Time) (secret.Text, error) {
	t.Expires = now.Add(ticketFor)
	b, err := json.Marshal(t)
	if err != nil {
		return secret.Text{}, err
	}
	sealed, err := s.box.Seal(b, linkKey)
	return secret.NewText(tokenBase64.EncodeToString(sealed)), err
}

var errLink = errs.New(errs.Unsigned, "The sign-in took too long. Begin again at the sign-in page.")

// openLink returns what a ticket says, or an errs.Unsigned.
func (s *Service) openLink(t secret.Text) (out linkTicket, err error) {
	sealed, err := tokenBase64.DecodeString(t.Reveal())
	var b []byte
	if err == nil {
		b, err = s.box.Open(sealed, linkKey)
	}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil || !s.now().Before(out.Expires) {
		return linkTicket{}, errLink
	}
	return out, nil
}

// LinkWithPassword ends a sign-in that needed the account's password, links the
// account and returns who is to have a session. It returns an errs.Unsigned for a
// ticket that is not good any more, and what CheckPassword and SignInVouched do.
func (s *Service) LinkWithPassword(ctx context.Context, by audit.Actor, t secret.Text, password secret.Text) (Entry, error) {
	said, err := s.openLink(t)
	if err != nil {
		return Entry{}, err
	}
	if password.IsZero() {
		return Entry{}, errs.Field("password", "Enter your password.")
	}
	a, err := s.account(ctx, said.UserID)
	if errs.Is(err, errs.NotFound) {
		return Entry{}, errLink
	}
	if err != nil {
		return Entry{}, err
	}
	now, v := s.now(), said.Vouched
	code, err := s.sealTicket(ticket{UserID: a.ID, Changed: a.PasswordChanged}, now)
	if err != nil {
		return Entry{}, fmt.Errorf("making a ticket: %w", err)
	}
	g := guess{account: a, password: password, wrong: errs.Field("password", "This is not the password of your account here."), always: true,
		failure: audit.Event{Actor: by, Action: audit.SignInFailed, Target: a.Email, Note: "While linking the account to the provider."}}
	right, _, err := s.evaluate(ctx, &g, a.Email)
	if err != nil {
		return Entry{}, fmt.Errorf("checking a password: %w", err)
	}
	half, need := false, CodeNeeded{}
	err = s.settle(ctx, g, right, now, func(tx store.Tx, a account) error {
		m, err := meet(tx, v, now)
		if err == nil && (m.out != lapse{} || m.account.ID != a.ID || !m.confirm) {
			err = errLink
		}
		if err != nil {
			return err
		}
		a, half, err = enter(tx, by, m, v, entering{now: now})
		need = s.needed(a, code)
		return err
	})
	if err == nil && half {
		err = &need
	}
	if err != nil {
		return Entry{}, fmt.Errorf("linking an account: %w", err)
	}
	u, err := s.User(ctx, a.ID)
	return Entry{User: u, Proof: now, Factor: v.Factor}, err
}
