package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/sandbox"
)

// What a token request can have wrong, and what it is told under each switch.
func TestTokenErrors(t *testing.T) {
	const (
		words     = "Unknown client credentials"
		rfcClient = "Client authentication failed"
		rfcCode   = "The authorization code is invalid, expired or already used"
	)
	type change func(f url.Values)
	wrongID := func(f url.Values) { f.Set("client_id", "nobody") }
	wrongSecret := func(f url.Values) { f.Set("client_secret", "wrong") }
	badCode := func(f url.Values) { f.Set("code", "probe-00") }
	lostEquals := func(f url.Values) { f.Set("code", strings.TrimSuffix(f.Get("code"), "=")) }
	all := func(cs ...change) change {
		return func(f url.Values) {
			for _, c := range cs {
				c(f)
			}
		}
	}
	rfc := sandbox.Faults{ErrorForm: sandbox.RFC6749}
	distinct := sandbox.Faults{Order: sandbox.ClientFirstInWords}
	codeFirst := sandbox.Faults{Order: sandbox.CodeFirst}
	tests := []struct {
		name   string
		faults sandbox.Faults
		change change
		status int
		code   string
		words  string
	}{
		{"one error: id", sandbox.Faults{}, wrongID, 401, "client_refused", words},
		{"one error: secret", sandbox.Faults{}, wrongSecret, 401, "client_refused", words},
		{"one error: id, secret and code", sandbox.Faults{}, all(wrongID, wrongSecret, badCode), 401, "client_refused", words},
		{"one error: code", sandbox.Faults{}, badCode, 401, "unauthorized", "Unauthorized Code"},
		{"one error: code without its =", sandbox.Faults{}, lostEquals, 401, "unauthorized", "Unauthorized Code"},
		{"distinct: id", distinct, all(wrongID, badCode), 401, "client_refused", "Unknown client"},
		{"distinct: secret", distinct, all(wrongSecret, badCode), 401, "client_refused", "Client secret does not match"},
		{"distinct: code", distinct, badCode, 401, "unauthorized", "Unauthorized Code"},
		{"code first: all", codeFirst, all(wrongID, wrongSecret, badCode), 401, "unauthorized", "Unauthorized Code"},
		{"code first: secret and code", codeFirst, all(wrongSecret, badCode), 401, "unauthorized", "Unauthorized Code"},
		{"code first: good code, wrong secret", codeFirst, wrongSecret, 401, "client_refused", words},
		{"RFC: client", rfc, wrongSecret, 401, "invalid_client", rfcClient},
		{"RFC: code", rfc, badCode, 400, "invalid_grant", rfcCode},
		{"RFC: grant type", rfc, func(f url.Values) { f.Set("grant_type", "password") }, 400, "unsupported_grant_type", "Only authorization_code is supported"},
		{"RFC: no code", rfc, func(f url.Values) { f.Del("code") }, 400, "invalid_request", "code is missing"},
		{"RFC: repeated", rfc, func(f url.Values) { f.Add("code", "x") }, 400, "invalid_request", "The request could not be read"},
		{"grant type", sandbox.Faults{}, func(f url.Values) { f.Set("grant_type", "client_credentials") }, 400, "parameter_invalid", "Unsupported grant type"},
		{"no code", sandbox.Faults{}, func(f url.Values) { f.Del("code") }, 400, "parameter_not_found", "code is missing"},
		{"no secret", sandbox.Faults{}, func(f url.Values) { f.Del("client_secret") }, 401, "client_refused", words},
		{"repeated", sandbox.Faults{}, func(f url.Values) { f.Add("client_id", "x") }, 400, "parameter_invalid", "The request could not be read"},
		{"too long", sandbox.Faults{}, func(f url.Values) { f.Set("x", strings.Repeat("a", 65<<10)) }, 400, "parameter_invalid", "The request could not be read"},
		{"200, list", sandbox.Faults{ErrorAs200: true}, badCode, 200, "unauthorized", "Unauthorized Code"},
		{"200, RFC", sandbox.Faults{ErrorAs200: true, ErrorForm: sandbox.RFC6749}, wrongSecret, 200, "invalid_client", rfcClient},
		{"other redirect URI", sandbox.Faults{}, func(f url.Values) { f.Set("redirect_uri", "http://localhost/other") }, 401, "unauthorized", "Redirect URI does not match"},
		{"other redirect URI, RFC", rfc, func(f url.Values) { f.Set("redirect_uri", "http://localhost/other") }, 400, "invalid_grant", "redirect_uri does not match the authorization request"},
		{"redirect URI required", sandbox.Faults{RedirectMatch: sandbox.RedirectRequired}, func(url.Values) {}, 401, "unauthorized", "Redirect URI does not match"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.faults)
			form := r.form(r.code())
			tt.change(form)
			res := r.post("/auth/eagle/token", form)
			code, words := fault(t, res.body)
			if res.StatusCode != tt.status || code != tt.code || words != tt.words {
				t.Errorf("got %d %s %q, want %d %s %q", res.StatusCode, code, words, tt.status, tt.code, tt.words)
			}
			if strings.Contains(res.body, "access_token\":") || strings.Contains(res.body, r.ClientSecret()) {
				t.Errorf("an error gives something away: %s", res.body)
			}
		})
	}
}

