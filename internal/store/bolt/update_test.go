package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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
