package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"

	"golang.org/x/oauth2"
)

// The radar asks each entry in force once a day, unattended, one question: S,
// with the entry's own values and an impossible code. It compares the answer with
// those of the entry's last calibration, so it can tell that nothing has changed,
// or that the provider refuses the entry now as it refused a corrupted one then.
// Anything else decides nothing, and takes nothing from what was known.
//
// It proves less than a test: not the redirect URI, and no permission. So an OK
// of the radar does not keep a good test from growing stale.

// radarName is who the radar's events are by. No account has this name: those
// are e-mail addresses.
const radarName = "radar"

// A RadarReason is why a radar run ended as it did.
type RadarReason int

// The reasons. The zero one is that there was no run yet.
const (
	RadarNotAsked      RadarReason = iota
	RadarAsBefore                  // the answer is the one of the calibration
	RadarAsCorrupted               // it is the one that a corrupted secret got
	RadarAsMadeUp                  // it is the one that a made-up client ID got
	RadarEither                    // a corrupted secret and a made-up client ID got this one both
	RadarExpired                   // it says that the secret has expired
	RadarOther                     // it is none of those
	RadarSilent                    // there was no answer to compare: a time-out, 429, 5xx, a page
	RadarNotCalibrated             // nothing was sent: no test has shown what good and wrong look like
	RadarNotReady                  // nothing was sent: the version cannot be tested
)

var radarReasons = names{"", "as-before", "as-corrupted", "as-made-up", "either", "expired", "other", "silent", "not-calibrated", "not-ready"}

func (r RadarReason) String() string { return radarReasons.name(int(r)) }

// MarshalText refuses a reason that does not exist.
func (r RadarReason) MarshalText() ([]byte, error) { return radarReasons.text(int(r)) }

// UnmarshalText refuses unknown text.
func (r *RadarReason) UnmarshalText(text []byte) (err error) {
	*r, err = parse[RadarReason](radarReasons, text)
	return err
}

// A RadarRun is what one turn of the radar found out about an entry.
type RadarRun struct {
	Entry   config.ID
	Version int
	Calls   int // that were sent: 1, or 0 if it was not calibrated or not ready
	Verdict Verdict
	Why     RadarReason
	Turned  bool // the verdict changed between OK and Wrong
}

// errPaused ends a lease that was about to be taken.
var errPaused = errs.New(errs.Conflict, "The radar is paused, so nothing was sent.")

// RunRadar asks one entry, whether it is due or not. It sends at most one call.
// It returns an errs.NotFound if there is no such entry in force, an errs.Conflict
// if the radar is paused or off, and an errs.TooMany if the Limits say that it is
// too early; then nothing was sent and nothing is recorded.
func (s *Service) RunRadar(ctx context.Context, id config.ID) (RadarRun, error) {
	if s.radar.off {
		return RadarRun{}, errs.New(errs.Conflict, "The radar is off. The operator can switch it on: see --radar.")
	}
	if err := s.lives.hold(id); err != nil {
		return RadarRun{}, err
	}
	defer s.lives.release(id)
	e, err := s.config.Get(ctx, id)
	if err != nil {
		return RadarRun{}, err
	}
	if e.Current == 0 {
		return RadarRun{}, errs.Newf(errs.NotFound, "Nothing of %s is in force.", id)
	}
	x, err := s.radarTurn(ctx, e)
	if err != nil {
		return RadarRun{}, err
	}
	if x.Why == RadarNotAsked {
		if err := x.ask(ctx); err != nil {
			return RadarRun{}, fmt.Errorf("asking by radar about %s: %w", id, err)
		}
	}
	// What was sent is recorded, also if the program is about to end.
	if err := x.keep(context.WithoutCancel(ctx)); err != nil {
		return RadarRun{}, fmt.Errorf("keeping the radar run of %s: %w", id, err)
	}
	s.radar.count(x.RadarRun)
	return x.RadarRun, nil
}

// A radarTurn is one turn of the radar under way. It is for one goroutine.
type radarTurn struct {
	RadarRun
	service     *Service
	run         *run // nil if nothing can be asked
	hash        string
	calibration calibration
	lease       lease
	asked       bool // the provider asked for a pause
	at, ended   time.Time
	due         time.Time // the next turn
}

// radarTurn prepares a turn. Its reason is RadarNotAsked if there is something
// to ask.
func (s *Service) radarTurn(ctx context.Context, e config.Entry) (*radarTurn, error) {
	at := s.now().UTC()
	x := &radarTurn{RadarRun: RadarRun{Entry: e.ID, Version: e.Current, Verdict: Inconclusive}, service: s, hash: e.CurrentHash, at: at, due: nextDue(at)}
	sub, err := s.subject(ctx, e.ID, e.Current)
	if err == nil {
		err = sub.ready()
	}
	if errs.Is(err, errs.Invalid) {
		x.Why = RadarNotReady
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	x.run = s.newRun(sub, audit.Actor{Name: radarName}, Diagnosis, time.Now(), at)
	x.lease = s.radarLease(x.run)
	s.radar.learn(e.ID, x.lease.host)
	var list []calibration
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		list, err = getCalibrations(r, e.ID)
		return err
	})
	x.Why = RadarNotCalibrated
	for _, c := range list {
		if c.ContentHash == e.CurrentHash && c.Asked == x.run.asked() {
			x.calibration, x.Why = c, RadarNotAsked
		}
	}
	return x, err
}

