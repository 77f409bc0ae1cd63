package keeper

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"backoffice/internal/secret"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// work is the work factor of scrypt for what is wrapped, as a power of two: the one
// that age itself takes, about a second and 256 MiB. Tests take less.
var work = 18

// minPassphrase is the least length of a passphrase for wrapping. What is wrapped may
// be carried off and guessed at without limit.
const minPassphrase = 12

// IsWrapped reports whether content is wrapped by a passphrase.
func IsWrapped(content []byte) bool {
	content = bytes.TrimSpace(content)
	return bytes.HasPrefix(content, []byte(armor.Header)) || bytes.HasPrefix(content, []byte("age-encryption.org/"))
}

// Wrap wraps content by a passphrase.
func Wrap(content []byte, phrase secret.Text) ([]byte, error) {
	if phrase.Len() < minPassphrase {
		return nil, fmt.Errorf("the passphrase has %d characters, which can be guessed. Use at least %d", phrase.Len(), minPassphrase)
	}
	r, err := age.NewScryptRecipient(phrase.Reveal())
	if err != nil {
		return nil, fmt.Errorf("wrapping the key: %w", err)
	}
	r.SetWorkFactor(work)
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, fmt.Errorf("wrapping the key: %w", err)
	}
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close(), a.Close()); err != nil {
		return nil, fmt.Errorf("wrapping the key: %w", err)
	}
	return out.Bytes(), nil
}

// Unwrap is the content that Wrap wrapped, or the age program with a passphrase.
func Unwrap(wrapped []byte, phrase secret.Text) ([]byte, error) {
	if phrase.IsZero() {
		return nil, errors.New("the passphrase is empty. Give the one that it was wrapped with")
	}
	id, err := age.NewScryptIdentity(phrase.Reveal())
	if err != nil {
		return nil, errors.New("the passphrase cannot be used. Give the one that it was wrapped with")
	}
	var in io.Reader = bytes.NewReader(wrapped)
	if trimmed := bytes.TrimSpace(wrapped); bytes.HasPrefix(trimmed, []byte(armor.Header)) {
		in = armor.NewReader(bytes.NewReader(trimmed))
	}
	out, err := age.Decrypt(in, id)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, errors.New("the passphrase does not open it. Give the one that it was wrapped with")
	}
	if err != nil {
		return nil, fmt.Errorf("it cannot be unwrapped: %w. Put back your copy of it", err)
	}
	plain, err := io.ReadAll(io.LimitReader(out, maxFile))
	if err != nil {
		return nil, errors.New("it cannot be unwrapped: it was changed or cut. Put back your copy of it")
	}
	return plain, nil
}
