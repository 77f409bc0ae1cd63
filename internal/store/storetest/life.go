package storetest

import (
	"errors"
	"runtime"
	"testing"

	"backoffice/internal/store"
)

func testReopen(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a", "1", "b", "")
	put(t, s, "a", "2", "c", "3")
	if err := s.Update(t.Context(), func(tx store.Tx) error { tx.Delete("c"); return nil }); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	for range 2 {
		s = open(t, dir)
		want(t, s, "a", "2")
		want(t, s, "b", "")
		wantMissing(t, s, "c")
		wantScan(t, s, store.Range{Reverse: true}, "b", "a")
		shut(t, s)
	}
}

func testClosed(t *testing.T, s store.Store) {
	put(t, s, "a", "1")
	for range 2 {
		shut(t, s)
		err := s.Update(t.Context(), func(store.Tx) error { t.Error("the callback of an Update after Close ran"); return nil })
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("Update after Close = %v, want ErrClosed", err)
		}
		err = s.View(t.Context(), func(store.Reader) error { t.Error("the callback of a View after Close ran"); return nil })
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("View after Close = %v, want ErrClosed", err)
		}
	}
}

// testCloseInUse closes the store while a View and an Update are under way:
// both end as if nothing had happened, and Close waits for them.
func testCloseInUse(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a", "1")
	began, goOn := make(chan struct{}), make(chan struct{})
	viewed, updated, closed := make(chan error, 1), make(chan error, 1), make(chan error, 2)
	go func() {
		viewed <- s.View(t.Context(), func(r store.Reader) error {
			began <- struct{}{}
			<-goOn
			b, err := r.Get("a")
			if string(b) != "1" {
				t.Errorf("in the View a = %q, %v", b, err)
			}
			return err
		})
	}()
	go func() {
		updated <- s.Update(t.Context(), func(tx store.Tx) error {
			began <- struct{}{}
			<-goOn
			return add(tx, "a", 1)
		})
	}()
	<-began
	<-began
	for range 2 {
		go func() { closed <- s.Close() }()
	}
	for !errors.Is(s.View(t.Context(), func(store.Reader) error { return nil }), store.ErrClosed) {
		runtime.Gosched() // Close has not begun
	}
	select {
	case err := <-closed:
		t.Fatalf("Close = %v while a View and an Update are under way", err)
	default:
	}
	close(goOn)
	for name, outcome := range map[string]chan error{"View": viewed, "Update": updated, "Close": closed, "second Close": closed} {
		if err := <-outcome; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s = open(t, dir)
	want(t, s, "a", "2")
	shut(t, s)
}
