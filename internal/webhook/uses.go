package webhook

import (
	"cmp"
	"context"
	"slices"
	"time"

	"backoffice/internal/secret"
)

// A Use is how often a stored value has signed the notifications of an entry.
type Use struct {
	Signer Signer // as it stood at the last one
	Count  int
	Last   time.Time
	LastID string // the last notification
}

// Uses returns which values have signed the notifications that an entry accepted
// since a time, the one that signed last first. What this program sent itself does
// not count: it is always signed with the current version. Only what is still kept
// is counted.
func (s *Service) Uses(ctx context.Context, owner string, since time.Time) ([]Use, error) {
	type value struct {
		key   string
		print secret.Fingerprint
	}
	found := map[value]*Use{}
	f := Filter{Owner: owner, Verdict: OK, From: since, Limit: maxPage}
	for {
		p, err := s.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, n := range p.Notifications {
			if n.Signer == nil || n.Test {
				continue
			}
			k := value{n.Signer.Key, n.Signer.Fingerprint}
			if found[k] == nil {
				found[k] = &Use{Signer: *n.Signer, Last: n.Received, LastID: n.ID}
			}
			found[k].Count++
		}
		if !p.More {
			break
		}
		f.Before = p.Next
	}
	out := make([]Use, 0, len(found))
	for _, u := range found {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b Use) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(b.LastID, a.LastID)) })
	return out, nil
}
