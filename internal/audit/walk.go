package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// portion is how many events are read in one snapshot. A long export holds no
// snapshot open, because a commit may have to wait for it.
const portion = 500

// A found is an event that a walk came by.
type found struct {
	n     int64
	leaf  []byte
	event Event            // only if the walk decodes
	proof tlog.RecordProof // only if the walk proves
}

// A walk goes over the events of a tree that has a fixed size, oldest first, in
// portions. Events never change, so that the portions fit together.
type walk struct {
	filter Filter // Before and Limit do not count
	from   int64  // the first event that counts
	size   int64
	head   *Checkpoint // if not nil, every event is proven to be in its tree
	decode bool        // wanted also where the filter needs no decoding
}

// each calls f with every event of the walk. What f is given is its own.
func (l *Log) each(ctx context.Context, w walk, f func(found) error) error {
	w.filter.Before, w.filter.Limit = 0, 0
	w.decode = w.decode || !w.filter.All()
	var parts []stretch
	err := l.store.View(ctx, func(r store.Reader) error {
		lo, hi, err := w.filter.bounds(r, w.size)
		if lo = max(lo, w.from); err == nil {
			parts, err = w.filter.stretches(r, lo, hi)
		}
		return err
	})
	for _, s := range parts {
		for err == nil && s.lo < s.hi {
			err = l.some(ctx, w, &s, f)
		}
	}
	return err
}

// some calls f with the events of the next portion of s, and takes it off s.
func (l *Log) some(ctx context.Context, w walk, s *stretch, f func(found) error) error {
	var out []found
	var v *volume
	err := l.store.View(ctx, func(r store.Reader) (err error) {
		if v, err = archivedAt(r, s.lo); err == nil && v == nil {
			out, s.lo, err = w.portion(r, *s)
		}
		return err
	})
	if err == nil && v != nil {
		out, s.lo, err = l.archivedPortion(ctx, w, *s, *v)
	}
	if err != nil {
		return err
	}
	for _, one := range out {
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// archivedAt returns the file that event n is in, or nil if it is in the store.
func archivedAt(r store.Reader, n int64) (*volume, error) {
	border, err := dropped(r)
	if err != nil || n >= border {
		return nil, err
	}
	v, err := volumeOf(r, n)
	return &v, err
}

// archivedPortion is portion for events that are in an archive file, where there
// are no indexes.
func (l *Log) archivedPortion(ctx context.Context, w walk, s stretch, v volume) (out []found, next int64, err error) {
	if v.outside(w.filter) {
		return nil, min(v.To, s.hi), nil
	}
	leaves, err := l.archive.leaves(v)
	if err != nil {
		return nil, 0, err
	}
	next = min(s.lo+portion, v.To, s.hi)
	err = l.store.View(ctx, func(r store.Reader) error {
		for n := s.lo; n < next; n++ {
			one, ok, err := w.look(r, eventPrefix, store.Item{Value: leaves[n-v.From]}, n)
			if err != nil {
				return err
			}
			if ok {
				out = append(out, one)
			}
		}
		return nil
	})
	return out, next, err
}

// portion reads events from the beginning of s, and says where the following
// portion begins: at the end of s if there is none.
func (w walk) portion(r store.Reader, s stretch) ([]found, int64, error) {
	prefix, next, end := s.prefix, s.lo, s.hi
	rng := store.Range{Prefix: prefix, Limit: portion}
	if next > 0 {
		rng.After = fmt.Sprintf("%s%016d", prefix, next-1)
	}
	items, err := r.Scan(rng)
	if err != nil {
		return nil, 0, err
	}
	var out []found
	for _, it := range items {
		n, err := strconv.ParseInt(strings.TrimPrefix(it.Key, prefix), 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("key %q of the audit log is damaged", it.Key)
		}
		if n >= end {
			return out, end, nil
		}
		if prefix == eventPrefix && n != next {
			return nil, 0, fmt.Errorf("event %d is missing from a log of %d", next, w.size)
		}
		one, ok, err := w.look(r, prefix, it, n)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			out = append(out, one)
		}
		next = n + 1
	}
	if len(items) < portion {
		if prefix == eventPrefix && next < end {
			return nil, 0, fmt.Errorf("event %d is missing from a log of %d", next, w.size)
		}
		next = end
	}
	return out, next, nil
}

// look reads one event and reports whether the filter chooses it.
func (w walk) look(r store.Reader, prefix string, it store.Item, n int64) (one found, ok bool, err error) {
	one = found{n: n, leaf: it.Value}
	if prefix != eventPrefix {
		if one.leaf, err = r.Get(eventKey(n)); err != nil {
			return one, false, fmt.Errorf("event %d: %w", n, err)
		}
	}
	if w.decode {
		if one.event, err = decode(one.leaf, n); err != nil {
			return one, false, err
		}
		if !w.filter.matches(one.event) {
			return one, false, nil
		}
	}
	if w.head != nil {
		one.proof, err = proveIn(r, *w.head, n, one.leaf)
	}
	return one, true, err
}
