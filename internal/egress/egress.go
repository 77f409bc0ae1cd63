// Package egress is the one way out: every call that leaves this program goes
// through a [Guard]. Admins type addresses and our server calls them, so a
// call must not become a way into the operator's network.
//
// Invariants:
//   - The address check runs on the address that is really dialled, after the
//     name was resolved. A name that changes its mind in between gains nothing.
//   - Only public addresses are dialled, over https, unless the operator has
//     put the host on the allow-list. Cloud metadata addresses are never dialled.
//   - Every refused address gives the same words.
//   - Time, redirects, response headers and the unpacked body are bounded.
//   - A [Trace] and an [Error] never hold a query, user information, a body, or
//     a header that the caller did not choose.
//   - Proxy settings in the environment are ignored; a connection serves one
//     call; one call is sent once.
//
// An example, with golang.org/x/oauth2:
//
//	trace := &egress.Trace{}
//	ctx = egress.WithTrace(ctx, trace)
//	ctx = context.WithValue(ctx, oauth2.HTTPClient, guard.Client(egress.CallOptions{}))
//	token, err := conf.Exchange(ctx, code)
//	err = egress.Clean(err)
package egress

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// The limits of a call. MaxRedirects is also the most that a caller can ask for.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxBody = 1 << 20
	MaxRedirects   = 3

	connectTimeout = 5 * time.Second // name resolution and TCP together; TLS has the same again
	maxHeaders     = 32 << 10
)

// Options are what an operator may set.
type Options struct {
	// Allow lists the hosts of the operator's own network that may be called:
	// "idp.corp.example" (every port), "idp.corp.example:8443", "10.1.2.3",
	// "[fd12::5]:8443" or "10.1.0.0/16". Such a host may have an address that is
	// not public, any port, and plain http. A network also lets a name through
	// that resolves into it, but then only over https and on a usual port.
	Allow []string
	// Ports are allowed beside 443 for hosts that are not on the list.
	Ports []int
	// RootCAs replaces the system's certificate authorities; nil means those.
	RootCAs *x509.CertPool
	// Resolver replaces the system's name resolution; nil means that.
	Resolver *net.Resolver
	// Now is the clock that certificates are judged by; nil means time.Now.
	Now func() time.Time
}

// A Guard makes clients. It does not change and is safe for concurrent use.
type Guard struct {
	allow    allowList
	ports    []uint16
	roots    *x509.CertPool
	resolver *net.Resolver
	now      func() time.Time

	testOnlyDial func(netip.AddrPort) error // sees the addresses that passed
}

// New returns a Guard. The error joins one for each entry of Allow and Ports
// that cannot be used, each with the remedy.
func New(o Options) (*Guard, error) {
	g := &Guard{ports: []uint16{443}, roots: o.RootCAs, resolver: o.Resolver, now: o.Now}
	if g.now == nil {
		g.now = time.Now
	}
	var bad []error
	for _, s := range o.Allow {
		e, err := parseEntry(s)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		g.allow = append(g.allow, e)
	}
	for _, p := range o.Ports {
		if p < 1 || p > 65535 {
			bad = append(bad, fmt.Errorf("port %d: write a number from 1 to 65535", p))
			continue
		}
		g.ports = append(g.ports, uint16(p))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return g, nil
}

// CallOptions are what a caller may ask for. The zero value is the strictest.
type CallOptions struct {
	// FollowSameOrigin follows the redirects of a GET or HEAD on the same scheme,
	// host and port; any other redirect is then an [Error] of class Redirect.
	// Without it every redirect comes back as the response that it is.
	FollowSameOrigin bool
	// LeaveForeign has a redirect that is not followed come back as the response
	// that it is, also with FollowSameOrigin: for a caller that asks where it leads.
	LeaveForeign bool
	MaxRedirects int           // 0 or more than 3 mean 3
	MaxBody      int64         // bytes after decompression; 0 means 1 MiB
	Timeout      time.Duration // of the whole call with its body; 0 means 10 s
}

// Client returns a client without cookies. It is safe for concurrent use; a
// response's body must be closed, and is for one goroutine.
//
// Its errors are [*Error] inside the *url.Error of net/http, whose text has the
// whole address with its query: show and log only what [Clean] leaves of it, or
// call [Do].
func (g *Guard) Client(o CallOptions) *http.Client {
	if o.MaxRedirects <= 0 || o.MaxRedirects > MaxRedirects {
		o.MaxRedirects = MaxRedirects
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	return &http.Client{
		Transport: &caller{guard: g, opts: o},
		// caller follows redirects itself, so that one deadline spans them all.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do is c.Do with its error cleaned.
func Do(c *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, Clean(err)
	}
	return resp, nil
}

// mayDial is the address rule. named says that the host of the URL is on the
// allow-list by its name.
func (g *Guard) mayDial(ap netip.AddrPort, named bool) bool {
	k := kindOf(ap.Addr())
	return k == public || named && k.byName() || k.byNetwork() && g.allow.covers(ap)
}

func (g *Guard) usualPort(p uint16) bool { return slices.Contains(g.ports, p) }
