package oauth_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

func s256(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func s256hex(v string) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:])
}

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func answerAfter(f func(), h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f()
		h(w, r)
	}
}

// The last 50 reports of an entry are kept, newest first, and no trace of older
// ones.
func TestReportsAreKept(t *testing.T) {
	r := newRig(t, setup{identity: "-"})
	var refs []oauth.Report
	for range oauth.Keep + 1 {
		refs = append(refs, r.run())
		r.clock.pass(time.Minute)
	}
	list, err := r.oauth.Reports(t.Context(), id)
	must(t, err)
	if len(list) != oauth.Keep || len(r.keys("oauth/report/")) != oauth.Keep {
		t.Fatalf("%d in the list, %d reports", len(list), len(r.keys("oauth/report/")))
	}
	if list[0].ID != refs[oauth.Keep].ID || list[oauth.Keep-1].ID != refs[1].ID {
		t.Error("not the newest, or not newest first")
	}
	if !slices.IsSortedFunc(list, func(a, b oauth.Summary) int { return strings.Compare(b.ID, a.ID) }) {
		t.Error("the ids do not sort by time")
	}
	want, err := json.Marshal(refs[oauth.Keep].Summary())
	must(t, err)
	if got, _ := json.Marshal(list[0]); string(got) != string(want) {
		t.Errorf("the summary is %s, want %s", got, want)
	}
	for _, gone := range []string{refs[0].ID, "", "..", list[0].ID + "/x", "20260917-120000.000-zzzzzzzz"} {
		if _, err := r.oauth.Report(t.Context(), id, gone); !errs.Is(err, errs.NotFound) {
			t.Errorf("report %q: %v", gone, err)
		}
	}
	if _, err := r.oauth.Report(t.Context(), "acme:other", list[0].ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("a report of another entry: %v", err)
	}
	r.delete()
	if left := slices.DeleteFunc(r.keys("oauth/"), func(k string) bool { return k == "oauth/generation" || strings.HasPrefix(k, "oauth/spent/") }); len(left) > 0 {
		t.Errorf("after the entry was deleted there is %q", left)
	}
	if list, err := r.oauth.Reports(t.Context(), id); err != nil || len(list) != 0 {
		t.Errorf("%d reports of no entry: %v", len(list), err)
	}
}

// An entry that is deleted while its test runs gets no report.
func TestEntryDeletedDuringTheRun(t *testing.T) {
	r := newRig(t, setup{})
	state, _ := r.start(1)
	r.provider.identity = answerAfter(r.delete, r.provider.identity)
	if _, err := r.callback(query(code, state)); !errs.Is(err, errs.NotFound) {
		t.Errorf("the callback gave %v", err)
	}
	if left := r.keys("oauth/report"); len(left) != 0 {
		t.Errorf("there is %q", left)
	}
}

// A meddler is a store in which something happens right before the n-th write.
type meddler struct {
	store.Store
	writes int
	before map[int]func()
}

func (m *meddler) Update(ctx context.Context, f func(store.Tx) error) error {
	m.writes++
	if meddle := m.before[m.writes]; meddle != nil {
		meddle()
	}
	return m.Store.Update(ctx, f)
}

// An entry that is deleted in the last moment leaves nothing behind, and no
// handshake begins for it.
func TestEntryDeletedBeforeTheWrite(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write int // Start, taking the flow, the report
	}{
		{"before the start", 1},
		{"before the report", 3},
	} {
		r := newRig(t, setup{})
		m := &meddler{Store: r.raw, before: map[int]func(){tt.write: r.delete}}
		s := oauth.New(oauth.Options{Store: m, Box: r.box, Config: r.config, Guard: r.guard(setup{}), PublicURL: publicURL, Now: r.clock.now})
		address, _, err := s.Start(t.Context(), by, session, id, 1)
		if tt.write > 1 {
			must(t, err)
			u, parsed := url.Parse(address)
			must(t, parsed)
			_, err = s.Callback(t.Context(), by, session, "rocket", query(code, u.Query().Get("state")))
		}
		if !errs.Is(err, errs.NotFound) || m.writes != tt.write {
			t.Errorf("%s: %v after %d writes", tt.name, err, m.writes)
		}
		left := slices.DeleteFunc(r.keys("oauth/"), func(k string) bool { return k == "oauth/generation" || strings.HasPrefix(k, "oauth/spent/") })
		if len(left) != 0 || len(r.events(audit.TestFinished)) != 0 {
			t.Errorf("%s: there is %q", tt.name, left)
		}
	}
}

