package bolt

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// A write is the last word of a callback on one key.
type write struct {
	key     string
	value   []byte
	deleted bool
}

// An overlay holds the writes of one callback above the transaction, which it
// changes only when the callback succeeded.
type overlay struct {
	reader
	writes []write
	places map[string]int // where in writes a key is; nil while they are few
	size   int            // bytes that were put
	err    error          // the first write that was refused
}

// few writes are looked through faster than a map is made.
const few = 16

// find returns the write on a key, or nil.
func (o *overlay) find(key string) *write {
	if o.places != nil {
		if i, ok := o.places[key]; ok {
			return &o.writes[i]
		}
		return nil
	}
	for i := range o.writes {
		if o.writes[i].key == key {
			return &o.writes[i]
		}
	}
	return nil
}

func (o *overlay) set(w write) {
	if have := o.find(w.key); have != nil {
		*have = w
		return
	}
	o.writes = append(o.writes, w)
	switch {
	case o.places != nil:
		o.places[w.key] = len(o.writes) - 1
	case len(o.writes) > few:
		o.places = make(map[string]int, 4*few)
		for i, w := range o.writes {
			o.places[w.key] = i
		}
	}
}

func (o *overlay) Get(key string) ([]byte, error) {
	w := o.find(key)
	switch {
	case w == nil:
		return o.reader.Get(key)
	case w.deleted:
		return nil, store.ErrNotFound
	}
	return bytes.Clone(w.value), nil
}

func (o *overlay) Put(key string, value []byte) {
	switch {
	case !o.accepts(key):
	case len(value) > MaxValueSize:
		o.refuse(fmt.Errorf("writing %s: %w: %d bytes", key, store.ErrValueSize, len(value)))
	default:
		o.size += len(key) + len(value)
		o.set(write{key: key, value: append([]byte{}, value...)}) // never nil: bbolt would not find it
	}
}

func (o *overlay) Delete(key string) {
	if o.accepts(key) {
		o.set(write{key: key, deleted: true})
	}
}

func (o *overlay) accepts(key string) bool {
	if key != "" && len(key) <= store.MaxKeySize {
		return true
	}
	const shown = 64 // bytes of a key that is too long
	o.refuse(fmt.Errorf("writing %.*q: %w: %d bytes", shown, key, store.ErrKeySize, len(key)))
	return false
}

func (o *overlay) refuse(err error) {
	if o.err == nil {
		o.err = err
	}
}

// apply makes the writes in the transaction. After an error the transaction
// cannot be committed: it may hold some of them.
func (o *overlay) apply(b *bbolt.Bucket) error {
	return guard(func() error {
		slices.SortFunc(o.writes, func(a, b write) int { return strings.Compare(a.key, b.key) })
		for i := range o.writes {
			w, err := &o.writes[i], error(nil)
			if w.deleted {
				err = b.Delete([]byte(w.key))
			} else {
				err = b.Put([]byte(w.key), w.value)
			}
			if err != nil {
				return fmt.Errorf("writing %s: %w", w.key, err)
			}
		}
		return nil
	})
}
