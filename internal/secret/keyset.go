package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// InstallationKey is the store key of the record that NewInstallation makes.
// Every data file has one; a file with records but without it is damaged.
const InstallationKey = "secret/installation"

// A Keyset is what the key file holds: Tink AEAD keys, of which the primary one
// seals and all of them open. It is safe for concurrent use.
type Keyset struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	primary uint32
	ids     map[uint32]bool
}

// Generate makes a keyset with one new AES-256-GCM key.
func Generate() (*Keyset, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return open(h)
}

// Read parses the content of a key file: a Tink keyset in JSON.
func Read(file []byte) (*Keyset, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(file)))
	if err != nil {
		return nil, errors.New("it holds no Tink keyset in JSON") // the cause could quote key material
	}
	return open(h)
}

func open(h *keyset.Handle) (*Keyset, error) {
	a, err := aead.New(h)
	if err != nil {
		return nil, errors.New("its keys are not AEAD keys with a key id in front")
	}
	info := h.KeysetInfo()
	out := &Keyset{handle: h, aead: a, primary: info.GetPrimaryKeyId(), ids: map[uint32]bool{}}
	for _, k := range info.GetKeyInfo() {
		// Without the prefix a wrong key could not be named, nor a key retired.
		if k.GetOutputPrefixType().String() != "TINK" {
			return nil, errors.New("its keys are not AEAD keys with a key id in front")
		}
		out.ids[k.GetKeyId()] = true
	}
	return out, nil
}

// Bytes is the content for a key file. It is key material: mode 0600, and
// nowhere else.
func (k *Keyset) Bytes() ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("writing the key: %w", err)
	}
	return b.Bytes(), nil
}

// ID is the id of the primary key, which is no secret: it stands in front of
// everything that was sealed with it.
func (k *Keyset) ID() string { return keyName(k.primary) }

func keyName(id uint32) string { return fmt.Sprintf("%08x", id) }

// NewInstallation makes the key of the fingerprints and seals it into the
// record that belongs at InstallationKey. The record is at the same time the
// proof, at every later start, that the key file opens the data.
func (k *Keyset) NewInstallation() (record []byte, b *Box, err error) {
	macKey := make([]byte, 32)
	if _, err := rand.Read(macKey); err != nil {
		return nil, nil, fmt.Errorf("making the fingerprint key: %w", err)
	}
	b = newBox(k, macKey)
	record, err = b.Seal(macKey, InstallationKey)
	if err != nil {
		return nil, nil, err
	}
	return record, b, nil
}

// Unlock opens the record at InstallationKey. It returns a *WrongKeyError if
// this keyset lacks the key with which the data was sealed, and another error
// if the record is damaged.
func (k *Keyset) Unlock(record []byte) (*Box, error) {
	b := newBox(k, nil)
	macKey, err := b.Open(record, InstallationKey)
	if err != nil {
		return nil, err
	}
	b.macKey = macKey
	return b, nil
}

// Has reports whether the keyset holds the key of that id.
func (k *Keyset) Has(id string) bool { return slices.Contains(k.IDs(), id) }

// IDs are the ids of all keys, the primary one first, then in their order.
func (k *Keyset) IDs() []string {
	out := []string{k.ID()}
	for id := range k.ids {
		if id != k.primary {
			out = append(out, keyName(id))
		}
	}
	slices.Sort(out[1:])
	return out
}

// Rotated is the keyset with one new key, which is the primary one. It still opens
// all that it opened.
func (k *Keyset) Rotated() (*Keyset, error) {
	m := keyset.NewManagerFromHandle(k.handle)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return settle(m, m.SetPrimary(id))
}

// Without is the keyset without the key of that id, which is not the primary one.
func (k *Keyset) Without(id string) (*Keyset, error) {
	for n := range k.ids {
		if keyName(n) == id {
			m := keyset.NewManagerFromHandle(k.handle)
			return settle(m, m.Delete(n))
		}
	}
	return nil, fmt.Errorf("there is no key %s", id)
}

func settle(m *keyset.Manager, err error) (*Keyset, error) {
	if err != nil {
		return nil, fmt.Errorf("changing the keys: %w", err)
	}
	h, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("changing the keys: %w", err)
	}
	return open(h)
}

// Equal reports whether both hold the same keys, of which the same one seals.
func (k *Keyset) Equal(other *Keyset) bool {
	if !slices.Equal(k.IDs(), other.IDs()) {
		return false
	}
	// Ids are public, so they alone prove nothing: both have to open the same.
	for _, pair := range [][2]*Keyset{{k, other}, {other, k}} {
		sealed, err := pair[0].aead.Encrypt(nil, nil)
		if err != nil {
			return false
		}
		if _, err := pair[1].aead.Decrypt(sealed, nil); err != nil {
			return false
		}
	}
	return true
}

// sealedUnder returns the id of the key that made sealed, from Tink's prefix:
// a byte of 1 and the id in big-endian order.
func sealedUnder(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

// KeyOf names the key that sealed a value, without opening it; "" if the bytes
// are no sealed value.
func KeyOf(sealed []byte) string {
	id, ok := sealedUnder(sealed)
	if !ok {
		return ""
	}
	return keyName(id)
}
