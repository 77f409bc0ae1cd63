package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// volumeEvents is how many events one archive file has at most: to show one of
	// them, the whole file is unpacked.
	volumeEvents = 10_000
	// archiveGrace is how long events wait to be archived together, so that there
	// is not a file for each of them.
	archiveGrace = 24 * time.Hour
	// dropEvents is how many events one transaction drops.
	dropEvents = 50
)

// An Archiver moves old events out of the store into archive files. First the
// file is written, synced and read back; then one transaction records it, with
// an event; then the events are dropped, in small transactions that each move a
// mark. A crash leaves a file that nothing refers to, which is written again, or
// events that are in both places, which are dropped later. It is safe for
// concurrent use, but there must be one for a store.
type Archiver struct {
	notary  *Notary
	archive *Archive
	keep    time.Duration
	shipper *Shipper
	rest    func(ctx context.Context, worked time.Duration) error

	mu    sync.Mutex // of state
	state ArchiveState
}

// ArchiverOptions are what an Archiver needs.
type ArchiverOptions struct {
	Notary  *Notary
	Archive *Archive
	Keep    time.Duration // events stay in the store for so long
	Shipper *Shipper      // nothing that it has not shipped is dropped; nil: nothing is shipped
	// Rest is called after a transaction that took so long, and holds the next one
	// back; nil: nothing does.
	Rest func(ctx context.Context, worked time.Duration) error
}

// An ArchiveState is how far the archive is.
type ArchiveState struct {
	Dropped  int64  // events that are in archive files only
	Failures int64  // since the program started
	Failing  string // why the last try failed, in words; "" if it did not
}

// NewArchiver returns an Archiver that goes on where the last one stopped.
func NewArchiver(o ArchiverOptions) *Archiver {
	if o.Rest == nil {
		o.Rest = func(context.Context, time.Duration) error { return nil }
	}
	return &Archiver{notary: o.Notary, archive: o.Archive, keep: o.Keep, shipper: o.Shipper, rest: o.Rest}
}

// State is how far the archive is.
func (a *Archiver) State() ArchiveState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// archiveEvery is how often the Archiver looks for old events.
const archiveEvery = 10 * time.Minute

