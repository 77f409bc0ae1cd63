package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"backoffice/internal/connector"
	"backoffice/internal/egress"
)

// Whatever a browser brings, the parameters are read without a panic, and a
// code that was escaped in any of the usual ways comes out as it went in.
func FuzzCallback(f *testing.F) {
	for _, s := range []string{"", "code=a&state=b", "code=a%3D%3D&state=b", "code=a==&code=b", "error=access_denied&error_description=x+y", "%zz=%", "&&=&", "state", "code=%00", "a;b=c"} {
		f.Add(s, "code+/%2F==")
	}
	f.Fuzz(func(t *testing.T, raw, code string) {
		p := parseQuery(raw)
		for name, values := range p {
			if len(values) == 0 {
				t.Errorf("%q is there without a value", name)
			}
			if _, ok := p.one(name); ok != (len(values) == 1) {
				t.Errorf("%q is there %d times", name, len(values))
			}
		}
		for _, escaped := range []string{url.PathEscape(code), strings.ReplaceAll(url.QueryEscape(code), "+", "%20")} {
			escaped = strings.ReplaceAll(escaped, "&", "%26")
			if got, ok := parseQuery("state=s&code=" + escaped + "&x=y").one("code"); !ok || got != code {
				t.Errorf("%q came back as %q", code, got)
			}
		}
	})
}

// Whatever a token endpoint answers, it has a class with a finding, it issues a
// token only if x/oauth2 gets that very token, and what is kept of it is short,
// printable and without the secrets.
func FuzzTokenAnswer(f *testing.F) {
	for _, s := range []string{"", "{}", `{"access_token":"abcdefgh"}`, `{"token":"t","error":""}`, `{"error":"invalid_grant","error_description":"hush-hush"}`,
		`{"errors":[{"code":"x","message":"y"}],"request_id":"r"}`, `{"error":{"code":1}}`, "access_token=a&x=%", "error=x", "<html>", "[1]", "null", `{"a":{"b":{"c":"d"}}}`, "\xef\xbb\xbf{}"} {
		f.Add(200, "application/json", []byte(s), "hush-hush")
		f.Add(401, "text/html", []byte(s), "x")
	}
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte, hidden string) {
		got := &capture{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
		a := parseAnswer(contentType, body, []string{"access_token", "token", "a.b"})
		c := classify(got, a)
		if _, ok := findings[c]; !ok {
			t.Errorf("class %d has no finding", c)
		}
		if c == issued && (a.token.IsZero() || a.failed || status < 200 || status > 299) {
			t.Errorf("issued by status %d: %q", status, body)
		}
		resp := plainAnswer(c, a)
		var plain struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&plain); err != nil || c != issued && plain.Token != "" || (resp.StatusCode == 200) != (c == issued) {
			t.Errorf("x/oauth2 gets %d %q: %v", resp.StatusCode, plain.Token, err)
		}
		checkKept(t, hidden, a.code, a.description, a.requestID, a.tokenType, a.scope, contentType)
	})
}

// Whatever an identity call answers, it has a class with a finding for both
// kinds of run, and every fact is short and printable.
func FuzzIdentity(f *testing.F) {
	for _, s := range []string{"", "{}", "null", `{"app":{"region":"EU"}}`, `{"app":null}`, `{"app.region":"x"}`, `{"app":[1]}`, `{"app":{"region":{"x":1}}}`, `{"app":{"region":true}}`, "<p>", `{"error":"x"}`} {
		f.Add(200, []byte(s), "hush-hush")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, hidden string) {
		a := parseAnswer("application/json", body, nil)
		c := classifyIdentity(&capture{status: status, body: body}, a)
		for _, kind := range []finding{identityFindings[c].afterToken(), identityFindings[c].alone()} {
			if kind.verdict == NotChecked || kind.headline == "" || kind.hint == "" {
				t.Errorf("class %d has the finding %+v", c, kind)
			}
		}
		checkKept(t, hidden, said(find(a.members, "app.region")), said(find(a.members, "a.b.c")), said(find(a.members, "")))
	})
}

func checkKept(t *testing.T, hidden string, texts ...string) {
	t.Helper()
	var s scrubber
	s.add(hidden)
	for _, text := range texts {
		kept := s.foreign(text)
		if utf8.RuneCountInString(kept) > maxText+1 || !utf8.ValidString(kept) || strings.ContainsFunc(kept, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("%q is kept as %q", text, kept)
		}
		if h := lower(printable(hidden)); len(h) > len(removed) && strings.Contains(lower(kept), h) {
			t.Errorf("%q is kept as %q, which has %q", text, kept, hidden)
		}
	}
}

