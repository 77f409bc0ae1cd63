package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"

	"go.etcd.io/bbolt"
)

func read(t *testing.T, d *bolt.DB, key string) (v []byte, err error) {
	t.Helper()
	err = d.View(t.Context(), func(r store.Reader) error { v, err = r.Get(key); return err })
	return v, err
}

func save(t *testing.T, d *bolt.DB, key string, value []byte) error {
	t.Helper()
	return d.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, value); return nil })
}

// Each cause of a failed commit has words that say what to do, and decides whether
// another one may be tried.
func TestFailedCommitHasWords(t *testing.T) {
	for _, tt := range []struct {
		cause error
		kind  bolt.TroubleKind
		words string
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, bolt.Full, "the disk that holds the data is full. Free some space"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, bolt.Full, "is full"},
		{fmt.Errorf("file resize error: %s", syscall.EFBIG), bolt.Full, "is full"},
		{fmt.Errorf("file sync error: %s", syscall.ENOSPC), bolt.Full, "is full"},
		{syscall.EROFS, bolt.Unwritable, "cannot be written to. Make its directory writable"},
		{syscall.EPERM, bolt.Unwritable, "cannot be written to"},
		{syscall.EBADF, bolt.Unwritable, "cannot be written to"},
		{syscall.EIO, bolt.Failing, "the disk that holds the data reports an error"},
		{errors.New("boom"), bolt.Failing, "reports an error"},
		{fmt.Errorf("%w: page 7", bolt.ErrDamaged), bolt.Damaged, "nothing is written to it any more"},
	} {
		d := open(t, temp(t))
		err := d.Unsaved(tt.cause, d.Last()+1)
		kind, msg := errs.Of(err)
		if kind != errs.Unavailable || !strings.HasPrefix(msg, "Nothing was saved: ") || !strings.Contains(msg, tt.words) || !errors.Is(err, tt.cause) || !errors.Is(err, store.ErrUnsaved) {
			t.Errorf("%v gives %v, %q", tt.cause, kind, msg)
		}
		if trouble := d.Trouble(); trouble == nil || trouble.Kind != tt.kind || trouble.Words() == "" || strings.Contains(trouble.Words(), d.Stats().Path) {
			t.Errorf("%v is the trouble %v", tt.cause, trouble)
		}
		d.Examine(t.Context())
		if lasts := tt.kind == bolt.Damaged; (d.Trouble() != nil) != lasts || (save(t, d, "a", nil) != nil) != lasts {
			t.Errorf("after %v, the trouble is %v", tt.cause, d.Trouble())
		}
		if _, err := read(t, d, "store/probe"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the probe stays: %v", err)
		}
	}
}

// A disk that reports an error after the change can be read may or may not have it:
// that is said, and nothing follows.
func TestUnsureCommitIsTheLast(t *testing.T) {
	d := open(t, temp(t))
	if err := save(t, d, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	err := d.Unsaved(syscall.EIO, d.Last())
	if errors.Is(err, store.ErrUnsaved) {
		t.Error("it is called unsaved")
	}
	if _, msg := errs.Of(err); !strings.HasPrefix(msg, "It is not known whether this was saved: ") {
		t.Errorf("the words are %q", msg)
	}
	d.Examine(t.Context())
	if trouble := d.Trouble(); trouble == nil || trouble.Kind != bolt.Unsure {
		t.Errorf("the trouble is %v", trouble)
	}
	err = save(t, d, "a", []byte("2"))
	if _, msg := errs.Of(err); !strings.HasPrefix(msg, "Nothing was saved: ") || !strings.Contains(msg, "start the program again") || !errors.Is(err, store.ErrUnsaved) {
		t.Errorf("another Update says %q", msg)
	}
	if v, err := read(t, d, "a"); string(v) != "1" || err != nil {
		t.Errorf("reading: %q, %v", v, err)
	}
}

// A full disk takes nothing, keeps what it has, and is used again when there is
// room, by itself.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no tmpfs can be mounted here (%v); TestFaultFullDisk of cmd/backoffice has a stand-in", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	d := open(t, filepath.Join(dir, "test.db"))
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	value := bytes.Repeat([]byte("0123456789abcdef"), 4096) // 64 KiB
	kept := 0
	var err error
	for ; kept < 100; kept++ {
		if err = save(t, d, fmt.Sprintf("row/%02d", kept), value); err != nil {
			break
		}
	}
	if kind, msg := errs.Of(err); kept < 3 || kept == 100 || kind != errs.Unavailable || !strings.Contains(msg, "is full. Free some space") {
		t.Fatalf("%d rows were saved, and then %v", kept, err)
	}
	failed := 0
	for range 50 { // none of them takes a page from another; the last pages may do for one
		if err := save(t, d, "more", value); err != nil {
			failed++
		}
	}
	if failed < 48 {
		t.Errorf("%d of 50 large Updates failed on a full disk", failed)
	}
	d.Examine(t.Context())
	if trouble := d.Trouble(); trouble == nil || trouble.Kind != bolt.Full {
		t.Errorf("after a try with no more room, the trouble is %v", trouble)
	}
	for i := range kept {
		if v, err := read(t, d, fmt.Sprintf("row/%02d", i)); err != nil || !bytes.Equal(v, value) {
			t.Errorf("row %d: %d bytes, %v", i, len(v), err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	d.Examine(t.Context())
	if trouble := d.Trouble(); trouble != nil {
		t.Errorf("with room again, the trouble is %v", trouble)
	}
	if err := save(t, d, "more", value); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, filepath.Join(dir, "test.db"))
}

// sound has the engine check every page of a file.
func sound(t *testing.T, path string) {
	t.Helper()
	b, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_ = b.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("the file is not sound: %v", err)
		}
		return nil
	})
}

