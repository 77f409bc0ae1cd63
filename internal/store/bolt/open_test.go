package bolt_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"

	"go.etcd.io/bbolt"
)

// children are what the test binary does instead when it is started by a test
// as a second process.
var children = map[string]func(path string) error{"hold": holdFile}

func TestMain(m *testing.M) {
	if child := children[os.Getenv("BOLT_TEST_CHILD")]; child != nil {
		if err := child(os.Getenv("BOLT_TEST_PATH")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childCommand(t *testing.T, child, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "BOLT_TEST_CHILD="+child, "BOLT_TEST_PATH="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// holdFile keeps the file open until its standard input ends.
func holdFile(path string) error {
	d, err := bolt.Open(path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return d.Close()
}

func TestOpenInAnotherProcess(t *testing.T) {
	path := temp(t)
	cmd := childCommand(t, "hold", path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	_, err = bolt.Open(path)
	wantRefusal(t, err, bolt.ErrLocked, "another process has it open", path)
	if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

// wantRefusal fails the test unless err is the sentinel, in an error whose
// words for a person have all parts.
func wantRefusal(t *testing.T, err, sentinel error, words ...string) {
	t.Helper()
	kind, msg := errs.Of(err)
	if !errors.Is(err, sentinel) || kind != errs.Unavailable {
		t.Errorf("Open = %v (%v), want %v", err, kind, sentinel)
	}
	for _, w := range words {
		if !strings.Contains(msg, w) {
			t.Errorf("the words are %q, want %q in them", msg, w)
		}
	}
}

func TestOpenRefusals(t *testing.T) {
	good := filled(t, 50)
	const page = 4096
	for _, tt := range []struct {
		name    string
		content []byte
		want    error
		words   string
	}{
		{"a text", []byte("hello"), bolt.ErrForeign, "not a data file of BackOffice"},
		{"a long text", bytes.Repeat([]byte("hello\n"), 10_000), bolt.ErrForeign, "not a data file of BackOffice"},
		{"zeros", make([]byte, 10*page), bolt.ErrForeign, "its beginning is lost"},
		{"the first page", good[:page], bolt.ErrDamaged, "is damaged"},
		{"two pages", good[:2*page], bolt.ErrDamaged, "is damaged"},
		{"half", good[:len(good)/2], bolt.ErrDamaged, "Restore it from a backup"},
		{"no valid checksum", over(over(good, 16+20, 8), page+16+20, 8), bolt.ErrDamaged, "is damaged"},
		{"another program's", foreign(t), bolt.ErrForeign, "not a data file of BackOffice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := temp(t)
			write(t, path, tt.content)
			_, err := bolt.Open(path)
			wantRefusal(t, err, tt.want, tt.words, path, "Nothing was changed")
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.content) {
				t.Errorf("Open changed what it refused (%v)", err)
			}
			write(t, path, good) // the refused one is not locked
			open(t, path)
		})
	}
}

func TestOpenPathRefusals(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none", "test.db")
	_, err := bolt.Open(missing)
	wantRefusal(t, err, fs.ErrNotExist, "its directory does not exist", missing)
	_, err = bolt.Open(dir)
	wantRefusal(t, err, syscall.EISDIR, "it is a directory", dir)
	for _, tt := range []struct {
		cause error
		words string
	}{
		{syscall.EACCES, "may not read and write it"},
		{syscall.EROFS, "may not read and write it"},
		{syscall.ENOSPC, "the disk is full"},
	} {
		_, err := bolt.OpenWith(missing, func(name string, _ int, _ os.FileMode) (*os.File, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: tt.cause}
		})
		wantRefusal(t, err, tt.cause, tt.words, missing)
	}
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	file, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if file.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", file.Mode())
	}
	s := d.Stats()
	if s.Path != path || s.FileSize != file.Size() || s.FreeShare < 0 || s.FreeShare >= 1 || s.Updates != 0 || s.Commits != 0 {
		t.Errorf("Stats = %+v; the file has %d bytes", s, file.Size())
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if s := d.Stats(); s != (bolt.Stats{Path: path}) {
		t.Errorf("Stats after Close = %+v", s)
	}
}

// An empty file is what remains when the process dies right after creating it.
func TestOpenEmptyFile(t *testing.T) {
	path := temp(t)
	write(t, path, nil)
	wantKeys(t, open(t, path))
}

func TestFreeShare(t *testing.T) {
	path := temp(t)
	write(t, path, filled(t, 2000))
	d := open(t, path)
	before := d.Stats().FreeShare
	for _, f := range []func(store.Tx) error{
		func(tx store.Tx) error {
			for i := range 2000 {
				tx.Delete(rowKey(i))
			}
			return nil
		},
		func(tx store.Tx) error { return put(0, tx) }, // the pages of the last but one are free only now
	} {
		if err := d.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if after := d.Stats().FreeShare; after < before+0.25 || after >= 1 {
		t.Errorf("free share %.2f before, %.2f after everything was deleted", before, after)
	}
}

// Whichever page is overwritten or cut off, the process survives: Open, View
// and Update return errors or what is left.
func TestDamageIsAnError(t *testing.T) {
	const page, rows = 4096, 60
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
		for i := 0; i < rows; i += 10 {
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
	const page, rows = 4096, 60
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
	if err := d.Update(t.Context(), func(tx store.Tx) error { tx.Put(rowKey(0), []byte("new")); return nil }); err != nil {
		t.Errorf("Update of another row: %v", err)
	}
}

func rowKey(i int) string { return fmt.Sprintf("row/%04d", i) }

func rowValue(i int) string { return strings.Repeat(fmt.Sprintf("value %04d;", i), 50) }

// filled returns a file with n rows, without what it is ahead of them.
func filled(t testing.TB, n int) []byte {
	t.Helper()
	path := temp(t)
	d := open(t, path)
	err := d.Update(t.Context(), func(tx store.Tx) error {
		for i := range n {
			tx.Put(rowKey(i), []byte(rowValue(i)))
		}
		return nil
	})
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
