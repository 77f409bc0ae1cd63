package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/web"
)

// address is a path that a route answers.
func (r route) address() string {
	if r.path == "/static/*" {
		return web.URL("app.css")
	}
	return strings.NewReplacer(":id", "acme:intercom", ":run", "20260917-120000.000-00000000", ":owner", "acme:intercom", ":service", "intercom", ":vendor", "acme", ":key", "intercom", ":n", "0", ":user", "nobody").Replace(r.path)
}

func (r route) safe() bool { return r.method == http.MethodGet }

func (p *person) ask(r route) answer {
	p.h.t.Helper()
	if r.safe() {
		return p.get(r.address())
	}
	return p.post(r.address(), "version", "1", "revision", "1", "base", "1")
}

// Invariant 8: every route has a permission.
func TestEveryRouteHasAPermission(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	table := routes(newGate(h.deps))
	if len(table) < 40 {
		t.Fatalf("the table has %d rows", len(table))
	}
	seen := map[string]bool{}
	for _, r := range table {
		key := r.method + " " + r.path
		if !slices.Contains(auth.Permissions(), r.may) || seen[key] || r.handle == nil {
			t.Errorf("%s: permission %q, twice %v", key, r.may, seen[key])
		}
		seen[key] = true
	}
	var open []string
	for _, r := range table {
		if !r.may.NeedsPerson() {
			open = append(open, r.method+" "+r.path)
		}
	}
	want := []string{"GET /healthz", "GET /readyz", "GET /metrics", "GET /static/*", "GET /favicon.ico", "GET /setup", "POST /setup", "GET /invite", "POST /invite", "GET /login", "POST /login", "POST /login/code", "POST /login/passkey", "POST /login/passkey/begin", "POST /login/provider", "GET /login/callback", "GET /login/confirm", "POST /login/link",
		"POST /logout", "POST /theme", "GET /calendar/:token", "GET /auth/outside-in/callback", "GET /webhooks/outside-in", "POST /webhooks/outside-in", "GET /webhooks/:service", "POST /webhooks/:service", "GET /webhooks/:vendor/:service", "POST /webhooks/:vendor/:service"}
	if !slices.Equal(open, want) {
		t.Errorf("open to everybody are %q, want %q", open, want)
	}
	for _, bad := range []auth.Permission{"", "config.everything"} {
		_, err := mount(h.deps, func(gate) []route { return []route{{"GET", "/x", bad, table[0].handle}} })
		if err == nil || !strings.Contains(err.Error(), "GET /x") {
			t.Errorf("a route with the permission %q was mounted: %v", bad, err)
		}
	}
}

// Invariant 8, as nobody: in no browser session, in one that is too old, and in
// one whose account is gone.
func TestRoutesAsNobody(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	idle := h.owner()
	h.pass(29 * time.Minute)
	idle.get("/").want(200)
	h.pass(30 * time.Minute)
	old := h.owner()
	for range 26 { // 12 hours and 34 minutes, never idle for long
		h.pass(29 * time.Minute)
		old.get("/login")
	}
	forged := h.visitor()
	forged.client.Jar.SetCookies(must(url.Parse(h.srv.URL))(t), []*http.Cookie{{Name: h.deps.Sessions.Name(),
		Value: strings.Repeat("A", 43) + "." + strings.Repeat("A", 43), Path: "/"}})
	idle.get("/login") // what is found expired is deleted: not a change that the routes make
	before := h.dump()
	for who, p := range map[string]*person{"nobody": h.visitor(), "idle for long": idle, "signed in long ago": old, "with a forged cookie": forged} {
		for _, r := range routes(newGate(h.deps)) {
			if !r.may.NeedsPerson() {
				continue
			}
			a := p.ask(r)
			to := a.header.Get("Location")
			switch {
			case r.safe() && (a.status != 303 || to != "/login" && !strings.HasPrefix(to, "/login?")):
				t.Errorf("%s, %s: %d to %q, want a way to the sign-in", who, a.what, a.status, to)
			case !r.safe() && a.status != 401:
				t.Errorf("%s, %s: %d, want 401", who, a.what, a.status)
			}
			if strings.Contains(a.body, "acme:intercom") && !strings.Contains(r.path, ":id") {
				t.Errorf("%s, %s: the answer names an entry", who, a.what)
			}
		}
		h.unchanged(before, who)
	}
}

