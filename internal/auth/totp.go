package auth

import (
	"crypto/hmac"
	"crypto/sha1" // what authenticator apps do; HMAC does not need its collision resistance
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Codes of an app are RFC 6238 with what every app understands: SHA-1, six
// digits, thirty seconds.
const (
	codePeriod = 30 * time.Second
	codeDigits = 6
	codeSkew   = 1  // steps before and after that are accepted, for clocks that differ
	factorSize = 20 // bytes of the shared secret: as many as the hash has, RFC 4226 section 4
)

// stepAt is the number of the period that t is in.
func stepAt(t time.Time) int64 { return t.Unix() / int64(codePeriod/time.Second) }

// codeAt is the code of one step.
func codeAt(key []byte, step int64) string {
	var msg [8]byte
	binary.BigEndian.PutUint64(msg[:], uint64(step))
	mac := hmac.New(sha1.New, key)
	mac.Write(msg[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, n%1_000_000)
}

// stepOf is the step near now whose code is the one given, if there is one. It
// looks at all of them, whichever it is.
func stepOf(key []byte, code string, now time.Time) (step int64, ok bool) {
	for s := stepAt(now) - codeSkew; s <= stepAt(now)+codeSkew; s++ {
		if subtle.ConstantTimeCompare([]byte(codeAt(key, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

var factorBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// otpauth is the address that apps read from a QR code.
func otpauth(key []byte, issuer, email string) string {
	q := url.Values{"secret": {factorBase32.EncodeToString(key)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+email) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
