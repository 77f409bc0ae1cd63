package sandbox_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/errs"
	"backoffice/internal/sandbox"
)

func TestAuthorizeDecides(t *testing.T) {
	const evil = "https://evil.example/cb"
	tests := []struct {
		name     string
		faults   sandbox.Faults
		id       string // "": ours
		redirect string // "-": none
		extra    string
		status   int
		location string // of the first answer, without its query
		page     string // words on the first page
		final    int    // status on the login route, if there was a redirect or a sign-in page
	}{
		{name: "registered", redirect: callback, status: 200, page: "Authorize access"},
		{name: "default redirect", redirect: "-", status: 200, page: callback},
		{name: "response_type", redirect: callback, extra: "&response_type=code", status: 200, page: "Authorize access"},
		{name: "other response_type", redirect: callback, extra: "&response_type=token", status: 400, page: "cannot be read"},
		{name: "loopback", redirect: "http://127.0.0.1:9999/x", status: 200, page: "127.0.0.1:9999"},
		{name: "loopback IPv6", redirect: "http://[::1]:9999/x", status: 200, page: "[::1]:9999"},
		{name: "strict", faults: sandbox.Faults{StrictRedirects: true}, redirect: "http://127.0.0.1:9999/x", status: 400, page: "not registered"},
		{name: "unregistered", redirect: evil, status: 400, page: "not registered"},
		{name: "no loopback after all", redirect: "http://localhost.evil.example/cb", status: 400, page: "not registered"},
		{name: "an address of the network", redirect: "http://10.0.0.1/cb", status: 400, page: "not registered"},
		{name: "not a URL", redirect: "javascript:alert(1)", status: 400, page: "not registered"},
		{name: "policy syntax in the host", redirect: "http://localhost;x/cb", status: 400, page: "not registered"},
		{name: "unknown client", id: "nobody", redirect: callback, status: 404, page: "No app has this client id"},
		{name: "repeated", redirect: callback, extra: "&state=a&state=b", status: 400, page: "cannot be read"},
		{name: "too long", redirect: callback, extra: "&state=" + strings.Repeat("a", 9000), status: 400, page: "cannot be read"},
		{name: "bad escape", redirect: callback, extra: "&state=%zz", status: 400, page: "cannot be read"},
		{name: "refusal redirects", faults: sandbox.Faults{Refusal: sandbox.RefusalRedirect}, redirect: evil, status: 302, location: "/oauth/refused", page: "", final: 400},
		{name: "refusal redirects, client", faults: sandbox.Faults{Refusal: sandbox.RefusalRedirect}, id: "nobody", redirect: callback, status: 302, location: "/oauth/refused", final: 404},
		{name: "login first, good", faults: sandbox.Faults{Decides: sandbox.AfterRedirect}, redirect: callback, status: 302, location: "/oauth/login", final: 200},
		{name: "login first, bad URI", faults: sandbox.Faults{Decides: sandbox.AfterRedirect}, redirect: evil, status: 302, location: "/oauth/login", final: 400},
		{name: "login first, bad client", faults: sandbox.Faults{Decides: sandbox.AfterRedirect}, id: "nobody", redirect: callback, status: 302, location: "/oauth/login", final: 404},
		{name: "sign-in first, good", faults: sandbox.Faults{Decides: sandbox.AfterSignIn}, redirect: callback, status: 200, page: "Sign in", final: 200},
		{name: "sign-in first, bad URI", faults: sandbox.Faults{Decides: sandbox.AfterSignIn}, redirect: evil, status: 200, page: "Sign in", final: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.faults)
			q := url.Values{"client_id": {tt.id}, "redirect_uri": {tt.redirect}}
			if tt.id == "" {
				q.Set("client_id", r.ClientID())
			}
			if tt.redirect == "-" {
				q.Del("redirect_uri")
			}
			first := r.get("/oauth?" + q.Encode() + tt.extra)
			location, _, _ := strings.Cut(first.Header.Get("Location"), "?")
			if first.StatusCode != tt.status || location != tt.location || !strings.Contains(first.body, tt.page) {
				t.Fatalf("got %d to %q: %s", first.StatusCode, location, first.body)
			}
			final := 0
			switch {
			case location != "":
				final = r.get(first.Header.Get("Location")).StatusCode
			case tt.faults.Decides == sandbox.AfterSignIn:
				final = r.get("/oauth/login?" + q.Encode()).StatusCode
			}
			if final != tt.final {
				t.Errorf("the login route answers %d, want %d", final, tt.final)
			}
		})
	}
}