// Every class has its finding, in every table that can meet it, and every
// finding has all of its words.
func TestFindingsAreComplete(t *testing.T) {
	for c := issued; c <= codeTwice; c++ {
		fromBrowser := c >= consentDenied
		if f, ok := findings[c]; c != unsendable && c != scopeMissing && (!ok || f.verdict == NotChecked || f.headline == "" || f.hint == "" || f.step != f.verdict || len(f.fields) != 5) {
			t.Errorf("class %d has the finding %+v", c, f)
		}
		_, ok := identityFindings[c]
		if want := !fromBrowser && !slices.Contains([]class{clientRefused, codeRefused, redirectRefused, grantRefused, requestRefused}, c); ok != want {
			t.Errorf("class %d has a finding for the identity call: %v", c, ok)
		}
	}
	for c, f := range findings {
		if f.verdict != OK && len(f.remedies) == 0 {
			t.Errorf("class %d has no remedy", c)
		}
		for field, v := range f.fields {
			if v.reason == "" {
				t.Errorf("class %d says nothing about %s", c, field)
			}
			// Invariant 7: nothing but a token proves a field of the credentials.
			if v.verdict == OK && field <= RedirectURI && c != issued {
				t.Errorf("class %d calls %s OK", c, field)
			}
		}
	}
	for class := egress.Refused; class <= egress.Cancelled; class++ {
		if _, ok := classOfEgress[class]; !ok {
			t.Errorf("a call that is %s has no class", class)
		}
	}
	for code, c := range classOfCode {
		if code != strings.ToLower(code) || c == issued {
			t.Errorf("error code %q has class %d", code, c)
		}
	}
}

func TestScrubber(t *testing.T) {
	var s scrubber
	s.add("S3cr&t +/é", "", "e")
	var part scrubber
	part.add("correct-horse-battery")
	var long scrubber
	long.add(strings.Repeat("0123456789", 5))
	for _, tt := range []struct {
		s              *scrubber
		in, want, note string
	}{
		{&s, "a S3cr&t +/é b", "a [removed] b", "as it is"},
		{&s, "a S3CR&T +/é b", "a [removed] b", "in other letters"},
		{&s, "a S3cr%26t+%2B%2F%C3%A9 b", "a [removed] b", "in a form"},
		{&s, "a s3cr&t%20+%2f%c3%a9 b", "a [removed] b", "in a path, in small hexadecimal"},
		{&s, "UzNjciZ0ICsvw6k=", "[removed]", "base64"},
		{&s, "UzNjciZ0ICsvw6k", "[removed]", "base64 without padding"},
		{&s, "S3cr&amp;t +/é", "[removed]", "in HTML"},
		{&s, "%53%33cr%26t%20%2B/é", "[removed]", "escaped in a way of its own"},
		{&s, "S3\u200bcr&\x00t +/é", "[removed]", "with marks of no width in it"},
		{&s, "red", "r[removed]d", "a secret of one letter"},
		{&long, "x" + strings.Repeat("y", 190) + strings.Repeat("0123456789", 5) + strings.Repeat("z", 50), "x" + strings.Repeat("y", 190) + "[removed]…", "across the cut"},
		{&part, "bad <correct-horse-batter>", "bad <[removed]>", "all but its end"},
		{&part, "bad client_secret ***orse-battery", "bad client_secret ***[removed]", "with stars for its beginning"},
		{&part, "bad CORRECT-HO", "bad [removed]", "its beginning, in other letters"},
		{&part, "a correct answer, on a horse", "a correct answer, on a horse", "words that it has too"},
		{&long, "a\nb\tc\x1b[31m\u202e", "a b c[31m", "control characters"},
		{&long, "\xff\xfeab", "ab", "no text"},
		{&long, "", "", "nothing"},
	} {
		if got := tt.s.foreign(tt.in); got != tt.want {
			t.Errorf("%s: %q becomes %q, want %q", tt.note, tt.in, got, tt.want)
		}
	}
}

// No request of a handshake is sent a second time, whoever asks.
func TestCaptureSendsOnce(t *testing.T) {
	sent := 0
	c := &capture{next: roundTrip(func(r *http.Request) (*http.Response, error) {
		sent++
		return made(r, http.StatusOK, []byte("x")), nil
	})}
	req, err := http.NewRequest(http.MethodPost, "https://a.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		resp, err := c.RoundTrip(req)
		if (err == nil) != (i == 0) {
			t.Errorf("request %d: %v", i, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
	if sent != 1 || string(c.body) != "x" {
		t.Errorf("sent %d times, and got %q", sent, c.body)
	}
	if authStyle(connector.ClientSecretPost) == 0 || authStyle(connector.ClientSecretBasic) == 0 {
		t.Error("a method is not pinned")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
