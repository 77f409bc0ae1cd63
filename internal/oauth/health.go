package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

// StaleAfter is how long a good test of unchanged content counts.
const StaleAfter = 30 * 24 * time.Hour

// A Standing is how a version stands, from the runs that tested it.
type Standing int

// The standings. The zero one is NotTested.
const (
	NotTested Standing = iota // no run has tested its content
	Works                     // the last one proved the credentials, and not long ago; Last.Verdict may be Warning
	Broken                    // the last one was Wrong
	Undecided                 // the last one was Inconclusive
	Stale                     // the last good one is too old, or only an earlier version was tested
)

var standings = names{"not-tested", "works", "wrong", "inconclusive", "stale"}

func (s Standing) String() string { return standings.name(int(s)) }

// MarshalText refuses a standing that does not exist.
func (s Standing) MarshalText() ([]byte, error) { return standings.text(int(s)) }

// UnmarshalText refuses unknown text.
func (s *Standing) UnmarshalText(text []byte) (err error) {
	*s, err = parse[Standing](standings, text)
	return err
}

// A Health is how an entry stands. Pending is NotTested if nothing is pending.
type Health struct {
	Current Check
	Pending Check
}

// A Check is a standing with the run that it comes from, which is the zero
// Summary for NotTested.
type Check struct {
	Standing Standing
	Last     Summary
	Other    bool    // Last tested an earlier version, with other content: it says nothing about this one
	Radar    bool    // the radar said so: Last is no test, and has no report
	Before   Summary // the last test then; the zero Summary unless Radar
}

// tells reports whether a run says anything about an entry's health: a pasted
// token proves nothing about the credentials, and a person who denies nothing at
// all.
func tells(s Summary) bool { return s.Kind != TokenRun && !s.Denied }

// weak reports whether a run takes nothing from what an earlier one of the same
// content has shown: a test without consent that could not decide. See yields.
func weak(s Summary) bool { return s.Kind == Diagnosis && s.Verdict == Inconclusive }

// yields reports whether what a run found gives way to an earlier one that did
// decide: unless that was wrong, and now the credentials are found good.
func yields(s, earlier Summary) bool {
	return weak(s) && !weak(earlier) && !(earlier.Verdict == Wrong && s.Credentials() == OK)
}

// HealthOf judges the entry from the summaries of its runs, newest first. It is
// pure. A run counts for every version with the content that it tested.
func HealthOf(e config.Entry, runs []Summary, now time.Time) Health {
	return Health{Current: check(e.Current, e.CurrentHash, before(e), runs, now), Pending: check(e.Pending, e.PendingHash, never, runs, now)}
}

// check judges one version. What is in force is Stale if only versions before it
// were tested, and NotTested if none was; what is pending is then NotTested, as
// it was never tried.
func check(version int, hash string, earlier func(Summary) bool, runs []Summary, now time.Time) Check {
	if version == 0 {
		return Check{}
	}
	var out Check
	undecided := false
	for _, s := range runs {
		switch {
		case !tells(s):
		case s.ContentHash == hash && !undecided && weak(s):
			out, undecided = Check{Standing: stands(s, now), Last: s}, true
		case s.ContentHash == hash && weak(s):
		case s.ContentHash == hash && undecided && !yields(out.Last, s):
			return out
		case s.ContentHash == hash:
			return Check{Standing: stands(s, now), Last: s}
		case undecided:
		case out.Standing == NotTested && earlier(s):
			out = Check{Standing: Stale, Last: s, Other: true}
		}
	}
	return out
}

// before reports whether s tested what can have been in force before the version
// that is: one with a lower number, or the one that a roll-back replaced. What is
// pending was not.
func before(e config.Entry) func(Summary) bool {
	return func(s Summary) bool {
		return s.Version != e.Pending && (s.Version < e.Current || s.Version == e.Previous)
	}
}

func never(Summary) bool { return false }