// What is accepted, and how the token comes.
func TestTokenAccepted(t *testing.T) {
	same := func(f url.Values) {}
	tests := []struct {
		name               string
		faults             sandbox.Faults
		change             func(f url.Values)
		token, accessToken bool
	}{
		{"plain", sandbox.Faults{}, same, true, true},
		{"with grant type and redirect URI", sandbox.Faults{}, func(f url.Values) {
			f.Set("grant_type", "authorization_code")
			f.Set("redirect_uri", callback)
		}, true, true},
		{"redirect URI required and sent", sandbox.Faults{RedirectMatch: sandbox.RedirectRequired}, func(f url.Values) { f.Set("redirect_uri", callback) }, true, true},
		{"redirect URI ignored", sandbox.Faults{RedirectMatch: sandbox.RedirectIgnored}, func(f url.Values) { f.Set("redirect_uri", "https://x.example/") }, true, true},
		{"only token", sandbox.Faults{TokenFields: sandbox.OnlyToken}, same, true, false},
		{"only access_token", sandbox.Faults{TokenFields: sandbox.OnlyAccessToken}, same, false, true},
		{"code first", sandbox.Faults{Order: sandbox.CodeFirst}, same, true, true},
		{"distinct", sandbox.Faults{Order: sandbox.ClientFirstInWords}, same, true, true},
		{"errors as 200", sandbox.Faults{ErrorAs200: true, RandomWords: true}, same, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.faults)
			form := r.form(r.code())
			tt.change(form)
			res := r.post("/auth/eagle/token", form)
			body := decode(t, res.body)
			_, token := body["token"]
			_, accessToken := body["access_token"]
			if res.StatusCode != 200 || token != tt.token || accessToken != tt.accessToken || body["token_type"] != "Bearer" {
				t.Errorf("%d %v", res.StatusCode, body)
			}
		})
	}
}

