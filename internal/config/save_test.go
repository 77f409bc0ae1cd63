package config_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Everything that a save records, and everything that can be read of it.
func TestSaveRecordsEverything(t *testing.T) {
	r := open(t)
	saved, err := r.Save(t.Context(), editor, config.Draft{ID: "acme:rocket", Reason: "new app", Scopes: []string{"read"}, Topics: []string{"ping"},
		Values: []config.Input{{Key: "clientId", Value: text("abc")}, {Key: "clientSecret", Value: text("Zoë")}, plain("zone", "5")}})
	if err != nil {
		t.Fatal(err)
	}
	at := start.Add(1 * 60e9)
	v := saved.Version
	key := func(name string, sec bool, kind connector.Kind, value string, length int) config.Key {
		return config.Key{Name: name, Secret: sec, Kind: kind, Fingerprint: r.box.Fingerprint(value), Length: length, Since: 1, SetAt: at, SetBy: editor.Name}
	}
	want := config.Version{Entry: "acme:rocket", Number: 1, Author: editor.Name, AuthorID: editor.ID, Time: at, Reason: "new app", ContentHash: v.ContentHash, Sealed: v.Sealed,
		Scopes: []string{"read"}, Topics: []string{"ping"}, TokenOrigin: "https://one.rocket.example", Keys: []config.Key{
			key("clientId", false, connector.Text, "abc", 3),
			key("clientSecret", true, connector.Text, "Zoë", 3), // secret because the definition says so
			key("zone", false, connector.Number, "5", 1),
		}}
	if !reflect.DeepEqual(v, want) || len(v.ContentHash) != 64 || saved.Version.Cleaned != nil {
		t.Errorf("saved %+v, want %+v", saved, want)
	}
	got, err := r.Version(t.Context(), "acme:rocket", 1)
	if err != nil || !sameRecord(got, want) {
		t.Errorf("Version = %+v, %v", got, err)
	}
	wantEntry := config.Entry{ID: "acme:rocket", Connector: "rocket", Pending: 1, PendingHash: v.ContentHash, Next: 2, Revision: 1, Created: at, Changed: at, ChangedBy: editor.Name, ChangedByID: editor.ID}
	if e := r.get("acme:rocket"); !reflect.DeepEqual(e, wantEntry) {
		t.Errorf("entry %+v, want %+v", e, wantEntry)
	}
	if def := r.Definition("acme:rocket"); def == nil || def.Key != "rocket" || r.Definition("acme:anything") != nil {
		t.Errorf("definition %v", def)
	}
}

func TestCreateRefusesAnExistingID(t *testing.T) {
	r := open(t)
	r.save(draft(id, 1))
	before := r.dump()
	_, err := r.Save(t.Context(), editor, draft(id, 2))
	const words = "There is an entry acme:anything already. Open it and edit it, or choose another id."
	if kindOf(err) != "conflict" || errs.Fields(err)["id"] != words {
		t.Errorf("Save = %v, want a Conflict on id", err)
	}
	r.unchanged(before)
}

// Two admins edit the same state: the second is told, and nothing of hers is
// written.
func TestSaveIsCompareAndSwap(t *testing.T) {
	r := open(t)
	r.save(draft(id, 1))
	theirs, hers := r.onto(draft(id, 2)), r.onto(draft(id, 3))
	if _, err := r.Save(t.Context(), owner, theirs); err != nil {
		t.Fatal(err)
	}
	before := r.dump()
	_, err := r.Save(t.Context(), editor, hers)
	kind, msg := errs.Of(err)
	if kind != errs.Conflict || msg != "owner@acme.example changed this entry after you opened it. Look at what changed, then decide again." {
		t.Errorf("second Save = %v: %q", kind, msg)
	}
	hers.Values = append(hers.Values, plain("a b", "1"))
	if _, err := r.Save(t.Context(), editor, hers); kindOf(err) != "conflict" {
		t.Errorf("second Save, with a fault of its own = %v, want to hear of the conflict first", err)
	}
	r.unchanged(before)
}

