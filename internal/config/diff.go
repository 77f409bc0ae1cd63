package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"backoffice/internal/audit"
)

// A Difference is one name that two versions do not have in common: a key, or
// a scope or topic. Before or After is nil where the version lacks it.
type Difference struct {
	Name          string
	Before, After *Key   // for keys
	List          string // "scope" or "topic" for a name of those lists, else ""
	Added         bool   // for lists: it is in the later version only
}

// Differences are in the order of their names: keys first, then scopes, then
// topics.
type Differences []Difference

// Diff says how version b differs from version a. Either may be the zero
// Version, which has nothing.
func Diff(a, b Version) Differences {
	var out Differences
	names := map[string]bool{}
	for _, k := range a.Keys {
		names[k.Name] = true
	}
	for _, k := range b.Keys {
		names[k.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, hadIt := a.Key(name)
		after, hasIt := b.Key(name)
		if hadIt && hasIt && before.same(after) {
			continue
		}
		d := Difference{Name: name}
		if hadIt {
			d.Before = &before
		}
		if hasIt {
			d.After = &after
		}
		out = append(out, d)
	}
	out = append(out, diffList("scope", a.Scopes, b.Scopes)...)
	return append(out, diffList("topic", a.Topics, b.Topics)...)
}

// same reports whether two keys hold the same value in the same way.
func (k Key) same(o Key) bool {
	return k.Fingerprint == o.Fingerprint && k.Kind == o.Kind && k.Secret == o.Secret
}

func diffList(list string, a, b []string) (out Differences) {
	for _, w := range a {
		if !slices.Contains(b, w) {
			out = append(out, Difference{Name: w, List: list})
		}
	}
	for _, w := range b {
		if !slices.Contains(a, w) {
			out = append(out, Difference{Name: w, List: list, Added: true})
		}
	}
	slices.SortFunc(out, func(x, y Difference) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// audit is the differences as an event has them: names and fingerprints. Plain
// values appear as fingerprints too, because the log is for ever and a value
// may have been stored as plain by mistake. The names for lists have a space,
// which no key has.
func (ds Differences) audit() []audit.Change {
	var out []audit.Change
	for _, d := range ds {
		c := audit.Change{Key: d.Name}
		switch {
		case d.List != "" && d.Added:
			c.Key, c.After = "declared "+d.List, d.Name
		case d.List != "":
			c.Key, c.Before = "declared "+d.List, d.Name
		}
		if d.Before != nil {
			c.Before = string(d.Before.Fingerprint)
		}
		if d.After != nil {
			c.After = string(d.After.Fingerprint)
		}
		out = append(out, c)
	}
	return out
}

// notes says in words what fingerprints do not show: that a value became
// secret or readable, or another kind of JSON scalar.
func (ds Differences) notes() (out []string) {
	for _, d := range ds {
		if d.Before == nil || d.After == nil {
			continue
		}
		switch {
		case d.After.Secret && !d.Before.Secret:
			out = append(out, fmt.Sprintf("%s is a secret from now on.", d.Name))
		case d.Before.Secret && !d.After.Secret:
			out = append(out, fmt.Sprintf("%s is no secret any more.", d.Name))
		}
		if d.Before.Kind != d.After.Kind {
			out = append(out, fmt.Sprintf("%s was a %s and is a %s.", d.Name, d.Before.Kind, d.After.Kind))
		}
	}
	return out
}
