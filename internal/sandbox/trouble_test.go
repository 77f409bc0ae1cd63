package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/sandbox"
)

// places has one request for each endpoint that can be in trouble.
var places = map[sandbox.Endpoint]func(r *rig) *http.Request{
	sandbox.AtAuthorize: func(r *rig) *http.Request { return r.request("GET", r.authorizePath(callback, "s"), "") },
	sandbox.AtToken: func(r *rig) *http.Request {
		return r.request("POST", "/auth/eagle/token", r.form(r.code()).Encode(), "Content-Type", "application/x-www-form-urlencoded")
	},
	sandbox.AtMe:  func(r *rig) *http.Request { return r.request("GET", "/me", "", r.bearer()...) },
	sandbox.AtAPI: func(r *rig) *http.Request { return r.request("GET", "/conversations", "", r.bearer()...) },
}

func TestTrouble(t *testing.T) {
	tests := []struct {
		name     string
		kind     sandbox.Kind
		status   int // 0: no answer at all
		json     bool
		least    int // bytes of the body
		readFail bool
		location string
		contains string
	}{
		{name: "none", kind: sandbox.None, status: 200, least: 20},
		{name: "500", kind: sandbox.ServerError, status: 500, json: true, least: 20, contains: `"code":"server_error"`},
		{name: "503", kind: sandbox.Down, status: 503, least: 20, contains: "<!doctype html>"},
		{name: "HTML", kind: sandbox.HTML, status: 200, least: 20, contains: "<!doctype html>"},
		{name: "garbage", kind: sandbox.Garbage, status: 200, json: true, least: 10, contains: `{"type"`},
		{name: "huge", kind: sandbox.Huge, status: 200, json: true, least: 1<<20 + 1},
		{name: "gzip bomb", kind: sandbox.GzipBomb, status: 200, json: true, least: 16 << 20},
		{name: "429", kind: sandbox.TooMany, status: 429, json: true, least: 20, contains: "rate_limit_exceeded"},
		{name: "cut", kind: sandbox.Cut, status: 0},
		{name: "cut midway", kind: sandbox.CutMidway, status: 200, json: true, readFail: true, least: 10},
		{name: "redirect", kind: sandbox.RedirectSame, status: 307, location: "/moved"},
		{name: "redirect away", kind: sandbox.RedirectAway, status: 307, location: "https://elsewhere.invalid/"},
	}
	for at, request := range places {
		for _, tt := range tests {
			var f sandbox.Faults
			f.Trouble[at].Kind = tt.kind
			r := start(t, f)
			res, err := r.browser.Do(request(r))
			if tt.status == 0 {
				if err == nil {
					t.Errorf("%s at %d: answered %d", tt.name, at, res.StatusCode)
				}
				if got := r.Log()[0].Status; got != 0 {
					t.Errorf("%s at %d: the log has status %d", tt.name, at, got)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s at %d: %v", tt.name, at, err)
				continue
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			json := strings.HasPrefix(res.Header.Get("Content-Type"), "application/json")
			if tt.kind == sandbox.None {
				json = false // as the endpoint has it
			}
			if res.StatusCode != tt.status || json != tt.json || len(body) < tt.least || (err != nil) != tt.readFail || res.Header.Get("Location") != tt.location || !strings.Contains(string(body[:min(len(body), 500)]), tt.contains) {
				t.Errorf("%s at %d: %d, %d bytes, %v, to %q: %.80s", tt.name, at, res.StatusCode, len(body), err, res.Header.Get("Location"), body)
			}
			if got := r.Log()[0].Status; got != tt.status {
				t.Errorf("%s at %d: the log has status %d", tt.name, at, got)
			}
		}
	}
}

// Trouble at one endpoint leaves the others alone, and may begin later.
func TestTroubleIsOfOneEndpoint(t *testing.T) {
	for at := range places {
		var f sandbox.Faults
		f.Trouble[at] = sandbox.Trouble{Kind: sandbox.Down, After: 2}
		r := start(t, f)
		for other, request := range places {
			for i := range 4 {
				want := 200
				if other == at && i >= 2 {
					want = 503
				}
				if got := r.do(request(r)).StatusCode; got != want {
					t.Errorf("trouble at %d: request %d at %d got %d", at, i, other, got)
				}
			}
		}
		r.Set(f)
		if got := r.do(places[at](r)).StatusCode; got != 200 {
			t.Errorf("Set did not start the count anew: %d", got)
		}
	}
}

func TestDelay(t *testing.T) {
	for _, kind := range []sandbox.Kind{sandbox.None, sandbox.ServerError} {
		var f sandbox.Faults
		f.Trouble[sandbox.AtMe] = sandbox.Trouble{Kind: kind, Delay: 7 * time.Second, After: 1}
		r := start(t, f)
		var mu sync.Mutex
		var slept []time.Duration
		r.SetSleep(func(_ *http.Request, d time.Duration) { mu.Lock(); defer mu.Unlock(); slept = append(slept, d) })
		for range 2 {
			r.do(places[sandbox.AtMe](r))
		}
		r.do(places[sandbox.AtAPI](r))
		mu.Lock()
		if len(slept) != 1 || slept[0] != 7*time.Second {
			t.Errorf("kind %d slept %v", kind, slept)
		}
		mu.Unlock()
	}
}

// A client that gives up ends the wait.
func TestDelayEndsWithTheClient(t *testing.T) {
	var f sandbox.Faults
	f.Trouble[sandbox.AtMe].Delay = sandbox.MaxDelay
	r := start(t, f)
	arrived := make(chan struct{})
	inner := sandbox.Sleep
	done := make(chan struct{})
	r.SetSleep(func(req *http.Request, d time.Duration) { close(arrived); inner(req, d); close(done) })
	ctx, cancel := contextOf(t)
	go func() { <-arrived; cancel() }()
	if _, err := r.browser.Do(places[sandbox.AtMe](r).WithContext(ctx)); err == nil {
		t.Error("a slow endpoint answered")
	}
	<-done // hangs until the test's own deadline if the wait goes on
}

// A redirect that is followed shows up in the log.
func TestMovedIsLogged(t *testing.T) {
	var f sandbox.Faults
	f.Trouble[sandbox.AtToken].Kind = sandbox.RedirectSame
	r := start(t, f)
	res, err := http.PostForm(r.url+"/auth/eagle/token", url.Values{"code": {"x"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if log := r.Log(); len(log) != 2 || log[0].Path != "/moved" || log[0].Method != "POST" || !strings.Contains(log[0].Note, "followed") {
		t.Errorf("log: %+v", log)
	}
}
