package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// gateAt is a gate of an instance with these trusted proxies.
func gateAt(t *testing.T, public string, proxies ...string) gate {
	g := gate{Deps: Deps{Site: Site{PublicURL: must(url.Parse(public))(t)}}}
	for _, p := range proxies {
		g.Site.Proxies = append(g.Site.Proxies, must(netip.ParsePrefix(p))(t))
	}
	return g
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		remote    string
		proxies   []string
		forwarded []string
		want      string
	}{
		{"10.0.0.7:4711", []string{"10.0.0.0/8"}, []string{"203.0.113.9:4123"}, "203.0.113.9"},
		{"10.0.0.7:4711", []string{"10.0.0.0/8"}, []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"10.0.0.7:4711", []string{"10.0.0.0/8"}, []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"10.0.0.7:4711", []string{"10.0.0.0/8"}, []string{"203.0.113.9, "}, "203.0.113.9"},
		{"203.0.113.7:4711", nil, nil, "203.0.113.7"},
		{"203.0.113.7:4711", nil, []string{"198.51.100.1"}, "203.0.113.7"},                                  // nobody is trusted
		{"203.0.113.7:4711", []string{"10.0.0.0/8"}, []string{"198.51.100.1"}, "203.0.113.7"},               // not this one
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"198.51.100.1"}, "198.51.100.1"},                 // one proxy
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"192.0.2.9, 198.51.100.1"}, "198.51.100.1"},      // the client lied before it
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"192.0.2.9", "198.51.100.1"}, "198.51.100.1"},    // in two headers
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},       // two proxies
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"10.0.0.3"}, "10.0.0.3"},                         // nobody but proxies
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, nil, "10.0.0.1"},                                          // asked by the proxy itself
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"nonsense"}, "10.0.0.1"},                         // as far as it can be known
		{"10.0.0.1:4711", []string{"10.0.0.0/8"}, []string{"198.51.100.1, <b>"}, "10.0.0.1"},                // also behind nonsense
		{"[::ffff:10.0.0.1]:4711", []string{"10.0.0.0/8"}, []string{"::ffff:198.51.100.1"}, "198.51.100.1"}, // mapped
		{"[2001:db8::1]:4711", []string{"2001:db8::/32"}, []string{"2001:db9::7"}, "2001:db9::7"},
		{"[fe80::1%eth0]:4711", []string{"fe80::/10"}, []string{"fe80::2%<script>"}, "fe80::2"},
		{"@", []string{"10.0.0.0/8"}, []string{"198.51.100.1"}, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := gateAt(t, "https://b.example", tt.proxies...).address(r); got != tt.want {
			t.Errorf("%s, trusting %q, with %q: %q, want %q", tt.remote, tt.proxies, tt.forwarded, got, tt.want)
		}
	}
}

func TestBrowserOrigin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		remote, host, proto, forwarded string
		tls                            bool
		want                           string
	}{
		{"203.0.113.7:1", "b.example", "", "", false, "http://b.example"},
		{"203.0.113.7:1", "B.example:8080", "", "", false, "http://b.example:8080"},
		{"203.0.113.7:1", "b.example", "", "", true, "https://b.example"},
		{"203.0.113.7:1", "b.example", "https", "evil.example", false, "http://b.example"}, // from anybody
		{"10.0.0.1:1", "inside", "https", "b.example", false, "https://b.example"},
		{"10.0.0.1:1", "inside", "https, http", "b.example, inside", false, "https://b.example"},
		{"10.0.0.1:1", "b.example", "https", "", false, "https://b.example"},
		{"10.0.0.1:1", "b.example", "gopher", "", true, "https://b.example"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = tt.remote, tt.host
		if tt.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tt.proto)
		}
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-Host", tt.forwarded)
		}
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := gateAt(t, "https://b.example", "10.0.0.0/8").browserOrigin(echo.New().NewContext(r, nil)); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// elsewhere are texts that must not lead to another host, and what does not
// look like a path of ours.
var elsewhere = []string{"", "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:/evil.example",
	"javascript:alert(1)", "evil.example", "//user@evil.example/", "/\tevil", "/\r\nX: y", "/\n/evil.example", "/\x00", "%2F%2Fevil.example", "?q=1", "#top",
	" //evil.example", "https:evil.example", "/a\\b", "mailto:a@b.example", "\u2028//evil.example"}

func TestOwnPath(t *testing.T) {
	t.Parallel()
	for _, next := range elsewhere {
		if got := ownPath(next); got != "/" {
			t.Errorf("%q leads to %q, want /", next, got)
		}
	}
	for next, want := range map[string]string{"/config": "/config", "/config?q=a+b&sort=id": "/config?q=a+b&sort=id", "/config/acme:intercom": "/config/acme:intercom",
		"/audit#top": "/audit", "/%2F/evil.example": "/%2F/evil.example", "/a//b": "/a//b", "/é": "/%C3%A9"} {
		if got := ownPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
	h := open(t, plan{})
	for _, next := range elsewhere {
		page := h.visitor().get("/login?next=" + url.QueryEscape(next)).want(200)
		if got := page.value("input[name=next]"); got != "/" {
			t.Errorf("the sign-in page goes on to %q for %q", got, next)
		}
		h.owner().get("/login?next=" + url.QueryEscape(next)).leadsTo("/")
		h.visitor().post("/theme", "theme", "light", "next", next).leadsTo("/")
	}
}

// Who came by another address than the public one is told, on every page.
func TestAddressWarning(t *testing.T) {
	t.Parallel()
	h := open(t, plan{public: "https://backoffice.example.com", proxies: []string{"127.0.0.0/8"}})
	// The cookie is for https only, as the public URL says; this test speaks http.
	p := h.owner()
	cookies := map[string]string{}
	rec := httptest.NewRecorder()
	if _, err := h.deps.Sessions.Renew(rec, httptest.NewRequest(http.MethodGet, "/", nil), must(seeded())(t).owner, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range rec.Result().Cookies() {
		cookies[c.Name] = c.Value
	}
	cookie := h.deps.Sessions.Name() + "=" + cookies[h.deps.Sessions.Name()]
	const warning = "but this instance is set up as https://backoffice.example.com"
	p.get("/connectors", "Cookie", cookie).want(200, "You are here by "+h.srv.URL, warning)
	p.get("/settings", "Cookie", cookie).want(200, "Not the public URL", "Encrypted")
	at := []string{"Cookie", cookie, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "backoffice.example.com"}
	p.get("/connectors", at...).want(200).lacks("this instance is set up as")
	p.get("/settings", at...).want(200, "The public URL").lacks("Not the public URL")
	page := p.get("/connectors", "Cookie", cookie, "X-Forwarded-Host", `x"><script>`)
	if page.want(200); strings.Contains(page.body, "<script>") {
		t.Error("the host of a request is written as markup")
	}
	save := h.save("acme:intercom", nil)
	if save.Number != 1 {
		t.Fatal(save.Number)
	}
	p.get(entry+"/edit", "Cookie", cookie).want(200).lacks(h.srv.URL + "/auth").one("input[value=https://backoffice.example.com/auth/intercom/callback]")
}
