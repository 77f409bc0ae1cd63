package audit_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"

	"golang.org/x/mod/sumdb/tlog"
)

var start = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) store.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return storetest.Replay(s)
}

// event makes the i-th of a row of events that differ in everything that can be filtered.
func event(i int) audit.Event {
	actions := audit.Actions()
	outcomes := []audit.Outcome{audit.Done, audit.Done, audit.Failed, audit.Refused}
	return audit.Event{
		Time:    start.Add(time.Duration(i) * time.Hour),
		Actor:   audit.Actor{ID: fmt.Sprint("u", i%3), Name: fmt.Sprintf("person/%d@acme.example", i%3), Addr: "203.0.113.7", RequestID: fmt.Sprint("r", i)},
		Action:  actions[i%len(actions)],
		Target:  fmt.Sprintf("acme:service%d", i%5),
		Version: i,
		Outcome: outcomes[i%len(outcomes)],
		Reason:  "because",
		Changes: []audit.Change{{Key: "clientSecret", Before: "9c41e07b5d2f", After: "3b8fa2d6c914"}},
		Note:    "in words",
	}
}

func fill(t testing.TB, s store.Store, n int) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range n {
			if err := audit.Append(tx, event(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAppendKeepsEverything(t *testing.T) {
	s := open(t)
	fill(t, s, 3)
	leaf, err := audit.NewLog(s).Get(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := event(2)
	want.N = 2
	if !reflect.DeepEqual(leaf.Event, want) || leaf.Size != 3 {
		t.Errorf("got %+v of %d, want %+v of 3", leaf.Event, leaf.Size, want)
	}
}

// The tree is the one that anybody else would compute from the same bytes.
func TestTreeIsTheOneOfTheLeaves(t *testing.T) {
	s := open(t)
	log := audit.NewLog(s)
	var all [][]byte
	for n := range 70 {
		if err := audit.Record(t.Context(), s, event(n)); err != nil {
			t.Fatal(err)
		}
		all = append(all, get(t, s, fmt.Sprintf("audit/event/%016d", n)))
		leaf, err := log.Get(t.Context(), int64(n))
		if err != nil {
			t.Fatal(err)
		}
		if want := rootOf(t, all); leaf.Root != want || leaf.Hash != tlog.RecordHash(all[n]) {
			t.Fatalf("root of %d events is %v, want %v", n+1, leaf.Root, want)
		}
	}
}

// rootOf computes the tree hash of RFC 6962, section 2.1, from its definition.
func rootOf(t *testing.T, leaves [][]byte) tlog.Hash {
	if len(leaves) == 1 {
		return tlog.RecordHash(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(rootOf(t, leaves[:k]), rootOf(t, leaves[k:]))
}

func TestTamperedEventIsFound(t *testing.T) {
	s := open(t)
	fill(t, s, 20)
	key := fmt.Sprintf("audit/event/%016d", 7)
	b := get(t, s, key)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		tx.Put(key, []byte(strings.Replace(string(b), "because", "BECAUSE", 1)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.NewLog(s).Get(t.Context(), 7); err == nil || !strings.Contains(err.Error(), "Event 7 was changed") {
		t.Errorf("a changed event: %v", err)
	}
	if _, err := audit.NewLog(s).Get(t.Context(), 8); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
}

func TestGetOutsideTheLog(t *testing.T) {
	s := open(t)
	fill(t, s, 2)
	for _, n := range []int64{-1, 2, 99} {
		if _, err := audit.NewLog(s).Get(t.Context(), n); !errs.Is(err, errs.NotFound) {
			t.Errorf("Get(%d) = %v, want NotFound", n, err)
		}
	}
}

// Each filter is held against a plain loop over all events, page by page.
func TestListAgainstALoop(t *testing.T) {
	s := open(t)
	const total = 200
	fill(t, s, total)
	log := audit.NewLog(s)
	for name, f := range map[string]audit.Filter{
		"all":              {},
		"who":              {Who: "person/1@acme.example"},
		"nobody":           {Who: "person/9@acme.example"},
		"action":           {Action: audit.EntrySaved},
		"target":           {Target: "acme:service3"},
		"outcome":          {Outcome: audit.Refused},
		"from":             {From: start.Add(50 * time.Hour)},
		"to":               {To: start.Add(50 * time.Hour)},
		"between":          {From: start.Add(50 * time.Hour), To: start.Add(60 * time.Hour)},
		"before":           {Before: 31},
		"who and outcome":  {Who: "person/2@acme.example", Outcome: audit.Failed},
		"all of them":      {Who: "person/2@acme.example", Outcome: audit.Failed, Target: "acme:service0", From: start, To: start.Add(190 * time.Hour), Before: 180},
		"later than all":   {From: start.Add(1000 * time.Hour)},
		"earlier than all": {To: start.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			var want []int64
			for n := total - 1; n >= 0; n-- {
				e := event(n)
				if (f.Who == "" || f.Who == e.Actor.Name) && (f.Action == "" || f.Action == e.Action) && (f.Target == "" || f.Target == e.Target) &&
					(f.Outcome == "" || f.Outcome == e.Outcome) && (f.From.IsZero() || !e.Time.Before(f.From)) && (f.To.IsZero() || e.Time.Before(f.To)) &&
					(f.Before == 0 || int64(n) < f.Before) {
					want = append(want, int64(n))
				}
			}
			var got []int64
			f.Limit = 7
			for {
				p, err := log.List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if p.Total != total || len(p.Events) > 7 {
					t.Fatalf("page of %d events, total %d", len(p.Events), p.Total)
				}
				for _, e := range p.Events {
					got = append(got, e.N)
				}
				if !p.More {
					break
				}
				f.Before = p.Next
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// A log in which each event was indexed when it was written goes on as it is.
func TestLogFromBeforeTheBorder(t *testing.T) {
	s := open(t)
	fill(t, s, 64)
	err := s.Update(t.Context(), func(tx store.Tx) error { tx.Delete("audit/indexed"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := 64; i < 300; i++ {
		f := audit.Filter{Outcome: audit.Failed, Limit: 1000}
		p, err := audit.NewLog(s).List(t.Context(), f)
		if want := (i + 1) / 4; err != nil || len(p.Events) != want || p.More || p.Events[0].N != int64(4*want-2) {
			t.Fatalf("of %d events %d failed: %d, %v", i, want, len(p.Events), err)
		}
		if err := audit.Record(t.Context(), s, event(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// Invariant 1, at its root: what cannot be recorded does not happen.
func TestNothingIsAppendedToADamagedLog(t *testing.T) {
	for name, size := range map[string]string{"no number": "many", "negative": "-1", "hashes missing": "5"} {
		s := open(t)
		if err := s.Update(t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte(size)); return nil }); err != nil {
			t.Fatal(err)
		}
		err := s.Update(t.Context(), func(tx store.Tx) error {
			tx.Put("change", []byte("made"))
			return audit.Append(tx, event(0))
		})
		if err == nil {
			t.Errorf("%s: appended", name)
		}
		if err := s.View(t.Context(), func(r store.Reader) error { _, err := r.Get("change"); return err }); err == nil {
			t.Errorf("%s: the change was kept without its record", name)
		}
	}
}

func TestAppendRefusesWhatCannotBeFound(t *testing.T) {
	for name, broken := range map[string]func(*audit.Event){
		"action":  func(e *audit.Event) { e.Action = "made.up" },
		"outcome": func(e *audit.Event) { e.Outcome = "" },
		"time":    func(e *audit.Event) { e.Time = time.Time{} },
	} {
		s, e := open(t), event(0)
		broken(&e)
		if err := audit.Record(t.Context(), s, e); err == nil {
			t.Errorf("an event with a bad %s was recorded", name)
		}
	}
}

func TestEveryActionHasATitle(t *testing.T) {
	if len(audit.Actions()) < 16 {
		t.Fatalf("only %d actions", len(audit.Actions()))
	}
	for _, a := range audit.Actions() {
		if a.Title() == "" {
			t.Errorf("%s has no title", a)
		}
	}
	if _, err := audit.ParseOutcome("fine"); err == nil {
		t.Error("an unknown outcome was accepted")
	}
}

func get(t *testing.T, s store.Store, key string) (b []byte) {
	t.Helper()
	err := s.View(context.Background(), func(r store.Reader) (err error) { b, err = r.Get(key); return err })
	if err != nil {
		t.Fatal(err)
	}
	return b
}
