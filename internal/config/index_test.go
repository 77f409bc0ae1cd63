package config_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

func (r *room) all() []config.Entry {
	r.t.Helper()
	all, err := r.All(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// All has every commit that ended before the call, whatever it was.
func TestAllSeesEveryCommit(t *testing.T) {
	r := open(t)
	if all := r.all(); len(all) != 0 {
		t.Fatalf("%d entries in an empty store", len(all))
	}
	r.save(draft("b:b", 1))
	r.save(draft("a:a", 1))
	for i, a := range []act{{do: "pend"}, {do: "promote", version: 1}, {do: "pend"}, {do: "discard", version: 2}, {do: "force"}, {do: "rollback", version: 1}, {do: "delete"}} {
		if err := r.perform(a, owner, i); err != nil {
			t.Fatalf("%s: %v", a.do, err)
		}
		want := []config.ID{"a:a", id, "b:b"}
		if a.do == "delete" {
			want = []config.ID{"a:a", "b:b"}
		}
		var got []config.ID
		for _, e := range r.all() {
			got = append(got, e.ID)
			if fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", r.get(e.ID)) {
				t.Errorf("after %s, All has %+v, Get has %+v", a.do, e, r.get(e.ID))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %s: %q, want %q", a.do, got, want)
		}
	}
}

// While entries are made, everybody sees at once what they made, and no list
// is shorter than an earlier one.
func TestAllUnderConcurrentWriters(t *testing.T) {
	const writers, each = 4, 8
	r := open(t)
	done := make(chan struct{})
	var write, read sync.WaitGroup
	for w := range writers {
		write.Go(func() {
			for n := range each {
				id := config.ID(fmt.Sprintf("w%d:n%d", w, n))
				if _, err := r.Save(t.Context(), owner, draft(id, n)); err != nil {
					t.Errorf("%s: %v", id, err)
				}
				all, err := r.All(t.Context())
				if err != nil || !slices.ContainsFunc(all, func(e config.Entry) bool { return e.ID == id }) {
					t.Errorf("%s is not in the list of %d (%v)", id, len(all), err)
				}
			}
		})
	}
	for range 2 {
		read.Go(func() {
			for longest := 0; ; {
				all, err := r.All(t.Context())
				if err != nil || len(all) < longest || !slices.IsSortedFunc(all, func(a, b config.Entry) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
					t.Errorf("a list of %d after one of %d (%v)", len(all), longest, err)
				}
				longest = len(all)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	write.Wait()
	close(done)
	read.Wait()
	if all := r.all(); len(all) != writers*each {
		t.Errorf("%d entries, want %d", len(all), writers*each)
	}
}

// fill writes n entries, without versions, as raw records.
func (r *room) fill(n int) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx store.Tx) error {
		for i := range n {
			id := config.ID(fmt.Sprintf("acme:service%05d", i))
			b, err := json.Marshal(config.Entry{ID: id, Current: 1, Next: 2, Revision: 1})
			if err != nil {
				return err
			}
			tx.Put("config/entry/"+string(id), b)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// A list that nobody changed is not read again.
func TestAllOfManyEntries(t *testing.T) {
	const many = 10_000
	r := open(t)
	r.fill(many)
	first, second := r.all(), r.all()
	if len(first) != many || &first[0] != &second[0] {
		t.Errorf("%d entries, or read twice", len(first))
	}
	r.save(draft("acme:service05000x", 1))
	third := r.all()
	if len(third) != many+1 || third[5001].ID != "acme:service05000x" || third[5000].ID != "acme:service05000" || third[many].ID != "acme:service09999" {
		t.Errorf("%d entries after a save, or in another order", len(third))
	}
	if len(first) != many || first[5001].ID != "acme:service05001" {
		t.Error("a list that was handed out changed")
	}
}

func TestDeleteOfManyVersions(t *testing.T) {
	const many = 10_000
	r := open(t)
	r.fill(1)
	err := r.store.Update(t.Context(), func(tx store.Tx) error {
		for n := range many {
			tx.Put(fmt.Sprintf("config/version/acme:service00000/%07d", n+1), []byte(`{}`))
		}
		b, err := json.Marshal(config.Entry{ID: "acme:service00000", Current: 1, Next: many + 1, Revision: 7})
		tx.Put("config/entry/acme:service00000", b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), owner, config.Move{ID: "acme:service00000", Revision: 7}); err != nil {
		t.Fatal(err)
	}
	for key := range r.dump() {
		if strings.HasPrefix(key, "config/") && key != "config/generation" && key != "config/deleted/acme:service00000" {
			t.Errorf("%s is left", key)
		}
	}
	if e := r.events(); len(e) != 1 || e[0].Note != "Versions deleted with it: 10000." {
		t.Errorf("events %+v", e)
	}
}

// A damaged generation is an error, not an old list.
func TestDamagedGeneration(t *testing.T) {
	r := open(t)
	r.save(draft(id, 1))
	r.put("config/generation", "many")
	before := r.dump()
	if _, err := r.All(t.Context()); kindOf(err) != "internal" {
		t.Errorf("All = %v", err)
	}
	if err := r.perform(act{do: "force"}, owner, 2); kindOf(err) != "internal" {
		t.Errorf("Save = %v", err)
	}
	r.unchanged(before)
}
