package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// An Identity is an account at an OpenID provider that signs somebody in here.
// Issuer and subject are what it is; the address may change.
type Identity struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Email   string    `json:"email,omitempty"` // what the provider said last
	Since   time.Time `json:"since"`
	Last    time.Time `json:"last"` // when it signed in last
}

// identityOwner is the record of whom an identity signs in.
type identityOwner struct {
	User string `json:"user"`
}

// identityList has the identities of one user: at most one of an issuer.
type identityList struct {
	Links []Identity `json:"links"`
}

// localPolicy is the record of whose password counts while a provider is in force.
type localPolicy struct {
	OwnersOnly bool `json:"ownersOnly"`
	Provider   bool `json:"provider,omitempty"`
}

var (
	identities    = store.Table[identityOwner]{Prefix: "auth/identity/"}
	identityLists = store.Table[identityList]{Prefix: "auth/identities/"}
	localPolicies = store.Table[localPolicy]{Prefix: "auth/local"}
)

// identityKey names an identity by a hash: a subject may have any character.
func identityKey(issuer, subject string) string {
	return hex.EncodeToString(hashOf("identity\x00" + issuer + "\x00" + subject))
}

// ProviderInForce says, in the caller's transaction, that people sign in through a
// provider, and whether only owners do with a password. An owner's password always
// counts, so that nobody who sets this can lock everybody out. The caller appends the
// event.
func ProviderInForce(tx store.Tx, ownersOnly bool) error {
	return localPolicies.Put(tx, "", localPolicy{ownersOnly, true})
}

// ProviderOff says, in the caller's transaction, that there is no provider. The caller
// appends the event.
func ProviderOff(tx store.Tx) { localPolicies.Delete(tx, "") }

// byGroup reports whether the account signs in through the provider alone, because
// its role is from a group there: a password would go on with a role that was taken.
func byGroup(r getter, a account) (bool, error) {
	p, err := orZero(localPolicies.Get(r, ""))
	return p.Provider && a.Mapped && a.Role != Owner, err
}

// passwordCounts reports whether the account may sign in with a password.
func passwordCounts(r getter, a account) (bool, error) {
	if a.NoPassword {
		return false, nil
	}
	p, err := orZero(localPolicies.Get(r, ""))
	return !p.OwnersOnly || a.Role == Owner, err
}

// PasswordCounts reports whether the user may prove who they are with a password.
// Otherwise only the provider can.
func (s *Service) PasswordCounts(ctx context.Context, userID string) (counts bool, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		a, err := accountByID(r, userID)
		if err == nil {
			counts, err = passwordCounts(r, a)
		}
		return err
	})
	return counts, wrap("reading whose password counts", err)
}

// Identities returns who at a provider signs the user in.
func (s *Service) Identities(ctx context.Context, userID string) (out []Identity, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		list, err := orZero(identityLists.Get(r, userID))
		out = list.Links
		return err
	})
	return out, wrap("reading identities", err)
}

// of returns the user's identity of the issuer.
func (l identityList) of(issuer string) (Identity, bool) {
	i := slices.IndexFunc(l.Links, func(x Identity) bool { return x.Issuer == issuer })
	if i < 0 {
		return Identity{}, false
	}
	return l.Links[i], true
}

// link writes that the identity signs the account in, in place of another of the
// same issuer.
func link(tx store.Tx, userID string, x Identity) error {
	list, err := orZero(identityLists.Get(tx, userID))
	if err != nil {
		return err
	}
	if old, ok := list.of(x.Issuer); ok {
		identities.Delete(tx, identityKey(old.Issuer, old.Subject))
		x.Since = old.Since
	}
	list.Links = append(slices.DeleteFunc(slices.Clone(list.Links), func(o Identity) bool { return o.Issuer == x.Issuer }), x)
	return errors.Join(identities.Put(tx, identityKey(x.Issuer, x.Subject), identityOwner{userID}), identityLists.Put(tx, userID, list))
}

