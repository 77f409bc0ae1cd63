package oauth

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/store"
)

// A RadarState is how an entry in force stands with the radar.
type RadarState int

// The states.
const (
	RadarWaits        RadarState = iota // it was not asked since its last change or test
	RadarOK                             // the last run found no change
	RadarWrong                          // it saw the entry refused, and nothing has said otherwise since
	RadarOpen                           // the last run could not decide
	RadarUncalibrated                   // Test connection has to prove client ID and secret once
	RadarUntestable                     // the version in force cannot be tested as it is
)

// A RadarEntry is an entry as the radar sees it.
type RadarEntry struct {
	ID    config.ID
	State RadarState
	Why   RadarReason
	Last  time.Time // of the last run that sent something; zero if there was none
	Since time.Time // of RadarWrong: when it was seen first
	Due   time.Time // the next turn; zero if it has none yet

	Paused bool // the radar as a whole
}

// A RadarView is the radar as a whole.
type RadarView struct {
	Off      bool // by the operator; then nobody can switch it on here
	Paused   bool
	PausedBy string
	PausedAt time.Time
	Last     time.Time // the last call of all
	Next     time.Time // the next turn of all
	Counts   map[RadarState]int
	Wrong    []RadarEntry // in the order of their ids
}

// RadarCounts are how many runs ended with each verdict since the program
// started, and how often one changed to each.
type RadarCounts struct{ Runs, Turns map[Verdict]uint64 }

// RadarCounts returns the counts of now. The caller owns them.
func (s *Service) RadarCounts() RadarCounts {
	s.radar.mu.Lock()
	defer s.radar.mu.Unlock()
	return RadarCounts{maps.Clone(s.radar.runs), maps.Clone(s.radar.turns)}
}

// A radarIndex keeps the records decoded until one of them changes.
type radarIndex struct {
	mu         sync.Mutex
	filled     bool
	generation int64
	records    map[config.ID]radarRecord
}

// radarRecords are the records of the radar at one moment. They are shared: they
// must not be changed.
type radarRecords struct {
	records map[config.ID]radarRecord
	pause   radarPause
}

func (s *Service) radarRecords(ctx context.Context) (out radarRecords, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		if out.pause, err = getRadarPause(r); err != nil {
			return err
		}
		out.records, err = s.radar.index.get(r)
		return err
	})
	if err != nil {
		return radarRecords{}, fmt.Errorf("reading the radar: %w", err)
	}
	return out, nil
}

func (x *radarIndex) get(r store.Reader) (map[config.ID]radarRecord, error) {
	generation, err := readCounter(r, radarGeneration)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.filled && x.generation >= generation {
		return x.records, nil
	}
	all, err := radars.Scan(r, store.Range{})
	if err != nil {
		return nil, err
	}
	records := make(map[config.ID]radarRecord, len(all))
	for _, rec := range all {
		records[config.ID(rec.ID)] = rec.Value
	}
	x.filled, x.generation, x.records = true, generation, records
	return records, nil
}

// readRadar keeps the records that say Wrong: no other changes a health.
func (x *healthIndex) readRadar(r store.Reader) error {
	all, err := x.radar.get(r)
	if err != nil {
		return err
	}
	x.wrong = map[config.ID]radarRecord{}
	for id, rec := range all {
		if rec.Verdict == Wrong {
			x.wrong[id] = rec
		}
	}
	return nil
}

// A radarSeen keeps the view until what it was made from changes: with 10,000
// entries it is not counted anew for each page.
type radarSeen struct {
	mu      sync.Mutex
	entries []config.Entry
	healths map[config.ID]Health
	records map[config.ID]radarRecord
	view    RadarView
}

func (x *radarSeen) get(entries []config.Entry, healths map[config.ID]Health, records map[config.ID]radarRecord, count func() RadarView) RadarView {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.records == nil || !sameSlice(x.entries, entries) || !sameMap(x.healths, healths) || !sameMap(x.records, records) {
		x.entries, x.healths, x.records, x.view = entries, healths, records, count()
	}
	return x.view
}

// sameMap tells whether two maps are one.
func sameMap[M any](a, b M) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }

// Radar returns the radar as a whole, over the entries and healths that
// config.All and HealthOfAll returned. Counts and Wrong are shared: they must not
// be changed.
func (s *Service) Radar(ctx context.Context, entries []config.Entry, healths map[config.ID]Health) (RadarView, error) {
	recs, err := s.radarRecords(ctx)
	if err != nil {
		return RadarView{}, err
	}
	v := s.radar.seen.get(entries, healths, recs.records, func() RadarView { return s.countRadar(entries, healths, recs) })
	v.Off, v.Paused, v.PausedBy, v.PausedAt = s.radar.off, recs.pause.Paused, recs.pause.By, recs.pause.Time
	return v, nil
}

func (s *Service) countRadar(entries []config.Entry, healths map[config.ID]Health, recs radarRecords) RadarView {
	v := RadarView{Counts: map[RadarState]int{}}
	for _, e := range entries {
		if e.Current == 0 || !s.radarCan(e.ID) {
			continue
		}
		one := recs.entry(e, healths[e.ID])
		v.Counts[one.State]++
		if one.State == RadarWrong {
			v.Wrong = append(v.Wrong, one)
		}
		if one.Last.After(v.Last) {
			v.Last = one.Last
		}
		if !one.Due.IsZero() && (v.Next.IsZero() || one.Due.Before(v.Next)) {
			v.Next = one.Due
		}
	}
	return v
}

// RadarOf returns one entry as the radar sees it. ok is false if the radar has
// nothing to do with it: it is off, nothing is in force, or there is no OAuth.
func (s *Service) RadarOf(ctx context.Context, e config.Entry, h Health) (one RadarEntry, ok bool, err error) {
	if s.radar.off || e.Current == 0 || !s.radarCan(e.ID) {
		return RadarEntry{}, false, nil
	}
	recs, err := s.radarRecords(ctx)
	if err != nil {
		return RadarEntry{}, false, err
	}
	return recs.entry(e, h), true, nil
}

// entry is how an entry in force stands.
func (x radarRecords) entry(e config.Entry, h Health) RadarEntry {
	rec := x.records[e.ID]
	out := RadarEntry{ID: e.ID, Due: rec.Due, Paused: x.pause.Paused}
	if rec.ContentHash != e.CurrentHash {
		return out
	}
	sent := rec.Last.Why != RadarNotCalibrated && rec.Last.Why != RadarNotReady
	if sent {
		out.Last = rec.Last.Time
	}
	out.Why = rec.Last.Why
	switch {
	case h.Current.Radar:
		out.State, out.Why, out.Since = RadarWrong, rec.Why, rec.Since
	case rec.Last.Why == RadarNotCalibrated:
		out.State = RadarUncalibrated
	case rec.Last.Why == RadarNotReady:
		out.State = RadarUntestable
	case rec.Last.Verdict == OK:
		out.State = RadarOK
	case rec.Last.Verdict == Inconclusive:
		out.State = RadarOpen
	}
	return out
}
