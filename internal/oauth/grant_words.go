package oauth

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"backoffice/internal/connector"
)

// classifyProbe sorts the answer to a probe. A list may be an array.
func classifyProbe(got *capture, a answer) class {
	c := classifyIdentity(got, a)
	if c == noToken && a.form == formOther {
		return issued
	}
	return c
}

// bracketed is what stands in brackets or quotes: that is how refusals name a scope.
var bracketed = regexp.MustCompile("[(\\[]([^()\\[\\]]{1,100})[)\\]]|\"([^\"]{1,100})\"|“([^“”]{1,100})”|'([^']{1,100})'|`([^`]{1,100})`")

// namedPermissions are the permissions of the definition that a refusal names: in
// brackets or quotes by any of their names, anywhere by a machine name that is no
// common word, or in the challenge of RFC 6750 section 3. others reports whether
// something that is none of them stands where the name is expected.
func namedPermissions(def *connector.Definition, h http.Header, a answer) (named []string, others bool) {
	words := a.code + " " + a.description
	add := func(name string) bool {
		p, ok := def.Permission(strings.TrimSpace(name))
		if ok && !slices.Contains(named, p.ID()) {
			named = append(named, p.ID())
		}
		return ok
	}
	for _, m := range bracketed.FindAllStringSubmatch(words, -1) {
		inner := strings.Join(m[1:], "")
		if add(inner) {
			continue
		}
		for _, word := range splitScopes(inner, ",") {
			if !add(word) && machineName(word) {
				others = true
			}
		}
	}
	for _, p := range def.Permissions {
		if machineName(p.Name) && standsIn(words, p.Name) {
			add(p.Name)
		}
	}
	for _, word := range snakes.FindAllString(a.description, -1) {
		word = strings.TrimRight(word, ".:/-")
		if _, known := def.Permission(word); !known && !aboutScopes(word) {
			others = true
		}
	}
	for _, name := range challenged(h) {
		if !add(name) {
			others = true
		}
	}
	return named, others
}

// snakes are words that look as names of scopes do, wherever they stand: with an
// underscore in them.
var snakes = regexp.MustCompile(`[A-Za-z0-9.:/-]+_[A-Za-z0-9_.:/-]+`)

// aboutScopes reports whether such a word is the code of a refusal, as
// insufficient_scope, and no name.
func aboutScopes(word string) bool {
	word = strings.ToLower(word)
	return strings.Contains(word, "insufficient") || strings.Contains(word, "missing") || strings.Contains(word, "permission") || strings.HasPrefix(word, "required_")
}

// machineName reports whether a name is no common word.
func machineName(s string) bool { return strings.ContainsAny(s, "_.:/") }

// standsIn reports whether name stands in text as a word of its own.
func standsIn(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	part := func(s string, i int) bool {
		return i >= 0 && i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9' || strings.IndexByte("_:/-", s[i]) >= 0)
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		longer := end+1 < len(text) && text[end] == '.' && part(text, end+1) // a full stop ends a sentence, not a name
		if !part(text, i-1) && !(i > 0 && text[i-1] == '.') && !part(text, end) && !longer {
			return true
		}
		from = i + 1
	}
}

var challengeScope = regexp.MustCompile(`(?i)\bscope="([^"]{1,500})"`)

// challenged are the scopes that a WWW-Authenticate header asks for.
func challenged(h http.Header) (out []string) {
	for _, v := range h.Values("WWW-Authenticate") {
		for _, m := range challengeScope.FindAllStringSubmatch(v, -1) {
			out = append(out, strings.Fields(m[1])...)
		}
	}
	return out
}

// splitScopes reads a list of scopes: RFC 6749 puts spaces between them, providers
// also what they take in a request, or commas.
func splitScopes(text, delimiter string) (out []string) {
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || strings.ContainsRune(delimiter, c) }) {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// maxListed bounds the scopes of a token answer that are kept.
const maxListed = 100

// tokenGrants is what a token answer says about scopes. One that has no scope
// member grants what was asked for (RFC 6749 section 5.1), if scopes were sent; one
// whose scope is empty says nothing that can be read.
func (r *run) tokenGrants(a answer, step int) (out []Grant) {
	asked := r.def.Asked(r.version.Scopes)
	id := func(name string) string {
		if p, ok := r.def.Permission(name); ok {
			return p.ID()
		}
		return cut(r.scrub.foreign(name), maxScope)
	}
	listed := splitScopes(a.scope, r.def.OAuth.ScopeDelimiter)
	if len(listed) > maxListed {
		listed = listed[:maxListed]
	}
	switch {
	case len(listed) == 0 && !a.scopeTold:
		for _, name := range asked {
			out = append(out, Grant{Permission: id(name), State: Granted, Basis: Standard, Step: step,
				Evidence: "The token answer names no scopes. That means those that were asked for (RFC 6749 section 5.1)."})
		}
		return out
	case len(listed) == 0:
		for _, name := range asked {
			out = append(out, Grant{Permission: id(name), Step: step, Evidence: "The token answer has an empty list of scopes, which says nothing."})
		}
		return out
	}
	has := map[string]bool{}
	for _, name := range listed {
		has[id(name)] = true
		if name := id(name); name != "" {
			out = append(out, Grant{Permission: name, State: Granted, Basis: Listed, Step: step, Evidence: "The token answer lists it among its scopes."})
		}
	}
	for _, name := range asked {
		if !has[id(name)] {
			out = append(out, Grant{Permission: id(name), State: Refused, Basis: Listed, Step: step,
				Evidence: "It was asked for, and the token answer lists the scopes of the token without it."})
		}
	}
	return out
}

// maxScope is how much of a foreign name of a scope is kept, in characters.
const maxScope = 100
