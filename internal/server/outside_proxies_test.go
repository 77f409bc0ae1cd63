package server

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/egress"
	"backoffice/internal/outside"

	"golang.org/x/net/dns/dnsmessage"
)

// A front is a reverse proxy before a house, as an operator would have one, with
// at most one fault.
type front struct {
	plain    bool                            // http, not https
	host     string                          // of the public URL, instead of 127.0.0.1
	strange  bool                            // the house does not trust it
	request  func(*httputil.ProxyRequest)    // changes what goes in
	response func(*http.Response) error      // changes what comes out
	wrap     func(http.Handler) http.Handler // stands before the proxy
	setUp    func(*egress.Options, *outside.Options)
}

// behind is a house with f before it; the public URL is that of f.
func behind(t *testing.T, f front) *house {
	t.Helper()
	var inner atomic.Pointer[url.URL]
	proxy := &httputil.ReverseProxy{ErrorLog: nil, ModifyResponse: f.response, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(inner.Load())
		r.SetXForwarded()
		r.Out.Host = r.In.Host
		if f.request != nil {
			f.request(r)
		}
	}}
	handler := http.Handler(proxy)
	if f.wrap != nil {
		handler = f.wrap(handler)
	}
	srv := httptest.NewUnstartedServer(handler)
	srv.Config.ErrorLog = nil
	if f.plain {
		srv.Start()
	} else {
		srv.Config.ErrorLog = discardLog
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	public := must(url.Parse(srv.URL))(t)
	if f.host != "" {
		public.Host = net.JoinHostPort(f.host, public.Port())
	}
	p := plan{public: public.String(), proxies: []string{"127.0.0.0/8"}, outside: func(way *egress.Options, o *outside.Options) {
		o.Now, o.GoodSpeed = time.Now, time.Hour
		if srv.Certificate() != nil {
			way.RootCAs = x509.NewCertPool()
			way.RootCAs.AddCert(srv.Certificate())
		}
		way.Resolver = namesOf(t)
		if f.setUp != nil {
			f.setUp(way, o)
		}
	}}
	if f.strange {
		p.proxies = nil
	}
	h := open(t, p)
	inner.Store(must(url.Parse(h.srv.URL))(t))
	return h
}

// namesOf is a name server for which example.com is this machine, and every
// other name has no address.
func namesOf(t *testing.T) *net.Resolver {
	t.Helper()
	conn := must(net.ListenPacket("udp", "127.0.0.1:0"))(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for buf := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if out, ok := resolve(buf[:n]); ok {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-served })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func resolve(question []byte) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil, false
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	switch {
	case q.Name.String() != "example.com.":
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	}
	out, err := m.Pack()
	return out, err == nil
}

// changeQuery changes the query that goes in.
func changeQuery(change func(string) string) func(*httputil.ProxyRequest) {
	return func(r *httputil.ProxyRequest) { r.Out.URL.RawQuery = change(r.In.URL.RawQuery) }
}

// movePath changes the path that goes in.
func movePath(change func(string) string) func(*httputil.ProxyRequest) {
	return func(r *httputil.ProxyRequest) { r.Out.URL.Path, r.Out.URL.RawPath = change(r.In.URL.Path), "" }
}

// refuse answers requests with a method before they come in.
func refuse(method string, status int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method {
				http.Error(w, "not here", status)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// cached keeps answers to GET for ever, by what key makes of the address.
func cached(key func(*url.URL) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var mu sync.Mutex
		kept := map[string]*httptest.ResponseRecorder{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet {
				next.ServeHTTP(w, r)
				return
			}
			k := key(r.URL)
			if kept[k] == nil {
				kept[k] = httptest.NewRecorder()
				next.ServeHTTP(kept[k], r)
			}
			maps.Copy(w.Header(), kept[k].Header())
			w.WriteHeader(kept[k].Code)
			_, _ = w.Write(kept[k].Body.Bytes())
		})
	}
}

