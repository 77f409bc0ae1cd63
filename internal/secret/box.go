// Package secret keeps secrets secret: sealed at rest, as a Text that never
// prints in memory, and as a Fingerprint where people compare them.
//
// Invariant 3: a sealed value opens only where it was sealed. The store key is
// authenticated with every value, so a ciphertext that is moved to another
// record is refused. There is no way to switch the sealing off: without a
// Keyset there is no Box, and without a Box the rooms that keep secrets cannot
// be made.
package secret

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrDamaged is returned by Open for bytes that no key opens at this place:
// changed, cut, or moved here from another record.
var ErrDamaged = errors.New("sealed value is damaged, or was sealed for another place")

// A WrongKeyError says that a value was sealed with a key that the key file
// does not hold.
type WrongKeyError struct {
	Missing string // id of the key that sealed the value
	Have    string // id of the primary key of the key file
}

func (e *WrongKeyError) Error() string {
	return fmt.Sprintf("sealed with key %s, which the key file lacks (it has %s)", e.Missing, e.Have)
}

// A Box seals and opens values of this installation. It is safe for concurrent
// use. Boxes are made by Keyset.NewInstallation and Keyset.Unlock.
type Box struct {
	keys   atomic.Pointer[Keyset]
	macKey []byte
}

// newBox is a Box of these keys. Without the key of the fingerprints it only seals
// and opens.
func newBox(k *Keyset, macKey []byte) *Box {
	b := &Box{macKey: macKey}
	b.keys.Store(k)
	return b
}

// Keys are the keys that seal and open now.
func (b *Box) Keys() *Keyset { return b.keys.Load() }

// Use has the box seal and open with other keys from now on. Whoever calls it has
// seen to it that they are kept, and that they open what is there.
func (b *Box) Use(k *Keyset) { b.keys.Store(k) }

// Seal encrypts plain so that it opens only at storeKey, which a declared [Kind]
// has to cover: what nobody declared, no rotation of the key would find. It draws
// a random nonce, so it belongs before a store.Update, not into its callback.
func (b *Box) Seal(plain []byte, storeKey string) ([]byte, error) {
	if _, ok := KindOf(storeKey); !ok {
		return nil, fmt.Errorf("sealing for %s: no kind of record is declared for it", storeKey)
	}
	sealed, err := b.Keys().aead.Encrypt(plain, []byte(storeKey))
	if err != nil {
		return nil, fmt.Errorf("sealing for %s: %w", storeKey, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same storeKey. It returns a
// *WrongKeyError or ErrDamaged.
func (b *Box) Open(sealed []byte, storeKey string) ([]byte, error) {
	id, ok := sealedUnder(sealed)
	if !ok {
		return nil, fmt.Errorf("opening %s: %w", storeKey, ErrDamaged)
	}
	keys := b.Keys()
	if !keys.ids[id] {
		return nil, fmt.Errorf("opening %s: %w", storeKey, &WrongKeyError{Missing: keyName(id), Have: keys.ID()})
	}
	plain, err := keys.aead.Decrypt(sealed, []byte(storeKey))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", storeKey, ErrDamaged)
	}
	return plain, nil
}

// KeyID is the id of the key that seals now.
func (b *Box) KeyID() string { return b.Keys().ID() }
