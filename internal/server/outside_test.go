package server

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/auth"
	"backoffice/internal/outside"
)

var (
	discardLog = log.New(io.Discard, "", 0)
	nonceLike  = regexp.MustCompile(`[a-z2-7]{52}`)
)

// shownNonce is the nonce in an address.
func shownNonce(t testing.TB, address string) string {
	t.Helper()
	n := nonceLike.FindString(address)
	if n == "" {
		t.Fatalf("no nonce in %q", address)
	}
	return n
}

// goOut starts a visit and returns the address that the browser is to open.
func (p *person) goOut() string {
	p.h.t.Helper()
	p.post("/settings/outside-in/browser").want(303)
	page := p.get("/settings/outside-in").want(200, "Go there and come back", "It can be sent once the browser is back")
	return page.link("Go to " + p.h.deps.Site.PublicURL.String())
}

// outForm is the form that goes to the webhook address.
func (p *person) outForm(page answer) (action string, form url.Values) {
	p.h.t.Helper()
	for _, n := range page.all("form[method=post]") {
		if to, _ := attr(n, "action"); strings.Contains(to, "/webhooks/") {
			return to, controls(n)
		}
	}
	p.h.t.Fatalf("%s has no form to the webhook address:\n%s", page.what, page.words())
	return "", nil
}

// The server asks itself from the settings page, and the page says what it found.
func TestOutsideFromSettings(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	p.get("/settings").want(200, "Nobody has looked at the public address from outside yet", "Check from outside", "Check with your browser")
	a := p.post("/settings/outside-in").want(303)
	if to := a.header.Get("Location"); to != "/settings#outside" {
		t.Errorf("to %q", to)
	}
	page := p.get("/settings").want(200, "The public address is checked", "Check again from outside", "Providers ask for https", "Queries arrive byte for byte.",
		"You registered", "We send", "The proxy delivers", "By this server in")
	if n := len(find(page.one("main"), "details")); n < 10 {
		t.Errorf("%d aspects unfold", n)
	}
	p.post("/settings/outside-in").want(429, "checked a moment ago")
	h.pass(11 * time.Second)
	p.post("/settings/outside-in").want(303)
	if n := len(h.events(audit.OutsideChecked)); n != 2 {
		t.Errorf("%d events, want one a check", n)
	}
	s, err := h.deps.Outside.Summary(t.Context())
	h.pass(time.Hour)
	s2, _ := h.deps.Outside.Summary(t.Context())
	if err != nil || !s.Known || s.Headline == "" || len(s.Wrong) != 0 || s.Verdict != outside.Warning || s2.Age-s.Age != time.Hour || !s.Time.Equal(s2.Time) {
		t.Errorf("summary %+v, %v", s, err)
	}
}

// What has to change is on the page, to be copied as it stands.
func TestOutsideLinesOnThePage(t *testing.T) {
	t.Parallel()
	h := behind(t, front{strange: true})
	must(h.deps.Outside.Run(t.Context(), audit.Actor{Name: ownerEmail}))(t)
	page := h.owner().get("/settings").want(200, "The public address has a fault: Scheme", "--trusted-proxies=127.0.0.1", "proxy_set_header X-Forwarded-Proto $scheme;",
		"trusted_proxies static private_ranges", "forwardedHeaders:", "Wrong")
	lines := page.one("pre[id=outside-scheme-nginx]").FirstChild.Data
	want := h.deps.outsideLines(t, outside.Scheme, outside.Nginx)
	if lines != want || !strings.Contains(want, "proxy_pass http://127.0.0.1:8080;") {
		t.Errorf("the page has %q, want %q", lines, want)
	}
	if _, open := attr(page.one("details[id=outside-scheme]"), "open"); !open {
		t.Error("the fault does not stand open")
	}
	if _, open := attr(page.one("details[id=outside-query]"), "open"); open {
		t.Error("what is well stands open")
	}
}

func (d Deps) outsideLines(t *testing.T, a outside.Aspect, p outside.Proxy) string {
	r, _, err := d.Outside.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.Finding(a).Lines[p]
}

