package webhook

import (
	"context"
	"errors"
	"net/http"

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
	return s.explain(ctx, n)
}

func (s *Service) explain(ctx context.Context, n Notification) (Explanation, error) {
	body, err := s.openBody(ctx, n.ID)
	if err != nil {
		return Explanation{}, err
	}
	groups, err := s.owned(ctx, n.Owner)
	if err != nil {
		return Explanation{}, err
	}
	req := Request{Header: n.header(), Body: body, Received: n.Received}
	var best Explanation
	tried := 0
	for i, g := range groups {
		var all []Candidate
		for _, e := range g.entries[:min(len(g.entries), maxExplained)] {
			found, err := s.everySecret(ctx, e, g.def, n.Received)
			if err != nil {
				return Explanation{}, err
			}
			all = append(all, found...)
		}
		x := Explain(g.def.Webhooks, all, req)
		tried += x.Tried
		if i == 0 || best.Signer == nil && x.Signer != nil {
			best = x
		}
	}
	best.Tried = tried
	return best, nil
}

// header is what was kept of the headers, as a request has them. Those that were
// taken out carry no signature of the definition.
func (n Notification) header() http.Header {
	h := http.Header{}
	for _, line := range n.Headers {
		if !line.Redacted {
			h.Add(line.Name, line.Value)
		}
	}
	return h
}

// explainKept explains a notification that was refused, and keeps that with it.
func (s *Service) explainKept(ctx context.Context, n Notification) error {
	x, err := s.explain(ctx, n)
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
