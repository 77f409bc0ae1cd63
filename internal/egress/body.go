package egress

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

type bodyLimits struct {
	max    int64
	unpack bool
	host   string
}

// packingSlack is how much larger than its content a packed body may be.
const packingSlack = 64 << 10

// A body is the bounded body of a response. It ends the exchange and the
// deadline of the call when it is read to its end, fails, or is closed.
type body struct {
	ctx    context.Context
	raw    io.Closer
	packed *counted
	src    io.Reader
	limits bodyLimits
	rec    *record
	done   func()

	read int64
	err  error
}

func newBody(ctx context.Context, resp *http.Response, limits bodyLimits, rec *record, done func()) *body {
	b := &body{ctx: ctx, raw: resp.Body, limits: limits, rec: rec, done: done,
		packed: &counted{ReadCloser: resp.Body, n: new(atomic.Int64)}}
	b.src = b.packed
	if limits.unpack && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		b.src = &unpacker{body: b}
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	room := b.limits.max - b.read
	n, err := b.src.Read(p)
	if int64(n) > room {
		n, err = int(room), tooLarge(b.limits)
	}
	b.read += int64(n)
	if err != nil {
		b.finish(err)
	}
	return n, b.err
}

// Close gives up what was not read.
func (b *body) Close() error {
	if b.err == nil {
		b.finish(http.ErrBodyReadAfterClose)
	}
	return nil
}

// leave ends the exchange, but not the call: another hop follows, or err is its end.
func (b *body) leave(err error) {
	e, _ := err.(*Error)
	b.rec.close(0, 0, e)
	b.raw.Close()
}

func (b *body) finish(err error) {
	var failed *Error
	b.err = err
	if err == io.EOF && b.ctx.Err() != nil {
		err = b.ctx.Err() // the connection ended because the time was up: it may not be all
		b.err = err
	}
	if err != io.EOF && err != http.ErrBodyReadAfterClose {
		failed = describe(b.ctx, err, b.limits.host, receiving)
		b.err = failed
	}
	b.rec.close(b.packed.n.Load(), b.read, failed)
	b.raw.Close()
	b.done()
}

func tooLarge(l bodyLimits) *Error {
	size := fmt.Sprintf("%d bytes", l.max)
	if l.max%1024 == 0 {
		size = fmt.Sprintf("%d KiB", l.max/1024)
	}
	return &Error{Class: TooLarge, Msg: "The answer of " + l.host + " is larger than " + size + "."}
}

// An unpacker reads gzip. It bounds the packed side too: a body may be packed so
// that much of it unpacks to nothing.
type unpacker struct {
	body *body
	gz   *gzip.Reader
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.gz == nil {
		gz, err := gzip.NewReader(packedSide{u.body})
		if err != nil {
			return 0, err // io.EOF for an empty body
		}
		u.gz = gz
	}
	return u.gz.Read(p)
}

type packedSide struct{ body *body }

func (s packedSide) Read(p []byte) (int, error) {
	if s.body.packed.n.Load() > s.body.limits.max+packingSlack {
		return 0, tooLarge(s.body.limits)
	}
	return s.body.packed.Read(p)
}
