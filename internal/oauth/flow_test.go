package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
)

// The authorize URL has what RFC 6749 section 4.1.1 asks for, and nothing else.
func TestAuthorizeURL(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup setup
		want  string // of the query, without state and code_challenge
	}{
		{"plain", setup{}, "client_id=rocket-client-1&prompt=always&redirect_uri=https://backoffice.example.com/auth/rocket/callback&response_type=code"},
		{"scopes are never sent unless the definition says so", setup{definition: "  clientAuth: post\n  sendScopes: false", scopes: []string{"write_all"}},
			"client_id=rocket-client-1&prompt=always&redirect_uri=https://backoffice.example.com/auth/rocket/callback&response_type=code"},
		{"default scopes", setup{definition: "  clientAuth: post\n  sendScopes: true\n  defaultScopes: [read_me]"},
			"client_id=rocket-client-1&prompt=always&redirect_uri=https://backoffice.example.com/auth/rocket/callback&response_type=code&scope=read_me"},
		{"declared scopes with a delimiter of their own", setup{definition: "  clientAuth: post\n  sendScopes: true\n  scopeDelimiter: ','\n  defaultScopes: [read_me]",
			scopes: []string{"write_all", "extra", "Nameless"}},
			"client_id=rocket-client-1&prompt=always&redirect_uri=https://backoffice.example.com/auth/rocket/callback&response_type=code&scope=extra,write_all"},
		{"extra parameters, PKCE and a redirect URI of its own", setup{definition: "  clientAuth: post\n  pkce: true\n  authorizeParams: {access_type: offline}",
			values: map[string]string{"callbackUrl": "https://other.example/auth/x/callback"}},
			"access_type=offline&client_id=rocket-client-1&code_challenge_method=S256&prompt=always&redirect_uri=https://other.example/auth/x/callback&response_type=code"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.setup)
			state, u := r.start(1)
			raw, err := base64.RawURLEncoding.DecodeString(state)
			if err != nil || len(raw) != 32 {
				t.Errorf("the state has %d bytes (%v), want 32", len(raw), err)
			}
			q := u.Query()
			challenge := q.Get("code_challenge")
			if pkce := strings.Contains(tt.setup.definition, "pkce"); pkce != (len(challenge) == 43) {
				t.Errorf("code_challenge %q", challenge)
			}
			q.Del("state")
			q.Del("code_challenge")
			got, err := url.QueryUnescape(q.Encode())
			must(t, err)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if u.Host != "auth.rocket.example" || u.Path != "/authorize" {
				t.Errorf("the browser is sent to %s", u)
			}
			again, _ := r.start(1)
			if again == state || strings.Contains(r.dump(), state) {
				t.Error("the state is stored, or was made twice")
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup setup
		id    config.ID
		n     int
		kind  errs.Kind
		words string
	}{
		{"no such entry", setup{}, "acme:nothing", 1, errs.NotFound, "no version 1"},
		{"no such version", setup{}, id, 7, errs.NotFound, "no version 7"},
		{"no client id", setup{values: map[string]string{"clientId": ""}}, id, 1, errs.Invalid, "has no Client ID"},
		{"no client secret", setup{values: map[string]string{"clientSecret": ""}}, id, 1, errs.Invalid, "has no Client secret"},
		{"a redirect URI that is none", setup{values: map[string]string{"callbackUrl": "javascript:x"}}, id, 1, errs.Invalid, "no web address"},
		{"a redirect URI with a fragment", setup{values: map[string]string{"callbackUrl": "https://x.example/#a"}}, id, 1, errs.Invalid, "no web address"},
		{"a scope with the delimiter in it", setup{definition: "  clientAuth: post\n  sendScopes: true", scopes: []string{"a b"}}, id, 1, errs.Invalid, "read as two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.setup)
			_, _, err := r.oauth.Start(t.Context(), by, session, tt.id, tt.n)
			kind, words := errs.Of(err)
			if kind != tt.kind || !strings.Contains(words, tt.words) {
				t.Errorf("%s %q, want %s %q", kind, words, tt.kind, tt.words)
			}
			if len(r.keys("oauth/")) != 0 || len(r.events(audit.TestStarted)) != 0 {
				t.Error("a refused start left something")
			}
		})
	}
	r := newRig(t, setup{})
	_, err := r.config.Save(t.Context(), by, config.Draft{ID: "acme:plain", Values: []config.Input{{Key: "a", Value: config.TextValue(secret.NewText("b"))}}})
	must(t, err)
	if _, _, err := r.oauth.Start(t.Context(), by, session, "acme:plain", 1); !errs.Is(err, errs.Invalid) {
		t.Errorf("starting a plain entry: %v", err)
	}
	if _, _, err := r.oauth.Start(t.Context(), by, "", id, 1); err == nil {
		t.Error("started without a browser session")
	}
}

