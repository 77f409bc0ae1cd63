package storetest_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

func open(t *testing.T) store.Store {
	t.Helper()
	d, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return storetest.Replay(d)
}

func TestReplayRunsTwiceAndCommitsOnce(t *testing.T) {
	s := open(t)
	var runs int
	err := s.Update(t.Context(), func(tx store.Tx) error {
		runs++
		old, err := tx.Get("a")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		tx.Put("a", append(old, 'x'))
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v; want 2", runs, err)
	}
	err = s.View(t.Context(), func(r store.Reader) error {
		b, err := r.Get("a")
		if string(b) != "x" {
			t.Errorf("a = %q, want one run's effect", b)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Invariant 4: an Update callback is pure.
func TestReplayCatchesImpureCallbacks(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		f    func(run int, tx store.Tx) error
		want string // of the panic; "" if the callback is pure enough
	}{
		{"another value", func(run int, tx store.Tx) error { tx.Put("a", []byte{byte(run)}); return nil }, `different values to "a"`},
		{"one more key", func(run int, tx store.Tx) error {
			if run == 2 {
				tx.Put("b", nil)
			}
			return nil
		}, `only its second run wrote "b"`},
		{"one key less", func(run int, tx store.Tx) error {
			if run == 1 {
				tx.Delete("b")
			}
			return nil
		}, `only its first run wrote "b"`},
		{"deleted once", func(run int, tx store.Tx) error {
			if tx.Put("b", nil); run == 1 {
				tx.Delete("b")
			}
			return nil
		}, `only one of its runs deleted "b"`},
		{"fails once", func(run int, _ store.Tx) error {
			if run == 1 {
				return boom
			}
			return nil
		}, "it returned boom, then <nil>"},
		{"another order", func(run int, tx store.Tx) error {
			keys := []string{"a", "b"}
			tx.Put(keys[run%2], nil)
			tx.Put(keys[(run+1)%2], nil)
			return nil
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			var run int
			got := caught(func() {
				err := s.Update(t.Context(), func(tx store.Tx) error { run++; return tt.f(run, tx) })
				if err != nil {
					t.Error(err)
				}
			})
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("panic %q, want %q", got, tt.want)
			}
		})
	}
}

func caught(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}
