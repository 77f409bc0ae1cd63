package config

import (
	"slices"
	"sync"

	"backoffice/internal/connector"
)

// maxLooks is how many versions have their doubts remembered.
const maxLooks = 256

// A looksMemo remembers what Inspect found about versions, which never change: it
// is a page's work to look for a dozen patterns in every value. It is safe for
// concurrent use.
type looksMemo struct {
	mu   sync.Mutex
	seen map[looksKey][]Doubt
}

// A looksKey is everything that Inspect depends on. The content hash is keyed and
// covers the values.
type looksKey struct {
	def    *connector.Definition
	id     ID
	number int
	hash   string
}

// of is Inspect(in.def, in.o). The caller may append to what it gets. Values that
// are not saved are looked at anew.
func (m *looksMemo) of(in inspection) []Doubt {
	if in.o.Number == 0 || in.o.ContentHash == "" {
		return Inspect(in.def, in.o)
	}
	key := looksKey{in.def, in.o.Entry, in.o.Number, in.o.ContentHash}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.seen[key]
	if !ok {
		found = slices.Clip(Inspect(in.def, in.o))
		if m.seen == nil {
			m.seen = map[looksKey][]Doubt{}
		}
		for k := range m.seen {
			if len(m.seen) < maxLooks {
				break
			}
			delete(m.seen, k) // any one
		}
		m.seen[key] = found
	}
	return found
}