// Proven reports whether exactly this content of an entry works, by the last of its
// tests that decided, and was tested not long ago. What the radar saw does not count:
// it is about what is in force.
func Proven(r store.Getter, id config.ID, hash string, now time.Time) (bool, error) {
	runs, err := standing.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && check(1, hash, never, runs, now).Standing == Works, err
}

// stands is the standing that the run gives to the content that it tested. Only
// a good one grows old: what was wrong stays wrong until somebody looks again.
func stands(s Summary, now time.Time) Standing {
	switch {
	case s.Verdict == Wrong:
		return Broken
	case s.Verdict != OK && s.Verdict != Warning:
		return Undecided
	case now.Sub(s.Started) > StaleAfter:
		return Stale
	}
	return Works
}

// A healthIndex keeps the health of all entries for as long as neither the
// reports nor the entries change and nothing grows stale.
type healthIndex struct {
	mu         sync.Mutex
	filled     bool
	generation int64
	runs       map[config.ID][]Summary
	radar      *radarIndex
	wrong      map[config.ID]radarRecord // the radar's records that say so
	entries    []config.Entry
	until      time.Time
	healths    map[config.ID]Health
}

// Health returns the health of every entry that has been tested; for all others
// it is the zero Health. The map is shared: it must not be changed. It is as new
// as the last commit before the call.
func (s *Service) Health(ctx context.Context) (map[config.ID]Health, error) {
	entries, err := s.config.All(ctx)
	if err != nil {
		return nil, err
	}
	return s.HealthOfAll(ctx, entries)
}

// HealthOfAll is Health for a caller that has what config.All returned.
func (s *Service) HealthOfAll(ctx context.Context, entries []config.Entry) (map[config.ID]Health, error) {
	var out map[config.ID]Health
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		out, err = s.index.get(r, entries, s.now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the health of the entries: %w", err)
	}
	return out, nil
}

// Generation rises with every report that is kept or deleted: for as long as it is
// the same, so are all reports.
func (s *Service) Generation(ctx context.Context) (n int64, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		n, err = readGeneration(r)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the generation of the reports: %w", err)
	}
	return n, nil
}

func (x *healthIndex) get(r store.Reader, entries []config.Entry, now time.Time) (map[config.ID]Health, error) {
	generation, err := readGeneration(r)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	fresh := !x.filled || x.generation != generation
	if fresh {
		if err := x.read(r); err != nil {
			return nil, err
		}
		x.filled, x.generation = true, generation
	}
	if fresh || !sameSlice(x.entries, entries) || !now.Before(x.until) {
		x.judge(entries, now)
	}
	return x.healths, nil
}

func (x *healthIndex) read(r store.Reader) error {
	all, err := standing.Scan(r, store.Range{})
	if err != nil {
		return err
	}
	x.runs = make(map[config.ID][]Summary, len(all))
	for _, rec := range all {
		x.runs[config.ID(rec.ID)] = rec.Value
	}
	return x.readRadar(r)
}

// judge fills healths, and until with the time at which the next of them grows
// stale.
func (x *healthIndex) judge(entries []config.Entry, now time.Time) {
	x.entries, x.healths = entries, make(map[config.ID]Health, len(x.runs))
	x.until = now.Add(StaleAfter)
	for _, e := range entries {
		runs := x.runs[e.ID]
		if len(runs) == 0 {
			continue
		}
		h := HealthOf(e, runs, now)
		if rec, ok := x.wrong[e.ID]; ok {
			h.Current = rec.overlay(h.Current, e)
		}
		x.healths[e.ID] = h
		for _, c := range []Check{h.Current, h.Pending} {
			if turns := c.Last.Started.Add(StaleAfter + 1); c.Standing == Works && turns.Before(x.until) {
				x.until = turns
			}
		}
	}
}

// sameSlice tells whether config.All gave the slice that it gave before: it is
// the same one for as long as no entry changes, and x.entries keeps its memory
// from being used for another.
func sameSlice(a, b []config.Entry) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