// Invariant 1: neither a start nor a report without its record.
func TestNoReportWithoutItsRecord(t *testing.T) {
	r := newRig(t, setup{})
	state, _ := r.start(1)
	must(t, r.raw.Update(t.Context(), func(tx store.Tx) error { tx.Put("audit/size", []byte("no number")); return nil }))
	before := r.keys("oauth/")
	if _, _, err := r.oauth.Start(t.Context(), by, session, id, 1); err == nil {
		t.Error("started without an event")
	}
	if got := r.keys("oauth/"); !slices.Equal(got, before) {
		t.Errorf("a start without an event left %q", got)
	}
	if _, err := r.callback(query(code, state)); err == nil {
		t.Error("reported without an event")
	}
	if got := r.keys("oauth/report"); len(got) != 0 {
		t.Errorf("a report without an event: %q", got)
	}
}

// What is on the wire is in the evidence, and a secret is its fingerprint.
func TestEvidence(t *testing.T) {
	r := newRig(t, setup{definition: "  clientAuth: post\n  pkce: true"})
	r.provider.token = answer(200, `{"access_token":"`+accessToken+`","refresh_token":"CANARY-refresh","token_type":"Bearer","scope":"read_me","expires_in":3600,"extra":"unasked"}`,
		"X-Request-Id", "req-1", "X-RateLimit-Limit", "100", "Set-Cookie", "a=b")
	r.provider.identity = answer(200, me, "X-RateLimit-Limit", "1666", "X-RateLimit-Remaining", "1665", "X-RateLimit-Reset", "1789646400")
	state, _ := r.start(1)
	r.clock.pass(42 * time.Second)
	rep := r.report(r.callback(query(code, state)))
	if len(rep.Steps) != 3 || rep.Consent != 42*time.Second || rep.Region != "United States" || rep.Rehearsal {
		t.Fatalf("%d steps, consent %s, region %q, rehearsal %v", len(rep.Steps), rep.Consent, rep.Region, rep.Rehearsal)
	}
	fp := r.box.Fingerprint(clientSecret).String()
	redirect := publicURL + "/auth/rocket/callback"
	for _, tt := range []struct {
		what  string
		lines []oauth.Line
		want  string
	}{
		{"consent sent", rep.Steps[0].Sent, "GET https://auth.rocket.example/authorize|client_id rocket-client-1|redirect_uri " + redirect +
			"|response_type code|state [removed]* (43 characters)|code_challenge_method S256"},
		{"consent received", rep.Steps[0].Received, "code [removed]* (20 characters)|state [removed]* (43 characters)"},
		{"exchange sent", rep.Steps[1].Sent, "POST " + r.provider.URL + "/token|grant_type authorization_code|code [removed]* (20 characters)|redirect_uri " + redirect +
			"|client_id rocket-client-1|client_secret " + fp + "* (23 characters)|code_verifier [removed]* (43 characters)"},
		{"exchange received", rep.Steps[1].Received, fmt.Sprintf("Status 200 OK|Content-Type application/json|X-Request-Id req-1|access_token [removed]* (%d characters)|token_type Bearer|expires_in 3600|scope read_me", len(accessToken))},
		{"identity sent", rep.Steps[2].Sent, fmt.Sprintf("GET %s/me|Authorization: Bearer [removed]* (%d characters)|Rocket-Version 7", r.provider.URL, len(accessToken))},
		{"identity received", rep.Steps[2].Received, "Status 200 OK|Content-Type application/json"},
	} {
		if got := linesOf(tt.lines); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.what, got, tt.want)
		}
	}
	if l := rep.RateLimit; l == nil || l.Limit != "1666" || l.Remaining != "1665" || l.Reset != "1789646400" || !l.ResetAt.Equal(time.Unix(1789646400, 0)) {
		t.Errorf("the rate limit is %+v", rep.RateLimit)
	}
	if found := leaks(r.dump(), "CANARY-refresh"); len(found) > 0 {
		t.Errorf("the data file has %q", found)
	}
	for _, s := range rep.Steps[1:] {
		if x := s.Exchange; x == nil || x.Status != 200 || x.Phases.Connect <= 0 || x.Phases.TLS <= 0 || x.Total > s.Took || x.TLS == nil || !x.Done {
			t.Errorf("the trace of %q is %+v", s.Name, s.Exchange)
		}
	}
}

