package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/sandbox"
)

const callback = sandbox.DefaultRedirectURI

// A clock that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) forward(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// A rig is a sandbox behind real HTTP, with a browser that follows nothing.
type rig struct {
	*sandbox.Provider
	t       *testing.T
	url     string
	clock   *clock
	browser *http.Client
}

func start(t *testing.T, f sandbox.Faults) *rig {
	t.Helper()
	r := startWith(t, sandbox.Options{})
	r.Set(f)
	return r
}

func startWith(t *testing.T, o sandbox.Options) *rig {
	t.Helper()
	c := &clock{t: time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)}
	o.Now = c.now
	p, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	jar, _ := cookiejar.New(nil)
	return &rig{p, t, srv.URL, c, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// An answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	res, err := r.browser.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{res, string(b)}
}

func (r *rig) get(path string, header ...string) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodGet, path, "", header...))
}

func (r *rig) post(path string, form url.Values, header ...string) answer {
	r.t.Helper()
	return r.do(r.request(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...))
}

func (r *rig) request(method, path, body string, header ...string) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// code goes through consent without a browser and returns a fresh code.
func (r *rig) code() string {
	r.t.Helper()
	back, err := r.Decide(r.authorizeURL(callback, "s"), true)
	if err != nil {
		r.t.Fatal(err)
	}
	return query(r.t, back).Get("code")
}

func (r *rig) authorizeURL(redirect, state string) string {
	return r.url + r.authorizePath(redirect, state)
}

func (r *rig) authorizePath(redirect, state string) string {
	return "/oauth?" + url.Values{"client_id": {r.ClientID()}, "redirect_uri": {redirect}, "state": {state}}.Encode()
}

// form is a good token request for a code.
func (r *rig) form(code string) url.Values {
	return url.Values{"client_id": {r.ClientID()}, "client_secret": {r.ClientSecret()}, "code": {code}}
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return out
}

// fault reads an error in either format.
func fault(t *testing.T, body string) (code, words string) {
	t.Helper()
	var e struct {
		Type      string `json:"type"`
		RequestID string `json:"request_id"`
		Errors    []struct{ Code, Message string }
		Error     string
		Words     string `json:"error_description"`
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	if e.Type == "error.list" && e.RequestID != "" && len(e.Errors) == 1 {
		return e.Errors[0].Code, e.Errors[0].Message
	}
	return e.Error, e.Words
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// consentForm reads the hidden fields of a consent page.
func consentForm(t *testing.T, page string) url.Values {
	t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], htmlUnescape(m[2]))
	}
	if !form.Has("token") {
		t.Fatalf("no consent form in %q", page)
	}
	return form
}

func htmlUnescape(s string) string {
	return strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">").Replace(s)
}

// The whole flow, as a browser and a product do it.
func TestCodeFlow(t *testing.T) {
	r := start(t, sandbox.Faults{})
	const state = "a b+c/=&%<ü"
	page := r.get(r.authorizePath(callback, state))
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Authorize access") || !strings.Contains(page.body, "Deny") {
		t.Fatalf("consent page: %d %s", page.StatusCode, page.body)
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://localhost:8080") {
		t.Errorf("the page's policy would not let its form redirect: %s", csp)
	}
	form := consentForm(t, page.body)
	form.Set("workspace", "1")
	form.Set("answer", "allow")
	back := r.post("/oauth/decide", form)
	location := back.Header.Get("Location")
	if back.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, callback+"?code=") {
		t.Fatalf("decided: %d to %q", back.StatusCode, location)
	}
	if !strings.Contains(location, "%3D&state=") {
		t.Errorf("the code's = is not escaped in %q", location)
	}
	got := query(t, location)
	if got.Get("state") != state || !strings.HasSuffix(got.Get("code"), "=") {
		t.Errorf("callback has %q", got)
	}

	res := r.post("/auth/eagle/token", r.form(got.Get("code")))
	body := decode(t, res.body)
	token, _ := body["access_token"].(string)
	if res.StatusCode != http.StatusOK || body["token_type"] != "Bearer" || body["token"] != token || !strings.HasPrefix(token, "dG9r") || len(body) != 3 {
		t.Fatalf("token answer: %d %v", res.StatusCode, body)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("the token may be cached")
	}

	me := r.get("/me", "Authorization", "Bearer "+token, "Intercom-Version", "2.10")
	app, _ := decode(t, me.body)["app"].(map[string]any)
	if me.StatusCode != http.StatusOK || app["region"] != "EU" || app["id_code"] == "" {
		t.Errorf("/me: %d %s", me.StatusCode, me.body)
	}
}

