package server

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/errs"

	"github.com/labstack/echo/v4"
)

// A gate is what stands before and after every handler.
type gate struct{ Deps }

// maxBody bounds a form: 100 keys of 64 KiB and what is around them would be
// more than anybody types, but must fit.
const maxBody = 8 << 20

// use installs what holds for every request, in the order in which a request
// meets it.
func (g gate) use(e *echo.Echo) error {
	e.IPExtractor = g.address
	cross := http.NewCrossOriginProtection()
	origin := g.Site.PublicURL.Scheme + "://" + g.Site.PublicURL.Host
	if err := cross.AddTrustedOrigin(origin); err != nil {
		return fmt.Errorf("server: public URL: %w", err)
	}
	e.Pre(g.identify, g.recoverPanic)
	e.Use(g.headers, g.crossOrigin(cross))
	return nil
}

// A visit is what is known about a request: who, from where, under which id.
type visit struct {
	requestID string
	user      auth.User
	session   auth.Session
	signedIn  bool
	addr      string
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

// identify gives the request an id, which stands in the log, on error pages and
// in audit events.
func (g gate) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := make([]byte, 10)
		if _, err := rand.Read(id); err != nil {
			return fmt.Errorf("making a request id: %w", err)
		}
		v := visitOf(c)
		v.requestID = strings.ToLower(base32.StdEncoding.EncodeToString(id))
		v.addr = c.RealIP()
		c.Response().Header().Set(echo.HeaderXRequestID, v.requestID)
		c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxBody)
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
// from this origin alone, and none is inline.
func (g gate) headers(next echo.HandlerFunc) echo.HandlerFunc {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	return func(c echo.Context) error {
		h := c.Response().Header()
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
		return next(c)
	}
}

// crossOrigin refuses unsafe requests that another site made a browser send.
func (g gate) crossOrigin(p *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := p.Check(c.Request()); err != nil {
				g.recognise(c)
				g.recordRefusal(c, "A form of another site was refused.")
				return errs.Wrap(errs.Refused, "This request came from another site, so it was not carried out. Open the page here and try again.", err)
			}
			return next(c)
		}
	}
}

// recognise finds out who is signed in, if anybody is.
func (g gate) recognise(c echo.Context) {
	v := visitOf(c)
	s, ok, err := g.Sessions.Current(c.Request())
	if err != nil {
		g.Log.Warn("reading the session", "request", v.requestID, "error", err)
		return
	}
	if !ok {
		return
	}
	u, err := g.Auth.User(c.Request().Context(), s.UserID)
	if err != nil {
		g.Log.Warn("reading the user of a session", "request", v.requestID, "error", err)
		return
	}
	v.user, v.session, v.signedIn = u, s, true
}

// admit lets a request through to a route if the person may do what the route
// needs.
func (g gate) admit(may auth.Permission) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if may == auth.Machine {
			return next
		}
		return func(c echo.Context) error {
			g.recognise(c)
			v := visitOf(c)
			switch {
			case may == auth.Public, may == auth.SetUp:
				return next(c)
			case !v.signedIn:
				return g.askToSignIn(c)
			case !v.user.Role.May(may):
				g.recordRefusal(c, fmt.Sprintf("The role %s lacks the permission %s.", v.user.Role, may))
				return errs.New(errs.Refused, "Your role does not allow this. An owner can change it.")
			}
			return next(c)
		}
	}
}

// askToSignIn sends a reader to the sign-in page and back. A form is not sent
// there: the browser's Back then still has what was typed.
func (g gate) askToSignIn(c echo.Context) error {
	if c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead {
		return errs.New(errs.Unsigned, "You are not signed in any more, so nothing was changed. Sign in in another tab, then go back here and send the form again.")
	}
	next := c.Request().URL.RequestURI()
	if next == "/" {
		return c.Redirect(http.StatusSeeOther, "/login")
	}
	return c.Redirect(http.StatusSeeOther, "/login?next="+url.QueryEscape(next))
}

// recordRefusal writes the audit event of a refused permission.
func (g gate) recordRefusal(c echo.Context, note string) {
	e := audit.Event{Time: g.Now(), Actor: actor(c), Action: audit.AccessRefused, Target: c.Param("id"), Outcome: audit.Refused,
		Note: note + " " + c.Request().Method + " " + c.Path()}
	// The refusal stands even if its client is gone already.
	if err := audit.Record(context.WithoutCancel(c.Request().Context()), g.Store, e); err != nil {
		g.Log.Error("recording a refusal", "request", visitOf(c).requestID, "error", err)
	}
}

// address is where a request came from: the nearest address that is no trusted
// proxy. Forwarding headers of anybody else are not believed.
func (g gate) address(r *http.Request) string {
	addr := remoteAddr(r)
	hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
	for i := len(hops) - 1; i >= 0 && g.trusted(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

func remoteAddr(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func (g gate) trusted(addr netip.Addr) bool {
	for _, p := range g.Site.Proxies {
		if addr.IsValid() && p.Contains(addr) {
			return true
		}
	}
	return false
}

// browserOrigin is the origin that the browser's address bar shows, as far as
// the request tells.
func (g gate) browserOrigin(c echo.Context) string {
	r := c.Request()
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if g.trusted(remoteAddr(r)) {
		if p := r.Header.Get(echo.HeaderXForwardedProto); p == "http" || p == "https" {
			scheme = p
		}
		if h := r.Header.Get("X-Forwarded-Host"); h != "" {
			host = strings.TrimSpace(strings.Split(h, ",")[0])
		}
	}
	return scheme + "://" + host
}