// Run archives until ctx ends. It tells report of errors, each of them once in a row.
func (a *Archiver) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(archiveEvery)
	defer tick.Stop()
	said := ""
	for {
		more, err := a.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			report(err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Step archives one file of events and drops them, or drops what an earlier Step
// has archived. It reports whether it did anything: then there may be more.
func (a *Archiver) Step(ctx context.Context) (bool, error) {
	moved, err := a.step(ctx)
	if err != nil {
		err = fmt.Errorf("archiving the audit log: %w", full(err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state.Failing = ""
	if err != nil && ctx.Err() == nil {
		a.state.Failures++
		a.state.Failing = words(err)
	}
	return moved, err
}

// full gives an error that a person can mend words.
func full(err error) error {
	if kind, _ := errs.Of(err); kind == errs.Internal && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) {
		return errs.Wrap(errs.Unavailable, "Nothing was archived, and nothing was dropped: the disk that holds the archive is full. Free some space; it is tried again by itself.", err)
	}
	return err
}

// A position is where the Archiver is.
type position struct {
	dropped, archived int64
	to                int64 // up to here, events are to be archived
}

func (a *Archiver) step(ctx context.Context) (bool, error) {
	head, err := a.notary.Checkpoint(ctx) // which is not given if the log was changed
	if err != nil {
		return false, err
	}
	var p position
	var v volume
	err = a.notary.store.View(ctx, func(r store.Reader) error {
		if p, err = a.position(r, head.Size); err != nil || p.dropped == p.archived {
			return err
		}
		v, err = volumeOf(r, p.dropped)
		return err
	})
	if err != nil {
		return false, err
	}
	a.mu.Lock()
	a.state.Dropped = p.dropped
	a.mu.Unlock()
	if p.dropped == p.archived {
		if p.to <= p.archived {
			return false, nil
		}
		if v, err = a.make(ctx, p.archived, p.to); err != nil {
			return false, err
		}
		if err := a.record(ctx, v); err != nil {
			return false, err
		}
	}
	return true, a.drop(ctx, v, p.dropped)
}

// position reads where the Archiver is, and which events are old. None is that
// is not signed or not shipped.
func (a *Archiver) position(r store.Reader, signed int64) (p position, err error) {
	if p.dropped, err = dropped(r); err != nil {
		return p, err
	}
	if p.archived, err = number(r, archivedKey, 0); err != nil {
		return p, err
	}
	if p.archived < p.dropped || p.archived > signed {
		return p, faultf("%d events were dropped, %d archived, and %d signed: an older copy of the data file was put back, or it was changed", p.dropped, p.archived, signed)
	}
	most := min(signed, p.archived+volumeEvents)
	if a.shipper != nil {
		shipped, err := number(r, a.shipper.key(), 0)
		if err != nil {
			return p, err
		}
		most = min(most, shipped)
	}
	p.to, err = a.due(r, p.archived, most)
	return p, err
}

// due returns the number of the first event in [from, most) that stays, or from
// if it is not worth a file yet: while a day's events come together, and for
// events about the archive itself, of which each file would make one more.
func (a *Archiver) due(r store.Reader, from, most int64) (int64, error) {
	cut := a.notary.now().Add(-a.keep)
	to, late, others := from, false, false
	for ; to < most; to++ {
		e, err := read(r, to)
		if err != nil {
			return from, err
		}
		if !e.Time.Before(cut) {
			break
		}
		late = late || e.Time.Before(cut.Add(-archiveGrace))
		others = others || e.Action != LogArchived
	}
	if !others || !late && to-from < volumeEvents {
		return from, nil
	}
	return to, nil
}

// make writes the file of the events [from, to), and returns its record after
// reading it back from the disk. A file of the same name that nothing refers to is
// one that a crash left behind, and is replaced.
func (a *Archiver) make(ctx context.Context, from, to int64) (v volume, err error) {
	head, edge, err := a.notary.past(ctx, from, to)
	if err != nil {
		return v, err
	}
	v = volume{From: from, To: to, Root: head.Root[:]}
	temp, err := os.CreateTemp(a.archive.dir, "audit-*.tmp")
	if err != nil {
		return v, err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // not there any more if all went well
	sum := sha256.New()
	err = a.notary.part(ctx, io.MultiWriter(temp, sum), head, edge, &v)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return v, err
	}
	v.SHA256 = sum.Sum(nil)
	if err := os.Rename(temp.Name(), filepath.Join(a.archive.dir, v.name())); err != nil {
		return v, err
	}
	if err := syncDir(a.archive.dir); err != nil {
		return v, err
	}
	a.sweep()
	return v, a.archive.check(v, a.notary.key)
}

// sweep removes what earlier tries left half written.
func (a *Archiver) sweep() {
	names, _ := filepath.Glob(filepath.Join(a.archive.dir, "audit-*.tmp"))
	for _, name := range names {
		_ = os.Remove(name) // is tried again the next time
	}
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // a file system that has no such thing
		err = nil
	}
	return errors.Join(err, d.Close())
}

// record notes in one transaction that the file has the events, and appends the
// event that says so.
func (a *Archiver) record(ctx context.Context, v volume) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e := Event{Time: a.notary.now(), Action: LogArchived, Outcome: Done, Note: fmt.Sprintf("Events %d to %d are in %s.", v.From, v.To-1, v.name())}
	return a.notary.store.Update(ctx, func(tx store.Tx) error {
		if at, err := number(tx, archivedKey, 0); err != nil || at != v.From {
			return errors.Join(err, fmt.Errorf("%d events are archived by now, and not %d", at, v.From))
		}
		tx.Put(archiveKey(v.From), b)
		tx.Put(archivedKey, strconv.AppendInt(nil, v.To, 10))
		return Append(tx, e)
	})
}

// drop removes the events of a file from the store, from number n on, after
// checking the file.
func (a *Archiver) drop(ctx context.Context, v volume, n int64) error {
	if err := a.archive.check(v, a.notary.key); err != nil {
		return err
	}
	leaves, err := a.archive.leaves(v)
	if err != nil {
		return err
	}
	for n < v.To {
		to, began := min(n+dropEvents, v.To), time.Now()
		err := a.notary.store.Update(ctx, func(tx store.Tx) error { return dropSome(tx, n, leaves[n-v.From:to-v.From]) })
		if err != nil {
			return err
		}
		n = to
		a.mu.Lock()
		a.state.Dropped = n
		a.mu.Unlock()
		if err := a.rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// dropSome removes the events from number n on, with their indexes, and moves the
// mark. Each must be, byte for byte, the one in the archive. The hashes stay: the
// tree needs them.
func dropSome(tx store.Tx, n int64, leaves [][]byte) error {
	at, err := dropped(tx)
	if err != nil || at != n {
		return errors.Join(err, fmt.Errorf("%d events are dropped by now, and not %d", at, n))
	}
	for _, leaf := range leaves {
		b, err := tx.Get(eventKey(n))
		if err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
		if !bytes.Equal(b, leaf) {
			return faultf("event %d is not the one that was archived", n)
		}
		e, err := decode(b, n)
		if err != nil {
			return err
		}
		for _, ix := range e.indexes() {
			tx.Delete(fmt.Sprintf("%s%016d", ix, n))
		}
		tx.Delete(doneKey(n))
		tx.Delete(eventKey(n))
		n++
	}
	tx.Put(droppedKey, strconv.AppendInt(nil, n, 10))
	waiting, err := number(tx, indexedKey, n)
	if err == nil && waiting < n { // they need no indexes any more
		tx.Put(indexedKey, strconv.AppendInt(nil, n, 10))
	}
	return err
}

// past signs the head of the first to events, of which the last signed head has
// been proven to be a continuation, and returns it with the edge of the first
// from events.
func (n *Notary) past(ctx context.Context, from, to int64) (head Checkpoint, edge frontier, err error) {
	now, err := n.Checkpoint(ctx)
	if err != nil {
		return head, edge, err
	}
	var root tlog.Hash
	err = n.store.View(ctx, func(r store.Reader) error {
		if edge, err = edgeAt(r, from); err != nil {
			return err
		}
		if root, err = tlog.TreeHash(to, hashReader{r}); err != nil {
			return err
		}
		proof, err := tlog.ProveTree(now.Size, to, hashReader{r})
		if err != nil {
			return err
		}
		if tlog.CheckTree(proof, now.Size, now.Root, to, root) != nil {
			return forked("The first %d events of the audit log are not those that were signed.", to)
		}
		return nil
	})
	if err != nil {
		return head, edge, err
	}
	head, err = n.signer.checkpoint(to, root, n.now())
	return head, edge, err
}
