package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"backoffice/internal/sandbox"
)

// switchesOf reads what a browser would post from the control page.
func switchesOf(t *testing.T, page string) url.Values {
	t.Helper()
	form := url.Values{}
	walk(t, page, func(n *html.Node) {
		if !within(n, "form", "id", "switches") {
			return
		}
		switch {
		case n.Data == "input" && attr(n, "type") == "checkbox" && !has(n, "checked"):
		case n.Data == "input":
			form.Set(attr(n, "name"), attr(n, "value"))
		case n.Data == "option" && has(n, "selected"):
			form.Set(attr(n.Parent, "name"), attr(n, "value"))
		}
	})
	return form
}

func walk(t *testing.T, page string, visit func(*html.Node)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			visit(n)
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func within(n *html.Node, tag, key, value string) bool {
	for p := range n.Ancestors() {
		if p.Data == tag && attr(p, key) == value {
			return true
		}
	}
	return false
}

// Every switch travels from Faults to the page and back unchanged.
func TestControlPageRoundTrip(t *testing.T) {
	all := sandbox.Faults{
		Decides: sandbox.AfterRedirect, Refusal: sandbox.RefusalRedirect, StrictRedirects: true, RawEquals: true, Denied: sandbox.DeniedBare, State: sandbox.StateLost,
		ClientAuth: sandbox.PostOrBasic, Order: sandbox.CodeFirst, ErrorForm: sandbox.RFC6749, ErrorAs200: true, RandomWords: true, TokenFields: sandbox.OnlyToken,
		RedirectMatch: sandbox.RedirectIgnored, TokenCounts: true, Missing: sandbox.PermissionSet(sandbox.ReadTags, sandbox.ReadOneAdmin), AdminRefusal: sandbox.Unauthorized401,
		AdminsEnough: true, TeamsFree: true, VersionMessage: sandbox.VersionNotFound, VersionRequired: true, Unstable: true, Version217: true, Limit: 12,
		Region: sandbox.RegionAU, WrongRegion: true, Email: sandbox.EmailNull,
	}
	all.Trouble[sandbox.AtAuthorize] = sandbox.Trouble{Kind: sandbox.HTML}
	all.Trouble[sandbox.AtToken] = sandbox.Trouble{Kind: sandbox.Down, After: 3}
	all.Trouble[sandbox.AtMe] = sandbox.Trouble{Kind: sandbox.CutMidway, Delay: 4 * time.Second}
	all.Trouble[sandbox.AtAPI] = sandbox.Trouble{Kind: sandbox.RedirectAway, Delay: sandbox.MaxDelay, After: 1000}
	for _, want := range []sandbox.Faults{{}, all} {
		r := start(t, want)
		page := r.get("/")
		form := switchesOf(t, page.body)
		r.Set(sandbox.Faults{Order: sandbox.ClientFirstInWords, AdminsEnough: want == sandbox.Faults{}, Limit: 77})
		res := r.post("/", form)
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/#switches" {
			t.Errorf("saving: %d to %q", res.StatusCode, res.Header.Get("Location"))
		}
		if got := r.Faults(); got != want {
			t.Errorf("saved %+v\nwant %+v", got, want)
		}
		if usual := strings.Contains(r.get("/").body, "All switches are as usual."); usual != (want == sandbox.Faults{}) {
			t.Errorf("the page says usual: %v", usual)
		}
	}
}

// What cannot be read changes nothing, says why, and keeps what was chosen.
func TestControlPageRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ field, value, words string }{
		"number":    {"limit", "many", "Rate limit: a whole number from 0 to 100000."},
		"too large": {"token.delay", "121", "Wait: a whole number from 0 to 120."},
		"negative":  {"me.after", "-1", "Let pass: a whole number from 0 to 1000."},
		"choice":    {"order", "guess", "What is checked first: choose one of the list."},
		"checkbox":  {"unstable", "yes", "Accept Intercom-Version: Unstable: a checkbox is on or off."},
		"left out":  {"region", "", "Region in GET /me: choose one of the list."},
		"trouble":   {"api.trouble", "boom", "What happens: choose one of the list."},
	} {
		t.Run(name, func(t *testing.T) {
			before := sandbox.Faults{Limit: 9}
			r := start(t, before)
			form := switchesOf(t, r.get("/").body)
			form.Set("errors", "rfc")
			form.Set(tt.field, tt.value)
			res := r.post("/", form)
			if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "Nothing was saved") || !strings.Contains(res.body, tt.words) {
				t.Errorf("%d, without %q", res.StatusCode, tt.words)
			}
			if got := switchesOf(t, res.body); got.Get("errors") != "rfc" {
				t.Errorf("what was chosen is lost: %v", got)
			}
			if got := r.Faults(); got != before {
				t.Errorf("saved all the same: %+v", got)
			}
		})
	}
}

