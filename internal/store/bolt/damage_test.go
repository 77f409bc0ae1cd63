package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"

	"go.etcd.io/bbolt"
)

// Whichever page is overwritten or cut off, the process survives: Open, View
// and Update return errors or what is left.
func TestDamageIsAnError(t *testing.T) {
	const rows = 40
	page := os.Getpagesize()
	good := filled(t, rows)
	var refused, unread, read int
	try := func(content []byte) (opened bool) {
		path := temp(t)
		write(t, path, content)
		d, err := bolt.Open(path)
		if err != nil {
			refused++
			if !errors.Is(err, bolt.ErrDamaged) && !errors.Is(err, bolt.ErrForeign) {
				t.Errorf("Open = %v", err)
			}
			return false
		}
		defer d.Close()
		err = d.View(t.Context(), func(r store.Reader) error {
			for i := range rows {
				if v, err := r.Get(rowKey(i)); err != nil {
					return err
				} else if string(v) != rowValue(i) {
					return errors.New("another value")
				}
			}
			_, err := r.Scan(store.Range{Reverse: true})
			return err
		})
		if err != nil {
			unread++
		} else {
			read++
		}
		for i := 0; i < rows; i += 20 {
			_ = d.Update(t.Context(), func(tx store.Tx) error { tx.Put(rowKey(i), []byte("new")); return nil })
		}
		return true
	}
	for at := 0; at < len(good); at += page {
		try(over(good, at, page))
		try(over(good, at+8, 8)) // the kind, count and length of a page
		if at > 0 && try(good[:at]) {
			t.Errorf("Open accepts %d of %d bytes", at, len(good))
		}
	}
	if refused == 0 || unread == 0 || read == 0 {
		t.Errorf("%d refused, %d opened but not read, %d read: want some of each", refused, unread, read)
	}
}

func TestDamagedPageFailsItsReaderOnly(t *testing.T) {
	const rows = 60
	page := os.Getpagesize()
	content := filled(t, rows)
	value := []byte(rowValue(30))
	for at := bytes.Index(content, value); at >= 0; at = bytes.Index(content, value) {
		content = over(content, at/page*page, page)
	}
	path := temp(t)
	write(t, path, content)
	d := open(t, path)
	err := d.View(t.Context(), func(r store.Reader) error {
		if v, err := r.Get(rowKey(0)); string(v) != rowValue(0) || err != nil {
			t.Errorf("another row = %.20q, %v", v, err)
		}
		_, err := r.Get(rowKey(30))
		return err
	})
	if !errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("View = %v, want ErrDamaged", err)
	}
	err = d.Update(t.Context(), func(tx store.Tx) error { tx.Put(rowKey(30), nil); return nil })
	if !errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("Update = %v, want ErrDamaged", err)
	}
	err = d.Update(t.Context(), func(tx store.Tx) error { tx.Put(rowKey(0), []byte("new")); return nil })
	if _, msg := errs.Of(err); !errors.Is(err, bolt.ErrDamaged) || !strings.Contains(msg, "nothing is written to it any more") {
		t.Errorf("Update of another row: %v, want that nothing is written any more", err)
	}
	if v, err := read(t, d, rowKey(0)); string(v) != rowValue(0) || err != nil {
		t.Errorf("another row = %.20q, %v", v, err)
	}
}

func rowKey(i int) string { return fmt.Sprintf("row/%04d", i) }

func rowValue(i int) string { return strings.Repeat(fmt.Sprintf("value %04d;", i), 50) }

// filled returns a file with n rows, without what it is ahead of them.
func filled(t testing.TB, n int) []byte {
	t.Helper()
	path := temp(t)
	d := open(t, path)
	var err error
	for range 3 { // later lists of free pages have a place inside the file
		err = errors.Join(err, d.Update(t.Context(), func(tx store.Tx) error {
			for i := range n {
				tx.Put(rowKey(i), []byte(rowValue(i)))
			}
			return nil
		}))
	}
	if err = errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	err = b.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	if err = errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content[:size]
}

// foreign returns the database of another program.
func foreign(t testing.TB) []byte {
	t.Helper()
	path := temp(t)
	b, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	if err = errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// over returns content with n bytes at an offset set to 0xff.
func over(content []byte, at, n int) []byte {
	content = bytes.Clone(content)
	for i := at; i < min(at+n, len(content)); i++ {
		content[i] = 0xff
	}
	return content
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
