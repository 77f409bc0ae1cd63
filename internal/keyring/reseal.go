package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// work is the record of a re-sealing under way.
type work struct {
	Begun time.Time      `json:"begun"`
	By    audit.Actor    `json:"by"`
	Done  map[string]int `json:"done,omitempty"` // values sealed anew, by the prefixes of their kinds
}

func (w work) total() (n int) {
	for _, k := range w.Done {
		n += k
	}
	return n
}

// portionBytes is what one transaction of a re-sealing writes, about: others share
// its commit, and wait for it.
const portionBytes = 1 << 20

// Reseal has everything that older keys sealed sealed anew by Run, beside the work.
// While that goes on, asking again changes nothing.
func (r *Ring) Reseal(ctx context.Context, by audit.Actor) error {
	w := work{Begun: r.Now().UTC(), By: by}
	err := r.Store.Update(ctx, func(tx store.Tx) error {
		if _, there, err := get(works, tx, workID); there || err != nil {
			return err
		}
		return works.Put(tx, workID, w)
	})
	if err != nil {
		return fmt.Errorf("beginning to seal anew: %w", err)
	}
	select {
	case r.asked <- struct{}{}:
	default:
	}
	return nil
}

// Run does what Reseal asks for, until ctx ends, and first what was under way when
// the program ended. A portion that fails is tried again after a while.
func (r *Ring) Run(ctx context.Context) {
	const rest = 30 * time.Second
	for {
		err := r.Finish(ctx, func(State) {})
		again := (<-chan time.Time)(nil)
		if err != nil && ctx.Err() == nil {
			r.Failed("sealing anew", err)
			again = time.After(rest)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
		case <-again:
		}
	}
}

// Finish seals anew until nothing is left to do, if that was asked for, and calls
// tell now and then. One call at a time; it returns the error of ctx when that ends.
func (r *Ring) Finish(ctx context.Context, tell func(State)) error {
	w, there, err := r.work(ctx)
	if err != nil || !there {
		return err
	}
	c, err := count(ctx, r.Store)
	if err != nil {
		return err
	}
	r.expect(w.total() + c.others(r.Box.KeyID()))
	for {
		tried, failed, err := r.pass(ctx, tell)
		r.Rest()
		if err != nil {
			return err
		}
		if w, there, err = r.work(ctx); err != nil || !there {
			return err
		}
		if tried == 0 { // nothing is left that can be changed
			return r.finished(ctx, w, failed)
		}
	}
}

func (r *Ring) work(ctx context.Context) (w work, there bool, err error) {
	err = r.Store.View(ctx, func(rd store.Reader) (err error) {
		w, there, err = get(works, rd, workID)
		return err
	})
	return w, there, err
}

// pass goes once over all that is sealed. tried is how many records it set out to
// change, and failed how many could not be opened, or not be read.
func (r *Ring) pass(ctx context.Context, tell func(State)) (tried, failed int, err error) {
	for _, k := range secret.Kinds() {
		if k.Find == nil {
			continue
		}
		err := walk(ctx, r.Store, k.Prefix, func(items []store.Item) error {
			begun := time.Now()
			changed, bad, err := r.portion(ctx, k, items)
			tried, failed = tried+changed, failed+bad
			if err != nil || changed == 0 {
				return err
			}
			tell(r.glance(ctx))
			return pause(ctx, max(r.Pause, time.Since(begun)*restFor))
		})
		if err != nil {
			return tried, failed, err
		}
	}
	return tried, failed, nil
}

// restFor is how many times longer the pause after a portion is than the work on it,
// at least: most of the processor and of the disk is for pages.
const restFor = 2

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// A change is a record that is to be sealed anew. It happens if the record is still
// what it was.
type change struct {
	key      string
	was, now []byte
	values   int
}

// portion seals some records of one kind anew, in transactions of about
// portionBytes.
func (r *Ring) portion(ctx context.Context, k secret.Kind, items []store.Item) (changed, failed int, err error) {
	var todo []change
	size := 0
	flush := func() error {
		if len(todo) == 0 {
			return nil
		}
		err := r.commit(ctx, k, todo)
		changed, todo, size = changed+len(todo), nil, 0
		return err
	}
	for _, it := range items {
		c, err := r.anew(k, it)
		if err != nil {
			failed++
			r.Failed("sealing anew", err)
			continue
		}
		if c.values == 0 {
			continue
		}
		todo, size = append(todo, c), size+len(c.now)
		if size >= portionBytes {
			if err := flush(); err != nil {
				return changed, failed, err
			}
		}
	}
	return changed, failed, flush()
}

// anew opens what older keys sealed in a record and seals it with the key of now.
func (r *Ring) anew(k secret.Kind, it store.Item) (change, error) {
	c := change{key: it.Key, was: it.Value, now: it.Value}
	found, err := k.Find(it.Key, it.Value)
	if err != nil {
		return change{}, err
	}
	for _, s := range found {
		if secret.KeyOf(s.Bytes) == r.Box.KeyID() {
			continue
		}
		plain, err := r.Box.Open(s.Bytes, s.Place)
		if err != nil {
			return change{}, fmt.Errorf("%s: %w", it.Key, err)
		}
		sealed, err := r.Box.Seal(plain, s.Place)
		if err != nil {
			return change{}, err
		}
		if c.now = secret.Swap(c.now, s.Bytes, sealed); c.now == nil {
			return change{}, fmt.Errorf("%s has what is sealed not once: %w", it.Key, secret.ErrDamaged)
		}
		c.values++
	}
	return c, nil
}

// commit puts the changed records in place of those that nobody has changed since,
// and counts them.
func (r *Ring) commit(ctx context.Context, k secret.Kind, todo []change) error {
	return r.Store.Update(ctx, func(tx store.Tx) error {
		w, there, err := get(works, tx, workID)
		if err != nil || !there {
			return err
		}
		w.Done = maps.Clone(w.Done)
		if w.Done == nil {
			w.Done = map[string]int{}
		}
		for _, c := range todo {
			now, err := tx.Get(c.key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err == nil && bytes.Equal(now, c.was) {
				tx.Put(c.key, c.now)
				w.Done[k.Prefix] += c.values
			}
		}
		return works.Put(tx, workID, w)
	})
}

// finished ends a re-sealing, with its event.
func (r *Ring) finished(ctx context.Context, w work, failed int) error {
	id := r.Box.KeyID()
	e := audit.Event{Time: r.Now(), Actor: w.By, Action: audit.KeyResealed, Target: id, Outcome: audit.Done, Note: w.words()}
	if failed > 0 {
		e.Outcome = audit.Failed
		e.Note += fmt.Sprintf(" Could not be opened: %d. They stay as they are; the log of the program names them.", failed)
	}
	err := r.Store.Update(ctx, func(tx store.Tx) error {
		if _, there, err := get(works, tx, workID); err != nil || !there {
			return err
		}
		works.Delete(tx, workID)
		return audit.Append(tx, e)
	})
	if err != nil {
		return fmt.Errorf("ending to seal anew: %w", err)
	}
	r.expect(0)
	r.forget()
	return nil
}

// words says how many of each kind were sealed anew.
func (w work) words() string {
	var parts []string
	for _, k := range secret.Kinds() {
		if n := w.Done[k.Prefix]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", k.Words, n))
		}
	}
	if len(parts) == 0 {
		return "Everything was sealed with this key already."
	}
	slices.Sort(parts)
	return "Sealed anew: " + strings.Join(parts, "; ") + "."
}
