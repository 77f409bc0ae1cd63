package outside

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"backoffice/internal/errs"
)

// Where the addresses of a check are: beside those that providers get, because
// proxies route by their beginnings.
const (
	CallbackPath = "/auth/outside-in/callback"
	WebhookPath  = "/webhooks/outside-in"
)

// A nonce travels twice, so that losing a header or the query is seen and named
// instead of losing the request.
const (
	nonceHeader  = "X-Outside-In"
	nonceParam   = "check" // of the webhook address
	stateParam   = "state" // of the callback address, as providers send it
	sigHeader    = "X-Hub-Signature-256"
	nonceLife    = 10 * time.Minute
	nonceRandom  = 16
	nonceSigning = 16
)

var nonceText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newNonce is random and signed, so that a forged one costs no look at what is
// outstanding.
func (c *Checker) newNonce() string {
	b := make([]byte, nonceRandom, nonceRandom+nonceSigning)
	_, _ = rand.Read(b) // it never fails; see crypto/rand
	return nonceText.EncodeToString(append(b, c.sign("nonce", b)[:nonceSigning]...))
}

func (c *Checker) signed(nonce string) bool {
	b, err := nonceText.DecodeString(nonce)
	if err != nil || len(b) != nonceRandom+nonceSigning {
		return false
	}
	return hmac.Equal(b[nonceRandom:], c.sign("nonce", b[:nonceRandom])[:nonceSigning])
}

func (c *Checker) sign(purpose string, b []byte) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte(purpose + "\x00"))
	m.Write(b)
	return m.Sum(nil)
}

// answerFor is what this instance, and no other, answers to a nonce.
func (c *Checker) answerFor(nonce string) string {
	return hex.EncodeToString(c.sign("answer", []byte(nonce)))
}

// signature is a header as providers sign notifications with.
func (c *Checker) signature(nonce string) string {
	return "sha256=" + hex.EncodeToString(c.sign("signature", []byte(nonce)))
}

// Nonce returns the nonce that a request carries, if this program signed it. It
// looks at nothing else, and never at the body.
func (c *Checker) Nonce(h http.Header, rawQuery string) (string, bool) {
	if n := h.Get(nonceHeader); c.signed(n) {
		return n, true
	}
	if rawQuery == "" {
		return "", false
	}
	q, _ := url.ParseQuery(rawQuery) // what can be read of it is enough
	for _, name := range []string{stateParam, nonceParam} {
		if n := q.Get(name); c.signed(n) {
			return n, true
		}
	}
	return "", false
}

// errNothing is the one answer for a nonce that is missing, forged, used,
// expired or somebody else's.
var errNothing = errs.New(errs.NotFound, "There is no page at this address. It may have moved, or the link is mistyped.")

// Unknown is the error for a request without a nonce: NotFound, or TooMany if
// there are many of them.
func (c *Checker) Unknown() error {
	if !c.guesses.AllowN(c.now(), 1) {
		return errs.New(errs.TooMany, "Too many requests to this address. Try again in a minute.")
	}
	return errNothing
}

// Claim uses up the nonce of a request with this method. visitor is the session
// of whoever sent it, "" for nobody. A nonce can be claimed once, before it
// expires, and that of a visit only by the session that began it; any other
// claim is NotFound, and uses nothing up.
func (c *Checker) Claim(nonce, method, visitor string) (*Ticket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.outstanding[nonce]
	switch {
	case !ok, !c.now().Before(t.run.expires), t.run.visitor != "" && t.run.visitor != visitor:
		return nil, errNothing
	case t.path() == CallbackPath && method != http.MethodGet: // a preview must not use it up
		return nil, errNothing
	}
	delete(c.outstanding, nonce)
	return t, nil
}

// A Ticket is a claimed nonce: one request of a check that is about to be seen.
type Ticket struct {
	c     *Checker
	run   *run
	leg   leg
	nonce string
}

// path is where the request was sent.
func (t *Ticket) path() string {
	if t.leg == head || t.leg == posting || t.leg == small {
		return WebhookPath
	}
	return CallbackPath
}

// At reports whether the ticket's request was sent to this path.
func (t *Ticket) At(path string) bool { return t.path() == path }

// MaxBody is the most that a request of a check may have in its body.
const MaxBody = 64 << 10
