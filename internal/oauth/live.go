package oauth

import (
	"context"
	"slices"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/errs"
)

// keepLive is how long a finished run can still be watched, and how long a run of
// values that are not saved is known at all.
const keepLive = 15 * time.Minute

// A Progress is how far a diagnosis has come.
type Progress struct {
	Report Report // so far; its Verdict is NotChecked until Done
	Doing  string // the step under way, in words; "" between two
	Done   bool
	Kept   bool  // the report is stored: Service.Report has it
	Err    error // why a finished report could not be kept, as an errs error
}

// A Live is a diagnosis under way, or one that has finished not long ago. It is
// safe for concurrent use.
type Live struct {
	By string // id of the account that started it

	mu       sync.Mutex
	progress Progress
	changed  chan struct{} // closed at the next change
	ended    time.Time
}

// Progress returns how far the run is now. The caller owns what it gets.
func (l *Live) Progress() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.copy()
}

// Next waits until the run has more steps than seen, works on another step than
// doing, or is done, and returns its progress then. It returns early when ctx
// ends.
func (l *Live) Next(ctx context.Context, seen int, doing string) Progress {
	for {
		l.mu.Lock()
		p, changed := l.copy(), l.changed
		l.mu.Unlock()
		if p.Done || len(p.Report.Steps) > seen || p.Doing != doing {
			return p
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p
		}
	}
}

func (l *Live) copy() Progress {
	p := l.progress
	p.Report.Steps = slices.Clone(p.Report.Steps)
	p.Report.Fields = slices.Clone(p.Report.Fields)
	return p
}

func (l *Live) publish(p Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress = p
	l.progress = l.copy()
	close(l.changed)
	l.changed = make(chan struct{})
}

// lives are the runs under way, and those that ended not long ago.
type lives struct {
	mu      sync.Mutex
	runs    map[string]*Live
	entries map[config.ID]string // the run that is under way
	under   sync.WaitGroup
	closed  bool
}

// radarAsks stands for a turn of the radar, which has no report.
const radarAsks = "radar"

// begin makes r watchable, or returns an errs.TooMany: an entry has one run at
// a time.
func (x *lives) begin(r Report, by string, now time.Time) (*Live, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return nil, errs.New(errs.Unavailable, "The program is about to end. Start the test again when it is back.")
	case x.entries[r.Entry] != "":
		return nil, errs.Newf(errs.TooMany, "A test of %s is under way. Wait until it is done: it takes some seconds.", r.Entry)
	}
	if x.runs == nil {
		x.runs, x.entries = map[string]*Live{}, map[config.ID]string{}
	}
	x.sweep(now)
	l := &Live{By: by, changed: make(chan struct{}), progress: Progress{Report: r}}
	x.runs[r.ID], x.entries[r.Entry] = l, r.ID
	x.under.Add(1)
	return l, nil
}

// end lets the next run of the entry begin. A run that never began, because its
// lease was refused, is forgotten; any other still has to say that it is done.
func (x *lives) end(r Report, began bool, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.entries, r.Entry)
	if l := x.runs[r.ID]; l != nil {
		l.mu.Lock()
		l.ended = now
		l.mu.Unlock()
	}
	if !began {
		delete(x.runs, r.ID)
		x.under.Done()
	}
}

func (x *lives) sweep(now time.Time) {
	for id, l := range x.runs {
		l.mu.Lock()
		old := !l.ended.IsZero() && now.Sub(l.ended) > keepLive
		l.mu.Unlock()
		if old {
			delete(x.runs, id)
		}
	}
}

func (x *lives) get(run string, now time.Time) (*Live, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sweep(now)
	l, ok := x.runs[run]
	return l, ok
}

// Live returns the diagnosis with this id, if it is under way or has ended
// within the last quarter of an hour.
func (s *Service) Live(run string) (*Live, bool) { return s.lives.get(run, s.now()) }

// UnderWay returns the id of the entry's diagnosis that is under way, or "".
func (s *Service) UnderWay(id config.ID) string {
	s.lives.mu.Lock()
	defer s.lives.mu.Unlock()
	if run := s.lives.entries[id]; s.lives.runs[run] != nil { // not the radar, which nobody watches
		return run
	}
	return ""
}

// Close stops the diagnoses under way and waits until their reports are kept.
// None begins after that.
func (s *Service) Close() {
	s.lives.mu.Lock()
	s.lives.closed = true
	s.lives.mu.Unlock()
	s.stop()
	s.lives.under.Wait()
}
