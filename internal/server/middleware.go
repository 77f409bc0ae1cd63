package server

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/signin"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// A gate is what stands before and after every handler.
type gate struct {
	Deps
	lists   *listCache
	guesses *guesses
	bodies  *bodies
	gauges  *prometheus.Registry
	looks   *looks
	exports chan struct{} // holds one for each export under way
}

func newGate(d Deps) gate {
	return gate{Deps: d, lists: &listCache{}, guesses: &guesses{now: d.Now}, bodies: &bodies{}, gauges: gaugesOf(d), looks: &looks{last: map[string]time.Time{}}, exports: make(chan struct{}, exportsAtOnce)}
}

// use installs what holds for every request, in the order in which a request
// meets it.
func (g gate) use(e *echo.Echo) error {
	e.IPExtractor = g.address
	cross := http.NewCrossOriginProtection()
	if err := cross.AddTrustedOrigin(g.origin()); err != nil {
		return fmt.Errorf("server: public URL: %w", err)
	}
	e.Pre(g.identify, g.recoverPanic)
	e.Use(g.headers, g.crossOrigin(cross), g.noteStray)
	return nil
}

// A visit is what is known about a request: who, from where, under which id.
type visit struct {
	requestID string
	user      auth.User
	session   auth.Session
	signedIn  bool
	addr      string

	all     []config.Entry // what entries and healths found, for the rest of the request
	entries []config.Entry // those of all that the person's role is for
	healths map[config.ID]oauth.Health
	version config.Version // the last one that was read
}

const visitKey = "visit"

func visitOf(c echo.Context) *visit {
	v, _ := c.Get(visitKey).(*visit)
	if v == nil {
		v = &visit{}
		c.Set(visitKey, v)
	}
	return v
}

// actor is the visit as the audit log names it.
func actor(c echo.Context) audit.Actor {
	v := visitOf(c)
	return audit.Actor{ID: v.user.ID, Name: v.user.Email, Addr: v.addr, RequestID: v.requestID}
}

var requestIDs = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567")

// identify gives the request an id, which stands in the log, on error pages and
// in audit events.
func (g gate) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := make([]byte, 10)
		if _, err := rand.Read(id); err != nil {
			return fmt.Errorf("making a request id: %w", err)
		}
		v := visitOf(c)
		v.requestID = requestIDs.EncodeToString(id)
		v.addr = c.RealIP()
		c.Response().Header().Set(echo.HeaderXRequestID, v.requestID)
		return next(c)
	}
}

// recoverPanic turns a panic into an error for handleError. The stack goes to
// the log; its arguments are addresses, not values.
func (g gate) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				g.Log.Error("panic", "request", visitOf(c).requestID, "route", c.Path(), "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				err = fmt.Errorf("panic in %s %s", c.Request().Method, c.Path())
			}
		}()
		return next(c)
	}
}

// headers are the security headers of every answer. Scripts and styles come
// from this origin alone, and none is inline. The values are made once and shared
// by all answers: a handler replaces one, and never writes into it.
func (g gate) headers(next echo.HandlerFunc) echo.HandlerFunc {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	h := http.Header{}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if g.Site.Secure() {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
	return func(c echo.Context) error {
		answer := c.Response().Header()
		maps.Copy(answer, h)
		if onceOnly(c) {
			answer.Set("Referrer-Policy", "no-referrer")
		}
		return next(c)
	}
}

// onceOnly reports whether the address of a request has something that is good
// for one use: the token of a one-time link, or a provider's code and state. It is then passed
// on to nobody, and never becomes part of a page.
func onceOnly(c echo.Context) bool {
	path := c.Request().URL.Path
	return c.Path() == callbackPath || path == "/setup" || path == "/invite" || path == confirmPath || path == signin.CallbackPath || strings.HasPrefix(path, "/auth/")
}

// crossOrigin refuses unsafe requests that another site made a browser send.
func (g gate) crossOrigin(p *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if receives(c) {
				return next(c) // it has no session that could be abused; its signature is what counts
			}
			if err := p.Check(c.Request()); err != nil {
				if err := g.recognise(c); err != nil {
					return err
				}
				g.recordRefusal(c, "A form of another site was refused.")
				return errs.Wrap(errs.Refused, "This request came from another site, so it was not carried out. Open the page here and try again.", err)
			}
			return next(c)
		}
	}
}