// reencode reads a JSON body and writes it again.
func reencode(r *httputil.ProxyRequest) {
	if r.In.Method != http.MethodPost {
		return
	}
	var v any
	b, err := io.ReadAll(r.In.Body)
	if err != nil || json.Unmarshal(b, &v) != nil {
		panic("the body is no JSON")
	}
	b, _ = json.Marshal(v)
	r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	r.Out.Header.Del("Content-Length")
}

// verdicts are those of a healthy way over https at a loopback address.
func verdicts(changes map[outside.Aspect]outside.Verdict) map[outside.Aspect]outside.Verdict {
	out := map[outside.Aspect]outside.Verdict{}
	for _, a := range outside.Aspects() {
		out[a] = outside.OK
	}
	out[outside.Name] = outside.Warning
	maps.Copy(out, changes)
	return out
}

// only is nothing checked but what is given.
func only(given map[outside.Aspect]outside.Verdict) map[outside.Aspect]outside.Verdict {
	out := map[outside.Aspect]outside.Verdict{}
	for _, a := range outside.Aspects() {
		out[a] = outside.NotChecked
	}
	out[outside.Name] = outside.Warning
	maps.Copy(out, given)
	return out
}

type aspectsOf = map[outside.Aspect]outside.Verdict

var threeProxies = []outside.Proxy{outside.Caddy, outside.Traefik, outside.Nginx}

