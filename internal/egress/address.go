package egress

import "net/netip"

// A kind says what an address is for. The zero kind is reserved, so that an
// address that no rule knows is refused.
type kind int

const (
	reserved kind = iota
	public
	loopback
	private
	uniqueLocal
	carrier
	linkLocal
	documentation
	benchmark
	translated
	metadata
	multicast
	unspecified
	broadcast
)

var kindNames = [...]string{"reserved", "public", "loopback", "private", "unique local", "carrier NAT", "link-local",
	"documentation", "benchmark", "translated", "metadata", "multicast", "unspecified", "broadcast"}

func (k kind) String() string { return kindNames[k] }

// byName reports whether a host on the allow-list by its name may have such an
// address. Link-local is not among them: no service is named so, but the
// metadata services of clouds live there.
func (k kind) byName() bool {
	return k == loopback || k == private || k == uniqueLocal || k == carrier
}

// byNetwork reports whether such an address may be called if the operator lists
// it, or a network around it, in numbers.
func (k kind) byNetwork() bool {
	return k == public || k.byName() || k == linkLocal || k == reserved || k == documentation || k == benchmark
}

// rules are tried in their order. Sources: the IANA special-purpose address
// registries for IPv4 and IPv6 (RFC 6890 and its updates), and the addresses at
// which clouds serve credentials to their machines; one of those, Azure's, is a
// public address.
var rules = []struct {
	kind     kind
	prefixes []netip.Prefix
}{
	{metadata, prefixes("169.254.169.254/32", "169.254.169.253/32", "169.254.170.2/32", "169.254.170.23/32", "169.254.0.23/32",
		"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
		"fd00:ec2::/96", "fd20:ce::254/128", "fd00:42::42/128", "fe80::a9fe:a9fe/128")},
	{broadcast, prefixes("255.255.255.255/32")},
	{unspecified, prefixes("0.0.0.0/8", "::/128")},
	{loopback, prefixes("127.0.0.0/8", "::1/128")},
	{private, prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")},
	{carrier, prefixes("100.64.0.0/10")},
	{linkLocal, prefixes("169.254.0.0/16", "fe80::/10")},
	{uniqueLocal, prefixes("fc00::/7")},
	{multicast, prefixes("224.0.0.0/4", "ff00::/8")},
	{documentation, prefixes("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")},
	{benchmark, prefixes("198.18.0.0/15", "2001:2::/48")},
	{translated, prefixes("192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")},
	{reserved, prefixes("192.0.0.0/24", "240.0.0.0/4", "2001::/23")},
	{public, prefixes("0.0.0.0/0", "2000::/3")},
}

// nat64 is the well-known prefix (RFC 6052): in a network with IPv6 alone, the
// public IPv4 hosts are found there. Every other form of an IPv4 address in an
// IPv6 one is refused whole.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func kindOf(a netip.Addr) kind {
	if a.Zone() != "" {
		if a = a.WithZone(""); kindOf(a) == linkLocal {
			return linkLocal
		}
		return reserved
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		if kindOf(netip.AddrFrom4([4]byte(b[12:]))) == public {
			return public
		}
		return translated
	}
	for _, r := range rules {
		for _, p := range r.prefixes {
			if p.Contains(a) {
				return r.kind
			}
		}
	}
	return reserved
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
