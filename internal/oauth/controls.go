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

// corrupted returns a copy of a secret that is wrong in its middle.
func corrupted(secret string) string {
	runes := []rune(secret)
	n := len(runes)
	changed := scramble(runes, n/4, n-n/4)
	if !changed {
		changed = scramble(runes, 0, n)
	}
	if !changed && n > 0 { // nothing but signs
		if runes[n-1] != '!' {
			runes[n-1] = '!'
		} else {
			runes[n-1] = '?'
		}
	}
	return string(runes)
}

// lookalike returns a made-up client ID of the shape of id.
func lookalike(id string) string {
	runes := []rune(id)
	changed := false
	for _, s := range segments(runes) {
		if s.varies {
			changed = scramble(runes, s.from+s.kept(), s.to) || changed
		}
	}
	if !changed {
		return corrupted(id)
	}
	return string(runes)
}

// A segment is a part of an id between separators.
type segment struct {
	from, to int
	varies   bool // it tells one app from another: a domain at the end, as "apps.example.com", does not
}

// kept is how much of its beginning stays: prefixes and version digits are
// checked as a form.
func (s segment) kept() int {
	switch n := s.to - s.from; {
	case n >= 16:
		return 4
	case n >= 3:
		return 1
	}
	return 0
}

// segments finds the parts of an id. Those with a digit vary; if none has one,
// the longest does.
func segments(runes []rune) []segment {
	var out []segment
	from, longest, any := 0, -1, false
	for i := 0; i <= len(runes); i++ {
		if i < len(runes) && strings.ContainsRune(digits+lowers+uppers, runes[i]) {
			continue
		}
		if i > from {
			s := segment{from: from, to: i, varies: strings.ContainsAny(string(runes[from:i]), digits)}
			any = any || s.varies
			out = append(out, s)
			if longest < 0 || s.to-s.from > out[longest].to-out[longest].from {
				longest = len(out) - 1
			}
		}
		from = i + 1
	}
	if !any && longest >= 0 {
		out[longest].varies = true
	}
	return out
}

// scramble changes every letter and digit of runes[from:to] into another one of
// its alphabet, and reports whether there was any.
func scramble(runes []rune, from, to int) bool {
	hex := isHex(runes)
	changed := false
	for i := from; i < to; i++ {
		for _, alphabet := range []string{digits, lowers, uppers} {
			if !strings.ContainsRune(alphabet, runes[i]) {
				continue
			}
			if hex && alphabet != digits {
				alphabet = alphabet[:6]
			}
			runes[i], changed = other(alphabet, runes[i]), true
			break
		}
	}
	return changed
}

// isHex reports whether all letters are hexadecimal digits, and there are enough
// of both for that to be no accident.
func isHex(runes []rune) bool {
	letters, numbers := 0, 0
	for _, c := range runes {
		switch {
		case strings.ContainsRune(digits, c):
			numbers++
		case strings.ContainsRune("abcdefABCDEF", c):
			letters++
		case strings.ContainsRune(lowers+uppers, c):
			return false
		}
	}
	return letters >= 2 && numbers >= 2 && letters+numbers >= 8
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
