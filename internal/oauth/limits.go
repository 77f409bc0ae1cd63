package oauth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// Limits keep a test from being a nuisance: each one is a failed sign-in in the
// provider's eyes.
type Limits struct {
	Calls        int                  // to a provider's OAuth addresses, in one run; the hops of a redirect are one call
	CoolDown     time.Duration        // after a run, of the entry and of the provider's host
	LongCoolDown time.Duration        // after the provider asked for a pause
	Budget       int                  // calls to a provider's host in an hour, over all entries; 0 does not count them
	Pause        func() time.Duration // between two calls
	Whole        time.Duration        // of a run
}

// DefaultLimits are those of a provider that is somebody else's.
func DefaultLimits() Limits {
	return Limits{Calls: 6, CoolDown: time.Minute, LongCoolDown: 15 * time.Minute, Budget: 60, Whole: time.Minute,
		Pause: func() time.Duration { return 300*time.Millisecond + rand.N(600*time.Millisecond) }}
}

// rehearsing are the limits for a sandbox, which takes offence at nothing: as
// many calls, but no waiting.
func (l Limits) rehearsing() Limits {
	l.CoolDown, l.LongCoolDown, l.Budget, l.Pause = 0, 0, 0, func() time.Duration { return 0 }
	return l
}

// A pace is how much an entry or a host has been asked: oauth/pace/entry/<id>
// and oauth/pace/host/<host>.
type pace struct {
	Until  time.Time `json:"until"` // no run begins before that
	Asked  bool      `json:"asked"` // because the provider asked for a pause
	Spent  []spend   `json:"spent,omitempty"`
	Latest string    `json:"latest,omitempty"` // the run that wrote this
}

// A spend is the calls of a run, or those that are set aside for it.
type spend struct {
	Run   string    `json:"run"`
	Time  time.Time `json:"time"`
	Calls int       `json:"calls"`
}

var paces = store.Table[pace]{Prefix: "oauth/pace/"}

func entryPace(id config.ID) string { return "entry/" + string(id) }
func hostPace(host string) string   { return "host/" + host }

func getPace(r store.Getter, key string) (pace, error) {
	p, err := paces.Get(r, key)
	if errors.Is(err, store.ErrNotFound) {
		return pace{}, nil
	}
	return p, err
}

// recent returns the spends of the hour before at.
func (p pace) recent(at time.Time) (out []spend, calls int) {
	for _, s := range p.Spent {
		if at.Sub(s.Time) < time.Hour {
			out, calls = append(out, s), calls+s.Calls
		}
	}
	return out, calls
}

// A lease is the right to make the calls of one run.
type lease struct {
	run    string
	entry  config.ID
	host   string // of the token address
	name   string // of the provider, for people
	at     time.Time
	limits Limits
	calls  int // that are set aside
}

// take sets the calls of a run aside and records that it begins, in one
// transaction, or returns an errs.TooMany that says when to come back.
func (l lease) take(ctx context.Context, s store.Store, e audit.Event, also func(store.Tx) error) error {
	return s.Update(ctx, func(tx store.Tx) error {
		if err := l.reserve(tx); err != nil {
			return err
		}
		return errors.Join(also(tx), audit.Append(tx, e))
	})
}

// reserve sets the calls of a run aside, or returns an errs.TooMany.
func (l lease) reserve(tx store.Tx) error {
	own, err := getPace(tx, entryPace(l.entry))
	if err != nil {
		return err
	}
	host, err := getPace(tx, hostPace(l.host))
	if err != nil {
		return err
	}
	if err := l.refuse(own, host); err != nil {
		return err
	}
	if l.limits.Budget == 0 {
		return nil
	}
	if l.limits.CoolDown > 0 { // until settle knows better: one run a host, also if the program is killed
		host.Until, host.Asked, host.Latest = l.at.Add(l.limits.Whole+l.limits.CoolDown), false, l.run
	}
	host.Spent, _ = host.recent(l.at)
	host.Spent = append(host.Spent, spend{Run: l.run, Time: l.at, Calls: l.calls})
	return paces.Put(tx, hostPace(l.host), host)
}

func (l lease) refuse(own, host pace) error {
	_, spent := host.recent(l.at)
	switch {
	case l.at.Before(own.Until) && !own.Asked:
		return tooEarly(own.Until, "%s was tested a moment ago. Each test is a failed sign-in in the eyes of %s, so the next one can start at %s UTC.", l.entry, l.name, clock(own.Until))
	case l.at.Before(host.Until) && host.Asked:
		return tooEarly(host.Until, "%s asked for a pause, so nothing is sent there before %s UTC.", l.host, clock(host.Until))
	case l.at.Before(host.Until):
		return tooEarly(host.Until, "Another entry was tested at %s a moment ago. The next test there can start at %s UTC.", l.host, clock(host.Until))
	case l.limits.Budget > 0 && spent+l.calls > l.limits.Budget:
		return tooEarly(l.room(host), "%d calls were made to %s within an hour, of the %d that this program allows itself. Test again at %s UTC.", spent, l.host, l.limits.Budget, clock(l.room(host)))
	}
	return nil
}

// tooEarly is an errs.TooMany that is over at until.
func tooEarly(until time.Time, format string, args ...any) error {
	return &errs.Error{Kind: errs.TooMany, Msg: fmt.Sprintf(format, args...), Until: until}
}

// room is when the budget has place for the calls of l again.
func (l lease) room(host pace) time.Time {
	list, spent := host.recent(l.at)
	for _, s := range list {
		if spent -= s.Calls; spent+l.calls <= l.limits.Budget {
			return s.Time.Add(time.Hour)
		}
	}
	return l.at.Add(time.Hour)
}

// settle writes what the run really used, and until when the next one waits.
func (l lease) settle(tx store.Tx, calls int, asked bool, at time.Time) error {
	wait := l.limits.CoolDown
	if asked {
		wait = l.limits.LongCoolDown
	}
	if wait == 0 && l.limits.Budget == 0 {
		return nil
	}
	own, err := getPace(tx, entryPace(l.entry))
	if err != nil {
		return err
	}
	host, err := getPace(tx, hostPace(l.host))
	if err != nil {
		return err
	}
	var spent []spend
	list, _ := host.recent(at)
	for _, s := range list {
		if s.Run == l.run {
			s.Calls = calls
		}
		if s.Calls > 0 {
			spent = append(spent, s)
		}
	}
	host.Spent = spent
	until := l.at // nothing was sent
	if calls > 0 {
		until = at.Add(wait)
	}
	if wait > 0 && (host.Latest == l.run || until.After(host.Until)) {
		host.Until, host.Asked, host.Latest = until, asked && calls > 0, l.run
	}
	if calls > 0 && wait > 0 {
		own.Until, own.Asked, own.Latest = until, asked, l.run
		if err := paces.Put(tx, entryPace(l.entry), own); err != nil {
			return err
		}
	}
	return paces.Put(tx, hostPace(l.host), host)
}

func clock(t time.Time) string {
	if t.Nanosecond() > 0 {
		t = t.Add(time.Second)
	}
	return t.UTC().Format("15:04:05")
}
