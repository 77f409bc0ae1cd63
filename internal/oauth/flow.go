package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// A Binding stands for one browser session: a hash of its secret, which the
// server makes. It is compared and stored, never shown.
type Binding string

const (
	flowLife   = 10 * time.Minute // from Start to the callback
	spentLife  = 24 * time.Hour   // how long a second use of a state is explained
	sweepBatch = 200              // records a transaction
)

// A flow is a consent run on its way: who may end it, and what it is about.
type flow struct {
	Session     Binding   `json:"session"`
	Entry       config.ID `json:"entry"`
	Version     int       `json:"version"`
	ContentHash string    `json:"hash"`
	Service     string    `json:"service"` // {service} of the callback
	RedirectURI string    `json:"redirectUri"`
	Started     time.Time `json:"started"`
	Expires     time.Time `json:"expires"`
	Verifier    []byte    `json:"verifier,omitempty"` // sealed
}

var _ = secret.Declare(secret.Kind{Prefix: "oauth/flow/", Words: "proofs of consent runs under way", Find: secret.Field("verifier")})

// A spent says that a state was used. It has the entry, so that a second use is
// in the log of that entry.
type spent struct {
	Entry   config.ID `json:"entry"`
	Version int       `json:"version"`
	Expires time.Time `json:"expires"`
}

var (
	flows  = store.Table[flow]{Prefix: "oauth/flow/"}
	spents = store.Table[spent]{Prefix: "oauth/spent/"}
)

// hash is the key of a state: whoever reads the data file learns no state.
func hash(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])
}

func (s *Service) newFlow(sub subject, session Binding, state, verifier string) (flow, error) {
	now := s.now().UTC()
	f := flow{Session: session, Entry: sub.version.Entry, Version: sub.version.Number, ContentHash: sub.version.ContentHash,
		Service: sub.def.Key, RedirectURI: sub.redirect, Started: now, Expires: now.Add(flowLife)}
	if u, err := url.Parse(sub.redirect); err == nil && callbackService(u) != "" {
		f.Service = callbackService(u)
	}
	if verifier == "" {
		return f, nil
	}
	var err error
	f.Verifier, err = s.box.Seal([]byte(verifier), flows.Prefix+hash(state))
	return f, err
}

// A visit is a browser that comes back from a provider.
type visit struct {
	by      audit.Actor
	session Binding
	service string
	state   string
	at      time.Time
}

// take accepts the visit's state, once: the transaction that finds the flow
// deletes it. A refusal burns the state too, as it has been in the wrong hands;
// its event is in the same transaction. The refusal is an errs error.
func (s *Service) take(ctx context.Context, v visit) (flow, error) {
	if v.state == "" {
		return flow{}, errs.New(errs.Invalid, "The provider sent the browser back without a state, so this answer belongs to no test. Start the test again; if it stays so, look for a proxy that drops the query of an address.")
	}
	key := hash(v.state)
	var f flow
	var refusal error
	err := s.store.Update(ctx, func(tx store.Tx) error {
		var err error
		f, err = flows.Get(tx, key)
		if errors.Is(err, store.ErrNotFound) {
			refusal, err = v.again(tx, key)
			return err
		}
		if err != nil {
			return err
		}
		flows.Delete(tx, key)
		err = errors.Join(returned(tx, f.Entry, key), spents.Put(tx, key, spent{Entry: f.Entry, Version: f.Version, Expires: v.at.Add(spentLife)}))
		if refusal = v.refuse(f); refusal != nil {
			err = errors.Join(err, audit.Append(tx, v.refused(f.Entry, f.Version, refusal)))
		}
		return err
	})
	if err != nil {
		return flow{}, fmt.Errorf("taking the flow: %w", err)
	}
	return f, refusal
}

// refuse says why f is not for this visit, or returns nil.
func (v visit) refuse(f flow) error {
	switch {
	case subtle.ConstantTimeCompare([]byte(v.session), []byte(f.Session)) != 1:
		return errs.New(errs.Refused, "This test was started in another browser session. For safety it has been ended. Start it again in this one.")
	case v.service != f.Service:
		return errs.New(errs.Invalid, "The provider sent the browser to the callback of another service, so the test has been ended. Check the redirect URI that is registered with the provider.")
	case !v.at.Before(f.Expires):
		return errs.Newf(errs.Invalid, "The test was started more than %d minutes ago and has expired. Start it again.", int(flowLife.Minutes()))
	}
	return nil
}

// again tells a state that was used before from one that nobody made.
func (v visit) again(tx store.Tx, key string) (refusal, err error) {
	old, err := spents.Get(tx, key)
	if errors.Is(err, store.ErrNotFound) {
		return errs.New(errs.Invalid, "The state of this answer belongs to no test that is under way. Start the test again from its entry."), nil
	}
	if err != nil {
		return nil, err
	}
	refusal = errs.Newf(errs.Conflict, "This answer of the provider has been used already, and is accepted once. If it led to a report, that is with the tests of %s.", old.Entry)
	return refusal, audit.Append(tx, v.refused(old.Entry, old.Version, refusal))
}

func (v visit) refused(id config.ID, version int, why error) audit.Event {
	_, words := errs.Of(why)
	return audit.Event{Time: v.at, Actor: v.by, Action: audit.TestFinished, Target: string(id), Version: version, Outcome: audit.Refused, Note: words}
}

// Sweep removes the flows that expired and the traces of used states that are
// older than a day. Call it now and then; it is no harm to call it twice at
// once.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now().UTC()
	return errors.Join(
		sweep(ctx, s.store, flows, func(f flow) bool { return !now.Before(f.Expires) }),
		sweep(ctx, s.store, spents, func(u spent) bool { return !now.Before(u.Expires) }))
}

func sweep[T any](ctx context.Context, s store.Store, t store.Table[T], over func(T) bool) error {
	for after := ""; ; {
		var page []store.Record[T]
		err := s.View(ctx, func(r store.Reader) (err error) {
			page, err = t.Scan(r, store.Range{After: after, Limit: sweepBatch})
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		if err := remove(ctx, s, t, page, over); err != nil {
			return fmt.Errorf("sweeping %s: %w", t.Prefix, err)
		}
	}
}

// remove deletes the records of the page that are over. Neither table changes a
// record once it is written, so what was read outside the transaction holds.
func remove[T any](ctx context.Context, s store.Store, t store.Table[T], page []store.Record[T], over func(T) bool) error {
	var old []string
	for _, rec := range page {
		if over(rec.Value) {
			old = append(old, rec.ID)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return s.Update(ctx, func(tx store.Tx) error {
		for _, id := range old {
			t.Delete(tx, id)
		}
		return nil
	})
}
