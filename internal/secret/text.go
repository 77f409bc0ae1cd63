package secret

import (
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
	"unique"
)

// redacted stands wherever a Text is printed by accident.
const redacted = "[secret]"

// A Text is a secret from the moment it is read. However it is printed,
// formatted, logged or marshalled, it says "[secret]"; only Reveal gives the
// value, so every place that lets one out can be found by that word. The zero
// Text is the empty value. A Text is immutable.
//
// The value stands behind a handle, because fmt reads unexported fields without
// asking for their methods: a struct with a Text in an unexported field prints
// the address of the handle, not the value. Texts are comparable; equal values
// are equal Texts.
type Text struct{ value unique.Handle[string] }

// NewText takes custody of s.
func NewText(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// Reveal returns the value. Its callers are the handshake, the sealing and the
// one page that shows a secret on purpose.
func (t Text) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.value.Value()
}

// IsZero reports whether the value is empty.
func (t Text) IsZero() bool { return t == Text{} }

// Len is the length of the value in characters, which may be shown.
func (t Text) Len() int { return utf8.RuneCountInString(t.Reveal()) }

func (t Text) String() string   { return redacted }
func (t Text) GoString() string { return redacted }

// Format keeps every verb of fmt, also %x and %d, from reaching the value.
func (t Text) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// MarshalJSON, MarshalText and LogValue keep encoders and logs from it.
func (t Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText is for encoders of maps and of XML.
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is for log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(redacted) }
