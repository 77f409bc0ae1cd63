package keyring_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/keyring"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

var (
	_ = secret.Declare(secret.Kind{Prefix: "test/whole/", Words: "whole samples", Find: secret.Whole})
	_ = secret.Declare(secret.Kind{Prefix: "test/json/", Words: "samples in JSON", Find: secret.Field("sealed")})
	_ = secret.Declare(secret.Kind{Prefix: "test/passing", Words: "what is never kept"})
)

var (
	ada   = audit.Actor{ID: "u1", Name: "ada@acme.example"}
	begun = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
)

// kept is a Keeper in memory.
type kept struct {
	mu       sync.Mutex
	keys     *secret.Keyset
	aside    map[string]*secret.Keyset
	readOnly bool
	fail     error
	record   []byte
}

func (k *kept) Writable() bool { return !k.readOnly }

func (k *kept) Save(_ context.Context, was, now *secret.Keyset) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	if !k.keys.Equal(was) {
		return errors.New("changed under our feet")
	}
	k.keys = now
	return nil
}

func (k *kept) Aside(_ context.Context, keys *secret.Keyset, retired string) (string, error) {
	k.aside[retired] = keys
	return "aside " + retired, nil
}

// A place is an installation: a data file, and where its key is kept.
type place struct {
	t     *testing.T
	db    *bolt.DB
	store store.Store
	keep  *kept
	box   *secret.Box
	ring  *keyring.Ring
	now   time.Time
}

func settle(t *testing.T) *place {
	t.Helper()
	keys := must(secret.Generate())(t)
	record, _, err := keys.NewInstallation()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, db: must(bolt.Open(filepath.Join(t.TempDir(), "data.db")))(t), keep: &kept{keys: keys, aside: map[string]*secret.Keyset{}}, now: begun}
	t.Cleanup(func() { _ = p.db.Close() })
	p.store = storetest.Replay(p.db)
	p.put(secret.InstallationKey, record)
	p.start()
	return p
}

