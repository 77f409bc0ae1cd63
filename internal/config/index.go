package config

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"backoffice/internal/store"
)

// An indexCache keeps all entries decoded, in the order of their ids, until
// config/generation rises. With 10,000 entries a list page is then a walk over
// memory instead of 10,000 decodings.
type indexCache struct {
	mu         sync.Mutex
	filled     bool
	generation int64 // of all
	all        []Entry
}

// All returns every entry in the order of the ids. The slice is shared: it must
// not be changed. It has every commit that ended before the call.
func (s *Service) All(ctx context.Context) ([]Entry, error) {
	var all []Entry
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		all, err = s.index.get(r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the entries: %w", err)
	}
	return all, nil
}

// get returns the entries as r sees them, or newer ones: a snapshot that is
// older than the cache does not set it back.
func (c *indexCache) get(r store.Reader) ([]Entry, error) {
	generation, err := readGeneration(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.filled && c.generation >= generation {
		return c.all, nil
	}
	all, err := entries.List(r, "", 0)
	if err != nil {
		return nil, err
	}
	share(all)
	c.filled, c.generation, c.all = true, generation, all
	return all, nil
}

// share takes work off the garbage collector: it keeps one copy of each text that
// many entries have, and puts those that only one has into a single piece of
// memory.
func share(all []Entry) {
	texts := map[string]string{}
	one := func(s *string) {
		if t, ok := texts[*s]; ok {
			*s = t
			return
		}
		texts[*s] = *s
	}
	var own strings.Builder
	for i := range all {
		e := &all[i]
		one(&e.Connector)
		one(&e.ChangedBy)
		one(&e.InForceBy)
		own.WriteString(string(e.ID) + e.CurrentHash + e.PendingHash)
	}
	rest := own.String()
	next := func(n int) (s string) {
		s, rest = rest[:n], rest[n:]
		return s
	}
	for i := range all {
		e := &all[i]
		e.ID, e.CurrentHash, e.PendingHash = ID(next(len(e.ID))), next(len(e.CurrentHash)), next(len(e.PendingHash))
	}
}

func readGeneration(r store.Getter) (int64, error) {
	b, err := r.Get(generationKey)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is damaged: %q is no number", generationKey, b)
	}
	return n, nil
}

// put writes the entry and raises the generation, so that the index is rebuilt.
func put(tx store.Tx, e Entry) error {
	return errors.Join(entries.Put(tx, string(e.ID), e), raiseGeneration(tx))
}

func raiseGeneration(tx store.Tx) error {
	n, err := readGeneration(tx)
	if err != nil {
		return err
	}
	tx.Put(generationKey, strconv.AppendInt(nil, n+1, 10))
	return nil
}

// Generation rises with every change of an entry. What another room works out of
// All holds until it moves. It costs one point read.
func (s *Service) Generation(ctx context.Context) (int64, error) {
	var n int64
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		n, err = readGeneration(r)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the generation of the entries: %w", err)
	}
	return n, nil
}
