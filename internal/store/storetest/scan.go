package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"backoffice/internal/store"
)

// wantScan fails the test unless rng has exactly the keys, in their order.
func wantScan(t *testing.T, s store.Store, rng store.Range, keys ...string) {
	t.Helper()
	var got []string
	err := s.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan(rng)
		for _, it := range items {
			got = append(got, it.Key)
		}
		return err
	})
	if err != nil || !slices.Equal(got, keys) {
		t.Errorf("Scan(%+q) = %q, %v; want %q", fmt.Sprint(rng), got, err, keys)
	}
}

func testScan(t *testing.T, s store.Store) {
	const smile = "p/\xf0\x9f\x98\x80"
	wantScan(t, s, store.Range{})
	wantScan(t, s, store.Range{Reverse: true})
	put(t, s, "p/1", "", "p/2", "", "p/3", "", smile, "", "q/1", "", "n", "", "o", "")
	for _, tt := range []struct {
		rng  store.Range
		want []string
	}{
		{store.Range{}, []string{"n", "o", "p/1", "p/2", "p/3", smile, "q/1"}},
		{store.Range{Reverse: true}, []string{"q/1", smile, "p/3", "p/2", "p/1", "o", "n"}},
		{store.Range{Prefix: "p/"}, []string{"p/1", "p/2", "p/3", smile}},
		{store.Range{Prefix: "p/", Limit: 2}, []string{"p/1", "p/2"}},
		{store.Range{Prefix: "p/", Limit: 9}, []string{"p/1", "p/2", "p/3", smile}},
		{store.Range{Prefix: "p/", After: "p/2"}, []string{"p/3", smile}},
		{store.Range{Prefix: "p/", After: "p/25", Limit: 1}, []string{"p/3"}},
		{store.Range{Prefix: "p/", After: smile}, nil},
		{store.Range{Prefix: "p/", After: "m"}, []string{"p/1", "p/2", "p/3", smile}},
		{store.Range{Prefix: "p/", After: "q/1"}, nil},
		{store.Range{Prefix: "p/", Reverse: true}, []string{smile, "p/3", "p/2", "p/1"}},
		{store.Range{Prefix: "p/", Reverse: true, Limit: 2}, []string{smile, "p/3"}},
		{store.Range{Prefix: "p/", Reverse: true, After: "p/3", Limit: 1}, []string{"p/2"}},
		{store.Range{Prefix: "p/", Reverse: true, After: "p/25"}, []string{"p/2", "p/1"}},
		{store.Range{Prefix: "p/", Reverse: true, After: "p/1"}, nil},
		{store.Range{Prefix: "p/", Reverse: true, After: "o"}, nil},
		{store.Range{Prefix: "p/", Reverse: true, After: "q/9"}, []string{smile, "p/3", "p/2", "p/1"}},
		{store.Range{Prefix: "q/", Reverse: true}, []string{"q/1"}},
		{store.Range{Prefix: "q/1"}, []string{"q/1"}},
		{store.Range{Prefix: "none/"}, nil},
		{store.Range{Prefix: "none/", Reverse: true}, nil},
		{store.Range{Prefix: "z"}, nil},
		{store.Range{Prefix: "z", Reverse: true}, nil},
	} {
		wantScan(t, s, tt.rng, tt.want...)
	}
}

func testScanAnyByte(t *testing.T, s store.Store) {
	const ff = "\xff"
	keys := []string{"\x00", "\x00\x00", "p", "p/", "p/\x00", "p/" + ff, "p/" + ff + "\x00", "p/" + ff + ff, "p/" + ff + ff + "1", "p0", ff, ff + ff, ff + ff + "1"}
	for _, key := range keys {
		put(t, s, key, "")
	}
	for _, tt := range []struct {
		prefix string
		want   []string
	}{
		{"", keys},
		{"\x00", keys[:2]},
		{"p/", keys[3:9]},
		{"p/" + ff, keys[5:9]},
		{"p/" + ff + ff, keys[7:9]},
		{ff, keys[10:]},
		{ff + ff, keys[11:]},
		{ff + ff + ff, nil},
	} {
		wantScan(t, s, store.Range{Prefix: tt.prefix}, tt.want...)
		back := slices.Clone(tt.want)
		slices.Reverse(back)
		wantScan(t, s, store.Range{Prefix: tt.prefix, Reverse: true}, back...)
		for i, key := range back {
			wantScan(t, s, store.Range{Prefix: tt.prefix, Reverse: true, After: key}, back[i+1:]...)
		}
	}
}

// testScanPages reads more than fits a page of any tree, in both directions,
// page by page, across keys that were deleted.
func testScanPages(t *testing.T, s store.Store) {
	const n, limit = 1000, 7
	var keys, kv, gone []string
	for i := range n {
		key := fmt.Sprintf("row/%04d", i)
		kv = append(kv, key, key+strings.Repeat(" ", 200))
		if i%100 < 60 {
			gone = append(gone, key)
		} else {
			keys = append(keys, key)
		}
	}
	put(t, s, kv...)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for _, key := range gone {
			tx.Delete(key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, reverse := range []bool{false, true} {
		var got []string
		rng := store.Range{Prefix: "row/", Limit: limit, Reverse: reverse}
		for more := true; more; {
			items := scan(t, s, rng)
			if more = len(items) > 0; more {
				rng.After = items[len(items)-1].Key
			}
			for _, it := range items {
				if got = append(got, it.Key); strings.TrimSpace(string(it.Value)) != it.Key {
					t.Errorf("%s has the value %.20q", it.Key, it.Value)
				}
			}
		}
		if reverse {
			slices.Reverse(got)
		}
		if !slices.Equal(got, keys) {
			t.Errorf("reverse %t: %d keys page by page, want %d", reverse, len(got), len(keys))
		}
	}
}

func scan(t *testing.T, s store.Store, rng store.Range) (items []store.Item) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		items, err = r.Scan(rng)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func testTable(t *testing.T, s store.Store) {
	type row struct{ N int }
	table := store.Table[row]{Prefix: "row/"}
	put(t, s, "row", "before", "row0", "behind")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i, id := range []string{"a/1", "a/2", "b/1", "c/1"} {
			if err := table.Put(tx, id, row{i}); err != nil {
				return err
			}
		}
		table.Delete(tx, "c/1")
		got, err := table.Get(tx, "a/2")
		if got != (row{1}) {
			t.Errorf("in Update a/2 = %v", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	type record = store.Record[row]
	rec := func(id string, n int) record { return record{ID: id, Value: row{n}} }
	err = s.View(t.Context(), func(r store.Reader) error {
		for _, tt := range []struct {
			rng  store.Range
			want []record
		}{
			{store.Range{}, []record{rec("a/1", 0), rec("a/2", 1), rec("b/1", 2)}},
			{store.Range{Reverse: true, Limit: 2}, []record{rec("b/1", 2), rec("a/2", 1)}},
			{store.Range{Prefix: "a/", Reverse: true}, []record{rec("a/2", 1), rec("a/1", 0)}},
			{store.Range{After: "a/1"}, []record{rec("a/2", 1), rec("b/1", 2)}},
			{store.Range{Prefix: "c"}, nil},
		} {
			if got, err := table.Scan(r, tt.rng); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("Scan(%+v) = %v, %v; want %v", tt.rng, got, err, tt.want)
			}
		}
		if got, err := table.List(r, "a/1", 1); err != nil || !slices.Equal(got, []row{{1}}) {
			t.Errorf("List = %v, %v", got, err)
		}
		_, err := table.Get(r, "a/2")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
