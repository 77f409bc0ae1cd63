package oauth_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// What is registered with a vendor. An entry that differs from it is wrong.
const (
	goodID       = "crm_7Qd2Xk81bV"
	goodSecret   = "s3cr3t-CANARY-8fT2kQ9zLm4"
	goodRedirect = publicURL + "/auth/rocket/callback"
)

// A vendor is a provider that behaves in one of the ways that are found in the
// world: each of its members is a choice that real ones make differently.
type vendor struct {
	order    order                            // what the token address looks at first
	words    wording                          // how it tells a wrong id from a wrong secret
	envelope envelope                         // the form of its errors
	auth     string                           // "post", "basic" or "both"
	noise    bool                             // request ids, times and random words in every error
	doors    doorStyle                        // how the authorize address turns people away
	nodes    bool                             // two servers behind one name, which answer in turn and differ
	limit    int                              // calls after which it answers 429; 0 means never
	down     int                              // calls after which it hangs up; 0 means never
	grant    string                           // "unauthorized_client": the app may not use this grant
	expired  bool                             // the registered secret is too old
	generous bool                             // gives a token for any code
	fickle   int                              // calls after which it answers everything in another way; 0 means never
	script   []string                         // the words of each answer, with one code: whatever was sent
	checksum bool                             // checks first whether the secret has a sound form, as one with a checksum has
	throttle int                              // calls after which it answers 403 and speaks of a limit; 0 means never
	incident bool                             // has a new error code for every answer
	lax      bool                             // takes a request without a client, and goes straight to the code
	disabled bool                             // the registered app is switched off
	doorDown int                              // visits after which the authorize address fails; 0 means never
	says     func(id, secret string) string   // the words of a refusal, or ""; before everything else
	door     func(id, redirect string) string // the title of an error page, or ""; before everything else
	format   bool                             // checks the form of the id first: its prefix

	mu     sync.Mutex
	calls  int
	visits int
	codes  map[string]int
	rng    *rand.Rand
}

type order int

const (
	clientFirst order = iota
	codeFirst
	requestFirst // refuses every request of ours as such
)

type wording int

const (
	distinctCodes wording = iota
	oneCode
	distinctWords // one code, and words that name the culprit
	distinctStatus
)

type envelope int

const (
	rfc envelope = iota
	errorList
	encoded
	ok200 // HTTP 200 with an error in it
	plainText
)

type doorStyle int

const (
	pages        doorStyle = iota // an error page, or the login page
	redirects                     // a redirect to an error page or to a login on another host
	loginRoute                    // the same redirect for everybody to its own login route, which decides
	afterLogin                    // the same login page for everybody
	oneErrorPage                  // the same error page for an unknown client and an unknown redirect URI
	anyRedirect                   // sends the browser to whatever redirect URI it is given
	prefixOnly                    // like pages; named redirect errors
	blocked                       // a challenge for everybody
)

func (v *vendor) random(n int) int {
	if v.rng == nil {
		return rand.IntN(n)
	}
	return v.rng.IntN(n)
}