// What a provider said stands under the path at which it said so.
func TestErrorsKeepTheirPaths(t *testing.T) {
	const encoded = "application/x-www-form-urlencoded"
	for _, tt := range []struct{ body, media, want string }{
		{`{"error":"invalid_grant","error_description":"old"}`, "", "error invalid_grant|error_description old"},
		{`{"error":"invalid_grant","message":"old"}`, "", "error invalid_grant|message old"},
		{`{"type":"error.list","request_id":"r-1","errors":[{"code":"forbidden","message":"no"},{"code":"second"}]}`, "", "errors[0].code forbidden|errors[0].message no|request_id r-1"},
		{`{"errors":[{"detail":"no"}]}`, "", "errors[0].detail no"},
		{`{"error":{"type":"oauth","message":"no"},"requestId":"r-2"}`, "", "error.type oauth|error.message no|requestId r-2"},
		{`{"errorCode":7,"detail":"no","trace_id":"t"}`, "", "errorCode 7|detail no|trace_id t"},
		{"error=invalid_grant&error_description=old", encoded, "error invalid_grant|error_description old"},
		{`{}`, "", ""},
	} {
		r := newRig(t, setup{})
		media := cmp.Or(tt.media, "application/json")
		r.provider.token = answer(400, tt.body, "Content-Type", media)
		want := strings.TrimSuffix("Status 400 Bad Request|Content-Type "+media+"|"+tt.want, "|")
		if got := linesOf(r.run().Steps[1].Received); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.body, got, want)
		}
	}
	r := newRig(t, setup{})
	r.provider.identity = answer(403, `{"type":"error.list","errors":[{"code":"forbidden","message":"no"}]}`)
	if got := linesOf(r.run().Steps[2].Received); !strings.HasSuffix(got, "|errors[0].code forbidden|errors[0].message no") {
		t.Errorf("the identity call received %s", got)
	}
}

func linesOf(lines []oauth.Line) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l.Name + " " + l.Value
		if l.Redacted {
			out[i] += "*"
		}
		if l.Note != "" {
			out[i] += " (" + l.Note + ")"
		}
	}
	return strings.Join(out, "|")
}

// A report says that it is of the sandbox, whose region is nobody's.
func TestRehearsal(t *testing.T) {
	r := newRig(t, setup{rehearse: true, tokenURL: "{tokenBase}/token", meURL: "{tokenBase}/me", values: map[string]string{"region": "sandbox"}})
	rep := r.run()
	if !rep.Rehearsal || rep.Region != "Rehearsal sandbox" || rep.Verdict != oauth.OK || rep.Headline != "Works" || identityOf(rep) != usual {
		t.Errorf("rehearsal %v in %q: %s, %s, %s", rep.Rehearsal, rep.Region, rep.Verdict, rep.Headline, identityOf(rep))
	}
}

// A client id that is stored as a secret, or is the secret, is not shown.
func TestClientIDThatIsASecret(t *testing.T) {
	r := newRig(t, setup{values: map[string]string{"clientId": clientSecret}})
	rep := r.run()
	if got := rep.Steps[0].Sent[1]; got.Value != "[removed]" || !got.Redacted {
		t.Errorf("the client id is shown as %+v", got)
	}
	if found := leaks(r.dump()); len(found) > 0 {
		t.Errorf("the data file has %q", found)
	}
}