// Invariant 8, as the owner.
func TestRoutesAsOwner(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	for _, r := range routes(newGate(h.deps)) {
		if r.path == "/logout" {
			continue
		}
		p := h.owner()                                                    // a session each: some routes end or renew it
		if !r.safe() && (r.path == servicePath || r.path == vendorPath) { // a provider's signature counts there, and nobody's role
			p.ask(r).want(401)
			continue
		}
		if a := p.ask(r); a.status == 401 || a.status == 403 || a.status >= 500 {
			t.Errorf("%s: %d\n%s", a.what, a.status, a.words())
		}
	}
}

// Invariant 8, as somebody whose role may do nothing.
func TestRoutesAsARoleWithoutPermissions(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	h.become("visitor")
	before, refused := h.dump(), 0
	for _, r := range routes(newGate(h.deps)) {
		if !r.may.NeedsPerson() {
			continue
		}
		a := p.ask(r)
		refused++
		events := h.events(audit.AccessRefused)
		if a.status != 403 || len(events) != refused {
			t.Errorf("%s: %d with %d events, want 403 with %d", a.what, a.status, len(events), refused)
			refused = len(events)
			continue
		}
		e := events[0]
		target := ""
		if strings.Contains(r.path, ":id") {
			target = "acme:intercom"
		}
		if e.Actor.Name != ownerEmail || e.Outcome != audit.Refused || e.Target != target || !strings.Contains(e.Note, r.method+" "+r.path) ||
			!strings.Contains(e.Note, string(r.may)) || e.Actor.RequestID != a.header.Get("X-Request-Id") || e.Actor.Addr != "127.0.0.1" {
			t.Errorf("%s: event %+v", a.what, e)
		}
		a.want(403, "Your role does not allow this")
	}
	after := h.dump()
	for k, v := range before {
		if after[k] != v && strings.HasPrefix(k, "config/") {
			t.Errorf("a refused request changed %s", k)
		}
	}
}

// What can be asked for with GET can be asked for with HEAD, but a callback,
// which uses up its state, a case file, whose export is an event, and what may have
// to be signed.
func TestHeadAnswersAsGet(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	for _, r := range routes(newGate(h.deps)) {
		if !r.safe() {
			continue
		}
		want := p.get(r.address()).status
		if slices.Contains(noHead, r.path) {
			want = http.StatusMethodNotAllowed
		}
		if a := p.raw(http.MethodHead, r.address(), nil); a.status != want || a.body != "" {
			t.Errorf("%s: %d with %d bytes, want %d with none", a.what, a.status, len(a.body), want)
		}
	}
	for _, r := range []struct{ method, path, allow string }{
		{http.MethodDelete, entry, "POST"}, {http.MethodPut, "/config", "GET"}, {http.MethodPost, "/audit", "GET"}, {http.MethodGet, "/theme", "POST"},
	} {
		a := p.send(r.method, r.path, nil).want(405, "does not take this kind of request")
		if !strings.Contains(a.header.Get("Allow"), r.allow) {
			t.Errorf("%s: Allow is %q, want %s in it", a.what, a.header.Get("Allow"), r.allow)
		}
	}
}

// Ids are found in every spelling that means the same path, and no other.
func TestPathIDs(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	h.save("acme:intercom", nil)
	p := h.owner()
	for _, tt := range []struct {
		path   string
		status int
	}{
		{"/config/acme:intercom", 200}, {"/config/acme%3Aintercom", 200}, {"/config/acme:intercm", 404}, {"/config/acme", 404},
		{"/config/acme:intercom%2F..", 404}, {"/config/..%2Facme:intercom", 404}, {"/config/%00:x", 404}, {"/config/a:b:c:d", 404},
		{"/config/acme:intercom?version=1", 200}, {"/config/acme:intercom?version=2", 404}, {"/config/acme:intercom?version=0", 404},
		{"/config/acme:intercom?version=x", 404}, {"/config/acme:intercom?version=99999999999999999999", 404}, {"/config/acme:intercom/test/x", 404},
		{"/audit/0", 200}, {"/audit/-1", 404}, {"/audit/99", 404}, {"/audit/x", 404}, {"/connectors/intercom", 200}, {"/connectors/nosuch", 404},
		{"/connectors/%3Cb%3E", 404}, {"/nosuch", 404}, {"/config/", 404}, {"/static/0000/app.css", 404},
	} {
		if a := p.get(tt.path); a.status != tt.status {
			t.Errorf("%s: %d, want %d", a.what, a.status, tt.status)
		}
	}
}
