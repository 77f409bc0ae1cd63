package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"backoffice/internal/errs"
	"backoffice/internal/secret"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// maxRecipients is how many may be named; each costs a hundred bytes an entry.
const maxRecipients = 10

// sealedSecrets is what is inside of Row.Sealed. Anybody can seal to a recipient,
// so this does not prove who wrote a file; Beside keeps the secrets of one entry
// from being opened as those of another, or beside other values.
type sealedSecrets struct {
	Entry  string            `json:"entry"`
	Beside string            `json:"beside"` // SHA-256 of the row without what is sealed
	Values map[string]Scalar `json:"values"`
}

// ParseRecipients reads age recipients, separated by white space or commas. It
// returns an errs.Field on "recipients".
func ParseRecipients(text string) ([]age.Recipient, []string, error) {
	words := recipientWords(text)
	slices.Sort(words)
	words = slices.Compact(words)
	if len(words) > maxRecipients {
		return nil, nil, errs.Field("recipients", fmt.Sprintf("These are %d recipients; a file takes %d. Leave some out.", len(words), maxRecipients))
	}
	var out []age.Recipient
	for _, w := range words {
		if strings.HasPrefix(strings.ToUpper(w), "AGE-SECRET-KEY-") {
			return nil, nil, errs.Field("recipients", "This is a private key of age. Whoever has it opens the file: keep it to yourself. The recipient that belongs to it begins with age1; age-keygen -y prints it.")
		}
		var r age.Recipient
		var err error
		if strings.HasPrefix(w, "age1pq1") {
			r, err = age.ParseHybridRecipient(w)
		} else {
			r, err = age.ParseX25519Recipient(w)
		}
		if err != nil {
			return nil, nil, errs.Field("recipients", notRecipient(w))
		}
		out = append(out, r)
	}
	return out, words, nil
}

// notRecipient quotes only what was meant as a recipient: anything may have been
// pasted there.
func notRecipient(w string) string {
	which := "There is something that"
	if strings.HasPrefix(w, "age1") {
		which = fmt.Sprintf("%q", cut(w))
	}
	return which + " is no age recipient. One begins with age1 and has 62 characters. The page Import of the other instance shows its own."
}

// MeantAsRecipients is what of a text may be shown again in a form for recipients.
func MeantAsRecipients(text string) string {
	for _, w := range recipientWords(text) {
		if !strings.HasPrefix(w, "age1") {
			return ""
		}
	}
	return text
}

func recipientWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \n\r\t", r) })
}

func cut(s string) string {
	if r := []rune(s); len(r) > 70 {
		return string(r[:70]) + "…"
	}
	return s
}

// digest is SHA-256 over what of the row can be read without a key.
func (r Row) digest() (string, error) {
	r.Sealed = ""
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encoding a row: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// seal puts values into the row for to.
func (r *Row) seal(values map[string]Scalar, to []age.Recipient) error {
	beside, err := r.digest()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(sealedSecrets{r.ID, beside, values})
	if err != nil {
		return fmt.Errorf("encoding the secrets of %s: %w", r.ID, err)
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = errors.Join(w.Close(), a.Close())
	}
	r.Sealed = out.String()
	return err
}

// errOtherKey says that none of the identities opens a row.
var errOtherKey = errors.New("sealed to another recipient")

// open returns the secrets of the row. It returns errOtherKey, or an error
// that says what is wrong with what is sealed.
func (r Row) open(with []age.Identity) (map[string]Scalar, error) {
	if r.Sealed == "" {
		return nil, nil
	}
	plain, err := age.Decrypt(armor.NewReader(strings.NewReader(r.Sealed)), with...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errOtherKey
	}
	if err != nil {
		return nil, errors.New("what is sealed is damaged")
	}
	b, err := io.ReadAll(io.LimitReader(plain, MaxFile))
	if err != nil {
		return nil, errors.New("what is sealed is damaged")
	}
	var in sealedSecrets
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, errors.New("what is sealed is not of this format")
	}
	beside, err := r.digest()
	if err != nil {
		return nil, err
	}
	if in.Entry != r.ID {
		return nil, fmt.Errorf("what is sealed belongs to %s", cut(in.Entry))
	}
	if in.Beside != beside {
		return nil, errors.New("the row was changed after its secrets were sealed")
	}
	return in.Values, nil
}

// identities are what may open a file: this instance's own, and one that was
// typed. It returns an errs.Field on "identity".
func (s *Service) identities(typed secret.Text) ([]age.Identity, error) {
	own := []age.Identity{s.own}
	text := strings.TrimSpace(typed.Reveal())
	if text == "" {
		return own, nil
	}
	more, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, errs.Field("identity", "This is no age identity. One begins with AGE-SECRET-KEY-1. Leave the field empty if the file was sealed to this instance.")
	}
	return append(own, more...), nil
}