// radarLease is for one call. The radar leaves two thirds of an hour's budget to
// people.
func (s *Service) radarLease(r *run) lease {
	l := s.lease(r)
	l.calls = 1
	if l.limits.Budget > 0 { // 0 is a sandbox, which has none
		l.limits.Budget = max(1, l.limits.Budget/3)
	}
	return l
}

// ask sends the one question, and weighs its answer.
func (x *radarTurn) ask(ctx context.Context) error {
	s, r := x.service, x.run
	err := s.store.Update(ctx, func(tx store.Tx) error {
		p, err := getRadarPause(tx)
		if err == nil && p.Paused {
			err = errPaused
		}
		return errors.Join(err, present(tx, x.Entry, x.Version, x.hash), x.lease.reserve(tx))
	})
	if err != nil {
		return err
	}
	q := r.question(impossibleCode(), secret.Text{})
	if r.def.OAuth.PKCE {
		q.verifier = secret.NewText(oauth2.GenerateVerifier())
	}
	st := Step{}
	got, a, token := r.ask(ctx, &st, q)
	_ = token // dropped: it was never asked for
	answer := read(&got, a, []string{q.clientID.Reveal(), q.secret.Reveal(), q.code.Reveal(), r.redirect})
	x.Calls, x.asked, x.ended = 1, answer.lockedOut(), r.now()
	x.Verdict, x.Why = x.calibration.weigh(r.box, answer)
	return nil
}

// keep stores what the turn found out, with its event. Of an entry that was
// deleted in the meantime, only the event is left. A turn without a call has
// no event: nothing was done.
func (x *radarTurn) keep(ctx context.Context) error {
	var turned bool
	err := x.service.store.Update(ctx, func(tx store.Tx) error {
		turned = false
		there, err := config.Has(tx, x.Entry, x.Version, x.hash)
		if err != nil {
			return err
		}
		if !there {
			if x.Calls == 0 {
				return deletedMeanwhile(x.Entry)
			}
			return audit.Append(tx, x.event(false))
		}
		old, err := getRadarRecord(tx, x.Entry)
		if err != nil {
			return err
		}
		tests, err := getList(tx, standing, x.Entry)
		if err != nil {
			return err
		}
		rec := old.after(x)
		before := old.known(x.hash, tests)
		turned = x.Verdict == Wrong && before == OK || x.Verdict == OK && before == Wrong
		return errors.Join(putRadar(tx, x.Entry, rec), x.settle(tx, turned))
	})
	x.Turned = turned && err == nil
	return err
}

// settle is the part of keep that a call needs.
func (x *radarTurn) settle(tx store.Tx, turned bool) error {
	if x.Calls == 0 {
		return nil
	}
	err := errors.Join(x.lease.settle(tx, x.Calls, x.asked, x.ended), audit.Append(tx, x.event(turned)))
	if turned {
		err = errors.Join(err, raise(tx))
	}
	return err
}

// event is the one event of a run. It has our own words, the fingerprint of the
// secret that was sent, and nothing that the provider said.
func (x *radarTurn) event(turned bool) audit.Event {
	e := audit.Event{Time: x.at, Actor: audit.Actor{Name: radarName}, Action: audit.RadarAsked, Target: string(x.Entry), Version: x.Version, Outcome: audit.Done,
		Note: fmt.Sprintf("%s. 1 call to %s", x.Why.Headline(), x.lease.host)}
	if !x.run.secret.IsZero() {
		e.Note += " with the secret " + x.run.box.Fingerprint(x.run.secret.Reveal()).String()
	}
	e.Note += "."
	if turned {
		e.Action = audit.RadarTurned
	}
	if x.Verdict != OK {
		e.Outcome = audit.Failed
	}
	return e
}

// hold keeps others from testing the entry, or returns an errs.TooMany. Unlike
// begin it makes nothing that can be watched: the radar is over in one call.
func (x *lives) hold(id config.ID) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return errs.New(errs.Unavailable, "The program is about to end.")
	case x.entries[id] != "":
		return errs.Newf(errs.TooMany, "A test of %s is under way.", id)
	}
	if x.runs == nil {
		x.runs, x.entries = map[string]*Live{}, map[config.ID]string{}
	}
	x.entries[id] = radarAsks
	x.under.Add(1)
	return nil
}

func (x *lives) release(id config.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.entries, id)
	x.under.Done()
}
