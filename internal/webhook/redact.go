package webhook

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"backoffice/internal/connector"
)

// How much of the headers of a request is kept.
const (
	maxHeaders     = 60
	maxSchemeLines = 8   // of the headers of the scheme
	maxHeaderName  = 100 // bytes
	maxHeaderValue = 500 // characters
)

// What a header is called that carries a credential, or a signature of a scheme
// that is not the connector's and so may be of anything.
var credentialNames = []string{"auth", "cookie", "token", "secret", "key", "passw", "pwd", "credential", "session", "jwt", "signature", "hmac", "assertion"}

// What is a credential wherever it stands: in an address that a proxy passed on, say,
// or a JSON web token.
var credentialValue = regexp.MustCompile(`(?i)\b(bearer|basic)\s+\S|(token|secret|key|password|passwd|signature|code)=|://[^/\s]*:[^/\s]*@|\beyJ[\w-]+\.eyJ`)

// Redact returns the headers that may be kept and shown, by name. Those of the
// scheme are kept as they came, however many others there are: their signatures
// are no secret to who knows the body, and an explanation reads them again. What
// carries a credential, by its name or its looks, keeps its name only.
func Redact(w *connector.Webhooks, h http.Header) []Header {
	var out, others []Header
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			switch {
			case !ofScheme(w, name):
				if len(others) < maxHeaders {
					others = append(others, redact(name, value))
				}
			case len(out) < maxSchemeLines:
				out = append(out, Header{Name: cutText(name, maxHeaderName), Value: ofSchemeValue(value)})
			}
		}
	}
	out = append(out, others[:min(len(others), maxHeaders-len(out))]...)
	slices.SortStableFunc(out, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func redact(name, value string) Header {
	line := Header{Name: cutText(name, maxHeaderName)}
	if namesCredential(name) || holdsCredential(value) {
		line.Redacted = true
		return line
	}
	line.Value = cutText(value, maxHeaderValue)
	return line
}

// ofSchemeValue keeps what cannot be seen, because it makes a signature malformed,
// and one byte more than a header may have, because that does too.
func ofSchemeValue(value string) string {
	return strings.ToValidUTF8(value[:min(len(value), maxHeader+1)], "\ufffd")
}

// commonNames are headers that hold none, so that nothing is looked for in the
// names that each notification has.
var commonNames = map[string]bool{"Accept": true, "Accept-Encoding": true, "Connection": true, "Content-Length": true, "Content-Type": true, "User-Agent": true,
	"Traceparent": true, "X-Forwarded-For": true, "X-Forwarded-Host": true, "X-Forwarded-Proto": true, "X-Real-Ip": true}

func namesCredential(name string) bool { return !commonNames[name] && soundsSecret(name) }

func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(credentialNames, func(word string) bool { return strings.Contains(name, word) })
}

// holdsCredential asks the expression only about what it could match: it is run
// for every header of every notification.
func holdsCredential(value string) bool {
	return (strings.ContainsAny(value, "=@ ") || strings.Contains(value, "eyJ")) && credentialValue.MatchString(value)
}

// ofScheme reports whether the definition names the header.
func ofScheme(w *connector.Webhooks, name string) bool {
	return slices.ContainsFunc(w.Signatures, func(s connector.Signature) bool {
		return strings.EqualFold(s.Header, name) || s.Timestamp != nil && strings.EqualFold(s.Timestamp.Header, name)
	})
}

// cutText takes out what cannot be shown and shortens the rest.
func cutText(s string, limit int) string {
	if len(s) <= limit && printable(s) {
		return s
	}
	if len(s) > limit*utf8.UTFMax {
		s = s[:limit*utf8.UTFMax]
	}
	s = strings.Map(shown, s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// printable reports whether a text is of ASCII that can be shown, as nearly all are.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
