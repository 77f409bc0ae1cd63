package egress

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// A phase is where a call is; the names are those of [Phases].
type phase int

const (
	resolving phase = iota
	connecting
	securing
	sending
	waiting
	receiving
	phases
)

// A record is an exchange in the making. net/http reports from several
// goroutines, and may do so after the call is over: then nothing changes.
type record struct {
	keep func(name, value string) (string, bool)
	sent atomic.Int64

	mu         sync.Mutex
	x          Exchange
	began      time.Time // monotonic, unlike x.Started, which is of the guard's clock
	start, end [phases]time.Time
	at         phase
}

func newRecord(req *http.Request, now time.Time) *record {
	r := &record{began: time.Now(), x: Exchange{Started: now.UTC(), Method: req.Method, URL: shownURL(req.URL)}}
	t, ok := req.Context().Value(traceKey{}).(*Trace)
	if !ok || t == nil {
		return r
	}
	r.keep = t.Keep
	r.x.RequestHeaders = r.kept(req.Header)
	t.add(r) // last: from here on others read it
	return r
}

func shownURL(u *url.URL) string {
	return cut((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String(), 2000)
}

func (r *record) snapshot() Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.x
	x.RequestHeaders, x.ResponseHeaders = slices.Clone(x.RequestHeaders), slices.Clone(x.ResponseHeaders)
	if x.TLS != nil {
		s := *x.TLS
		s.Names, s.Chain = slices.Clone(s.Names), slices.Clone(s.Chain)
		x.TLS = &s
	}
	x.Sent = r.sent.Load()
	return x
}

func (r *record) begin(p phase) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.start[p].IsZero() { // several addresses may be tried at once: the first one counts
		r.start[p], r.at = time.Now(), p
	}
}

func (r *record) finish(p phase) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end[p] = time.Now()
}

func (r *record) phase() phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *record) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { r.begin(resolving) },
		DNSDone:      func(d httptrace.DNSDoneInfo) { r.finish(resolving); r.resolved(d.Addrs) },
		ConnectStart: func(string, string) { r.begin(connecting) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil || r.phase() == connecting { // not a slower address that is no longer wanted
				r.finish(connecting)
			}
		},
		GotConn:      func(c httptrace.GotConnInfo) { r.remote(c.Conn.RemoteAddr()); r.begin(sending) },
		WroteRequest: func(httptrace.WroteRequestInfo) { r.finish(sending); r.begin(waiting) },
		GotFirstResponseByte: func() {
			r.finish(waiting)
			r.begin(receiving)
		},
	}
}

func (r *record) resolved(addrs []net.IPAddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.x.Done {
		return
	}
	r.x.Resolved, r.x.Public = len(addrs), 0
	for _, a := range addrs {
		if ip, ok := netip.AddrFromSlice(a.IP); ok && kindOf(ip) == public {
			r.x.Public++
		}
	}
}

func (r *record) remote(a net.Addr) {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return
	}
	family := "IPv6"
	if ap.Addr().Unmap().Is4() {
		family = "IPv4"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.x.Done {
		r.x.Remote = kindOf(ap.Addr()).String() + " " + family
	}
}

// secured notes the certificate, also of a server that was not accepted.
func (r *record) secured(state tls.ConnectionState, err error) {
	r.finish(securing)
	certs, version := state.PeerCertificates, tls.VersionName(state.Version)
	if err != nil {
		e, ok := errors.AsType[*tls.CertificateVerificationError](err)
		if !ok {
			return
		}
		certs, version = e.UnverifiedCertificates, ""
	}
	if len(certs) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.x.TLS = security(certs, version)
}

// maxChain is how many certificates of a chain are shown.
const maxChain = 5

func security(certs []*x509.Certificate, version string) *Security {
	c := certs[0]
	s := &Security{Version: version, NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Issuer: printable(c.Issuer.CommonName)}
	for _, n := range c.DNSNames[:min(len(c.DNSNames), 10)] {
		s.Names = append(s.Names, printable(n))
	}
	for _, c := range certs[:min(len(certs), maxChain)] {
		s.Chain = append(s.Chain, Certificate{Subject: nameIn(c.Subject), Issuer: nameIn(c.Issuer), NotAfter: c.NotAfter.UTC()})
	}
	return s
}

// nameIn is what a certificate is called, by the part of its name that people
// know it by.
func nameIn(n pkix.Name) string {
	switch {
	case n.CommonName != "":
		return printable(n.CommonName)
	case len(n.Organization) > 0:
		return printable(n.Organization[0])
	}
	return "unnamed"
}

func (r *record) answered(resp *http.Response) {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		mediaType = ""
	}
	kept := r.kept(resp.Header)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.x.Status, r.x.Protocol, r.x.ContentType, r.x.ResponseHeaders = resp.StatusCode, resp.Proto, printable(mediaType), kept
}

// close ends the exchange; only the first call counts.
func (r *record) close(received, unpacked int64, e *Error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.x.Done {
		return
	}
	r.x.Done, r.x.Total, r.x.Received, r.x.Unpacked = true, now.Sub(r.began), received, unpacked
	if e != nil {
		r.x.Class, r.x.Fault, r.x.Problem = e.Class, e.Fault, e.Msg
	}
	spent := func(p phase) time.Duration {
		if r.start[p].IsZero() {
			return 0
		}
		end := r.end[p]
		if end.IsZero() {
			end = now
		}
		return max(end.Sub(r.start[p]), 0)
	}
	r.x.Phases = Phases{DNS: spent(resolving), Connect: spent(connecting), TLS: spent(securing),
		Send: spent(sending), Wait: spent(waiting), Receive: spent(receiving)}
}

func (r *record) kept(h http.Header) []Header {
	if r.keep == nil {
		return nil
	}
	var out []Header
	for name, values := range h {
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie":
			continue
		}
		for _, v := range values {
			if shown, ok := r.keep(name, v); ok {
				out = append(out, Header{Name: name, Value: shown})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// printable cuts foreign text and drops what could disturb a page or a terminal.
func printable(s string) string {
	return cut(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s), 200)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
