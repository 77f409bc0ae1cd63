package oauth

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
)

// minInside is how long a part of base64 must be to be told from other text.
const minInside = 8

// spellings are the ways in which an answer may repeat v: as it is, escaped for
// an address, a page or JSON, and in base64 or hex. None is empty.
func spellings(v string) (out []string) {
	if v == "" {
		return nil
	}
	quoted, _ := json.Marshal(v) // a string always has JSON
	out = []string{v, url.QueryEscape(v), url.PathEscape(v), url.QueryEscape(url.QueryEscape(v)), html.EscapeString(v),
		strings.Trim(string(quoted), `"`), slashed(v), hex.EncodeToString([]byte(v)),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.RawStdEncoding.EncodeToString([]byte(v)),
		base64.URLEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte(v))}
	return append(out, inside(v)...)
}

// slashed is JSON as some encoders write it, with every slash escaped.
func slashed(v string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`).Replace(v)
}

// inside is what base64 of a longer text that v is a part of has of v, at each
// of the three places where v can begin; "id:secret" of a Basic header is one.
func inside(v string) (out []string) {
	for shift := range 3 {
		first, end := (shift*8+5)/6, (shift+len(v))*8/6 // characters that v alone decides
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if s := enc.EncodeToString(append(make([]byte, shift), v...)); end-first >= minInside {
				out = append(out, s[first:end])
			}
		}
	}
	return out
}
