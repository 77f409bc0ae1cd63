package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"go.etcd.io/bbolt"
)

// A Trouble is why the file cannot be written to, or not be believed. Reading goes
// on where it can.
type Trouble struct {
	Kind  TroubleKind
	Since time.Time
	Err   error // what the system or the engine said

	size int // bytes of the pages that the commit took that failed
}

// A TroubleKind is what sort of Trouble it is.
type TroubleKind int

// The kinds. Those from Unsure on last until the file is opened anew; the others
// end with the first commit that is as large as the one that failed.
const (
	Full       TroubleKind = iota + 1 // the disk has no room, or a quota is used up
	Unwritable                        // the file or its file system became read-only
	Failing                           // the disk reports another error, before anything was changed
	Gone                              // the file is not at its path any more, or another one is
	Unsure                            // the disk reported an error after the change was written: nobody knows what is on it
	Damaged                           // a part of the file is missing or makes no sense
)

var troubleWords = map[TroubleKind]struct{ state, saving string }{
	Full:       {"The disk that holds the data is full: changes may not be saved, and reading goes on.", "Nothing was saved: the disk that holds the data is full. Free some space and try again."},
	Unwritable: {"The data file cannot be written to: nothing can be saved, and reading goes on.", "Nothing was saved: the data file cannot be written to. Make its directory writable again and try again."},
	Failing:    {"The disk that holds the data reports errors: nothing can be saved, and reading goes on.", "Nothing was saved: the disk that holds the data reports an error. Try again; if it happens again, look at the disk."},
	Gone:       {"The data file was moved, removed or replaced while the program runs: nothing is saved, and what it has open is still read.", "Nothing was saved: the data file was moved, removed or replaced while the program runs. Put it back, or start the program again with the right one."},
	Unsure:     {"The disk reported an error in the middle of saving: nothing is saved until the program is started again.", "Nothing was saved: the disk reported an error earlier, in the middle of saving. Look at the disk, and start the program again."},
	Damaged:    {"A part of the data file is damaged: nothing is saved any more, and what can be read is read.", "Nothing was saved: a part of the data file is damaged, so that nothing is written to it any more. Stop the program and restore the file from a backup."},
}

// unreadable are the words for who wanted to read what is damaged.
const unreadable = "A part of the data file is damaged, and what you asked for is in it. Nothing is saved any more; other pages may still be read. Stop the program and restore the file from a backup."

// lasts reports whether the trouble ends only when the file is opened anew.
func (k TroubleKind) lasts() bool { return k >= Unsure }

// Words say what the trouble is, for people, without names of files.
func (t Trouble) Words() string { return troubleWords[t.Kind].state }

// Error is for the log.
func (t *Trouble) Error() string { return fmt.Sprintf("%s (%v)", t.Words(), t.Err) }

// Unwrap is the cause.
func (t *Trouble) Unwrap() error { return t.Err }

// refusal is the error of an Update that this trouble kept from saving.
func (t *Trouble) refusal() error {
	return errs.Wrap(errs.Unavailable, troubleWords[t.Kind].saving, fmt.Errorf("%w: %w", store.ErrUnsaved, t.Err))
}

// unsure are the words for those whose commit nobody knows the outcome of.
const unsure = "It is not known whether this was saved: the disk reported an error in the middle of it. Nothing more is saved until the disk is looked at and the program is started again."

// Trouble is what keeps the file from being written to now, or nil.
func (d *DB) Trouble() *Trouble { return d.trouble.Load() }

// note remembers a trouble, unless there is one that lasts.
func (d *DB) note(kind TroubleKind, size int, err error) *Trouble {
	for {
		before := d.trouble.Load()
		if before != nil && (before.Kind.lasts() && kind <= before.Kind) {
			return before
		}
		t := &Trouble{Kind: kind, Since: time.Now(), Err: err, size: size}
		if before != nil && before.Kind == kind {
			t.Since, t.size = before.Since, max(size, before.size)
		}
		if d.trouble.CompareAndSwap(before, t) {
			return t
		}
	}
}

// over ends a trouble, after a commit that took that many bytes of pages.
func (d *DB) over(size int) {
	if t := d.trouble.Load(); t != nil && !t.Kind.lasts() && size >= min(t.size, maxBytes) {
		d.trouble.CompareAndSwap(t, nil)
	}
}

