package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// An Expiry is the day on which a secret is said to expire. It belongs to the
// value, not to a version: a version that is put in force again has the date of
// its own secret. It never changes what happens: it is for reminders.
type Expiry struct {
	Key         string             `json:"key"`
	Fingerprint secret.Fingerprint `json:"fingerprint"`
	Date        string             `json:"date"` // a day in UTC: "2026-12-01"
	By          string             `json:"by"`
	At          time.Time          `json:"at"`
}

// Day is the beginning of the day, from which on the secret may not hold.
func (x Expiry) Day() time.Time {
	t, _ := time.Parse(time.DateOnly, x.Date)
	return t
}

// DaysLeft is how many days there are from the day of now to the date: 0 on the
// day itself, negative after it.
func (x Expiry) DaysLeft(now time.Time) int {
	return int(x.Day().Sub(now.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
}

var expiries = store.Table[[]Expiry]{Prefix: "config/expiry/"}

// maxExpiries is how many dates an entry keeps: those that were set last.
const maxExpiries = 100

// expiryOf begins the name of a date in an event. No key has a space.
const expiryOf = "expiry of "

// CheckDate returns an errs.Field error on the given field unless date is "" or a
// day such as "2026-12-01".
func CheckDate(field, date string) error {
	if date == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil || day.Year() < 2000 || day.Year() > 2199 {
		return errs.Field(field, "Write the day as year-month-day, such as 2027-03-31, or leave it empty.")
	}
	return nil
}

// ExpiryField is the name under which the faults of a date in a Draft are found.
func ExpiryField(key string) string { return "expires." + key }

// date makes the dates of the draft's values.
func (p *prepared) date(by audit.Actor) error {
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(p.draft.Expires)) {
		date := p.draft.Expires[key]
		k, ok := p.version.Key(key)
		if err := CheckDate(ExpiryField(key), date); err != nil {
			faults = append(faults, err)
			continue
		}
		if !ok || !k.Secret {
			continue
		}
		p.dates = append(p.dates, Expiry{Key: key, Fingerprint: k.Fingerprint, Date: date, By: by.Name, At: p.version.Time})
	}
	return errors.Join(faults...)
}

// expire keeps the dates of a version that is saved. What is said already is no
// change.
func (p *prepared) expire(tx store.Tx) error {
	if len(p.dates) == 0 {
		return nil
	}
	list, err := getExpiries(tx, p.version.Entry)
	if err != nil {
		return err
	}
	for _, x := range p.dates {
		list, _ = withExpiry(list, x)
	}
	return expiries.Put(tx, string(p.version.Entry), list)
}

func getExpiries(r store.Getter, id ID) ([]Expiry, error) {
	list, err := expiries.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return list, err
}

// withExpiry is the list with x in it, and what was said of its value before. A
// date of "" takes it out.
func withExpiry(list []Expiry, x Expiry) (out []Expiry, before string) {
	for _, had := range list {
		if had.Key == x.Key && had.Fingerprint == x.Fingerprint {
			before = had.Date
			continue
		}
		out = append(out, had)
	}
	if x.Date != "" {
		out = append(out, x)
	}
	if len(out) > maxExpiries {
		out = out[len(out)-maxExpiries:]
	}
	return out, before
}

// An ExpiryChange says when the secret that a version has under Key expires.
type ExpiryChange struct {
	ID      ID
	Version int
	Key     string
	Date    string // "" takes it back
}

// SetExpiry keeps the date beside the versions: it makes none, and no test grows
// old by it. To say what is said already changes nothing. It returns an
// errs.NotFound, an errs.Invalid for a key that is no secret, and an errs.Field
// error on ExpiryField(Key).
func (s *Service) SetExpiry(ctx context.Context, by audit.Actor, c ExpiryChange) error {
	if err := CheckDate(ExpiryField(c.Key), c.Date); err != nil {
		return err
	}
	v, err := s.Version(ctx, c.ID, c.Version)
	if err != nil {
		return err
	}
	k, ok := v.Key(c.Key)
	if !ok || !k.Secret {
		return errs.Newf(errs.Invalid, "Version %d of %s has no secret of this name. Look at the entry again.", c.Version, c.ID)
	}
	at := s.now().UTC()
	x := Expiry{Key: c.Key, Fingerprint: k.Fingerprint, Date: c.Date, By: by.Name, At: at}
	event := audit.Event{Time: at, Actor: by, Action: audit.ExpirySet, Target: string(c.ID), Version: c.Version, Outcome: audit.Done}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		there, err := Has(tx, c.ID, c.Version, v.ContentHash)
		if err == nil && !there {
			err = Missing(c.ID)
		}
		if err != nil {
			return err
		}
		old, err := getExpiries(tx, c.ID)
		if err != nil {
			return err
		}
		list, before := withExpiry(old, x)
		if before == x.Date {
			return nil
		}
		done := event
		done.Changes = []audit.Change{{Key: expiryOf + c.Key, Before: before, After: x.Date}}
		return errors.Join(expiries.Put(tx, string(c.ID), list), raiseGeneration(tx), audit.Append(tx, done))
	})
	if err != nil {
		return fmt.Errorf("setting an expiry of %s: %w", c.ID, err)
	}
	return nil
}

