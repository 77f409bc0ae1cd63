package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"backoffice/internal/errs"
	"backoffice/internal/secret"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	minPassword = 12   // characters
	maxPassword = 1024 // bytes
)

// normalPassword is the form that is hashed: Unicode NFC, as RFC 8265 has it for
// passwords. The same "é" from two keyboards is the same password; nothing else
// is folded, so no strength is lost.
func normalPassword(p secret.Text) secret.Text {
	return secret.NewText(norm.NFC.String(p.Reveal()))
}

// checkNewPassword holds a new password to the policy and to its repetition. The
// fields at fault are password and password2. email is normalised.
func checkNewPassword(email string, password, again secret.Text) error {
	p := normalPassword(password).Reveal()
	first, _ := utf8.DecodeRuneInString(p)
	var bad error
	switch {
	case password.IsZero():
		bad = errs.Field("password", "Choose a password.")
	case len(password.Reveal()) > maxPassword:
		bad = errs.Field("password", fmt.Sprintf("A password has at most %d bytes.", maxPassword))
	case !utf8.ValidString(p):
		bad = errs.Field("password", "The password contains bytes that are no characters.")
	case utf8.RuneCountInString(p) < minPassword:
		bad = errs.Field("password", fmt.Sprintf("A password has at least %d characters. A sentence is fine.", minPassword))
	case strings.Trim(p, string(first)) == "":
		bad = errs.Field("password", "One character repeated is no password. A sentence is fine.")
	case isCommon(p):
		bad = errs.Field("password", "This password is one of the most common ones, which are tried first. Choose another one. A sentence is fine.")
	case email != "" && normalEmail(p) == email:
		bad = errs.Field("password", "The e-mail address is no password. A sentence is fine.")
	}
	if p != normalPassword(again).Reveal() {
		return errors.Join(bad, errs.Field("password2", "The two passwords differ."))
	}
	return bad
}

// params are the cost of argon2id.
type params struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// owasp is the cost that OWASP's password storage cheat sheet recommends, in its
// variant with 19 MiB: two at once still fit a program that stays under 60 MB.
var owasp = params{memory: 19 * 1024, time: 2, threads: 1}

const (
	saltSize = 16
	keySize  = 32
)

// phc is a hash with all that is needed to verify it, in the string format of
// the password hashing competition: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
type phc struct {
	params
	salt, key []byte
}

var phcBase64 = base64.RawStdEncoding.Strict()

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		phcBase64.EncodeToString(h.salt), phcBase64.EncodeToString(h.key))
}

var errPHC = errors.New("stored password hash is damaged")

// parsePHC reads what String wrote, and nothing else. Costs that would stop the
// program are refused: the record would be damaged.
func parsePHC(s string) (phc, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 {
		return phc{}, errPHC
	}
	var h phc
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return phc{}, errPHC
	}
	var err1, err2 error
	h.salt, err1 = phcBase64.DecodeString(part[4])
	h.key, err2 = phcBase64.DecodeString(part[5])
	sane := h.threads >= 1 && h.threads <= 16 && h.time >= 1 && h.time <= 64 &&
		h.memory >= 8*uint32(h.threads) && h.memory <= 1<<20 &&
		len(h.salt) >= 8 && len(h.salt) <= 64 && len(h.key) >= 16 && len(h.key) <= 64
	if err1 != nil || err2 != nil || !sane || h.String() != s {
		return phc{}, errPHC
	}
	return h, nil
}

// weaker reports whether the hash cost less than p asks for.
func (h phc) weaker(p params) bool { return h.memory < p.memory || h.time < p.time }

const (
	hashesAtOnce = 2  // each takes params.memory
	hashesQueued = 64 // waiting or at work: about a second of work
)

// A hasher computes argon2id hashes, a few at once. It is safe for concurrent use.
type hasher struct {
	cost  params
	queue chan struct{}
	slots chan struct{}
	dummy phc // belongs to no account
}

func newHasher(cost params) *hasher {
	return &hasher{
		cost:  cost,
		queue: make(chan struct{}, hashesQueued),
		slots: make(chan struct{}, hashesAtOnce),
		dummy: phc{params: cost, salt: random(saltSize), key: random(keySize)},
	}
}

// random returns n bytes of the system's randomness, which cannot fail.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// key computes the hash of p with h's salt and cost. It waits for its turn; if
// too many wait already, it returns an errs.Unavailable.
func (s *hasher) key(ctx context.Context, h phc, p secret.Text) ([]byte, error) {
	select {
	case s.queue <- struct{}{}:
		defer func() { <-s.queue }()
	default:
		return nil, errs.New(errs.Unavailable, "Too many people are signing in at this moment. Try again in a few seconds.")
	}
	select {
	case s.slots <- struct{}{}:
		defer s.leave()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
	plain := []byte(normalPassword(p).Reveal())
	return argon2.IDKey(plain, h.salt, h.time, h.memory, h.threads, uint32(len(h.key))), nil
}

// leave gives the slot back, and the memory first: the collector alone would let
// the garbage of a few hashes grow to a multiple of what the program needs.
func (s *hasher) leave() {
	debug.FreeOSMemory()
	<-s.slots
}

// hash returns a new hash of p in PHC string format.
func (s *hasher) hash(ctx context.Context, p secret.Text) (string, error) {
	h := phc{params: s.cost, salt: random(saltSize), key: make([]byte, keySize)}
	key, err := s.key(ctx, h, p)
	if err != nil {
		return "", err
	}
	h.key = key
	return h.String(), nil
}

// verify reports whether stored is a hash of p, and whether it should be made
// anew at today's cost. An empty stored means that there is no such account: it
// costs the same and is never right.
func (s *hasher) verify(ctx context.Context, stored string, p secret.Text) (right, stale bool, err error) {
	h, known := s.dummy, stored != ""
	if known {
		if h, err = parsePHC(stored); err != nil {
			return false, false, err
		}
	}
	if len(p.Reveal()) > maxPassword {
		p, known = secret.Text{}, false // none is that long
	}
	key, err := s.key(ctx, h, p)
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(key, h.key) == 1
	return same && known, h.weaker(s.cost), nil
}