func TestControlPageActions(t *testing.T) {
	r := start(t, sandbox.Faults{Limit: 3})
	page := r.get("/").body
	for _, want := range []string{"Rehearsal sandbox: nothing here is Intercom", r.ClientID(), r.ClientSecret(), r.url + "/oauth", r.url + "/auth/eagle/token", callback, "Make a test access token"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	const uri = "https://product.example/cb"
	if res := r.post("/control/redirects", url.Values{"uri": {" " + uri + "\n"}}); res.StatusCode != 303 || !strings.Contains(r.get("/").body, uri) {
		t.Errorf("adding: %d, %q", res.StatusCode, r.RedirectURIs())
	}
	if res := r.post("/control/redirects", url.Values{"uri": {"nonsense <b>"}}); res.StatusCode != 422 || !strings.Contains(res.body, "Write a whole address") || !strings.Contains(res.body, "nonsense &lt;b&gt;") {
		t.Errorf("adding nonsense: %d", res.StatusCode)
	}
	if res := r.post("/control/redirects", url.Values{"remove": {uri}}); res.StatusCode != 303 || len(r.RedirectURIs()) != 1 {
		t.Errorf("removing: %d, %q", res.StatusCode, r.RedirectURIs())
	}
	if res := r.post("/control/token", nil); res.StatusCode != 303 {
		t.Errorf("token: %d", res.StatusCode)
	}
	token := ""
	walk(t, r.get("/").body, func(n *html.Node) {
		if attr(n, "id") == "access-token" {
			token = attr(n, "value")
		}
	})
	if got := r.get("/me", "Authorization", "Bearer "+token).StatusCode; got != 200 {
		t.Errorf("the page's token %q: %d", token, got)
	}
	if res := r.post("/control/reset", nil); res.StatusCode != 303 || r.Faults() != (sandbox.Faults{}) || strings.Contains(r.get("/").body, token) {
		t.Errorf("reset: %d, %+v", res.StatusCode, r.Faults())
	}
}

// The control page's forms are for itself; the token endpoint is for servers.
func TestCrossOrigin(t *testing.T) {
	for path, want := range map[string]int{"/": 403, "/control/redirects": 403, "/control/token": 403, "/control/reset": 403, "/control/hook": 403, "/control/notify": 403, "/oauth/decide": 403, "/auth/eagle/token": 401} {
		r := start(t, sandbox.Faults{Limit: 5})
		if got := r.post(path, url.Values{"code": {"x"}}, "Sec-Fetch-Site", "cross-site").StatusCode; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
		if r.Faults().Limit != 5 {
			t.Errorf("%s changed the switches", path)
		}
	}
}

func TestControlFormIsBounded(t *testing.T) {
	r := start(t, sandbox.Faults{})
	if got := r.post("/", url.Values{"x": {strings.Repeat("a", 65<<10)}}).StatusCode; got != http.StatusBadRequest {
		t.Errorf("a long form: %d", got)
	}
}

// No page needs anything that its policy forbids, and every field has a label.
func TestPages(t *testing.T) {
	r := start(t, sandbox.Faults{Missing: sandbox.PermissionSet(sandbox.ReadTags)})
	r.TestToken()
	r.get("/me", r.bearer()...)
	refused := r.post("/", url.Values{})
	pages := map[string]answer{
		"control": r.get("/"), "control, refused": refused, "consent": r.get(r.authorizePath(callback, "s")), "refusal": r.get("/oauth?client_id=x"),
	}
	r.Set(sandbox.Faults{Decides: sandbox.AfterSignIn})
	pages["sign-in"] = r.get(r.authorizePath(callback, "s"))
	for name, page := range pages {
		csp := page.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "base-uri 'none'") {
			t.Errorf("%s: policy %q", name, csp)
		}
		if page.Header.Get("X-Content-Type-Options") != "nosniff" || page.Header.Get("Referrer-Policy") != "no-referrer" || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, page.Header)
		}
		checkMarkup(t, name, page.body)
	}
}

