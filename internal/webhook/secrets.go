package webhook

import (
	"context"
	"sync"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/connector"
)

// A holding is what one entry may be signed with, at one revision of it. It does
// not change; the deadline of the previous version is looked at each time.
type holding struct {
	revision int64
	created  time.Time
	def      *connector.Definition
	both     []Candidate // current, previous, pending
	after    []Candidate // the same without the previous one
	until    time.Time   // of the previous one; zero if there is none
}

// accepted are the values that are accepted at the given time, current first.
func (h *holding) accepted(now time.Time) []Candidate {
	if now.Before(h.until) {
		return h.both
	}
	return h.after
}

// holdings are those of the entries that somebody has asked for.
type holdings struct {
	mu sync.RWMutex
	of map[config.ID]*holding
}

func (x *holdings) get(e config.Entry, def *connector.Definition) *holding {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if h := x.of[e.ID]; h != nil && h.revision == e.Revision && h.created.Equal(e.Created) && h.def == def {
		return h
	}
	return nil
}

func (x *holdings) put(id config.ID, h *holding) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = map[config.ID]*holding{}
	}
	x.of[id] = h
}

// forget drops the values of entries that are gone.
func (x *holdings) forget(there map[config.ID]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id := range x.of {
		if !there[id] {
			delete(x.of, id)
		}
	}
}

// holding opens the versions of an entry whose secrets may count, once a revision.
func (s *Service) holding(ctx context.Context, e config.Entry, def *connector.Definition) (*holding, error) {
	if h := s.holdings.get(e, def); h != nil {
		return h, nil
	}
	h := &holding{revision: e.Revision, created: e.Created, def: def}
	for _, v := range []struct {
		number int
		as     Standing
	}{{e.Current, Current}, {e.Previous, Previous}, {e.Pending, Pending}} {
		if v.number == 0 {
			continue
		}
		found, err := s.candidates(ctx, e, v.number, def.Webhooks)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.Signer.Standing = v.as
			if v.as == Previous {
				c.Signer.Until, h.until = e.PreviousUntil, e.PreviousUntil
			}
			h.both = addCandidate(h.both, c)
			if v.as != Previous {
				h.after = addCandidate(h.after, c)
			}
		}
	}
	s.holdings.put(e.ID, h)
	return h, nil
}

// addCandidate leaves out a value that is there already: the first of those who
// have it counts.
func addCandidate(list []Candidate, c Candidate) []Candidate {
	for _, have := range list {
		if have.Secret == c.Secret {
			return list
		}
	}
	return append(list, c)
}

// candidates are the values of version n that may sign, in the order of the
// definition, without their standing.
func (s *Service) candidates(ctx context.Context, e config.Entry, n int, w *connector.Webhooks) (out []Candidate, err error) {
	o, err := s.config.Open(ctx, e.ID, n)
	if err != nil {
		return nil, err
	}
	for _, key := range w.SecretKeys {
		k, ok := o.Key(key)
		v := o.Values[key]
		if !ok || v.Kind() != connector.Text || v.Text().IsZero() {
			continue
		}
		out = append(out, Candidate{Signer: Signer{Entry: e.ID, Version: n, Key: key, Fingerprint: k.Fingerprint}, Secret: v.Text()})
	}
	return out, nil
}

// olderVersions is how many versions of an entry an explanation looks back.
const olderVersions = 20

// everySecret is what an explanation may try: what is accepted, a previous version after its
// deadline, and the last of the older ones.
func (s *Service) everySecret(ctx context.Context, e config.Entry, def *connector.Definition, now time.Time) ([]Candidate, error) {
	h, err := s.holding(ctx, e, def)
	if err != nil {
		return nil, err
	}
	all := append([]Candidate(nil), h.accepted(now)...)
	vs, err := s.config.Versions(ctx, e.ID, 0, olderVersions)
	if err != nil {
		return nil, err
	}
	for _, v := range vs {
		as, until := Older, time.Time{}
		switch v.Number {
		case e.Current, e.Pending:
			continue
		case e.Previous:
			if now.Before(e.PreviousUntil) {
				continue
			}
			as, until = Expired, e.PreviousUntil
		}
		found, err := s.candidates(ctx, e, v.Number, def.Webhooks)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.Signer.Standing, c.Signer.Until = as, until
			all = addCandidate(all, c)
		}
	}
	return all, nil
}

// Signers returns whose secrets are accepted now, current first. It returns an
// errs.NotFound.
func (s *Service) Signers(ctx context.Context, id config.ID) ([]Signer, error) {
	g, e, err := s.group(ctx, id)
	if err != nil {
		return nil, err
	}
	h, err := s.holding(ctx, e, g.def)
	if err != nil {
		return nil, err
	}
	var out []Signer
	for _, c := range h.accepted(s.now()) {
		out = append(out, c.Signer)
	}
	return out, nil
}

// signingKey is the value that signs what this program sends itself: that of the
// current version. ok is false if there is none.
func (s *Service) signingKey(ctx context.Context, e config.Entry, def *connector.Definition) (c Candidate, ok bool, err error) {
	h, err := s.holding(ctx, e, def)
	if err != nil {
		return Candidate{}, false, err
	}
	for _, c := range h.accepted(s.now()) {
		if c.Signer.Standing == Current {
			return c, true, nil
		}
	}
	return Candidate{}, false, nil
}
