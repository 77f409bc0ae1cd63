package egress

import (
	"net/netip"
	"net/url"
	"strconv"
)

// A target is where a checked URL leads.
type target struct {
	host  string // plain
	port  uint16
	named bool // on the allow-list by its name
}

// CheckURL reports whether u may be called, as far as its text tells: scheme,
// port, user information, and an address written in it. What a name resolves to
// is checked at each call. Its error is an [*Error] of class Refused.
func (g *Guard) CheckURL(u *url.URL) error {
	_, err := g.check(u)
	return err
}

func (g *Guard) check(u *url.URL) (target, error) {
	t, err := parseTarget(u)
	if err != nil {
		return target{}, err
	}
	named, numbered := g.allow.lists(t.host, t.port)
	t.named = named
	if named || numbered {
		return t, g.checkAddress(t)
	}
	if u.Scheme != "https" {
		return target{}, refuse("The address must begin with https://.")
	}
	if !g.usualPort(t.port) {
		return target{}, refuse("The address has port " + strconv.Itoa(int(t.port)) +
			", which is not allowed. Remove it, or ask the operator to allow it.")
	}
	return t, g.checkAddress(t)
}

func (g *Guard) checkAddress(t target) error {
	if a, err := netip.ParseAddr(t.host); err == nil && !g.mayDial(netip.AddrPortFrom(a, t.port), false) {
		return errRefused
	}
	return nil
}

func parseTarget(u *url.URL) (target, error) {
	port := map[string]uint16{"http": 80, "https": 443}[u.Scheme]
	if port == 0 {
		return target{}, refuse("The address must begin with https://.")
	}
	if u.User != nil {
		return target{}, refuse("The address must not have a user name or a password in it.")
	}
	if s := u.Port(); s != "" {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return target{}, refuse("The port in the address must be a number from 1 to 65535.")
		}
		port = uint16(n)
	}
	host := plainHost(u.Hostname())
	if _, err := netip.ParseAddr(host); err != nil && !isName(host) {
		return target{}, refuse("The address needs a host name in ASCII, as in https://api.vendor.example/, or an IP address in full.")
	}
	return target{host: host, port: port}, nil
}

// sameOrigin compares scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	ta, errA := parseTarget(a)
	tb, errB := parseTarget(b)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && ta.host == tb.host && ta.port == tb.port
}
