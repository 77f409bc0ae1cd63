package oauth

import (
	"html"
	"regexp"
	"slices"
	"strconv"
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
type scrubber struct {
	forms   []string        // in lower case
	bare    []string        // letters and digits alone, of long forms
	windows map[string]bool // every run of sharedRun bytes of long forms
	longest int             // bytes of the longest form
}

// add makes values secret, in every form in which an answer may repeat them.
func (s *scrubber) add(values ...string) {
	for _, v := range values {
		for _, form := range spellings(v) {
			if form = lower(printable(form)); form != "" && !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
				s.open(form)
			}
		}
	}
}

// open notes the parts of a form.
func (s *scrubber) open(form string) {
	s.longest = max(s.longest, len(form))
	if len(form) < longSecret {
		return
	}
	if bare := bareText(form); len(bare) >= longSecret && !slices.Contains(s.bare, bare) {
		s.bare = append(s.bare, bare)
	}
	if s.windows == nil {
		s.windows = map[string]bool{}
	}
	for i := 0; i+sharedRun <= len(form); i++ {
		s.windows[form[i:i+sharedRun]] = true
	}
}

// bareText is the letters and digits of a text: whatever stands between them, a
// secret is in there.
func bareText(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, lower(s))
}

// maxForeign is how much of a provider's text is looked at, in bytes: of more than
// that, nothing would be shown.
const maxForeign = 8 << 10

// foreign returns what may be kept of a provider's text.
func (s *scrubber) foreign(text string) string {
	short := len(text) <= maxForeign
	if !short {
		text = strings.ToValidUTF8(text[:maxForeign], "")
	}
	text = s.removeForms(printable(text))
	if s.holdsHidden(text) {
		return removed
	}
	text = s.removeShared(text)
	if !short { // a secret that the cut went through is at the end
		text = strings.ToValidUTF8(text[:max(len(text)-s.longest, 0)], "")
	}
	return shown(text, maxText)
}

// clean is what may be kept of a text of ours, or of the admin's.
func (s *scrubber) clean(text string, limit int) string {
	text = s.removeForms(printable(text))
	if plain := loosened(text); plain != text && s.holds(plain) {
		return removed
	}
	return shown(text, limit)
}

// shown is a text whose secrets are holes. It is cut only now: a secret that is cut
// in half is no longer found.
func shown(text string, limit int) string {
	for strings.Contains(text, hole+hole) {
		text = strings.ReplaceAll(text, hole+hole, hole)
	}
	return cut(strings.ReplaceAll(text, hole, removed), limit)
}

func (s *scrubber) removeForms(text string) string {
	for _, form := range s.forms {
		text = removeFold(text, form)
	}
	return text
}

// holdsHidden reports whether a secret is in text behind an encoding, or several,
// or with something between its letters.
func (s *scrubber) holdsHidden(text string) bool {
	const rounds = 3
	for range rounds {
		if s.holdsBare(text) {
			return true
		}
		plain := loosened(text)
		if plain == text {
			return false
		}
		if text = plain; s.holds(text) {
			return true
		}
	}
	return s.holdsBare(text)
}

func (s *scrubber) holdsBare(text string) bool {
	text = bareText(text)
	for _, b := range s.bare {
		if strings.Contains(text, b) {
			return true
		}
	}
	return false
}

var unicodeEscape = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)

// loosened takes one encoding off a text, wherever it can be read: percent, HTML
// and JSON escapes. What is none stays.
func loosened(text string) string {
	text = html.UnescapeString(text)
	text = unicodeEscape.ReplaceAllStringFunc(text, func(e string) string {
		n, err := strconv.ParseUint(e[2:], 16, 16)
		if err != nil {
			return e
		}
		return string(rune(n))
	})
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return printable(b.String())
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

// removeShared takes out of text what it shares with a long form.
func (s *scrubber) removeShared(text string) string {
	if len(s.windows) == 0 || len(text) < sharedRun {
		return text
	}
	folded := lower(text)
	shared := make([]bool, len(text))
	for i := 0; i+sharedRun <= len(text); i++ {
		if s.windows[folded[i:i+sharedRun]] {
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
