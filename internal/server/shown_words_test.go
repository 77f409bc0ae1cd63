package server

import (
	"testing"
	"time"

	"backoffice/web/templates"
)

// A number takes the plural that its word has.
func TestPlural(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n    int
		word string
		want string
	}{{1, "day", "1 day"}, {30, "day", "30 days"}, {2, "entry", "2 entries"}, {1200, "key", "1,200 keys"}, {0, "topic", "0 topics"}} {
		if got := plural(tt.n, tt.word); got != tt.want {
			t.Errorf("plural(%d, %q) = %q, want %q", tt.n, tt.word, got, tt.want)
		}
	}
}

// A limit has a space before its unit, as every other time on the pages.
func TestSecondsWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{5 * time.Second: "5 s", 500 * time.Millisecond: "500 ms", 1500 * time.Millisecond: "1500 ms"} {
		if got := secondsWords(d); got != want {
			t.Errorf("secondsWords(%s) = %q, want %q", d, got, want)
		}
	}
}

// The overview does not say that all is well above something to look at.
func TestHeading(t *testing.T) {
	t.Parallel()
	works := map[templates.Health]int{templates.HealthWorks: 2}
	for _, tt := range []struct {
		counts    map[templates.Health]int
		attention int
		want      string
	}{
		{works, 0, "Everything works"},
		{works, 1, "Every connection works, but something needs attention"},
		{map[templates.Health]int{templates.HealthWrong: 1, templates.HealthWorks: 1}, 1, "1 connector is broken"},
	} {
		if got, _ := headline(tally{tt.counts, 2, 0, tt.attention}); got != tt.want {
			t.Errorf("%v with %d to look at: %q, want %q", tt.counts, tt.attention, got, tt.want)
		}
	}
}