// ExpiriesOf returns what is said of the secrets of a version, by key.
func (s *Service) ExpiriesOf(ctx context.Context, v Version) (map[string]Expiry, error) {
	var list []Expiry
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		list, err = getExpiries(r, v.Entry)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the expiries of %s: %w", v.Entry, err)
	}
	return expiriesIn(v, list), nil
}

func expiriesIn(v Version, list []Expiry) map[string]Expiry {
	out := map[string]Expiry{}
	for _, x := range list {
		if k, ok := v.Key(x.Key); ok && k.Secret && k.Fingerprint == x.Fingerprint {
			out[x.Key] = x
		}
	}
	return out
}

// An Expiring is a secret with a date, of the version of an entry that counts:
// the one in force, or while there is none, the pending one.
type Expiring struct {
	Expiry
	Entry   ID
	Version int
	Label   string // what the form calls the key
}

// An expiryCache keeps what Expiries found until config/generation rises.
type expiryCache struct {
	mu         sync.Mutex
	filled     bool
	generation int64
	all        []Expiring
}

// Expiries returns every secret with a date that counts, the earliest first. The
// slice is shared: it must not be changed.
func (s *Service) Expiries(ctx context.Context) (out []Expiring, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		out, err = s.dates.get(r, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading when secrets expire: %w", err)
	}
	return out, nil
}

func (c *expiryCache) get(r store.Reader, s *Service) ([]Expiring, error) {
	generation, err := readGeneration(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.filled && c.generation >= generation {
		return c.all, nil
	}
	records, err := expiries.Scan(r, store.Range{})
	if err != nil {
		return nil, err
	}
	var all []Expiring
	for _, rec := range records {
		found, err := s.expiring(r, ID(rec.ID), rec.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b Expiring) int { return a.Day().Compare(b.Day()) })
	c.filled, c.generation, c.all = true, generation, all
	return all, nil
}

// expiring are the dates of one entry that count.
func (s *Service) expiring(r store.Reader, id ID, list []Expiry) (out []Expiring, err error) {
	e, err := entries.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := e.Current
	if n == 0 {
		n = e.Pending
	}
	if n == 0 {
		return nil, nil
	}
	v, err := versions.Get(r, versionID(id, n))
	if err != nil {
		return nil, err
	}
	for _, k := range v.Keys {
		x, ok := expiriesIn(v, list)[k.Name]
		if !ok {
			continue
		}
		label := k.Name
		if f, known := field(s.Definition(id), k.Name); known {
			label = f.Label
		}
		out = append(out, Expiring{x, id, n, label})
	}
	return out, nil
}