// A form of an entry that was deleted does not fit the one that was made anew
// under the same id.
func TestAnOldFormDoesNotFitANewEntry(t *testing.T) {
	r := open(t)
	r.save(draft(id, 1))
	old := r.onto(draft(id, 2))
	if err := r.Delete(t.Context(), owner, config.Move{ID: id, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	if v := r.save(draft(id, 3)); v.Number != 1 {
		t.Errorf("the new entry begins with version %d", v.Number)
	}
	if e := r.get(id); e.Revision != 2 {
		t.Errorf("the new entry is at revision %d, want 2", e.Revision)
	}
	before := r.dump()
	if _, err := r.Save(t.Context(), editor, old); kindOf(err) != "conflict" {
		t.Errorf("Save = %v, want a Conflict", err)
	}
	r.unchanged(before)
}

// Of eight who save the same state at once, one wins, in every round.
func TestOneOfManySaversWins(t *testing.T) {
	const savers, rounds = 8, 10
	r := open(t)
	r.save(draft(id, 0))
	for round := range rounds {
		onto := r.onto(draft(id, 0))
		results := make([]error, savers)
		var wait sync.WaitGroup
		for i := range savers {
			wait.Go(func() {
				d := draft(id, 1+round*savers+i)
				d.Revision, d.Base = onto.Revision, onto.Base
				_, results[i] = r.Save(t.Context(), owner, d)
			})
		}
		wait.Wait()
		won := 0
		for _, err := range results {
			switch kindOf(err) {
			case "":
				won++
			case "conflict":
			default:
				t.Errorf("round %d: %v", round, err)
			}
		}
		if e := r.get(id); won != 1 || e.Next != round+3 || e.Revision != int64(round)+2 || len(r.events()) != round+2 {
			t.Fatalf("round %d: %d won; next %d, revision %d, %d events", round, won, e.Next, e.Revision, len(r.events()))
		}
	}
}

// Of many who create the same id at once, one wins.
func TestOneOfManyCreatorsWins(t *testing.T) {
	r := open(t)
	results := make([]error, 8)
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() { _, results[i] = r.Save(t.Context(), owner, draft(id, i)) })
	}
	wait.Wait()
	won := slices.IndexFunc(results, func(err error) bool { return err == nil })
	for i, err := range results {
		if i != won && kindOf(err) != "conflict" {
			t.Errorf("creator %d: %v", i, err)
		}
	}
	o, err := r.Open(t.Context(), id, 1)
	if err != nil || won < 0 || o.Values["password"].Text().Reveal() != fmt.Sprint("pass-", won) || len(r.events()) != 1 {
		t.Errorf("%d won, %v, %d events", won, err, len(r.events()))
	}
}

// Whatever happens to an entry later, the bytes of a version stay.
func TestVersionsAreImmutable(t *testing.T) {
	r := open(t)
	written := map[string]string{}
	for i, a := range []act{{do: "pend"}, {do: "promote", version: 1}, {do: "pend"}, {do: "discard", version: 2}, {do: "force"}, {do: "pend"},
		{do: "promote", version: 4, accept: 60e9}, {do: "rollback", version: 1}} {
		if err := r.perform(a, owner, i); err != nil {
			t.Fatalf("%s: %v", a.do, err)
		}
		for key, v := range r.dump() {
			if !strings.HasPrefix(key, "config/version/") {
				continue
			}
			if old, had := written[key]; had && old != v {
				t.Errorf("%s was changed by %s", key, a.do)
			}
			written[key] = v
		}
	}
	if len(written) != 4 {
		t.Errorf("%d versions, want 4", len(written))
	}
}

func TestNothingDifferentIsRefused(t *testing.T) {
	base := config.Draft{ID: id, Values: []config.Input{plain("a", "5"), hidden("b", "x")}, Scopes: []string{"s", "t"}, Topics: []string{"u"}}
	for name, tt := range map[string]struct {
		change func(*config.Draft)
		same   bool
	}{
		"nothing":          {func(*config.Draft) {}, true},
		"another order":    {func(d *config.Draft) { slices.Reverse(d.Values); d.Scopes = []string{"t", "s", "t"} }, true},
		"a kept secret":    {func(d *config.Draft) { d.Values[1] = keep("b") }, true},
		"a reason":         {func(d *config.Draft) { d.Reason = "why" }, true},
		"put in force":     {func(d *config.Draft) { d.Then = config.PutInForce }, true},
		"a value":          {func(d *config.Draft) { d.Values[0] = plain("a", "6") }, false},
		"another kind":     {func(d *config.Draft) { d.Values[0] = plain("a", `"5"`) }, false},
		"a secret":         {func(d *config.Draft) { d.Values[1] = hidden("b", "y") }, false},
		"made secret":      {func(d *config.Draft) { d.Values[0].Secret = true }, false},
		"one key less":     {func(d *config.Draft) { d.Values = d.Values[:1] }, false},
		"one key more":     {func(d *config.Draft) { d.Values = append(d.Values, plain("c", "")) }, false},
		"one scope less":   {func(d *config.Draft) { d.Scopes = d.Scopes[:1] }, false},
		"no topics":        {func(d *config.Draft) { d.Topics = nil }, false},
		"a topic as scope": {func(d *config.Draft) { d.Scopes, d.Topics = []string{"s", "t", "u"}, nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			r.save(base)
			d := r.onto(base)
			d.Values, d.Scopes = slices.Clone(base.Values), slices.Clone(base.Scopes)
			tt.change(&d)
			before := r.dump()
			_, err := r.Save(t.Context(), owner, d)
			if !tt.same {
				if err != nil {
					t.Errorf("Save = %v", err)
				}
				return
			}
			if kind, msg := errs.Of(err); kind != errs.Invalid || msg != "Nothing is different from version 1, so there is nothing to save." {
				t.Errorf("Save = %v: %q", kind, msg)
			}
			r.unchanged(before)
		})
	}
}