// The verifier is the one of the challenge, and the method is the pinned one.
func TestExchangeRequest(t *testing.T) {
	for _, auth := range []string{"post", "basic"} {
		r := newRig(t, setup{definition: "  pkce: true\n  clientAuth: " + auth, values: map[string]string{"clientId": "id with +&"}})
		state, u := r.start(1)
		r.report(r.callback(query(code, state)))
		f := r.provider.form(t)
		if got := f.Get("grant_type") + " " + f.Get("code") + " " + f.Get("redirect_uri"); got != "authorization_code "+code+" "+publicURL+"/auth/rocket/callback" {
			t.Errorf("%s: the provider got %s", auth, got)
		}
		if s256(f.Get("code_verifier")) != u.Query().Get("code_challenge") {
			t.Errorf("%s: the verifier is not that of the challenge", auth)
		}
		id, pw := f.Get("client_id"), f.Get("client_secret")
		header := r.provider.heads[0].Get("Authorization")
		if auth == "basic" {
			if id != "" || pw != "" {
				t.Errorf("basic: the form has the client too: %q %q", id, pw)
			}
			plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(header, "Basic "))
			must(t, err)
			id, pw, _ = strings.Cut(string(plain), ":")
			id, _ = url.QueryUnescape(id)
			pw, _ = url.QueryUnescape(pw)
		} else if header != "" {
			t.Error("post: there is an Authorization header too")
		}
		if id != "id with +&" || pw != clientSecret {
			t.Errorf("%s: the client arrived as %q %q", auth, id, pw)
		}
		me := r.provider.heads[1]
		if me.Get("Authorization") != "Bearer "+accessToken || me.Get("Rocket-Version") != "7" {
			t.Errorf("%s: the identity call had %q", auth, me)
		}
	}
}

// A code arrives at the provider byte for byte, however it was escaped.
func TestCodeIsByteExact(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{"abc%3D", "abc="},
		{"abc=", "abc="},
		{"abc==", "abc=="},
		{"a+b", "a+b"},
		{"a%2Bb", "a+b"},
		{"a%2Fb%252F", "a/b%2F"},
		{"a%20b", "a b"},
		{"100%", "100%"},
		{"a;b", "a;b"},
		{"%00%ff", "\x00\xff"},
	} {
		r := newRig(t, setup{})
		state, _ := r.start(1)
		rep := r.report(r.callback("code=" + tt.raw + "&state=" + state))
		if got := r.provider.form(t).Get("code"); got != tt.want || rep.Verdict != oauth.OK {
			t.Errorf("%q arrived as %q, want %q; %s", tt.raw, got, tt.want, rep.Headline)
		}
	}
}

