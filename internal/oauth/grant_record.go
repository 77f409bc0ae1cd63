package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backoffice/internal/config"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// keepGrants is how many runs that found out about permissions an entry keeps.
const keepGrants = 20

// A GrantRun is what one run found out about permissions, with what that depends
// on. It outlives its report: only the last Keep reports are kept, but a run without
// consent finds out nothing about permissions.
type GrantRun struct {
	Entry       config.ID     `json:"entry"`
	Run         string        `json:"run"` // id of its report
	Version     int           `json:"version"`
	ContentHash string        `json:"hash"`
	Kind        Kind          `json:"kind"`
	Started     time.Time     `json:"started"`
	By          string        `json:"by"`
	Whose       []Fact        `json:"whose,omitempty"` // whose token it was: the first facts of the identity answer that have a value
	Grants      []GrantAt     `json:"grants"`
	Unprobed    string        `json:"unprobed,omitempty"`
	App         GrantedTo     `json:"app"`
	Took        time.Duration `json:"took"`
}

// A GrantAt is a Grant with its time.
type GrantAt struct {
	Grant
	Time time.Time `json:"time"`
}

// GrantedTo is what a grant depends on: another app, another host or other scopes in
// the authorize URL, and it says nothing.
type GrantedTo struct {
	Client secret.Fingerprint `json:"client"` // of the client ID
	API    string             `json:"api"`    // origin of the identity address
	Asked  string             `json:"asked"`  // the scopes that were asked for in the authorize URL
}

// Since says what changed from a to b, so that what was found out of a says nothing
// of b; "" if nothing did.
func (a GrantedTo) Since(b GrantedTo) string {
	switch {
	case a.Client != b.Client:
		return "the client ID changed since"
	case a.API != b.API:
		return "the address of the API changed since"
	case a.Asked != b.Asked:
		return "the scopes that are asked for changed since"
	}
	return ""
}

// GrantedTo is what a grant to this version of an entry depends on. It is zero for a
// version whose addresses cannot be resolved.
func (s *Service) GrantedTo(id config.ID, o config.Opened) GrantedTo {
	sub, err := s.subjectOf(id, o)
	if err != nil {
		return GrantedTo{}
	}
	return sub.grantedTo(s.box)
}

func (s subject) grantedTo(box *secret.Box) GrantedTo {
	asked, _ := s.scopes() // what cannot be sent was not
	return GrantedTo{Client: box.Fingerprint(s.clientID), API: config.OriginOf(s.ends.Identity), Asked: asked}
}

var grantRuns = store.Table[[]GrantRun]{Prefix: "oauth/grants/"}

// maxWhose is how many facts say whose token it was.
const maxWhose = 2

func (r *run) grantRun() GrantRun {
	rep := r.report
	g := GrantRun{Entry: rep.Entry, Run: rep.ID, Version: rep.Version, ContentHash: rep.ContentHash, Kind: rep.Kind, Started: rep.Started, By: rep.By,
		Unprobed: rep.Unprobed, App: r.grantedTo(r.box), Took: rep.Took}
	for _, f := range rep.Identity {
		if f.Value != "" && len(g.Whose) < maxWhose {
			g.Whose = append(g.Whose, Fact{Label: f.Label, Value: f.Value})
		}
	}
	for _, x := range rep.Grants {
		at := rep.Started
		if x.Step >= 0 && x.Step < len(rep.Steps) {
			at = at.Add(rep.Steps[x.Step].Start)
		}
		g.Grants = append(g.Grants, GrantAt{x, at})
	}
	return g
}

// keepGrantsOf stores what r found out, with the runs before it.
func keepGrantsOf(tx store.Tx, id config.ID, g GrantRun) error {
	if len(g.Grants) == 0 {
		return nil
	}
	list, err := getGrants(tx, id)
	if err != nil {
		return err
	}
	list = append([]GrantRun{g}, list...)
	return grantRuns.Put(tx, string(id), list[:min(len(list), keepGrants)])
}

func getGrants(r store.Getter, id config.ID) ([]GrantRun, error) {
	list, err := grantRuns.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return list, err
}

// Grants returns the runs that found out about the permissions of an entry, newest
// first; none is no error.
func (s *Service) Grants(ctx context.Context, id config.ID) (list []GrantRun, err error) {
	err = s.store.View(ctx, func(r store.Reader) (err error) {
		list, err = getGrants(r, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the grants of %s: %w", id, err)
	}
	return list, nil
}
