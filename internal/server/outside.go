package server

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strings"

	"backoffice/internal/outside"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// outsidePages are the check of our own public address: what an admin starts
// and reads, and the two addresses that are asked.
type outsidePages struct{ gate }

// outsideAt is where the report stands on the settings page.
const outsideAt = "/settings#outside"

// run is POST /settings/outside-in: the server asks its own public address.
func (p outsidePages) run(c echo.Context) error {
	if _, err := p.Outside.Run(c.Request().Context(), actor(c)); err != nil {
		return err
	}
	return p.see(c, outsideAt, flash{said: saidOutside})
}

// begin is POST /settings/outside-in/browser: the browser is going to ask.
func (p outsidePages) begin(c echo.Context) error {
	if err := p.Outside.Begin(actor(c), visitorOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, outside.VisitPath)
}

// visit is GET /settings/outside-in: what the browser is to do next.
func (p outsidePages) visit(c echo.Context) error {
	v, ok := p.Outside.Visit(visitorOf(c))
	if !ok {
		return c.Redirect(http.StatusSeeOther, outsideAt)
	}
	page := templates.OutsideVisitPage{Frame: p.frame(c, "Check with your browser", templates.SectionSettings), PublicURL: p.origin(), Link: v.Link,
		Came: v.Came, Back: v.Back, Field: v.Field, Probe: v.Value, Until: until(v.Expires)}
	if v.Back {
		page.Action = v.Action
	}
	return render(c, http.StatusOK, templates.OutsideVisit(page))
}

// finish is POST /settings/outside-in/finish: what has come so far is judged.
func (p outsidePages) finish(c echo.Context) error {
	if _, err := p.Outside.Finish(c.Request().Context(), visitorOf(c)); err != nil {
		return err
	}
	return p.see(c, outsideAt, flash{said: saidOutside})
}

// visitorOf names the session of a visit; "" if nobody is signed in.
func visitorOf(c echo.Context) string {
	v := visitOf(c)
	if !v.signedIn {
		return ""
	}
	return v.session.Binding()
}

// callback is GET /auth/outside-in/callback. A HEAD uses nothing up.
func (p outsidePages) callback(c echo.Context) error { return p.take(c, outside.CallbackPath) }

// webhook is HEAD and POST /webhooks/outside-in, and GET, because some proxies
// make one of a HEAD, which is then said.
func (p outsidePages) webhook(c echo.Context) error { return p.take(c, outside.WebhookPath) }

// take answers a request of a check. Without a nonce that is outstanding there
// is nothing here, and the body is not read.
func (p outsidePages) take(c echo.Context, path string) error {
	t, err := p.claim(c)
	if err != nil {
		return err
	}
	a := p.arrival(c)
	a.Stray = c.Request().URL.Path != path || !t.At(path)
	if err := readBody(c, &a); err != nil {
		return err
	}
	answer := t.Arrive(a)
	if answer.Cookie != nil {
		c.SetCookie(answer.Cookie)
	}
	if answer.Finish {
		return p.finish(c)
	}
	if answer.Location != "" {
		c.Response().Header().Set(echo.HeaderLocation, answer.Location)
	}
	return c.String(answer.Status, answer.Text+"\n")
}

// claim uses up the nonce of a request. Whoever has a nonce of a visit must be
// signed in as the person who began it.
func (g gate) claim(c echo.Context) (*outside.Ticket, error) {
	r := c.Request()
	nonce, ok := g.Outside.Nonce(r.Header, r.URL.RawQuery)
	if !ok {
		return nil, g.Outside.Unknown()
	}
	if err := g.recognise(c); err != nil {
		return nil, err
	}
	return g.Outside.Claim(nonce, r.Method, visitorOf(c))
}

// noteStray takes note of a request of a check that a proxy led to another path,
// and then lets it get the answer of that path.
func (g gate) noteStray(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.URL.Path == outside.CallbackPath || r.URL.Path == outside.WebhookPath {
			return next(c)
		}
		if _, ok := g.Outside.Nonce(r.Header, r.URL.RawQuery); !ok {
			return next(c)
		}
		if t, err := g.claim(c); err == nil {
			a := g.arrival(c)
			a.Stray = true
			t.Arrive(a)
		}
		return next(c)
	}
}

// arrival is a request of a check as this program sees it, but for its body.
func (g gate) arrival(c echo.Context) outside.Arrival {
	r := c.Request()
	scheme, host, _ := strings.Cut(g.browserOrigin(c), "://")
	peer := remoteAddr(r)
	a := outside.Arrival{Method: r.Method, Scheme: scheme, Host: host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Trusted: g.trusted(peer),
		ForwardedProto: r.Header.Get(echo.HeaderXForwardedProto), ForwardedHost: r.Header.Get("X-Forwarded-Host"), Signature: outside.SignatureOf(r.Header)}
	if peer.IsValid() {
		a.Peer = peer.String()
	}
	if k, err := c.Cookie(g.Outside.CookieName()); err == nil {
		a.Cookie = k.Value
	}
	return a
}

// readBody notes how much came and its hash, and keeps none of it.
func readBody(c echo.Context, a *outside.Arrival) error {
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, outside.MaxBody))
	if err != nil {
		return err
	}
	a.Length, a.Sum = len(b), sha256.Sum256(b)
	return nil
}

// outsideIn is the part of the settings page about the last check.
func (p housePages) outsideIn(c echo.Context) (templates.OutsideCheck, error) {
	out := templates.OutsideCheck{May: p.allows(c, settingsCheck)}
	r, ok, err := p.Outside.Last(c.Request().Context())
	if err != nil || !ok {
		return out, err
	}
	out.Known, out.Verdict, out.Heading = true, outsideVerdict(r.Verdict()), r.Headline()
	out.When, out.Took, out.By, out.ByBrowser = p.when(r.Time), templates.Took(r.Took), r.By, r.ByBrowser
	for _, f := range r.Findings {
		row := templates.OutsideRow{ID: "outside-" + string(f.Aspect), Label: f.Aspect.Label(), Verdict: outsideVerdict(f.Verdict), Reason: f.Reason, Remedy: f.Remedy,
			Registered: f.Registered, Sent: f.Sent, Delivered: f.Delivered}
		for _, proxy := range outside.Proxies() {
			if text := f.Lines[proxy]; text != "" {
				row.Lines = append(row.Lines, templates.ProxyLines{ID: row.ID + "-" + strings.ToLower(string(proxy)), Proxy: string(proxy), Text: text})
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

var outsideVerdicts = map[outside.Verdict]templates.Verdict{outside.OK: templates.VerdictOK, outside.Wrong: templates.VerdictWrong,
	outside.Inconclusive: templates.VerdictInconclusive, outside.Warning: templates.VerdictWarning}

func outsideVerdict(v outside.Verdict) templates.Verdict { return outsideVerdicts[v] }
