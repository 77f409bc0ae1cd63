package auth

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// passkey is one credential of a person (WebAuthn, section 4, credential record).
// Nothing in it is secret.
type passkey struct {
	ID         []byte    `json:"id"`
	PublicKey  []byte    `json:"publicKey"` // COSE_Key
	Host       string    `json:"host"`      // RP ID that it was made for
	Name       string    `json:"name"`
	Created    time.Time `json:"created"`
	Used       time.Time `json:"used,omitzero"` // for the last time; zero for never
	Count      uint32    `json:"count,omitempty"`
	Syncable   bool      `json:"syncable,omitempty"` // BE: its private key may leave the device; never changes
	Synced     bool      `json:"synced,omitempty"`   // BS: it has, as of the last use
	Transports []string  `json:"transports,omitempty"`
	Model      []byte    `json:"model,omitempty"`  // AAGUID
	Stopped    time.Time `json:"stopped,omitzero"` // since when its counter went back; zero for a good one
}

// passkeySet is the record of all passkeys of a person, oldest first.
type passkeySet struct {
	Keys []passkey `json:"keys"`
}

// passkeyOwner is the record of whose passkey one is.
type passkeyOwner struct {
	ID string `json:"id"`
}

var (
	passkeySets   = store.Table[passkeySet]{Prefix: "auth/passkeys/"}
	passkeyOwners = store.Table[passkeyOwner]{Prefix: "auth/passkey-of/"}
)

const (
	maxPasskeys    = 20 // of one person
	maxPasskeyName = 60 // characters
)

// key is the id of the record that says whose passkey it is.
func (k passkey) key() string { return hex.EncodeToString(hashOf("passkey\x00" + string(k.ID))) }

// handle names the passkey in forms. It is not the credential id.
func (k passkey) handle() string {
	return base64.RawURLEncoding.EncodeToString(hashOf("passkey handle\x00" + string(k.ID)))[:22]
}

// quoted is the name as notes have it.
func (k passkey) quoted() string { return "“" + k.Name + "”" }

// credential is the passkey as the library takes it.
func (k passkey) credential() webauthn.Credential {
	c := webauthn.Credential{ID: k.ID, PublicKey: k.PublicKey,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: k.Syncable, BackupState: k.Synced},
		Authenticator: webauthn.Authenticator{AAGUID: k.Model, SignCount: k.Count}}
	for _, t := range k.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

// A Passkey is what a person sees of one.
type Passkey struct {
	Handle           string // what names it in forms
	Name             string
	Created, Used    time.Time // Used is zero for never
	Syncable, Synced bool      // it may be on several devices; it is kept in a backup now
	Stopped          time.Time // since when it is refused, because its counter went back; zero for a good one
	Elsewhere        string    // the host that it was made for, if that is not this one's
}

// PasskeysWork reports whether passkeys can be used at the public URL: at an IP
// address, or at a bare name other than localhost, they cannot (WebAuthn, section
// 5.1.3: the effective domain is a valid domain).
func (s *Service) PasskeysWork() bool { return s.party != nil }

// Passkeys returns the passkeys of the user, the oldest first.
func (s *Service) Passkeys(ctx context.Context, userID string) (out []Passkey, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		set, err := orZero(passkeySets.Get(r, userID))
		for _, k := range set.Keys {
			p := Passkey{Handle: k.handle(), Name: k.Name, Created: k.Created, Used: k.Used, Syncable: k.Syncable, Synced: k.Synced, Stopped: k.Stopped}
			if s.party == nil || k.Host != s.party.id() {
				p.Elsewhere = k.Host
			}
			out = append(out, p)
		}
		return err
	})
	return out, wrap("listing passkeys", err)
}

var errNoPasskey = errs.New(errs.NotFound, "This passkey does not exist any more.")

// RenamePasskey gives a passkey of who does it another name. It returns an
// errs.Field for name, or an errs.NotFound.
func (s *Service) RenamePasskey(ctx context.Context, by audit.Actor, handle, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	now := s.now()
	err = s.store.Update(ctx, func(tx store.Tx) error {
		set, err := orZero(passkeySets.Get(tx, by.ID))
		if err != nil {
			return err
		}
		keys := slices.Clone(set.Keys)
		i := named(keys, handle)
		if i < 0 {
			return errNoPasskey
		}
		was := keys[i]
		if was.Name == name {
			return nil
		}
		keys[i].Name = name
		event := audit.Event{Action: audit.PasskeyRenamed, Note: was.quoted() + " became " + keys[i].quoted() + "."}
		return errors.Join(passkeySets.Put(tx, by.ID, passkeySet{keys}), audit.Append(tx, stamp(event, by, now, by.Name)))
	})
	return wrap("renaming a passkey", err)
}

// RemovePasskey takes a passkey of who does it. Other sessions end. If the person
// needs a second factor and this was the last one, it returns an errs.Refused.
func (s *Service) RemovePasskey(ctx context.Context, by audit.Actor, keep, handle string, needed bool) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx store.Tx) error {
		set, err := orZero(passkeySets.Get(tx, by.ID))
		if err != nil {
			return err
		}
		i := named(set.Keys, handle)
		if i < 0 {
			return errNoPasskey
		}
		event := audit.Event{Action: audit.PasskeyRemoved, Note: set.Keys[i].quoted() + "."}
		return changeFactors(tx, by.ID, keep, stamp(event, by, now, ""), func(m *means) error {
			m.keys = slices.Delete(m.keys, i, i+1)
			return m.suffices(needed)
		})
	})
	return wrap("removing a passkey", err)
}

// named is the place of the passkey with the handle, or -1.
func named(keys []passkey, handle string) int {
	return slices.IndexFunc(keys, func(k passkey) bool { return k.handle() == handle })
}

// passkeyName is a name as typed, without what cannot be seen.
func passkeyName(s string) (string, error) {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))), " ")
	switch {
	case s == "":
		return "", errs.Field("name", "Give it a name by which you know the device, as “Work laptop”.")
	case len([]rune(s)) > maxPasskeyName:
		return "", errs.Field("name", "A name has at most 60 characters.")
	}
	return s, nil
}
