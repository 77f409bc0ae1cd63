package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Count is how many sealed values each key has sealed, by the prefixes of their
// kinds.
type Count struct {
	Time   time.Time
	Sealed map[string]map[string]int // by key id, then by prefix
	Odd    int                       // records of a kind that could not be read
}

// Of is how many values a key has sealed.
func (c Count) Of(id string) (n int) {
	for _, k := range c.Sealed[id] {
		n += k
	}
	return n
}

// others is how many values other keys have sealed.
func (c Count) others(id string) (n int) {
	for other := range c.Sealed {
		if other != id {
			n += c.Of(other)
		}
	}
	return n
}

func (c *Count) add(k secret.Kind, it store.Item) {
	found, err := k.Find(it.Key, it.Value)
	if err != nil {
		c.Odd++
	}
	for _, s := range found {
		id := secret.KeyOf(s.Bytes)
		if c.Sealed[id] == nil {
			c.Sealed[id] = map[string]int{}
		}
		c.Sealed[id][k.Prefix]++
	}
}

// portion is how many records are read at once. The largest is of 1 MiB.
const portion = 64

// walk calls f with the records of a prefix, a portion at a time, each from a
// snapshot of its own: one that stays open would hold up commits.
func walk(ctx context.Context, s store.Store, prefix string, f func([]store.Item) error) error {
	for after := ""; ; {
		var items []store.Item
		err := s.View(ctx, func(r store.Reader) (err error) {
			items, err = r.Scan(store.Range{Prefix: prefix, After: after, Limit: portion})
			return err
		})
		if err == nil && len(items) > 0 {
			after, err = items[len(items)-1].Key, f(items)
		}
		if err != nil || len(items) < portion {
			return err
		}
	}
}

// count counts all that is sealed.
func count(ctx context.Context, s store.Store) (Count, error) {
	c := Count{Sealed: map[string]map[string]int{}}
	for _, k := range secret.Kinds() {
		if k.Find == nil {
			continue
		}
		err := walk(ctx, s, k.Prefix, func(items []store.Item) error {
			for _, it := range items {
				c.add(k, it)
			}
			return nil
		})
		if err != nil {
			return Count{}, fmt.Errorf("counting what is sealed: %w", err)
		}
	}
	return c, nil
}

// A LackError says which keys seal data and are not there.
type LackError struct {
	Lacks []Lack
	Have  []string // ids of the keys that are there
}

// A Lack is a key that is not there, and how many values only it opens.
type Lack struct {
	ID     string
	Sealed int
}

func (e *LackError) Error() string {
	return fmt.Sprintf("%d keys that seal data are missing", len(e.Lacks))
}

// Check returns a *LackError unless the keys open everything in the data, by the
// ids of the keys. It reads two records, unless one is missing or the data was
// never asked before: then it reads all that is sealed.
func Check(ctx context.Context, s store.Store, keys *secret.Keyset) error {
	var known ring
	var had bool
	var head []byte
	err := s.View(ctx, func(r store.Reader) (err error) {
		if known, had, err = get(rings, r, ringID); err != nil {
			return err
		}
		if head, err = r.Get(secret.InstallationKey); errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading which keys seal: %w", err)
	}
	lacks := func(id string) bool { return id != "" && !keys.Has(id) }
	if had && !lacks(secret.KeyOf(head)) && !slices.ContainsFunc(known.live(), lacks) {
		return nil
	}
	c, err := count(ctx, s)
	if err != nil {
		return err
	}
	e := &LackError{Have: keys.IDs()}
	for _, id := range slices.Sorted(maps.Keys(c.Sealed)) {
		if lacks(id) {
			e.Lacks = append(e.Lacks, Lack{id, c.Of(id)})
		}
	}
	if len(e.Lacks) == 0 {
		return nil
	}
	return e
}

// proveUnused reads the whole store, in one snapshot, and returns an error unless
// nothing in it is sealed with the key: no value of a kind, and no record of any
// other sort in which its id stands as it does before sealed values.
func proveUnused(ctx context.Context, s store.Store, id string) (found Count, stray string, err error) {
	found = Count{Sealed: map[string]map[string]int{}}
	traces := secret.Traces(id)
	err = s.View(ctx, func(r store.Reader) error {
		for after := ""; ; {
			items, err := r.Scan(store.Range{After: after, Limit: portion})
			if err != nil {
				return err
			}
			for _, it := range items {
				after = it.Key
				if k, ok := secret.KindOf(it.Key); ok && k.Find != nil {
					found.add(k, it)
				} else if slices.ContainsFunc(traces, func(t []byte) bool { return bytes.Contains(it.Value, t) }) {
					stray = it.Key
				}
			}
			if len(items) < portion {
				return nil
			}
		}
	})
	return found, stray, err
}
