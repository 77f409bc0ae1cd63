package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestKinds has every sort of address: may it be dialled without a word from the
// operator, for a host listed by name, and if it is listed in numbers itself?
func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		addr                 string
		kind                 kind
		open, named, network bool
	}{
		{"8.8.8.8", public, true, true, true},
		{"1.0.0.1", public, true, true, true},
		{"100.63.255.255", public, true, true, true},
		{"100.128.0.1", public, true, true, true},
		{"172.15.255.255", public, true, true, true},
		{"172.32.0.1", public, true, true, true},
		{"198.17.255.255", public, true, true, true},
		{"223.255.255.255", public, true, true, true},
		{"2606:4700::1111", public, true, true, true},
		{"2a00:1450:4001::8a", public, true, true, true},
		{"::ffff:8.8.8.8", public, true, true, true},
		{"64:ff9b::8.8.8.8", public, true, true, true},
		{"127.0.0.1", loopback, false, true, true},
		{"127.255.255.254", loopback, false, true, true},
		{"::1", loopback, false, true, true},
		{"::ffff:127.0.0.1", loopback, false, true, true},
		{"10.0.0.1", private, false, true, true},
		{"172.16.0.1", private, false, true, true},
		{"172.31.255.255", private, false, true, true},
		{"192.168.1.1", private, false, true, true},
		{"::ffff:10.0.0.1", private, false, true, true},
		{"fd12::1", uniqueLocal, false, true, true},
		{"fc00::1", uniqueLocal, false, true, true},
		{"100.64.0.1", carrier, false, true, true},
		{"100.127.255.255", carrier, false, true, true},
		{"169.254.1.1", linkLocal, false, false, true},
		{"fe80::1", linkLocal, false, false, true},
		{"fe80::1%eth0", linkLocal, false, false, false},
		{"febf::1", linkLocal, false, false, true},
		{"169.254.169.254", metadata, false, false, false},
		{"::ffff:169.254.169.254", metadata, false, false, false},
		{"169.254.169.253", metadata, false, false, false},
		{"169.254.170.23", metadata, false, false, false},
		{"169.254.0.23", metadata, false, false, false},
		{"fd00:42::42", metadata, false, false, false},
		{"169.254.170.2", metadata, false, false, false},
		{"100.100.100.200", metadata, false, false, false},
		{"168.63.129.16", metadata, false, false, false},
		{"192.0.0.192", metadata, false, false, false},
		{"fd00:ec2::254", metadata, false, false, false},
		{"fd20:ce::254", metadata, false, false, false},
		{"fe80::a9fe:a9fe", metadata, false, false, false},
		{"224.0.0.1", multicast, false, false, false},
		{"239.255.255.255", multicast, false, false, false},
		{"ff02::1", multicast, false, false, false},
		{"0.0.0.0", unspecified, false, false, false},
		{"0.1.2.3", unspecified, false, false, false},
		{"::", unspecified, false, false, false},
		{"::ffff:0.0.0.0", unspecified, false, false, false},
		{"255.255.255.255", broadcast, false, false, false},
		{"192.0.2.1", documentation, false, false, true},
		{"198.51.100.1", documentation, false, false, true},
		{"203.0.113.1", documentation, false, false, true},
		{"2001:db8::1", documentation, false, false, true},
		{"3fff::1", documentation, false, false, true},
		{"198.18.0.1", benchmark, false, false, true},
		{"198.19.255.255", benchmark, false, false, true},
		{"2001:2::1", benchmark, false, false, true},
		{"240.0.0.1", reserved, false, false, true},
		{"192.0.0.8", reserved, false, false, true},
		{"2001:20::1", reserved, false, false, true},
		{"100::1", reserved, false, false, true},
		{"5f00::1", reserved, false, false, true},
		{"4000::1", reserved, false, false, true},
		{"fec0::1", reserved, false, false, true},
		{"::ffff:0:127.0.0.1", reserved, false, false, true},
		{"2606:4700::1111%eth0", reserved, false, false, false},
		{"64:ff9b::127.0.0.1", translated, false, false, false},
		{"64:ff9b::10.0.0.1", translated, false, false, false},
		{"64:ff9b::169.254.169.254", translated, false, false, false},
		{"64:ff9b:1::8.8.8.8", translated, false, false, false},
		{"64:ff9b:1::10.0.0.1", translated, false, false, false},
		{"2002:7f00:1::1", translated, false, false, false},
		{"2002:808:808::1", translated, false, false, false},
		{"2001::1", translated, false, false, false},
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2", translated, false, false, false},
		{"::127.0.0.1", translated, false, false, false},
		{"192.88.99.1", translated, false, false, false},
	} {
		a := netip.MustParseAddr(tt.addr)
		if got := kindOf(a); got != tt.kind {
			t.Errorf("%s is %s, want %s", tt.addr, got, tt.kind)
		}
		ap := netip.AddrPortFrom(a, 443)
		g := newGuard(t, Options{})
		if got := g.mayDial(ap, false); got != tt.open {
			t.Errorf("%s dialled without permission: %t, want %t", tt.addr, got, tt.open)
		}
		if got := g.mayDial(ap, true); got != tt.named {
			t.Errorf("%s dialled for a listed name: %t, want %t", tt.addr, got, tt.named)
		}
		listed, err := New(Options{Allow: []string{tt.addr}})
		if got := err == nil && listed.mayDial(ap, false); got != tt.network {
			t.Errorf("%s dialled when listed itself: %t, want %t (%v)", tt.addr, got, tt.network, err)
		}
		if u := mustURL(t, "https://"+literal(a)+"/"); (g.CheckURL(u) == nil) != tt.open {
			t.Errorf("%s in a URL: %v, want accepted %t", u, g.CheckURL(u), tt.open)
		}
		if got := g.control(ap.String(), false) == nil; got != tt.open {
			t.Errorf("%s let through at dial time: %t, want %t", tt.addr, got, tt.open)
		}
	}
}

