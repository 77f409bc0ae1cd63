package auth

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// Second factors change in one place, so that the records of the app, of the
// passkeys and of the account never say different things, and other sessions end
// with each change.

// means are all second factors of one person, as a transaction finds and leaves
// them.
type means struct {
	factor
	app  time.Time // since when there is one; zero for none
	keys []passkey
}

// has reports whether there is a second factor, of whichever kind.
func (m *means) has() bool { return !m.app.IsZero() || len(m.keys) > 0 }

// addRecovery gives recovery codes to who has no second factor yet, and reports
// whether it did.
func (m *means) addRecovery(hashes []string) bool {
	if m.has() {
		return false
	}
	m.Recovery = hashes
	return true
}

var errNeeded = errs.New(errs.Refused, "Your role needs a second factor, so the last one cannot be removed. Set up another one first.")

// suffices refuses to leave somebody without a second factor who needs one.
func (m *means) suffices(needed bool) error {
	if needed && !m.has() {
		return errNeeded
	}
	return nil
}

// takeAll leaves no second factor.
func takeAll(m *means) error {
	*m = means{}
	return nil
}

// goneWords says how many passkeys takeAll takes of u, as the end of a note.
func goneWords(u User) string {
	if u.Passkeys == 0 {
		return ""
	}
	return fmt.Sprintf(" Passkeys removed: %d.", u.Passkeys)
}

// changeFactors changes the second factors of a user, ends the sessions but keep,
// and appends the event.
func changeFactors(tx store.Tx, userID, keep string, e audit.Event, change func(*means) error) error {
	a, err := accountByID(tx, userID)
	if err != nil {
		return err
	}
	return settleFactors(tx, a, keep, e, change)
}

// settleFactors is changeFactors for an account that the transaction has read, and
// perhaps changed.
func settleFactors(tx store.Tx, a account, keep string, e audit.Event, change func(*means) error) error {
	f, err := orZero(factors.Get(tx, a.ID))
	if err != nil {
		return err
	}
	set, err := orZero(passkeySets.Get(tx, a.ID))
	if err != nil {
		return err
	}
	m := means{f, a.App, slices.Clone(set.Keys)}
	if err := change(&m); err != nil {
		return err
	}
	if err := putMeans(tx, a.ID, m, set.Keys); err != nil {
		return err
	}
	ended, err := EndAll(tx, a.ID, keep)
	if err != nil {
		return err
	}
	if ended > 0 {
		e.Note = strings.TrimSpace(fmt.Sprintf("%s Sessions ended: %d.", e.Note, ended))
	}
	a.App, a.Passkeys, e.Target = m.app, len(m.keys), a.Email
	return errors.Join(accounts.Put(tx, a.ID, a), audit.Append(tx, e))
}

// putMeans writes second factors, or deletes the records that nothing is left of.
// had are the passkeys before.
func putMeans(tx store.Tx, userID string, m means, had []passkey) error {
	for _, k := range had {
		passkeyOwners.Delete(tx, k.key())
	}
	var err error
	for _, k := range m.keys {
		err = errors.Join(err, passkeyOwners.Put(tx, k.key(), passkeyOwner{userID}))
	}
	if factors.Delete(tx, userID); m.has() {
		err = errors.Join(err, factors.Put(tx, userID, m.factor))
	}
	if passkeySets.Delete(tx, userID); len(m.keys) > 0 {
		err = errors.Join(err, passkeySets.Put(tx, userID, passkeySet{m.keys}))
	}
	return err
}

// find is the place of the passkey with the credential id, or -1.
func find(keys []passkey, id []byte) int {
	return slices.IndexFunc(keys, func(k passkey) bool { return bytes.Equal(k.ID, id) })
}
