package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

const (
	// radarInterval is how often each entry is asked: at a random moment in each
	// interval, so that nothing is asked at the stroke of an hour.
	radarInterval = 24 * time.Hour
	// radarGap is the least time between two turns of an entry.
	radarGap = 6 * time.Hour
	// radarAway is how long the radar has to have been away for what is overdue
	// to be spread anew, over radarCatchUp.
	radarAway    = time.Hour
	radarCatchUp = 6 * time.Hour
	// radarBatch is how many entries get their first moment in one transaction.
	radarBatch = 500
	// radarHold is how long the radar leaves alone what could not be asked.
	radarHold = 5 * time.Minute
)

// nextDue is the next moment of an entry that is asked at at.
func nextDue(at time.Time) time.Time {
	due := at.Truncate(radarInterval).Add(radarInterval + rand.N(radarInterval))
	if soonest := at.Add(radarGap); due.Before(soonest) {
		return soonest
	}
	return due
}

// A radar is what the program itself remembers of the radar, beside the records.
type radar struct {
	off bool

	mu    sync.Mutex
	swept time.Time            // the last sweep
	held  map[string]time.Time // entries and hosts that are left alone until then, by their pace
	hosts map[config.ID]string // of the entries that were tried
	runs  map[Verdict]uint64
	turns map[Verdict]uint64
	index radarIndex
	seen  radarSeen

	proven   map[config.ID]bool // of the sweep alone, which is one goroutine; see Service.proven
	provenAt int64
}

func (x *radar) count(r RadarRun) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.runs == nil {
		x.runs, x.turns = map[Verdict]uint64{}, map[Verdict]uint64{}
	}
	if r.Calls > 0 {
		x.runs[r.Verdict]++
	}
	if r.Turned {
		x.turns[r.Verdict]++
	}
}

// RadarSweep gives new entries their moment, and asks the one that has waited
// longest of those that are due. It sends at most one call. Call it every few
// seconds, from one goroutine. While the radar is off or paused it does nothing.
func (s *Service) RadarSweep(ctx context.Context) error {
	if s.radar.off {
		return nil
	}
	now := s.now().UTC()
	view, err := s.radarRecords(ctx)
	if err != nil || view.pause.Paused {
		return err
	}
	entries, err := s.config.All(ctx)
	if err != nil {
		return err
	}
	changed, err := s.schedule(ctx, entries, view.records, now)
	if err != nil {
		return fmt.Errorf("scheduling the radar: %w", err)
	}
	if changed {
		if view, err = s.radarRecords(ctx); err != nil {
			return err
		}
	}
	for _, id := range s.radar.due(entries, view.records, now) {
		if asked, err := s.radarTry(ctx, id, now); asked || err != nil {
			return err
		}
	}
	return nil
}

// radarTry asks an entry, or leaves it alone for a while.
func (s *Service) radarTry(ctx context.Context, id config.ID, now time.Time) (asked bool, err error) {
	_, err = s.RunRadar(ctx, id)
	switch {
	case err == nil:
		return true, nil
	case errs.Is(err, errs.NotFound), errs.Is(err, errs.Conflict): // deleted, nothing in force any more, or paused
		s.radar.hold(id, false, now.Add(radarHold))
		return false, nil
	case errs.Is(err, errs.TooMany):
		s.radar.hold(id, true, now.Add(time.Minute))
		return false, nil
	}
	s.radar.hold(id, false, now.Add(radarHold))
	return false, err
}

// hold leaves an entry alone until a time, and all others of its host too.
func (x *radar) hold(id config.ID, host bool, until time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held == nil {
		x.held = map[string]time.Time{}
	}
	x.held[entryPace(id)] = until
	if name, known := x.hosts[id]; host && known {
		x.held[hostPace(name)] = until
	}
}

// learn notes which host an entry's token address is on.
func (x *radar) learn(id config.ID, host string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hosts == nil {
		x.hosts = map[config.ID]string{}
	}
	x.hosts[id] = host
}

// radarTries is how many entries one sweep tries that the limits refuse.
const radarTries = 4

// due is what is due, longest first, but for what is left alone.
func (x *radar) due(entries []config.Entry, records map[config.ID]radarRecord, now time.Time) (due []config.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.held, func(_ string, until time.Time) bool { return !now.Before(until) })
	for _, e := range entries {
		rec, known := records[e.ID]
		if !known || e.Current == 0 || now.Before(rec.Due) {
			continue
		}
		_, heldEntry := x.held[entryPace(e.ID)]
		_, heldHost := x.held[hostPace(x.hosts[e.ID])]
		if !heldEntry && !heldHost {
			due = append(due, e.ID)
		}
	}
	slices.SortFunc(due, func(a, b config.ID) int {
		return cmp.Or(records[a].Due.Compare(records[b].Due), cmp.Compare(a, b))
	})
	return due[:min(len(due), radarTries)]
}

