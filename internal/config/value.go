package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"unicode/utf8"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
)

// A Value is a JSON scalar. It is held as a secret.Text whether it is a secret
// or not, so that no value of an entry prints by accident. The zero Value is
// the empty text. A Value is immutable.
type Value struct {
	kind connector.Kind
	text secret.Text
}

// Format keeps every verb of fmt from the value: fmt does not ask a field that
// is not exported, as text is, how it wants to be printed.
func (v Value) Format(s fmt.State, verb rune) { v.text.Format(s, verb) }

// MarshalJSON and LogValue keep encoders and logs from the value.
func (v Value) MarshalJSON() ([]byte, error) { return v.text.MarshalJSON() }

// LogValue is for log/slog.
func (v Value) LogValue() slog.Value { return v.text.LogValue() }

// TextValue is the string s, taken as it is.
func TextValue(s secret.Text) Value { return Value{connector.Text, s} }

// ParseValue reads what somebody typed as the value of a plain key: true,
// false, null and JSON numbers are what they look like, a JSON string in double
// quotes is its content, and everything else is text as it stands.
func ParseValue(typed string) Value {
	v, err := decodeValue([]byte(typed))
	if err != nil {
		return TextValue(secret.NewText(typed))
	}
	return v
}

// Kind is which scalar the value is.
func (v Value) Kind() connector.Kind { return v.kind }

// Text is the value as a handshake needs it: the content of a string, the
// literal of a number or boolean, and nothing for null.
func (v Value) Text() secret.Text { return v.text }

// Literal is the JSON of the value, for showing it. Callers show only values
// that are not secret.
func (v Value) Literal() string {
	b, err := v.encode()
	if err != nil {
		return ""
	}
	return string(b)
}

// Typed is what to put into a form so that ParseValue reads the same value: a
// text that looks like a number or a boolean stands in quotes.
func (v Value) Typed() string {
	if v.kind == connector.Text {
		if _, err := decodeValue([]byte(v.text.Reveal())); err != nil {
			return v.text.Reveal()
		}
	}
	return v.Literal()
}

// empty reports whether it is the empty text, which a form sends for a field
// that was left blank.
func (v Value) empty() bool { return v.kind == connector.Text && v.text.IsZero() }

// size is what the value takes in bytes, against MaxValue.
func (v Value) size() int { return len(v.text.Reveal()) }

func (v Value) encode() ([]byte, error) {
	switch v.kind {
	case connector.Text:
		return encode(v.text.Reveal())
	case connector.Null:
		return []byte("null"), nil
	default:
		return []byte(v.text.Reveal()), nil
	}
}

// errNoScalar quotes nothing: what is no scalar may be a secret.
var errNoScalar = errors.New("no JSON scalar")

// decodeValue reads one JSON scalar. Numbers keep their digits. JSON is UTF-8
// (RFC 8259, section 8.1): the decoder would put something else in place of
// other bytes.
func decodeValue(b []byte) (Value, error) {
	b = bytes.Trim(b, " \t\r\n")
	if len(b) == 0 || !utf8.Valid(b) || !json.Valid(b) {
		return Value{}, errNoScalar
	}
	switch b[0] {
	case '"':
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return Value{}, errNoScalar
		}
		return Value{connector.Text, secret.NewText(text)}, nil
	case 't', 'f':
		return Value{connector.Boolean, secret.NewText(string(b))}, nil
	case 'n':
		return Value{connector.Null, secret.Text{}}, nil
	case '{', '[':
		return Value{}, errNoScalar
	}
	return Value{connector.Number, secret.NewText(string(b))}, nil
}

// encodeValues is the JSON object that is sealed as one, in the order of the
// keys, so that equal values have equal bytes.
func encodeValues(values map[string]Value) ([]byte, error) {
	raw := make(map[string]json.RawMessage, len(values))
	for k, v := range values {
		b, err := v.encode()
		if err != nil {
			return nil, fmt.Errorf("encoding the value of %s: %w", k, err)
		}
		raw[k] = b
	}
	return encode(raw)
}

// encode is json.Marshal without the escapes for HTML, which nobody embeds a
// value in.
func encode(x any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func decodeValues(b []byte) (map[string]Value, error) {
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("decoding sealed values: not a JSON object") // the cause could quote a value
	}
	values := make(map[string]Value, len(raw))
	for k, x := range raw {
		switch x := x.(type) {
		case string:
			values[k] = TextValue(secret.NewText(x))
		case json.Number:
			values[k] = Value{connector.Number, secret.NewText(x.String())}
		case bool:
			values[k] = Value{connector.Boolean, secret.NewText(strconv.FormatBool(x))}
		case nil:
			values[k] = Value{connector.Null, secret.Text{}}
		default:
			return nil, fmt.Errorf("decoding sealed values: %s is no JSON scalar", k)
		}
	}
	return values, nil
}
