package webhook

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
)

// An Address is where the notifications of some entries arrive: "intercom" for
// all entries of that service, "acme/intercom" for those of one vendor.
type Address struct {
	Path   string
	groups []group
}

// A group is the entries of an address that follow one definition.
type group struct {
	def     *connector.Definition
	sources []labelled
	entries []config.Entry
}

// labelled is a network that a provider documents as its own.
type labelled struct {
	label   string
	network netip.Prefix
}

// routing is which entries are behind which address.
type routing struct {
	generation int64
	paths      map[string]*Address
	entries    map[config.ID]bool
}

// Route finds the entries behind the path of an address, "intercom" or
// "acme/intercom". It costs one point read: what it looks in is in memory until
// an entry changes. An address is behind none if no definition says that the
// service sends notifications.
func (s *Service) Route(ctx context.Context, path string) (Address, bool, error) {
	r, err := s.routes(ctx)
	if err != nil {
		return Address{}, false, err
	}
	a, ok := r.paths[path]
	if !ok {
		return Address{}, false, nil
	}
	return *a, true, nil
}

// routes is the routing of now.
func (s *Service) routes(ctx context.Context) (*routing, error) {
	generation, err := s.config.Generation(ctx)
	if err != nil {
		return nil, err
	}
	if r := s.routing.Load(); r != nil && r.generation >= generation {
		return r, nil
	}
	s.building.Lock()
	defer s.building.Unlock()
	if r := s.routing.Load(); r != nil && r.generation >= generation {
		return r, nil
	}
	all, err := s.config.All(ctx)
	if err != nil {
		return nil, err
	}
	r := s.route(all)
	r.generation = generation // All may have seen a newer one, and is then read once more
	s.routing.Store(r)
	s.holdings.forget(r.entries)
	s.logs.forget(r.entries)
	return r, nil
}

func (s *Service) route(all []config.Entry) *routing {
	r := &routing{paths: map[string]*Address{}, entries: make(map[config.ID]bool, len(all))}
	networks := map[*connector.Definition][]labelled{}
	for _, e := range all {
		r.entries[e.ID] = true
		def := s.config.Definition(e.ID)
		if def == nil || def.Webhooks == nil {
			continue
		}
		if _, ok := networks[def]; !ok {
			networks[def] = networksOf(def.Webhooks.Sources)
		}
		r.add(e.ID.Service(), e, def, networks[def])
		r.add(ownPath(e.ID), e, def, networks[def])
	}
	return r
}

func (r *routing) add(path string, e config.Entry, def *connector.Definition, sources []labelled) {
	a := r.paths[path]
	if a == nil {
		a = &Address{Path: path}
		r.paths[path] = a
	}
	for i := range a.groups {
		if a.groups[i].def == def {
			a.groups[i].entries = append(a.groups[i].entries, e)
			return
		}
	}
	a.groups = append(a.groups, group{def, sources, []config.Entry{e}})
}

// ownPath is the address that belongs to an entry's vendor alone.
func ownPath(id config.ID) string { return id.Vendor() + "/" + id.Service() }

// size is how many entries are behind the address.
func (a Address) size() (n int) {
	for _, g := range a.groups {
		n += len(g.entries)
	}
	return n
}

// ids are the entries behind the address.
func (a Address) ids() (ids []config.ID) {
	for _, g := range a.groups {
		for _, e := range g.entries {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// Refuse is the status for what no entry behind the address has signed.
func (a Address) Refuse() int {
	if len(a.groups) == 0 {
		return 0
	}
	return a.groups[0].def.Webhooks.Refuse
}

// networksOf reads what the definition's validation has proved.
func networksOf(sources []connector.Source) (out []labelled) {
	for _, s := range sources {
		for _, text := range s.Addresses {
			p, err := netip.ParsePrefix(text)
			if a, addrErr := netip.ParseAddr(text); addrErr == nil {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
			if err == nil {
				out = append(out, labelled{s.Label, p.Masked()})
			}
		}
	}
	return out
}

// sourceOf is the label of the network that an address is in, or "".
func sourceOf(networks []labelled, from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return ""
	}
	for _, n := range networks {
		if n.network.Contains(a.Unmap()) {
			return n.label
		}
	}
	return ""
}

// Addresses returns the path for this entry, to stand after "/webhooks/" in the
// address to register: "intercom", or "acme/intercom" where another vendor has
// the service too; and with which other entries it shares the short one. It
// returns an errs.NotFound if there is no such entry, or its service sends no
// notifications.
func (s *Service) Addresses(ctx context.Context, id config.ID) (own string, shared []config.ID, err error) {
	r, err := s.routes(ctx)
	if err != nil {
		return "", nil, err
	}
	a := r.paths[ownPath(id)]
	if !r.entries[id] || a == nil {
		return "", nil, unrouted(id)
	}
	short := r.paths[id.Service()]
	own = short.Path
	for _, other := range short.ids() {
		if other == id {
			continue
		}
		shared = append(shared, other)
		if other.Vendor() != id.Vendor() {
			own = a.Path
		}
	}
	return own, shared, nil
}

func unrouted(id config.ID) error {
	return errs.Newf(errs.NotFound, "No notifications can arrive for %s: there is no such entry, or no definition says that %s sends any.", id, cmp.Or(id.Service(), "its service"))
}

// group finds the group of an entry behind its own address, with the entry.
func (s *Service) group(ctx context.Context, id config.ID) (group, config.Entry, error) {
	r, err := s.routes(ctx)
	if err != nil {
		return group{}, config.Entry{}, err
	}
	if a := r.paths[ownPath(id)]; a != nil {
		for _, g := range a.groups {
			for _, e := range g.entries {
				if e.ID == id {
					return g, e, nil
				}
			}
		}
	}
	return group{}, config.Entry{}, unrouted(id)
}

// isEntry reports whether an owner is an entry, and not an address that several
// share.
func isEntry(owner string) bool { return strings.Contains(owner, ":") }

// ownerKey is an owner as a part of a store key: an address has a slash in it,
// and no part of an id has a plus.
func ownerKey(owner string) string { return strings.ReplaceAll(owner, "/", "+") }

// checkOwner returns an errs.NotFound unless owner can be one.
func checkOwner(owner string) error {
	id := owner
	if !isEntry(owner) {
		id = "x:" + owner
		if vendor, service, ok := strings.Cut(owner, "/"); ok {
			id = vendor + ":" + service
		}
	}
	if _, err := config.ParseID(id); err != nil {
		return errs.Wrap(errs.NotFound, "There are no notifications under this name.", fmt.Errorf("owner %q: %w", owner, err))
	}
	return nil
}
