package keyring

import (
	"context"
	"sync/atomic"

	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// errWent is what a change ends with whose values were sealed with a key that was
// retired before they could be committed. Trying again seals with the key of now.
var errWent = errs.New(errs.Conflict, "The key that seals was changed at this very moment, so nothing was saved. Try again.")

// Guarded is a store that keeps nothing that no key opens. All rooms are to write
// through it. It is safe for concurrent use.
type Guarded struct {
	store.Store
	box    *secret.Box
	ending atomic.Pointer[string] // id of a key that is about to be retired
}

// Guard returns the guarded s, for values that box seals.
func Guard(s store.Store, box *secret.Box) *Guarded { return &Guarded{Store: s, box: box} }

// Update is that of the store. It returns an errs.Conflict if the callback wrote
// something that is sealed with a key that is not there, or about to go.
func (g *Guarded) Update(ctx context.Context, f func(store.Tx) error) error {
	return g.Store.Update(ctx, func(tx store.Tx) error {
		w := watched{Tx: tx, g: g}
		if err := f(&w); err != nil {
			return err
		}
		return w.err
	})
}

type watched struct {
	store.Tx
	g   *Guarded
	err error
}

// Put lets pass what it does not understand: its room says what is wrong with it.
func (w *watched) Put(key string, value []byte) {
	if k, ok := secret.KindOf(key); ok && k.Find != nil {
		found, err := k.Find(key, value)
		for _, s := range found {
			if err == nil && !w.g.takes(secret.KeyOf(s.Bytes)) {
				w.err = errWent
			}
		}
	}
	w.Tx.Put(key, value)
}

func (g *Guarded) takes(id string) bool {
	if ending := g.ending.Load(); ending != nil && *ending == id {
		return false
	}
	return g.box.Keys().Has(id)
}
