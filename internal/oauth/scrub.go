package oauth

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	removed   = "[removed]"
	maxText   = 200  // characters of foreign text that are kept
	maxOwnURL = 2000 // characters of an address that the admin or the definition wrote
)

// hole stands for a secret until all of them are out of a text, so that one that
// is a part of the word "removed" does no harm. printable leaves none in a text.
const hole = "\ue000"

// A scrubber knows the secrets of one run and takes them out of text.
type scrubber struct{ forms []string } // in lower case

// add makes values secret, in every form in which an answer may repeat them.
func (s *scrubber) add(values ...string) {
	for _, v := range values {
		for _, form := range spellings(v) {
			if form = lower(printable(form)); form != "" && !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
			}
		}
	}
}

// foreign returns what may be kept of a provider's text.
func (s *scrubber) foreign(text string) string { return s.take(text, maxText, removeShared) }

// clean is what may be kept of a text of ours, or of the admin's.
func (s *scrubber) clean(text string, limit int) string {
	return s.take(text, limit, func(text, _ string) string { return text })
}

// take strips text of what could disturb a page, takes the secrets out, and what
// part finds of them, and only then cuts it: a secret that is cut in half is no
// longer found.
func (s *scrubber) take(text string, limit int, part func(text, form string) string) string {
	text = printable(text)
	for _, form := range s.forms {
		text = part(removeFold(text, form), form)
	}
	if plain, err := url.QueryUnescape(text); err == nil && plain != text && s.holds(plain) {
		return removed
	}
	if plain := html.UnescapeString(text); plain != text && s.holds(plain) {
		return removed
	}
	for strings.Contains(text, hole+hole) {
		text = strings.ReplaceAll(text, hole+hole, hole)
	}
	return cut(strings.ReplaceAll(text, hole, removed), limit)
}

// holds reports whether text has a secret in it.
func (s *scrubber) holds(text string) bool {
	text = lower(printable(text))
	for _, form := range s.forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// removeFold takes every occurrence of form, which is in lower case, out of
// text, whatever the case of ASCII letters there.
func removeFold(text, form string) string {
	folded := lower(text)
	if !strings.Contains(folded, form) {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(folded, form)
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i] + hole)
		text, folded = text[i+len(form):], folded[i+len(form):]
	}
}

// A provider may repeat a secret in part: without its end, or with stars. From a
// secret that is long enough to have parts, every run of shared characters that
// long is taken out too.
const (
	longSecret = 12 // bytes
	sharedRun  = 8
)

// removeShared takes out of text what it shares with form, which is in lower case.
func removeShared(text, form string) string {
	if len(form) < longSecret || len(text) < sharedRun {
		return text
	}
	folded := lower(text)
	shared := make([]bool, len(text))
	for i := 0; i+sharedRun <= len(text); i++ {
		if strings.Contains(form, folded[i:i+sharedRun]) {
			for j := range sharedRun {
				shared[i+j] = true
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !shared[i]:
			b.WriteByte(text[i])
		case i == 0 || !shared[i-1]:
			b.WriteString(hole)
		}
	}
	return b.String()
}

// lower is strings.ToLower for ASCII alone: it keeps the length in bytes.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}

// printable makes one line of s, without control characters, marks of no width
// and bytes that are no text.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			return ' '
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

// cut keeps n characters of s, which is text.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}
