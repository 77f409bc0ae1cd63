package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Service keeps the entries. It is safe for concurrent use.
type Service struct {
	store      store.Store
	box        *secret.Box
	catalogue  *connector.Catalogue
	now        func() time.Time
	rule       Rule // of the instance
	proven     func(r store.Getter, id ID, hash string, now time.Time) (bool, error)
	alsoDelete []func(tx store.Tx, id ID) error
	index      indexCache
	looks      looksMemo
	holders    holderCache
	dates      expiryCache
}

// Options are what a Service is made of. All but Approval are needed.
type Options struct {
	Store     store.Store
	Box       *secret.Box
	Catalogue *connector.Catalogue
	Now       func() time.Time
	Approval  Rule // of entries that have none of their own; RuleNone if ""
}

// New returns a Service over o. It panics without a Box: there is no way to
// keep entries unsealed.
func New(o Options) *Service {
	if o.Box == nil {
		panic("config: no box to seal values with")
	}
	return &Service{store: o.Store, box: o.Box, catalogue: o.Catalogue, now: o.Now, rule: cmp.Or(o.Approval, RuleNone)}
}

// AlsoDelete has f remove another room's records of an entry in the
// transaction that deletes the entry. Call it before serving; f must be pure.
func (s *Service) AlsoDelete(f func(tx store.Tx, id ID) error) {
	s.alsoDelete = append(s.alsoDelete, f)
}

// Definition returns the definition that an entry of this id follows, or nil
// for a plain entry.
func (s *Service) Definition(id ID) *connector.Definition {
	if def, ok := s.catalogue.For(id.Service(), id.Module()); ok {
		return def
	}
	return nil
}

// Get returns the entry, or an errs.NotFound.
func (s *Service) Get(ctx context.Context, id ID) (Entry, error) {
	var e Entry
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		e, err = entries.Get(r, string(id))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Entry{}, Missing(id)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("reading entry %s: %w", id, err)
	}
	return e, nil
}

// Has reports whether the entry has version n with that content hash, for another
// room that is about to keep a record of it in the same transaction. An entry that
// was deleted and made anew has other content under the same number, or the same.
func Has(r store.Getter, id ID, n int, hash string) (bool, error) {
	v, err := versions.Get(r, versionID(id, n))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && v.ContentHash == hash, err
}

// HasEntry is Has for the entry alone.
func HasEntry(r store.Getter, id ID) (bool, error) {
	_, err := entries.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Missing is the errs.NotFound of an entry that does not exist.
func Missing(id ID) error {
	return errs.Newf(errs.NotFound, "There is no entry %s. It may have been deleted; the audit log says by whom.", id)
}

// Version returns what may be shown of version n, or an errs.NotFound.
func (s *Service) Version(ctx context.Context, id ID, n int) (Version, error) {
	var v Version
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		v, err = versions.Get(r, versionID(id, n))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Version{}, errs.Newf(errs.NotFound, "%s has no version %d.", id, n)
	}
	if err != nil {
		return Version{}, fmt.Errorf("reading version %d of %s: %w", n, id, err)
	}
	return v, nil
}

// Versions returns up to limit versions of the entry, newest first, that are
// older than version before; 0 means from the newest on.
func (s *Service) Versions(ctx context.Context, id ID, before, limit int) ([]Version, error) {
	var out []Version
	err := s.store.View(ctx, func(r store.Reader) error {
		e, err := entries.Get(r, string(id))
		if err != nil {
			return err
		}
		if before <= 0 || before > e.Next {
			before = e.Next
		}
		for n := before - 1; n > 0 && len(out) < limit; n-- {
			v, err := versions.Get(r, versionID(id, n))
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, Missing(id)
	}
	if err != nil {
		return nil, fmt.Errorf("reading versions of %s: %w", id, err)
	}
	return out, nil
}

// Open returns version n with its values, secrets included. It returns an
// errs.NotFound, or an error if the sealed values do not open.
func (s *Service) Open(ctx context.Context, id ID, n int) (Opened, error) {
	v, err := s.Version(ctx, id, n)
	if err != nil {
		return Opened{}, err
	}
	bound, err := v.boundTo(id, n)
	if err != nil {
		return Opened{}, err
	}
	plain, err := s.box.Open(v.Sealed, bound)
	if err != nil {
		return Opened{}, fmt.Errorf("opening version %d of %s: %w", n, id, err)
	}
	values, err := decodeValues(plain)
	if err != nil {
		return Opened{}, fmt.Errorf("opening version %d of %s: %w", n, id, err)
	}
	return Opened{v, values}, nil
}
