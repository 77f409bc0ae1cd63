package egress

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// An entry of the allow-list is a name or a network, of one port or of all.
type entry struct {
	name    string       // lower case, without the final dot; "" for a network
	network netip.Prefix // a single address is a network of one
	port    uint16       // 0 means every port
}

type allowList []entry

// lists reports whether the operator has named this host of a URL: by its name,
// or, where the URL has an address, by a network.
func (l allowList) lists(host string, port uint16) (named, numbered bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return false, l.covers(netip.AddrPortFrom(a, port))
	}
	for _, e := range l {
		if e.name != "" && e.name == host && (e.port == 0 || e.port == port) {
			return true, false
		}
	}
	return false, false
}

// covers reports whether a network on the list has this address and port.
func (l allowList) covers(ap netip.AddrPort) bool {
	a := ap.Addr().Unmap().WithZone("")
	for _, e := range l {
		if e.name == "" && e.network.Contains(a) && (e.port == 0 || e.port == ap.Port()) {
			return true
		}
	}
	return false
}

// parseEntry reads one entry. Its errors name the entry and the remedy.
func parseEntry(s string) (entry, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return entry{}, fmt.Errorf("an allow-list entry is empty: remove it")
	case strings.Contains(s, "://"):
		return entry{}, fmt.Errorf("allow-list entry %q: write the host alone, without a scheme or a path", s)
	case strings.Contains(s, "*"):
		return entry{}, fmt.Errorf("allow-list entry %q: wildcards are not known, write each host", s)
	case strings.Contains(s, "/"):
		return parseNetwork(s)
	}
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return numbered(s, a, 0)
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() != 0 {
		return numbered(s, ap.Addr(), ap.Port())
	}
	return parseNamed(s)
}

func parseNetwork(s string) (entry, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return entry{}, fmt.Errorf("allow-list entry %q: write a network as 10.1.0.0/16 or fd12::/32", s)
	}
	if p != p.Masked() {
		return entry{}, fmt.Errorf("allow-list entry %q has bits beyond its length: write %s", s, p.Masked())
	}
	if p.Addr().Is4() && p.Bits() < 8 || p.Bits() < 7 {
		return entry{}, fmt.Errorf("allow-list entry %q is too wide to be a network of your own: write your networks one by one", s)
	}
	if !kindOf(p.Addr()).byNetwork() {
		return entry{}, never(s, p.Addr())
	}
	return entry{network: p}, nil
}

func numbered(s string, a netip.Addr, port uint16) (entry, error) {
	if a.Zone() != "" {
		return entry{}, fmt.Errorf("allow-list entry %q: write the address without its zone", s)
	}
	if a = a.Unmap(); !kindOf(a).byNetwork() {
		return entry{}, never(s, a)
	}
	return entry{network: netip.PrefixFrom(a, a.BitLen()), port: port}, nil
}

func never(s string, a netip.Addr) error {
	return fmt.Errorf("allow-list entry %q: %s addresses are never called, remove it", s, kindOf(a))
}

func parseNamed(s string) (entry, error) {
	host, port := s, uint64(0)
	if h, p, err := net.SplitHostPort(s); err == nil {
		host = h
		if port, err = strconv.ParseUint(p, 10, 16); err != nil || port == 0 {
			return entry{}, fmt.Errorf("allow-list entry %q: the port is a number from 1 to 65535", s)
		}
	}
	name := plainHost(host)
	if !isName(name) {
		return entry{}, fmt.Errorf("allow-list entry %q: write a host name in ASCII, as idp.corp.example or idp.corp.example:8443, "+
			"or an address in full", s)
	}
	return entry{name: name, port: uint16(port)}, nil
}

// plainHost is the form in which hosts are compared.
func plainHost(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }

// isName reports whether s, in its plain form, is a host name. One that ends in
// a number is none: it is an address in a short or odd form, which resolvers
// read in different ways.
func isName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		if strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}
