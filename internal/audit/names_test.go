package audit_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// longEvent makes the i-th of a long row: most is done, most people and targets
// come again, some names are old or rare.
func longEvent(i int) audit.Event {
	e := audit.Event{Time: start.Add(time.Duration(i) * time.Minute), Actor: audit.Actor{Name: fmt.Sprintf("Person-%d@acme.example", i%7), Addr: fmt.Sprintf("203.0.113.%d", i%9)},
		Action: audit.EntrySaved, Target: fmt.Sprintf("acme-%03d:intercom", i%300), Outcome: audit.Done}
	switch {
	case i%977 == 5:
		e.Actor.Name, e.Actor.Addr = "Müller/%@x.example", "2001:db8::1"
	case i < 800:
		e.Target, e.Action = fmt.Sprintf("old-%03d:slack", i%100), audit.EntryDeleted
	case i >= 3000 && i < 5500:
		e.Outcome = audit.Failed
	}
	return e
}

const longRow = 6000

// In a long log, by whatever way a filter's events are found, they are those of a
// loop over all; a page ends early only where it says so.
func TestLongListAgainstALoop(t *testing.T) {
	t.Parallel()
	s := open(t)
	add := func(from, to int) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for i := from; i < to; i++ {
				if err := audit.Append(tx, longEvent(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(0, longRow)
	filters := map[string]audit.Filter{
		"address": {Addr: "203.0.113.4"}, "rare address": {Addr: "2001:db8::1"}, "no address": {Addr: "192.0.2.1"},
		"done": {Outcome: audit.Done}, "done, before what failed": {Outcome: audit.Done, Before: 5400}, "done by one": {Outcome: audit.Done, Who: "Person-3@acme.example"},
		"text of one person": {Text: "person-3@"}, "of few targets": {Text: "OLD-01"}, "of many names": {Text: "acme"}, "of an end": {Text: "ck"}, "of one letter": {Text: "k"},
		"of letters that are not ASCII": {Text: "MÜLLER/%"}, "of a part of one": {Text: "ü"}, "of an action": {Text: "y.delete"}, "of nothing": {Text: "nobody"},
		"of common parts, but none together": {Text: "00000000"}, "of a person and targets": {Text: "l"},
		"text and outcome": {Text: "old-", Outcome: audit.Done}, "text and time": {Text: "old-", From: start.Add(300 * time.Minute), To: start.Add(400 * time.Minute)},
		"text and address": {Text: "müller", Addr: "2001:db8::1"}, "text in a log": {Text: "intercom", Before: 900},
	}
	compare := func(t *testing.T, pages int) {
		t.Helper()
		for name, f := range filters {
			var want, got []int64
			for n := longRow - 1; n >= 0; n-- {
				e, text := longEvent(n), strings.ToLower(f.Text)
				in := strings.Contains(strings.ToLower(e.Actor.Name), text) || strings.Contains(e.Target, text) || strings.Contains(string(e.Action), text)
				if (f.Who == "" || f.Who == e.Actor.Name) && (f.Addr == "" || f.Addr == e.Actor.Addr) && (f.Outcome == "" || f.Outcome == e.Outcome) && in &&
					(f.From.IsZero() || !e.Time.Before(f.From)) && (f.To.IsZero() || e.Time.Before(f.To)) && (f.Before == 0 || int64(n) < f.Before) {
					want = append(want, int64(n))
				}
			}
			f.Limit = 50
			early := 0
			for {
				p, err := audit.NewLog(s).List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range p.Events {
					got = append(got, e.N)
				}
				if !p.More {
					break
				}
				if len(p.Events) < 50 {
					early++
				}
				f.Before = p.Next
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %d events, want %d\n%v\n%v", name, len(got), len(want), got, want)
			}
			if early > pages {
				t.Errorf("%s: %d pages ended early", name, early)
			}
		}
	}
	compare(t, 1)
	// A log from before addresses and parts of names were indexed, that has grown since.
	for _, prefix := range []string{"audit/by/addr/", "audit/gram/"} {
		for _, k := range keys(t, s, prefix) {
			if !strings.HasPrefix(prefix, "audit/by/") || strings.Compare(k[len(k)-16:], fmt.Sprintf("%016d", 2000)) < 0 {
				put(t, s, k, nil)
			}
		}
	}
	put(t, s, "audit/finer", []byte("5990"))
	compare(t, 1)
}

// A name is filed once, however often it comes, and what cannot match looks at few
// records.
func TestTextLooksAtFew(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s, 64)
	before := len(keys(t, s, "audit/gram/"))
	if want := 3*len("person/0@acme.example") + 5*len("acme:service0"); before != want {
		t.Errorf("%d grams, want %d", before, want)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 640 {
			e := event(i)
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if after := len(keys(t, s, "audit/gram/")); err != nil || after != before {
		t.Errorf("%d grams after events with the same names, before %d; %v", after, before, err)
	}
}
