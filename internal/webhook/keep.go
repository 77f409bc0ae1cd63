package webhook

import (
	"context"
	"errors"
	"fmt"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

// errStale says that a log in memory is of an entry that was deleted, and made
// anew under its id.
var errStale = errors.New("the entry was deleted meanwhile")

// keep stores a notification with its body and returns it with its id, durable.
func (s *Service) keep(ctx context.Context, n Notification, body []byte) (Notification, error) {
	for range 3 {
		l, err := s.log(ctx, n.Owner)
		if err != nil {
			return n, err
		}
		kept, err := s.keepIn(ctx, l, n, body)
		if !errors.Is(err, errStale) {
			return kept, err
		}
		s.logs.drop(l)
	}
	return n, deletedMeanwhile(n.Owner)
}

func (s *Service) keepIn(ctx context.Context, l *log, n Notification, body []byte) (Notification, error) {
	m, f, err := l.reserve(ctx, &n, func() string { return s.newID(n.Received) })
	if err != nil {
		return n, err
	}
	w, err := s.encode(l, m, n, body)
	if err == nil {
		w.victims = s.overdue(l)
		err = s.write(ctx, w)
	}
	l.settle(m, f, err)
	if err != nil {
		l.restore(w.victims)
		return n, err
	}
	l.learn(w.born)
	s.trim(l)
	return n, nil
}

// reserve gives n its id and its number. It waits for one with the same
// provider's id that is about to be kept, because only then it is known which of
// them is the first. f is nil if n repeats another, or cannot be repeated.
func (l *log) reserve(ctx context.Context, n *Notification, newID func() string) (m *mark, f *first, err error) {
	m = &mark{Bytes: int64(n.Length), Verdict: n.Verdict, pending: true}
	if n.Good() { // what nobody signed repeats nothing, and nothing repeats it
		m.Code = codeOf(n.ProviderID)
	}
	l.mu.Lock()
	for m.Code != "" {
		before := l.first[m.Code]
		if before == nil {
			f = &first{mark: m, done: make(chan struct{})}
			l.first[m.Code] = f
			break
		}
		if !before.mark.pending {
			m.Repeats, n.Repeats = true, before.mark.ID
			break
		}
		l.mu.Unlock()
		select {
		case <-before.done:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		l.mu.Lock()
	}
	defer l.mu.Unlock()
	m.n, l.next = l.next, l.next+1
	m.ID = newID() // under the lock: the order of the numbers is that of the ids
	n.ID = m.ID
	l.share(m.fresh()).add(m)
	return m, f, nil
}

// settle notes whether what was reserved is in the store.
func (l *log) settle(m *mark, f *first, err error) {
	l.mu.Lock()
	m.pending = false
	if err != nil {
		l.share(m.fresh()).remove(m)
		if f != nil && l.first[m.Code] == f {
			delete(l.first, m.Code)
		}
	}
	l.mu.Unlock()
	if f != nil {
		close(f.done)
	}
}

// learn notes of which span the log is.
func (l *log) learn(born string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.born == "" {
		l.born = born
	}
}

// A writing is all that one Update needs, made before it.
type writing struct {
	log     *log
	m       *mark
	note    []byte
	mark    []byte
	sealed  []byte
	known   string // of which span the log is; "" if there was none
	victims []*mark

	born string // out: of which span it is now
}

// encode does what costs time before the turn in the store: encoding and sealing.
func (s *Service) encode(l *log, m *mark, n Notification, body []byte) (*writing, error) {
	w := &writing{log: l, m: m}
	l.mu.Lock()
	w.known = l.born
	l.mu.Unlock()
	var err error
	if w.note, err = encodeNote(&n); err != nil {
		return w, fmt.Errorf("encoding a notification: %w", err)
	}
	if w.mark, err = encodeMark(m); err != nil {
		return w, fmt.Errorf("encoding a notification: %w", err)
	}
	w.sealed, err = s.box.Seal(body, bodyKey(n.ID))
	return w, err
}

func (s *Service) write(ctx context.Context, w *writing) error {
	return s.store.Update(ctx, func(tx store.Tx) error {
		owner := w.log.owner
		born, err := w.widen(tx)
		if err != nil {
			return err
		}
		w.born = born
		tx.Put(notes.Prefix+w.m.ID, w.note)
		tx.Put(bodyKey(w.m.ID), w.sealed)
		tx.Put(marks.Prefix+markID(owner, w.m.n), w.mark)
		return removeAll(tx, w.log, w.victims)
	})
}

// widen has the span take in the number of the new one. Deleting an entry deletes
// its span, so where there is one, the entry is there too.
func (w *writing) widen(tx store.Tx) (born string, err error) {
	key, n := ownerKey(w.log.owner), w.m.n
	sp, err := spans.Get(tx, key)
	if errors.Is(err, store.ErrNotFound) {
		if gone := stillThere(tx, w.log.owner); gone != nil {
			return "", gone
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound) && w.known == "":
		sp = span{Born: w.m.ID, First: n, Limit: n}
	case errors.Is(err, store.ErrNotFound):
		return "", errStale
	case err != nil:
		return "", err
	case w.known != "" && sp.Born != w.known:
		return "", errStale
	case sp.First <= n && n < sp.Limit:
		return sp.Born, nil
	}
	sp.First = min(sp.First, n)
	if n >= sp.Limit {
		sp.Limit = n - n%spanStep + spanStep
	}
	return sp.Born, spans.Put(tx, key, sp)
}

// stillThere returns an errs.NotFound if the entry is gone: what is kept of one
// that is gone would be found under the next that has its id.
func stillThere(tx store.Tx, owner string) error {
	if !isEntry(owner) {
		return nil
	}
	ok, err := config.HasEntry(tx, config.ID(owner))
	if err == nil && !ok {
		err = deletedMeanwhile(owner)
	}
	return err
}
