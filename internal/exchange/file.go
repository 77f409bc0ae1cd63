package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"backoffice/internal/secret"

	"github.com/goccy/go-yaml"
)

// Format is the first line of every file. A reader refuses formats that it does
// not know.
const Format = "backoffice.entries/1"

// The limits of a file.
const (
	MaxFile = 16 << 20 // bytes
	MaxRows = 10_000   // entries
)

// A File is entries on their way. It holds no secret in the clear.
type File struct {
	Format     string    `json:"format" yaml:"format"`
	From       string    `json:"from,omitempty" yaml:"from,omitempty"`         // public URL of the instance that wrote it
	Instance   string    `json:"instance,omitempty" yaml:"instance,omitempty"` // whose fingerprints these are
	Exported   time.Time `json:"exported,omitzero" yaml:"exported,omitempty"`
	By         string    `json:"by,omitempty" yaml:"by,omitempty"`
	Recipients []string  `json:"recipients,omitempty" yaml:"recipients,omitempty"` // who can open what is sealed
	Entries    []Row     `json:"entries" yaml:"entries"`
}

// A Row is one entry: the version that was in force, or else the newest.
type Row struct {
	ID        string            `json:"id" yaml:"id"`
	Connector string            `json:"connector,omitempty" yaml:"connector,omitempty"`
	Version   int               `json:"version,omitempty" yaml:"version,omitempty"`
	Hash      string            `json:"hash,omitempty" yaml:"hash,omitempty"` // of its content; keyed to the instance
	Pending   bool              `json:"pending,omitempty" yaml:"pending,omitempty"`
	Values    map[string]Scalar `json:"values,omitempty" yaml:"values,omitempty"`
	Secrets   map[string]Print  `json:"secrets,omitempty" yaml:"secrets,omitempty"`
	Sealed    string            `json:"sealed,omitempty" yaml:"sealed,omitempty"` // age, armored: the values of Secrets
	Scopes    []string          `json:"scopes,omitempty" yaml:"scopes,omitempty"`
	Topics    []string          `json:"topics,omitempty" yaml:"topics,omitempty"`

	line int // where it begins in the file that was read
}

// A Print is what may be told of a secret.
type Print struct {
	Fingerprint secret.Fingerprint `json:"fingerprint,omitempty" yaml:"fingerprint,omitempty"`
	Length      int                `json:"length,omitempty" yaml:"length,omitempty"` // in characters
}

// A Scalar is the JSON of a value: a text, number, boolean or null. It prints as
// a secret does, because who edits a file may put one there.
type Scalar struct{ literal secret.Text }

// MarshalJSON is the literal: it is what a file is for.
func (s Scalar) MarshalJSON() ([]byte, error) { return []byte(s.literal.Reveal()), nil }

// MarshalYAML is the literal too: a JSON scalar is one of YAML.
func (s Scalar) MarshalYAML() ([]byte, error) { return s.MarshalJSON() }

// UnmarshalJSON keeps the digits of numbers, and one spelling of each text.
func (s *Scalar) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return errNoScalar
		}
		s.literal = secret.NewText(quoted(text))
		return nil
	}
	if len(b) == 0 || b[0] == '{' || b[0] == '[' {
		return errNoScalar
	}
	s.literal = secret.NewText(string(b))
	return nil
}

// errNoScalar quotes nothing: what is no scalar may be a secret.
var errNoScalar = errors.New("no text, number, boolean or null")

// quoted is the JSON of a text, without the escapes for HTML.
func quoted(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always has a JSON
	return strings.TrimSuffix(b.String(), "\n")
}

// A Shape is how a file is written.
type Shape string

// The shapes.
const (
	JSON Shape = "json"
	YAML Shape = "yaml"
)

// Write writes the file in the shape.
func (f File) Write(w io.Writer, shape Shape) error {
	if f.Entries == nil {
		f.Entries = []Row{} // a list that is empty, not none
	}
	switch shape {
	case JSON:
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(f)
	case YAML:
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
		if err := enc.Encode(f); err != nil {
			return fmt.Errorf("writing YAML: %w", err)
		}
		_, err := b.WriteTo(w)
		return err
	}
	return fmt.Errorf("there is no shape %q of a file", shape)
}
