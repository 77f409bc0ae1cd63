package connector

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// compile makes the pattern of a field match a text as a whole.
func compile(pattern string) (*regexp.Regexp, error) {
	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
		return nil, err // in the words of the pattern, not of what is put around it
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// keeps reports whether everything that pattern can match may stand at p. It
// is decided on the pattern itself, not by trying texts: each character that
// the pattern can consume must be allowed, and a base must begin with the
// literal https://. When in doubt it says no.
func (p place) keeps(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return false
	}
	if p == asBase {
		whole, err := regexp.Compile(pattern)
		if err != nil {
			return false
		}
		if prefix, _ := whole.LiteralPrefix(); !strings.HasPrefix(prefix, "https://") {
			return false
		}
	}
	return p.keepsAll(re)
}

func (p place) keepsAll(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if !p.allowsFolded(c, re.Flags&syntax.FoldCase != 0) {
				return false
			}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if !p.allowsRange(re.Rune[i], re.Rune[i+1]) {
				return false
			}
		}
	}
	for _, sub := range re.Sub {
		if !p.keepsAll(sub) {
			return false
		}
	}
	return true
}

func (p place) allowsRange(from, to rune) bool {
	if to > unicode.MaxASCII {
		return false // nothing beyond ASCII may stand anywhere
	}
	for c := from; c <= to; c++ {
		if !p.allows(c) {
			return false
		}
	}
	return true
}

// allowsFolded also asks for what a case-insensitive c matches: k matches the
// Kelvin sign.
func (p place) allowsFolded(c rune, fold bool) bool {
	if !p.allows(c) {
		return false
	}
	for f := unicode.SimpleFold(c); fold && f != c; f = unicode.SimpleFold(f) {
		if !p.allows(f) {
			return false
		}
	}
	return true
}
