package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// slowly is a file that has changes come in between its writes.
type slowly struct {
	*os.File
	between func()
}

func (s *slowly) Write(b []byte) (int, error) {
	s.between()
	return s.File.Write(b)
}

func number(t *testing.T, s store.Store, key string) int {
	t.Helper()
	v, err := get(t, s, key)
	n, err2 := strconv.Atoi(v)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return n
}

func get(t *testing.T, s store.Store, key string) (v string, err error) {
	t.Helper()
	err = s.View(t.Context(), func(r store.Reader) error {
		b, err := r.Get(key)
		v = string(b)
		return err
	})
	return v, err
}

// A snapshot that is taken while others write has all that was acknowledged before
// it began, nothing of a change without the rest of it, and makes a file that opens.
func TestSnapshotWhileOthersWrite(t *testing.T) {
	d := open(t, temp(t))
	put := func(n int) {
		if err := d.Update(t.Context(), func(tx store.Tx) error {
			for i := range 40 {
				tx.Put(fmt.Sprintf("row/%04d", (n*7+i)%400), []byte(rowValue(n)))
			}
			tx.Put("first", []byte(strconv.Itoa(n)))
			tx.Put("zlast", []byte(strconv.Itoa(n)))
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	n := 0
	for ; n < 30; n++ {
		put(n)
	}
	copied := temp(t)
	f, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	began := n - 1
	size, err := d.Snapshot(t.Context(), &slowly{f, func() { put(n); n++ }})
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(copied); err != nil || info.Size() != size || n < began+5 {
		t.Fatalf("%d bytes said, %v, %v; %d changes meanwhile", size, info, err, n-began)
	}
	if err := bolt.CheckFile(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	c := open(t, copied)
	if first, last := number(t, c, "first"), number(t, c, "zlast"); first != last || first != began {
		t.Errorf("the copy has change %d and %d, want %d", first, last, began)
	}
	if now := number(t, d, "first"); now != n-1 {
		t.Errorf("the file has change %d, want %d", now, n-1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Snapshot(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
}

// CheckFile finds damage of whichever page, and never takes the process down.
func TestCheckFile(t *testing.T) {
	const rows = 60
	page := os.Getpagesize()
	good := filled(t, rows)
	path := temp(t)
	write(t, path, good)
	if err := bolt.CheckFile(t.Context(), path); err != nil {
		t.Fatalf("a whole file: %v", err)
	}
	found := 0
	for at := 0; at < len(good); at += page {
		for _, bad := range [][]byte{over(good, at, page), over(good, at+8, 8)} {
			write(t, path, bad)
			if err := bolt.CheckFile(t.Context(), path); err == nil {
				continue // one of two meta pages, or a page that is free
			} else if !errors.Is(err, bolt.ErrDamaged) && !errors.Is(err, bolt.ErrForeign) {
				t.Errorf("page %d: %v", at/page, err)
			}
			found++
		}
	}
	if pages := len(good) / page; found < pages {
		t.Errorf("%d of %d damages found", found, 2*pages)
	}
	if err := bolt.CheckFile(t.Context(), filepath.Join(t.TempDir(), "none", "x.db")); err == nil {
		t.Error("a file that is not there passes")
	}
}

func TestCompact(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	for n := range 40 {
		if err := d.Update(t.Context(), func(tx store.Tx) error {
			for i := range 100 {
				tx.Put(rowKey(n*100+i), []byte(rowValue(i)))
			}
			for i := range 90 {
				tx.Delete(rowKey((n-2)*100 + i))
			}
			tx.Put("empty", nil)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	all := func() (out []store.Item) {
		d := open(t, path)
		defer d.Close()
		if err := d.View(t.Context(), func(r store.Reader) (err error) { out, err = r.Scan(store.Range{}); return err }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if _, _, err := bolt.Compact(t.Context(), path); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("compacting an open file: %v", err)
	}
	d.Close()
	want := fmt.Sprint(all())
	write(t, path+".compact", []byte("left by one that was killed"))
	before, after, err := bolt.Compact(t.Context(), path)
	if err != nil || after >= before/2 {
		t.Errorf("compacted from %d to %d: %v", before, after, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != after || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want %d bytes, 0600", info, err, after)
	}
	if fmt.Sprint(all()) != want {
		t.Error("something is not the same afterwards")
	}
	if _, err := os.Stat(path + ".compact"); err == nil {
		t.Error("the copy stayed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := bolt.Compact(ctx, path); !errors.Is(err, context.Canceled) || fmt.Sprint(all()) != want {
		t.Errorf("cancelled: %v", err)
	}
}

// Who waited for a file that was replaced meanwhile does not get the old one, which
// has no name any more: what is written to it would be lost.
func TestReplacedWhileWaiting(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if late, err := bolt.OpenWith(path, func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode) // the old one
			write(t, path+".new", filled(t, 3))
			if err := errors.Join(os.Rename(path+".new", path), d.Close()); err != nil {
				t.Error(err)
			}
			return f, err
		}); !errors.Is(err, bolt.ErrLocked) {
			t.Errorf("%v, %v; want ErrLocked", late, err)
		}
	})
	waiting.Wait()
	if v, err := get(t, open(t, path), rowKey(1)); v != rowValue(1) || err != nil {
		t.Errorf("the new file: %.20q, %v", v, err)
	}
}

func TestLockFile(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	if _, err := bolt.LockFile(path); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("an open file: %v", err)
	}
	d.Close()
	write(t, path, []byte("damaged"))
	l, err := bolt.LockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, filled(t, 1))
	if _, err := bolt.Open(path); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("a locked file: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}
