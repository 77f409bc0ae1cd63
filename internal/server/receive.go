package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/store"
	"backoffice/internal/webhook"

	"github.com/labstack/echo/v4"
)

// receiver takes notifications of providers. Its answers have a status and
// nothing else: whatever was sent, nothing of it comes back.
type receiver struct {
	gate
	held *room // of bodies that are in memory now
}

// The paths of notifications. What stands in front of pages is not for them:
// see receives.
const (
	servicePath = "/webhooks/:service"
	vendorPath  = "/webhooks/:vendor/:service"
)

// receives reports whether a request is to an address of notifications: no
// browser, no session and no page.
func receives(c echo.Context) bool { return c.Path() == servicePath || c.Path() == vendorPath }

// The limits of a notification on its way in.
const (
	bodyTime = 5 * time.Second // within which a body has to come
	maxHeld  = 64 << 20        // bytes of bodies that are in memory at once
	maxOfOne = maxHeld / 4     // the same of one source
	firstBuf = 4 << 10         // bytes that a body begins with
)

// hookPath is the path of the address that was asked for: "acme/intercom".
func hookPath(c echo.Context) string {
	if c.Path() == vendorPath {
		return c.Param("vendor") + "/" + c.Param("service")
	}
	return c.Param("service")
}

// validate is GET and HEAD: providers ask, before they send, whether somebody is
// there.
func (p receiver) validate(c echo.Context) error {
	_, ok, err := p.Webhooks.Route(c.Request().Context(), hookPath(c))
	if err != nil {
		return p.fail(c, err)
	}
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	return c.NoContent(http.StatusOK)
}

// take is POST: a notification. Whether its source may send is asked before
// anything else, and who is asked for before the body is read.
func (p receiver) take(c echo.Context) error {
	began, r := p.Now(), c.Request()
	from := visitOf(c).addr
	if wait, ok := p.Webhooks.Admit(from); !ok {
		p.Webhooks.TurnedAway(webhook.TooFast)
		return turnAway(c, http.StatusTooManyRequests, wait)
	}
	a, ok, err := p.Webhooks.Route(r.Context(), hookPath(c))
	if err != nil {
		return p.fail(c, err)
	}
	if !ok {
		return turnAway(c, http.StatusNotFound, 0)
	}
	body, give, status := p.read(c)
	if status != 0 {
		return turnAway(c, status, time.Second)
	}
	defer give()
	n, err := p.Webhooks.Receive(r.Context(), a, webhook.Incoming{Method: r.Method, From: from, Header: r.Header, Body: body, Began: began})
	if err != nil {
		return p.fail(c, err)
	}
	return c.NoContent(n.Status)
}

// turnAway answers what is not taken. Its body may not have been read, so the
// connection is not used again.
func turnAway(c echo.Context, status int, wait time.Duration) error {
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait.Seconds()+0.999)))
	}
	if r := c.Request(); r.ContentLength != 0 {
		c.Response().Header().Set(echo.HeaderConnection, "close")
	}
	return c.NoContent(status)
}

// fail answers what went wrong here. The provider sends again.
func (p receiver) fail(c echo.Context, err error) error {
	status, wait := http.StatusServiceUnavailable, time.Second
	if errors.Is(err, store.ErrUnsaved) {
		wait = 30 * time.Second // a disk gets no room in a second
	}
	switch {
	case errs.Is(err, errs.NotFound):
		status = http.StatusNotFound
	case !errors.Is(err, context.Canceled):
		p.Log.Error("receiving a notification", "request", visitOf(c).requestID, "error", err)
	}
	return turnAway(c, status, wait)
}

// read reads the body: whole, as it came, in time. The caller gives its memory
// back. A status other than 0 is the answer instead.
func (p receiver) read(c echo.Context) (body []byte, give func(), status int) {
	r := c.Request()
	if r.ContentLength > webhook.MaxBody {
		p.Webhooks.TurnedAway(webhook.TooLarge)
		return nil, nil, http.StatusRequestEntityTooLarge
	}
	rent := lease{room: p.held, source: webhook.SourceOf(c.RealIP())}
	// An error here is of a connection that has no deadlines, as in some tests.
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(bodyTime)) // of the connection: no clock of ours
	buf := bodyBuffers.Get().(*[]byte)
	give = func() {
		rent.end()
		if cap(*buf) <= keptBuffer {
			bodyBuffers.Put(buf)
		}
	}
	var err error
	if *buf, err = readInto((*buf)[:0], r, &rent); err != nil {
		give()
		return nil, nil, p.unread(c, err)
	}
	return *buf, give, 0
}

// unread is the answer to a body that could not be read.
func (p receiver) unread(c echo.Context, err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoRoom):
		return http.StatusServiceUnavailable
	case errors.As(err, &tooLarge):
		p.Webhooks.TurnedAway(webhook.TooLarge)
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.Webhooks.TurnedAway(webhook.TooSlow)
		p.Webhooks.Blame(c.RealIP()) // it took room from others meanwhile
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest // it was cut off
}

// bodyBuffers hold bodies of the usual size.
var bodyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, firstBuf); return &b }}

const keptBuffer = 64 << 10

// readInto reads a body of at most MaxBody into the buffer, or another that is
// large enough. It makes room as the body comes: what is only announced takes none.
func readInto(buf []byte, r *http.Request, rent *lease) ([]byte, error) {
	all := http.MaxBytesReader(nil, r.Body, webhook.MaxBody)
	if !rent.take(int64(cap(buf))) {
		return buf, errNoRoom
	}
	for {
		if len(buf) == cap(buf) {
			larger := min(2*cap(buf), webhook.MaxBody+1) // with a byte for finding the end
			if !rent.take(int64(larger - cap(buf))) {
				return buf, errNoRoom
			}
			buf = append(make([]byte, 0, larger), buf...)
		}
		n, err := all.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
