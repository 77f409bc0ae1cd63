package connector

import (
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed definitions/*.yaml
var embedded embed.FS

// BuiltIn is the Source of a definition that is part of the program.
const BuiltIn = "built in"

// A Catalogue is the set of definitions that the program knows. It is
// immutable and safe for concurrent use; the definitions that it hands out are
// shared and must not be changed.
type Catalogue struct {
	byKey  map[string]*Definition
	once   sync.Once
	sorted []*Definition // made once, by All
}

// Builtin reads the definitions that are part of the program.
func Builtin() (*Catalogue, error) {
	entries, err := embedded.ReadDir("definitions")
	if err != nil {
		return nil, fmt.Errorf("reading the built-in definitions: %w", err)
	}
	var files []source
	for _, e := range entries {
		data, err := embedded.ReadFile("definitions/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the built-in definitions: %w", err)
		}
		files = append(files, source{"definitions/" + e.Name(), data})
	}
	read, err := parseAll(files)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{byKey: map[string]*Definition{}}
	for _, d := range read {
		d.Source = BuiltIn
		c.byKey[d.Key] = d
	}
	return c, nil
}

// With returns a catalogue with the definitions of an operator's directory
// added: all files that end in .yaml or .yml, without sub-directories. One
// with the key of a definition that is there already takes its place. The
// error is a [Faults] with every fault of every file, or says that the
// directory cannot be read.
func (c *Catalogue) With(dir string) (*Catalogue, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of connector definitions: %w", err)
	}
	var files []source
	var faults Faults
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); ext != ".yaml" && ext != ".yml" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, err := readLimited(path)
		if err != nil {
			faults = append(faults, Fault{File: path, Msg: fmt.Sprintf("this file cannot be read: %s.", err)})
			continue
		}
		files = append(files, source{path, data})
	}
	read, err := parseAll(files)
	if err != nil {
		faults = append(faults, err.(Faults)...)
	}
	out := &Catalogue{byKey: maps.Clone(c.byKey)}
	faults = append(faults, out.add(read)...)
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return out, nil
}

// add puts definitions of an operator's in; keys that differ only by case
// would be taken for each other.
func (c *Catalogue) add(read []*Definition) (faults Faults) {
	taken := map[string]*Definition{}
	for _, d := range c.byKey {
		taken[strings.ToLower(d.Key)] = d
	}
	fresh := map[string]bool{}
	for _, d := range read {
		fold := strings.ToLower(d.Key)
		switch before := taken[fold]; {
		case fresh[fold]:
			faults = append(faults, Fault{File: d.Source, Msg: fmt.Sprintf("the key %q is also that of %s. Keep one of the two files.", d.Key, before.Source)})
		case before != nil && before.Key != d.Key:
			faults = append(faults, Fault{File: d.Source, Msg: fmt.Sprintf("the key %q differs from %q (%s) only by case. Write it the same way to replace it, or choose another.", d.Key, before.Key, before.Source)})
		default:
			fresh[fold], taken[fold] = true, d
			c.byKey[d.Key] = d
		}
	}
	return faults
}

type source struct {
	name string
	data []byte
}

// parseAll parses the files on all processors. It returns the definitions that
// are sound, in the order of files, and the faults of the others.
func parseAll(files []source) ([]*Definition, error) {
	defs := make([]*Definition, len(files))
	faults := make([]error, len(files))
	var wait sync.WaitGroup
	for i, f := range files {
		wait.Go(func() { defs[i], faults[i] = Parse(f.name, f.data) })
	}
	wait.Wait()
	var all Faults
	for _, err := range faults {
		if err != nil {
			all = append(all, err.(Faults)...)
		}
	}
	return slices.DeleteFunc(defs, func(d *Definition) bool { return d == nil }), all.orNil()
}

// readLimited reads a file, but not much more than Parse would take.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxLength+1))
}

// Get returns the definition with this key.
func (c *Catalogue) Get(key string) (*Definition, bool) {
	d, ok := c.byKey[key]
	return d, ok
}

// For returns the definition for an entry: that of the module if there is one,
// else that of the service. module may be empty.
func (c *Catalogue) For(service, module string) (*Definition, bool) {
	if module != "" {
		if d, ok := c.Get(service + ":" + module); ok {
			return d, true
		}
	}
	return c.Get(service)
}

// Len is the number of definitions.
func (c *Catalogue) Len() int { return len(c.byKey) }

// All returns every definition, sorted by name ignoring case, then by key. The
// caller owns the slice.
func (c *Catalogue) All() []*Definition {
	c.once.Do(func() {
		c.sorted = slices.SortedFunc(maps.Values(c.byKey), func(a, b *Definition) int {
			if n := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); n != 0 {
				return n
			}
			return strings.Compare(a.Key, b.Key)
		})
	})
	return slices.Clone(c.sorted)
}

// Search returns the definitions whose name or key has every word of q,
// ignoring case, sorted as All; those that begin with q come first. An empty
// q finds all.
func (c *Catalogue) Search(q string) []*Definition {
	words := strings.Fields(strings.ToLower(q))
	var first, rest []*Definition
	for _, d := range c.All() {
		name, key := strings.ToLower(d.Name), strings.ToLower(d.Key)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name+" "+key, w) }) {
			continue
		}
		whole := strings.Join(words, " ")
		if strings.HasPrefix(name, whole) || strings.HasPrefix(key, whole) {
			first = append(first, d)
		} else {
			rest = append(rest, d)
		}
	}
	return append(first, rest...)
}
