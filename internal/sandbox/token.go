package sandbox

import (
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
)

// A tokenError is a refused token request, in both error formats.
type tokenError struct {
	note        string // for the log
	status      int    // with ErrorList
	code, words string
	rfcStatus   int // with RFC6749
	rfcError    string
	rfcWords    string
}

// Only "Unauthorized Code" and its status are documented. All else is the
// sandbox's own: Intercom publishes no answer for a client that is refused.
var (
	unreadable   = &tokenError{"the request is no form, too long, or repeats a field", 400, "parameter_invalid", "The request could not be read", 400, "invalid_request", "The request could not be read"}
	twoMethods   = &tokenError{"the client authenticated in two ways at once", 400, "parameter_invalid", "More than one client authentication", 400, "invalid_request", "More than one client authentication method was used"}
	wrongGrant   = &tokenError{"grant_type is not authorization_code", 400, "parameter_invalid", "Unsupported grant type", 400, "unsupported_grant_type", "Only authorization_code is supported"}
	unknownID    = &tokenError{"the client id is not ours", 401, "client_refused", "Unknown client", 401, "invalid_client", "Unknown client"}
	wrongSecret  = &tokenError{"the client secret is not ours", 401, "client_refused", "Client secret does not match", 401, "invalid_client", "Client secret does not match"}
	badClient    = &tokenError{"", 401, "client_refused", "Unknown client credentials", 401, "invalid_client", "Client authentication failed"}
	badCode      = &tokenError{"the code is unknown, used or five minutes old", 401, "unauthorized", "Unauthorized Code", 400, "invalid_grant", "The authorization code is invalid, expired or already used"}
	badRedirect  = &tokenError{"redirect_uri is not the authorize request's", 401, "unauthorized", "Redirect URI does not match", 400, "invalid_grant", "redirect_uri does not match the authorization request"}
	missingValue = &tokenError{"the code is missing", 400, "parameter_not_found", "code is missing", 400, "invalid_request", "code is missing"}
)

// A tokenRequest is what a token request says.
type tokenRequest struct {
	id, secret string
	code       string
	redirect   string
}

// token is POST /auth/eagle/token.
func (p *Provider) token(x *exchange) {
	if x.faults.TokenCounts && !p.withinLimit(x) {
		return
	}
	req, failed := p.readTokenRequest(x)
	var workspace int
	if failed == nil {
		workspace, failed = p.exchangeCode(x, req)
	}
	if failed != nil {
		x.tokenFailed(failed)
		return
	}
	p.mu.Lock()
	token := p.ledger.issueToken(workspace)
	p.mu.Unlock()
	x.note("access token issued")
	body := map[string]string{"token_type": "Bearer"}
	if x.faults.TokenFields != OnlyAccessToken {
		body["token"] = token
	}
	if x.faults.TokenFields != OnlyToken {
		body["access_token"] = token
	}
	x.json(http.StatusOK, body)
}

// readTokenRequest reads the form and, in the method that is accepted, who the
// client says it is.
func (p *Provider) readTokenRequest(x *exchange) (tokenRequest, *tokenError) {
	form, err := readForm(x)
	if err != nil {
		return tokenRequest{}, unreadable
	}
	x.rec.Fields = append(x.rec.Fields, p.describeAll(form)...)
	if g := form.Get("grant_type"); g != "" && g != "authorization_code" {
		return tokenRequest{}, wrongGrant
	}
	req := tokenRequest{code: form.Get("code"), redirect: form.Get("redirect_uri")}
	basicID, basicSecret, basic := basicClient(x.r)
	post := form.Has("client_secret")
	switch how := x.faults.ClientAuth; {
	case how == PostOrBasic && basic && post:
		return tokenRequest{}, twoMethods
	case how == BasicOnly, how == PostOrBasic && basic:
		req.id, req.secret = basicID, basicSecret
	default:
		req.id, req.secret = form.Get("client_id"), form.Get("client_secret")
	}
	return req, nil
}

// basicClient reads HTTP Basic, both parts form-encoded (RFC 6749 section 2.3.1).
func basicClient(r *http.Request) (id, secret string, ok bool) {
	id, secret, ok = r.BasicAuth()
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return id, secret, ok && errID == nil && errSecret == nil
}

// exchangeCode checks client and code in the order that is set, and returns the
// workspace that the code is for.
func (p *Provider) exchangeCode(x *exchange, req tokenRequest) (int, *tokenError) {
	if x.faults.Order != CodeFirst {
		if failed := p.checkClient(req, x.faults.Order, x.faults.Secrets); failed != nil {
			return 0, failed
		}
	}
	workspace, failed := p.checkCode(x, req)
	if failed == nil && x.faults.Order == CodeFirst {
		failed = p.checkClient(req, ClientFirst, x.faults.Secrets)
	}
	return workspace, failed
}

func (p *Provider) checkClient(req tokenRequest, order Order, hold Secrets) *tokenError {
	var failed *tokenError
	switch {
	case req.id != p.id:
		failed = unknownID
	case !p.holds(req.secret, hold):
		failed = wrongSecret
	default:
		return nil
	}
	if order != ClientFirstInWords {
		same := *badClient
		same.note = failed.note
		failed = &same
	}
	return failed
}

// holds reports whether a client secret is one of those that hold.
func (p *Provider) holds(sent string, hold Secrets) bool {
	first := subtle.ConstantTimeCompare([]byte(sent), []byte(p.secret)) == 1
	second := subtle.ConstantTimeCompare([]byte(sent), []byte(p.second)) == 1
	return first && hold != SecondSecret || second && hold != FirstSecret
}

func (p *Provider) checkCode(x *exchange, req tokenRequest) (int, *tokenError) {
	if req.code == "" {
		return 0, missingValue
	}
	p.mu.Lock()
	g, ok := p.ledger.takeCode(req.code, x.now)
	p.mu.Unlock()
	match := x.faults.RedirectMatch
	switch {
	case !ok:
		return 0, badCode
	case match == RedirectIfSent && req.redirect != "" && req.redirect != g.redirect,
		match == RedirectRequired && req.redirect != g.redirect:
		return 0, badRedirect
	}
	return g.workspace, nil
}

// tokenFailed answers in the format, the status and the words that are set.
func (x *exchange) tokenFailed(e *tokenError) {
	x.note(e.note)
	status, words := e.status, e.words
	if x.faults.ErrorForm == RFC6749 {
		status, words = e.rfcStatus, e.rfcWords
	}
	if x.faults.RandomWords {
		words += " (ref " + hex.EncodeToString(random(7)) + ")"
	}
	if status == http.StatusUnauthorized && x.faults.ClientAuth != PostOnly {
		x.Header().Set("WWW-Authenticate", `Basic realm="sandbox"`)
	}
	if x.faults.ErrorAs200 {
		status = http.StatusOK
	}
	if x.faults.ErrorForm == RFC6749 {
		x.json(status, map[string]string{"error": e.rfcError, "error_description": words})
		return
	}
	x.errorList(status, e.code, words)
}
