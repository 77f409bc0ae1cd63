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
	page := os.Getpagesize()
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