func literal(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return "[" + strings.Replace(a.String(), "%", "%25", 1) + "]"
}

// A wide network on the list opens neither metadata nor translated addresses in it.
func TestNetworkKeepsMetadataShut(t *testing.T) {
	g := newGuard(t, Options{Allow: []string{"169.254.0.0/16", "100.64.0.0/10", "168.0.0.0/8", "fc00::/7", "fe80::/10"}})
	for addr, want := range map[string]bool{
		"169.254.1.1": true, "169.254.169.254": false, "100.64.0.1": true, "100.100.100.200": false,
		"168.63.129.16": false, "168.1.1.1": true, "fd12::1": true, "fe80::1%eth0": true, "fe80::a9fe:a9fe": false, "fd00:ec2::254": false,
	} {
		if got := g.mayDial(netip.AddrPortFrom(netip.MustParseAddr(addr), 80), false); got != want {
			t.Errorf("%s: dialled %t, want %t", addr, got, want)
		}
	}
}

// Whatever is refused, by whatever rule and form, the words are the same.
func TestRefusalsAreUniform(t *testing.T) {
	n := newNames(t)
	srv := serve(t, http.NotFoundHandler(), nil)
	g := newGuard(t, Options{Resolver: n.resolver(), Ports: []int{srv.Listener.Addr().(*net.TCPAddr).Port}})
	targets := []string{"127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"}
	for i, addr := range []string{"127.0.0.1", "127.0.0.2", "10.9.8.7", "169.254.169.254", "168.63.129.16", "100.64.1.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.7"} {
		name := "host" + string(rune('a'+i)) + ".example"
		n.set(name, addr)
		targets = append(targets, name)
	}
	n.set("several.example", "127.0.0.1", "127.0.0.2", "10.0.0.1")
	for _, host := range append(targets, "several.example") {
		_, err := get(t.Context(), t, g.Client(CallOptions{}), "https://"+host+":"+srv.port()+"/")
		if e := wantClass(t, err, Refused); e.Msg != errRefused.Msg {
			t.Errorf("%s: %q, want the words of every refusal", host, e.Msg)
		}
	}
	if c := srv.conns.Load(); c != 0 {
		t.Errorf("%d connections reached the listener on loopback", c)
	}
}

// Short and odd forms of an address are no host names.
func TestOddForms(t *testing.T) {
	g := newGuard(t, Options{})
	for _, host := range []string{"2130706433", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.0x1", "１２７.0.0.1", "localhost%00", "a..b", "-a.example", ""} {
		u := mustURL(t, "https://x/")
		u.Host = host
		if err := g.CheckURL(u); err == nil {
			t.Errorf("%q is accepted", host)
		} else {
			wantClass(t, err, Refused)
		}
	}
}

// The name answers with a public address when it is first asked, with loopback
// when the next call dials, and then with both at once.
func TestRebinding(t *testing.T) {
	n := newNames(t)
	srv := serve(t, http.NotFoundHandler(), nil)
	g := newGuard(t, Options{Resolver: n.resolver(), Ports: []int{srv.Listener.Addr().(*net.TCPAddr).Port}})
	var mu sync.Mutex
	var passed []string
	g.testOnlyDial = func(ap netip.AddrPort) error { // keeps the test off the public network
		mu.Lock()
		defer mu.Unlock()
		passed = append(passed, ap.Addr().String())
		return errors.New("stopped by the test")
	}
	client, url := g.Client(CallOptions{}), "https://rebind.example:"+srv.port()+"/"
	call := func() error {
		_, err := get(t.Context(), t, client, url)
		return err
	}

	n.set("rebind.example", "8.8.8.8")
	wantClass(t, call(), Connect)
	if !slices.Equal(passed, []string{"8.8.8.8"}) {
		t.Fatalf("the public address must pass the check: %q", passed)
	}
	n.set("rebind.example", "127.0.0.1")
	wantClass(t, call(), Refused)
	n.set("rebind.example", "8.8.4.4", "127.0.0.1")
	if call() == nil {
		t.Error("a call without any connection succeeded")
	}
	if !slices.Equal(passed, []string{"8.8.8.8", "8.8.4.4"}) {
		t.Errorf("these passed the check: %q", passed)
	}
	if c := srv.conns.Load(); c != 0 {
		t.Errorf("%d connections reached the listener on loopback", c)
	}
}

