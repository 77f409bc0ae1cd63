package audit_test

import (
	"fmt"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
)

// The buckets have every event once, exactly where the filter names nobody; else
// what was not looked at is estimated, and near.
func TestActivity(t *testing.T) {
	t.Parallel()
	s := open(t)
	log, began := audit.NewLog(s), time.Date(2026, 9, 1, 0, 30, 0, 0, time.UTC)
	if got, err := log.Activity(t.Context(), audit.Filter{}); err != nil || len(got) != 0 {
		t.Fatalf("an empty log: %v, %v", got, err)
	}
	const many = 10_000 // one a minute: a week
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range many {
			e := audit.Event{Time: began.Add(time.Duration(i) * time.Minute), Actor: audit.Actor{Name: fmt.Sprintf("p%d@acme.example", i%4), Addr: fmt.Sprint("203.0.113.", i%2)},
				Action: audit.EntrySaved, Target: fmt.Sprintf("acme:s%d", i/5000), Outcome: audit.Done}
			if i%1000 == 0 {
				e.Outcome = audit.Refused
			}
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	day := began.Truncate(24 * time.Hour)
	for _, tt := range []struct {
		name            string
		f               audit.Filter
		buckets         int
		step            time.Duration // of the second bucket
		events, between int64
		about           bool
	}{
		{"everything", audit.Filter{}, 56, 3 * time.Hour, many, 0, false},
		{"an hour", audit.Filter{From: day.Add(24 * time.Hour), To: day.Add(25 * time.Hour)}, 60, time.Minute, 60, 0, false},
		{"from the middle of a bucket", audit.Filter{From: day.Add(24*time.Hour + 10*time.Minute), To: day.Add(34 * time.Hour)}, 40, 15 * time.Minute, 590, 0, false},
		{"before anything", audit.Filter{To: day}, 0, 0, 0, 0, false},
		{"few", audit.Filter{Outcome: audit.Refused}, 56, 3 * time.Hour, 10, 0, false},
		{"a person", audit.Filter{Who: "p1@acme.example"}, 56, 3 * time.Hour, many / 4, 0, false},
		{"an address", audit.Filter{Addr: "203.0.113.1"}, 56, 3 * time.Hour, many / 2, 0, false},
		{"a target, half of the time", audit.Filter{Target: "acme:s0"}, 56, 3 * time.Hour, many / 2, 0, false},
		{"done", audit.Filter{Outcome: audit.Done}, 56, 3 * time.Hour, many - 10, 0, false},
		{"a text that one name has", audit.Filter{Text: "P1@"}, 56, 3 * time.Hour, many / 4, 0, false},
		{"a text that no name has", audit.Filter{Text: "zzz"}, 56, 3 * time.Hour, 0, 0, false},
		{"two names together", audit.Filter{Who: "p1@acme.example", Addr: "203.0.113.1"}, 56, 3 * time.Hour, many / 4, 0, true},
		{"a text and an outcome", audit.Filter{Text: "p1@", Outcome: audit.Done}, 56, 3 * time.Hour, many / 4, many / 16, true},
		{"a text of people and targets", audit.Filter{Text: "acme"}, 56, 3 * time.Hour, many, 0, true},
		{"two that never meet", audit.Filter{Target: "acme:s0", Who: "nobody"}, 56, 3 * time.Hour, 0, 0, true},
	} {
		got, err := log.Activity(t.Context(), tt.f)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		about := false
		for i, b := range got {
			sum, about = sum+b.Events, about || b.About
			if i > 0 && !b.From.Equal(got[i-1].To) {
				t.Errorf("%s: bucket %d begins at %s, the one before ends at %s", tt.name, i, b.From, got[i-1].To)
			}
		}
		step := time.Duration(0)
		if len(got) > 1 {
			step = got[1].To.Sub(got[1].From)
		}
		if len(got) != tt.buckets || step != tt.step || sum < tt.events-tt.between || sum > tt.events+tt.between || about != tt.about {
			t.Errorf("%s: %d buckets of %s with %d events, about %v; want %d of %s with %d±%d, %v", tt.name, len(got), step, sum, about, tt.buckets, tt.step, tt.events, tt.between, tt.about)
		}
	}
}
