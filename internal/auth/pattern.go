package auth

import (
	"regexp"
	"strings"

	"backoffice/internal/errs"
)

// A Pattern says which entries somebody's role is for: ids, with * for any run of
// characters, separated by spaces, as in "acme:* globex:intercom". The empty one
// is all entries.
type Pattern string

const (
	maxPatterns   = 20
	maxPatternLen = 200 // bytes of one
)

// patternPart is what an id may have in it, and the star.
var patternPart = regexp.MustCompile(`^[A-Za-z0-9_.:*-]+$`)

var (
	errRole         = errs.Field("role", "There is no such role. Choose one of the list.")
	errLimitedOwner = errs.Field("entries", "An owner is for all entries. Choose another role, or leave this empty.")
)

// NewPattern is the pattern that somebody typed, with single spaces. Commas
// separate as well.
func NewPattern(s string) Pattern {
	return Pattern(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }), " "))
}

// All reports whether there is no limit.
func (p Pattern) All() bool { return p == "" }

// Covers reports whether an entry's id is one of those that p means.
func (p Pattern) Covers(id string) bool {
	if p.All() {
		return true
	}
	for one := range strings.FieldsSeq(string(p)) {
		if matches(one, id) {
			return true
		}
	}
	return false
}

// Within reports whether whatever p covers, q covers too.
func (p Pattern) Within(q Pattern) bool {
	if q.All() || p.All() {
		return q.All()
	}
	for one := range strings.FieldsSeq(string(p)) {
		if !q.Covers(one) { // a star of p is a character that only a star of q takes
			return false
		}
	}
	return true
}

func (p Pattern) check() error {
	parts := strings.Fields(string(p))
	if len(parts) > maxPatterns {
		return errs.Field("entries", "At most 20 patterns. A star stands for many ids: acme:*.")
	}
	for _, one := range parts {
		if len(one) > maxPatternLen || !patternPart.MatchString(one) {
			return errs.Field("entries", "A pattern is an id in which * stands for anything, for example acme:*. Separate several by spaces.")
		}
	}
	return nil
}

// matches reports whether pattern, in which * is any run of characters, is the
// whole of s. It goes back to the last star only, so its work is bounded by the
// product of the lengths.
func matches(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
