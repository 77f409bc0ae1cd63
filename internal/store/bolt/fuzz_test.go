package bolt_test

import (
	"slices"
	"strings"
	"testing"

	"backoffice/internal/store"
)

// FuzzScan compares Scan with a filter over a sorted list. The keys are parts
// of a text; the sizes of their values spread them over pages of the file.
func FuzzScan(f *testing.F) {
	f.Add("a,b,c", ",", "", "", false, 0, uint8(1))
	f.Add("p/1,p/2,p/\xff,p/\xff\xff,p0,\xff", ",", "p/", "p/\xff", true, 2, uint8(200))
	f.Add("\xff,\xff\xff,\xff\xff1", ",", "\xff\xff", "", true, 0, uint8(90))
	f.Add("a b c d e f g h", " ", "", "d", true, -1, uint8(255))
	f.Add("p/1,p/2,q/1", ",", "p/", "o", false, 0, uint8(0))
	f.Add("p/1,p/2,q/1", ",", "p/", "q/2", true, 1, uint8(0))
	d := open(f, temp(f))
	d.SetNoSync()
	f.Fuzz(func(t *testing.T, text, sep, prefix, after string, reverse bool, limit int, size uint8) {
		rng := store.Range{Prefix: prefix, After: after, Reverse: reverse, Limit: limit}
		keys := slices.DeleteFunc(strings.Split(text, sep), func(k string) bool { return k == "" || len(k) > store.MaxKeySize })
		slices.Sort(keys)
		keys = slices.Compact(keys)
		value := func(key string) string { return strings.Repeat(key[:1], int(size)*16) }
		write := func(f func(tx store.Tx, key string)) {
			err := d.Update(t.Context(), func(tx store.Tx) error {
				for _, key := range keys {
					f(tx, key)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx store.Tx, key string) { tx.Put(key, []byte(value(key))) })
		defer write(store.Tx.Delete)
		var got []store.Item
		err := d.View(t.Context(), func(r store.Reader) (err error) {
			got, err = r.Scan(rng)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := selected(keys, rng)
		if len(got) != len(want) {
			t.Fatalf("Scan(%+v) of %q: %d keys, want %q", rng, keys, len(got), want)
		}
		for i, it := range got {
			if it.Key != want[i] || string(it.Value) != value(it.Key) {
				t.Errorf("Scan(%+v) of %q: item %d is %q, want %q; its value has %d bytes", rng, keys, i, it.Key, want[i], len(it.Value))
			}
		}
	})
}

// selected returns the sorted keys that are in rng.
func selected(keys []string, rng store.Range) (in []string) {
	keys = slices.Clone(keys)
	if rng.Reverse {
		slices.Reverse(keys)
	}
	for _, key := range keys {
		passed := rng.After == "" || key > rng.After
		if rng.Reverse {
			passed = rng.After == "" || key < rng.After
		}
		if passed && strings.HasPrefix(key, rng.Prefix) && (rng.Limit <= 0 || len(in) < rng.Limit) {
			in = append(in, key)
		}
	}
	return in
}
