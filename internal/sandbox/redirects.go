package sandbox

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"backoffice/internal/errs"
)

const (
	maxRedirectURIs = 20
	maxRedirectURI  = 2048 // bytes
)

// plainHost keeps out what a URL parser lets pass in a host but a policy header
// would read as its own syntax.
var plainHost = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?$`)

// checkRedirectURI returns an errs.Invalid on the field "uri" if uri cannot be
// a redirect URI.
func checkRedirectURI(uri string) error {
	bad := func(msg string) error { return errs.Field("uri", msg) }
	if len(uri) > maxRedirectURI {
		return bad("A redirect URI has at most 2,048 characters.")
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Opaque != "" || !plainHost.MatchString(u.Host):
		return bad("Write a whole address, such as https://backoffice.acme.example/auth/intercom/callback.")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("A redirect URI starts with https:// or, for rehearsal, http://.")
	case u.User != nil:
		return bad("A redirect URI has no user name in it.")
	case strings.Contains(uri, "#"):
		return bad("A redirect URI has no fragment (no #).")
	}
	return nil
}

// RedirectURIs returns the registered redirect URIs, in their order.
func (p *Provider) RedirectURIs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.redirects)
}

// AddRedirectURI registers uri. It returns an errs.Invalid on the field "uri"
// if uri cannot be one or the list is full. A known one is not added twice.
func (p *Provider) AddRedirectURI(uri string) error {
	if err := checkRedirectURI(uri); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case slices.Contains(p.redirects, uri):
		return nil
	case len(p.redirects) >= maxRedirectURIs:
		return errs.Field("uri", "Twenty redirect URIs are registered. Remove one first.")
	}
	p.redirects = append(p.redirects, uri)
	return nil
}

// RemoveRedirectURI forgets uri, if it is registered.
func (p *Provider) RemoveRedirectURI(uri string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.redirects = slices.DeleteFunc(p.redirects, func(have string) bool { return have == uri })
}

// accepts reports whether a browser may be sent to uri.
func (p *Provider) accepts(uri string, strict bool) bool {
	if slices.Contains(p.RedirectURIs(), uri) {
		return true
	}
	return !strict && checkRedirectURI(uri) == nil && isLoopback(uri)
}

func isLoopback(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" {
		return false
	}
	return loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