// Each fault of a proxy is named by the right aspect, and by no other.
func TestOutsideFaults(t *testing.T) {
	t.Parallel()
	const w, no = outside.Wrong, outside.NotChecked
	for _, tt := range []struct {
		name      string
		front     front
		aspect    outside.Aspect // that the columns after it are about
		want      aspectsOf      // of all aspects
		delivered string         // a part of what the finding says was delivered
		reason    string         // a part of the reason
		lines     []outside.Proxy
	}{
		{"healthy", front{}, outside.Reach, verdicts(nil), "", "comes to this instance", nil},
		{"healthy, by name", front{host: "example.com"}, outside.Name, verdicts(nil), "loopback IPv4", "not public", nil},
		{"healthy, http", front{plain: true}, outside.Scheme, verdicts(aspectsOf{outside.Scheme: outside.Warning, outside.Certificate: no}), "http", "Providers ask for https", nil},
		{"scheme missing", front{request: func(r *httputil.ProxyRequest) { r.Out.Header.Del("X-Forwarded-Proto") }}, outside.Scheme,
			verdicts(aspectsOf{outside.Scheme: w}), "http", "X-Forwarded-Proto is missing", threeProxies},
		{"scheme of an inner hop", front{request: func(r *httputil.ProxyRequest) { r.Out.Header.Set("X-Forwarded-Proto", "http") }}, outside.Scheme,
			verdicts(aspectsOf{outside.Scheme: w}), "http", "X-Forwarded-Proto says http.", threeProxies},
		{"proxy not trusted", front{strange: true}, outside.Scheme, verdicts(aspectsOf{outside.Scheme: w}), "http", "says https, but the proxy that sent it is not trusted",
			append([]outside.Proxy{outside.BackOffice}, threeProxies...)},
		{"host rewritten", front{request: func(r *httputil.ProxyRequest) {
			r.Out.Host = "backend.internal:8080"
			r.Out.Header.Set("X-Forwarded-Host", "backend.internal:8080")
		}}, outside.Host, verdicts(aspectsOf{outside.Host: w, outside.Port: no}), "backend.internal", "Sent to 127.0.0.1, seen as backend.internal", threeProxies},
		{"inner port leaks", front{request: func(r *httputil.ProxyRequest) { r.Out.Header.Set("X-Forwarded-Host", "127.0.0.1:8080") }}, outside.Port,
			verdicts(aspectsOf{outside.Port: w}), "8080", "seen with port 8080", threeProxies},
		{"prefix stripped", front{request: movePath(func(s string) string { return strings.TrimPrefix(s, "/auth") })}, outside.Path,
			verdicts(aspectsOf{outside.Path: w, outside.Redirect: no, outside.Cookie: no, outside.Cache: no}), "/outside-in/callback", "a prefix is stripped", threeProxies},
		{"prefix doubled", front{request: movePath(func(s string) string { return "/webhooks" + s })}, outside.Path,
			verdicts(aspectsOf{outside.Path: w, outside.Redirect: no, outside.Cookie: no, outside.Cache: no, outside.Head: no, outside.Body: no, outside.Speed: no}),
			"/webhooks/auth/outside-in/callback", "a prefix is added", threeProxies},
		{"slash added", front{request: movePath(func(s string) string { return s + "/" })}, outside.Path,
			verdicts(aspectsOf{outside.Path: w, outside.Redirect: no, outside.Cookie: no, outside.Cache: no, outside.Head: no, outside.Body: no, outside.Speed: no}),
			"/auth/outside-in/callback/", "a slash is added", threeProxies},
		{"everything to the root", front{request: movePath(func(string) string { return "/" })}, outside.Path,
			verdicts(aspectsOf{outside.Path: w, outside.Redirect: no, outside.Cookie: no, outside.Cache: no, outside.Head: no, outside.Body: no, outside.Speed: no}),
			"/", "the path is rewritten", threeProxies},
		{"query dropped", front{request: changeQuery(func(string) string { return "" })}, outside.Query, verdicts(aspectsOf{outside.Query: w}), "no query", "is dropped", threeProxies},
		{"query decoded", front{request: changeQuery(func(s string) string { return must(url.PathUnescape(s))(t) })}, outside.Query, verdicts(aspectsOf{outside.Query: w}),
			"code=a+b=/c&state=<nonce>&scope=read+write", "is decoded", threeProxies},
		{"query in another order", front{request: changeQuery(func(s string) string { return must(url.ParseQuery(s))(t).Encode() })}, outside.Query, verdicts(aspectsOf{outside.Query: w}),
			"code=a%2Bb%3D%2Fc&scope=read+write&state=<nonce>", "written anew", threeProxies},
		{"query with more", front{request: changeQuery(func(s string) string { return s + "&utm=1" })}, outside.Query, verdicts(aspectsOf{outside.Query: w}), "&utm=1", "is changed", threeProxies},
		{"redirect to an inner port", front{response: func(r *http.Response) error {
			if l := r.Header.Get("Location"); l != "" {
				r.Header.Set("Location", "https://127.0.0.1:8443"+l)
			}
			return nil
		}}, outside.Redirect, verdicts(aspectsOf{outside.Redirect: w}), "https://127.0.0.1:8443/auth/outside-in/callback", "leads browsers elsewhere", threeProxies},
		{"redirect removed", front{response: func(r *http.Response) error { r.Header.Del("Location"); return nil }}, outside.Redirect,
			verdicts(aspectsOf{outside.Redirect: w}), "no redirect", "does not reach the browser", threeProxies},
		{"Set-Cookie stripped", front{response: func(r *http.Response) error { r.Header.Del("Set-Cookie"); return nil }}, outside.Cookie,
			verdicts(aspectsOf{outside.Cookie: w}), "0 cookies", "does not reach the browser", threeProxies},
		{"Set-Cookie changed", front{response: func(r *http.Response) error {
			r.Header.Set("Set-Cookie", strings.NewReplacer("; Secure", "", "SameSite=Lax", "SameSite=Strict; Domain=example.com", "; HttpOnly", "").Replace(r.Header.Get("Set-Cookie")))
			return nil
		}}, outside.Cookie, verdicts(aspectsOf{outside.Cookie: w}), "SameSite is not Lax, it has a domain, it lost HttpOnly, it lost Secure", "changed on its way out", threeProxies},
		{"Cookie stripped", front{request: func(r *httputil.ProxyRequest) { r.Out.Header.Del("Cookie") }}, outside.Cookie, verdicts(aspectsOf{outside.Cookie: w}),
			"no cookie came back", "does not come back", threeProxies},
		{"cache without queries", front{wrap: cached(func(u *url.URL) string { return u.Path })}, outside.Cache, verdicts(aspectsOf{outside.Cache: w, outside.Cookie: no}),
			"one answer for two requests", "never came here", threeProxies},
		{"cache with queries", front{wrap: cached(func(u *url.URL) string { return u.String() })}, outside.Cache, verdicts(aspectsOf{outside.Cache: w}),
			"an answer that was kept", "got the old answer", threeProxies},
		{"HEAD refused", front{wrap: refuse(http.MethodHead, 405)}, outside.Head, verdicts(aspectsOf{outside.Head: w}), "status 405", "HEAD is answered with 405", threeProxies},
		{"HEAD made a GET", front{request: func(r *httputil.ProxyRequest) {
			if r.In.Method == http.MethodHead {
				r.Out.Method = http.MethodGet
			}
		}}, outside.Head, verdicts(aspectsOf{outside.Head: w}), "GET", "HEAD is turned into GET", threeProxies},
		{"body written anew", front{request: reencode}, outside.Body, verdicts(aspectsOf{outside.Body: w}), "POST, ", "The body is changed", threeProxies},
		{"line ends changed", front{request: func(r *httputil.ProxyRequest) {
			if r.In.Method == http.MethodPost {
				b, _ := io.ReadAll(r.In.Body)
				r.Out.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(b, []byte("\r\n"), []byte(" \n"))))
			}
		}}, outside.Body, verdicts(aspectsOf{outside.Body: w}), "POST, 49152 bytes", "The body is changed", threeProxies},
		{"long body cut off", front{wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ContentLength > 1<<10 {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			})
		}}, outside.Body, verdicts(aspectsOf{outside.Body: w, outside.Header: no, outside.Speed: no}), "nothing", "A body of 3 bytes comes here, one of 48 KiB does not", threeProxies},
		{"body too large", front{wrap: refuse(http.MethodPost, 413)}, outside.Body, verdicts(aspectsOf{outside.Body: w, outside.Header: no, outside.Speed: no}),
			"status 413", "48 KiB is refused", threeProxies},
		{"POST refused", front{wrap: refuse(http.MethodPost, 403)}, outside.Body, verdicts(aspectsOf{outside.Body: w, outside.Header: no, outside.Speed: no}),
			"status 403", "POST is answered with 403", threeProxies},
		{"header filtered", front{request: func(r *httputil.ProxyRequest) {
			r.Out.Header.Del("X-Hub-Signature-256")
			r.Out.Header.Del("X-Outside-In")
		}}, outside.Header, verdicts(aspectsOf{outside.Header: w}), "no X-Hub-Signature-256", "filtered out", threeProxies},
		{"header changed", front{request: func(r *httputil.ProxyRequest) {
			if r.In.Method == http.MethodPost {
				r.Out.Header.Set("X-Hub-Signature-256", "sha256=0")
			}
		}}, outside.Header, verdicts(aspectsOf{outside.Header: w}), "another value", "is changed", threeProxies},
		{"slow", front{setUp: func(_ *egress.Options, o *outside.Options) { o.GoodSpeed = 20 * time.Millisecond }, wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(25 * time.Millisecond); next.ServeHTTP(w, r) })
		}}, outside.Speed, verdicts(aspectsOf{outside.Speed: outside.Warning}), "ms", "less than 20 ms is good", nil},
		{"clock off", front{response: func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat))
			return nil
		}}, outside.Clock, verdicts(aspectsOf{outside.Clock: outside.Warning}), " UTC", "apart", nil},
		{"certificate of nobody", front{setUp: func(way *egress.Options, _ *outside.Options) { way.RootCAs = x509.NewCertPool() }}, outside.Certificate,
			only(aspectsOf{outside.Certificate: w, outside.Reach: outside.Inconclusive}), "for example.com", "nobody whom this server trusts", threeProxies},
		{"certificate expired", front{setUp: func(way *egress.Options, _ *outside.Options) {
			way.Now = func() time.Time { return time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC) }
		}}, outside.Certificate, only(aspectsOf{outside.Certificate: w, outside.Reach: outside.Inconclusive}), "until 2084", "has expired", threeProxies},
		{"certificate of another host", front{host: "localhost"}, outside.Certificate,
			only(aspectsOf{outside.Certificate: w, outside.Reach: outside.Inconclusive}), "for example.com", "is for another host", threeProxies},
		{"name without an address", front{host: "nobody.example.net"}, outside.Name,
			only(aspectsOf{outside.Name: outside.Inconclusive, outside.Reach: outside.Inconclusive}), "", "has no address", nil},
		{"something else answers", front{wrap: func(http.Handler) http.Handler { return http.NotFoundHandler() }}, outside.Reach,
			only(aspectsOf{outside.Reach: w, outside.Certificate: outside.OK}), "status 404", "Something else answers", nil},
		{"redirected away", front{wrap: func(http.Handler) http.Handler {
			return http.RedirectHandler("https://www.example.com/?secret=1", http.StatusMovedPermanently)
		}}, outside.Reach,
			only(aspectsOf{outside.Reach: w, outside.Certificate: outside.OK}),
			"status 301 to https://www.example.com/", "redirects elsewhere", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := behind(t, tt.front)
			r := must(h.deps.Outside.Run(t.Context(), audit.Actor{ID: "u1", Name: ownerEmail}))(t)
			if len(r.Findings) != len(outside.Aspects()) {
				t.Fatalf("%d findings, want one an aspect", len(r.Findings))
			}
			for _, f := range r.Findings {
				if f.Verdict != tt.want[f.Aspect] {
					t.Errorf("%s is %s, want %s: %s (sent %q, delivered %q)", f.Aspect, f.Verdict, tt.want[f.Aspect], f.Reason, f.Sent, f.Delivered)
				}
				if f.Reason == "" || (f.Verdict == w || f.Verdict == outside.Inconclusive) && f.Remedy == "" && f.Aspect != outside.Head && f.Aspect != outside.Body {
					t.Errorf("%s is %s with the reason %q and the remedy %q", f.Aspect, f.Verdict, f.Reason, f.Remedy)
				}
			}
			f := r.Finding(tt.aspect)
			if !strings.Contains(f.Delivered, tt.delivered) || !strings.Contains(f.Reason, tt.reason) {
				t.Errorf("%s delivered %q because %q, want %q because %q", tt.aspect, f.Delivered, f.Reason, tt.delivered, tt.reason)
			}
			if got := slices.Sorted(maps.Keys(f.Lines)); !slices.Equal(got, slices.Sorted(slices.Values(tt.lines))) {
				t.Errorf("%s has lines for %q, want %q", tt.aspect, got, tt.lines)
			}
			h.keepsOutside(r)
		})
	}
}

// keepsOutside fails the test unless r is what is stored, with one event, and
// nothing in it is secret.
func (h *house) keepsOutside(r outside.Report) {
	h.t.Helper()
	last, ok, err := h.deps.Outside.Last(h.t.Context())
	if err != nil || !ok || fmt.Sprint(last.Findings) != fmt.Sprint(r.Findings) {
		h.t.Errorf("kept is %v, %v: %+v", ok, err, last)
	}
	events := h.events(audit.OutsideChecked)
	if len(events) != 1 || events[0].Actor.Name != ownerEmail || events[0].Outcome != audit.Done || !strings.Contains(events[0].Note, r.Headline()) {
		h.t.Errorf("events: %+v", events)
	}
	if b := h.dump()["outside/last"]; strings.Contains(b, "secret=1") || nonceLike.MatchString(b) {
		h.t.Errorf("the record has what must not be kept: %s", b)
	}
}