func TestSeedKeepsTheClient(t *testing.T) {
	open := func(seed string) *sandbox.Provider {
		p, err := sandbox.New(sandbox.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b, other, free := open("x"), open("x"), open("y"), open("")
	if a.ClientID() != b.ClientID() || a.ClientSecret() != b.ClientSecret() {
		t.Error("the same seed gave two clients")
	}
	if a.ClientID() == other.ClientID() || a.ClientSecret() == other.ClientSecret() || free.ClientID() == open("").ClientID() {
		t.Error("two seeds gave one client")
	}
	if strings.Contains(a.ClientSecret(), a.ClientID()[:8]) || len(a.ClientSecret()) != 40 || len(a.ClientID()) != 36 {
		t.Errorf("odd client %q", a.ClientID())
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for _, o := range []sandbox.Options{
		{BaseURL: "localhost:8081"}, {BaseURL: "ftp://x"}, {BaseURL: "http://x/path"}, {BaseURL: "http://x?q=1"},
		{RedirectURIs: []string{"/relative"}}, {RedirectURIs: []string{"javascript:alert(1)"}},
	} {
		if _, err := sandbox.New(o); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestReset(t *testing.T) {
	r := start(t, sandbox.Faults{Order: sandbox.CodeFirst})
	token, id := r.TestToken(), r.ClientID()
	if err := r.AddRedirectURI("https://product.example/cb"); err != nil {
		t.Fatal(err)
	}
	r.get("/me")
	r.Reset()
	if r.Faults() != (sandbox.Faults{}) || len(r.Log()) != 0 || len(r.RedirectURIs()) != 1 || r.ClientID() != id {
		t.Errorf("after Reset: %+v, %d records, %v", r.Faults(), len(r.Log()), r.RedirectURIs())
	}
	if got := r.get("/me", "Authorization", "Bearer "+token).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("a token from before Reset: %d", got)
	}
}

func TestSetKeepsWithinRange(t *testing.T) {
	p, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wild := sandbox.Faults{
		Decides: 99, Refusal: -1, Denied: 9, State: 9, ClientAuth: 9, Order: 9, ErrorForm: 9, TokenFields: 9, RedirectMatch: 9,
		AdminRefusal: 9, VersionMessage: 9, Region: 9, Email: 9, Missing: ^sandbox.Permissions(0), Limit: -5,
	}
	wild.Trouble[sandbox.AtMe] = sandbox.Trouble{Kind: 99, Delay: time.Hour, After: -1}
	p.Set(wild)
	want := sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadOneAdmin, sandbox.ReadAdmins, sandbox.ReadUsers, sandbox.ReadConversations, sandbox.ReadTags, sandbox.ReadArticles)}
	want.Trouble[sandbox.AtMe].Delay = sandbox.MaxDelay
	if got := p.Faults(); got != want {
		t.Errorf("Faults() = %+v", got)
	}
}

// For -race: everything at once.
func TestConcurrency(t *testing.T) {
	r := start(t, sandbox.Faults{})
	code := r.code()
	const n = 16
	var wg sync.WaitGroup
	won := make(chan int, n)
	for i := range n {
		wg.Go(func() {
			res, err := http.PostForm(r.url+"/auth/eagle/token", r.form(code))
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			won <- res.StatusCode
			r.Set(sandbox.Faults{Limit: 100 + i})
			r.TestToken()
			if err := r.AddRedirectURI("https://product.example/" + string(rune('a'+i))); err != nil {
				t.Error(err)
			}
			for _, path := range []string{"/", "/me", r.authorizePath(callback, "s"), "/nothing"} {
				res, err := http.Get(r.url + path)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	close(won)
	good := 0
	for status := range won {
		if status == http.StatusOK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("one code was exchanged %d times", good)
	}
	if got := len(r.Log()); got != 4*n {
		t.Errorf("%d requests in the log, want %d", got, 4*n)
	}
}
