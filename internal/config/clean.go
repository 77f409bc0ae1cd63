package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// A Cleaning is what saving took off a value that was typed: it never changes
// one without saying so.
type Cleaning struct {
	Key     string   `json:"key"`
	Trimmed int      `json:"trimmed,omitempty"` // white-space characters off both ends
	Removed []string `json:"removed,omitempty"` // invisible characters, each named once: "U+200B zero width space"
}

// Words says it in sentences. It has no character of the value that can be seen.
func (c Cleaning) Words() string {
	var out []string
	switch {
	case c.Trimmed == 1:
		out = append(out, "1 white-space character was trimmed off its ends.")
	case c.Trimmed > 1:
		out = append(out, fmt.Sprintf("%d white-space characters were trimmed off its ends.", c.Trimmed))
	}
	if len(c.Removed) > 0 {
		out = append(out, "Invisible characters were removed: "+strings.Join(c.Removed, ", ")+".")
	}
	return strings.Join(out, " ")
}

// changed reports whether anything was taken off.
func (c Cleaning) changed() bool { return c.Trimmed > 0 || len(c.Removed) > 0 }

// invisible are the characters that cannot be seen and that no credential has.
// They come along with a copy from a page or a document.
var invisible = map[rune]string{
	0x00AD: "soft hyphen",
	0x061C: "Arabic letter mark",
	0x180E: "Mongolian vowel separator",
	0x200B: "zero width space",
	0x200C: "zero width non-joiner",
	0x200D: "zero width joiner",
	0x200E: "left-to-right mark",
	0x200F: "right-to-left mark",
	0x202A: "left-to-right embedding",
	0x202B: "right-to-left embedding",
	0x202C: "pop directional formatting",
	0x202D: "left-to-right override",
	0x202E: "right-to-left override",
	0x2060: "word joiner",
	0x2066: "left-to-right isolate",
	0x2067: "right-to-left isolate",
	0x2068: "first strong isolate",
	0x2069: "pop directional isolate",
	0xFEFF: "byte order mark",
}

// Clean returns text for f as Save keeps it: a text without white space at its
// ends (Unicode's White_Space, so the no-break space too) and without invisible
// characters, because providers compare every character and no credential has
// any of these. Other kinds of fields stay as they are. Cleaning what is clean
// changes nothing.
func Clean(f connector.Field, text secret.Text) (secret.Text, Cleaning) {
	c := Cleaning{Key: f.Key}
	if f.Kind != connector.Text {
		return text, c
	}
	clean, c := cleanText(text.Reveal())
	c.Key = f.Key
	if !c.changed() {
		return text, c
	}
	return secret.NewText(clean), c
}

func cleanText(text string) (string, Cleaning) {
	var c Cleaning
	seen := strings.Map(func(r rune) rune {
		if name, ok := invisible[r]; ok {
			if named := codePoint(r) + " " + name; !slices.Contains(c.Removed, named) {
				c.Removed = append(c.Removed, named)
			}
			return -1
		}
		return r
	}, text)
	if len(c.Removed) == 0 {
		seen = text // strings.Map writes U+FFFD for bytes that are no text
	}
	clean := strings.TrimFunc(seen, unicode.IsSpace)
	c.Trimmed = len([]rune(seen)) - len([]rune(clean))
	return clean, c
}

func codePoint(r rune) string { return fmt.Sprintf("U+%04X", r) }
