package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

func deletedMeanwhile(owner string) error {
	return errs.Newf(errs.NotFound, "There is no entry %s any more. The audit log says who deleted it.", owner)
}

// pruneAtOnce is how many one Update removes at most, so that others who share
// its commit do not wait long.
const pruneAtOnce = 200

// A limit is how much of a share is kept.
type limit struct {
	count  int
	bytes  int64
	cutoff time.Time // what is older goes; the zero time keeps all
}

func (s *Service) limits(good bool, scale float64) limit {
	k := s.keeping
	count, size := float64(k.Notifications), float64(k.Bytes)
	if !good {
		count, size = max(count/junkShare, 1), size/junkShare
	}
	return limit{count: max(int(count*scale), 1), bytes: int64(size * scale)}
}

// take takes the oldest out of a share until it is within the limit, but none
// that is not committed yet.
func (l *log) take(good bool, to limit, most int) (out []*mark) {
	x := l.share(good)
	for len(x.marks) > 0 && len(out) < most {
		m := x.marks[0]
		over := len(x.marks) > to.count || x.bytes > to.bytes || m.at().Before(to.cutoff)
		if !over || m.pending || x.bytes > to.bytes && len(x.marks) == 1 {
			break
		}
		x.marks[0] = nil
		x.marks, x.bytes = x.marks[1:], x.bytes-m.Bytes
		if f := l.first[m.Code]; f != nil && f.mark == m {
			delete(l.first, m.Code)
		}
		out = append(out, m)
	}
	return out
}

// restore puts back what could not be removed.
func (l *log) restore(victims []*mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(victims) - 1; i >= 0; i-- {
		m := victims[i]
		x := l.share(m.fresh())
		x.marks, x.bytes = append([]*mark{m}, x.marks...), x.bytes+m.Bytes
	}
}

// hard is by how much more than its limit a share may have, before a notification
// that comes has to make room for itself; soft is when making room begins, after
// the answer.
const (
	soft = 1.1
	hard = 1.2
)

// overdue are the ones that have to go with the next that is written, because
// pruning after the answers does not keep up.
func (s *Service) overdue(l *log) []*mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.take(true, s.limits(true, hard), pruneAtOnce)
	return append(out, l.take(false, s.limits(false, hard), pruneAtOnce)...)
}

// trim has a share that is over its limit pruned, after the answer.
func (s *Service) trim(l *log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pruning || !s.over(l, true) && !s.over(l, false) {
		return
	}
	l.pruning = s.later.do(func(ctx context.Context) {
		err := s.prune(ctx, l, time.Time{})
		l.mu.Lock()
		l.pruning = false
		l.mu.Unlock()
		s.complain("pruning notifications", err)
	})
}

func (s *Service) over(l *log, good bool) bool {
	x, to := l.share(good), s.limits(good, soft)
	return len(x.marks) > to.count || x.bytes > to.bytes && len(x.marks) > 1
}

// prune removes what is over the limits or came before cutoff.
func (s *Service) prune(ctx context.Context, l *log, cutoff time.Time) error {
	for {
		l.mu.Lock()
		var victims []*mark
		for _, good := range []bool{true, false} {
			to := s.limits(good, 1)
			to.cutoff = cutoff
			victims = append(victims, l.take(good, to, pruneAtOnce)...)
		}
		known, lowest := l.born, l.lowest()
		l.mu.Unlock()
		if len(victims) == 0 {
			return nil
		}
		err := s.store.Update(ctx, func(tx store.Tx) error {
			sp, err := spans.Get(tx, ownerKey(l.owner))
			if errors.Is(err, store.ErrNotFound) || err == nil && sp.Born != known {
				return errStale
			}
			if err != nil {
				return err
			}
			if lowest > sp.First {
				sp.First = min(lowest, sp.Limit)
				if err := spans.Put(tx, ownerKey(l.owner), sp); err != nil {
					return err
				}
			}
			return removeAll(tx, l, victims)
		})
		if errors.Is(err, errStale) {
			s.logs.drop(l)
			return nil
		}
		if err != nil {
			l.restore(victims)
			return fmt.Errorf("pruning %s: %w", l.owner, err)
		}
		s.watchers.tick()
	}
}

// lowest is the lowest number that is in use, or about to be.
func (l *log) lowest() int64 {
	n := l.next
	for _, x := range []*share{&l.good, &l.junk} {
		if len(x.marks) > 0 {
			n = min(n, x.marks[0].n)
		}
	}
	return n
}

func removeAll(tx store.Tx, l *log, victims []*mark) error {
	for _, m := range victims {
		remove(tx, m.ID)
		marks.Delete(tx, markID(l.owner, m.n))
	}
	return nil
}

func remove(tx store.Tx, id string) {
	notes.Delete(tx, id)
	tx.Delete(bodyKey(id))
}

// deleteAll is what deleting an entry takes along. Numbers in the span that are
// not in use cost a point read each.
func deleteAll(tx store.Tx, id config.ID) error {
	sp, err := spans.Get(tx, ownerKey(string(id)))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for n := sp.First; n < sp.Limit; n++ {
		m, err := marks.Get(tx, markID(string(id), n))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		remove(tx, m.ID)
		marks.Delete(tx, markID(string(id), n))
	}
	spans.Delete(tx, ownerKey(string(id)))
	return nil
}

// Sweep removes what is older than is kept, and what a program that was stopped
// left over its limits.
func (s *Service) Sweep(ctx context.Context) error {
	cutoff := s.now().Add(-s.keeping.Age)
	var owners []string
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		owners, err = s.unswept(r, cutoff)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing the owners of notifications: %w", err)
	}
	for _, owner := range owners {
		l, err := s.log(ctx, owner)
		if err == nil {
			err = s.prune(ctx, l, cutoff)
		}
		if err != nil {
			return err
		}
	}
	s.sources.sweep(s.now())
	return nil
}

// unswept are the owners of whom something may have to go. The others are not
// read into memory.
func (s *Service) unswept(r store.Reader, cutoff time.Time) (owners []string, err error) {
	records, err := spans.Scan(r, store.Range{})
	if err != nil {
		return nil, err
	}
	most := int64(s.limits(true, 1).count + s.limits(false, 1).count)
	for _, rec := range records {
		oldest, err := marks.Scan(r, store.Range{Prefix: rec.ID + "/", Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(oldest) > 0 && oldest[0].Value.at().Before(cutoff) || rec.Value.Limit-rec.Value.First > most {
			owners = append(owners, strings.ReplaceAll(rec.ID, "+", "/"))
		}
	}
	return owners, nil
}