func TestPastedToken(t *testing.T) {
	const rest = "not-checked not-checked not-checked not-checked %s %s not-checked"
	for _, tt := range []struct {
		name     string
		token    string
		me       http.HandlerFunc
		setup    setup
		verdict  oauth.Verdict
		headline string
		fields   string
		identity string
	}{
		{name: "good", verdict: oauth.OK, headline: "The token works", fields: fmt.Sprintf(rest, "ok", "ok"), identity: usual},
		{name: "with spaces around", token: " \t" + accessToken + "\r\n", verdict: oauth.OK, headline: "The token works", fields: fmt.Sprintf(rest, "ok", "ok"), identity: usual},
		{name: "another region", setup: setup{values: map[string]string{"region": "EU"}}, verdict: oauth.OK, headline: "The token works, but the region differs",
			fields: fmt.Sprintf(rest, "ok", "warning"), identity: "Workspace=Acme Region=US(warning) Admin=ada@acme.example Email verified=yes"},
		{name: "refused", me: answer(401, `{"errors":[{"code":"unauthorized","message":"Access Token Invalid `+accessToken+`"}]}`), verdict: oauth.Wrong,
			headline: "Rocket refuses the token", fields: fmt.Sprintf(rest, "ok", "wrong")},
		{name: "forbidden", me: answer(403, `{"error":"insufficient_scope"}`), verdict: oauth.Wrong, headline: "A permission is missing", fields: fmt.Sprintf(rest, "ok", "wrong")},
		{name: "forbidden without a word", me: answer(403, `{}`), verdict: oauth.Inconclusive, headline: "Rocket forbids the call", fields: fmt.Sprintf(rest, "ok", "inconclusive")},
		{name: "500", me: answer(500, ``), verdict: oauth.Inconclusive, headline: "Rocket's API has an error of its own", fields: fmt.Sprintf(rest, "warning", "inconclusive")},
		{name: "unreachable", setup: setup{meURL: "https://127.0.0.1:1/me"}, verdict: oauth.Wrong, headline: "There is no connection to the API address",
			fields: fmt.Sprintf(rest, "wrong", "not-checked")},
		{name: "without credentials", setup: setup{values: map[string]string{"clientId": "", "clientSecret": ""}}, verdict: oauth.OK, headline: "The token works",
			fields: fmt.Sprintf(rest, "ok", "ok"), identity: usual},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.setup)
			if tt.me != nil {
				r.provider.identity = tt.me
			}
			if tt.token == "" {
				tt.token = accessToken
			}
			rep := r.report(r.oauth.TestToken(t.Context(), by, id, 1, secret.NewText(tt.token)))
			got := []any{rep.Kind, rep.Verdict, rep.Headline, fieldsOf(rep), identityOf(rep), len(rep.Steps)}
			want := []any{oauth.TokenRun, tt.verdict, tt.headline, tt.fields, tt.identity, 1}
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if len(r.provider.heads) > 0 && r.provider.heads[0].Get("Authorization") != "Bearer "+accessToken {
				t.Errorf("the call had %q", r.provider.heads[0])
			}
			outcome := map[bool]audit.Outcome{true: audit.Done, false: audit.Failed}[tt.verdict == oauth.OK]
			if e := r.events(audit.TokenTested); len(e) != 1 || e[0].Outcome != outcome || e[0].Note != tt.headline+"." || e[0].Version != 1 || e[0].Target != string(id) {
				t.Errorf("the events are %+v", e)
			}
			if found := leaks(r.dump()); len(found) > 0 {
				t.Errorf("the data file has %q", found)
			}
			if h, err := r.oauth.Health(t.Context()); err != nil || h[id].Current.Standing != oauth.NotTested {
				t.Errorf("a pasted token proves the credentials: %+v %v", h, err)
			}
		})
	}
}

func TestPastedTokenIsRefused(t *testing.T) {
	r := newRig(t, setup{})
	for _, token := range []string{"", "  \n", "Bearer abcdef", "two words", "line\nbreak", "zero\u200bwidth", "naïve", strings.Repeat("x", 9000)} {
		_, err := r.oauth.TestToken(t.Context(), by, id, 1, secret.NewText(token))
		if msg := errs.Fields(err)["token"]; msg == "" || strings.Contains(msg, "abcdef") {
			t.Errorf("%.20q: %v", token, err)
		}
	}
	if _, err := newRig(t, setup{identity: "-"}).oauth.TestToken(t.Context(), by, id, 1, secret.NewText("x")); !errs.Is(err, errs.Invalid) {
		t.Errorf("without an identity call: %v", err)
	}
	if _, err := r.oauth.TestToken(t.Context(), by, id, 9, secret.NewText("x")); !errs.Is(err, errs.NotFound) {
		t.Errorf("of no version: %v", err)
	}
	if r.provider.requests() != 0 || len(r.events(audit.TokenTested)) != 0 {
		t.Error("a refused token was used")
	}
}

