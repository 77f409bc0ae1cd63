package oauth

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backoffice/internal/egress"
)

// fuzzed is a report of which every text is foreign. Credentials stand in every
// place that a line can have.
func fuzzed(kind int, a, b, c string, d int64, status int) Report {
	a, b, c = cut(a, maxText), cut(b, maxText), cut(c, maxText)
	r := Report{ID: a, Entry: "acme:rocket", Kind: Kind(kind), Provider: b, Region: c, Started: sampled, Took: time.Duration(d), By: a, Verdict: Verdict(kind),
		Headline: a, Remedies: []string{b, c}, Identity: []Fact{{Label: a, Value: b, Note: c}}, RateLimit: &RateLimit{Limit: a, Remaining: b, Reset: c},
		Grants: []Grant{{Permission: a, State: GrantState(kind), Basis: Basis(kind), Evidence: b, Call: c, Step: kind}, {Permission: c, Evidence: a, Step: -status}}, Unprobed: c,
		Fields: []FieldVerdict{{Field: Field(kind), Reason: a, Remedy: b, Confidence: Confidence(kind), Evidence: []int{0, kind}}, {Field: Clock, Reason: c}}}
	x := &egress.Exchange{Started: sampled, Method: a, URL: "https://api.rocket.example/" + url.PathEscape(b), Total: time.Duration(d), Status: status, Protocol: c, ContentType: a,
		Phases: egress.Phases{DNS: time.Duration(d), Connect: time.Duration(-d), TLS: time.Duration(d / 3), Send: time.Duration(d / 5), Wait: time.Duration(d / 7)},
		Sent:   d, Received: d, Unpacked: -d, Class: egress.Class(kind), Problem: b, TLS: &egress.Security{Version: a, Issuer: b, Names: []string{c, a}},
		RequestHeaders: []egress.Header{{Name: a, Value: "CANARY-header"}, {Name: "Accept", Value: b}}, ResponseHeaders: []egress.Header{{Name: "Server", Value: c}}}
	var lines []Line
	for p := AtStart; p <= Beside+1; p++ {
		lines = append(lines, Line{Name: "error", Value: a, Note: b, In: p}, Line{Name: b, Value: c, In: p}, Line{Name: "POST", Value: c, In: p}, Line{Name: "Status", Value: a, In: p})
		names := slices.Sorted(maps.Keys(credentialNames))
		for i := range 3 {
			lines = append(lines, Line{Name: names[(uint(status)+uint(i)+3*uint(p))%uint(len(names))], Value: "CANARY-value", In: p})
		}
		lines = append(lines, Line{Name: "Authorization: " + a, Value: "CANARY-value", In: p}, Line{Name: "client_id", Value: "CANARY-client-id", In: p})
	}
	lines = lines[2:] // a credential is never what begins a message
	for i := range lines {
		if lines[i].In == AtStart && strings.Contains(lines[i].Value, "CANARY") {
			lines[i].In = InForm
		}
	}
	r.Steps = []Step{{Name: a, Probe: b, Verdict: Verdict(kind), Hint: c, Why: a, Start: time.Duration(d), Took: time.Duration(-d), Sent: lines, Received: lines, Exchange: x},
		{Name: b, Sent: lines, Received: lines}}
	return r
}

func fuzzSeeds(f *testing.F) {
	for i, s := range []string{"", "plain words.", "[a](https://evil.example) ![b](c)", "`code` | cell \\| <img src=x onerror=1>", "\x00\xff\u202e\ufeff", "https://x.example www.x.example a@b.example",
		"# one\n- two\n1. three\n***\n```\nfour", "&lt;b&gt; &#124; &amp;", "\"\\u0041\\", "%41%zz", "CANARY-secret+/=", "<!-- --> ]]> <script>", "a\u2028b\u2029c", "::: [^1]: ~~x~~ $y$", "[x]: https://evil.example"} {
		f.Add(i%5, s, "CANARY-secret+/=", "c", int64(i)*12345678, 200+i, "CANARY-secret+/=")
		f.Add(i%3, "a", s, s+s, int64(-i), -i, "hush-hush")
	}
}

// Whatever a report holds, the HAR file is JSON of the right structure, and what
// is given out has neither a credential nor, in any spelling, a known secret.
func FuzzHAR(f *testing.F) {
	fuzzSeeds(f)
	box := newBox(f)
	f.Fuzz(func(t *testing.T, kind int, a, b, c string, d int64, status int, hidden string) {
		r := fuzzed(kind, a, b, c, d, status)
		cf := caseFile{report: newVeil(box, r).report(r), about: About{Version: cut(a, maxText), Environment: b[:min(len(b), 20)], PublicURL: c[:min(len(c), 20)]}, pace: DefaultLimits()}
		log, err := harOf(cf).encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range checkHAR(log) {
			t.Error(fault)
		}
		for _, never := range []string{"CANARY-value", "CANARY-header", "CANARY-client-id"} {
			if strings.Contains(string(log), never) && !strings.Contains(a+b+c, "CANARY") {
				t.Errorf("the HAR file has %s", never)
			}
		}
		checkSearch(t, cf, hidden)
	})
}

// checkSearch holds the search to what was given out: if it lets a file pass, a
// search of another make finds nothing either.
func checkSearch(t *testing.T, c caseFile, hidden string) {
	t.Helper()
	hidden = strings.TrimSpace(printable(hidden))
	if len(hidden) < 10 || len(hidden) > 300 {
		return
	}
	var k knownSecrets
	k.addValue("it", 1, hidden)
	archive, err := c.archive()
	if err != nil {
		t.Fatal(err)
	}
	if k.refuse(c, "x.zip", archive) != nil {
		return
	}
	own := lower(c.skeleton())
	for ending, text := range parts(t, archive) {
		for _, s := range []string{hidden, url.QueryEscape(hidden), hex.EncodeToString([]byte(hidden)), base64.StdEncoding.EncodeToString([]byte(hidden))} {
			if strings.Contains(text, s) && !strings.Contains(own, lower(s)) {
				t.Errorf("the %s file was let through with %q", ending, s)
			}
		}
	}
}

// Whatever a report holds, the Markdown file has headings, tables, lists and code,
// and nothing else: no link, no picture, no HTML, no cell too many.
func FuzzMarkdown(f *testing.F) {
	fuzzSeeds(f)
	box := newBox(f)
	f.Fuzz(func(t *testing.T, kind int, a, b, c string, d int64, status int, _ string) {
		r := fuzzed(kind, a, b, c, d, status)
		cf := caseFile{report: newVeil(box, r).report(r), about: About{Version: cut(a, maxText), Environment: b[:min(len(b), 20)], PublicURL: c[:min(len(c), 20)]}, pace: DefaultLimits()}
		text := markdownOf(cf)
		for _, fault := range checkMarkdown(t, text) {
			t.Error(fault)
		}
		if strings.Contains(text, "CANARY-value") && !strings.Contains(a+b+c, "CANARY") {
			t.Error("the Markdown file has a credential")
		}
	})
}