// However much of the file is cut off while it is open, nobody crashes or waits for
// ever, nothing more is written, and what is left is read.
func TestFileIsCutWhileOpen(t *testing.T) {
	const rows = 200
	good := filled(t, rows)
	page := os.Getpagesize()
	for _, left := range []int{len(good) - page, len(good) / 2, 6 * page, 3 * page, 2 * page, page, 100, 0} {
		path := temp(t)
		write(t, path, good)
		d := open(t, path)
		if err := os.Truncate(path, int64(left)); err != nil {
			t.Fatal(err)
		}
		d.Examine(t.Context())
		if trouble := d.Trouble(); trouble == nil || trouble.Kind != bolt.Damaged {
			t.Errorf("cut to %d bytes: the trouble is %v", left, trouble)
		}
		if err := save(t, d, "new", nil); !errors.Is(err, bolt.ErrDamaged) {
			t.Errorf("cut to %d bytes: Update = %v", left, err)
		}
		got := 0
		for i := range rows {
			v, err := read(t, d, rowKey(i))
			switch {
			case err == nil && string(v) == rowValue(i):
				got++
			case err == nil || !errors.Is(err, bolt.ErrDamaged):
				t.Errorf("cut to %d bytes: row %d is %.20q, %v", left, i, v, err)
			default:
				if _, msg := errs.Of(err); !strings.Contains(msg, "restore the file from a backup") {
					t.Errorf("the words are %q", msg)
				}
			}
		}
		if left == len(good)-page && got < rows/2 || left == 0 && got > 0 {
			t.Errorf("cut to %d bytes: %d of %d rows are read", left, got, rows)
		}
		if err := d.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(left) {
			t.Errorf("cut to %d bytes: the file was written to: %v", left, info.Size())
		}
		write(t, path, good) // the lock is gone
		open(t, path)
	}
}

// Nothing is saved into a file that nobody will find again.
func TestFileIsReplacedWhileOpen(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	if err := save(t, d, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	aside := path + ".aside"
	for _, other := range []bool{false, true} {
		if err := os.Rename(path, aside); err != nil {
			t.Fatal(err)
		}
		if other {
			write(t, path, []byte("another"))
		}
		if _, msg := errs.Of(save(t, d, "a", []byte("2"))); !strings.Contains(msg, "moved, removed or replaced") {
			t.Errorf("Update says %q", msg)
		}
		d.Examine(t.Context())
		if trouble := d.Trouble(); trouble == nil || trouble.Kind != bolt.Gone {
			t.Errorf("the trouble is %v", trouble)
		}
		if v, err := read(t, d, "a"); string(v) != "1" || err != nil {
			t.Errorf("reading: %q, %v", v, err)
		}
		if err := os.Rename(aside, path); err != nil {
			t.Fatal(err)
		}
		d.Examine(t.Context())
		if trouble := d.Trouble(); trouble != nil {
			t.Errorf("put back, the trouble is %v", trouble)
		}
	}
	if err := save(t, d, "a", []byte("2")); err != nil {
		t.Errorf("put back: %v", err)
	}
}

// A walk finds each page that was overwritten, unless nothing is on it.
func TestWalkFindsOverwrittenPages(t *testing.T) {
	good := filled(t, 100)
	page := os.Getpagesize()
	walk := func(content []byte) (portions int, err error) {
		path := temp(t)
		write(t, path, content)
		d := open(t, path)
		err = d.Walk(t.Context(), func(context.Context, int) error { portions++; return nil })
		return portions, err
	}
	if portions, err := walk(good); err != nil || portions > 0 {
		t.Errorf("a walk through a good file: %v, %d portions", err, portions)
	}
	found := 0
	for at := 0; at < len(good); at += page {
		if at < len(good) && bytes.Contains(good[at:at+page], []byte("value 00")) {
			path := temp(t)
			write(t, path, over(good, at, 64))
			if d, err := bolt.Open(path); err == nil {
				err = d.Walk(t.Context(), func(context.Context, int) error { return nil })
				if errors.Is(err, bolt.ErrDamaged) && d.Trouble() != nil && d.Trouble().Kind == bolt.Damaged {
					found++
				} else if err != nil {
					t.Errorf("page %d: %v", at/page, err)
				}
				_ = d.Close()
			}
		}
	}
	if found < 100*len(rowValue(0))/page { // pages of the state before last are not looked at
		t.Errorf("%d overwritten pages were found", found)
	}
}

// A walk goes on where it was, through a file of any size.
func TestWalkInPortions(t *testing.T) {
	d := open(t, temp(t))
	d.SetNoSync()
	for i := range 10 {
		if err := save(t, d, fmt.Sprintf("large/%d", i), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	portions, all := 0, 0
	err := d.Walk(t.Context(), func(_ context.Context, read int) error { portions++; all += read; return nil })
	if err != nil || portions != 2 || all < 8<<20 {
		t.Errorf("%v; %d portions with %d bytes", err, portions, all)
	}
	stop := errors.New("stop")
	if err := d.Walk(t.Context(), func(context.Context, int) error { return stop }); err != stop {
		t.Errorf("Walk = %v", err)
	}
}
