package webhook

import (
	"context"
	"errors"
	"net/http"
	"time"

	"backoffice/internal/store"
)

// maxExplained is of how many entries the secrets are tried, where several share
// an address.
const maxExplained = 50

// Explain says why the signature of a kept notification does not hold, with the
// secrets of now. It keeps nothing. It returns an errs.NotFound.
func (s *Service) Explain(ctx context.Context, owner, id string) (Explanation, error) {
	n, err := s.Get(ctx, owner, id)
	if err != nil {
		return Explanation{}, err
	}
	header, unkept := n.header()
	return s.explain(ctx, n, Request{Header: header, Unkept: unkept})
}

// explain explains n with the headers in req, of which it fills in the rest.
func (s *Service) explain(ctx context.Context, n Notification, req Request) (Explanation, error) {
	var err error
	if req.Body, err = s.openBody(ctx, n.ID); err != nil {
		return Explanation{}, err
	}
	req.Received = n.Received
	groups, err := s.owned(ctx, n.Owner)
	if err != nil {
		return Explanation{}, err
	}
	var best Explanation
	tried := 0
	for i, g := range groups {
		all, err := s.groupSecrets(ctx, g, n.Received)
		if err != nil {
			return Explanation{}, err
		}
		x := explainWith(g.def.Webhooks, all, len(g.entries) > maxExplained, req)
		tried += x.Tried
		if i == 0 || best.Signer == nil && x.Signer != nil {
			best = x
		}
	}
	best.Tried = tried
	return best, nil
}

// groupSecrets are the secrets that may explain what nobody of a group signed, those
// that are accepted before the others: what came is likelier of them.
func (s *Service) groupSecrets(ctx context.Context, g group, received time.Time) (accepted []Candidate, err error) {
	var others []Candidate
	for _, e := range g.entries[:min(len(g.entries), maxExplained)] {
		found, err := s.everySecret(ctx, e, g.def, received)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			if c.Signer.Standing == Expired || c.Signer.Standing == Older {
				others = append(others, c)
				continue
			}
			accepted = append(accepted, c)
		}
	}
	return append(accepted, others...), nil
}

// header is what was kept of the headers, as a request has them, and the names of
// those that were taken out. None of these is of the definition.
func (n Notification) header() (h http.Header, unkept []string) {
	h = http.Header{}
	for _, line := range n.Headers {
		if line.Redacted {
			unkept = append(unkept, line.Name)
			continue
		}
		h.Add(line.Name, line.Value)
	}
	return h, unkept
}

// explainKept explains a notification that was refused, and keeps that with it. The
// headers are those that came: a signature may stand in one that is not kept.
func (s *Service) explainKept(ctx context.Context, n Notification, came http.Header) error {
	x, err := s.explain(ctx, n, Request{Header: came})
	if err != nil {
		return err
	}
	return s.amend(ctx, n.ID, func(kept *Notification) { kept.Explanation = &x })
}

// amend changes what is kept of a notification. One that is gone stays so.
func (s *Service) amend(ctx context.Context, id string, change func(*Notification), also ...func(store.Tx) error) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		n, err := notes.Get(tx, id)
		if errors.Is(err, store.ErrNotFound) && len(also) == 0 {
			return nil
		}
		if err == nil {
			change(&n)
			err = notes.Put(tx, id, n)
		}
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		for _, f := range also {
			err = errors.Join(err, f(tx))
		}
		return err
	})
	if err == nil {
		s.watchers.tick()
	}
	return err
}