// Invariant 5: a state token is accepted once, by the browser session that
// started the flow, for what it was started with, and not for ever.
func TestStateIsAcceptedOnce(t *testing.T) {
	other := oauth.Binding("session-two")
	for _, tt := range []struct {
		name    string
		break_  func(r *rig)
		session oauth.Binding
		service string
		query   func(state string) string
		kind    errs.Kind
		words   string
		events  int  // of a refusal
		burnt   bool // it is not accepted afterwards either
	}{
		{name: "good"},
		{name: "empty", query: func(string) string { return "code=x&state=" }, kind: errs.Invalid, words: "without a state"},
		{name: "absent", query: func(string) string { return "code=x" }, kind: errs.Invalid, words: "without a state"},
		{name: "unknown", query: func(string) string { return "code=x&state=abc" }, kind: errs.Invalid, words: "no test that is under way"},
		{name: "nearly right", query: func(s string) string { return "code=x&state=" + s[:len(s)-1] }, kind: errs.Invalid, words: "no test that is under way"},
		{name: "the key of the record", query: func(s string) string { return "code=x&state=" + s256hex(s) }, kind: errs.Invalid, words: "no test that is under way"},
		{name: "two states", query: func(s string) string { return "code=x&state=" + s + "&state=" + s }, kind: errs.Invalid, words: "more than one state"},
		{name: "too long", query: func(s string) string { return "state=" + s + "&code=" + strings.Repeat("x", 40000) }, kind: errs.Invalid, words: "too long"},
		{name: "other session", session: other, kind: errs.Refused, words: "another browser session", events: 1, burnt: true},
		{name: "no session", session: " ", kind: errs.Refused, words: "another browser session", events: 1, burnt: true},
		{name: "other service", service: "planet", kind: errs.Invalid, words: "another service", events: 1, burnt: true},
		{name: "in the last second", break_: func(r *rig) { r.clock.pass(10*time.Minute - time.Second) }},
		{name: "expired", break_: func(r *rig) { r.clock.pass(10 * time.Minute) }, kind: errs.Invalid, words: "has expired", events: 1, burnt: true},
		{name: "swept", break_: func(r *rig) { r.clock.pass(10 * time.Minute); must(r.t, r.oauth.Sweep(r.t.Context())) }, kind: errs.Invalid, words: "no test that is under way"},
		{name: "entry deleted", break_: func(r *rig) { r.delete() }, kind: errs.NotFound, words: "no version 1", events: 1, burnt: true},
		{name: "entry made again with other content", break_: func(r *rig) { r.delete(); r.save(0, map[string]string{"clientSecret": "new"}, nil, config.Pend) },
			kind: errs.Conflict, words: "not the one", events: 1, burnt: true},
		{name: "entry made again with the same content", break_: func(r *rig) { r.delete(); r.save(0, nil, nil, config.Pend) }},
		{name: "another version since", break_: func(r *rig) { r.save(1, map[string]string{"clientSecret": "new"}, nil, config.PutInForce) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, setup{})
			state, _ := r.start(1)
			if tt.break_ != nil {
				tt.break_(r)
			}
			s, service, q := session, "rocket", query(code, state)
			if tt.session != "" {
				s = tt.session
			}
			if tt.service != "" {
				service = tt.service
			}
			if tt.query != nil {
				q = tt.query(state)
			}
			ref, err := r.oauth.Callback(t.Context(), by, s, service, q)
			kind, words := errs.Of(err)
			if good := tt.words == ""; good {
				if rep := r.report(ref, err); rep.Verdict != oauth.OK || rep.Version != 1 {
					t.Errorf("the run is %s", rep.Headline)
				}
				if got := r.provider.form(t).Get("client_secret"); got != clientSecret {
					t.Errorf("tested with %q", got)
				}
			} else if kind != tt.kind || !strings.Contains(words, tt.words) || r.provider.requests() != 0 {
				t.Errorf("%s %q after %d requests, want %s %q", kind, words, r.provider.requests(), tt.kind, tt.words)
			}
			if text := fmt.Sprint(err); len(leaks(text, state)) > 0 {
				t.Errorf("the error has a secret: %s", text)
			}
			refused := slices.DeleteFunc(r.events(audit.TestFinished), func(e audit.Event) bool { return e.Outcome != audit.Refused })
			if len(refused) != tt.events {
				t.Errorf("%d events of a refusal, want %d", len(refused), tt.events)
			}
			for _, e := range refused {
				if e.Target != string(id) || e.Version != 1 || e.Note != words || e.Actor != by {
					t.Errorf("the event is %+v", e)
				}
			}
			if tt.words == "" || tt.burnt {
				_, err = r.callback(query(code, state))
				if kind, words := errs.Of(err); kind != errs.Conflict || !strings.Contains(words, "used already") {
					t.Errorf("used again: %s %q", kind, words)
				}
				if again := r.events(audit.TestFinished)[0]; again.Outcome != audit.Refused || again.Target != string(id) {
					t.Errorf("the event of the second use is %+v", again)
				}
			}
			if r.provider.requests() > 2 {
				t.Errorf("%d requests to the provider", r.provider.requests())
			}
		})
	}
}

