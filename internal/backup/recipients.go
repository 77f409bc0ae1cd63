package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipients are the public keys that archives are encrypted to. With none, they
// are not encrypted.
type Recipients struct {
	names []string
	keys  []age.Recipient
}

// ParseRecipients reads age public keys, as age1….
func ParseRecipients(list []string) (r Recipients, err error) {
	for _, s := range list {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
			return Recipients{}, errors.New("it has a secret key of age, which must not be here: whoever reads it opens your backups. Give its public key, which age-keygen -y prints")
		}
		found, err := age.ParseRecipients(strings.NewReader(s))
		if err != nil || len(found) != 1 {
			return Recipients{}, fmt.Errorf("%q is no public key of age. Make one with age-keygen, which prints it: it begins with age1", s)
		}
		r.names, r.keys = append(r.names, s), append(r.keys, found[0])
	}
	return r, nil
}

// Names are the public keys, as they were given. The slice belongs to the caller.
func (r Recipients) Names() []string { return append([]string{}, r.names...) }

// Encrypt reports whether there are any.
func (r Recipients) Encrypt() bool { return len(r.keys) > 0 }

// An Identity opens what was encrypted to its public key.
type Identity = age.Identity

// ReadIdentities reads a file of age's secret keys, as age-keygen writes it. Its
// errors quote nothing of it.
func ReadIdentities(name string) ([]Identity, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s has no secret keys of age, one a line, as age-keygen writes them", name)
	}
	return ids, nil
}

// ageMark begins every file of age.
const ageMark = "age-encryption.org/"

// ErrIdentity is wrapped by errors about an archive that the identities at hand do
// not open.
var ErrIdentity = errors.New("the archive is encrypted")

// decrypt is r in the clear.
func decrypt(r io.Reader, ids []Identity) (io.Reader, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w, and no secret key was given. Name the file with it: --identity", ErrIdentity)
	}
	clear, err := age.Decrypt(r, ids...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%w, and not to the secret key that was given. Use the one that belongs to a --backup-recipient of then", ErrIdentity)
	case err != nil:
		return nil, faultf("its encryption is damaged: %v", err)
	}
	return clear, nil
}
