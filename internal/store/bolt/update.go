package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// A commit is not shared by more than this, so that the first in it does not
// wait for ever.
const (
	maxShare = 256      // Updates
	maxBytes = 16 << 20 // written by them
)

// lookOut is the patience of a line. Measured with 16 savers that need 1 ms of
// processor time before each save, on two cores: 9 saves a commit instead of 2,
// in 0.56 ms a save instead of 0.65; savers that need none: 16 instead of 8.
const lookOut = 4 * time.Millisecond

// gaps is how many times shorter a gap between two who come is than the patience:
// after a longer one, those who are still missing are not likely to come. Without
// it, one Update that does not come back costs all others the whole patience.
// Measured with 64 who keep notifications and now and then one that prunes them:
// 39 µs for each instead of 95, with as many in a commit.
const gaps = 4

// A line lets one Update at a time have the turn, in the order of arrival.
// Whoever has the turn has the batch that is open, and must pass it on.
type line struct {
	mu      sync.Mutex
	taken   bool // somebody has the turn
	waiting []chan *batch
	arrival chan struct{} // if not nil, closed by the next one who comes

	// A batch that follows a shared one within patience looks out, for no
	// longer than patience, for those who shared it: they are likely to be back.
	patience time.Duration
	crowd    int       // how many were under way when the last batch was done
	since    time.Time // when that was
}

// A batch is a transaction that several Updates share.
type batch struct {
	tx     *bbolt.Tx     // nil until the first callback
	bucket *bbolt.Bucket // of tx
	writes int           // Updates that wrote something
	turns  int           // Updates that had their turn
	size   int           // bytes that they wrote

	expected int       // Updates; the batch looks out for them
	until    time.Time // but no longer than this

	done chan struct{} // closed when the outcome is known
	err  error         // the outcome, unless a callback failed by itself
}

func (b *batch) full() bool { return b.turns >= maxShare || b.size >= maxBytes || b.err != nil }

// Update runs f when its turn comes and commits its writes, together with
// those of the Updates that queue behind it.
func (d *DB) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	defer d.inUse.Done()
	b, err := d.line.enter(ctx)
	if err != nil {
		return err
	}
	ran, err := d.turn(ctx, b, f)
	if !ran {
		return err
	}
	<-b.done
	if b.err != nil {
		return b.err
	}
	return err
}

// turn runs f in the batch, unless ctx is cancelled, and passes the turn on,
// even if f panics or ends its goroutine.
func (d *DB) turn(ctx context.Context, b *batch, f func(store.Tx) error) (ran bool, err error) {
	defer d.pass(b)
	if err := ctx.Err(); err != nil {
		return false, err
	}
	b.turns++
	if b.err = d.openBatch(b); b.err != nil {
		return true, b.err
	}
	o := &overlay{reader: reader{ctx: ctx, b: b.bucket, d: d}}
	if err := f(o); err != nil {
		return true, err
	}
	if o.err != nil {
		return true, o.err
	}
	if len(o.writes) > 0 {
		b.err = d.saw(o.apply(b.bucket))
		b.writes++
		b.size += o.size
	}
	return true, nil
}

func (d *DB) openBatch(b *batch) (err error) {
	if b.tx != nil {
		return nil
	}
	if t := d.trouble.Load(); t != nil && t.Kind.lasts() {
		return t.refusal()
	}
	if err = d.startable(); err == nil {
		err = guard(func() (err error) { b.tx, err = d.b.Begin(true); return err })
		if errors.Is(err, ErrDamaged) {
			d.dead.Store(true)
		}
	}
	if err == nil {
		b.bucket, err = open(b.tx)
	}
	if err != nil {
		return d.saw(fmt.Errorf("writing to %s: %w", d.path, err))
	}
	return d.whole(b.tx)
}

// pass gives the turn to the next in the line: in the same batch or, after a
// commit, in a new one.
func (d *DB) pass(b *batch) {
	if !b.full() && d.line.pass(b) {
		return
	}
	d.finish(b)
	d.line.leave(b)
}

// finish commits the batch, or rolls it back if it has no writes, and tells
// the outcome to all that took part.
func (d *DB) finish(b *batch) {
	defer close(b.done)
	if b.tx == nil {
		return
	}
	if b.err == nil && b.writes > 0 {
		id := b.tx.ID()
		err := guard(b.tx.Commit)
		if err != nil {
			d.rollBack(b.tx) // only says that it is closed, after a Commit that did not panic
		}
		stats := b.tx.Stats()
		b.err = d.unsaved(err, id, int(stats.GetPageAlloc())) // a change of a page writes all that is on it
	} else {
		d.rollBack(b.tx)
	}
	if b.err != nil || b.writes == 0 {
		return
	}
	d.mu.Lock()
	d.updates += int64(b.writes)
	d.commits++
	d.mu.Unlock()
}

// enter waits for the turn. The error is that of ctx, and then the turn never
// comes.
func (l *line) enter(ctx context.Context) (*batch, error) {
	l.mu.Lock()
	if !l.taken {
		l.taken = true
		b := l.newBatch()
		l.mu.Unlock()
		return b, nil
	}
	turn := make(chan *batch, 1)
	l.waiting = append(l.waiting, turn)
	if l.arrival != nil {
		close(l.arrival)
		l.arrival = nil
	}
	l.mu.Unlock()
	select {
	case b := <-turn:
		return b, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return nil, ctx.Err()
	}
	return <-turn, nil // it came at the same moment: it must be passed on
}

// pass gives the turn to the next in the line, who joins the batch, and
// reports whether there is one.
func (l *line) pass(b *batch) bool {
	l.mu.Lock()
	if len(l.waiting) == 0 && b.turns < b.expected {
		arrival := make(chan struct{})
		l.arrival = arrival
		l.mu.Unlock()
		select {
		case <-arrival:
		case <-time.After(min(time.Until(b.until), l.patience/gaps)):
		}
		l.mu.Lock()
		l.arrival = nil
	}
	defer l.mu.Unlock()
	return l.give(b)
}

// leave gives the turn to the next in the line, who opens a new batch. If
// nobody stands there, the turn is free.
func (l *line) leave(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crowd, l.since = b.turns+len(l.waiting), time.Now()
	l.taken = l.give(l.newBatch())
}

func (l *line) give(b *batch) bool {
	if len(l.waiting) == 0 {
		return false
	}
	l.waiting[0] <- b // has room for it
	l.waiting = slices.Delete(l.waiting, 0, 1)
	return true
}

// newBatch expects those who were under way just before. After a lone Update
// that is nobody else, and nothing is waited for.
func (l *line) newBatch() *batch {
	b := &batch{done: make(chan struct{})}
	if now := time.Now(); now.Sub(l.since) < l.patience {
		b.expected, b.until = l.crowd, now.Add(l.patience)
	}
	return b
}
