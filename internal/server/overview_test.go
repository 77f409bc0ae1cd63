package server

import (
	"slices"
	"testing"

	"backoffice/web/templates"
)

// However many entries nobody has tested, those that do harm come first, and in
// the order of their ids among themselves.
func TestMostHarmFirst(t *testing.T) {
	var rows []templates.AttentionRow
	for range 8 {
		rows = append(rows, templates.AttentionRow{ID: "a:untested", Status: templates.HealthNotTested})
	}
	rows = append(rows, templates.AttentionRow{ID: "m:stale", Status: templates.HealthStale}, templates.AttentionRow{ID: "n:wrong", Status: templates.HealthWrong},
		templates.AttentionRow{ID: "o:undecided", Status: templates.HealthInconclusive}, templates.AttentionRow{ID: "p:wrong", Status: templates.HealthWrong})
	if n := sameStatus(rows, templates.HealthWrong); n != 2 {
		t.Errorf("%d rows are counted as wrong, want 2", n)
	}
	var got []string
	for _, r := range mostHarm(rows) {
		got = append(got, r.ID)
	}
	want := []string{"n:wrong", "p:wrong", "o:undecided", "m:stale", "a:untested", "a:untested", "a:untested", "a:untested"}
	if !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
}
