package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// SigningDomain keeps the key of the heads apart from all other uses of the
// installation's key. The number would count up with another kind of key.
const SigningDomain = "audit/head/1"

// A Signer signs the heads of one log, in the form of
// golang.org/x/mod/sumdb/note. It prints nothing of its key, and is safe for
// concurrent use.
type Signer struct {
	verifier note.Verifier
	key      string
	sign     func([]byte) []byte // holds the private key, out of the reach of fmt
}

// NewSigner returns the signer whose Ed25519 key has this seed, which only the
// installation can compute. The same seed always makes the same key, so that
// there is no record of it that could be lost, removed or put in another's place.
func NewSigner(seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("audit: a seed of %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	id := sha256.Sum256(public)
	key, err := note.NewEd25519VerifierKey(fmt.Sprintf("backoffice-%x", id[:4]), public)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return &Signer{verifier: verifier, key: key, sign: func(msg []byte) []byte { return ed25519.Sign(private, msg) }}, nil
}

// Key is the public key, as a verifier key of package note:
// "backoffice-<id>+<hash>+<base64>". Whoever keeps it can check what Signer signed.
func (s *Signer) Key() string { return s.key }

// noteSigner is a Signer as package note takes one.
type noteSigner struct{ *Signer }

func (s noteSigner) Name() string                    { return s.verifier.Name() }
func (s noteSigner) KeyHash() uint32                 { return s.verifier.KeyHash() }
func (s noteSigner) Sign(msg []byte) ([]byte, error) { return s.sign(msg), nil }

func (s *Signer) note(text string) ([]byte, error) {
	b, err := note.Sign(&note.Note{Text: text}, noteSigner{s})
	if err != nil {
		return nil, fmt.Errorf("signing for the audit log: %w", err)
	}
	return b, nil
}

// A Key checks what a Signer signed.
type Key struct{ verifier note.Verifier }

// ParseKey reads the text of Signer.Key. White space around it does not matter.
func ParseKey(s string) (Key, error) {
	v, err := note.NewVerifier(strings.TrimSpace(s))
	if err != nil {
		return Key{}, errors.New("it is no public key of an audit log, which looks like backoffice-1a2b3c4d+5e6f7a8b+ and 44 more characters")
	}
	return Key{v}, nil
}

// Name is the name of the log that the key is for.
func (k Key) Name() string { return k.verifier.Name() }

// open returns the text of a note that this key has signed.
func (k Key) open(msg []byte) (string, error) {
	n, err := note.Open(msg, note.VerifierList(k.verifier))
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		return "", fmt.Errorf("it is not signed with the key %s, but by %s", k.Name(), signers(unknown.Note))
	case err != nil:
		return "", fmt.Errorf("its signature does not hold (%w)", err)
	}
	for _, s := range n.Sigs { // package note overlooks bits that no byte has
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return "", fmt.Errorf("its signature is not as it was written (%w)", err)
		}
	}
	return n.Text, nil
}

func signers(n *note.Note) string {
	var names []string
	for _, s := range n.UnverifiedSigs {
		names = append(names, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return strings.Join(names, ", ")
}
