package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

var (
	errNoParty = errs.New(errs.Invalid, "Passkeys need a host name like backoffice.example.com, and the public URL of this instance has none. Use your password.")
	errUnread  = errs.New(errs.Invalid, "What the browser sent of the passkey could not be read. Try again, or use your password.")
	errNotMade = errs.New(errs.Invalid, notMade)
	errMadeFor = errs.New(errs.Conflict, "This passkey is registered already.")
	errTooMany = errs.Newf(errs.Conflict, "There are %d passkeys already. Remove one first.", maxPasskeys)
)

const notMade = "The browser's answer was not accepted, so no passkey was added: it came too late, twice, or not as it was asked for. Begin again."

// BeginPasskey asks for a new passkey of the user, in the browser session with the
// binding, and returns the question as JSON, as a browser takes it: it is to be
// found without an address, and to verify its person. It returns an errs.Field for
// name, an errs.Conflict for one too many, or an errs.Invalid where passkeys do not
// work.
func (s *Service) BeginPasskey(ctx context.Context, userID, binding, name string) (string, error) {
	if s.party == nil {
		return "", errNoParty
	}
	name, err := passkeyName(name)
	if err != nil {
		return "", err
	}
	who, err := s.holder(ctx, userID)
	if err != nil {
		return "", err
	}
	if len(who.keys) >= maxPasskeys {
		return "", errTooMany
	}
	there := webauthn.Credentials(holder{keys: s.party.usable(who.keys)}.WebAuthnCredentials())
	asked, data, err := s.party.BeginRegistration(who, webauthn.WithExclusions(there.CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{RequireResidentKey: protocol.ResidentKeyRequired(),
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return "", wrap("asking for a new passkey", err)
	}
	s.own.begin(ceremony{purpose: toAdd, binding: binding, user: userID, name: name, source: userID, began: s.now(), data: *data})
	return asJSON(asked)
}

// asJSON is a question as a browser takes it.
func asJSON(question any) (string, error) {
	b, err := json.Marshal(question)
	return string(b), wrap("writing a question to a passkey", err)
}

// holder reads the user with all passkeys.
func (s *Service) holder(ctx context.Context, userID string) (h holder, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		a, err := accountByID(r, userID)
		if err != nil {
			return err
		}
		set, err := orZero(passkeySets.Get(r, userID))
		h = holder{a.ID, a.Email, set.Keys}
		return err
	})
	return h, wrap("reading passkeys", err)
}

// AddPasskey keeps the passkey that was made in answer to BeginPasskey in the same
// browser session. If it is the first second factor it returns recovery codes, which
// only hashes are kept of. All sessions of the user but keep end. It returns an
// errs.Invalid for an answer that is not as it was asked for, or an errs.Conflict.
func (s *Service) AddPasskey(ctx context.Context, by audit.Actor, binding, keep string, answer secret.Text) ([]secret.Text, error) {
	if s.party == nil {
		return nil, errNoParty
	}
	made, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer.Reveal()))
	if err != nil {
		return nil, errUnread
	}
	now := s.now()
	asked, open := s.own.take(made.Response.CollectedClientData.Challenge, toAdd, binding, now)
	if !open || asked.user != by.ID {
		return nil, errNotMade
	}
	c, err := s.party.CreateCredential(holder{id: by.ID}, asked.data, made)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, notMade, err)
	}
	k := passkey{ID: c.ID, PublicKey: c.PublicKey, Host: s.party.id(), Name: asked.name, Created: now, Count: c.Authenticator.SignCount,
		Syncable: c.Flags.BackupEligible, Synced: c.Flags.BackupState, Model: c.Authenticator.AAGUID}
	for _, t := range c.Transport {
		k.Transports = append(k.Transports, string(t))
	}
	codes, hashes := newRecovery()
	first := false
	event := stamp(audit.Event{Action: audit.PasskeyAdded, Note: fmt.Sprintf("%s, %s.", k.quoted(), k.kind())}, by, now, "")
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if owner, err := orZero(passkeyOwners.Get(tx, k.key())); err != nil || owner.ID != "" {
			return errors.Join(err, errMadeFor)
		}
		return changeFactors(tx, by.ID, keep, event, func(m *means) error {
			if len(m.keys) >= maxPasskeys {
				return errTooMany
			}
			first = m.addRecovery(hashes)
			m.keys = append(slices.Clip(m.keys), k)
			return nil
		})
	})
	if err != nil {
		return nil, wrap("adding a passkey", err)
	}
	if !first {
		return nil, nil
	}
	return codes, nil
}

// kind says where the private key is, as far as the device says.
func (k passkey) kind() string {
	switch {
	case k.Synced:
		return "synced"
	case k.Syncable:
		return "can be synced"
	}
	return "bound to one device"
}
