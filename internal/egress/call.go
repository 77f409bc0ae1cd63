package egress

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// A caller is the http.RoundTripper of one client: it sends a request, follows
// redirects if asked to, and bounds what comes back.
type caller struct {
	guard *Guard
	opts  CallOptions
}

// RoundTrip returns the response, whose body holds the deadline of the call and
// fails with an [*Error], or nil and an *Error.
func (c *caller) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.opts.Timeout)
	req = req.WithContext(ctx)
	if req.Method == "" {
		req.Method = http.MethodGet
	}
	for hop := 0; ; hop++ {
		resp, err := c.send(req, cancel)
		if err != nil {
			cancel()
			return nil, err
		}
		next, err := c.next(req, resp, hop)
		if next == nil && err == nil {
			return resp, nil
		}
		resp.Body.(*body).leave(err)
		if err != nil {
			cancel()
			return nil, err
		}
		req = next
	}
}

// send makes one exchange. done is called when the body of the last one is over.
func (c *caller) send(req *http.Request, done func()) (*http.Response, error) {
	rec := newRecord(req, c.guard.now())
	t, err := c.guard.check(req.URL)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, fail(req.Context(), rec, err, t.host)
	}
	out, unpack := prepare(req, rec)
	resp, err := c.guard.transport(out.Context(), t, rec).RoundTrip(out)
	if err != nil {
		return nil, fail(req.Context(), rec, err, t.host)
	}
	rec.answered(resp)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body.Close()
		return nil, fail(req.Context(), rec, &Error{Class: Protocol, Msg: t.host + " wants to change the protocol, which was not asked for."}, t.host)
	}
	resp.Request = req
	resp.Body = newBody(req.Context(), resp, bodyLimits{max: c.opts.MaxBody, unpack: unpack, host: t.host}, rec, done)
	return resp, nil
}

// fail ends the record and returns what is told to the caller.
func fail(ctx context.Context, rec *record, err error, host string) error {
	// A first byte is no answer yet: without its headers, the call still waits.
	e := describe(ctx, err, host, min(rec.phase(), waiting))
	rec.close(0, 0, e)
	return e
}

// prepare returns the request as it goes out. It asks for gzip, to be unpacked
// here, unless the caller has chosen an encoding or a part of the answer.
func prepare(req *http.Request, rec *record) (out *http.Request, unpack bool) {
	out = req.Clone(httptrace.WithClientTrace(req.Context(), rec.hooks()))
	if out.Header == nil {
		out.Header = http.Header{}
	}
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "BackOffice")
	}
	if out.Header.Get("Accept-Encoding") == "" && out.Header.Get("Range") == "" && req.Method != http.MethodHead {
		out.Header.Set("Accept-Encoding", "gzip")
		unpack = true
	}
	if out.Body != nil && out.Body != http.NoBody {
		out.Body = &counted{ReadCloser: req.Body, n: &rec.sent}
	}
	return out, unpack
}

// transport is made for one exchange: it has no proxy and keeps no connection,
// so net/http never has a reason to send a request again.
func (g *Guard) transport(ctx context.Context, t target, rec *record) *http.Transport {
	d := net.Dialer{
		Timeout:  connectTimeout,
		Resolver: g.resolver,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return g.control(address, t.named)
		},
	}
	// net/http dials under a context that outlives the request; ours ends with it.
	dial := func(_ context.Context, network, addr string) (net.Conn, error) {
		return d.DialContext(ctx, network, addr)
	}
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return &http.Transport{
		DialContext: dial,
		DialTLSContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return g.secure(ctx, conn, t.host, rec)
		},
		Protocols:              p,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
	}
}

// control is the last word on an address: the socket exists, and nothing was sent.
func (g *Guard) control(address string, named bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !g.mayDial(ap, named) {
		return errRefused
	}
	if g.testOnlyDial != nil {
		return g.testOnlyDial(ap)
	}
	return nil
}

func (g *Guard) secure(ctx context.Context, conn net.Conn, host string, rec *record) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	rec.begin(securing)
	sec := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: g.roots, Time: g.now, MinVersion: tls.VersionTLS12})
	err := sec.HandshakeContext(ctx)
	rec.secured(sec.ConnectionState(), err)
	if err != nil {
		conn.Close()
		return nil, &handshakeError{err: err, at: g.now()}
	}
	return sec, nil
}

// next returns the request that a redirect asks for, nil if there is none to
// follow, or an error if following was asked for and this one must not be.
func (c *caller) next(req *http.Request, resp *http.Response, hop int) (*http.Request, error) {
	loc := resp.Header.Get("Location")
	if loc == "" || !isRedirect(resp.StatusCode) {
		return nil, nil
	}
	host := req.URL.Hostname()
	u, err := req.URL.Parse(loc)
	switch {
	case err != nil: // net/http would fail on it too, and quote it
		return nil, &Error{Class: Redirect, Msg: host + " redirects to something that is not an address."}
	case !c.opts.FollowSameOrigin:
		return nil, nil
	case c.opts.LeaveForeign && (!sameOrigin(req.URL, u) || hop >= c.opts.MaxRedirects):
		return nil, nil
	case req.Method != http.MethodGet && req.Method != http.MethodHead || req.Body != nil && req.Body != http.NoBody:
		return nil, &Error{Class: Redirect, Msg: host + " redirects a request that must not be sent twice."}
	case !sameOrigin(req.URL, u):
		return nil, &Error{Class: Redirect, Msg: host + " redirects to another scheme, host or port, which is not followed. Use the address that it leads to."}
	case hop >= c.opts.MaxRedirects:
		return nil, &Error{Class: Redirect, Msg: fmt.Sprintf("%s redirects more than %d times.", host, c.opts.MaxRedirects)}
	}
	out := req.Clone(req.Context())
	out.URL = u
	return out, nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// counted counts what is read through it.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	k, err := c.ReadCloser.Read(p)
	c.n.Add(int64(k))
	return k, err
}
