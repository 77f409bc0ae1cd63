package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"backoffice/internal/errs"
	"backoffice/internal/store"
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
	errs.Conflict:    {http.StatusConflict, "It has changed in the meantime"},
	errs.TooMany:     {http.StatusTooManyRequests, "Too many attempts"},
	errs.Unavailable: {http.StatusServiceUnavailable, "Something that is needed does not answer"},
}

// A failure is an error as it is answered.
type failure struct {
	kind         errs.Kind
	status       int
	heading, msg string
}

// handleError answers a request whose handler returned err: it logs it, once,
// and draws the page. Words come from the error only if it was made for people.
func (g gate) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		g.Log.Warn("error after the answer", "request", visitOf(c).requestID, "route", c.Path(), "error", err)
		return
	}
	f := failureOf(err)
	if f.kind == errs.Conflict && c.Path() == callbackPath {
		f.heading = "This answer cannot be used any more"
	}
	f.msg += again(c, err)
	g.logError(c, f, err)
	g.retryAfter(c, err)
	// An address that is no route has met nobody who asks who it is. If that
	// cannot be found out now, the page is drawn as for nobody.
	if !visitOf(c).signedIn {
		if err := g.recognise(c); err != nil && f.kind != errs.Internal {
			g.Log.Warn("recognising a visitor", "request", visitOf(c).requestID, "error", err)
		}
	}
	if err := g.drawError(c, f); err != nil {
		g.Log.Error("drawing an error page", "request", visitOf(c).requestID, "error", err)
	}
}

// again says how to try once more with what was typed, if nothing came of it: a page
// that is asked for again would be empty, but a browser sends a form again whole,
// secrets too.
func again(c echo.Context, err error) string {
	if m := c.Request().Method; !errors.Is(err, store.ErrUnsaved) || m == http.MethodGet || m == http.MethodHead {
		return ""
	}
	return " To send the form again with all that you typed, secrets too, reload this page."
}

const ourFault = "It is not your doing, and it has been logged under the reference below. Nothing was changed by this request unless the audit log says so. Try again; if it happens again, give the reference to whoever runs this instance."

// failureOf finds status and words for err. The router's own errors get theirs
// here.
func failureOf(err error) failure {
	kind, msg := errs.Of(err)
	f := failure{kind, statuses[kind].status, statuses[kind].heading, msg}
	var tooLarge *http.MaxBytesError
	var he *echo.HTTPError
	switch {
	case msg != "":
	case errors.As(err, &tooLarge):
		return failure{errs.Invalid, http.StatusRequestEntityTooLarge, "This is too large",
			"The form is larger than " + binarySize(tooLarge.Limit) + ", so it was not read and nothing was changed. A value has at most 64 KiB. Go back and shorten it."}
	case errors.As(err, &he):
		return ofRouter(he)
	case errors.Is(err, context.Canceled):
		return failure{errs.Unavailable, http.StatusServiceUnavailable, "This was not finished", "The request was ended before it was answered."}
	default:
		f.msg = ourFault
	}
	return f
}

// binarySize is a limit as the limits of values are said.
func binarySize(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// ofRouter is a failure of the router's own, or of a form that is none.
func ofRouter(he *echo.HTTPError) failure {
	f := failure{kind: errs.Invalid, status: he.Code, heading: statuses[errs.Invalid].heading, msg: "The request could not be read. Go back and try again."}
	switch he.Code {
	case http.StatusNotFound:
		f.kind, f.heading, f.msg = errs.NotFound, statuses[errs.NotFound].heading, "There is no page at this address. It may have moved, or the link is mistyped."
	case http.StatusMethodNotAllowed:
		f.msg = "This address does not take this kind of request. Open the page again and use its buttons."
	case http.StatusUnsupportedMediaType:
		f.msg = "What was sent is no form of this product. Open the page again and use its buttons."
	}
	if he.Code < 400 || he.Code >= 500 {
		return failure{errs.Internal, http.StatusInternalServerError, statuses[errs.Internal].heading, ourFault}
	}
	return f
}

func (g gate) logError(c echo.Context, f failure, err error) {
	attrs := []any{"request", visitOf(c).requestID, "method", c.Request().Method, "route", c.Path(), "status", f.status, "kind", f.kind.String(), "error", err}
	if f.kind == errs.Internal || f.kind == errs.Unavailable {
		g.Log.Error("request failed", attrs...)
		return
	}
	g.Log.Info("request refused", attrs...)
}

const causeKey = "cause"

// because keeps why a form comes back, for the line in the log. A nil err keeps
// what is there.
func because(c echo.Context, err error) {
	if err != nil {
		c.Set(causeKey, err)
	}
}

// logRefused writes the line that the reference on a form that came back leads
// to. Error pages have theirs.
func (g gate) logRefused(c echo.Context) {
	status := c.Response().Status
	if status < 400 || status >= 500 {
		return
	}
	err, _ := c.Get(causeKey).(error)
	kind, _ := errs.Of(err)
	if kind == errs.Internal {
		kind = errs.Invalid
	}
	g.logError(c, failure{kind: kind, status: status}, err)
}

func (g gate) drawError(c echo.Context, f failure) error {
	if c.Request().Method == http.MethodHead {
		return c.NoContent(f.status)
	}
	v := visitOf(c)
	p := templates.ErrorPage{
		Frame: g.frame(c, f.heading, templates.SectionNone), SignedIn: v.signedIn,
		Status: fmt.Sprintf("Error %d", f.status), Heading: f.heading, Message: f.msg,
		Remedy: templates.Link{Label: "Go to the configuration", URL: "/config"}, Reference: v.requestID,
		When: g.when(g.Now()), Request: c.Request().Method + " " + c.Request().URL.EscapedPath(),
	}
	if !v.signedIn {
		p.Remedy = templates.Link{Label: "Sign in", URL: "/login"}
		if f.kind == errs.Unsigned { // of a form: what was typed is in this tab
			p.Remedy.Label, p.Beside = "Sign in in another tab", true
		}
	}
	return render(c, f.status, templates.Error(p))
}