// serve is the token address.
func (v *vendor) token(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	if v.codes == nil {
		v.codes = map[string]int{}
	}
	v.codes[r.Form.Get("code")]++
	switch {
	case v.limit > 0 && v.calls > v.limit:
		w.Header().Set("Retry-After", "30")
		v.fail(w, 429, "rate_limit_exceeded", "Slow down")
		return
	case v.down > 0 && v.calls > v.down:
		panic(http.ErrAbortHandler)
	}
	if v.fickle > 0 && v.calls > v.fickle {
		v.fail(w, 400, "state_changed", "Not as before")
		return
	}
	if v.script != nil {
		v.fail(w, 400, "refused", v.script[(v.calls-1)%len(v.script)])
		return
	}
	if v.throttle > 0 && v.calls > v.throttle {
		v.fail(w, 403, "abuse", "You have exceeded a secondary rate limit")
		return
	}
	id, secret, how := v.client(r)
	if v.generous {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q}`, accessToken)
		return
	}
	if v.order == requestFirst {
		v.fail(w, 400, "invalid_request", "The audience is missing")
		return
	}
	if v.says != nil {
		if words := v.says(id, secret); words != "" {
			code, text, _ := strings.Cut(words, ": ")
			v.fail(w, 400, code, text)
			return
		}
	}
	if v.checksum && how && !sound(secret) {
		v.fail(w, 400, "invalid_request", "The secret has a malformed checksum")
		return
	}
	if v.order == codeFirst || v.lax && !how {
		v.fail(w, 400, "invalid_grant", "The authorization code is invalid")
		return
	}
	if status, code, words, bad := v.refuse(id, secret, how); bad {
		v.fail(w, status, code, words)
		return
	}
	if v.grant != "" {
		v.fail(w, 400, v.grant, "This client may not use this grant")
		return
	}
	v.fail(w, 400, "invalid_grant", "The authorization code is invalid")
}

func (v *vendor) client(r *http.Request) (id, secret string, ok bool) {
	user, pass, basic := r.BasicAuth()
	if basic && v.auth != "post" {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(pass)
		return id, secret, true
	}
	if v.auth != "basic" && r.Form.Get("client_id") != "" {
		return r.Form.Get("client_id"), r.Form.Get("client_secret"), true
	}
	return "", "", false
}

// refuse decides on the client.
func (v *vendor) refuse(id, secret string, how bool) (status int, code, words string, bad bool) {
	unknown := !how || id != goodID
	if v.format && how && !strings.HasPrefix(id, "crm_") {
		return 400, "malformed_id", "That is no client id", true
	}
	wrong := secret != goodSecret
	if v.nodes && v.calls%2 == 0 && (unknown || wrong) {
		return 400, "client_error", "Refused", true
	}
	switch {
	case v.disabled && !unknown:
		return 401, "invalid_client", "This client is disabled", true
	case v.expired && !unknown && !wrong:
		return 401, "invalid_client", "AADSTS7000222: The provided client secret has expired", true
	case !unknown && !wrong:
		return 0, "", "", false
	case v.words == oneCode:
		return 401, "invalid_client", "Client authentication failed", true
	case v.words == distinctWords && unknown:
		return 401, "invalid_client", "Unknown client id", true
	case v.words == distinctWords:
		return 401, "invalid_client", "The client secret does not match", true
	case v.words == distinctStatus && unknown:
		return 400, "invalid_client", "Client authentication failed", true
	case v.words == distinctStatus:
		return 401, "invalid_client", "Client authentication failed", true
	case unknown:
		return 400, "invalid_client_id", "There is no such client", true
	}
	return 400, "invalid_client", "Client authentication failed", true
}

var noises = []string{"Please try again", "Something went wrong", "That did not work", "Sorry about that", "We could not do that", "Oh dear"}

// sound is a form that a corrupted copy cannot keep.
func sound(secret string) bool {
	sum := 0
	for _, c := range secret {
		sum = (sum*31 + int(c)) % 97
	}
	want := 0
	for _, c := range goodSecret {
		want = (want*31 + int(c)) % 97
	}
	return sum == want || secret == wrongSecret
}

// fail writes an error in the vendor's envelope.
func (v *vendor) fail(w http.ResponseWriter, status int, code, words string) {
	request := fmt.Sprintf("%08x%08x", v.random(1<<30), v.random(1<<30))
	if v.incident {
		code = "incident_" + request[:8]
	}
	if v.noise {
		words = fmt.Sprintf("%s (%s, ref %s, 2026-09-17T12:%02d:%02dZ)", words, noises[v.random(len(noises))], request, v.random(60), v.random(60))
	}
	var body any
	media := "application/json"
	switch v.envelope {
	case errorList:
		body = map[string]any{"type": "error.list", "request_id": request, "errors": []map[string]string{{"code": code, "message": words}}}
	case encoded:
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		w.WriteHeader(status)
		fmt.Fprint(w, url.Values{"error": {code}, "error_description": {words}}.Encode())
		return
	case ok200:
		if status != 429 {
			status = 200
		}
		body = map[string]string{"error": code, "error_description": words}
	case plainText:
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		fmt.Fprint(w, words)
		return
	default:
		body = map[string]string{"error": code, "error_description": words, "trace_id": request}
	}
	if status == 401 && v.envelope == rfc {
		w.Header().Set("WWW-Authenticate", `Basic realm="crm"`)
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// page is the authorize address, and what it leads to.
func (v *vendor) page(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/.well-known/") {
		http.NotFound(w, r)
		return
	}
	if v.visits++; v.doorDown > 0 && v.visits > v.doorDown {
		v.html(w, 429, "Too many requests")
		return
	}
	q := r.URL.Query()
	id, redirect := q.Get("client_id"), q.Get("redirect_uri")
	if v.door != nil {
		if title := v.door(id, redirect); title != "" {
			v.html(w, 400, title)
			return
		}
	}
	if r.URL.Path == "/authorize" && v.doors == loginRoute {
		http.Redirect(w, r, "/session/new?"+r.URL.RawQuery, http.StatusFound)
		return
	}
	switch v.doors {
	case afterLogin:
		v.html(w, 200, "Sign in")
	case blocked:
		v.html(w, 403, "Just a moment")
	case anyRedirect:
		if id != goodID {
			v.html(w, 404, "Unknown app")
			return
		}
		http.Redirect(w, r, redirect+"?error=login_required&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	case oneErrorPage:
		if id != goodID || redirect != goodRedirect {
			v.html(w, 400, "Bad request")
			return
		}
		v.html(w, 200, "Sign in")
	case redirects:
		v.redirecting(w, r, id, redirect)
	default:
		switch {
		case id != goodID:
			v.html(w, 404, "Unknown application")
		case redirect != goodRedirect:
			v.html(w, 400, "The redirect URI is not registered")
		default:
			v.html(w, 200, "Sign in")
		}
	}
}

func (v *vendor) redirecting(w http.ResponseWriter, r *http.Request, id, redirect string) {
	to := "https://login.crm.example/signin?flow=" + fmt.Sprint(v.random(1<<30))
	switch {
	case id != goodID:
		to = "/oauth/error?reason=client"
	case redirect != goodRedirect:
		to = "/oauth/error?reason=redirect"
	}
	if r.URL.Path == "/oauth/error" {
		v.html(w, 200, "Something is wrong with "+r.URL.Query().Get("reason"))
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (v *vendor) html(w http.ResponseWriter, status int, title string) {
	noise := ""
	if v.noise {
		noise = fmt.Sprintf("<p>%s %x</p>", noises[v.random(len(noises))], v.random(1<<30))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><title>%s</title><h1>%s</h1>%s<form></form>", title, title, noise)
}
