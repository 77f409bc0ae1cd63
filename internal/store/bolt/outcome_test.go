package bolt_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

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

func TestCancelledScanStops(t *testing.T) {
	d := open(t, temp(t))
	if err := d.Update(t.Context(), func(tx store.Tx) error { return put(0, tx) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := d.View(ctx, func(r store.Reader) error {
		if items, err := r.Scan(store.Range{}); len(items) != 1 || err != nil {
			t.Errorf("Scan = %v, %v", items, err)
		}
		cancel()
		items, err := r.Scan(store.Range{})
		if items != nil {
			t.Errorf("cancelled Scan = %v", items)
		}
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View = %v, want context.Canceled", err)
	}
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
	queued, closed := make(chan error, 3*bolt.MaxShare), make(chan error, 1) // too many for one commit
	for range cap(queued) {
		go func() { queued <- d.Update(t.Context(), func(tx store.Tx) error { return put(0, tx) }) }()
	}
	queue(d, cap(queued))
	go func() { closed <- d.Close() }()
	for !errors.Is(d.View(t.Context(), func(store.Reader) error { return nil }), store.ErrClosed) {
		runtime.Gosched()
	}
	err := release()
	for range cap(queued) {
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
