package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/errs"
)

const (
	maxQuery        = 8 << 10 // bytes of an authorize request's query
	consentLifetime = 10 * time.Minute
	browserCookie   = "sandbox_browser"
)

// An authRequest is an authorize request that is in order.
type authRequest struct {
	redirect string
	state    *string // nil: none was sent
}

// A refusal is an authorize request that must not lead to any redirect URI
// (RFC 6749 section 4.1.2.1).
type refusal struct {
	status int
	key    string // in the address of the error page
	title  string
	words  string
}

var (
	refusedRequest = &refusal{400, "request", "The request cannot be read", "A parameter is repeated, too long, or not escaped as a URL needs it. Nobody was sent anywhere."}
	refusedClient  = &refusal{404, "client", "No app has this client id", "Compare the client_id with the one on the sandbox's control page. Nobody was sent anywhere."}
	refusedURI     = &refusal{400, "redirect", "This redirect URI is not registered", "Add it on the sandbox's control page, to the byte as the product sends it. Nobody was sent anywhere."}
)

// authorize is GET /oauth.
func (p *Provider) authorize(x *exchange) {
	switch x.faults.Decides {
	case AfterRedirect:
		x.note("every request is redirected to the login route")
		http.Redirect(x, x.r, "/oauth/login?"+x.r.URL.RawQuery, http.StatusFound)
	case AfterSignIn:
		x.note("every request gets the same sign-in page")
		p.render(x, http.StatusOK, "signin.html", signInPage{Request: signInFields(x.r.URL.RawQuery)}, "'self'")
	default:
		p.login(x)
	}
}

// login is GET /oauth/login, where the request is decided on, and what follows
// on /oauth when nothing stands before it.
func (p *Provider) login(x *exchange) {
	req, refused := p.readRequest(x.r.URL.RawQuery, x.faults.StrictRedirects)
	switch {
	case refused == nil:
		x.note("consent page shown")
		p.showConsent(x, req)
	case x.faults.Refusal == RefusalRedirect:
		x.note("refused: " + strings.ToLower(refused.title))
		http.Redirect(x, x.r, "/oauth/refused?reason="+refused.key, http.StatusFound)
	default:
		p.showRefusal(x, refused)
	}
}

// refused is GET /oauth/refused, for providers that redirect to their errors.
func (p *Provider) refused(x *exchange) {
	for _, r := range []*refusal{refusedClient, refusedURI} {
		if x.r.URL.Query().Get("reason") == r.key {
			p.showRefusal(x, r)
			return
		}
	}
	p.showRefusal(x, refusedRequest)
}

func (p *Provider) showRefusal(x *exchange, r *refusal) {
	x.note("refused: " + strings.ToLower(r.title))
	p.render(x, r.status, "refused.html", refusedPage{Title: r.title, Words: r.words}, "'none'")
}

// readRequest decides on the query of an authorize request.
func (p *Provider) readRequest(query string, strict bool) (authRequest, *refusal) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxQuery {
		return authRequest{}, refusedRequest
	}
	for _, v := range values {
		if len(v) > 1 {
			return authRequest{}, refusedRequest
		}
	}
	if values.Get("client_id") != p.id {
		return authRequest{}, refusedClient
	}
	if t := values.Get("response_type"); t != "" && t != "code" {
		return authRequest{}, refusedRequest
	}
	req := authRequest{redirect: values.Get("redirect_uri")}
	if values.Has("state") {
		state := values.Get("state")
		req.state = &state
	}
	if known := p.RedirectURIs(); req.redirect == "" && len(known) > 0 {
		req.redirect = known[0] // documented: the first registered one is the default
	}
	if !p.accepts(req.redirect, strict) {
		return authRequest{}, refusedURI
	}
	return req, nil
}

