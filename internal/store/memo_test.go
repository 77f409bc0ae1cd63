package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"backoffice/internal/store"
)

type note struct{ Words []string }

// shelf is a Getter over a map.
type shelf map[string]string

func (s shelf) Get(key string) ([]byte, error) {
	b, ok := s[key]
	if !ok {
		return nil, store.ErrNotFound
	}
	return []byte(b), nil
}

func clip(n *note) { n.Words = slices.Clip(n.Words) }

func TestMemoIsNeverStale(t *testing.T) {
	notes := store.Table[note]{Prefix: "note/", Memo: store.NewMemo(2, clip)}
	get := func(s shelf, id string) string {
		n, err := notes.Get(s, id)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(n.Words)
	}
	one, other := shelf{"note/a": `{"Words":["x","y"]}`}, shelf{"note/a": `{"Words":["z"]}`}
	for range 2 {
		if got := get(one, "a"); got != "[x y]" {
			t.Errorf("from one store: %s", got)
		}
		if got := get(other, "a"); got != "[z]" {
			t.Errorf("from another store, under the same key: %s", got)
		}
	}
	one["note/a"] = `{"Words":["new"]}`
	if got := get(one, "a"); got != "[new]" {
		t.Errorf("after a change: %s", got)
	}
	delete(one, "note/a")
	if _, err := notes.Get(one, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after it was deleted: %v", err)
	}
	one["note/a"] = `{"Words":`
	if _, err := notes.Get(one, "a"); err == nil {
		t.Error("damaged bytes were decoded")
	}
}

func TestMemoKeepsCallersApart(t *testing.T) {
	notes := store.Table[note]{Prefix: "note/", Memo: store.NewMemo(2, clip)}
	s := shelf{"note/a": `{"Words":["1","2","3","4","5"]}`} // five leave spare capacity when decoded
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			n, err := notes.Get(s, "a")
			if err != nil {
				t.Error(err)
				return
			}
			mine := append(n.Words, fmt.Sprint(i))
			if got := mine[5]; got != fmt.Sprint(i) {
				t.Errorf("appended %d, found %s", i, got)
			}
		})
	}
	wg.Wait()
}

func TestMemoIsBounded(t *testing.T) {
	notes := store.Table[note]{Prefix: "note/", Memo: store.NewMemo(3, clip)}
	s := shelf{}
	for i := range 100 {
		s[fmt.Sprint("note/", i)] = fmt.Sprintf(`{"Words":["%d"]}`, i)
	}
	for range 2 {
		for i := range 100 {
			if n, err := notes.Get(s, fmt.Sprint(i)); err != nil || n.Words[0] != fmt.Sprint(i) {
				t.Fatalf("record %d: %v, %v", i, n, err)
			}
		}
	}
	if n := notes.Memo.Len(); n != 3 {
		t.Errorf("it remembers %d records, want 3", n)
	}
}

func TestMemoForgetsLargeRecords(t *testing.T) {
	notes := store.Table[note]{Prefix: "note/", Memo: store.NewMemo(3, clip)}
	s := shelf{"note/a": `{"Words":["` + strings.Repeat("x", 20_000) + `"]}`}
	if n, err := notes.Get(s, "a"); err != nil || len(n.Words[0]) != 20_000 {
		t.Fatalf("%v, %v", len(n.Words), err)
	}
	if n := notes.Memo.Len(); n != 0 {
		t.Errorf("it remembers %d large records", n)
	}
}
