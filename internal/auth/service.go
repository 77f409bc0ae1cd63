// Package auth knows who may do what: users and their passwords, roles and
// permissions, sessions.
//
// A person signs in with e-mail address and password ([Service.SignIn]), and with a
// second factor if there is one, or with a passkey alone
// ([Service.SignInWithPasskey]); the browser then holds a session ([SessionStore.Renew]); on every later request
// [SessionStore.Current] says whose it is, [Service.User] who that is, and
// [Grant.May] whether the route's [Permission] is granted.
//
// There is one owner after set-up; everybody else is invited ([Service.Invite])
// and comes by a one-time link ([Service.Join]).
//
// What holds here:
//
//   - A password is a secret.Text from the moment it arrives. What is kept of it
//     is an argon2id hash; of a set-up token and of a session's secret, a SHA-256.
//   - Sign-in, its failures, set-up, password change and sign-out commit
//     together with their audit event (invariant 1).
//   - An unknown account and a wrong password cost the same work and get the
//     same words. What was typed as e-mail address is recorded only if an account
//     has it: people type passwords there.
//   - Wrong passwords make the next attempt wait, per account and per address,
//     and never for good (see throttle).
//   - Nobody reaches above the own role or past the own entries ([Grant.Reaches]);
//     that is looked at in the transaction of the change. An owner who may sign in
//     always remains.
//   - Whoever is disabled, or gets another role, is signed out everywhere by the
//     same transaction.
//   - An anonymous request writes nothing: what a passkey is asked is in memory.
//   - What a passkey is asked is good once, for five minutes, in the browser session
//     that began it (see ceremonies).
//
// Records, by store key:
//
//	auth/users                  the ids of all users: the set that decisions about "any admin" read
//	auth/user/<id>              one user, with the hash of the password
//	auth/email/<address>        the id of the user who has the address (escaped)
//	auth/setup                  the hash of the set-up token, while there is no user
//	auth/invite/<hash>          an open invitation, by the hash of its token
//	auth/invited/<address>      the hash of the invitation that the address has (escaped)
//	auth/calendar/<hash>        whose calendar address a token is, by its hash
//	auth/calendars/<id>         the hash of the token of a user's calendar address
//	auth/factor/<id>            what goes with a second factor: the sealed secret of an app, hashes of recovery codes
//	auth/passkeys/<id>          the passkeys of a user: public keys, names, counters
//	auth/passkey-of/<hash>      the id of the user who has the passkey, by the hash of its credential id
//	auth/factor-new/<id>        an app that is being set up
//	auth/seen/<id>              when a user was here last, exact to a minute
//	auth/throttle/<mac>         wrong passwords, by account or by address
//	auth/identity/<hash>        whom an account at an OpenID provider signs in, by issuer and subject
//	auth/identities/<id>        the accounts at providers that sign a user in
//	auth/local                  whether a provider is in force, and only owners sign in with a password
//	auth/known/<id>             addresses from which a user has signed in, as MACs
//	auth/session/<id>           one session
//	auth/sessions/<user>        the ids of a user's sessions, oldest first
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Options are what a Service needs. Store and Box are required.
type Options struct {
	Store     store.Store
	Box       *secret.Box      // its MAC hides typed addresses in the keys of throttle records
	Now       func() time.Time // time.Now if nil
	PublicURL *url.URL         // origin that passkeys belong to; without one, or for an IP address, there are none
}

// A Service keeps the users. It is safe for concurrent use.
type Service struct {
	store  store.Store
	box    *secret.Box
	now    func() time.Time
	hasher *hasher
	party  *party // that passkeys are made for; nil where there can be none

	open, own *ceremonies // what passkeys were asked: of visitors, and of who is signed in
}

// New returns the service over o.Store.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	now := func() time.Time { return o.Now().UTC() }
	return &Service{store: o.Store, box: o.Box, now: now, hasher: newHasher(owasp), party: newParty(o.PublicURL),
		open: &ceremonies{}, own: &ceremonies{}}
}