// saw remembers damage and gives it words.
func (d *DB) saw(err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	d.note(Damaged, 0, err)
	if kind, msg := errs.Of(err); kind != errs.Internal || msg != "" {
		return err
	}
	return errs.Wrap(errs.Unavailable, unreadable, err)
}

// unsaved gives a failed commit of transaction id words that a person can act on.
// Whether it is visible all the same decides whether another may be tried.
func (d *DB) unsaved(err error, id, size int) error {
	if err == nil {
		d.over(size)
		return nil
	}
	err = fmt.Errorf("committing to %s: %w", d.path, err)
	if errors.Is(err, ErrDamaged) {
		return d.note(Damaged, 0, err).refusal()
	}
	if d.shows(id) {
		d.note(Unsure, size, err)
		return errs.Wrap(errs.Unavailable, unsure, err)
	}
	return d.note(causeOf(err), size, err).refusal()
}

// causeOf is the kind of trouble that the system reports. The engine has some of
// its errors as text only.
func causeOf(err error) TroubleKind {
	is := func(causes ...syscall.Errno) bool {
		for _, c := range causes {
			if errors.Is(err, c) || strings.HasSuffix(err.Error(), c.Error()) {
				return true
			}
		}
		return false
	}
	switch {
	case is(syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		return Full
	case is(syscall.EROFS, syscall.EPERM, syscall.EACCES, syscall.EBADF):
		return Unwritable
	}
	return Failing
}

// shows reports whether the writes of transaction id can be read.
func (d *DB) shows(id int) bool {
	t, err := d.snapshot()
	if err != nil {
		return true // nobody knows
	}
	defer func() { _ = t.Rollback() }()
	return t.ID() >= id
}

// whole refuses what cannot be written to safely: a file that somebody has cut, or
// put another one in the place of.
func (d *DB) whole(t *bbolt.Tx) error {
	if trouble := d.trouble.Load(); trouble != nil && trouble.Kind.lasts() {
		return trouble.refusal()
	}
	if err := d.cut(t); err != nil {
		return d.note(Damaged, 0, err).refusal()
	}
	at, err := os.Stat(d.path)
	switch {
	case err == nil && os.SameFile(at, d.id):
		return nil
	case err == nil:
		err = errors.New("another file is at its path")
	case !errors.Is(err, fs.ErrNotExist):
		return nil // it cannot be found out
	}
	return d.note(Gone, 0, fmt.Errorf("writing to %s: %w", d.path, err)).refusal()
}

// cut is an ErrDamaged if the file is shorter than t needs it to be.
func (d *DB) cut(t *bbolt.Tx) error {
	info, err := d.file.Stat() // after t began: the file grows before what needs it is committed
	if err == nil && info.Size() < t.Size() {
		return fmt.Errorf("%w: it has %d of %d bytes", ErrDamaged, info.Size(), t.Size())
	}
	return nil
}

// snapshot begins a transaction that reads. The engine keeps its locks if it meets
// a file without its beginning, so that this is looked at before.
func (d *DB) snapshot() (t *bbolt.Tx, err error) {
	if err := d.startable(); err != nil {
		return nil, err
	}
	err = guard(func() (err error) { t, err = d.b.Begin(false); return err })
	if errors.Is(err, ErrDamaged) {
		d.dead.Store(true)
	}
	return t, err
}

// startable is an ErrDamaged if no transaction can begin any more.
func (d *DB) startable() error {
	if d.dead.Load() {
		return fmt.Errorf("%w: its beginning is lost", ErrDamaged)
	}
	info, err := d.file.Stat()
	if err == nil && info.Size() < int64(2*os.Getpagesize()) {
		return fmt.Errorf("%w: it has %d bytes", ErrDamaged, info.Size())
	}
	return nil
}

// rollBack ends a transaction that writes. If it cannot, the engine keeps its lock
// for ever; that the trouble lasts keeps everybody from waiting for it.
func (d *DB) rollBack(t *bbolt.Tx) {
	if err := guard(t.Rollback); errors.Is(err, ErrDamaged) {
		d.stuck.Store(true)
		d.note(Damaged, 0, err)
	}
}
