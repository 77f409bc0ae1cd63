package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/oauth"
)

// In the order of oauth.Fields: client id, secret, method, redirect URI,
// reachability, permission, state.
const (
	allOK      = "ok ok ok ok ok ok ok"
	credsOK    = "ok ok ok ok ok %s ok"
	noneProven = "inconclusive inconclusive inconclusive inconclusive %s not-checked ok"
	notSent    = "not-checked not-checked not-checked not-checked wrong not-checked ok"
	fromPerson = "%s not-checked not-checked inconclusive not-checked not-checked ok"
)

var usual = "Workspace=Acme Region=US Admin=ada@acme.example Email verified=yes"

// echo is a provider that repeats everything it was sent, in every form it can.
func echo(status int, format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		all := r.Form.Get("code") + " " + r.Form.Get("client_secret") + " " + r.Form.Encode() + " " +
			base64.StdEncoding.EncodeToString([]byte(r.Form.Get("client_secret"))) + " " + r.Header.Get("Authorization") + " " +
			strings.ToUpper(r.Form.Get("code")) + "\x00\u200b " + r.Form.Get("code_verifier")
		quoted, _ := json.Marshal(all)
		w.Header().Set("Content-Type", "application/"+strings.Trim(base64.RawURLEncoding.EncodeToString([]byte(r.Form.Get("client_secret"))), "="))
		w.Header().Set("X-Request-Id", r.Form.Get("code"))
		w.Header().Set("X-RateLimit-Limit", r.Form.Get("code"))
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format, quoted)
	}
}

func page(status int) http.HandlerFunc {
	return answer(status, "<!doctype html><title>Blocked</title>", "Content-Type", "text/html; charset=utf-8")
}

func huge(w http.ResponseWriter, _ *http.Request) {
	for range 2 << 20 / 1024 {
		_, _ = io.WriteString(w, strings.Repeat("x", 1024))
	}
}

