package outside

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"backoffice/internal/egress"
)

// shownHeaders are those of an answer that say who gave it.
var shownHeaders = []string{"Date", "Server", "Via", "Age", "X-Cache", "Cf-Cache-Status", "Cache-Control", "Content-Type"}

// callAll makes the requests of a run, one after the other. If the first finds
// nobody, the others are not sent.
func (c *Checker) callAll(ctx context.Context, r *run) {
	get := func(l leg, nonce string, cookies ...*http.Cookie) {
		req := c.request(ctx, http.MethodGet, c.callback(nonce), nonce, nil)
		for _, k := range cookies {
			req.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value})
		}
		c.call(r, l, req)
	}
	get(first, r.seen[first].nonce)
	got := c.look(r, first)
	if got.failed != nil {
		return
	}
	get(back, r.seen[back].nonce, got.cookies(c.cookieName())...)
	get(again, r.seen[first].nonce)
	c.call(r, head, c.request(ctx, http.MethodHead, webhookAddress(r.seen[head].nonce), r.seen[head].nonce, nil))
	c.post(ctx, r, posting, notification())
	// Who refuses a long body may close the connection on it, and the answer is
	// lost. A short one then gets it.
	if s := c.look(r, posting); s.failed != nil && s.failed.Class == egress.Protocol && !s.arrived {
		c.post(ctx, r, small, []byte("{}\n"))
	}
}

// look is what is known now: requests arrive at any time.
func (c *Checker) look(r *run, l leg) seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.seen[l]
}

func (c *Checker) post(ctx context.Context, r *run, l leg, body []byte) {
	nonce := r.seen[l].nonce
	req := c.request(ctx, http.MethodPost, webhookAddress(nonce), nonce, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(sigHeader, c.signature(nonce))
	c.mu.Lock()
	r.seen[l].body = body
	c.mu.Unlock()
	c.call(r, l, req)
}

func webhookAddress(nonce string) string { return WebhookPath + "?" + nonceParam + "=" + nonce }

// request is one to the public URL. pathQuery is one of our own constants with a
// nonce, so it can always be made.
func (c *Checker) request(ctx context.Context, method, pathQuery, nonce string, body []byte) *http.Request {
	var rd io.Reader
	if body != nil {
		rd = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.origin()+pathQuery, rd)
	if err != nil {
		panic(fmt.Sprintf("outside: the public URL is no address: %v", err))
	}
	req.Header.Set(nonceHeader, nonce)
	return req
}

// call sends one request and notes what became of it.
func (c *Checker) call(r *run, l leg, req *http.Request) {
	trace := &egress.Trace{Keep: func(name, value string) (string, bool) {
		return printable(value), slices.Contains(shownHeaders, http.CanonicalHeaderKey(name))
	}}
	query := req.URL.RawQuery
	resp, err := egress.Do(c.client, req.WithContext(egress.WithTrace(req.Context(), trace)))
	var text []byte
	if err == nil {
		text, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	at := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &r.seen[l]
	s.sent, s.query, s.answeredA = true, query, at
	if all := trace.Exchanges(); len(all) > 0 {
		s.exchange = all[len(all)-1]
	}
	if resp != nil {
		s.answered, s.status, s.header, s.body1 = true, resp.StatusCode, resp.Header, string(text[:min(len(text), 1<<10)])
		return
	}
	if !errors.As(err, &s.failed) {
		s.failed = &egress.Error{Class: egress.Protocol, Msg: "The call failed before an answer could be read."}
	}
}

// cookies are those called name in an answer.
func (s seen) cookies(name string) (out []*http.Cookie) {
	if !s.answered {
		return nil
	}
	for _, k := range (&http.Response{Header: s.header}).Cookies() {
		if k.Name == name {
			out = append(out, k)
		}
	}
	return out
}

// notification is a body as providers post it, of a size that common limits let
// through, with what is lost when somebody parses it and writes it again: the
// order of keys, spaces, escapes, line ends, and a line end at the end.
func notification() []byte {
	const size = 48 << 10
	var b strings.Builder
	b.WriteString("{\"topic\":\"outside.in\",  \"b\":1.0, \"a\":\"caf\\u00e9 café a+b=c %2F \\/ <&>\",\r\n \"text\":\"")
	for b.Len() < size-3 {
		b.WriteString("0123456789abcdef"[:min(16, size-3-b.Len())])
	}
	b.WriteString("\"}\n")
	return []byte(b.String())
}