// unlinkAll takes all identities off the account, and returns how many.
func unlinkAll(tx store.Tx, userID string) (int, error) {
	list, err := orZero(identityLists.Get(tx, userID))
	for _, x := range list.Links {
		identities.Delete(tx, identityKey(x.Issuer, x.Subject))
	}
	if err == nil && len(list.Links) > 0 {
		identityLists.Delete(tx, userID)
	}
	return len(list.Links), err
}

// Unlink takes all identities off the user, and ends the user's sessions: the next
// sign-in through the provider links anew, by the rules of a first one. by reaches
// the person, as for SetGrant. It returns an errs.NotFound if there is none.
func (s *Service) Unlink(ctx context.Context, by audit.Actor, userID string) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		_, a, err := manage(tx, by, userID)
		if err != nil {
			return err
		}
		n, err := unlinkAll(tx, a.ID)
		if err == nil && n == 0 {
			err = errs.New(errs.NotFound, "This account is linked to nobody at the provider any more.")
		}
		if err != nil {
			return err
		}
		return settlePerson(tx, a, stamp(audit.Event{Action: audit.IdentityUnlinked}, by, now, a.Email))
	})
	return wrap("unlinking an account", err)
}

// ConfirmOwner decides, in the caller's transaction, whether v is the owner with
// the id: by an identity that is linked already, or by a verified address of an
// allowed domain that is the owner's own. It then links what is not linked. If v is
// somebody else, or the account is no owner's any more, what says why.
func ConfirmOwner(tx store.Tx, by audit.Actor, ownerID string, v Vouched, now time.Time) (what string, err error) {
	a, err := accountByID(tx, ownerID)
	if err != nil {
		return "", err
	}
	if a.Role != Owner || !a.Active() {
		return "whoever saved the setting is no owner any more", nil
	}
	linked, err := orZero(identities.Get(tx, identityKey(v.Issuer, v.Subject)))
	if err != nil {
		return "", err
	}
	list, err := orZero(identityLists.Get(tx, a.ID))
	if err != nil {
		return "", err
	}
	other, taken := list.of(v.Issuer)
	switch {
	case linked.User == a.ID:
		return "", nil
	case linked.User != "":
		return "who came back is linked to another account here", nil
	case taken && other.Subject != v.Subject:
		return "who came back is not the one at the provider to whom your account is linked", nil
	case v.Email == "":
		return "the provider told no e-mail address, so nobody can say who came back", nil
	case !v.Verified:
		return "the provider does not say that the address " + v.Email + " is verified", nil
	case v.Email != a.Email:
		return "who came back is " + v.Email + ", and you are " + a.Email, nil
	case !v.Domain:
		return "the domain of " + v.Email + " is not among the allowed ones", nil
	}
	event := stamp(audit.Event{Action: audit.IdentityLinked, Note: "At " + v.where() + ", while confirming the setting."}, by, now, a.Email)
	return "", errors.Join(link(tx, a.ID, v.identity(now)), audit.Append(tx, event))
}

// ProveVouched returns nil if v is who the user is linked to, as a confirmation by
// somebody who is signed in. Anybody else is refused, and recorded.
func (s *Service) ProveVouched(ctx context.Context, by audit.Actor, userID string, v Vouched) error {
	var same bool
	err := s.store.View(ctx, func(r store.Reader) error {
		linked, err := orZero(identities.Get(r, identityKey(v.Issuer, v.Subject)))
		same = linked.User == userID && userID != ""
		return err
	})
	if err != nil {
		return fmt.Errorf("confirming through the provider: %w", err)
	}
	if !same {
		return s.VouchFailed(ctx, by, by.Name, "While confirming an action, somebody else came back from the provider.",
			"You came back as somebody else, so nothing was done. Sign in at the provider with the account that you use here.")
	}
	return nil
}
