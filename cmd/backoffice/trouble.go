package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/store/bolt"

	"golang.org/x/time/rate"
)

const (
	examineEvery = 2 * time.Second  // how soon a trouble is over when its cause is
	walkSpeed    = 64 << 20         // bytes a second: a walk takes little of the disk
	clockEvery   = 10 * time.Second // how soon a clock that went back is noticed
	clockSlack   = time.Minute      // by which it may: an event has its time from before its number
	clockShown   = 24 * time.Hour   // how long pages tell of it
)

// A steward looks after what the program stands on: the data file, the key file and
// the clock. It is safe for concurrent use.
type steward struct {
	db  *bolt.DB
	log *slog.Logger
	key string // path of the key file; "" if the key is in the environment

	mu    sync.Mutex
	clock clockCheck
	noKey string // what is wrong with the key file
}

// ready is why the program cannot do all of its work, in words for people, or nil.
func (s *steward) ready() error {
	if t := s.db.Trouble(); t != nil {
		return errs.Wrap(errs.Unavailable, t.Words(), t)
	}
	_, _, err := installation(context.Background(), s.db)
	return err
}

// trouble is what everybody who is signed in is told on every page.
func (s *steward) trouble() string {
	if t := s.db.Trouble(); t != nil {
		return t.Words()
	}
	return ""
}

// notes are what those are told who look after the instance.
func (s *steward) notes() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if words := s.clock.words(time.Now()); words != "" {
		out = append(out, words)
	}
	if s.noKey != "" {
		out = append(out, s.noKey)
	}
	return out
}

// watch looks every few seconds until ctx ends.
func (s *steward) watch(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.walks(ctx) })
	all.Go(func() { s.clocks(ctx) })
	tick := time.NewTicker(examineEvery)
	defer tick.Stop()
	for said := (*bolt.Trouble)(nil); ; {
		s.db.Examine(ctx)
		said = s.tell(said, s.db.Trouble())
		s.lookForKey()
		select {
		case <-ctx.Done():
			all.Wait()
			return
		case <-tick.C:
		}
	}
}

// tell writes a change of the trouble to the log.
func (s *steward) tell(before, now *bolt.Trouble) *bolt.Trouble {
	switch {
	case now == nil && before != nil:
		s.log.Info("the data file can be written to again", "since", before.Since)
	case now != nil && (before == nil || before.Kind != now.Kind):
		s.log.Error("ALARM: "+now.Words(), "error", now.Err)
	}
	return now
}

// walks reads the whole data file at start and once a day.
func (s *steward) walks(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	pace := rate.NewLimiter(walkSpeed, walkSpeed)
	for {
		began := time.Now()
		err := s.db.Walk(ctx, func(ctx context.Context, read int) error {
			s.db.Rest()
			return pace.WaitN(ctx, min(read, walkSpeed))
		})
		s.db.Rest()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("reading the whole data file", "error", err)
		default:
			s.log.Info("the data file was read, and every page is where it belongs", "took", time.Since(began).Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookForKey notices that the next start would fail.
func (s *steward) lookForKey() {
	if s.key == "" {
		return
	}
	words := ""
	info, err := os.Stat(s.key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		words = "The key file is not where it was. The program has the key in memory and goes on, but it will not start again without it: put back your copy."
	case err != nil:
		words = "The key file cannot be read any more. The program has the key in memory and goes on, but it may not start again."
	case info.Mode().Perm()&0o077 != 0:
		words = "The key file may be read by others. Run chmod 600 on it: the program will not start again before."
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if words != s.noKey && words != "" {
		s.log.Warn(words, "file", s.key, "error", err)
	}
	s.noKey = words
}

// A clockCheck compares the clock of the machine with one that cannot go back.
type clockCheck struct {
	wall time.Time     // what the clock said last
	back time.Duration // by which it went back last
	when time.Time     // when that was noticed
}

// note takes the time of now, with the monotonic time that passed since the last
// call, and returns by how much the clock went back since.
func (c *clockCheck) note(wall time.Time, passed time.Duration) time.Duration {
	before := c.wall
	c.wall = wall
	if before.IsZero() {
		return 0
	}
	back := before.Add(passed).Sub(wall)
	if back < clockSlack {
		return 0
	}
	c.back, c.when = back.Round(time.Second), wall
	return c.back
}

// words tell of a clock that went back lately.
func (c *clockCheck) words(now time.Time) string {
	if c.back == 0 || now.Sub(c.when) > clockShown {
		return ""
	}
	return "The clock of this machine went back by " + c.back.String() + ". Times of before are ahead of those of now; the order of the audit log is that of its numbers. Sessions and waits may last that much longer. Have the clock kept by NTP."
}

// clocks notices when the clock of the machine goes back, while the program runs or
// since the last event was written.
func (s *steward) clocks(ctx context.Context) {
	if last, err := lastTime(ctx, s.db); err == nil && !last.IsZero() {
		now := time.Now().Round(0)
		s.mu.Lock()
		s.clock.wall = last
		back := s.clock.note(now, 0)
		s.mu.Unlock()
		s.wentBack(ctx, back, now)
	}
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		now := time.Now()
		s.mu.Lock()
		back := s.clock.note(now.Round(0), now.Sub(last)) // Round takes the monotonic reading off
		s.mu.Unlock()
		last = now
		s.wentBack(ctx, back, now)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// wentBack puts it on record, so that whoever reads the log knows why its times are
// not in order.
func (s *steward) wentBack(ctx context.Context, back time.Duration, now time.Time) {
	if back == 0 {
		return
	}
	s.log.Warn("the clock of this machine went back", "by", back)
	e := audit.Event{Time: now, Actor: audit.Actor{Name: "clock"}, Action: audit.ClockWentBack, Outcome: audit.Done, Note: "By " + back.String() + ". Events before this one may have later times."}
	if err := audit.Record(ctx, s.db, e); err != nil && ctx.Err() == nil {
		s.log.Error("recording that the clock went back", "error", err)
	}
}

// lastTime is the time of the last event; zero if there is none.
func lastTime(ctx context.Context, db *bolt.DB) (time.Time, error) {
	p, err := audit.NewLog(db).List(ctx, audit.Filter{Limit: 1})
	if err != nil || len(p.Events) == 0 {
		return time.Time{}, err
	}
	return p.Events[0].Time, nil
}
