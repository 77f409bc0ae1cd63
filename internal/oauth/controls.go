package oauth

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// The controls are values that cannot be right and look as if they could: a
// server that only checks the form of a value must not tell them from the real
// one. So they keep its length, its alphabet, its beginning and its separators.

const (
	digits = "0123456789"
	lowers = "abcdefghijklmnopqrstuvwxyz"
	uppers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// corrupted returns a copy of a secret that is wrong in the middle of its longest
// part: what stands around that, a prefix or the fixed digits of a UUID, stays.
func corrupted(secret string) string {
	runes := []rune(secret)
	from := 0
	if strings.HasPrefix(secret, "eyJ") && strings.Count(secret, ".") == 2 { // a JSON Web Token: its signature
		from = len([]rune(secret[:strings.LastIndexByte(secret, '.')+1]))
	}
	part, ok := longest(segments(runes, from), false)
	if n := part.to - part.from; ok {
		scramble(runes, part, n/4, n-n/4)
		if string(runes) == secret {
			scramble(runes, part, 0, n)
		}
		return string(runes)
	}
	if n := len(runes); n > 0 { // nothing but signs
		if runes[n-1] != '!' {
			runes[n-1] = '!'
		} else {
			runes[n-1] = '?'
		}
	}
	return string(runes)
}

// lookalike returns a made-up client ID of the shape of id: its longest part with
// a digit, or its longest one, is another, but for its beginning.
func lookalike(id string) string {
	runes := []rune(id)
	parts := segments(runes, 0)
	part, ok := longest(parts, true)
	if !ok {
		part, ok = longest(parts, false)
	}
	if !ok {
		return corrupted(id)
	}
	scramble(runes, part, part.kept(), part.to-part.from)
	return string(runes)
}

// A segment is a part of a value between separators, with its own alphabet.
type segment struct {
	from, to int
	digits   string // that may stand in it
	lowers   string
	uppers   string
	numeric  bool // a number: its first digits say how large it is
	varies   bool // it has a digit, so it is no word
}

// kept is how much of its beginning stays: prefixes are checked as a form, and
// numbers by their size.
func (s segment) kept() int {
	n := s.to - s.from
	switch {
	case s.numeric && n > 4:
		return n - n/2
	case n >= 16:
		return 4
	case n >= 3:
		return 1
	}
	return 0
}

// segments finds the parts of a value from a place on.
func segments(runes []rune, from int) []segment {
	var out []segment
	for i := from; i <= len(runes); i++ {
		if i < len(runes) && strings.ContainsRune(digits+lowers+uppers, runes[i]) {
			continue
		}
		if i > from {
			out = append(out, segmentOf(string(runes[from:i]), from, i))
		}
		from = i + 1
	}
	return out
}

// segmentOf learns the alphabet of a part: hexadecimal, base32 (RFC 4648), or any
// letters and digits.
func segmentOf(part string, from, to int) segment {
	s := segment{from: from, to: to, digits: digits, lowers: lowers, uppers: uppers, varies: strings.ContainsAny(part, digits),
		numeric: strings.Trim(part, digits) == ""}
	const enough = 8 // characters, for an alphabet to be no accident
	switch {
	case len(part) < enough || s.numeric:
	case strings.Trim(part, digits+"abcdefABCDEF") == "" && s.varies:
		s.lowers, s.uppers = lowers[:6], uppers[:6]
	case strings.Trim(part, "234567"+uppers) == "" || strings.Trim(part, "234567"+lowers) == "":
		s.digits = "234567"
	}
	return s
}

// longest is the longest part, the last of equals. ok is false if there is none.
func longest(parts []segment, varying bool) (out segment, ok bool) {
	for _, s := range parts {
		if (s.varies || !varying) && (!ok || s.to-s.from >= out.to-out.from) {
			out, ok = s, true
		}
	}
	return out, ok
}

// scramble changes the characters of a part, counted from its beginning, each
// into another one of its alphabet.
func scramble(runes []rune, s segment, from, to int) {
	for i := s.from + from; i < s.from+to; i++ {
		for _, alphabet := range []string{s.digits, s.lowers, s.uppers} {
			if strings.ContainsRune(alphabet, runes[i]) {
				runes[i] = other(alphabet, runes[i])
				break
			}
		}
	}
}

// other is a random character of the alphabet that is not c.
func other(alphabet string, c rune) rune {
	rest := strings.ReplaceAll(alphabet, string(c), "")
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(rest))))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return rune(rest[n.Int64()])
}