// slow answers when the caller has given up.
func slow(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"access_token":"`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func silent(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// behaviours is what providers do. One row is one whole consent run.
var behaviours = []struct {
	name     string
	setup    setup
	token    http.HandlerFunc // nil issues a token
	me       http.HandlerFunc // nil tells who it is
	query    string           // of the callback, without the state; "" brings the code
	verdict  oauth.Verdict
	headline string
	fields   string
	identity string
	steps    string // verdict of each
}{
	{name: "all is well", verdict: oauth.OK, headline: "Works", fields: allOK, identity: usual, steps: "ok ok ok"},
	{name: "token in the second field", token: answer(200, `{"token":"`+accessToken+`","token_type":"Bearer"}`),
		verdict: oauth.OK, headline: "Works", fields: allOK, identity: usual, steps: "ok ok ok"},
	{name: "form-encoded token", token: answer(200, "access_token="+url.QueryEscape(accessToken)+"&token_type=bearer", "Content-Type", "application/x-www-form-urlencoded"),
		verdict: oauth.OK, headline: "Works", fields: allOK, identity: usual, steps: "ok ok ok"},
	{name: "basic and PKCE", setup: setup{definition: "  clientAuth: basic\n  pkce: true"}, verdict: oauth.OK, headline: "Works", fields: allOK, identity: usual, steps: "ok ok ok"},
	{name: "public client", setup: setup{definition: "  clientAuth: post\n  pkce: true", values: map[string]string{"clientSecret": ""}},
		verdict: oauth.OK, headline: "Works", fields: "ok not-checked ok ok ok ok ok", identity: usual, steps: "ok ok ok"},
	{name: "no identity call", setup: setup{identity: "-"}, verdict: oauth.OK, headline: "Works", fields: fmt.Sprintf(credsOK, "not-checked"), steps: "ok ok"},

	{name: "denied", query: "error=access_denied&error_description=" + url.QueryEscape("The person said no"),
		verdict: oauth.Inconclusive, headline: "Consent was denied", fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},
	{name: "client refused before consent", query: "error=invalid_client", verdict: oauth.Wrong, headline: "Rocket refuses the client ID",
		fields: fmt.Sprintf(fromPerson, "wrong"), steps: "wrong"},
	{name: "grant refused before consent", query: "error=unauthorized_client", verdict: oauth.Wrong, headline: "Rocket does not allow this app the sign-in",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "wrong"},
	{name: "scope refused", query: "error=invalid_scope", verdict: oauth.Wrong, headline: "Rocket refuses the requested scopes",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "wrong"},
	{name: "unknown error", query: "error=" + url.QueryEscape("<script>"), verdict: oauth.Inconclusive, headline: "Rocket sent the browser back with an error",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},
	{name: "error beside a code", query: "error=server_error&code=" + url.QueryEscape(code), verdict: oauth.Inconclusive, headline: "Rocket sent the browser back with an error",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},
	{name: "no code", query: "scope=x", verdict: oauth.Inconclusive, headline: "Rocket sent the browser back without a code",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},
	{name: "two codes", query: "code=a&code=b", verdict: oauth.Inconclusive, headline: "The browser came back with more than one code",
		fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},

	{name: "client refused", token: answer(401, `{"error":"invalid_client","error_description":"Client authentication failed"}`),
		verdict: oauth.Wrong, headline: "Rocket refuses the client", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok wrong"},
	{name: "code refused", token: answer(400, `{"error":"invalid_grant","error_description":"expired, or does not match the redirection URI"}`),
		verdict: oauth.Inconclusive, headline: "Rocket refuses the code", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "code refused in an envelope", token: answer(401, `{"type":"error.list","request_id":"r-1","errors":[{"code":"unauthorized","message":"Unauthorized Code"}]}`),
		verdict: oauth.Inconclusive, headline: "Rocket refuses the code", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "client refused in an envelope", token: answer(401, `{"type":"error.list","errors":[{"code":"invalid_client_credentials","message":"No"}]}`),
		verdict: oauth.Wrong, headline: "Rocket refuses the client", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok wrong"},
	{name: "error as an object", token: answer(400, `{"error":{"code":"invalid_client","message":"No"}}`),
		verdict: oauth.Wrong, headline: "Rocket refuses the client", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok wrong"},
	{name: "form-encoded error", token: answer(200, "error=bad_verification_code&error_description=no", "Content-Type", "application/x-www-form-urlencoded"),
		verdict: oauth.Inconclusive, headline: "Rocket refuses the code", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "error with success", token: answer(200, `{"error":"incorrect_client_credentials","access_token":"`+accessToken+`"}`),
		verdict: oauth.Wrong, headline: "Rocket refuses the client", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok wrong"},
	{name: "redirect refused", token: answer(400, `{"error":"redirect_uri_mismatch"}`),
		verdict: oauth.Wrong, headline: "Rocket refuses the redirect URI", fields: "inconclusive inconclusive inconclusive wrong ok not-checked ok", steps: "ok wrong"},
	{name: "grant refused", token: answer(400, `{"error":"unauthorized_client"}`), verdict: oauth.Wrong, headline: "Rocket does not allow this app the authorization code",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok wrong"},
	{name: "request refused", token: answer(400, `{"error":"invalid_request"}`), verdict: oauth.Inconclusive, headline: "Rocket does not accept the request",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token beside an error in a list", token: answer(200, `{"access_token":"`+accessToken+`","errors":["invalid_client"]}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token beside an error that is a list", token: answer(200, `{"access_token":"`+accessToken+`","error":["invalid_client"]}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token beside ok false", token: answer(200, `{"access_token":"`+accessToken+`","ok":false}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token beside success false", token: answer(200, `{"access_token":"`+accessToken+`","success":false,"message":"no"}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token that is none: a space", token: answer(200, `{"access_token":" "}`), verdict: oauth.Inconclusive,
		headline: "Rocket answers without a token", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token that is none: a mark of no width", token: answer(200, `{"access_token":"\u200b"}`), verdict: oauth.Inconclusive,
		headline: "Rocket answers without a token", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token that is none: the word null", token: answer(200, `{"access_token":"null"}`), verdict: oauth.Inconclusive,
		headline: "Rocket answers without a token", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token that is none: a page", token: answer(200, `{"access_token":"<!doctype"}`), verdict: oauth.Inconclusive,
		headline: "Rocket answers without a token", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "a token that is none: a code beside it", token: answer(200, `{"access_token":"`+accessToken+`","code":"invalid_client"}`), verdict: oauth.Inconclusive,
		headline: "Rocket answers without a token", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "plain 401", token: answer(401, ``), verdict: oauth.Inconclusive, headline: "Rocket refuses the exchange without saying why",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "401 about a client, in words only", token: answer(401, `{"message":"Unknown client"}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "plain 403", token: answer(403, `{}`), verdict: oauth.Inconclusive, headline: "Rocket forbids the exchange without saying why",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "unknown error code", token: answer(400, `{"error":"teapot"}`), verdict: oauth.Inconclusive, headline: "Rocket refuses the exchange",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "token with an error status", token: answer(401, `{"access_token":"`+accessToken+`"}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange without saying why", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "429", token: answer(429, `{"error":"invalid_client"}`, "Retry-After", "30"), verdict: oauth.Inconclusive, headline: "Rocket asks for a pause",
		fields: fmt.Sprintf(noneProven, "warning"), steps: "ok inconclusive"},
	{name: "500", token: answer(500, `{"error":"invalid_client"}`), verdict: oauth.Inconclusive, headline: "Rocket has an error of its own",
		fields: fmt.Sprintf(noneProven, "warning"), steps: "ok inconclusive"},
	{name: "HTML with 503", token: page(503), verdict: oauth.Inconclusive, headline: "Rocket has an error of its own",
		fields: fmt.Sprintf(noneProven, "warning"), steps: "ok inconclusive"},
	{name: "HTML", token: page(200), verdict: oauth.Inconclusive, headline: "A web page answers instead of Rocket's token address",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "HTML with 403", token: page(403), verdict: oauth.Inconclusive, headline: "A web page answers instead of Rocket's token address",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "404", token: page(404), verdict: oauth.Wrong, headline: "There is no token endpoint at this address", fields: notSent, steps: "ok wrong"},
	{name: "no token", token: answer(200, `{"ok":true}`), verdict: oauth.Inconclusive, headline: "Rocket answers without a token",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "token that is no text", token: answer(200, `{"access_token":{"a":1},"token":""}`), verdict: oauth.Inconclusive, headline: "Rocket answers without a token",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "empty", token: answer(200, ""), verdict: oauth.Inconclusive, headline: "Rocket answers without a token",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "JSON that breaks off", token: answer(200, `{"access_token":"`+accessToken), verdict: oauth.Inconclusive, headline: "The answer is not readable JSON",
		fields: fmt.Sprintf(noneProven, "warning"), steps: "ok inconclusive"},
	{name: "a list", token: answer(200, `["a"]`), verdict: oauth.Inconclusive, headline: "Rocket answers without a token",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "JSON that breaks off in an error", token: answer(401, `{"error":"inv`), verdict: oauth.Inconclusive, headline: "Rocket refuses the exchange without saying why",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "huge", token: huge, verdict: oauth.Inconclusive, headline: "The answer is too large to be one",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "slow", setup: setup{timeout: time.Second}, token: slow, verdict: oauth.Inconclusive, headline: "Rocket does not answer in time",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "redirect", token: answer(302, "", "Location", "https://elsewhere.example/x?y=z"), verdict: oauth.Wrong, headline: "The token address redirects", fields: notSent, steps: "ok wrong"},
	{name: "redirect that keeps the method", token: answer(307, "", "Location", "/token"), verdict: oauth.Wrong, headline: "The token address redirects", fields: notSent, steps: "ok wrong"},
	{name: "cut off", token: cutShort, verdict: oauth.Inconclusive, headline: "The answer of Rocket is cut off",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "closed without a word", token: silent, verdict: oauth.Inconclusive, headline: "The answer of Rocket is cut off",
		fields: fmt.Sprintf(noneProven, "inconclusive"), steps: "ok inconclusive"},
	{name: "no such name", setup: setup{tokenURL: "https://nowhere.example/token"}, verdict: oauth.Wrong, headline: "The token address has no known host", fields: notSent, steps: "ok wrong"},
	{name: "nobody listens", setup: setup{tokenURL: "https://127.0.0.1:1/token"}, verdict: oauth.Wrong, headline: "No connection to the token address", fields: notSent, steps: "ok wrong"},
	{name: "unknown certificate", setup: setup{untrusted: true}, verdict: oauth.Wrong, headline: "No secure connection to the token address", fields: notSent, steps: "ok wrong"},
	{name: "address of the inner network", setup: setup{tokenURL: "https://10.0.0.1/token"}, verdict: oauth.Wrong, headline: "The token address must not be called from here", fields: notSent, steps: "ok wrong"},

	{name: "permission missing", me: answer(403, `{"type":"error.list","errors":[{"code":"forbidden","message":"no scope"}]}`),
		verdict: oauth.Warning, headline: "Credentials are good, but a permission is missing", fields: fmt.Sprintf(credsOK, "wrong"), steps: "ok ok wrong"},
	{name: "forbidden without a permission", me: answer(403, `{"error":"ip_blocked"}`),
		verdict: oauth.Warning, headline: "Credentials are good, but the identity call is forbidden", fields: fmt.Sprintf(credsOK, "inconclusive"), steps: "ok ok warning"},
	{name: "429 as 403", me: answer(403, `{"errors":[{"code":"rate_limit_exceeded"}]}`),
		verdict: oauth.Inconclusive, headline: "Credentials are good, but Rocket asks for a pause", fields: strings.Replace(fmt.Sprintf(credsOK, "inconclusive"), "ok inconclusive ok", "warning inconclusive ok", 1), steps: "ok ok inconclusive"},
	{name: "token refused", me: answer(401, `{"errors":[{"code":"unauthorized"}]}`), verdict: oauth.Inconclusive,
		headline: "Credentials are good, but the permission is missing or the token is refused", fields: fmt.Sprintf(credsOK, "inconclusive"), steps: "ok ok inconclusive"},
	{name: "identity 400", me: answer(400, `{"errors":[{"code":"version_invalid"}]}`), verdict: oauth.Inconclusive,
		headline: "Credentials are good, but Rocket refuses the call that asks whose token it is", fields: fmt.Sprintf(credsOK, "inconclusive"), steps: "ok ok inconclusive"},
	{name: "identity error with success", me: answer(200, `{"ok":false,"error":"account_inactive"}`), verdict: oauth.Inconclusive,
		headline: "Credentials are good, but Rocket refuses the call that asks whose token it is", fields: fmt.Sprintf(credsOK, "inconclusive"), steps: "ok ok inconclusive"},
	{name: "identity 429", me: answer(429, ``), verdict: oauth.Inconclusive, headline: "Credentials are good, but Rocket asks for a pause",
		fields: "ok ok ok ok warning inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity 500", me: answer(502, ``), verdict: oauth.Inconclusive, headline: "Credentials are good, but Rocket's API has an error of its own",
		fields: "ok ok ok ok warning inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity HTML", me: page(200), verdict: oauth.Inconclusive, headline: "Credentials are good, but a web page answers instead of Rocket's API",
		fields: "ok ok ok ok inconclusive inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity huge", me: huge, verdict: oauth.Inconclusive, headline: "Credentials are good, but the answer of Rocket's API is too large to be one",
		fields: "ok ok ok ok inconclusive inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity slow", setup: setup{timeout: 2 * time.Second}, me: slow, verdict: oauth.Inconclusive, headline: "Credentials are good, but Rocket's API does not answer in time",
		fields: "ok ok ok ok inconclusive inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity cut off", me: cutShort, verdict: oauth.Inconclusive, headline: "Credentials are good, but the answer of Rocket's API is cut off",
		fields: "ok ok ok ok inconclusive inconclusive ok", steps: "ok ok inconclusive"},
	{name: "identity 404", me: answer(404, `{}`), verdict: oauth.Wrong, headline: "Credentials are good, but there is nothing at the API address",
		fields: "ok ok ok ok wrong not-checked ok", steps: "ok ok wrong"},
	{name: "identity redirect", me: answer(301, ``, "Location", "https://elsewhere.example/"), verdict: oauth.Wrong, headline: "Credentials are good, but the API address redirects",
		fields: "ok ok ok ok wrong not-checked ok", steps: "ok ok wrong"},
	{name: "identity unreachable", setup: setup{meURL: "https://127.0.0.1:1/me"}, verdict: oauth.Wrong, headline: "Credentials are good, but there is no connection to the API address",
		fields: "ok ok ok ok wrong not-checked ok", steps: "ok ok wrong"},
	{name: "identity without a name", setup: setup{meURL: "https://nowhere.example/me"}, verdict: oauth.Wrong, headline: "Credentials are good, but the API address has no known host",
		fields: "ok ok ok ok wrong not-checked ok", steps: "ok ok wrong"},
	{name: "identity inside", setup: setup{meURL: "https://10.0.0.1/me"}, verdict: oauth.Wrong, headline: "Credentials are good, but the API address must not be called from here",
		fields: "ok ok ok ok wrong not-checked ok", steps: "ok ok wrong"},
	{name: "identity without an object", me: answer(200, `null`), verdict: oauth.Inconclusive, headline: "Credentials are good, but the answer does not say whose token it is",
		fields: fmt.Sprintf(credsOK, "inconclusive"), steps: "ok ok inconclusive"},
	{name: "identity that breaks off", me: answer(200, me[:40]), verdict: oauth.Inconclusive, headline: "Credentials are good, but the answer of Rocket's API is not readable JSON",
		fields: "ok ok ok ok warning inconclusive ok", steps: "ok ok inconclusive"},
	{name: "app is null", me: answer(200, `{"email":"ada@acme.example","email_verified":null,"app":null}`), verdict: oauth.OK, headline: "Works", fields: allOK,
		identity: "Workspace= Region= Admin=ada@acme.example Email verified=", steps: "ok ok ok"},
	{name: "nobody in it", me: answer(200, `{}`), verdict: oauth.OK, headline: "Works", fields: fmt.Sprintf(credsOK, "warning"),
		identity: "Workspace= Region= Admin= Email verified=", steps: "ok ok warning"},
	{name: "not verified", me: answer(200, strings.Replace(me, "true", "false", 1)), verdict: oauth.OK, headline: "Works", fields: allOK,
		identity: "Workspace=Acme Region=US Admin=ada@acme.example Email verified=no", steps: "ok ok ok"},
	{name: "region in other letters", me: answer(200, strings.Replace(me, `"US"`, `"us"`, 1)), verdict: oauth.OK, headline: "Works", fields: allOK,
		identity: "Workspace=Acme Region=us Admin=ada@acme.example Email verified=yes", steps: "ok ok ok"},
	{name: "another region", setup: setup{values: map[string]string{"region": "EU"}}, verdict: oauth.OK, headline: "Works, but the region differs",
		fields: fmt.Sprintf(credsOK, "warning"), identity: "Workspace=Acme Region=US(warning) Admin=ada@acme.example Email verified=yes", steps: "ok ok warning"},
	{name: "token for no header", token: answer(200, `{"access_token":"a\nb"}`), verdict: oauth.Inconclusive, headline: "Credentials are good, but the token cannot be used",
		fields: fmt.Sprintf(credsOK, "not-checked"), steps: "ok ok inconclusive"},

	{name: "echo", token: echo(400, `{"error":"invalid_grant","error_description":%s}`), verdict: oauth.Inconclusive, headline: "Rocket refuses the code",
		fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "echo as the error code", setup: setup{definition: "  clientAuth: basic\n  pkce: true"}, token: echo(400, `{"error":%s}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "echo in an envelope", token: echo(401, `{"request_id":%[1]s,"errors":[{"code":%[1]s,"message":%[1]s}]}`), verdict: oauth.Inconclusive,
		headline: "Rocket refuses the exchange", fields: fmt.Sprintf(noneProven, "ok"), steps: "ok inconclusive"},
	{name: "echo beside a token", token: echo(200, `{"access_token":"`+accessToken+`","refresh_token":"`+accessToken+`-r","token_type":%[1]s,"scope":%[1]s}`),
		verdict: oauth.OK, headline: "Works", fields: allOK, identity: usual, steps: "ok ok ok"},
	{name: "token repeated beside itself", setup: setup{identity: "-"}, token: answer(200, `{"access_token":"`+accessToken+`","token_type":"x `+accessToken+`","scope":"`+url.QueryEscape(accessToken)+`"}`),
		verdict: oauth.OK, headline: "Works", fields: fmt.Sprintf(credsOK, "not-checked"), steps: "ok ok"},
	{name: "echo of the token", me: answer(200, `{"email":"`+accessToken+`","app":{"name":"x `+url.QueryEscape(accessToken)+` y","region":"US"}}`),
		verdict: oauth.OK, headline: "Works", fields: allOK, identity: "Workspace=x [removed] y Region=US Admin=[removed] Email verified=", steps: "ok ok ok"},
	{name: "echo of the code by the browser", query: "error=" + url.QueryEscape(code) + "&error_description=" + url.QueryEscape(clientSecret) + "&code=" + url.QueryEscape(code),
		verdict: oauth.Inconclusive, headline: "Rocket sent the browser back with an error", fields: fmt.Sprintf(fromPerson, "inconclusive"), steps: "inconclusive"},
}

// Invariants 2 and 7: each behaviour of a provider has its own honest verdict,
// and leaves no secret anywhere.
func TestBehaviours(t *testing.T) {
	headlines := map[string]bool{}
	for _, tt := range behaviours {
		headlines[tt.headline] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tt.setup)
			if tt.token != nil {
				r.provider.token = tt.token
			}
			if tt.me != nil {
				r.provider.identity = tt.me
			}
			state, authorize := r.start(1)
			q := query(code, state)
			if tt.query != "" {
				q = tt.query + "&state=" + state
			}
			rep := r.report(r.callback(q))
			var steps []string
			for _, s := range rep.Steps {
				steps = append(steps, s.Verdict.String())
			}
			got := []string{rep.Verdict.String(), rep.Headline, fieldsOf(rep), identityOf(rep), strings.Join(steps, " ")}
			want := []string{tt.verdict.String(), tt.headline, tt.fields, tt.identity, tt.steps}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("got  %s\nwant %s", got[i], want[i])
				}
			}
			r.checkReport(rep)
			r.checkLog(rep)
			r.checkCanaries(rep, state, authorize)
		})
	}
	if len(headlines) < 35 {
		t.Errorf("only %d different headlines: each behaviour has its own words", len(headlines))
	}
}

// quotation is what a provider said, in a sentence of ours.
var quotation = regexp.MustCompile(`answered: “[^”]*”`)

// A refusal that no code of the standard explains is quoted, and nothing is made
// of it.
func TestRefusalIsQuoted(t *testing.T) {
	const rest = " That alone does not prove the secret wrong: a refused code can be answered in the same way."
	for _, tt := range []struct{ body, secret, headline string }{
		{`{"errors":[{"code":"client_refused","message":"Unknown client credentials"}]}`, "Rocket answered: “Unknown client credentials” (client_refused).", "Rocket refuses the exchange"},
		{`{"message":"Unknown client"}`, "Rocket answered: “Unknown client”.", "Rocket refuses the exchange"},
		{`{"error":"no_way"}`, "Rocket answered: “no_way”.", "Rocket refuses the exchange"},
		{`{"error":"no way"}`, "Rocket answered: “no way”.", "Rocket refuses the exchange"},
		{`{}`, "The answer is 401 and gives no reason.", "Rocket refuses the exchange without saying why"},
		{`{"message":"Bad ` + clientSecret + ` ”%A”\n"}`, "Rocket answered: “Bad [removed] '%A'”.", "Rocket refuses the exchange"},
		{`{"message":"` + strings.Repeat("ab", 200) + `"}`, "Rocket answered: “" + strings.Repeat("ab", 100) + "…”.", "Rocket refuses the exchange"},
	} {
		r := newRig(t, setup{})
		r.provider.token = answer(401, tt.body)
		rep := r.run()
		f := rep.Field(oauth.ClientSecret)
		if f.Reason != tt.secret+rest || f.Verdict != oauth.Inconclusive || rep.Headline != tt.headline || rep.Verdict != oauth.Inconclusive {
			t.Errorf("%s: %s, %s: %s", tt.body, rep.Headline, f.Verdict, f.Reason)
		}
	}
}

// A provider that asks for a pause is asked again when it said so.
func TestPause(t *testing.T) {
	at := func(s string) string {
		when, err := time.Parse(time.RFC3339, s)
		must(t, err)
		return strconv.FormatInt(when.Unix(), 10)
	}
	for _, tt := range []struct {
		headers []string
		want    string
	}{
		{nil, "Wait some minutes"},
		{[]string{"X-RateLimit-Reset", at("2026-09-17T12:30:30Z")}, "Wait until 12:30:30 UTC"},
		{[]string{"X-RateLimit-Reset", at("2026-09-19T12:00:00Z")}, "Wait until 2026-09-19 12:00:00 UTC"},
		{[]string{"X-RateLimit-Reset", at("2026-09-17T11:59:00Z")}, "Wait some minutes"},
		{[]string{"X-RateLimit-Reset", "soon"}, "Wait some minutes"},
		{[]string{"Retry-After", "Thu, 17 Sep 2026 12:30:00 GMT"}, "Wait until 12:30:00 UTC"},
		{[]string{"Retry-After", "-5"}, "Wait some minutes"},
		{[]string{"Retry-After", "99999999999999999999"}, "Wait some minutes"},
	} {
		for i, then := range []string{", then start the test again.", ", then test again."} {
			r := newRig(t, setup{})
			if i == 0 {
				r.provider.token = answer(429, `{}`, tt.headers...)
			} else {
				r.provider.token = answer(200, `{"access_token":"`+accessToken+`"}`, "X-RateLimit-Reset", at("2026-09-17T13:00:00Z"))
				r.provider.identity = answer(429, `{}`, tt.headers...)
			}
			if rep := r.run(); !slices.Equal(rep.Remedies, []string{tt.want + then}) {
				t.Errorf("%q: %q, want %q", tt.headers, rep.Remedies, tt.want+then)
			}
		}
	}
	r := newRig(t, setup{})
	r.provider.token = answer(429, `{}`, "Retry-After", "7200") // the second in which it ends depends on the call
	if rep := r.run(); !strings.HasPrefix(rep.Remedies[0], "Wait until 14:00:") {
		t.Errorf("after two hours: %q", rep.Remedies)
	}
}

// checkReport holds what every report keeps to.
func (r *rig) checkReport(rep oauth.Report) {
	r.t.Helper()
	if rep.Kind != oauth.ConsentRun || rep.Version != 1 || rep.Entry != id || rep.Provider != "Rocket" || rep.By != by.Name || !rep.Started.Equal(r.clock.now()) {
		r.t.Errorf("the report is of %s %s version %d by %s at %s", rep.Kind, rep.Entry, rep.Version, rep.By, rep.Started)
	}
	if rep.Verdict != oauth.OK && len(rep.Remedies) == 0 {
		r.t.Error("something is not OK and there is no remedy")
	}
	for _, f := range rep.Fields {
		if f.Reason == "" {
			r.t.Errorf("%s is %s without a reason", f.Field, f.Verdict)
		}
	}
	words := rep.Headline
	for _, f := range rep.Fields {
		words += f.Reason
	}
	for _, text := range rep.Remedies {
		words += text
	}
	words = quotation.ReplaceAllString(words, "")
	if strings.ContainsAny(words, "%<>") {
		r.t.Errorf("foreign text or a hole in the words: %s", words)
	}
	for i, s := range rep.Steps {
		if len(s.Sent) == 0 || s.Hint == "" {
			r.t.Errorf("step %q has no evidence or hint: %+v", s.Name, s)
		}
		if s.Took < 0 || s.Start < 0 || s.Start+s.Took > rep.Took {
			r.t.Errorf("step %q is outside of its run: %s + %s of %s", s.Name, s.Start, s.Took, rep.Took)
		}
		if s.Exchange == nil && i == 1 {
			r.t.Errorf("the exchange has no trace")
		}
		for _, l := range append(s.Sent, s.Received...) {
			if n := len([]rune(l.Value)); n > 210 && !strings.HasPrefix(l.Value, "http") {
				r.t.Errorf("line %s has %d characters", l.Name, n)
			}
		}
	}
}

// checkLog holds the events of one run.
func (r *rig) checkLog(rep oauth.Report) {
	r.t.Helper()
	outcome := audit.Failed
	if rep.Verdict == oauth.OK || rep.Verdict == oauth.Warning {
		outcome = audit.Done
	}
	started, finished := r.events(audit.TestStarted), r.events(audit.TestFinished)
	if len(started) != 1 || len(finished) != 1 {
		r.t.Fatalf("%d events of the start and %d of the end, want one each", len(started), len(finished))
	}
	e := finished[0]
	if e.Outcome != outcome || e.Target != string(id) || e.Version != 1 || e.Note != rep.Headline+"." || e.Actor != by {
		r.t.Errorf("the event is %+v", e)
	}
}

// checkCanaries looks for the secrets of the run in the whole data file.
func (r *rig) checkCanaries(rep oauth.Report, state string, authorize *url.URL) {
	r.t.Helper()
	canaries := []string{state}
	r.provider.mu.Lock()
	for _, f := range r.provider.forms {
		if v := f.Get("code_verifier"); v != "" {
			canaries = append(canaries, v)
		}
	}
	r.provider.mu.Unlock()
	shown, err := json.Marshal(rep)
	must(r.t, err)
	for what, text := range map[string]string{"data file": r.dump(), "report": string(shown), "report as text": fmt.Sprintf("%+v", rep)} {
		if found := leaks(text, canaries...); len(found) > 0 {
			r.t.Errorf("the %s has %q: %s", what, found, shown)
		}
	}
	if strings.Contains(authorize.String(), url.QueryEscape(clientSecret)) {
		r.t.Error("the authorize URL has the secret")
	}
}