// A name that the operator lists may be on loopback; the same server under
// another name, or on a port that the entry does not have, may not.
func TestAllowListedName(t *testing.T) {
	n := newNames(t)
	n.set("inside.example", "127.0.0.1")
	n.set("other.example", "127.0.0.1")
	n.set("link.example", "169.254.1.1")
	srv := serve(t, http.NotFoundHandler(), nil)
	for _, tt := range []struct {
		allow, host string
		class       Class
	}{
		{"inside.example", "inside.example", None},
		{"Inside.Example.", "inside.example", None},
		{"inside.example", "INSIDE.example.", None},
		{"inside.example:" + srv.port(), "inside.example", None},
		{"127.0.0.1", "127.0.0.1", None},
		{"127.0.0.1:" + srv.port(), "127.0.0.1", None},
		{"127.0.0.0/8", "127.0.0.1", None},
		{"inside.example:1", "inside.example", Refused},
		{"127.0.0.1:1", "127.0.0.1", Refused},
		{"inside.example", "other.example", Refused},
		{"inside.example", "sub.inside.example", Refused},
		{"127.0.0.0/8", "inside.example", Refused}, // plain http by name needs the name
		{"link.example", "link.example", Refused},
	} {
		g := newGuard(t, Options{Allow: []string{tt.allow}, Resolver: n.resolver()})
		resp, err := get(t.Context(), t, g.Client(CallOptions{}), "http://"+tt.host+":"+srv.port()+"/")
		if tt.class != None {
			wantClass(t, err, tt.class)
			continue
		}
		if err != nil {
			t.Errorf("%s with %s allowed: %v", tt.host, tt.allow, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s with %s allowed: status %d", tt.host, tt.allow, resp.StatusCode)
		}
	}
	if got := srv.requests.Load(); got != 7 {
		t.Errorf("%d requests arrived, want the 7 allowed ones", got)
	}
}

// FuzzAddress compares the rules with a second reading of the registries that
// shares no code with them.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"8.8.8.8", "127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::808:808", "2002:a00:1::",
		"fe80::1%lo", "169.254.169.254", "2001:db8::", "100.100.100.200", "168.63.129.16", "2606:4700::1"} {
		f.Add(s)
	}
	g, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g.control(net.JoinHostPort(s, "443"), false) != nil {
			return
		}
		ip := net.ParseIP(s)
		if ip == nil || !plainlyPublic(ip) {
			t.Errorf("%q may be dialled and is not a global unicast address", s)
		}
	})
}

func plainlyPublic(ip net.IP) bool {
	if v4 := ip.To4(); v4 != nil {
		ip = v4
	} else if ip[0] == 0 && ip[1] == 0x64 && ip[2] == 0xff && ip[3] == 0x9b && strings.Trim(string(ip[4:12]), "\x00") == "" {
		ip = ip[12:]
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	if len(ip) == 16 {
		first := uint16(ip[0])<<8 | uint16(ip[1])
		second := uint16(ip[2])<<8 | uint16(ip[3])
		return first>>13 == 1 && first != 0x2002 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && !(first == 0x3fff && second < 0x1000)
	}
	a, b, c, d := ip[0], ip[1], ip[2], ip[3]
	switch {
	case a == 0, a >= 224, a == 100 && b >= 64 && b < 128, a == 198 && (b == 18 || b == 19),
		a == 192 && b == 0 && (c == 0 || c == 2), a == 198 && b == 51 && c == 100, a == 203 && b == 0 && c == 113,
		a == 192 && b == 88 && c == 99, a == 168 && b == 63 && c == 129 && d == 16:
		return false
	}
	return true
}

// A name that resolves to nothing says so, and the name servers' silence differs.
func TestNoAddress(t *testing.T) {
	n := newNames(t)
	g := newGuard(t, Options{Resolver: n.resolver()})
	_, err := get(t.Context(), t, g.Client(CallOptions{}), "https://nowhere.example/")
	if e := wantClass(t, err, DNS); e.Msg != "The name nowhere.example has no address. Check its spelling." {
		t.Errorf("got %q", e.Msg)
	}
	broken := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route")
	}}
	_, err = get(t.Context(), t, newGuard(t, Options{Resolver: broken}).Client(CallOptions{}), "https://nowhere.example/")
	if e := wantClass(t, err, DNS); !strings.Contains(e.Msg, "name servers gave no answer") {
		t.Errorf("got %q", e.Msg)
	}
}