func (r *rig) delete() {
	r.t.Helper()
	e, err := r.config.Get(r.t.Context(), id)
	must(r.t, err)
	must(r.t, r.config.Delete(r.t.Context(), by, config.Move{ID: id, Revision: e.Revision}))
}

// Invariant 5, at once: of eight identical callbacks one proceeds.
func TestConcurrentCallbacks(t *testing.T) {
	r := newRig(t, setup{})
	state, _ := r.start(1)
	var wait sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wait.Go(func() { _, results[i] = r.callback(query(code, state)) })
	}
	wait.Wait()
	good := 0
	for _, err := range results {
		if err == nil {
			good++
		} else if !errs.Is(err, errs.Conflict) {
			t.Errorf("a loser got %v", err)
		}
	}
	list, err := r.oauth.Reports(t.Context(), id)
	must(t, err)
	if good != 1 || len(list) != 1 || len(r.provider.forms) != 1 {
		t.Errorf("%d of 8 proceeded, with %d reports and %d token requests", good, len(list), len(r.provider.forms))
	}
}

// The flow is burnt before the exchange, so a crash in between cannot replay it;
// and a browser that goes away does not lose the report.
func TestCallbackOfABrowserThatGoesAway(t *testing.T) {
	r := newRig(t, setup{})
	state, _ := r.start(1)
	ctx, cancel := contextWithCancel(t)
	usual := r.provider.token
	r.provider.token = answerAfter(func() {
		if len(r.keys("oauth/flow/")) != 0 {
			t.Error("the flow is still there during the exchange")
		}
		cancel()
	}, usual)
	ref, err := r.oauth.Callback(ctx, by, session, "rocket", query(code, state))
	if rep := r.report(ref, err); rep.Verdict != oauth.OK {
		t.Errorf("the run is %s", rep.Headline)
	}
}

// A run that does not come back is remembered for a day, and one that does is not.
func TestStarted(t *testing.T) {
	r := newRig(t, setup{})
	check := func(when string, want string) {
		t.Helper()
		run, ok, err := r.oauth.Started(t.Context(), id)
		must(t, err)
		got := "none"
		if ok {
			got = fmt.Sprintf("version %d by %s at %s of %s", run.Version, run.By, run.Time.Format("15:04"), run.Service)
		}
		if got != want || ok && (run.RedirectURI != publicURL+"/auth/rocket/callback" || run.ContentHash == "") {
			t.Errorf("%s: %s (%+v), want %s", when, got, run, want)
		}
	}
	check("at first", "none")
	first, _ := r.start(1)
	check("after a start", "version 1 by owner@acme.example at 12:00 of rocket")
	r.save(1, map[string]string{"clientSecret": "another"}, nil, config.Pend)
	r.clock.pass(time.Minute)
	second, _ := r.start(2)
	check("the latest counts", "version 2 by owner@acme.example at 12:01 of rocket")
	r.report(r.callback(query(code, first)))
	check("an earlier one came back", "version 2 by owner@acme.example at 12:01 of rocket")
	if _, err := r.oauth.Callback(t.Context(), by, "session-two", "rocket", query(code, second)); !errs.Is(err, errs.Refused) {
		t.Error(err)
	}
	check("it came back, and was refused", "none")
	third, _ := r.start(1)
	r.report(r.callback("error=access_denied&state=" + third))
	check("it came back, denied", "none")
	r.start(1)
	r.clock.pass(24*time.Hour - time.Second)
	check("on the next day", "version 1 by owner@acme.example at 12:01 of rocket")
	r.clock.pass(time.Second)
	check("a day later", "none")
	r.start(1)
	r.delete()
	check("the entry is gone", "none")
	if left := r.keys("oauth/started/"); len(left) != 0 {
		t.Errorf("there is %q", left)
	}
}