// The browser goes out and comes back, without a script.
func TestOutsideByBrowser(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	link := p.goOut()
	if !strings.HasPrefix(link, h.srv.URL+"/auth/outside-in/callback?code=a%2Bb%3D%2Fc&state=") {
		t.Errorf("the link is %q", link)
	}
	p.raw(http.MethodHead, link, nil).want(404) // a preview uses nothing up
	a := p.get(link).want(303)
	if k := a.header.Get("Set-Cookie"); !strings.Contains(k, "HttpOnly; SameSite=Lax") {
		t.Errorf("the cookie is %q", k)
	}
	p.get("/settings/outside-in").want(200, "was not led back by the redirect")
	p.get(link).want(404, "There is no page at this address")
	b := p.get(a.header.Get("Location")).want(303)
	if to := b.header.Get("Location"); to != "/settings/outside-in" {
		t.Errorf("back to %q", to)
	}
	page := p.get("/settings/outside-in").want(200, "Send a form to the webhook address", "came back")
	action, form := p.outForm(page)
	done := p.send(http.MethodPost, action, form, "Sec-Fetch-Site", "same-origin").want(303)
	if to := done.header.Get("Location"); to != "/settings#outside" {
		t.Errorf("after the form to %q", to)
	}
	p.get("/settings").want(200, "By the browser of "+ownerEmail, "The browser was led back to the public address.", "Bodies arrive byte for byte.")
	r, ok, err := h.deps.Outside.Last(t.Context())
	if err != nil || !ok || !r.ByBrowser {
		t.Fatalf("%+v %v %v", r, ok, err)
	}
	want := only(aspectsOf{outside.Reach: outside.OK, outside.Scheme: outside.Warning, outside.Host: outside.OK, outside.Port: outside.OK, outside.Path: outside.OK,
		outside.Query: outside.OK, outside.Redirect: outside.OK, outside.Cookie: outside.OK, outside.Cache: outside.OK, outside.Body: outside.OK})
	for _, f := range r.Findings {
		if f.Verdict != want[f.Aspect] {
			t.Errorf("%s is %s, want %s: %s", f.Aspect, f.Verdict, want[f.Aspect], f.Reason)
		}
	}
	h.keepsOutside(r)
	p.get("/settings/outside-in").want(303)
	p.post("/settings/outside-in/finish").want(404, "No check by your browser is under way")
}

// What does not come back can be finished, and says how far it came.
func TestOutsideByBrowserHalfway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		steps  int
		aspect outside.Aspect
		want   outside.Verdict
		reason string
		query  outside.Verdict
	}{
		{"never went", 0, outside.Reach, outside.Inconclusive, "did not arrive here", outside.NotChecked},
		{"not led back", 1, outside.Redirect, outside.Inconclusive, "did not come back", outside.OK},
		{"form lost", 2, outside.Body, outside.Inconclusive, "The form did not arrive", outside.OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{})
			p := h.owner()
			to := p.goOut()
			for range tt.steps {
				to = p.get(to).want(303).header.Get("Location")
			}
			p.post("/settings/outside-in/finish").want(303)
			r := must2(h.deps.Outside.Last(t.Context()))
			if f := r.Finding(tt.aspect); f.Verdict != tt.want || !strings.Contains(f.Reason, tt.reason) || f.Remedy == "" {
				t.Errorf("%+v", f)
			}
			if f := r.Finding(outside.Query); f.Verdict != tt.query {
				t.Errorf("%+v", f)
			}
		})
	}
}

func must2[T any](v T, ok bool, err error) T {
	if err != nil || !ok {
		panic(fmt.Sprint(ok, err))
	}
	return v
}

