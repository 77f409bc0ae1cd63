package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"backoffice/internal/errs"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Why Open refuses a file. The errors also have words for a person: see
// [errs.Of].
var (
	ErrLocked  = errors.New("bolt: another process has the file open")
	ErrForeign = errors.New("bolt: not a BackOffice data file")
	ErrDamaged = errors.New("bolt: the file is damaged")
)

const (
	lockWait = time.Second // also long enough for a predecessor that is just closing

	// growBy bounds how far the file is ahead of what is in it.
	growBy = 4 << 20 // bytes
)

// Open opens the store at path, or creates it with mode 0600 in a directory
// that exists. It waits at most a second for another process to close it.
func Open(path string) (*DB, error) { return openWith(path, os.OpenFile) }

func openWith(path string, openFile func(string, int, os.FileMode) (*os.File, error)) (*DB, error) {
	_, statErr := os.Stat(path)
	var file *os.File
	d := &DB{path: path, closed: make(chan struct{}), line: line{patience: lookOut}}
	err := guard(func() (err error) {
		d.b, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         lockWait,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: initialMap(),
			OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
				file, err = openFile(name, flag, mode)
				return file, err
			},
		})
		return err
	})
	if err != nil {
		if file != nil && errors.Is(err, ErrDamaged) { // after a panic bbolt has left it open
			unlock(file)
			_ = file.Close()
		}
		return nil, refusal(path, err)
	}
	d.b.AllocSize, d.file = growBy, file
	if d.id, err = file.Stat(); err != nil {
		return nil, refusal(path, errors.Join(err, d.b.Close()))
	}
	if replaced(path, file) { // while we waited for it: what is written to it now would be lost
		return nil, refusal(path, errors.Join(ErrLocked, d.b.Close()))
	}
	if err := d.prepare(errors.Is(statErr, fs.ErrNotExist)); err != nil {
		return nil, refusal(path, errors.Join(err, d.b.Close()))
	}
	return d, nil
}

// replaced reports whether the name means another file by now: a restore or a
// compaction puts one there, and then lets go of the lock on the old one.
func replaced(path string, file *os.File) bool {
	ours, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && !os.SameFile(ours, now) || errors.Is(err, fs.ErrNotExist)
}

// initialMap returns how many bytes of address space to set aside, so that a
// file that grows need not be mapped again: for that a commit has to wait for
// all Views, and new Views for the commit. It costs no memory.
func initialMap() int {
	if strconv.IntSize < 64 || runtime.GOOS == "windows" {
		return 0 // no room for it; or it would be the size of the file
	}
	return 1 << 30
}

// prepare makes sure that the file is whole and ours.
func (d *DB) prepare(created bool) error {
	empty := false
	err := d.b.View(func(t *bbolt.Tx) error {
		file, err := os.Stat(d.path)
		if err != nil {
			return err
		}
		if file.Size() < t.Size() {
			return fmt.Errorf("%w: it has %d of %d bytes", ErrDamaged, file.Size(), t.Size())
		}
		return guard(func() error {
			first, _ := t.Cursor().First()
			empty = first == nil
			if !empty && t.Bucket(bucket) == nil {
				return fmt.Errorf("%w: it is the database of another program", ErrForeign)
			}
			return nil
		})
	})
	if err != nil || !empty {
		return err
	}
	err = d.b.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucket(bucket)
		return err
	})
	if err == nil && created {
		err = syncDir(filepath.Dir(d.path))
	}
	return err
}

// syncDir makes the name of a new file durable.
func syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // cannot open a directory for it
	}
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// refusal gives an error of opening the file at path words for a person.
func refusal(path string, err error) error {
	say := func(msg string) error {
		return errs.Wrap(errs.Unavailable, fmt.Sprintf(msg, path), fmt.Errorf("opening %s: %w", path, err))
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout), errors.Is(err, ErrLocked):
		err = ErrLocked
		return say("The data file %s cannot be opened: another process has it open. Stop that one, or use another data directory.")
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, ErrForeign):
		err = fmt.Errorf("%w: %w", ErrForeign, err)
		return say("The file %s is not a data file of BackOffice, or its beginning is lost. Nothing was changed. Name the right file, or restore it from a backup.")
	case errors.Is(err, berrors.ErrChecksum), errors.Is(err, ErrDamaged), fragment(path):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		return say("The data file %s is damaged: parts of it are missing or unreadable. Nothing was changed. Restore it from a backup.")
	case errors.Is(err, fs.ErrNotExist):
		return say("The data file %s cannot be created: its directory does not exist. Create the directory, or name another one.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return say("The data file %s cannot be opened: this process may not read and write it. Correct the owner and permissions of the file and its directory.")
	case errors.Is(err, syscall.EISDIR):
		return say("The data file %s cannot be opened: it is a directory. Name a file.")
	case noSpace(err):
		return say("The data file %s cannot be created: the disk is full. Free some space.")
	}
	return fmt.Errorf("opening %s: %w", path, err)
}

// fragment reports whether the file at path is too short to be whole, which
// bbolt has no named error for.
func fragment(path string) bool {
	file, err := os.Stat(path)
	return err == nil && file.Mode().IsRegular() && file.Size() > 0 && file.Size() < int64(4*os.Getpagesize())
}
