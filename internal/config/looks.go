package config

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
)

// The rules about the text of one value. web/static/pasted.js has the same ones
// for what is pasted; testdata/pastes.json holds both to the same answers, word
// for word.

// A use is what a value is for, as far as the rules differ.
type use int

const (
	clientID     use = iota
	clientSecret     // and every other secret that a definition asks for
	otherField       // a plain text field of a definition
	ownKey           // a further key, of which nothing is known
)

// A look is a Doubt without the value that it is about.
type look struct {
	kind          DoubtKind
	found, remedy string
}

var (
	withLabel = regexp.MustCompile(`(?i)^(?:(?:bearer|basic)[ :]+[^ ]|(?:export )?["'{ ]*(?:[a-z0-9]+[_ .-])*(?:oauth|client|consumer|app|application|api|access|refresh|secret)?[_ -]?(?:id|key|secret|token)["' ]*[:=] *[^ =])`)
	address   = regexp.MustCompile(`(?i)^https?://|^www\.|[?&](?:client_id|client_secret|redirect_uri|state|code)=`)

	// Words that stand for a value in guides and examples.
	placeholder = []*regexp.Regexp{
		regexp.MustCompile(`(?i)^[\[<{($%# ]*(?:your[a-z _-]*|(?:insert|enter|replace|paste)[ _-][a-z _-]*)(?:id|key|secret|token|value|password|credentials|here)[\]>})$%# ]*$`),
		regexp.MustCompile(`(?i)^[\[<{($%# ]*(?:(?:oauth|app|application|api|client|consumer)[ _-]?)?(?:id|key|secret|token|value|password)[\]>})$%# ]*$`),
		regexp.MustCompile(`(?i)^[\[<{($%# ]*(?:change[ _-]?(?:me|it|this)|place[ _-]?holder|to[ _-]?do|tbd|tba|fix[ _-]?me|redacted|hidden|undefined|null|none|nil|n/a|example|dummy)[\]>})$%# ]*$`),
		regexp.MustCompile(`(?i)^[x._-]*xxx[x._-]*$`),
		regexp.MustCompile(`^0[0-]{7,}$`),
		regexp.MustCompile(`^(?:<[^<>]*>|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\[[^\[\]]*\])$`),
	}
	masked    = regexp.MustCompile(`[*•●∙⋅·▪■]{3}`)
	shortened = regexp.MustCompile(`(?:…|\.\.\.)$`)

	percent = regexp.MustCompile(`^(?:[A-Za-z0-9_.~!*'()+-]|%[0-9A-Fa-f]{2})*$`)
	base64s = regexp.MustCompile(`^[A-Za-z0-9+/_-]{16,}={0,2}$`)
)

const (
	quotes     = "\"'`“”„‟‘’‚‛«»‹›"
	dashes     = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D"
	lineBreaks = "\n\r\v\f\u0085\u2028\u2029"
)

const copyAgain = "Copy it again, alone, from the provider's page."

// looksOf is what is odd about the text of a value, in the order of the kinds.
func looksOf(text string, p use) (out []look) {
	if text == "" {
		return nil
	}
	clean, c := cleanText(text)
	if len(c.Removed) > 0 {
		out = append(out, look{InvisibleCharacter, "It holds invisible characters: " + strings.Join(c.Removed, ", ") + ".", "Nothing is removed from a key of your own: type the value again if they do not belong to it."})
	}
	if c.Trimmed > 0 {
		out = append(out, look{SpaceAround, "It begins or ends with white space.", "Nothing is removed from a key of your own: type the value again if that does not belong to it."})
	}
	if p == ownKey {
		return out
	}
	if l, ok := standsForAnother(clean, p); ok {
		return append(out, l)
	}
	return append(out, oddCharacters(clean, p)...)
}

// standsForAnother finds what makes the whole text something else, so that its
// characters need no words of their own.
func standsForAnother(text string, p use) (look, bool) {
	switch {
	case masked.MatchString(text):
		return look{Placeholder, "It holds asterisks or bullets, as a page shows in place of a value.", "Have the provider's page show the value first, then copy it."}, true
	case shortened.MatchString(text):
		return look{Placeholder, "It ends in dots, as a shortened value does.", "Have the provider's page show the whole value, then copy it."}, true
	case isPlaceholder(text):
		return look{Placeholder, "It is a placeholder of a guide or an example.", "Put in the value that the provider's page shows for your app."}, true
	case p == otherField:
		return look{}, false
	case address.MatchString(text):
		return look{WebAddress, "It is a web address, or a part of one.", "Copy the value alone. If this provider's values are addresses, leave it."}, true
	case withLabel.MatchString(text):
		return look{LabelAlong, "It begins with a name, or with a word like Bearer.", "Copy only what stands after that."}, true
	}
	return look{}, false
}

