package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"backoffice/internal/egress"
)

const ourURI = "https://backoffice.example.com/auth/rocket/callback"

// landed is where a single answer of the authorize address leads.
func landed(t testing.TB, status int, location, contentType, body string) landing {
	t.Helper()
	v := visitLog{hops: []egress.Exchange{{URL: "https://auth.rocket.example/authorize", Status: status}}, location: []*url.URL{nil},
		last: &capture{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}}
	if location != "" {
		u, err := url.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		v.location[0] = u
	}
	return land(v, ourURI, []string{"crm_7Qd2", ourURI})
}

func TestLandings(t *testing.T) {
	const page = "text/html; charset=utf-8"
	for _, tt := range []struct {
		name        string
		status      int
		to          string
		media, body string
		kind        landingKind
		code        string
	}{
		{"login page", 200, "", page, "<title>Sign in to Rocket</title>", goesOn, ""},
		{"login page without a title", 200, "", page, "<form><input name=email></form>", goesOn, ""},
		{"nothing on the page", 200, "", page, "", unclear, ""},
		{"login elsewhere", 302, "https://login.rocket.example/signin?flow=1", page, "", goesOn, ""},
		{"error page", 400, "", page, "<title>Bad request</title>", turnsAway, ""},
		{"error page with 200", 200, "", page, "<title>Error: invalid redirect_uri</title>", turnsAway, ""},
		{"no such app", 404, "", page, "<title>Hm</title>", turnsAway, ""},
		{"redirect to an error page", 302, "https://auth.rocket.example/oauth/error?x=1", page, "", turnsAway, ""},
		{"redirect with an error elsewhere", 303, "https://www.rocket.example/?error=invalid_client", page, "", turnsAway, "invalid_client"},
		{"back with an error", 302, ourURI + "?error=invalid_scope&state=x", page, "", comesBack, "invalid_scope"},
		{"to a host that nobody has", 302, "https://0123456789abcdef.invalid/cb?code=1", page, "", strays, ""},
		{"API error", 400, "", "application/json", `{"error":"invalid_client"}`, turnsAway, "invalid_client"},
		{"401 page", 401, "", page, "<title>Sign in</title>", unclear, ""},
		{"403 that names the redirect URI", 403, "", page, "<title>Invalid redirect URI</title>", turnsAway, ""},
		{"challenge", 403, "", page, "<title>Just a moment...</title>", unclear, ""},
		{"challenge with 200", 200, "", page, "<title>Attention Required! | Shield</title>", unclear, ""},
		{"too many", 429, "", page, "<title>Error</title>", unclear, ""},
		{"server error", 502, "", page, "<title>Bad gateway</title>", unclear, ""},
	} {
		l := landed(t, tt.status, tt.to, tt.media, tt.body)
		if l.kind != tt.kind || l.code != tt.code {
			t.Errorf("%s: %s with code %q, want %s with %q", tt.name, landingHints[l.kind], l.code, landingHints[tt.kind], tt.code)
		}
	}
	a := landed(t, 302, "https://login.rocket.example/flow/3f2504e0-4f89-41d3-9a0c-0305e82c3301", page, "")
	b := landed(t, 302, "https://login.rocket.example/flow/aa2504e0-4f89-41d3-9a0c-0305e82c3302", page, "")
	c := landed(t, 302, "https://login.rocket.example/other", page, "")
	if !a.same(b) || a.same(c) {
		t.Errorf("%+v\n%+v\n%+v", a, b, c)
	}
}

func FuzzLanding(f *testing.F) {
	f.Add(302, "https://a.example/x?error=y", "text/html", "<title>x</title>")
	f.Add(200, "", "application/json", `{"error":{"code":1}}`)
	f.Add(200, "", "text/html", "<title>"+strings.Repeat("a", 1000))
	f.Fuzz(func(t *testing.T, status int, location, media, body string) {
		if _, err := url.Parse(location); err != nil || status < 100 || status > 599 {
			return
		}
		l := landed(t, status, location, media, body)
		if l.kind < unclear || l.kind > strays || !l.same(l) || len([]rune(l.title)) > maxReading+1 {
			t.Errorf("%+v", l)
		}
	})
}

func hosts(ticks []tick) int {
	seen := map[string]bool{}
	for _, t := range ticks {
		seen[t.host] = true
	}
	return len(seen)
}

func TestClock(t *testing.T) {
	minute := time.Minute
	for _, tt := range []struct {
		name    string
		ticks   []tick
		verdict Verdict
		says    string
	}{
		{"nobody told", nil, NotChecked, "No answer"},
		{"agrees", []tick{{"a", 3 * time.Second, 1}, {"b", -2 * time.Second, 2}}, OK, "within a minute"},
		{"just within", []tick{{"a", minute, 1}}, OK, "within a minute"},
		{"one host differs", []tick{{"a", 5 * minute, 1}, {"a", 5 * minute, 2}}, Inconclusive, "5m0s slow. One of the two"},
		{"two hosts agree", []tick{{"a", -7 * minute, 1}, {"b", -7*minute - 5*time.Second, 2}}, Wrong, "a and b agree that this server's clock is 7m0s fast"},
		{"two hosts differ from each other", []tick{{"a", 5 * minute, 1}, {"b", 9 * minute, 2}}, Inconclusive, "One of the two"},
		{"one host differs, another agrees", []tick{{"a", 5 * minute, 1}, {"b", 0, 2}}, Inconclusive, "One of the two"},
	} {
		v := judgeClock(tt.ticks)
		if v.Verdict != tt.verdict || !strings.Contains(v.Reason, tt.says) || v.Field != Clock || len(v.Evidence) != hosts(tt.ticks) {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if (v.Verdict == Wrong || v.Verdict == Inconclusive) != (v.Remedy != "") {
			t.Errorf("%s: the remedy is %q", tt.name, v.Remedy)
		}
	}
}
