package bolt

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"

	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// A reader reads the bucket of one transaction.
type reader struct {
	ctx context.Context
	b   *bbolt.Bucket
	d   *DB
}

func (r reader) Get(key string) (value []byte, err error) {
	err = guard(func() error {
		v := r.b.Get([]byte(key))
		if v == nil {
			return store.ErrNotFound
		}
		value = bytes.Clone(v) // v is the mapped file
		return nil
	})
	return value, r.d.saw(err)
}

// Scan also returns the error of the View's context: a request that nobody
// waits for any more stops reading.
func (r reader) Scan(rng store.Range) (items []store.Item, err error) {
	const between = 256 // items
	err = guard(func() error {
		c := r.b.Cursor()
		next := c.Next
		if rng.Reverse {
			next = c.Prev
		}
		for k, v := seek(c, rng); k != nil && bytes.HasPrefix(k, []byte(rng.Prefix)); k, v = next() {
			if len(items)%between == 0 && r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			items = append(items, store.Item{Key: string(k), Value: bytes.Clone(v)})
			if len(items) == rng.Limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, r.d.saw(err)
	}
	return items, nil
}

// seek positions c at the first item of rng, if there is one.
func seek(c *bbolt.Cursor, rng store.Range) (k, v []byte) {
	if rng.Reverse {
		return seekLast(c, rng)
	}
	if rng.After < rng.Prefix {
		return c.Seek([]byte(rng.Prefix))
	}
	if k, v = c.Seek([]byte(rng.After)); rng.After != "" && string(k) == rng.After {
		return c.Next()
	}
	return k, v
}

// seekLast positions c at the last key before rng.After and before all keys
// that are greater than those with the prefix.
func seekLast(c *bbolt.Cursor, rng store.Range) (k, v []byte) {
	end := successor(rng.Prefix)
	if rng.After != "" && (end == "" || rng.After < end) {
		end = rng.After
	}
	if end == "" {
		return c.Last()
	}
	if k, _ := c.Seek([]byte(end)); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// successor returns the least string that is greater than every string with
// the prefix, or "" if there is none.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// guard runs f, which reads the mapped file. Where a page makes no sense, bbolt
// panics or follows it out of the mapping; guard returns [ErrDamaged] for both.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}
