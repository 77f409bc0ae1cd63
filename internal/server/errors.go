package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"backoffice/internal/errs"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// statuses is the one place where a kind of error becomes a status, with the
// heading of its page.
var statuses = map[errs.Kind]struct {
	status  int
	heading string
}{
	errs.Internal:    {http.StatusInternalServerError, "Something went wrong on our side"},
	errs.Invalid:     {http.StatusUnprocessableEntity, "This cannot be accepted as it is"},
	errs.Unsigned:    {http.StatusUnauthorized, "You are not signed in"},
	errs.Refused:     {http.StatusForbidden, "This is not allowed"},
	errs.NotFound:    {http.StatusNotFound, "There is nothing here"},
	errs.Conflict:    {http.StatusConflict, "Somebody else was faster"},
	errs.TooMany:     {http.StatusTooManyRequests, "Too many attempts"},
	errs.Unavailable: {http.StatusServiceUnavailable, "Something that is needed does not answer"},
}

// handleError answers a request whose handler returned err: it logs it, once,
// and draws the page. Words come from the error only if it was made for people.
func (g gate) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		g.Log.Warn("error after the answer", "request", visitOf(c).requestID, "route", c.Path(), "error", err)
		return
	}
	if !visitOf(c).signedIn {
		g.recognise(c) // an address that is no route has met nobody who asks
	}
	kind, msg := errs.Of(err)
	kind, msg = fromEcho(err, kind, msg)
	g.logError(c, kind, err)
	s := statuses[kind]
	if err := g.drawError(c, s.status, s.heading, msg); err != nil {
		g.Log.Error("drawing an error page", "request", visitOf(c).requestID, "error", err)
	}
}

// fromEcho gives the router's own errors words and a kind.
func fromEcho(err error, kind errs.Kind, msg string) (errs.Kind, string) {
	var tooLarge *http.MaxBytesError
	var he *echo.HTTPError
	switch {
	case kind != errs.Internal:
	case errors.As(err, &tooLarge):
		return errs.Invalid, fmt.Sprintf("The form is larger than %d MiB, so it was not read. Values have at most 64 KiB each.", maxBody>>20)
	case errors.As(err, &he) && he.Code == http.StatusNotFound:
		return errs.NotFound, "There is no page at this address. It may have moved, or the link is mistyped."
	case errors.As(err, &he) && he.Code == http.StatusMethodNotAllowed:
		return errs.NotFound, "This address does not take this kind of request. Open the page again and use its buttons."
	case errors.As(err, &he) && he.Code >= 400 && he.Code < 500:
		return errs.Invalid, "The request could not be read. Go back and try again."
	case errors.Is(err, context.Canceled):
		return errs.Unavailable, "The request was ended before it was answered."
	}
	if msg == "" {
		msg = "It is not your doing, and it has been logged under the reference below. Nothing was changed by this request unless the audit log says so. Try again; if it happens again, give the reference to whoever runs this instance."
	}
	return kind, msg
}

func (g gate) logError(c echo.Context, kind errs.Kind, err error) {
	attrs := []any{"request", visitOf(c).requestID, "method", c.Request().Method, "route", c.Path(), "kind", kind.String(), "error", err}
	if kind == errs.Internal || kind == errs.Unavailable {
		g.Log.Error("request failed", attrs...)
		return
	}
	g.Log.Info("request refused", attrs...)
}

func (g gate) drawError(c echo.Context, status int, heading, msg string) error {
	v := visitOf(c)
	p := templates.ErrorPage{
		Frame: g.frame(c, heading, templates.SectionNone), SignedIn: v.signedIn,
		Status: fmt.Sprintf("Error %d", status), Heading: heading, Message: msg,
		Remedy: templates.Link{Label: "Go to the overview", URL: "/"}, Reference: v.requestID,
		When: g.when(g.Now()), Request: c.Request().Method + " " + c.Request().URL.EscapedPath(),
	}
	if !v.signedIn {
		p.Remedy = templates.Link{Label: "Sign in", URL: "/login"}
	}
	if c.Request().Method == http.MethodHead {
		return c.NoContent(status)
	}
	return render(c, status, templates.Error(p))
}
