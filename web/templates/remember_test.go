package templates

import (
	"bytes"
	"sync"
	"testing"

	"github.com/a-h/templ"
)

// What is remembered is what would have been drawn.
func TestRememberedIsTheSame(t *testing.T) {
	for range 2 { // the first time draws, the second remembers
		for _, h := range Healths() {
			if got, want := draw(t, verdict(h)), draw(t, verdictMarkup(h)); !bytes.Equal(got, want) {
				t.Errorf("verdict of %v is %s, want %s", h, got, want)
			}
			if got, want := draw(t, softVerdict(h)), draw(t, softMarkup(h)); !bytes.Equal(got, want) {
				t.Errorf("soft verdict of %v is %s, want %s", h, got, want)
			}
		}
		for v := range verdicts {
			if got, want := draw(t, softVerdict(Verdict(v))), draw(t, softMarkup(Verdict(v))); !bytes.Equal(got, want) {
				t.Errorf("soft verdict of %v is %s, want %s", Verdict(v), got, want)
			}
		}
		if got, want := draw(t, icon("plus")), draw(t, iconMarkup("plus")); !bytes.Equal(got, want) {
			t.Errorf("the icon is %s, want %s", got, want)
		}
	}
}

// A word from outside is never kept: it would be shown to everybody, and the
// memory would grow.
func TestWordsOfTheirOwnAreNotRemembered(t *testing.T) {
	size := func() int { return len(healthMarkups.seen) + len(resultMarkups.seen) }
	draw(t, verdict(VerdictWrong))
	before := size()
	for _, word := range []string{"Refused now", "Missing"} {
		if got := draw(t, verdict(in(VerdictWrong, word))); !bytes.Contains(got, []byte(word)) {
			t.Errorf("%q is drawn as %s", word, got)
		}
	}
	draw(t, verdict(Verdict(99)))
	draw(t, softVerdict(Health(99)))
	if after := size(); after != before {
		t.Errorf("%d statuses are remembered, %d before", after, before)
	}
}

func TestRememberFromManySides(t *testing.T) {
	var m memory[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				m.remember(i%5, func() templ.Component { return drawn("x") })
			}
		})
	}
	wg.Wait()
	if len(m.seen) != 5 {
		t.Errorf("%d are remembered, want 5", len(m.seen))
	}
}
