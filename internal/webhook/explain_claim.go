package webhook

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"backoffice/internal/connector"
)

// A claim is a digest that a header may mean, however it is written.
type claim struct {
	header    string               // as the definition writes it, or as it came
	scheme    *connector.Signature // whose header it is; nil if the definition does not name it
	before    string               // what stands before the digest: "sha256=", "v1="
	encoding  string               // in words
	algorithm string               // by the length
	alone     bool                 // the header has nothing else in it, and stands there once
	digest    []byte
}

// The encodings in the words of an explanation.
const (
	inHex      = "hex"
	inCapitals = "hex in capitals"
	inBase64   = "base64"
	inUnpadded = "base64 without padding"
	inURLSafe  = "URL-safe base64"
)

// claims finds all digests in the headers of the definition and, if none of
// those came, in others that are called signature.
func claims(w *connector.Webhooks, req Request) (out []claim) {
	for i := range w.Signatures {
		s := &w.Signatures[i]
		lines := headerLines(req.Header, s.Header)
		out = append(out, claimsIn(claim{header: s.Header, scheme: s, alone: len(lines) == 1}, lines)...)
	}
	if !signed(w, req) {
		for _, name := range otherHeaders(req) {
			lines := req.Header[name]
			out = append(out, claimsIn(claim{header: cutText(name, maxHeaderName), alone: len(lines) == 1}, lines)...)
		}
	}
	return out[:min(len(out), maxClaims)]
}

// signed reports whether a header of the definition came at all.
func signed(w *connector.Webhooks, req Request) bool {
	return slices.ContainsFunc(w.Signatures, func(s connector.Signature) bool { return len(headerLines(req.Header, s.Header)) > 0 })
}

func otherHeaders(req Request) (names []string) {
	for name := range req.Header {
		if mayCarry(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxClaims)]
}

// mayCarry reports whether a header is called as those that carry signatures.
func mayCarry(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "signature") || strings.Contains(lower, "hmac")
}

// claimsIn reads each line as a whole and as a list.
func claimsIn(c claim, lines []string) (out []claim) {
	for _, line := range lines[:min(len(lines), maxClaims)] {
		line = strings.TrimSpace(cutLine(line))
		if found, ok := c.read(line); ok {
			out = append(out, found)
			continue
		}
		c.alone = false
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",; \t", r) }) {
			if found, ok := c.read(part); ok {
				out = append(out, found)
			}
		}
	}
	return out
}

// read takes a text as a digest, perhaps behind a name.
func (c claim) read(text string) (claim, bool) {
	for _, mark := range []string{"", "=", ":"} {
		before, rest := "", text
		if mark != "" {
			name, value, ok := strings.Cut(text, mark)
			if !ok || len(name) > 20 {
				continue
			}
			before, rest = name+mark, value
		}
		if strings.HasPrefix(rest, `"`) {
			before, rest = before+`"`, strings.Trim(rest, `"`)
		}
		if digest, encoding := anyDigest(rest); digest != nil {
			c.before, c.encoding, c.digest = before, encoding, digest
			c.algorithm = algorithmOf(len(digest))
			return c, true
		}
	}
	return c, false
}

func algorithmOf(size int) string {
	for name, n := range sizes {
		if n == size {
			return name
		}
	}
	return ""
}

// anyDigest decodes a text that has the length of a digest in one of the encodings.
func anyDigest(text string) ([]byte, string) {
	if digest, err := hex.DecodeString(text); err == nil && algorithmOf(len(digest)) != "" {
		if strings.ToLower(text) != text {
			return digest, inCapitals
		}
		return digest, inHex
	}
	bare := strings.TrimRight(text, "=")
	for _, e := range []struct {
		words    string
		encoding *base64.Encoding
	}{{inBase64, base64.RawStdEncoding}, {inURLSafe, base64.RawURLEncoding}} {
		digest, err := e.encoding.DecodeString(bare)
		switch {
		case err != nil || algorithmOf(len(digest)) == "":
		case e.words == inBase64 && len(text)%4 != 0:
			return digest, inUnpadded
		default:
			return digest, e.words
		}
	}
	return nil, ""
}
