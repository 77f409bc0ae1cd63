package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"

	"github.com/labstack/echo/v4"
)

// admit lets a request through to a route if the person may do what the route
// needs. Only then is its form read.
func (g gate) admit(may auth.Permission) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if may == auth.Machine {
			return next
		}
		return func(c echo.Context) error {
			if err := g.recognise(c); err != nil {
				return err
			}
			v := visitOf(c)
			limit := int64(maxForm)
			switch {
			case !may.NeedsPerson():
				limit = maxOpenForm
			case !v.signedIn:
				return g.askToSignIn(c)
			default:
				if err := g.may(c, may); err != nil {
					return err
				}
				if err := g.reachesPath(c); err != nil {
					return err
				}
				if goOn, err := g.demandFactor(c, may); err != nil || !goOn {
					return err
				}
			}
			if err := readForm(c, limit); err != nil {
				return err
			}
			if may.NeedsPerson() {
				if proven, err := g.demandProof(c, may); err != nil || !proven {
					g.logRefused(c)
					return err
				}
			}
			if err := next(c); err != nil {
				return err
			}
			g.logRefused(c)
			return nil
		}
	}
}

// may returns an errs.Refused, which is on record, unless the person's role has
// the permission.
func (g gate) may(c echo.Context, may auth.Permission) error {
	if g.allows(c, may) {
		return nil
	}
	grant := visitOf(c).user.Grant
	note := fmt.Sprintf("The role %s lacks the permission %s.", grant.Role, may)
	if !grant.Entries.All() {
		note = fmt.Sprintf("The role %s for %s lacks the permission %s.", grant.Role, grant.Entries, may)
	}
	g.recordRefusal(c, note)
	return errs.New(errs.Refused, "Your role does not allow this. An owner can change it.")
}

// recognise finds out who is signed in, if anybody is.
func (g gate) recognise(c echo.Context) error {
	v := visitOf(c)
	session := g.Sessions.Current
	if listens(c) {
		session = g.Sessions.Peek
	}
	s, ok, err := session(c.Request())
	if err != nil {
		return fmt.Errorf("reading the session: %w", err)
	}
	if !ok {
		return nil
	}
	u, err := g.Auth.User(c.Request().Context(), s.UserID)
	if errs.Is(err, errs.NotFound) { // the account is gone, and its sessions mean nothing
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the user of a session: %w", err)
	}
	if !u.Active() { // disabled while this request was on its way
		return nil
	}
	v.user, v.session, v.signedIn = u, s, true
	return nil
}

// askToSignIn sends a reader to the sign-in page and back. A form is not sent
// there: reloading the answer sends it again, with everything that was typed.
func (g gate) askToSignIn(c echo.Context) error {
	r := c.Request()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errs.New(errs.Unsigned, "You are not signed in any more, so nothing was changed. Sign in in another tab, then reload this page: the browser sends the form again, with all that you typed.")
	}
	to, next := "/login", r.URL.RequestURI()
	switch {
	case onceOnly(c):
		to += "?back=1"
	case next != "/":
		to += "?next=" + url.QueryEscape(next)
	}
	if isFragment(c) { // the whole page goes to the sign-in, not the part that was asked for
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusUnauthorized)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// isFragment reports whether htmx asks for a part of a page.
func isFragment(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }

// recordRefusal writes the audit event of a refused permission. Requests of
// nobody write nothing, or anybody could fill the log.
func (g gate) recordRefusal(c echo.Context, note string) {
	if !visitOf(c).signedIn {
		return
	}
	e := audit.Event{Time: g.Now(), Actor: actor(c), Action: audit.AccessRefused, Outcome: audit.Refused,
		Note: note + " " + c.Request().Method + " " + c.Path()}
	if id, err := config.ParseID(cmp.Or(pathParam(c, "owner"), pathParam(c, "id"))); err == nil {
		e.Target = string(id)
	}
	// The refusal stands even if its client is gone already.
	if err := audit.Record(context.WithoutCancel(c.Request().Context()), g.Store, e); err != nil {
		g.Log.Error("recording a refusal", "request", visitOf(c).requestID, "error", err)
	}
}

// The sizes of forms. The larger one takes 100 keys of 64 KiB, each byte of
// which may need three in a form; only who is signed in can send as much.
const (
	maxOpenForm = 64 << 10
	maxForm     = 20 << 20
	smallForm   = 1 << 20 // what is larger, or does not say how large it is, is read one at a time
)

// largeForms has one who reads a large form. To read one takes several times its
// size in memory.
var largeForms = make(chan struct{}, 1)

// largeWait is how long a large form waits for another.
const largeWait = 5 * time.Second

// readForm reads the form of an unsafe request, once for all handlers. Nothing
// of what cannot be read goes into the error: it may be a part of a secret.
func readForm(c echo.Context, limit int64) error {
	r := c.Request()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		r.Body = http.NoBody // no page reads one, and FormValue would unpack it
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err == nil && kind == echo.MIMEMultipartForm && c.Path() == importPath {
		return readUpload(c)
	}
	if r.ContentLength != 0 && (err != nil || kind != echo.MIMEApplicationForm) {
		return echo.NewHTTPError(http.StatusUnsupportedMediaType)
	}
	if limit > smallForm && (r.ContentLength > smallForm || r.ContentLength < 0) {
		select {
		case largeForms <- struct{}{}:
			defer func() { <-largeForms }()
		case <-time.After(largeWait):
			return errs.New(errs.Unavailable, "Other large forms are being read, so this one was not, and nothing was changed. Reload this page in a moment: the browser sends the form again, with all that you typed.")
		}
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
	err = r.ParseForm()
	return formFault(err)
}

// formFault is what is answered where a form could not be read.
func formFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return tooLarge
	}
	if err != nil {
		return errs.New(errs.Invalid, "The form could not be read, so nothing was changed. Go back, reload the page and send it again.")
	}
	return nil
}