func TestSweep(t *testing.T) {
	r := newRig(t, setup{})
	for range 3 {
		r.start(1)
	}
	state, _ := r.start(1)
	r.report(r.callback(query(code, state)))
	r.clock.pass(9 * time.Minute)
	r.start(1)
	for _, tt := range []struct {
		pass          time.Duration
		flows, spents int
	}{{0, 4, 1}, {time.Minute, 1, 1}, {9 * time.Minute, 0, 1}, {24 * time.Hour, 0, 0}} {
		r.clock.pass(tt.pass)
		must(t, r.oauth.Sweep(t.Context()))
		if f, s := len(r.keys("oauth/flow/")), len(r.keys("oauth/spent/")); f != tt.flows || s != tt.spents {
			t.Errorf("%d flows and %d spent states, want %d and %d", f, s, tt.flows, tt.spents)
		}
	}
}

func TestRedirectURI(t *testing.T) {
	r := newRig(t, setup{})
	def := r.config.Definition(id)
	for _, tt := range []struct {
		own, want string
	}{
		{"", publicURL + "/auth/rocket/callback"},
		{publicURL + "/auth/other/callback", publicURL + "/auth/other/callback"},
		{"https://BACKOFFICE.example.com/auth/other/callback", "https://BACKOFFICE.example.com/auth/other/callback"},
		{publicURL + "/elsewhere", publicURL + "/elsewhere"},
		{"http://backoffice.example.com/auth/rocket/callback", "http://backoffice.example.com/auth/rocket/callback"},
		{"https://api.acme.example/auth/rocket/callback", "https://api.acme.example/auth/rocket/callback"},
	} {
		o := config.Opened{Values: map[string]config.Value{}}
		if tt.own != "" {
			o.Values["callbackUrl"] = config.TextValue(secret.NewText(tt.own))
		}
		if got := r.oauth.RedirectURI(def, o); got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.own, got, tt.want)
		}
	}
	if got := r.oauth.RedirectURI(nil, config.Opened{}); got != "" {
		t.Errorf("a plain entry has the redirect URI %q", got)
	}
	// The exchange has the redirect URI that the run was started with, whatever
	// the program's address is by then.
	moved := newRig(t, setup{})
	state, _ := moved.start(1)
	ref, err := moved.service(setup{}, "https://new.example.com").Callback(t.Context(), by, session, "rocket", query(code, state))
	if rep := moved.report(ref, err); moved.provider.form(t).Get("redirect_uri") != publicURL+"/auth/rocket/callback" {
		t.Errorf("the run is %s", rep.Headline)
	}
	// The callback of another name is that of the redirect URI.
	other := newRig(t, setup{values: map[string]string{"callbackUrl": publicURL + "/auth/other/callback"}})
	state, _ = other.start(1)
	ref, err = other.oauth.Callback(t.Context(), by, session, "other", query(code, state))
	if rep := other.report(ref, err); rep.Verdict != oauth.OK || other.provider.form(t).Get("redirect_uri") != publicURL+"/auth/other/callback" {
		t.Errorf("the run is %s", rep.Headline)
	}
}
