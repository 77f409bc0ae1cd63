package bolt

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// A write is the last word of a callback on one key.
type write struct {
	value   []byte
	deleted bool
}

// An overlay holds the writes of one callback above the transaction, which it
// changes only when the callback succeeded.
type overlay struct {
	reader
	writes map[string]write
	size   int   // bytes that were put
	err    error // the first write that was refused
}

func (o *overlay) Get(key string) ([]byte, error) {
	w, ok := o.writes[key]
	switch {
	case !ok:
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
		o.writes[key] = write{value: append([]byte{}, value...)} // never nil: bbolt would not find it
	}
}

func (o *overlay) Delete(key string) {
	if o.accepts(key) {
		o.writes[key] = write{deleted: true}
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
		for _, key := range slices.Sorted(maps.Keys(o.writes)) {
			w := o.writes[key]
			err := error(nil)
			if w.deleted {
				err = b.Delete([]byte(key))
			} else {
				err = b.Put([]byte(key), w.value)
			}
			if err != nil {
				return fmt.Errorf("writing %s: %w", key, err)
			}
		}
		return nil
	})
}