// showConsent asks the person. The answer is bound to this browser by a cookie
// and to this request by a keyed hash over both.
func (p *Provider) showConsent(x *exchange, req authRequest) {
	browser := hex.EncodeToString(random(16))
	http.SetCookie(x, &http.Cookie{Name: browserCookie, Value: browser, Path: "/oauth", MaxAge: int(consentLifetime.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	until := strconv.FormatInt(x.now.Add(consentLifetime).Unix(), 10)
	u, err := url.Parse(req.redirect)
	if err != nil {
		panic(err) // readRequest accepts nothing that does not parse
	}
	p.render(x, http.StatusOK, "consent.html", consentPage{
		Host: u.Host, RedirectURI: req.redirect, Workspaces: workspaces, Missing: missingLabels(x.faults.Missing), Granted: grantedLabels(x.faults.Missing),
		Request: x.r.URL.RawQuery, Until: until, Token: p.formToken(browser, x.r.URL.RawQuery, until),
	}, "'self' "+u.Scheme+"://"+u.Host)
}

// decide is POST /oauth/decide: the person's answer.
func (p *Provider) decide(x *exchange) {
	if err := p.cross.Check(x.r); err != nil {
		x.note("the answer came from another site")
		p.render(x, http.StatusForbidden, "refused.html", refusedPage{Title: "This answer came from another site", Words: "Start again from the product."}, "'none'")
		return
	}
	form, err := readForm(x)
	if err != nil || !p.ownForm(x, form) {
		x.note("the consent page was not this browser's, or too old")
		p.render(x, http.StatusForbidden, "refused.html", refusedPage{Title: "This consent page is no longer good", Words: "It is ten minutes old, or another browser's. Start again from the product."}, "'none'")
		return
	}
	req, refused := p.readRequest(form.Get("request"), x.faults.StrictRedirects)
	if refused != nil {
		p.showRefusal(x, refused)
		return
	}
	allow := form.Get("answer") == "allow"
	workspace, err := strconv.Atoi(form.Get("workspace"))
	if allow && (err != nil || workspace < 0 || workspace >= len(workspaces)) {
		p.showRefusal(x, refusedRequest)
		return
	}
	x.note(map[bool]string{true: "consent given, code issued", false: "consent denied"}[allow])
	x.Header().Set("Location", p.callback(req, allow, workspace, x.faults, x.now))
	x.Header().Set("Referrer-Policy", "no-referrer")
	x.WriteHeader(http.StatusSeeOther)
}

// Decide answers an authorize URL as a person would, without a browser, and
// returns the callback that the browser would be sent to. It returns an
// errs.Invalid if the provider would send nobody anywhere.
func (p *Provider) Decide(authorizeURL string, allow bool) (callback string, err error) {
	u, err := url.Parse(authorizeURL)
	if err != nil {
		return "", fmt.Errorf("reading the authorize URL: %w", err)
	}
	f := p.Faults()
	req, refused := p.readRequest(u.RawQuery, f.StrictRedirects)
	if refused != nil {
		return "", errs.Newf(errs.Invalid, "%s. %s", refused.title, refused.words)
	}
	return p.callback(req, allow, 0, f, p.now().UTC()), nil
}

// callback returns where the browser goes next, and issues the code if allowed.
func (p *Provider) callback(req authRequest, allow bool, workspace int, f Faults, now time.Time) string {
	var params []string
	switch {
	case allow:
		p.mu.Lock()
		code := url.QueryEscape(p.ledger.issueCode(workspace, req.redirect, now))
		p.mu.Unlock()
		if f.RawEquals {
			code = strings.ReplaceAll(code, "%3D", "=")
		}
		params = append(params, "code="+code)
	case f.Denied == DeniedError:
		params = append(params, "error=access_denied")
	}
	if req.state != nil && f.State != StateLost {
		state := *req.state
		if f.State == StateAltered {
			state += "x"
		}
		params = append(params, "state="+url.QueryEscape(state))
	}
	return withQuery(req.redirect, strings.Join(params, "&"))
}

// withQuery appends to a redirect URI, whose own query stays as it is.
func withQuery(uri, query string) string {
	switch {
	case query == "":
		return uri
	case !strings.Contains(uri, "?"):
		return uri + "?" + query
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		return uri + query
	}
	return uri + "&" + query
}

func (p *Provider) formToken(browser, request, until string) string {
	m := hmac.New(sha256.New, p.key)
	fmt.Fprintf(m, "consent\n%s\n%s\n%s", browser, until, request)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// ownForm reports whether the form was made here, for this browser, in the last
// ten minutes.
func (p *Provider) ownForm(x *exchange, form url.Values) bool {
	cookie, err := x.r.Cookie(browserCookie)
	if err != nil {
		return false
	}
	until, err := strconv.ParseInt(form.Get("until"), 10, 64)
	if err != nil || !x.now.Before(time.Unix(until, 0)) {
		return false
	}
	want := p.formToken(cookie.Value, form.Get("request"), form.Get("until"))
	return subtle.ConstantTimeCompare([]byte(want), []byte(form.Get("token"))) == 1
}
