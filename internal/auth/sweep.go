package auth

import (
	"context"
	"errors"
	"strings"

	"backoffice/internal/store"
)

// sweepBatch is how many records one transaction of a sweep touches.
const sweepBatch = 200

// A sweeper deletes the records of a table that nobody needs any more. drop
// deletes one, with what belongs to it.
type sweeper[T any] struct {
	store store.Store
	table store.Table[T]
	gone  func(T) bool
	drop  func(tx store.Tx, id string, v T) error
}

// sweep reads the table in batches. Each record is looked at again in the
// transaction that drops it.
func (s sweeper[T]) sweep(ctx context.Context) error {
	for after, more := "", true; more; {
		var ids []string
		err := s.store.View(ctx, func(r store.Reader) error {
			items, err := r.Scan(store.Range{Prefix: s.table.Prefix, After: after, Limit: sweepBatch})
			if err != nil {
				return err
			}
			more = len(items) == sweepBatch
			for _, it := range items {
				after = it.Key
				id := strings.TrimPrefix(it.Key, s.table.Prefix)
				v, err := s.table.Get(r, id)
				if err != nil {
					return err
				}
				if s.gone(v) {
					ids = append(ids, id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.dropAll(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

func (s sweeper[T]) dropAll(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		for _, id := range ids {
			v, err := s.table.Get(tx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil && s.gone(v) {
				err = s.drop(tx, id, v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