func TestCallback(t *testing.T) {
	tests := []struct {
		name     string
		faults   sandbox.Faults
		allow    bool
		redirect string
		noState  bool
		// want
		code, raw    bool // a code; with its = unescaped
		failure      string
		state        string
		hasState     bool
		startsWith   string
		lostIfParsed bool
	}{
		{name: "allowed", allow: true, redirect: callback, code: true, state: "s=1", hasState: true, startsWith: callback + "?code="},
		{name: "allowed, raw", faults: sandbox.Faults{RawEquals: true}, allow: true, redirect: callback, code: true, raw: true, state: "s=1", hasState: true, startsWith: callback + "?code="},
		{name: "URI with a query", allow: true, redirect: "http://localhost/cb?a=%41", code: true, state: "s=1", hasState: true, startsWith: "http://localhost/cb?a=%41&code="},
		{name: "URI with an empty query", allow: true, redirect: "http://localhost/cb?", code: true, state: "s=1", hasState: true, startsWith: "http://localhost/cb?code="},
		{name: "no state", allow: true, redirect: callback, noState: true, code: true, startsWith: callback + "?code="},
		{name: "state altered", faults: sandbox.Faults{State: sandbox.StateAltered}, allow: true, redirect: callback, code: true, state: "s=1x", hasState: true, startsWith: callback + "?code="},
		{name: "state lost", faults: sandbox.Faults{State: sandbox.StateLost}, allow: true, redirect: callback, code: true, startsWith: callback + "?code="},
		{name: "denied", redirect: callback, failure: "access_denied", state: "s=1", hasState: true, startsWith: callback + "?error="},
		{name: "denied, bare", faults: sandbox.Faults{Denied: sandbox.DeniedBare}, redirect: callback, state: "s=1", hasState: true, startsWith: callback + "?state="},
		{name: "denied, bare, no state", faults: sandbox.Faults{Denied: sandbox.DeniedBare}, redirect: callback, noState: true, startsWith: callback},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.faults)
			q := url.Values{"client_id": {r.ClientID()}, "redirect_uri": {tt.redirect}}
			if !tt.noState {
				q.Set("state", "s=1")
			}
			page := r.get("/oauth?" + q.Encode())
			form := consentForm(t, page.body)
			form.Set("answer", map[bool]string{true: "allow", false: "deny"}[tt.allow])
			form.Set("workspace", "0")
			back := r.post("/oauth/decide", form)
			location := back.Header.Get("Location")
			got := query(t, location)
			if back.StatusCode != 303 || !strings.HasPrefix(location, tt.startsWith) {
				t.Errorf("%d to %q", back.StatusCode, location)
			}
			if back.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Error("the callback may leak the consent page's address")
			}
			if strings.HasSuffix(got.Get("code"), "=") != tt.code || strings.Contains(strings.Split(location, "&state=")[0], "=&") || tt.raw == strings.Contains(strings.Split(location, "&state=")[0], "%3D") && tt.code {
				t.Errorf("code in %q", location)
			}
			if got.Get("error") != tt.failure || got.Get("state") != tt.state || got.Has("state") != tt.hasState {
				t.Errorf("callback %q", got)
			}
		})
	}
}

