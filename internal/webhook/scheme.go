package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// What a header may hold before anything of it is decoded. A list of eight
// SHA-512 signatures has room in it.
const (
	maxHeader     = 2048 // bytes
	maxSignatures = 8    // of one name in a list
	maxStamp      = 11   // digits of a time in unix seconds
)

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// sizes are the lengths of the digests in bytes.
var sizes = map[string]int{"sha1": sha1.Size, "sha256": sha256.Size, "sha512": sha512.Size}

// The placeholders of what is signed.
const (
	bodyMark  = "{body}"
	stampMark = "{timestamp}"
)

// A presented is what a request says in the header of one signature.
type presented struct {
	digests [][]byte  // any of them may hold
	stamp   string    // the time as it stands there, digits only; "" if the scheme has none
	at      time.Time // the same
}

// present reads the header of s. Absent means that it is not there at all; not
// ok that it is, in another form than the definition's.
func present(s connector.Signature, h http.Header) (p presented, absent, ok bool) {
	lines := headerLines(h, s.Header)
	if len(lines) == 0 {
		return p, true, false
	}
	if len(lines) > 1 || len(lines[0]) > maxHeader {
		return p, false, false
	}
	texts, items := []string{lines[0]}, map[string][]string(nil)
	if s.Item != "" || s.Timestamp != nil && s.Timestamp.Item != "" {
		if items, ok = listItems(lines[0]); !ok {
			return p, false, false
		}
		texts = items[s.Item]
	}
	if len(texts) == 0 || len(texts) > maxSignatures {
		return p, false, false
	}
	for _, text := range texts {
		digest, ok := decodeDigest(s, text)
		if !ok {
			return p, false, false
		}
		p.digests = append(p.digests, digest)
	}
	if s.Timestamp != nil {
		if p.stamp, p.at, ok = stampOf(*s.Timestamp, h, items); !ok {
			return p, false, false
		}
	}
	return p, false, true
}

// headerLines are the lines of a header, however its name is written.
func headerLines(h http.Header, name string) (lines []string) {
	for key, values := range h {
		if strings.EqualFold(key, name) {
			lines = append(lines, values...)
		}
	}
	return lines
}

// listItems reads "t=1,v1=ab,v1=cd". Items of other names are of no interest.
func listItems(line string) (map[string][]string, bool) {
	items := map[string][]string{}
	for part := range strings.SplitSeq(line, ",") {
		name, value, ok := strings.Cut(strings.Trim(part, " \t"), "=")
		if !ok {
			return nil, false
		}
		items[name] = append(items[name], value)
	}
	return items, true
}

// decodeDigest decodes one signature: the prefix as it is, hex in lower case,
// base64 with its padding, and exactly the length of the algorithm.
func decodeDigest(s connector.Signature, text string) ([]byte, bool) {
	text, ok := strings.CutPrefix(text, s.Prefix)
	size := sizes[s.Algorithm]
	if !ok || size == 0 || len(text) != encodedLen(s.Encoding, size) {
		return nil, false
	}
	if s.Encoding == "base64" {
		digest, err := base64.StdEncoding.Strict().DecodeString(text)
		return digest, err == nil && len(digest) == size
	}
	digest, err := hex.DecodeString(text)
	return digest, err == nil && strings.ToLower(text) == text
}

func encodedLen(encoding string, size int) int {
	if encoding == "base64" {
		return base64.StdEncoding.EncodedLen(size)
	}
	return hex.EncodedLen(size)
}

func encodeDigest(encoding string, digest []byte) string {
	if encoding == "base64" {
		return base64.StdEncoding.EncodeToString(digest)
	}
	return hex.EncodeToString(digest)
}

// stampOf finds the time of a signature, which must stand there once.
func stampOf(t connector.Timestamp, h http.Header, items map[string][]string) (string, time.Time, bool) {
	texts := items[t.Item]
	if t.Header != "" {
		texts = headerLines(h, t.Header)
	}
	if len(texts) != 1 {
		return "", time.Time{}, false
	}
	at, ok := parseStamp(texts[0])
	return texts[0], at, ok
}

// parseStamp reads unix seconds: digits and nothing else.
func parseStamp(s string) (time.Time, bool) {
	if s == "" || len(s) > maxStamp || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0).UTC(), err == nil
}

// content is what is signed, in pieces, so that the body is never copied. It
// always has the body in it: a scheme that says nothing signs the body.
func content(signed, stamp string, body []byte) [][]byte {
	if !strings.Contains(signed, bodyMark) {
		return [][]byte{body}
	}
	var parts [][]byte
	for signed != "" {
		i := strings.IndexByte(signed, '{')
		if i < 0 {
			return append(parts, []byte(signed))
		}
		if i > 0 {
			parts, signed = append(parts, []byte(signed[:i])), signed[i:]
		}
		switch {
		case strings.HasPrefix(signed, bodyMark):
			parts, signed = append(parts, body), signed[len(bodyMark):]
		case strings.HasPrefix(signed, stampMark):
			parts, signed = append(parts, []byte(stamp)), signed[len(stampMark):]
		default:
			parts, signed = append(parts, []byte("{")), signed[1:]
		}
	}
	return parts
}

// sum is the HMAC of a content.
func sum(algorithm string, key secret.Text, parts [][]byte) []byte {
	mac := hmac.New(hashes[algorithm], []byte(key.Reveal()))
	for _, part := range parts {
		_, _ = mac.Write(part)
	}
	return mac.Sum(nil)
}

// holds reports whether one of the digests is the one that was computed. Each
// is compared in constant time.
func (p presented) holds(computed []byte) bool {
	return slices.ContainsFunc(p.digests, func(d []byte) bool { return hmac.Equal(d, computed) })
}

// Sign returns the headers of a notification with this body as s says that they
// are made. A scheme without a time ignores at. It is for notifications that this
// program sends itself.
func Sign(s connector.Signature, key secret.Text, body []byte, at time.Time) http.Header {
	h := http.Header{}
	stamp := strconv.FormatInt(at.Unix(), 10)
	text := s.Prefix + encodeDigest(s.Encoding, sum(s.Algorithm, key, content(s.Signed, stamp, body)))
	if s.Item != "" {
		text = s.Item + "=" + text
	}
	if t := s.Timestamp; t != nil && t.Item != "" {
		text = t.Item + "=" + stamp + "," + text
	} else if t != nil {
		h.Set(t.Header, stamp)
	}
	h.Set(s.Header, text)
	return h
}