func TestHealthOf(t *testing.T) {
	now := time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)
	run := func(id, hash string, v oauth.Verdict, ago time.Duration) oauth.Summary {
		// "h3" is the content of version 3, "h1/3" that of version 1 saved again as 3.
		hash, again, _ := strings.Cut(hash, "/")
		n, err := strconv.Atoi(cmp.Or(again, hash[1:]))
		must(t, err)
		return oauth.Summary{ID: id, Version: n, ContentHash: hash, Verdict: v, Started: now.Add(-ago)}
	}
	denied := run("d", "h1", oauth.Inconclusive, 0)
	denied.Denied = true
	pasted := run("p", "h1", oauth.Wrong, 0)
	pasted.Kind = oauth.TokenRun
	both := config.Entry{Current: 1, CurrentHash: "h1", Pending: 2, PendingHash: "h2"}
	for _, tt := range []struct {
		name             string
		entry            config.Entry
		runs             []oauth.Summary
		current, pending string // standing and the run that it comes from
	}{
		{"nothing", both, nil, "not-tested ", "not-tested "},
		{"works", both, []oauth.Summary{run("a", "h1", oauth.OK, time.Hour)}, "works a", "not-tested "},
		{"the newest counts", both, []oauth.Summary{run("b", "h1", oauth.Wrong, time.Hour), run("a", "h1", oauth.OK, 2*time.Hour)}, "wrong b", "not-tested "},
		{"not decided", both, []oauth.Summary{run("b", "h1", oauth.Inconclusive, time.Hour)}, "inconclusive b", "not-tested "},
		{"each its own", both, []oauth.Summary{run("b", "h2", oauth.Wrong, 0), run("a", "h1", oauth.OK, time.Hour)}, "works a", "wrong b"},
		{"tested before the last change", both, []oauth.Summary{run("a", "h0", oauth.OK, time.Hour)}, "stale other a", "not-tested "},
		{"a permission is missing", both, []oauth.Summary{run("a", "h1", oauth.Warning, time.Hour)}, "works a", "not-tested "},
		{"a permission was missing long ago", both, []oauth.Summary{run("a", "h1", oauth.Warning, oauth.StaleAfter+1)}, "stale a", "not-tested "},
		{"at the limit", both, []oauth.Summary{run("a", "h1", oauth.OK, oauth.StaleAfter)}, "works a", "not-tested "},
		{"too old", both, []oauth.Summary{run("a", "h1", oauth.OK, oauth.StaleAfter+1)}, "stale a", "not-tested "},
		{"old and wrong stays wrong", both, []oauth.Summary{run("a", "h1", oauth.Wrong, 2*oauth.StaleAfter)}, "wrong a", "not-tested "},
		{"a pending one grows old too", both, []oauth.Summary{run("a", "h2", oauth.OK, oauth.StaleAfter+1)}, "not-tested ", "stale a"},
		{"to deny says nothing", both, []oauth.Summary{denied, run("a", "h1", oauth.OK, time.Hour)}, "works a", "not-tested "},
		{"a pasted token says nothing", both, []oauth.Summary{pasted}, "not-tested ", "not-tested "},
		{"nothing in force", config.Entry{Pending: 2, PendingHash: "h2"}, []oauth.Summary{run("a", "h2", oauth.OK, 0)}, "not-tested ", "works a"},
		{"nothing pending", config.Entry{Current: 1, CurrentHash: "h1"}, []oauth.Summary{run("a", "h1", oauth.OK, 0)}, "works a", "not-tested "},
		{"same content under both labels", config.Entry{Current: 1, CurrentHash: "h1", Pending: 2, PendingHash: "h1"}, []oauth.Summary{run("a", "h1", oauth.OK, 0)}, "works a", "works a"},
		{"a test of what is pending says nothing about what is in force", both, []oauth.Summary{run("a", "h2", oauth.OK, 0)}, "not-tested ", "works a"},
		{"nor after it was discarded", config.Entry{Current: 1, CurrentHash: "h1"}, []oauth.Summary{run("a", "h2", oauth.OK, 0)}, "not-tested ", "not-tested "},
		{"nor does one that was overtaken", config.Entry{Current: 3, CurrentHash: "h3", Pending: 2, PendingHash: "h2"}, []oauth.Summary{run("a", "h2", oauth.OK, 0)}, "not-tested ", "works a"},
		{"the one before, beside a test of what is pending", config.Entry{Current: 2, CurrentHash: "h2", Previous: 1, Pending: 3, PendingHash: "h3"},
			[]oauth.Summary{run("b", "h3", oauth.Wrong, 0), run("a", "h1", oauth.OK, time.Hour)}, "stale other a", "wrong b"},
		{"rolled back to what nobody tested", config.Entry{Current: 1, CurrentHash: "h1", Previous: 2}, []oauth.Summary{run("a", "h2", oauth.OK, 0)}, "stale other a", "not-tested "},
		{"a wrong one before", config.Entry{Current: 2, CurrentHash: "h2", Previous: 1}, []oauth.Summary{run("a", "h1", oauth.Wrong, 0)}, "stale other a", "not-tested "},
		{"saved again and tested as pending", config.Entry{Current: 1, CurrentHash: "h1", Pending: 3, PendingHash: "h1"}, []oauth.Summary{run("a", "h1/3", oauth.OK, 0)}, "works a", "works a"},
	} {
		h := oauth.HealthOf(tt.entry, tt.runs, now)
		words := func(c oauth.Check) string {
			return c.Standing.String() + " " + map[bool]string{true: "other "}[c.Other] + c.Last.ID
		}
		current, pending := words(h.Current), words(h.Pending)
		if current != tt.current || pending != tt.pending {
			t.Errorf("%s: %s and %s, want %s and %s", tt.name, current, pending, tt.current, tt.pending)
		}
	}
}

