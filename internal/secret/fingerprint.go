package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// A Fingerprint is a keyed HMAC of a value, cut to twelve hex digits: it tells
// whether two values are the same without showing either. The key belongs to
// this installation, so a fingerprint says nothing to anybody else, and cannot
// be looked up in a table of guesses. With 48 bits, two different values share
// one by chance about once in 2^48 pairs: good for people, too short to bind a
// decision to; that is what MAC is for.
type Fingerprint string

// fingerprintDigits is the length of a Fingerprint.
const fingerprintDigits = 12

// String groups the digits for reading: "9c41 e07b 5d2f".
func (f Fingerprint) String() string {
	if len(f) != fingerprintDigits {
		return string(f)
	}
	return string(f[:4] + " " + f[4:8] + " " + f[8:])
}

// Fingerprint returns the code of value. The same value has the same code all
// over this installation, under any key name and after any key rotation.
func (b *Box) Fingerprint(value string) Fingerprint {
	return Fingerprint(hex.EncodeToString(b.MAC("fingerprint", []byte(value))[:fingerprintDigits/2]))
}

// MAC returns 32 bytes that only this installation can compute over data. The
// domain keeps the uses of the key apart.
func (b *Box) MAC(domain string, data []byte) []byte {
	h := hmac.New(sha256.New, b.macKey)
	h.Write([]byte(domain))
	h.Write([]byte{0})
	h.Write(data)
	return h.Sum(nil)
}