// schedule gives entries their first moment, and what is overdue a new one if
// the radar was away: after a night without power nothing is asked at once.
func (s *Service) schedule(ctx context.Context, entries []config.Entry, records map[config.ID]radarRecord, now time.Time) (changed bool, err error) {
	away := s.radar.sweeps(now)
	proven, err := s.proven(ctx)
	if err != nil {
		return false, err
	}
	moments := map[config.ID]time.Time{}
	for _, e := range entries {
		rec, known := records[e.ID]
		switch {
		case len(moments) == radarBatch && !away:
		case e.Current == 0 || !s.radarCan(e.ID):
		case !known && !proven[e.ID]: // there would be nothing to compare an answer with
		case !known:
			moments[e.ID] = now.Add(rand.N(radarInterval))
		case away && now.Sub(rec.Due) > radarAway:
			moments[e.ID] = now.Add(rand.N(radarCatchUp))
		}
	}
	if len(moments) == 0 {
		return false, nil
	}
	return true, s.store.Update(ctx, func(tx store.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(moments)) {
			if err := setDue(tx, id, moments[id]); err != nil {
				return err
			}
		}
		return raiseCounter(tx, radarGeneration)
	})
}

// proven are the entries that a test has calibrated at some time. They are read
// again only when there is another report: calibrations are kept with one.
func (s *Service) proven(ctx context.Context) (map[config.ID]bool, error) {
	err := s.store.View(ctx, func(r store.Reader) error {
		generation, err := readGeneration(r)
		if err != nil || s.radar.proven != nil && s.radar.provenAt == generation {
			return err
		}
		items, err := r.Scan(store.Range{Prefix: calibrations.Prefix})
		if err != nil {
			return err
		}
		s.radar.proven, s.radar.provenAt = make(map[config.ID]bool, len(items)), generation
		for _, it := range items {
			s.radar.proven[config.ID(strings.TrimPrefix(it.Key, calibrations.Prefix))] = true
		}
		return nil
	})
	return s.radar.proven, err
}

// setDue sets the moment of an entry, unless it was deleted.
func setDue(tx store.Tx, id config.ID, due time.Time) error {
	there, err := config.HasEntry(tx, id)
	if err != nil || !there {
		return err
	}
	rec, err := getRadarRecord(tx, id)
	if err != nil {
		return err
	}
	rec.Due = due
	return radars.Put(tx, string(id), rec)
}

// sweeps notes a sweep, and reports whether there was none for long.
func (x *radar) sweeps(now time.Time) (away bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	away = now.Sub(x.swept) > radarAway
	x.swept = now
	return away
}

// radarCan reports whether the entry's definition has OAuth at all.
func (s *Service) radarCan(id config.ID) bool {
	def := s.config.Definition(id)
	return def != nil && def.OAuth != nil
}

// A radarPause is whether people want nothing sent unattended: oauth/radar-pause.
type radarPause struct {
	Paused bool      `json:"paused"`
	By     string    `json:"by"`
	Time   time.Time `json:"time"`
}

var radarPauses = store.Table[radarPause]{Prefix: "oauth/"}

const radarPauseID = "radar-pause"

func getRadarPause(r store.Getter) (radarPause, error) {
	p, err := radarPauses.Get(r, radarPauseID)
	return p, missing(err)
}

// PauseRadar pauses the radar or has it go on, for all entries, until somebody
// says otherwise. To ask for what is already so changes nothing.
func (s *Service) PauseRadar(ctx context.Context, by audit.Actor, paused bool) error {
	at := s.now().UTC()
	e := audit.Event{Time: at, Actor: by, Action: audit.RadarResumed, Outcome: audit.Done}
	if paused {
		e.Action = audit.RadarPaused
	}
	err := s.store.Update(ctx, func(tx store.Tx) error {
		old, err := getRadarPause(tx)
		if err != nil || old.Paused == paused {
			return err
		}
		return errors.Join(radarPauses.Put(tx, radarPauseID, radarPause{Paused: paused, By: by.Name, Time: at}),
			raiseCounter(tx, radarGeneration), audit.Append(tx, e))
	})
	if err != nil {
		return fmt.Errorf("pausing the radar: %w", err)
	}
	return nil
}
