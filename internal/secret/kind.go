package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Kind is one sort of record in which something is sealed. Each room declares
// its own, so that a rotation of the key finds all that is to be sealed anew: a
// Box refuses to seal for a place that no Kind covers.
type Kind struct {
	Prefix string // of the store keys of its records
	Words  string // what is sealed, in the plural: "bodies of notifications"

	// Find returns what is sealed in a record, each with the place that it was
	// sealed for. It is nil for what is sealed and never kept in the store.
	Find func(key string, record []byte) ([]Sealed, error)
}

// Sealed is a sealed value and the place for which Box.Seal made it.
type Sealed struct {
	Bytes []byte
	Place string
}

// kinds is written while packages are initialised, and only read afterwards.
var kinds = []Kind{{Prefix: InstallationKey, Words: "key of the fingerprints", Find: Whole}}

// Declare adds a Kind. It is for variables of packages, and panics if the records
// of two kinds could be mixed up.
func Declare(k Kind) Kind {
	for _, other := range kinds {
		if k.Prefix == "" || strings.HasPrefix(k.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, k.Prefix) {
			panic(fmt.Sprintf("secret: the kinds %q and %q overlap", k.Prefix, other.Prefix))
		}
	}
	kinds = append(kinds, k)
	return k
}

// Kinds lists all kinds, in the order of their prefixes. It belongs to the caller.
func Kinds() []Kind {
	return slices.SortedFunc(slices.Values(kinds), func(a, b Kind) int { return strings.Compare(a.Prefix, b.Prefix) })
}

// KindOf is the kind of the records to which a store key, or a place that begins
// with one, belongs.
func KindOf(key string) (Kind, bool) {
	for _, k := range kinds {
		if strings.HasPrefix(key, k.Prefix) {
			return k, true
		}
	}
	return Kind{}, false
}

// Whole is the Find of records that are one sealed value and nothing else, sealed
// for their own key.
func Whole(key string, record []byte) ([]Sealed, error) {
	if KeyOf(record) == "" {
		return nil, fmt.Errorf("%s: %w", key, ErrDamaged)
	}
	return []Sealed{{record, key}}, nil
}

// Field is the Find of JSON records of which one field has a value, in base64, that
// was sealed for their own key. A record without it has nothing sealed.
func Field(name string) func(key string, record []byte) ([]Sealed, error) {
	return func(key string, record []byte) ([]Sealed, error) {
		b, err := FieldOf(name, key, record)
		if err != nil || b == nil {
			return nil, err
		}
		return []Sealed{{b, key}}, nil
	}
}

// FieldOf is the sealed value of one field of a JSON record, or nil. For records
// whose values are sealed for more than their key.
func FieldOf(name, key string, record []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", key, ErrDamaged) // the cause could quote it
	}
	var b []byte
	if raw, ok := fields[name]; ok {
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, fmt.Errorf("decoding %s: %w", key, ErrDamaged)
		}
	}
	if len(b) == 0 {
		return nil, nil
	}
	if KeyOf(b) == "" {
		return nil, fmt.Errorf("%s: %w", key, ErrDamaged)
	}
	return b, nil
}

// Swap is record with the sealed value was replaced by now, and not a byte of it
// changed beside that. It returns nil if was does not stand in it exactly once.
func Swap(record, was, now []byte) []byte {
	if bytes.Equal(record, was) {
		return slices.Clone(now)
	}
	text := func(b []byte) []byte { return []byte(`"` + base64.StdEncoding.EncodeToString(b) + `"`) }
	if bytes.Count(record, text(was)) != 1 {
		return nil
	}
	return bytes.Replace(record, text(was), text(now), 1)
}

// Traces are the byte strings of which at least one stands in every record that
// keeps something sealed with the key of that id, whole or in base64, declared or
// not. They are for looking through a whole data file.
func Traces(id string) [][]byte {
	var n uint32
	if _, err := fmt.Sscanf(id, "%08x", &n); err != nil {
		return nil
	}
	prefix := []byte{1, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	// Of five bytes, base64 settles six characters and a part of the seventh.
	std := base64.StdEncoding.EncodeToString(prefix)[:6]
	url := base64.URLEncoding.EncodeToString(prefix)[:6]
	traces := [][]byte{prefix, []byte(`"` + std)}
	if url != std {
		traces = append(traces, []byte(`"`+url))
	}
	return traces
}
