package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// hold starts an Update whose callback is under way until release is called,
// which returns what Update returned.
func hold(t *testing.T, d *bolt.DB) (release func() error) {
	t.Helper()
	began, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.Update(t.Context(), func(tx store.Tx) error {
			close(began)
			<-goOn
			tx.Put("held", []byte("1"))
			return nil
		})
	}()
	<-began
	return func() error { close(goOn); return <-done }
}

// queue waits until n Updates stand in the line.
func queue(d *bolt.DB, n int) {
	for d.Queued() != n {
		runtime.Gosched()
	}
}

// share makes n Updates that wait for each other.
func share(t *testing.T, d *bolt.DB, n int, f func(i int, tx store.Tx) error) {
	t.Helper()
	release := hold(t, d)
	var wg sync.WaitGroup
	for i := range n - 1 {
		wg.Go(func() {
			if err := d.Update(t.Context(), func(tx store.Tx) error { return f(i, tx) }); err != nil {
				t.Errorf("Update %d: %v", i, err)
			}
		})
	}
	queue(d, n-1)
	if err := release(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func put(i int, tx store.Tx) error { tx.Put(fmt.Sprint("row/", i), []byte("1")); return nil }

func wantStats(t *testing.T, d *bolt.DB, updates, commits int64) {
	t.Helper()
	if s := d.Stats(); s.Updates != updates || s.Commits != commits {
		t.Errorf("%d updates in %d commits, want %d in %d", s.Updates, s.Commits, updates, commits)
	}
}

func temp(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

func TestQueuedUpdatesShareACommit(t *testing.T) {
	d := open(t, temp(t))
	share(t, d, 21, put)
	wantStats(t, d, 21, 1)
}

// Who comes later in a shared commit sees what came before, also empty values.
func TestSharersSeeEachOther(t *testing.T) {
	d := open(t, temp(t))
	release := hold(t, d)
	outcomes := make(chan error, 2)
	go func() {
		outcomes <- d.Update(t.Context(), func(tx store.Tx) error { tx.Put("empty", nil); tx.Delete("held"); return nil })
	}()
	queue(d, 1)
	go func() {
		outcomes <- d.Update(t.Context(), func(tx store.Tx) error {
			if _, err := tx.Get("held"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("what was deleted before: %v, want ErrNotFound", err)
			}
			_, err := tx.Get("empty")
			return err
		})
	}()
	queue(d, 2)
	if err := errors.Join(release(), <-outcomes, <-outcomes); err != nil {
		t.Error(err)
	}
	wantStats(t, d, 2, 1)
}

func TestShareIsBounded(t *testing.T) {
	d := open(t, temp(t))
	share(t, d, bolt.MaxShare+1, put)
	wantStats(t, d, bolt.MaxShare+1, 2)
	share(t, d, 4, func(i int, tx store.Tx) error {
		tx.Put(fmt.Sprint("big/", i), make([]byte, bolt.MaxBytes/2))
		return nil
	})
	wantStats(t, d, bolt.MaxShare+1+4, 4)
}

// With a patience that never ends, an Update that waits for somebody hangs.
func TestLoneUpdateWaitsForNobody(t *testing.T) {
	d := open(t, temp(t))
	d.SetPatience(time.Hour)
	for i := range 5 {
		if err := d.Update(t.Context(), func(tx store.Tx) error { return put(i, tx) }); err != nil {
			t.Fatal(err)
		}
	}
	wantStats(t, d, 5, 5)
}

func TestSharersAreLookedOutFor(t *testing.T) {
	d := open(t, temp(t))
	share(t, d, 16, put)
	wantStats(t, d, 16, 1)
	d.SetPatience(time.Hour)
	var wg sync.WaitGroup
	for i := range 16 { // each comes when the one before has had its turn
		ran := make(chan struct{})
		wg.Go(func() {
			err := d.Update(t.Context(), func(tx store.Tx) error { defer close(ran); return put(i, tx) })
			if err != nil {
				t.Error(err)
			}
		})
		<-ran
	}
	wg.Wait()
	wantStats(t, d, 32, 2)
}

func TestLookOutEnds(t *testing.T) {
	d := open(t, temp(t))
	share(t, d, 16, put)
	if err := d.Update(t.Context(), func(tx store.Tx) error { return put(0, tx) }); err != nil {
		t.Fatal(err)
	}
	wantStats(t, d, 17, 2)
}

func TestUpdateWithoutWritesDoesNotCommit(t *testing.T) {
	d := open(t, temp(t))
	boom := errors.New("boom")
	for name, f := range map[string]func(store.Tx) error{
		"reads":      func(tx store.Tx) error { _, _ = tx.Get("a"); return nil },
		"fails":      func(tx store.Tx) error { tx.Put("a", nil); return boom },
		"is refused": func(tx store.Tx) error { tx.Put("a", nil); tx.Put("", nil); return nil },
	} {
		err := d.Update(t.Context(), f)
		if (name == "reads") != (err == nil) {
			t.Errorf("an Update that %s: %v", name, err)
		}
		wantStats(t, d, 0, 0)
	}
}

func TestValueTooLargeFailsAlone(t *testing.T) {
	d := open(t, temp(t))
	release := hold(t, d)
	refused := make(chan error, 1)
	go func() {
		refused <- d.Update(t.Context(), func(tx store.Tx) error {
			tx.Put("big", make([]byte, bolt.MaxValueSize+1))
			return nil
		})
	}()
	queue(d, 1)
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-refused; !errors.Is(err, store.ErrValueSize) {
		t.Errorf("Update = %v, want ErrValueSize", err)
	}
	wantStats(t, d, 1, 1)
}

// A commit that makes the file much larger does not wait for Views.
func TestUpdateDoesNotWaitForViews(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows the file would be as large as what is mapped")
	}
	d := open(t, temp(t))
	err := d.View(t.Context(), func(r store.Reader) error {
		done := make(chan error)
		go func() {
			done <- d.Update(t.Context(), func(tx store.Tx) error { tx.Put("big", make([]byte, 8<<20)); return nil })
		}()
		if err := <-done; err != nil {
			return err
		}
		if _, err := r.Get("big"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the View before sees it: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wantKeys(t, d, "big")
}

// The middle ones of a shared commit panic and end their goroutine, which is
// what t.FailNow does; so does the last one, who has the commit to make.
func TestPanicReachesItsCallerOnly(t *testing.T) {
	d := open(t, temp(t))
	release := hold(t, d)
	left := make(chan any, 4)
	for i := range 4 {
		go func() {
			defer func() { left <- recover() }()
			_ = d.Update(t.Context(), func(tx store.Tx) error {
				tx.Put("gone", nil)
				if i == 1 {
					runtime.Goexit()
				}
				panic("mine")
			})
		}()
		queue(d, i+1)
	}
	if err := release(); err != nil {
		t.Errorf("the first Update: %v", err)
	}
	var panics int
	for range 4 {
		if p := <-left; p == "mine" {
			panics++
		} else if p != nil {
			t.Errorf("panic %v", p)
		}
	}
	if panics != 3 {
		t.Errorf("%d panics reached their callers, want 3", panics)
	}
	wantStats(t, d, 1, 1)
	wantKeys(t, d, "held")
}

func wantKeys(t *testing.T, d *bolt.DB, keys ...string) {
	t.Helper()
	err := d.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{})
		var got []string
		for _, it := range items {
			got = append(got, it.Key)
		}
		if strings.Join(got, " ") != strings.Join(keys, " ") {
			t.Errorf("keys %q, want %q", got, keys)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCancelledInTheLine(t *testing.T) {
	d := open(t, temp(t))
	release := hold(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Int32
	count := func(tx store.Tx) error { ran.Add(1); return put(0, tx) }
	cancelled, behind := make(chan error, 1), make(chan error, 1)
	go func() { cancelled <- d.Update(ctx, count) }()
	queue(d, 1)
	go func() { behind <- d.Update(t.Context(), count) }()
	queue(d, 2)
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) { // while the first is still under way
		t.Errorf("cancelled Update = %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-behind; err != nil {
		t.Errorf("the Update behind: %v", err)
	}
	if n := ran.Load(); n != 1 {
		t.Errorf("%d callbacks ran, want that of the last Update alone", n)
	}
	wantStats(t, d, 2, 1)
}

// A lateContext is found cancelled only by who asks for its error.
type lateContext struct {
	context.Context
	cancelled atomic.Bool
}

func (c *lateContext) Done() <-chan struct{} { return nil }

func (c *lateContext) Err() error {
	if c.cancelled.Load() {
		return context.Canceled
	}
	return nil
}

func TestCancelledAtItsTurn(t *testing.T) {
	d := open(t, temp(t))
	release := hold(t, d)
	ctx := &lateContext{Context: t.Context()}
	cancelled, behind := make(chan error, 1), make(chan error, 1)
	go func() {
		cancelled <- d.Update(ctx, func(store.Tx) error { t.Error("a cancelled callback ran"); return nil })
	}()
	queue(d, 1)
	go func() { behind <- d.Update(t.Context(), func(tx store.Tx) error { return put(0, tx) }) }()
	queue(d, 2)
	ctx.cancelled.Store(true)
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Update = %v", err)
	}
	if err := <-behind; err != nil {
		t.Errorf("the Update behind: %v", err)
	}
	wantStats(t, d, 2, 1)
}

func TestCloseLetsTheLineFinish(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	release := hold(t, d)
	queued, closed := make(chan error, bolt.MaxShare), make(chan error, 1) // too many for one commit
	for range bolt.MaxShare {
		go func() { queued <- d.Update(t.Context(), func(tx store.Tx) error { return put(0, tx) }) }()
	}
	queue(d, bolt.MaxShare)
	go func() { closed <- d.Close() }()
	for !errors.Is(d.View(t.Context(), func(store.Reader) error { return nil }), store.ErrClosed) {
		runtime.Gosched()
	}
	err := release()
	for range bolt.MaxShare {
		err = errors.Join(err, <-queued)
	}
	if err = errors.Join(err, <-closed); err != nil {
		t.Error(err)
	}
	wantKeys(t, open(t, path), "held", "row/0")
}

// A commit that fails is the outcome of all that shared it, also of a callback
// that refused because of what it saw in it.
func TestFailedCommitReachesAll(t *testing.T) {
	path := temp(t)
	d := open(t, path)
	if err := d.Update(t.Context(), func(tx store.Tx) error { tx.Put("old", []byte("1")); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := bolt.OpenWith(path, func(name string, _ int, _ os.FileMode) (*os.File, error) { return os.Open(name) })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for range 2 {
		release := hold(t, d)
		boom := errors.New("boom")
		outcomes := make(chan error, 8)
		for i := range cap(outcomes) {
			go func() {
				outcomes <- d.Update(t.Context(), func(tx store.Tx) error {
					if i%2 == 0 {
						return boom
					}
					return put(i, tx)
				})
			}()
		}
		queue(d, cap(outcomes))
		if err := release(); err == nil {
			t.Error("the first Update succeeded on a file that cannot be written")
		}
		for range cap(outcomes) {
			if err := <-outcomes; err == nil || errors.Is(err, boom) || !strings.Contains(err.Error(), "committing to "+path) {
				t.Errorf("Update = %v, want the error of the commit", err)
			}
		}
		wantStats(t, d, 0, 0)
		wantKeys(t, d, "old")
		if err := d.Update(t.Context(), func(tx store.Tx) error { _, err := tx.Get("old"); return err }); err != nil {
			t.Errorf("an Update that only reads: %v", err)
		}
	}
}

func TestFullDiskHasWords(t *testing.T) {
	d := open(t, temp(t))
	cause := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	err := d.Unsaved(cause)
	kind, msg := errs.Of(err)
	if kind != errs.Unavailable || !strings.Contains(msg, "the disk that holds the data is full") || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gives %v, %q", kind, msg)
	}
	if kind, msg := errs.Of(d.Unsaved(errors.New("boom"))); kind != errs.Internal || msg != "" {
		t.Errorf("any other error gives %v, %q", kind, msg)
	}
}