func checkMarkup(t *testing.T, name, page string) {
	t.Helper()
	ids, labelled, heads := map[string]bool{}, map[string]bool{}, 0
	walk(t, page, func(n *html.Node) {
		if id := attr(n, "id"); id != "" && ids[id] {
			t.Errorf("%s: id %q twice", name, id)
		} else if id != "" {
			ids[id] = true
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: inline %s on <%s>", name, a.Key, n.Data)
			}
		}
		switch n.Data {
		case "script", "style":
			t.Errorf("%s: a <%s> element", name, n.Data)
		case "label":
			labelled[attr(n, "for")] = true
		case "h1":
			heads++
		case "html":
			if attr(n, "lang") == "" {
				t.Errorf("%s: no language", name)
			}
		}
	})
	walk(t, page, func(n *html.Node) {
		for _, key := range []string{"aria-describedby", "aria-labelledby"} {
			for _, ref := range strings.Fields(attr(n, key)) {
				if !ids[ref] {
					t.Errorf("%s: %s points at nothing: %q", name, key, ref)
				}
			}
		}
		if n.Data != "input" && n.Data != "select" || attr(n, "type") == "hidden" {
			return
		}
		inLabel := false
		for p := range n.Ancestors() {
			inLabel = inLabel || p.Data == "label"
		}
		if !inLabel && !labelled[attr(n, "id")] {
			t.Errorf("%s: no label for %q", name, attr(n, "name"))
		}
	})
	if heads != 1 {
		t.Errorf("%s: %d h1", name, heads)
	}
}

func TestAssets(t *testing.T) {
	r := start(t, sandbox.Faults{})
	for path, kind := range map[string]string{"/control/control.css": "text/css; charset=utf-8", "/control/icon.svg": "image/svg+xml"} {
		res := r.get(path)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != kind || len(res.body) < 100 {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
	if got := r.get("/control/nothing").StatusCode; got != 404 {
		t.Errorf("no asset: %d", got)
	}
	if n := len(r.Log()); n != 0 {
		t.Errorf("the control page's own requests are in the log: %d", n)
	}
}

// The log shows what was sent, and nothing that could be used.
func TestLogHoldsNoCredential(t *testing.T) {
	r := start(t, sandbox.Faults{})
	const canary = "canary0123456789abcdefghijklmnop"
	code, token := r.code(), r.TestToken()
	form := r.form(code)
	form.Set("client_secret", canary)
	form.Set(canary, "x")
	form.Set("redirect_uri", "https://product.example/"+canary+"?t="+canary)
	r.post("/auth/eagle/token?client_secret="+canary, form)
	form.Set("grant_type", canary)
	r.post("/auth/eagle/token", form)
	r.post("/auth/eagle/token", r.form(code))
	r.get("/me", "Authorization", "Bearer "+token, "Intercom-Version", canary)
	r.get("/me", "Authorization", "Bearer "+canary)
	r.get("/me", "Authorization", canary)
	r.get(r.authorizePath(callback, canary))
	r.get("/" + canary + "?x=" + canary)
	req := r.request("GET", "/me", "")
	req.SetBasicAuth(r.ClientID(), canary)
	r.do(req)
	r.do(r.request(canary, "/me", ""))

	log := r.Log()
	page, err := io.ReadAll(strings.NewReader(r.get("/").body))
	if err != nil || len(log) != 10 {
		t.Fatalf("%d records, %v", len(log), err)
	}
	_, shown, _ := strings.Cut(string(page), `id="log"`)
	var all strings.Builder
	all.WriteString(shown)
	for _, rec := range log {
		all.WriteString(rec.Method + rec.Path + rec.Note)
		for _, f := range rec.Fields {
			all.WriteString(f.Name + "=" + f.Value + "\n")
		}
	}
	for name, secret := range map[string]string{"canary": canary, "code": code, "token": token, "client secret": r.ClientSecret()} {
		if strings.Contains(all.String(), secret) || strings.Contains(all.String(), url.QueryEscape(secret)) || strings.Contains(all.String(), html.EscapeString(secret)) {
			t.Errorf("the log has the %s", name)
		}
	}
	for _, words := range []string{"the sandbox&#39;s client secret", "the sandbox&#39;s client id", ", ends in =", "issued here for Acme Support", "not issued here", "the client secret is not ours", "access token issued"} {
		if !strings.Contains(all.String(), words) {
			t.Errorf("the log does not say %q", words)
		}
	}
}

func TestLogKeepsTheLastHundred(t *testing.T) {
	r := start(t, sandbox.Faults{})
	for range 101 {
		r.get("/tags")
	}
	r.get("/teams")
	log := r.Log()
	if len(log) != 100 || log[0].Path != "/teams" || log[1].Path != "/tags" || log[0].Status != 401 {
		t.Errorf("%d records, newest %+v", len(log), log[0])
	}
}
