//go:build linux || darwin

package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

func init() { children["fill"] = fillFile }

// A disk that is full is an error of the commit. What was there can be read,
// and once there is room again, saving goes on.
func TestNoRoomToGrow(t *testing.T) {
	path := temp(t)
	if err := childCommand(t, "fill", path).Run(); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	wantKeys(t, d, "again", "before")
}

// fillFile runs in its own process, because it lowers how large any file of
// the process may grow.
func fillFile(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	d, err := bolt.Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	save := func(key string, size int) error {
		return d.Update(ctx, func(tx store.Tx) error { tx.Put(key, make([]byte, size)); return nil })
	}
	if err := save("before", 1000); err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	low := old
	low.Cur = uint64(d.Stats().FileSize)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
		return err
	}
	for range 3 {
		if err := save("too much", 8<<20); err == nil {
			return errors.New("an Update succeeded beyond the limit")
		}
	}
	if err := d.View(ctx, func(r store.Reader) error { _, err := r.Get("before"); return err }); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := save("again", 8<<20); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return d.Close()
}