func isPlaceholder(text string) bool {
	for _, re := range placeholder {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}

// oddCharacters are the doubts about single characters of the text.
func oddCharacters(text string, p use) (out []look) {
	if strings.ContainsAny(text, lineBreaks) {
		out = append(out, look{LineBreak, "There is a line break inside.", "Copy it again as one line: perhaps only the first line belongs to it."})
	}
	if p != otherField {
		if l, ok := spaceInside(text); ok {
			out = append(out, l)
		}
	}
	bare := strings.TrimRight(text, ",;")
	if strings.ContainsRune(quotes, first(bare)) || strings.ContainsRune(quotes, last(bare)) {
		out = append(out, look{QuotationMark, "There is a quotation mark at its beginning or end.", "It comes from code or a document. Copy what stands between the marks."})
	}
	if bare != text {
		out = append(out, look{TrailingPunctuation, "It ends in a comma or a semicolon.", "That is left over from a list or from code. Copy the value without it."})
	}
	if p == otherField {
		return out
	}
	return append(append(out, encoded(text, p)...), beyondASCII(strings.Trim(bare, quotes))...)
}

func spaceInside(text string) (look, bool) {
	i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) && !strings.ContainsRune(lineBreaks, r) })
	if i < 0 {
		return look{}, false
	}
	found := "There is a space inside."
	switch r := first(text[i:]); r {
	case ' ':
	case '\t':
		found = "There is a tab inside."
	default:
		found = "There is an unusual space inside: " + codePoint(r) + "."
	}
	return look{SpaceInside, found, "Ids and secrets have none. " + copyAgain}, true
}

// encoded asks for good evidence: an ordinary random secret has a percent sign,
// or the alphabet of base64, just so.
func encoded(text string, p use) (out []look) {
	if strings.Contains(text, "%") && percent.MatchString(text) {
		out = append(out, look{PercentEncoded, "It is percent-encoded, as values are in an address.", "Copy it from the provider's page, not from an address bar or a log."})
	}
	if p == clientSecret && base64s.MatchString(text) && decodesToText(text) {
		out = append(out, look{Base64Encoded, "It is text in base64, as in a header or a Kubernetes secret.", "Decode it first, or copy it from the provider's page."})
	}
	return out
}

// decodesToText reports whether text is base64 of printable ASCII. Twelve random
// bytes are that once in 140,000 times.
func decodesToText(text string) bool {
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text)
	b, err := base64.RawStdEncoding.DecodeString(plain)
	return err == nil && len(b) >= 12 && !strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r > '~' })
}

func beyondASCII(text string) (out []look) {
	dash, other := rune(0), rune(0)
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~', unicode.IsSpace(r), strings.ContainsRune(lineBreaks, r):
		case strings.ContainsRune(dashes, r):
			dash = firstOf(dash, r)
		default:
			other = firstOf(other, r)
		}
	}
	if dash != 0 {
		out = append(out, look{DashForHyphen, "A dash stands where a hyphen should be: " + codePoint(dash) + ".", "Text programs turn hyphens into dashes. Copy it from the provider's page instead."})
	}
	if other != 0 {
		out = append(out, look{NotASCII, "There is a character beyond plain ASCII: " + codePoint(other) + script(other) + ".", "Ids and secrets are plain ASCII, and other letters can look the same. Copy it again instead of typing it."})
	}
	return out
}

// script names the writing in which letters look like those of ASCII.
func script(r rune) string {
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return ", a Cyrillic letter"
	case unicode.Is(unicode.Greek, r):
		return ", a Greek letter"
	case r >= 0xFF01 && r <= 0xFF5E:
		return ", a full-width character"
	}
	return ""
}

func firstOf(had, now rune) rune {
	if had != 0 {
		return had
	}
	return now
}

// first and last are -1 for the empty text, which no set of characters has.
func first(s string) rune {
	for _, r := range s {
		return r
	}
	return -1
}

func last(s string) rune {
	out := rune(-1)
	for _, r := range s {
		out = r
	}
	return out
}