// start is a start of the program: all that it knows is in the file and kept.
func (p *place) start() {
	p.t.Helper()
	if err := keyring.Check(p.t.Context(), p.store, p.keep.keys); err != nil {
		p.t.Fatal(err)
	}
	p.box = must(p.keep.keys.Unlock(p.get(secret.InstallationKey)))(p.t)
	p.ring = keyring.New(keyring.Options{Store: keyring.Guard(p.store, p.box), Box: p.box, Keeper: p.keep, Now: func() time.Time { return p.now }})
	if err := p.ring.Note(p.t.Context(), audit.Actor{Name: "console"}); err != nil {
		p.t.Fatal(err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (p *place) put(key string, value []byte) {
	p.t.Helper()
	if err := p.db.Update(p.t.Context(), func(tx store.Tx) error { tx.Put(key, value); return nil }); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) get(key string) (b []byte) {
	p.t.Helper()
	err := p.db.View(p.t.Context(), func(r store.Reader) (err error) {
		b, err = r.Get(key)
		return err
	})
	if err != nil {
		p.t.Fatal(key, err)
	}
	return b
}

type sample struct {
	Before string `json:"before"`
	Sealed []byte `json:"sealed"`
	After  string `json:"after"`
}

// fill seals n values of each kind.
func (p *place) fill(n int) {
	p.t.Helper()
	for i := range n {
		whole, inJSON := fmt.Sprintf("test/whole/%04d", i), fmt.Sprintf("test/json/%04d", i)
		p.put(whole, must(p.box.Seal([]byte("plain "+whole), whole))(p.t))
		b := must(json.Marshal(sample{"<b>&", must(p.box.Seal([]byte("plain "+inJSON), inJSON))(p.t), "a"}))(p.t)
		p.put(inJSON, b)
	}
	p.put("test/json/none", []byte(`{"before":"nothing is sealed in it"}`))
}

// holds checks that all n values of each kind open, and are sealed with that key.
func (p *place) holds(n int, key string) {
	p.t.Helper()
	for i := range n {
		whole, inJSON := fmt.Sprintf("test/whole/%04d", i), fmt.Sprintf("test/json/%04d", i)
		var s sample
		if err := json.Unmarshal(p.get(inJSON), &s); err != nil || s.Before != "<b>&" || s.After != "a" {
			p.t.Errorf("%s: %+v, %v", inJSON, s, err)
		}
		for at, sealed := range map[string][]byte{whole: p.get(whole), inJSON: s.Sealed} {
			if plain, err := p.box.Open(sealed, at); err != nil || string(plain) != "plain "+at || secret.KeyOf(sealed) != key {
				p.t.Errorf("%s is %q, sealed with %s, want %s: %v", at, plain, secret.KeyOf(sealed), key, err)
			}
		}
	}
}

func (p *place) state() keyring.State {
	p.t.Helper()
	for {
		if s := must(p.ring.State(p.t.Context()))(p.t); !s.Count.Time.IsZero() {
			return s
		}
	}
}

func (p *place) reseal() {
	p.t.Helper()
	if err := errors.Join(p.ring.Reseal(p.t.Context(), ada), p.ring.Finish(p.t.Context(), func(keyring.State) {})); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) rotate() string {
	p.t.Helper()
	return must(p.ring.Rotate(p.t.Context(), ada))(p.t)
}

func (p *place) events() (out []string) {
	p.t.Helper()
	err := p.db.View(p.t.Context(), func(r store.Reader) error {
		items, err := r.Scan(store.Range{Prefix: "audit/event/"})
		for _, it := range items {
			var e audit.Event
			if err := json.Unmarshal(it.Value, &e); err != nil {
				return err
			}
			text := fmt.Sprintf("%s %s %s %s", e.Actor.Name, e.Action, e.Target, e.Outcome)
			for _, c := range e.Changes {
				text += fmt.Sprintf(" [%s %s %s]", c.Key, c.Before, c.After)
			}
			out = append(out, strings.TrimSpace(text+" "+e.Note))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// A key changes from the first to the last step, twice, and everything opens at each.
func TestRotateResealRetire(t *testing.T) {
	p := settle(t)
	const n = 150
	p.fill(n)
	first, print, mac := p.box.KeyID(), p.box.Fingerprint("x"), p.box.MAC("d", []byte("x"))
	if s := p.state(); len(s.Keys) != 1 || s.Keys[0] != (keyring.Key{ID: first, Primary: true, Since: begun, Sealed: 2*n + 1}) || !s.Writable || s.Work.UnderWay || !s.Count.Time.Equal(begun) || s.Count.Odd != 0 {
		t.Errorf("at the beginning: %+v", s)
	}
	var ids []string
	for round := range 2 {
		old := p.box.KeyID()
		p.now = p.now.Add(time.Hour)
		id := p.rotate()
		ids = append(ids, id)
		if p.box.KeyID() != id || !p.keep.keys.Equal(p.box.Keys()) || !slices.Equal(p.box.Keys().IDs(), []string{id, old}) {
			t.Fatalf("round %d: %s seals, %v are kept", round, p.box.KeyID(), p.keep.keys.IDs())
		}
		p.holds(n, old)
		if s := p.state(); len(s.Keys) != 2+round || s.Keys[0] != (keyring.Key{ID: id, Primary: true, Since: p.now}) || s.Keys[1].ID != old || s.Keys[1].Sealed != 2*n+1 || s.Keys[1].Primary {
			t.Errorf("round %d, rotated: %+v", round, s.Keys)
		}
		if err := p.ring.Unused(t.Context(), old); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), fmt.Sprintf("still seals %d records", 2*n+1)) {
			t.Errorf("unused: %v", err)
		}
		p.reseal()
		p.holds(n, id)
		if got := secret.KeyOf(p.get(secret.InstallationKey)); got != id {
			t.Errorf("the installation's record is sealed with %s", got)
		}
		where, err := p.ring.Retire(t.Context(), ada, old, round == 0)
		if err != nil || where != map[int]string{0: "aside " + old, 1: ""}[round] {
			t.Fatalf("retiring: %q, %v", where, err)
		}
		if p.box.Keys().Has(old) || p.keep.keys.Has(old) || round == 0 && !slices.Equal(p.keep.aside[old].IDs(), []string{id, old}) {
			t.Errorf("round %d: the old key is still there, or not aside", round)
		}
		p.start()
		p.holds(n, id)
		s := p.state()
		last := s.Keys[1]
		if len(s.Keys) != 2+round || s.Keys[0].Sealed != 2*n+1 || last.ID != old || !last.Retired.Equal(p.now) || last.Sealed != 0 || last.Primary {
			t.Errorf("round %d, retired: %+v", round, s.Keys)
		}
	}
	if p.box.Fingerprint("x") != print || !bytes.Equal(p.box.MAC("d", []byte("x")), mac) {
		t.Error("fingerprints or MACs changed with the key")
	}
	anew := fmt.Sprintf("Sealed anew: key of the fingerprints: 1; samples in JSON: %d; whole samples: %d.", n, n)
	want := []string{
		fmt.Sprintf("ada@acme.example key.rotate %s done [key that seals %s %s]", ids[0], first, ids[0]),
		fmt.Sprintf("ada@acme.example key.reseal %s done %s", ids[0], anew),
		fmt.Sprintf("ada@acme.example key.retire %s done A copy was kept.", first),
		fmt.Sprintf("ada@acme.example key.rotate %s done [key that seals %s %s]", ids[1], ids[0], ids[1]),
		fmt.Sprintf("ada@acme.example key.reseal %s done %s", ids[1], anew),
		fmt.Sprintf("ada@acme.example key.retire %s done No copy of it was kept.", ids[0]),
	}
	if got := p.events(); !slices.Equal(got, want) {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.reseal(); p.events()[6] != fmt.Sprintf("ada@acme.example key.reseal %s done Everything was sealed with this key already.", ids[1]) {
		t.Errorf("sealing anew what is: %s", p.events()[6])
	}
}

func TestRetireIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(p *place, old string) string // and which key to retire
		kind errs.Kind
		says string
	}{
		"unknown":  {func(*place, string) string { return "ffffffff" }, errs.NotFound, "There is no key ffffffff"},
		"seals":    {func(p *place, _ string) string { return p.box.KeyID() }, errs.Invalid, "is the one that seals"},
		"in use":   {func(p *place, old string) string { p.undo(old); return old }, errs.Conflict, "still seals 1 record."},
		"damaged":  {func(p *place, old string) string { p.put("test/json/x", []byte(`{"sealed":`)); return old }, errs.Conflict, "1 record could not be read"},
		"readOnly": {func(p *place, old string) string { p.keep.readOnly = true; return old }, errs.Invalid, "without it with “backoffice keys retire "},
		"undeclared": {func(p *place, old string) string {
			sealed := must(p.keep.aside["all"].Unlock(p.keep.record))(p.t)
			b := must(sealed.Seal([]byte("x"), "test/whole/y"))(p.t)
			p.put("somewhere/else", b)
			return old
		}, errs.Conflict, "a fault of the program"},
		"undeclared in JSON": {func(p *place, old string) string {
			sealed := must(p.keep.aside["all"].Unlock(p.keep.record))(p.t)
			p.put("somewhere/else", must(json.Marshal(sample{Sealed: must(sealed.Seal([]byte("x"), "test/whole/y"))(p.t)}))(p.t))
			return old
		}, errs.Conflict, "a fault of the program"},
	} {
		t.Run(name, func(t *testing.T) {
			p := settle(t)
			p.fill(3)
			old := p.box.KeyID()
			p.keep.aside["all"], p.keep.record = p.keep.keys, p.get(secret.InstallationKey)
			p.rotate()
			p.reseal()
			before := p.keep.keys
			where, err := p.ring.Retire(t.Context(), ada, tt.do(p, old), true)
			if !errs.Is(err, tt.kind) || !strings.Contains(fmt.Sprint(err), tt.says) || where != "" {
				t.Errorf("%q, %v; want %s with %q", where, err, tt.kind, tt.says)
			}
			if p.keep.keys != before || !p.box.Keys().Has(old) || slices.ContainsFunc(p.events(), func(e string) bool { return strings.Contains(e, "key.retire") }) {
				t.Error("something was changed")
			}
		})
	}
}

// undo puts a value back that the old key sealed.
func (p *place) undo(string) {
	old := must(p.keep.aside["all"].Unlock(p.keep.record))(p.t)
	p.put("test/whole/0001", must(old.Seal([]byte("plain test/whole/0001"), "test/whole/0001"))(p.t))
}

// What was sealed before a key changed and is committed after it went is refused:
// else "nothing is sealed under it" would become untrue, and the value be lost.
func TestLateCommitIsRefused(t *testing.T) {
	p := settle(t)
	old := p.box.KeyID()
	late := must(p.box.Seal([]byte("x"), "test/whole/late"))(t)
	inJSON := must(json.Marshal(sample{Sealed: must(p.box.Seal([]byte("x"), "test/json/late"))(t)}))(t)
	commit := func(key string, b []byte) error {
		return p.ring.Store.Update(t.Context(), func(tx store.Tx) error { tx.Put(key, b); return nil })
	}
	p.rotate()
	if err := commit("test/whole/late", late); err != nil {
		t.Fatalf("a key that opens is refused: %v", err)
	}
	p.reseal()
	if _, err := p.ring.Retire(t.Context(), ada, old, false); err != nil {
		t.Fatal(err)
	}
	for key, b := range map[string][]byte{"test/whole/late": late, "test/json/late": inJSON} {
		if err := commit(key, b); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s was committed under a key that went: %v", key, err)
		}
	}
	if err := commit("test/json/new", []byte(`not ours to judge`)); err != nil {
		t.Error(err)
	}
}

// People save while everything is sealed anew, and the key changes once more in
// between: nothing is lost, and nothing stays behind.
func TestSavesBesideResealing(t *testing.T) {
	p := settle(t)
	const n = 200
	p.fill(n)
	p.rotate()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	latest := make([]string, n)
	for i := range 4 {
		all.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				j := (round*4 + i) % n
				key, text := fmt.Sprintf("test/whole/%04d", j), fmt.Sprintf("saved %d", round)
				sealed, err := p.box.Seal([]byte(text), key)
				if err == nil {
					err = p.ring.Store.Update(context.Background(), func(tx store.Tx) error { tx.Put(key, sealed); return nil })
				}
				if err != nil {
					t.Error(err)
					return
				}
				latest[j] = text
			}
		})
	}
	running, stop := context.WithCancel(t.Context())
	all.Go(func() { p.ring.Run(running) })
	for round := range 2 {
		if round > 0 {
			p.rotate()
		}
		if err := p.ring.Reseal(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		for p.state().Work.UnderWay {
			time.Sleep(time.Millisecond)
		}
	}
	cancel()
	stop()
	all.Wait()
	p.reseal()
	for j, text := range latest {
		key := fmt.Sprintf("test/whole/%04d", j)
		sealed := p.get(key)
		if plain, err := p.box.Open(sealed, key); err != nil || text != "" && string(plain) != text || secret.KeyOf(sealed) != p.box.KeyID() {
			t.Errorf("%s is %q, want %q: %v", key, plain, text, err)
		}
	}
	s := p.state()
	for _, k := range s.Keys[1:] {
		if _, err := p.ring.Retire(t.Context(), ada, k.ID, false); err != nil {
			t.Errorf("%s: %v", k.ID, err)
		}
	}
}

// A re-sealing that stops goes on at the next start, and counts all of it.
func TestResealGoesOn(t *testing.T) {
	p := settle(t)
	const n = 200
	p.fill(n)
	p.rotate()
	if err := p.ring.Reseal(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err := p.ring.Finish(ctx, func(s keyring.State) {
		if !s.Work.UnderWay || s.Work.Total != 2*n+1 || s.Work.By != ada.Name || !s.Work.Begun.Equal(begun) {
			t.Errorf("under way: %+v", s.Work)
		}
		if s.Work.Done > n/2 {
			stop()
		}
	})
	done := p.state().Work.Done
	if !errors.Is(err, context.Canceled) || done <= n/2 || done >= 2*n {
		t.Fatalf("%d done, %v", done, err)
	}
	p.start()
	if w := p.state().Work; !w.UnderWay || w.Done != done {
		t.Fatalf("after the start: %+v", w)
	}
	if err := p.ring.Finish(t.Context(), func(keyring.State) {}); err != nil {
		t.Fatal(err)
	}
	p.holds(n, p.box.KeyID())
	if e := p.events(); !strings.Contains(e[len(e)-1], fmt.Sprintf("samples in JSON: %d; whole samples: %d.", n, n)) || p.state().Work.UnderWay {
		t.Errorf("events: %q", e)
	}
}

// What does not open stays as it is, and is said.
func TestResealOfDamaged(t *testing.T) {
	p := settle(t)
	p.fill(2)
	bad := p.get("test/whole/0001")
	bad[len(bad)-1] ^= 1
	p.put("test/whole/0001", bad)
	p.rotate()
	p.reseal()
	e := p.events()
	if got := e[len(e)-1]; !strings.Contains(got, " failed Sealed anew: ") || !strings.Contains(got, "Could not be opened: 1.") || !bytes.Equal(p.get("test/whole/0001"), bad) {
		t.Errorf("event: %s", got)
	}
}

// Whatever of a rotation a crash leaves undone, the next start does, and everything
// opens.
func TestCrashes(t *testing.T) {
	p := settle(t)
	p.fill(3)
	first := p.box.KeyID()
	next := must(p.keep.keys.Rotated())(t)
	p.keep.keys = next // kept, and then the program ended
	p.start()
	p.holds(3, first)
	p.reseal()
	p.holds(3, next.ID())
	p.keep.keys = must(next.Without(first))(t) // taken away, and then the program ended
	p.start()
	p.holds(3, next.ID())
	p.keep.keys = next // somebody put it back
	p.start()
	e := p.events()
	want := []string{fmt.Sprintf("console key.rotate %s done [key that seals %s %s]", next.ID(), first, next.ID()), "console key.retire " + first + " done",
		fmt.Sprintf("console key.rotate %s done Other keys that came: %s.", next.ID(), first)}
	if got := slices.Delete(slices.Clone(e), 1, 2); !slices.Equal(got, want) {
		t.Errorf("events:\n%s", strings.Join(e, "\n"))
	}
	p.keep.fail = errors.New("disk full")
	if _, err := p.ring.Rotate(t.Context(), ada); err == nil || p.box.KeyID() != next.ID() || len(p.events()) != len(e) {
		t.Errorf("a key that could not be kept is used: %v", err)
	}
	p.keep.fail, p.keep.readOnly = nil, true
	if _, err := p.ring.Rotate(t.Context(), ada); !errs.Is(err, errs.Invalid) {
		t.Errorf("rotating what cannot be written: %v", err)
	}
}

// A start with keys that do not open everything names all that are missing.
func TestCheckNamesWhatIsMissing(t *testing.T) {
	p := settle(t)
	p.fill(2)
	first := p.keep.keys
	p.rotate()
	second := p.keep.keys
	p.put("test/whole/0000", must(p.box.Seal([]byte("x"), "test/whole/0000"))(t))
	stranger := must(secret.Generate())(t)
	ids := []string{first.ID(), second.ID()}
	both := []keyring.Lack{{ID: ids[0], Sealed: 4}, {ID: ids[1], Sealed: 1}}
	slices.SortFunc(both, func(a, b keyring.Lack) int { return strings.Compare(a.ID, b.ID) })
	for name, tt := range map[string]struct {
		keys  *secret.Keyset
		lacks []keyring.Lack
	}{
		"all":      {second, nil},
		"older":    {first, []keyring.Lack{{ID: ids[1], Sealed: 1}}},
		"newer":    {must(second.Without(ids[0]))(t), []keyring.Lack{{ID: ids[0], Sealed: 4}}},
		"stranger": {stranger, both},
	} {
		for _, known := range []bool{true, false} { // data from before there was a list of keys
			if !known {
				if err := p.db.Update(t.Context(), func(tx store.Tx) error { tx.Delete("keys/ring"); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			err := keyring.Check(t.Context(), p.store, tt.keys)
			var lack *keyring.LackError
			if errors.As(err, &lack); tt.lacks == nil && err != nil || tt.lacks != nil && (lack == nil || !slices.Equal(lack.Lacks, tt.lacks) || !slices.Equal(lack.Have, tt.keys.IDs())) {
				t.Errorf("%s, known %v: %+v, %v", name, known, lack, err)
			}
		}
		p.start()
	}
}
