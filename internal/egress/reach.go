package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
)

// Reach resolves the host of u, connects to it and, for https, shakes hands, and
// then hangs up: nothing of HTTP is sent. What it met is in the trace of ctx, as
// an exchange without a status. Its error is an [*Error], by the rules of a call.
func (g *Guard) Reach(ctx context.Context, u *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	req := (&http.Request{Method: http.MethodConnect, URL: u, Header: http.Header{}}).WithContext(ctx)
	rec := newRecord(req, g.now())
	t, err := g.check(u)
	if err != nil {
		return fail(ctx, rec, err, u.Hostname())
	}
	conn, err := g.dial(httptrace.WithClientTrace(ctx, rec.hooks()), u.Scheme, t, rec)
	if err != nil {
		return fail(ctx, rec, err, t.host)
	}
	rec.remote(conn.RemoteAddr())
	rec.close(0, 0, nil)
	_ = conn.Close() // nothing was sent
	return nil
}

func (g *Guard) dial(ctx context.Context, scheme string, t target, rec *record) (net.Conn, error) {
	tr, addr := g.transport(ctx, t, rec), net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
	if scheme == "https" {
		return tr.DialTLSContext(ctx, "tcp", addr)
	}
	return tr.DialContext(ctx, "tcp", addr)
}
