package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"backoffice/internal/store"
)

// add adds n to the number under key, which is 0 if it is missing.
func add(tx store.Tx, key string, n int) error {
	b, err := tx.Get(key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	old, _ := strconv.Atoi(string(b))
	tx.Put(key, []byte(strconv.Itoa(old+n)))
	return nil
}

func testNoLostUpdates(t *testing.T, s store.Store) {
	const workers, each = 16, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := s.Update(t.Context(), func(tx store.Tx) error { return add(tx, "n", 1) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want(t, s, "n", strconv.Itoa(workers*each))
}

// testSnapshot moves amounts between two accounts while others look: nobody
// ever sees half of a transfer, or two states in one View.
func testSnapshot(t *testing.T, s store.Store) {
	const rounds = 100
	put(t, s, "acc/a", "0", "acc/b", "0")
	sum := func(r store.Reader) (total int, err error) {
		items, err := r.Scan(store.Range{Prefix: "acc/"})
		for _, it := range items {
			n, _ := strconv.Atoi(string(it.Value))
			total += n
		}
		return total, err
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range rounds {
				err := s.Update(t.Context(), func(tx store.Tx) error {
					return errors.Join(add(tx, "acc/a", 1), add(tx, "acc/b", -1))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range rounds {
				err := s.View(t.Context(), func(r store.Reader) error {
					if n, err := sum(r); n != 0 || err != nil {
						t.Errorf("sum = %d, %v", n, err)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	err := s.View(t.Context(), func(r store.Reader) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			put(t, s, "acc/a", "later")
		}()
		<-done
		b, err := r.Get("acc/a")
		if string(b) != strconv.Itoa(2*rounds) {
			t.Errorf("a View sees %q, which was committed after it began", b)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// testIsolation runs callbacks that succeed, fail, panic and write what is
// refused side by side. Each gets its own outcome, and only its own.
func testIsolation(t *testing.T, s store.Store) {
	const n = 40
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			key := fmt.Sprintf("row/%02d", i)
			panicked, err := catch(func() error {
				return s.Update(t.Context(), func(tx store.Tx) error {
					tx.Put(key, []byte("1"))
					if err := add(tx, "n", 1); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return fmt.Errorf("%d: %w", i, boom)
					case 2:
						panic(i)
					case 3:
						tx.Put("", nil)
					}
					return nil
				})
			})
			ok := panicked == nil && err == nil
			switch i % 4 {
			case 1:
				ok = panicked == nil && errors.Is(err, boom) && err.Error() == fmt.Sprintf("%d: boom", i)
			case 2:
				ok = panicked == i
			case 3:
				ok = panicked == nil && errors.Is(err, store.ErrKeySize)
			}
			if !ok {
				t.Errorf("Update %d: error %v, panic %v", i, err, panicked)
			}
		})
	}
	wg.Wait()
	want(t, s, "n", strconv.Itoa(n/4))
	for i := range n {
		key := fmt.Sprintf("row/%02d", i)
		if i%4 == 0 {
			want(t, s, key, "1")
		} else {
			wantMissing(t, s, key)
		}
	}
}

// catch returns what f panicked with, or its error.
func catch(f func() error) (panicked any, err error) {
	defer func() { panicked = recover() }()
	return nil, f()
}

func testCancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, func(tx store.Tx) error {
		t.Error("the callback of a cancelled Update ran")
		tx.Put("a", nil)
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v, want context.Canceled", err)
	}
	err = s.View(ctx, func(store.Reader) error {
		t.Error("the callback of a cancelled View ran")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View = %v, want context.Canceled", err)
	}
	wantMissing(t, s, "a")
}