// The health of all entries follows the reports, the entries and the time.
func TestHealthIsCurrent(t *testing.T) {
	r := newRig(t, setup{})
	check := func(when, current, pending string) {
		t.Helper()
		all, err := r.oauth.Health(t.Context())
		must(t, err)
		if h := all[id]; h.Current.Standing.String() != current || h.Pending.Standing.String() != pending {
			t.Errorf("%s: %s and %s, want %s and %s", when, h.Current.Standing, h.Pending.Standing, current, pending)
		}
	}
	check("at first", "not-tested", "not-tested")
	r.run()
	check("after a run", "works", "not-tested")
	r.provider.token = answer(401, `{"error":"invalid_client"}`)
	r.save(1, map[string]string{"clientSecret": "another"}, nil, config.Pend)
	check("after a save", "works", "not-tested")
	state, _ := r.start(2)
	r.report(r.callback(query(code, state)))
	check("after a run of the pending one", "works", "wrong")
	r.clock.pass(oauth.StaleAfter)
	check("on the last day", "works", "wrong")
	r.clock.pass(time.Nanosecond)
	check("a moment later", "stale", "wrong")
	e, err := r.config.Get(t.Context(), id)
	must(t, err)
	_, err = r.config.Promote(t.Context(), by, config.Move{ID: id, Revision: e.Revision, Version: 2})
	must(t, err)
	check("after the promotion", "wrong", "not-tested")
	r.delete()
	check("after the deletion", "not-tested", "not-tested")
}

// Stored texts never change, and unknown text is refused.
func TestEnumerations(t *testing.T) {
	var v oauth.Verdict
	var f oauth.Field
	var k oauth.Kind
	var s oauth.Standing
	for name, u := range map[string]interface{ UnmarshalText([]byte) error }{"verdict": &v, "field": &f, "kind": &k, "standing": &s} {
		for _, bad := range []string{"", "OK", "good", "0"} {
			if err := u.UnmarshalText([]byte(bad)); err == nil {
				t.Errorf("%s accepts %q", name, bad)
			}
		}
	}
	got, err := json.Marshal([]any{oauth.NotChecked, oauth.OK, oauth.Wrong, oauth.Inconclusive, oauth.Warning, oauth.ConsentRun.Fields(), oauth.Diagnosis.Fields(), oauth.ConsentRun, oauth.TokenRun, oauth.Diagnosis,
		oauth.NotTested, oauth.Works, oauth.Broken, oauth.Undecided, oauth.Stale})
	must(t, err)
	if want := `["not-checked","ok","wrong","inconclusive","warning",["client-id","client-secret","client-auth","redirect-uri","reachability","permission","state"],` +
		`["client-id","client-secret","client-auth","redirect-uri","reachability","clock"],` +
		`"consent","token","diagnosis","not-tested","works","wrong","inconclusive","stale"]`; string(got) != want {
		t.Errorf("got %s", got)
	}
	for _, bad := range []any{oauth.Verdict(9), oauth.Field(-1), oauth.Kind(3), oauth.Standing(9)} {
		if b, err := json.Marshal(bad); err == nil {
			t.Errorf("%v is stored as %s", bad, b)
		}
	}
	for i, label := range []string{"Client ID", "Client secret", "Client authentication", "Redirect URI", "Reachability", "Permission", "State", "Clock"} {
		if got := oauth.Field(i).Label(); got != label {
			t.Errorf("field %d is called %q", i, got)
		}
	}
	if got := oauth.Field(9).Label(); got != "Unknown field" {
		t.Errorf("no field is called %q", got)
	}
}
