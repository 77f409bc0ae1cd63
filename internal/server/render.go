package server

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"backoffice/web/templates"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// buffers are kept for the next page: most pages are of one size.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBelow is the size above which a buffer is left to the garbage collector.
const keepBelow = 1 << 18

// render draws a page whole and then writes it, so that an error while drawing
// never leaves half a page.
func render(c echo.Context, status int, page templ.Component) error {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() < keepBelow {
			buffers.Put(b)
		}
	}()
	ctx := c.Request().Context()
	if status >= http.StatusBadRequest {
		ctx = templates.WithReference(ctx, visitOf(c).requestID)
	}
	if err := page.Render(ctx, b); err != nil {
		return fmt.Errorf("drawing a page: %w", err)
	}
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(b.Len())) // else it would be sent in chunks
	return c.HTMLBlob(status, b.Bytes())
}

// see redirects after a form was carried out (303), with a toast on the next
// page.
func (g gate) see(c echo.Context, address string, f flash) error {
	if f.said != saidNothing {
		f.event = g.recordOf(c)
		g.setFlash(c, f)
	}
	return c.Redirect(http.StatusSeeOther, address)
}