// A nonce is good for one request of one person for ten minutes; whatever else
// is sent gets what is sent for any address that does not exist, and leaves no
// trace.
func TestOutsideAttacks(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p, other, nobody := h.owner(), h.owner(), h.visitor()
	link := p.goOut()
	good := shownNonce(t, link)
	forged := strings.Map(func(r rune) rune { return map[bool]rune{true: 'b', false: r}[r == 'a'] }, "a"+good[1:])
	if forged[0] == good[0] {
		forged = "c" + good[1:]
	}
	flipped := good[:51] + map[bool]string{true: "a", false: "q"}[good[51] == 'q']
	before := h.dump()
	unknown := nobody.get("/auth/outside-in/callback").want(404)
	for name, ask := range map[string]func() answer{
		"forged":              func() answer { return p.get(strings.Replace(link, good, forged, 1)) },
		"one letter changed":  func() answer { return p.get(strings.Replace(link, good, flipped, 1)) },
		"another person's":    func() answer { return other.get(link) },
		"nobody's":            func() answer { return nobody.get(link) },
		"nobody's, by header": func() answer { return nobody.get("/auth/outside-in/callback", "X-Outside-In", good) },
		"nobody's, elsewhere": func() answer { return nobody.get("/webhooks/outside-in?check=" + good) },
		"nobody's, posted": func() answer {
			return nobody.raw(http.MethodPost, "/webhooks/outside-in?check="+good, strings.NewReader("CANARY<script>"))
		},
		"nobody's, to a stray": func() answer { return nobody.get("/no/such/page?state=" + good) },
		"long":                 func() answer { return nobody.get("/webhooks/outside-in?check=" + strings.Repeat("a", 5000)) },
		"huge body": func() answer {
			return nobody.raw(http.MethodPost, "/webhooks/outside-in", strings.NewReader(strings.Repeat("CANARY", 40_000)))
		},
	} {
		a := ask()
		if a.status != 404 || strings.Contains(a.body, "CANARY") || strings.Contains(a.body, good) || strings.Contains(a.body, forged) {
			t.Errorf("%s: %d\n%s", name, a.status, a.words())
		}
		if a.header.Get("Set-Cookie") != "" && !strings.Contains(a.header.Get("Set-Cookie"), "session") || a.header.Get("Location") != "" {
			t.Errorf("%s: headers %v", name, a.header)
		}
		if strings.HasPrefix(name, "nobody") && a.header.Get("Content-Length") != "" && !strings.Contains(a.words(), "There is no page at this address") {
			t.Errorf("%s is told from an address that does not exist:\n%s\n%s", name, a.words(), unknown.words())
		}
	}
	h.unchanged(before, "asking without a nonce of one's own")
	if v, ok := h.deps.Outside.Visit("somebody else"); ok || v.Link != "" {
		t.Errorf("another session sees %+v", v)
	}
	p.get(link).want(303) // none of them used it up
	p.get(link).want(404)
	fresh := p.goOut()
	h.pass(10 * time.Minute)
	p.get(fresh).want(404)
	p.get("/settings/outside-in").want(303)
	p.post("/settings/outside-in/finish").want(404, "longer than ten minutes")
}

// The body of somebody who has a nonce is bounded too.
func TestOutsideHugeBody(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	to := p.goOut()
	for range 2 {
		to = p.get(to).want(303).header.Get("Location")
	}
	action, _ := p.outForm(p.get(to))
	a := p.raw(http.MethodPost, action, strings.NewReader(strings.Repeat("x", outside.MaxBody+1)), "Content-Type", "text/plain", "Sec-Fetch-Site", "same-origin")
	a.want(413)
	if n := len(h.events(audit.OutsideChecked)); n != 0 {
		t.Errorf("%d events", n)
	}
	p.post("/settings/outside-in/finish").want(303)
	if f := must2(h.deps.Outside.Last(t.Context())).Finding(outside.Body); f.Verdict != outside.Inconclusive {
		t.Errorf("%+v", f)
	}
}

// Another site cannot have the form sent.
func TestOutsideCrossSite(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.owner()
	to := p.goOut()
	for range 2 {
		to = p.get(to).want(303).header.Get("Location")
	}
	action, _ := p.outForm(p.get(to))
	p.send(http.MethodPost, action, url.Values{"text": {"x"}}, "Sec-Fetch-Site", "cross-site").want(403)
	p.get(to).want(200, "Send the form")
}

// Guesses are answered more slowly than they can be made.
func TestOutsideGuessesAreFew(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	p := h.visitor()
	count := map[int]int{}
	for range 80 {
		count[p.get("/webhooks/outside-in?check=x").status]++
	}
	if count[404] != 60 || count[429] != 20 {
		t.Errorf("answers: %v", count)
	}
	h.pass(time.Minute)
	p.get("/webhooks/outside-in").want(404)
	q := h.owner()
	q.get(q.goOut()).want(303) // whoever has a nonce does not wait
}

// A report that cannot be kept is not shown as the last one.
func TestOutsideNotKept(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	repair := h.breakStore(errors.New("the disk is gone"))
	_, err := h.deps.Outside.Run(t.Context(), audit.Actor{})
	repair()
	if err == nil {
		t.Error("no error")
	}
	if _, ok, err := h.deps.Outside.Last(t.Context()); ok || err != nil {
		t.Errorf("a report that was not kept is the last one: %v", err)
	}
	h.unchanged(h.dump(), "nothing")
}

// What an admin does about the check needs the permission for it.
func TestOutsideNeedsThePermission(t *testing.T) {
	t.Parallel()
	for _, r := range routes(newGate(open(t, plan{}).deps)) {
		if strings.HasPrefix(r.path, "/settings/outside-in") && r.may != auth.SettingsCheck {
			t.Errorf("%s %s needs %s", r.method, r.path, r.may)
		}
	}
}
