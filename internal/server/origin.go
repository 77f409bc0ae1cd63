package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// address is where a request came from: the nearest address that is no trusted
// proxy. Forwarding headers of anybody else are not believed.
func (g gate) address(r *http.Request) string {
	addr := remoteAddr(r)
	var hops []string
	if g.trusted(addr) {
		hops = strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
	}
	for i := len(hops) - 1; i >= 0 && g.trusted(addr); i-- {
		text := strings.TrimSpace(hops[i])
		if text == "" {
			continue
		}
		hop, ok := parseHop(text)
		if !ok {
			break
		}
		addr = hop
	}
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// parseHop reads one element of X-Forwarded-For. Some proxies write a port, or
// brackets around IPv6.
func parseHop(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		withPort, portErr := netip.ParseAddrPort(s)
		if portErr != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

func remoteAddr(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func (g gate) trusted(addr netip.Addr) bool {
	for _, p := range g.Site.Proxies {
		if addr.IsValid() && p.Contains(addr) {
			return true
		}
	}
	return false
}

// browserOrigin is the origin that the browser's address bar shows, as far as
// the request tells.
func (g gate) browserOrigin(c echo.Context) string {
	r := c.Request()
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if g.trusted(remoteAddr(r)) {
		if p := firstOf(r.Header.Get(echo.HeaderXForwardedProto)); p == "http" || p == "https" {
			scheme = p
		}
		if h := firstOf(r.Header.Get("X-Forwarded-Host")); h != "" {
			host = h
		}
	}
	return scheme + "://" + strings.ToLower(host)
}

// firstOf is the first of the values in a header that proxies append to.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// origin is the public URL without a path.
func (g gate) origin() string { return g.Site.PublicURL.Scheme + "://" + g.Site.PublicURL.Host }

// addressWarning tells somebody who came by another address than the public
// one: providers send the browser to the public one, where this session is not.
func (g gate) addressWarning(c echo.Context) string {
	public := g.origin()
	if seen := g.browserOrigin(c); seen != public {
		return "You are here by " + seen + ", but this instance is set up as " + public + ". Addresses to register are built from the latter, and providers send browsers there. Open " + public + ", or correct the public URL."
	}
	return ""
}