func TestClientAuthentication(t *testing.T) {
	tests := []struct {
		name             string
		accepts          sandbox.ClientAuth
		post, basic      bool
		status           int
		code             string
		wwwAuthenticate  bool
		contentTypeWrong bool
	}{
		{name: "post where post", accepts: sandbox.PostOnly, post: true, status: 200},
		{name: "basic where post", accepts: sandbox.PostOnly, basic: true, status: 401, code: "client_refused"},
		{name: "both where post", accepts: sandbox.PostOnly, post: true, basic: true, status: 200},
		{name: "post where basic", accepts: sandbox.BasicOnly, post: true, status: 401, code: "client_refused", wwwAuthenticate: true},
		{name: "basic where basic", accepts: sandbox.BasicOnly, basic: true, status: 200},
		{name: "post where either", accepts: sandbox.PostOrBasic, post: true, status: 200},
		{name: "basic where either", accepts: sandbox.PostOrBasic, basic: true, status: 200},
		{name: "both where either", accepts: sandbox.PostOrBasic, post: true, basic: true, status: 400, code: "parameter_invalid"},
		{name: "neither", accepts: sandbox.PostOrBasic, status: 401, code: "client_refused", wwwAuthenticate: true},
		{name: "JSON", accepts: sandbox.PostOnly, post: true, contentTypeWrong: true, status: 400, code: "parameter_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, sandbox.Faults{ClientAuth: tt.accepts})
			form := url.Values{"code": {r.code()}}
			if tt.post {
				form = r.form(form.Get("code"))
			}
			req := r.request(http.MethodPost, "/auth/eagle/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			if tt.basic {
				req.SetBasicAuth(url.QueryEscape(r.ClientID()), url.QueryEscape(r.ClientSecret()))
			}
			if tt.contentTypeWrong {
				req.Header.Set("Content-Type", "application/json")
			}
			res := r.do(req)
			code := ""
			if res.StatusCode != 200 {
				code, _ = fault(t, res.body)
			}
			if res.StatusCode != tt.status || code != tt.code || (res.Header.Get("WWW-Authenticate") != "") != tt.wwwAuthenticate {
				t.Errorf("%d %s, WWW-Authenticate %q", res.StatusCode, code, res.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// A secret in the query string is no client authentication.
func TestTokenIgnoresTheQuery(t *testing.T) {
	r := start(t, sandbox.Faults{})
	res := r.post("/auth/eagle/token?"+r.form("x").Encode(), url.Values{"code": {r.code()}})
	if code, _ := fault(t, res.body); res.StatusCode != 401 || code != "client_refused" {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	if res := r.get("/auth/eagle/token"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestCodeIsUsedOnce(t *testing.T) {
	tests := []struct {
		name   string
		order  sandbox.Order
		first  func(url.Values) // the first request
		status int              // of a good second one
	}{
		{"good", sandbox.ClientFirst, func(url.Values) {}, 401},
		{"wrong secret, client first", sandbox.ClientFirst, func(f url.Values) { f.Set("client_secret", "x") }, 200},
		{"wrong secret, code first", sandbox.CodeFirst, func(f url.Values) { f.Set("client_secret", "x") }, 401},
		{"wrong redirect URI", sandbox.ClientFirst, func(f url.Values) { f.Set("redirect_uri", "http://localhost/x") }, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, sandbox.Faults{Order: tt.order})
			code := r.code()
			form := r.form(code)
			tt.first(form)
			r.post("/auth/eagle/token", form)
			if got := r.post("/auth/eagle/token", r.form(code)).StatusCode; got != tt.status {
				t.Errorf("second request: %d, want %d", got, tt.status)
			}
		})
	}
}

func TestCodeExpires(t *testing.T) {
	for after, status := range map[time.Duration]int{
		sandbox.CodeLifetime - time.Nanosecond: 200,
		sandbox.CodeLifetime:                   401,
		5*time.Minute + time.Hour:              401,
	} {
		r := start(t, sandbox.Faults{})
		code := r.code()
		r.clock.forward(after)
		if got := r.post("/auth/eagle/token", r.form(code)).StatusCode; got != status {
			t.Errorf("after %v: %d, want %d", after, got, status)
		}
	}
}

// Codes and tokens are bounded: the oldest are forgotten first.
func TestLedgerIsBounded(t *testing.T) {
	r := start(t, sandbox.Faults{})
	oldCode, oldToken := r.code(), r.TestToken()
	for range 999 {
		r.code()
		r.TestToken()
	}
	if got := r.get("/me", "Authorization", "Bearer "+oldToken).StatusCode; got != 200 {
		t.Errorf("the 1,000th newest token: %d", got)
	}
	newCode, newToken := r.code(), r.TestToken()
	for i, status := range []int{401, 200} {
		if got := r.post("/auth/eagle/token", r.form([]string{oldCode, newCode}[i])).StatusCode; got != status {
			t.Errorf("code %d: %d, want %d", i, got, status)
		}
		if got := r.get("/me", "Authorization", "Bearer "+[]string{oldToken, newToken}[i]).StatusCode; i == 0 && got != status {
			t.Errorf("token %d: %d, want %d", i, got, status)
		}
	}
}

func TestRandomWords(t *testing.T) {
	r := start(t, sandbox.Faults{RandomWords: true})
	_, a := fault(t, r.post("/auth/eagle/token", r.form("x")).body)
	_, b := fault(t, r.post("/auth/eagle/token", r.form("x")).body)
	if a == b || !strings.HasPrefix(a, "Unauthorized Code (ref ") {
		t.Errorf("%q and %q", a, b)
	}
}

// FuzzToken: whatever is posted, the endpoint answers in its error format, gives
// no token for it, and logs no value of it.
func FuzzToken(f *testing.F) {
	f.Add("code=x&client_id=y&client_secret=z", "")
	f.Add("code=%zz&&=&a", "Basic dTpw")
	f.Add("grant_type=authorization_code&code=x;y", "Bearer x")
	f.Add(strings.Repeat("a=b&", 50), "Basic JTpw")
	p, err := sandbox.New(sandbox.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, authorization string) {
		if strings.ContainsAny(authorization, "\r\n\x00") {
			return
		}
		rec := tokenRequest(p, body, authorization)
		if rec.Code == http.StatusOK || rec.Code >= 500 {
			t.Fatalf("%d for %q", rec.Code, body)
		}
		if code, words := fault(t, rec.Body.String()); code == "" || words == "" {
			t.Fatalf("no error in %q", rec.Body)
		}
		form, err := sandbox.ParseForm(body)
		if err != nil {
			return
		}
		for _, logged := range p.Log()[0].Fields {
			if v := form.Get("code"); len(v) > 24 && strings.Contains(logged.Value, v) {
				t.Fatalf("the log has %q of %q", logged, body)
			}
		}
	})
}