// Empty lists are no lists: nil and [] are the same content.
func TestEmptyListsAreTheSame(t *testing.T) {
	r := open(t)
	r.save(draft(id, 1))
	d := r.onto(draft(id, 1))
	d.Scopes, d.Topics = []string{}, []string{}
	if _, err := r.Save(t.Context(), owner, d); kindOf(err) != "invalid" {
		t.Errorf("Save = %v, want that nothing is different", err)
	}
}

// The same content has the same hash in any entry, and no other has it: a test
// of a connection is bound to it.
func TestContentHash(t *testing.T) {
	r := open(t)
	one, two, other := draft("a:one", 1), draft("a:two", 1), draft("a:three", 2)
	slices.Reverse(two.Values)
	a, b, c := r.save(one), r.save(two), r.save(other)
	if a.ContentHash != b.ContentHash || a.ContentHash == c.ContentHash {
		t.Errorf("hashes %s, %s, %s; want the first two alike", a.ContentHash, b.ContentHash, c.ContentHash)
	}
}

func TestVersionsNewestFirst(t *testing.T) {
	r := open(t)
	for n := range 5 {
		r.save(draft(id, n))
	}
	for _, tt := range []struct {
		before, limit int
		want          []int
	}{{0, 10, []int{5, 4, 3, 2, 1}}, {0, 2, []int{5, 4}}, {4, 2, []int{3, 2}}, {1, 2, nil}, {99, 1, []int{5}}, {-1, 1, []int{5}}, {3, 0, nil}} {
		vs, err := r.Versions(t.Context(), id, tt.before, tt.limit)
		var got []int
		for _, v := range vs {
			got = append(got, v.Number)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Versions(before %d, limit %d) = %v, %v; want %v", tt.before, tt.limit, got, err, tt.want)
		}
	}
	if _, err := r.Versions(t.Context(), "no:entry", 0, 1); kindOf(err) != "not found" {
		t.Errorf("Versions of no entry: %v", err)
	}
	if _, err := r.Version(t.Context(), id, 6); kindOf(err) != "not found" {
		t.Errorf("Version 6 of 5: %v", err)
	}
	if _, err := r.Open(t.Context(), id, 0); kindOf(err) != "not found" {
		t.Errorf("Open version 0: %v", err)
	}
}

