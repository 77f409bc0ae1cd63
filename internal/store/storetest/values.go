package storetest

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"backoffice/internal/store"
)

func testMissing(t *testing.T, s store.Store) {
	wantMissing(t, s, "a")
	wantMissing(t, s, "")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Get("a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get in Update: %v, want ErrNotFound", err)
		}
		tx.Delete("a")
		return nil
	})
	if err != nil {
		t.Errorf("Delete of missing key: %v, want nil", err)
	}
	put(t, s, "b", "1")
	wantMissing(t, s, "")
	wantMissing(t, s, "a")
	wantMissing(t, s, "b/")
}

func testReadYourWrites(t *testing.T, s store.Store) {
	put(t, s, "a", "old")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		tx.Put("a", []byte("new"))
		if v, err := tx.Get("a"); err != nil || string(v) != "new" {
			t.Errorf("Get after Put = %q, %v", v, err)
		}
		tx.Delete("a")
		if _, err := tx.Get("a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get after Delete: %v, want ErrNotFound", err)
		}
		tx.Put("b", []byte("1"))
		tx.Put("b", []byte("2"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantMissing(t, s, "a")
	want(t, s, "b", "2")
}

// Of many writes on many keys, in no order, the last on each counts.
func testManyWrites(t *testing.T, s store.Store) {
	const keys = 100
	key := func(i int) string { return strconv.Itoa(i * 37 % keys) }
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 3 * keys {
			tx.Put(key(i), []byte(strconv.Itoa(i)))
			if v, err := tx.Get(key(i / 2)); err != nil || i < keys && string(v) != strconv.Itoa(i/2) {
				t.Errorf("after %d writes, Get(%s) = %q, %v", i+1, key(i/2), v, err)
			}
		}
		for i := 0; i < keys; i += 2 {
			tx.Delete(strconv.Itoa(i))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		if k := key(i); (i*37%keys)%2 == 0 {
			wantMissing(t, s, k)
		} else {
			want(t, s, k, strconv.Itoa(2*keys+i))
		}
	}
}

func testRollback(t *testing.T, s store.Store) {
	put(t, s, "a", "1", "c", "1")
	boom := errors.New("boom")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		tx.Put("a", []byte("2"))
		tx.Put("b", []byte("2"))
		tx.Delete("c")
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("Update = %v, want the callback's own error", err)
	}
	want(t, s, "a", "1")
	wantMissing(t, s, "b")
	want(t, s, "c", "1")
	if err := s.View(t.Context(), func(store.Reader) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("View = %v, want the callback's own error", err)
	}
}

func testCallerOwnsValues(t *testing.T, s store.Store) {
	// Large enough that an engine would rather map it than copy it.
	big := strings.Repeat("hello", 4096)
	put(t, s, "a", big)
	var got, scanned []byte
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		if got, err = r.Get("a"); err != nil {
			return err
		}
		items, err := r.Scan(store.Range{Prefix: "a"})
		scanned = items[0].Value
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	clear(got) // faults if it is the store's own memory
	clear(scanned)
	want(t, s, "a", big)

	err = s.Update(t.Context(), func(tx store.Tx) error {
		tx.Put("b", []byte("1"))
		for _, key := range []string{"a", "b"} {
			v, err := tx.Get(key)
			if err != nil {
				return err
			}
			clear(v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, "a", big)
	want(t, s, "b", "1")
}

func testPutCopies(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(tx store.Tx) error {
		v := []byte("kept")
		tx.Put("a", v)
		clear(v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, "a", "kept")
}

func testEmptyValues(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(tx store.Tx) error {
		tx.Put("a/nil", nil)
		tx.Put("a/empty", []byte{})
		tx.Put("a/b", []byte("b"))
		for _, key := range []string{"a/nil", "a/empty"} {
			if v, err := tx.Get(key); err != nil || len(v) != 0 {
				t.Errorf("in Update %s = %q, %v", key, v, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, "a/nil", "")
	want(t, s, "a/empty", "")
	err = s.Update(t.Context(), func(tx store.Tx) error {
		if v, err := tx.Get("a/nil"); err != nil || len(v) != 0 {
			t.Errorf("in a later Update a/nil = %q, %v", v, err)
		}
		tx.Put("a/b", nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, "a/b", "")
	wantScan(t, s, store.Range{Prefix: "a/"}, "a/b", "a/empty", "a/nil")
}

func testLargeValues(t *testing.T, s store.Store) {
	value := func(seed byte) string { // no two pages alike
		b := make([]byte, 1<<20)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
		return string(b)
	}
	one, two, three := value(1), value(2), value(3)
	put(t, s, "a", one, "b", "small", "c", two)
	put(t, s, "a", three)
	want(t, s, "a", three)
	want(t, s, "b", "small")
	want(t, s, "c", two)
	err := s.Update(t.Context(), func(tx store.Tx) error { tx.Delete("a"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	wantMissing(t, s, "a")
	want(t, s, "c", two)
}

func testKeySizes(t *testing.T, s store.Store) {
	longest := strings.Repeat("k", store.MaxKeySize)
	put(t, s, longest, "1")
	want(t, s, longest, "1")
	for name, key := range map[string]string{"empty": "", "too long": longest + "k"} {
		for verb, write := range map[string]func(store.Tx){
			"Put":    func(tx store.Tx) { tx.Put(key, []byte("1")) },
			"Delete": func(tx store.Tx) { tx.Delete(key) },
		} {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				tx.Put("before", []byte("1"))
				write(tx)
				tx.Put("after", []byte("1"))
				return nil
			})
			if !errors.Is(err, store.ErrKeySize) {
				t.Errorf("%s of a key that is %s: %v, want ErrKeySize", verb, name, err)
			}
			wantMissing(t, s, "before")
			wantMissing(t, s, "after")
		}
	}
}
