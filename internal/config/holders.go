package config

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"sync"

	"backoffice/internal/connector"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A holder is a place where a client id or a secret is kept: a key of a version
// that carries a label.
type holder struct {
	entry   ID
	version int
	label   string // "in force", "pending", "previous"
	key     string
	called  string // what the form calls the key
	use     use
}

// A holderCache keeps who has which client id and which secret, by fingerprint,
// so that nothing is opened to find a value again. When config/generation has
// risen, only the entries whose revision changed are read once more.
type holderCache struct {
	mu         sync.Mutex
	filled     bool
	generation int64
	by         map[secret.Fingerprint][]holder
	known      map[ID]knownEntry
}

type knownEntry struct {
	revision int64
	prints   []secret.Fingerprint
}

// shortest is how many characters a secret of one's own key has at least, to be
// found again: "true" is a secret of many entries.
const shortest = 8

// update brings the cache to what r sees, or leaves it newer.
func (c *holderCache) update(r store.Reader, s *Service) error {
	generation, err := readGeneration(r)
	if err != nil || c.filled && c.generation >= generation {
		return err
	}
	all, err := s.index.get(r)
	if err != nil {
		return err
	}
	if c.by == nil {
		c.by, c.known = map[secret.Fingerprint][]holder{}, map[ID]knownEntry{}
	}
	there := make(map[ID]bool, len(all))
	for _, e := range all {
		there[e.ID] = true
		if k, ok := c.known[e.ID]; ok && k.revision == e.Revision {
			continue
		}
		if err := c.read(r, e, s.Definition(e.ID)); err != nil {
			return err
		}
	}
	for id := range c.known {
		if !there[id] {
			c.forget(id)
		}
	}
	c.filled, c.generation = true, generation
	return nil
}

func (c *holderCache) forget(id ID) {
	for _, print := range c.known[id].prints {
		rest := slices.DeleteFunc(c.by[print], func(h holder) bool { return h.entry == id })
		if c.by[print] = rest; len(rest) == 0 {
			delete(c.by, print)
		}
	}
	delete(c.known, id)
}

// read takes the labelled versions of e into the cache. What r does not have yet,
// because the list of entries is newer than r, waits for the next update.
func (c *holderCache) read(r store.Reader, e Entry, def *connector.Definition) error {
	c.forget(e.ID)
	k := knownEntry{revision: e.Revision}
	for _, at := range marked(e) {
		v, err := openKeys.Get(r, versionID(e.ID, at.version))
		if errors.Is(err, store.ErrNotFound) {
			k.revision = 0
			continue
		}
		if err != nil {
			return err
		}
		for print, h := range holdersIn(v, at, e.ID, def) {
			c.by[print] = append(c.by[print], h)
			k.prints = append(k.prints, print)
		}
	}
	c.known[e.ID] = k
	return nil
}

// holdersIn gives each client id and secret of one version, by fingerprint.
func holdersIn(v Version, at labelledVersion, entry ID, def *connector.Definition) iter.Seq2[secret.Fingerprint, holder] {
	in := inspection{def, Opened{Version: v}}
	id, _ := idAndSecret(def, v)
	return func(yield func(secret.Fingerprint, holder) bool) {
		for _, k := range v.Keys {
			h := holder{entry, at.version, at.label, k.Name, in.label(k.Name), in.use(k)}
			if watched(k, id, def) && !yield(k.Fingerprint, h) {
				return
			}
		}
	}
}

// watched reports whether a value is one that no two entries should share
// unawares: the client id, a secret of the definition, or a long secret.
func watched(k Key, id string, def *connector.Definition) bool {
	_, asked := field(def, k.Name)
	return k.Kind == connector.Text && k.Length > 0 && (k.Name == id || k.Secret && (asked || k.Length >= shortest))
}

type labelledVersion struct {
	version int
	label   string
}

func marked(e Entry) (out []labelledVersion) {
	for _, v := range []labelledVersion{{e.Current, "in force"}, {e.Pending, "pending"}, {e.Previous, "previous"}} {
		if v.version != 0 {
			out = append(out, v)
		}
	}
	return out
}

// holders returns who has the values with these fingerprints, by fingerprint, in
// the order of the entries' ids and then of the labels.
func (c *holderCache) holders(r store.Reader, s *Service, prints map[secret.Fingerprint]bool) (map[secret.Fingerprint][]holder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.update(r, s); err != nil {
		return nil, err
	}
	out := map[secret.Fingerprint][]holder{}
	for print := range prints {
		found := slices.Clone(c.by[print])
		slices.SortStableFunc(found, func(a, b holder) int { return cmp.Compare(a.entry, b.entry) })
		out[print] = found
	}
	return out, nil
}