func TestDiff(t *testing.T) {
	k := func(name, fp string, hidden bool) config.Key {
		return config.Key{Name: name, Fingerprint: secret.Fingerprint(fp), Secret: hidden}
	}
	a := config.Version{Keys: []config.Key{k("gone", "1", false), k("hidden", "2", false), k("same", "3", true), k("value", "4", true)}, Scopes: []string{"b", "z"}, Topics: []string{"t"}}
	b := config.Version{Keys: []config.Key{k("hidden", "2", true), k("new", "5", false), k("same", "3", true), k("value", "6", true)}, Scopes: []string{"a", "b"}, Topics: []string{"t", "u"}}
	var got []string
	for _, d := range config.Diff(a, b) {
		line := d.Name
		if d.List != "" {
			line = fmt.Sprintf("%s %s added %t", d.List, d.Name, d.Added)
		}
		if d.Before != nil {
			line += fmt.Sprintf(" before %s %t", string(d.Before.Fingerprint), d.Before.Secret)
		}
		if d.After != nil {
			line += fmt.Sprintf(" after %s %t", string(d.After.Fingerprint), d.After.Secret)
		}
		got = append(got, line)
	}
	want := []string{"gone before 1 false", "hidden before 2 false after 2 true", "new after 5 false", "value before 4 true after 6 true",
		"scope a added true", "scope z added false", "topic u added true"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if d := config.Diff(a, a); len(d) != 0 {
		t.Errorf("a version differs from itself: %v", d)
	}
}

// What a fingerprint does not show stands in the event in words, and lists are
// told from keys of the same name.
func TestEventTellsSecrecyKindAndLists(t *testing.T) {
	r := open(t)
	r.save(config.Draft{ID: id, Values: []config.Input{plain("a", "5"), hidden("b", "5"), plain("c", "5"), plain("scope", "1")}, Scopes: []string{"x"}, Topics: []string{"t"}})
	second := r.save(config.Draft{ID: id, Values: []config.Input{hidden("a", "5"), {Key: "b", Value: text("5")}, plain("c", `"5"`), plain("scope", "2")}, Scopes: []string{"y"}, Topics: []string{"t"}})
	e := r.events()[0]
	const wantChanges = "pending version:1>2, a:#>#, b:#>#, c:#>#, scope:#>#, declared scope:x>, declared scope:>y"
	if got := changes(e); got != wantChanges {
		t.Errorf("changes %q", got)
	}
	const wantNote = "Saved as pending. Made from version 1. a is a secret from now on. a was a number and is a text. b is no secret any more. c was a number and is a text."
	if k, _ := second.Key("c"); k.Since != 2 {
		t.Errorf("a value of another kind is said to be as old as version %d", k.Since)
	}
	if e.Note != wantNote {
		t.Errorf("note %q, want %q", e.Note, wantNote)
	}
}

// A meddler lets something happen between the preparation of an Update and its
// transaction, once.
type meddler struct {
	store.Store
	first func()
}

func (m *meddler) Update(ctx context.Context, f func(store.Tx) error) error {
	if first := m.first; first != nil {
		m.first = nil
		first()
	}
	return m.Store.Update(ctx, f)
}

// What was checked before the transaction is checked again in it.
func TestTheTransactionChecksAgain(t *testing.T) {
	promote := func(s *config.Service) error {
		_, err := s.Promote(t.Context(), owner, config.Move{ID: id, Revision: 2, Version: 2})
		return err
	}
	save := func(s *config.Service) error {
		d := draft(id, 9)
		d.Revision, d.Base = 2, 2
		_, err := s.Save(t.Context(), owner, d)
		return err
	}
	for _, tt := range []struct {
		name   string
		do     func(*config.Service) error
		meddle func(*room)
		want   string
	}{
		{"save, saved", save, func(r *room) { r.save(draft(id, 3)) }, "conflict"},
		{"save, deleted", save, func(r *room) { _ = r.perform(act{do: "delete"}, owner, 0) }, "not found"},
		{"save, made anew", save, func(r *room) { _ = r.perform(act{do: "delete"}, owner, 0); r.save(draft(id, 3)) }, "conflict"},
		{"save, number taken", save, func(r *room) {
			r.put("config/entry/"+string(id), strings.Replace(r.dump()["config/entry/"+string(id)], `"next":3`, `"next":4`, 1))
		}, "conflict"},
		{"create, created", func(s *config.Service) error { _, err := s.Save(t.Context(), owner, draft("a:b", 1)); return err },
			func(r *room) { r.save(draft("a:b", 2)) }, "conflict"},
		{"promote, discarded", promote, func(r *room) { _ = r.perform(act{do: "discard", version: 2}, owner, 0) }, "conflict"},
		{"promote, deleted", promote, func(r *room) { _ = r.perform(act{do: "delete"}, owner, 0) }, "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := open(t)
			r.save(draft(id, 1))
			r.save(draft(id, 2))
			var after map[string]string
			definitions, err := catalogue()
			if err != nil {
				t.Fatal(err)
			}
			m := &meddler{Store: r.store, first: func() { tt.meddle(r); after = r.dump() }}
			if err := tt.do(config.New(config.Options{Store: m, Box: r.box, Catalogue: definitions, Now: r.now})); kindOf(err) != tt.want {
				t.Errorf("error %v, want kind %q", err, tt.want)
			}
			r.unchanged(after)
		})
	}
}

// sameRecord reports whether two versions are the same record.
func sameRecord(a, b config.Version) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
