package audit

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

// A clock that goes back an hour hides no event from who looks for a time, and gives
// no number twice.
func TestClockGoesBack(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	now, n := began, 0
	var times []time.Time
	minutes := func(count int) {
		t.Helper()
		err := db.Update(t.Context(), func(tx store.Tx) error {
			for range count {
				if err := Append(tx, Event{Time: now, Actor: Actor{Name: "ada@acme.example"}, Action: EntrySaved, Target: fmt.Sprintf("acme:%d", n), Outcome: Done}); err != nil {
					return err
				}
				times, now, n = append(times, now), now.Add(time.Minute), n+1
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	minutes(120)
	now = now.Add(-time.Hour)
	minutes(30)
	now = now.Add(-time.Hour) // once more, before it has caught up
	minutes(200)
	log := NewLog(db)
	for from := began.Add(-10 * time.Minute); from.Before(began.Add(5 * time.Hour)); from = from.Add(7 * time.Minute) {
		to := from.Add(13 * time.Minute)
		for _, f := range []Filter{{From: from, To: to}, {From: from}, {To: to}, {From: from, To: to, Who: "ada@acme.example"}} {
			f.Limit = 1000
			want := 0
			for _, at := range times {
				if (f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || at.Before(f.To)) {
					want++
				}
			}
			page, err := log.List(t.Context(), f)
			if err != nil || len(page.Events) != want {
				t.Errorf("from %s to %s: %d events, %v; want %d", f.From, f.To, len(page.Events), err, want)
			}
			for i := 1; i < len(page.Events); i++ {
				if page.Events[i].N >= page.Events[i-1].N {
					t.Errorf("event %d is behind %d", page.Events[i].N, page.Events[i-1].N)
				}
			}
		}
	}
	if size, err := log.Size(t.Context()); err != nil || size != int64(n) {
		t.Errorf("%d events, %v; want %d", size, err, n)
	}
}
