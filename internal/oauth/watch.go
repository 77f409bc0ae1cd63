package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
)

// A watch over a promotion (config.Watch) is kept by tests without consent: one
// right away, and three more until its time is over. One that proves the client
// secret wrong puts the version before back in force. Nothing else does: what is
// not decided changes nothing.

// watchName is who these tests, and what follows from them, are by.
const watchName = "automatic revert"

const (
	// watchChecks is how many tests a watch makes.
	watchChecks = 4
	// watchHold is how long a watch waits after a test that could not begin.
	watchHold = 10 * time.Second
)

// watching is what the program itself remembers of the watches.
type watching struct {
	sweep sync.Mutex // held by the one sweep that is under way
	held  map[config.ID]time.Time
}

// WatchOff says in a sentence why promotions cannot be watched now, or "": the
// tests of a watch are unattended, as the radar's are.
func (s *Service) WatchOff(ctx context.Context) (string, error) {
	if s.radar.off {
		return "The operator wants nothing sent unattended (--radar off), so no check runs by itself.", nil
	}
	v, err := s.radarRecords(ctx)
	if err != nil || !v.pause.Paused {
		return "", err
	}
	return "The radar is paused, so no check runs by itself.", nil
}

// WatchSweep goes on with every watch: it begins the test that is due, goes back
// if one has proven the secret wrong, and ends the watch whose time is over. It
// waits for no test. Call it every few seconds; a call while another is under way
// does nothing. After a restart it goes on where the records say.
func (s *Service) WatchSweep(ctx context.Context) error {
	if !s.watching.sweep.TryLock() {
		return nil
	}
	defer s.watching.sweep.Unlock()
	all, err := s.config.Watches(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, w := range all {
		if !w.On() {
			continue
		}
		err := s.watchOne(ctx, w)
		if errs.Is(err, errs.Conflict) || errs.Is(err, errs.NotFound) {
			continue // somebody was faster: the next sweep sees what is so now
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("watching %s: %w", w.Entry, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Service) watchOne(ctx context.Context, w config.Watch) error {
	by := audit.Actor{Name: watchName}
	e, err := s.config.Get(ctx, w.Entry)
	if err != nil {
		return err
	}
	if e.Revision != w.Revision {
		return s.config.EndWatch(ctx, by, w, config.WatchOvertaken, fmt.Sprintf("The entry was changed by %s, so version %d does not come back by itself any more.", cmp.Or(e.TouchedBy, e.ChangedBy), w.Before), "")
	}
	runs, err := s.Reports(ctx, w.Entry)
	if err != nil {
		return err
	}
	seen := watched(w, runs)
	if seen.wrong.ID != "" {
		_, err := s.config.Revert(ctx, by, w, fmt.Sprintf("The check proved the client secret of version %d wrong: %s.", w.Version, seen.wrong.Headline), seen.wrong.ID)
		return err
	}
	if s.UnderWay(w.Entry) != "" {
		return nil // it may be the one that decides, also when the time is over by then
	}
	now := s.now()
	if !now.Before(w.Until) {
		end, found := seen.end(w)
		return s.config.EndWatch(ctx, by, w, end, found, seen.right.ID)
	}
	return s.watchCheck(ctx, by, w, seen, now)
}

// watchCheck begins the test that is due, if it may begin.
func (s *Service) watchCheck(ctx context.Context, by audit.Actor, w config.Watch, seen checks, now time.Time) error {
	due := w.Since.Add(w.Until.Sub(w.Since) / watchChecks * time.Duration(seen.own))
	if seen.own >= watchChecks || now.Before(due) || now.Before(s.watching.held[w.Entry]) {
		return nil
	}
	if off, err := s.WatchOff(ctx); err != nil || off != "" {
		return err
	}
	_, err := s.Diagnose(ctx, by, w.Entry, w.Version)
	switch {
	case errs.Is(err, errs.TooMany), errs.Is(err, errs.Unavailable):
		s.watching.hold(w.Entry, later(errs.Until(err), now.Add(watchHold)))
		return nil
	case errs.Is(err, errs.Invalid):
		return s.config.EndWatch(ctx, by, w, config.WatchUndecided, "The version cannot be tested without consent, so nothing was decided and it stays in force.", "")
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hold is for the sweep alone.
func (x *watching) hold(id config.ID, until time.Time) {
	if x.held == nil {
		x.held = map[config.ID]time.Time{}
	}
	x.held[id] = until
}

// checks are the tests of a watch: those without consent that began in its time,
// with the content that was promoted, whoever started them.
type checks struct {
	all, own     int     // own are those that the watch started
	wrong, right Summary // the newest that proved the secret wrong, and right; the zero Summary if none did
}

func watched(w config.Watch, runs []Summary) (out checks) {
	for _, r := range runs {
		if r.Kind != Diagnosis || r.Unsaved || r.ContentHash != w.Hash || r.Started.Before(w.Since) || !r.Started.Before(w.Until) {
			continue
		}
		out.all++
		if r.By == watchName {
			out.own++
		}
		for _, f := range r.Fields {
			switch {
			case f.Field != ClientSecret:
			case f.Verdict == Wrong && out.wrong.ID == "":
				out.wrong = r
			case f.Verdict == OK && out.right.ID == "":
				out.right = r
			}
		}
	}
	return out
}

// end is how the watch ends when its time is over and nothing was wrong.
func (c checks) end(w config.Watch) (config.WatchEnd, string) {
	switch {
	case c.right.ID != "":
		return config.WatchWorks, fmt.Sprintf("%s, and the client secret of version %d was found right.", checked(c.all), w.Version)
	case c.all == 0:
		return config.WatchUndecided, fmt.Sprintf("No check could be made in time, so nothing is decided and version %d stays in force.", w.Version)
	}
	return config.WatchUndecided, fmt.Sprintf("%s, and none could decide. Version %d stays in force.", checked(c.all), w.Version)
}

func checked(n int) string {
	if n == 1 {
		return "One check was made"
	}
	return fmt.Sprintf("%d checks were made", n)
}

// A Watched is how far a watch has come.
type Watched struct {
	Checks int
	Last   Summary // the newest that decided about the secret; the zero Summary if none did
}

// Watched returns what the tests of a watch have shown so far.
func (s *Service) Watched(ctx context.Context, w config.Watch) (Watched, error) {
	runs, err := s.Reports(ctx, w.Entry)
	if err != nil {
		return Watched{}, err
	}
	c := watched(w, runs)
	last := c.right
	if c.wrong.Started.After(last.Started) {
		last = c.wrong
	}
	return Watched{c.all, last}, nil
}
