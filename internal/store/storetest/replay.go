package storetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"backoffice/internal/store"
)

// Replay returns s with every Update callback run twice on the same state, the
// first time for nothing. If the two runs differ in their writes, or only one
// of them fails, Update panics: the callback is not pure (Invariant 4). It took
// the time, a random number or a sealed value inside, or kept something from
// its first run.
//
// Domain tests use it so that such a callback fails on bbolt today, not on a
// cluster engine in production.
func Replay(s store.Store) store.Store { return replay{s} }

type replay struct{ store.Store }

func (r replay) Update(ctx context.Context, f func(store.Tx) error) error {
	return r.Store.Update(ctx, func(tx store.Tx) error {
		first := &recorder{tx: tx, last: map[string][]byte{}}
		firstErr := f(first)
		second := &recorder{tx: tx, last: map[string][]byte{}}
		secondErr := f(second)
		if diff := first.diff(second); diff != "" {
			panic("storetest: the Update callback is not pure: " + diff)
		}
		if (firstErr == nil) != (secondErr == nil) {
			panic(fmt.Sprintf("storetest: the Update callback is not pure: it returned %v, then %v", firstErr, secondErr))
		}
		if secondErr == nil {
			second.replay()
		}
		return secondErr
	})
}

// A recorder keeps the writes of one run above tx.
type recorder struct {
	tx    store.Tx
	calls []func()          // the writes, in order
	last  map[string][]byte // their effect; nil if deleted
}

func (r *recorder) Get(key string) ([]byte, error) {
	v, ok := r.last[key]
	switch {
	case !ok:
		return r.tx.Get(key)
	case v == nil:
		return nil, store.ErrNotFound
	}
	return bytes.Clone(v), nil
}

func (r *recorder) Put(key string, value []byte) {
	value = append([]byte{}, value...)
	r.last[key] = value
	r.calls = append(r.calls, func() { r.tx.Put(key, value) })
}

func (r *recorder) Delete(key string) {
	r.last[key] = nil
	r.calls = append(r.calls, func() { r.tx.Delete(key) })
}

func (r *recorder) replay() {
	for _, call := range r.calls {
		call()
	}
}

// diff says in words how the effects of two runs differ. It names keys, never
// values, which may be secret.
func (r *recorder) diff(again *recorder) string {
	for _, key := range slices.Sorted(maps.Keys(r.last)) {
		v, ok := again.last[key]
		switch {
		case !ok:
			return fmt.Sprintf("only its first run wrote %q", key)
		case (v == nil) != (r.last[key] == nil):
			return fmt.Sprintf("only one of its runs deleted %q", key)
		case !bytes.Equal(v, r.last[key]):
			return fmt.Sprintf("its runs wrote different values to %q", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(again.last)) {
		if _, ok := r.last[key]; !ok {
			return fmt.Sprintf("only its second run wrote %q", key)
		}
	}
	return ""
}