// The consent form is good for the browser it was shown to, for the request it
// was shown for, and for ten minutes.
func TestConsentFormIsBound(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *rig, form url.Values)
		header []string
		status int
	}{
		{name: "untouched", change: func(*rig, url.Values) {}, status: 303},
		{name: "another browser", change: func(r *rig, _ url.Values) { r.browser.Jar, _ = cookiejar.New(nil) }, status: 403},
		{name: "another browser with a cookie of its own", change: func(r *rig, _ url.Values) {
			r.browser.Jar, _ = cookiejar.New(nil)
			r.get(r.authorizePath(callback, "theirs"))
		}, status: 403},
		{name: "another request", change: func(r *rig, f url.Values) { f.Set("request", f.Get("request")+"&x=1") }, status: 403},
		{name: "a longer time", change: func(r *rig, f url.Values) { f.Set("until", "99999999999") }, status: 403},
		{name: "no token", change: func(r *rig, f url.Values) { f.Del("token") }, status: 403},
		{name: "eleven minutes", change: func(r *rig, f url.Values) { r.clock.forward(11 * time.Minute) }, status: 403},
		{name: "another site", change: func(*rig, url.Values) {}, header: []string{"Sec-Fetch-Site", "cross-site"}, status: 403},
		{name: "no such workspace", change: func(r *rig, f url.Values) { f.Set("workspace", "7") }, status: 400},
		{name: "URI no longer registered", change: func(r *rig, f url.Values) {
			r.Set(sandbox.Faults{StrictRedirects: true})
			r.RemoveRedirectURI(callback)
		}, status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, sandbox.Faults{})
			form := consentForm(t, r.get(r.authorizePath(callback, "s")).body)
			form.Set("answer", "allow")
			form.Set("workspace", "0")
			tt.change(r, form)
			got := r.post("/oauth/decide", form, tt.header...)
			if got.StatusCode != tt.status || (got.Header.Get("Location") != "") != (tt.status == 303) {
				t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	r := start(t, sandbox.Faults{})
	for _, address := range []string{"http://x/oauth?client_id=nobody", r.authorizeURL("https://evil.example/", "s")} {
		if back, err := r.Decide(address, true); !errs.Is(err, errs.Invalid) || back != "" {
			t.Errorf("Decide(%q) = %q, %v", address, back, err)
		}
	}
	if _, err := r.Decide("://", true); err == nil {
		t.Error("Decide took what is no URL")
	}
}

func TestRedirectURIs(t *testing.T) {
	r := start(t, sandbox.Faults{StrictRedirects: true})
	bad := []string{"", "/cb", "ftp://x/", "https://user@x/", "https://x/#f", "https://x/#", "mailto:a@x", "https://x;y/", "https://" + strings.Repeat("x", 2100), "https://x:port/"}
	for _, uri := range bad {
		err := r.AddRedirectURI(uri)
		if !errs.Is(err, errs.Invalid) || errs.Fields(err)["uri"] == "" {
			t.Errorf("AddRedirectURI(%.40q) = %v", uri, err)
		}
	}
	const good = "https://product.example/cb?x=1"
	for range 2 {
		if err := r.AddRedirectURI(good); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.RedirectURIs(); len(got) != 2 || got[1] != good {
		t.Errorf("registered: %q", got)
	}
	if got := r.get(r.authorizePath(good, "s")).StatusCode; got != http.StatusOK {
		t.Errorf("registered URI: %d", got)
	}
	if got := r.get(r.authorizePath(good+"&y=2", "s")).StatusCode; got != http.StatusBadRequest {
		t.Errorf("a URI below a registered one: %d", got)
	}
	r.RemoveRedirectURI(good)
	if got := r.get(r.authorizePath(good, "s")).StatusCode; got != http.StatusBadRequest {
		t.Errorf("removed URI: %d", got)
	}
	for i := range 19 {
		if err := r.AddRedirectURI(good + strings.Repeat("x", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddRedirectURI("https://one.too.many.example/"); !errs.Is(err, errs.Invalid) {
		t.Errorf("the 21st: %v", err)
	}
}
