package oauth

import (
	"net/url"
	"strings"
)

// maxQuery bounds the query of a callback, in bytes.
const maxQuery = 32 << 10

// params are the parameters of a callback: of each at most two values, as the
// second is enough to know that it was repeated.
type params map[string][]string

// parseQuery reads a raw query without ever failing: a pair that cannot be
// decoded is kept as it stands.
//
// The values of code and state are kept byte by byte: only %XX is decoded. A
// plus sign in them is a plus sign, although a form would read it as a space:
// providers make codes of base64 and forget to escape it, and a code with a
// space in it does not occur. A trailing = is part of the value.
func parseQuery(raw string) params {
	p := params{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = decode(name, url.QueryUnescape)
		unescape := url.QueryUnescape
		if name == "code" || name == "state" {
			unescape = url.PathUnescape
		}
		if len(p[name]) < 2 {
			p[name] = append(p[name], decode(value, unescape))
		}
	}
	return p
}

func decode(s string, unescape func(string) (string, error)) string {
	if plain, err := unescape(s); err == nil {
		return plain
	}
	return s
}

// one returns the value of a parameter, "" if it is absent. ok is false if it
// is there more than once, which RFC 6749 section 3.1 forbids.
func (p params) one(name string) (value string, ok bool) {
	switch v := p[name]; len(v) {
	case 0:
		return "", true
	case 1:
		return v[0], true
	}
	return "", false
}