// A User is a person who may sign in.
type User struct {
	ID    string `json:"id"`
	Email string `json:"email"` // normalised: lower case, no space around
	Name  string `json:"name,omitempty"`
	Grant
	Created         time.Time `json:"created"`
	PasswordChanged time.Time `json:"passwordChanged"`
	Disabled        time.Time `json:"disabled,omitzero"` // since when; zero for who may sign in
	App             time.Time `json:"factor,omitzero"`   // since when an app makes codes; zero for none
	Passkeys        int       `json:"passkeys,omitempty"`
	NoPassword      bool      `json:"noPassword,omitempty"` // signs in through the provider alone
	Mapped          bool      `json:"mapped,omitempty"`     // the role came from a group at the provider
}

// HasFactor reports whether the person has a second factor, of whichever kind.
func (u User) HasFactor() bool { return !u.App.IsZero() || u.Passkeys > 0 }

// Factors says which second factors the person has: "app, 2 passkeys"; "" for none.
func (u User) Factors() string {
	var have []string
	if !u.App.IsZero() {
		have = append(have, "app")
	}
	if u.Passkeys > 0 {
		have = append(have, counted(u.Passkeys, "passkey"))
	}
	return strings.Join(have, ", ")
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Active reports whether the person may sign in.
func (u User) Active() bool { return u.Disabled.IsZero() }

// account is the record of a User. The hash stands here alone, so that no
// exported type can carry it out of the room.
type account struct {
	User
	Password string `json:"password"` // in PHC string format
}

// userSet holds the ids of all users. A transaction cannot read a range, so what
// depends on the set reads this one record.
type userSet struct {
	IDs []string `json:"ids"`
}

// emailOwner is the record of an address.
type emailOwner struct {
	ID string `json:"id"`
}

var (
	userSets = store.Table[userSet]{Prefix: "auth/users"}
	accounts = store.Table[account]{Prefix: "auth/user/", Memo: store.NewMemo[account](256, nil)}
	emails   = store.Table[emailOwner]{Prefix: "auth/email/"}
)

// getter is what both a store.Reader and a store.Tx can do.
type getter interface {
	Get(key string) ([]byte, error)
}

// orZero returns the record, or the zero one if there is none.
func orZero[T any](v T, err error) (T, error) {
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return v, err
}

func allUsers(r getter) (userSet, error) { return orZero(userSets.Get(r, "")) }

func accountByID(r getter, id string) (account, error) {
	a, err := accounts.Get(r, id)
	if errors.Is(err, store.ErrNotFound) {
		return account{}, errs.Wrap(errs.NotFound, "This account does not exist.", err)
	}
	return a, err
}

// User returns the user with the id, or an errs.NotFound.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	a, err := s.account(ctx, id)
	return a.User, err
}

func (s *Service) account(ctx context.Context, id string) (a account, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		a, err = accountByID(r, id)
		return err
	})
	if err != nil {
		return account{}, fmt.Errorf("reading user %q: %w", id, err)
	}
	return a, nil
}

// Users returns all users, in the order in which they were made.
func (s *Service) Users(ctx context.Context) ([]User, error) {
	var users []User
	err := s.store.View(ctx, func(r store.Reader) error {
		set, err := allUsers(r)
		if err != nil {
			return err
		}
		for _, id := range set.IDs {
			a, err := accounts.Get(r, id)
			if err != nil {
				return fmt.Errorf("user %q: %w", id, err)
			}
			users = append(users, a.User)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the users: %w", err)
	}
	return users, nil
}

// maxEmail is the longest address that SMTP can carry, in bytes (RFC 5321).
const maxEmail = 254

// normalEmail is the form in which an address is kept and looked up.
func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// checkEmail refuses what is no plain address. s is normalised.
func checkEmail(s string) error {
	switch addr, err := mail.ParseAddress(s); {
	case s == "":
		return errs.Field("email", "Enter an e-mail address.")
	case len(s) > maxEmail:
		return errs.Field("email", fmt.Sprintf("An e-mail address has at most %d characters.", maxEmail))
	case err != nil || addr.Address != s: // no name, no quotes, no comment
		return errs.Field("email", "This is no e-mail address. It should look like owner@acme.example.")
	}
	return nil
}

// emailKey is the id of an address's record. Escaped, it cannot contain a slash.
func emailKey(email string) string { return url.PathEscape(email) }
