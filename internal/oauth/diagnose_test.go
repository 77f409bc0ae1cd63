package oauth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/oauth"
)

// vendorRig is a rig whose provider is v. values differ from what is registered.
func vendorRig(t testing.TB, v *vendor, auth string, values map[string]string, more ...string) *rig {
	t.Helper()
	all := map[string]string{"clientId": goodID, "clientSecret": goodSecret}
	for k, val := range values {
		all[k] = val
	}
	if v.auth == "" {
		v.auth = "both"
	}
	r := newRig(t, setup{authorize: "%s/authorize", values: all,
		definition: "  clientAuth: " + auth + "\n  apiUrl: \"{authorizeBase}/api\"\n" + strings.Join(more, "\n")})
	r.provider.token, r.provider.pages = v.token, v.page
	return r
}

// diagnose runs a whole diagnosis of version n.
func (r *rig) diagnose(n int) oauth.Report {
	r.t.Helper()
	ref, err := r.oauth.Diagnose(r.t.Context(), by, id, n)
	must(r.t, err)
	p := r.wait(ref)
	if !p.Kept || p.Err != nil {
		r.t.Fatalf("the report is not kept: %v", p.Err)
	}
	return r.report(ref, nil)
}

func (r *rig) wait(ref oauth.Ref) oauth.Progress {
	r.t.Helper()
	live, ok := r.oauth.Live(ref.Report)
	if !ok {
		r.t.Fatal("the run cannot be watched")
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	p := live.Progress()
	for !p.Done && ctx.Err() == nil {
		p = live.Next(ctx, len(p.Report.Steps), p.Doing)
	}
	if !p.Done {
		r.t.Fatal("the run does not end")
	}
	return p
}

const (
	wrongID       = "crm_9Zz4Yy33cC"
	wrongSecret   = "s3cr3t-CANARY-0aB1cD2eF3g"
	wrongRedirect = "https://elsewhere.example/auth/rocket/callback"
)

// TestDiagnose has each sort of provider with each sort of mistake. The fields
// are client id, client secret, client authentication, redirect URI,
// reachability and the clock, which the rig's own clock makes inconclusive.
func TestDiagnose(t *testing.T) {
	id, secret, redirect := map[string]string{"clientId": wrongID}, map[string]string{"clientSecret": wrongSecret}, map[string]string{"callbackUrl": wrongRedirect}
	for _, tt := range []struct {
		name     string
		vendor   *vendor
		auth     string // of the definition
		values   map[string]string
		fields   string
		headline string
		verdict  oauth.Verdict
	}{
		{"client first, distinct errors: all right", &vendor{}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"client first, distinct errors: wrong id", &vendor{}, "post", id, "wrong inconclusive inconclusive inconclusive ok", "Client ID is wrong", oauth.Wrong},
		{"client first, distinct errors: wrong secret", &vendor{}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"client first, distinct errors: wrong redirect URI", &vendor{}, "post", redirect, "ok ok ok wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"client first, distinct errors: wrong secret and redirect URI", &vendor{}, "post", map[string]string{"clientSecret": wrongSecret, "callbackUrl": wrongRedirect}, "ok wrong inconclusive wrong ok", "Client secret and redirect URI are wrong", oauth.Wrong},
		{"distinct words alone: all right", &vendor{words: distinctWords}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"distinct words alone: wrong secret", &vendor{words: distinctWords}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"distinct words alone: wrong id", &vendor{words: distinctWords}, "post", id, "wrong inconclusive inconclusive inconclusive ok", "Client ID is wrong", oauth.Wrong},
		{"client first, one error for both: all right", &vendor{words: oneCode}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"client first, one error for both: wrong secret", &vendor{words: oneCode}, "post", secret, "ok wrong inconclusive not-checked ok", "Client secret is wrong", oauth.Wrong},
		{"client first, one error for both: wrong id", &vendor{words: oneCode}, "post", id, "wrong inconclusive inconclusive inconclusive ok", "Client ID is wrong", oauth.Wrong},
		{"client first, one error for both: wrong redirect URI", &vendor{words: oneCode}, "post", redirect, "ok ok ok wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"one error for both, doors after login: wrong secret", &vendor{words: oneCode, doors: afterLogin}, "post", secret, "inconclusive inconclusive inconclusive not-checked ok", "Rocket refuses the client: the client ID or the secret", oauth.Inconclusive},
		{"one error for both, doors after login: wrong id", &vendor{words: oneCode, doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive not-checked ok", "Rocket refuses the client: the client ID or the secret", oauth.Inconclusive},
		{"code first: all right", &vendor{order: codeFirst}, "post", nil, "ok inconclusive inconclusive ok ok", "Not decided: Rocket looks at the code first", oauth.Inconclusive},
		{"code first: wrong secret", &vendor{order: codeFirst}, "post", secret, "ok inconclusive inconclusive ok ok", "Not decided: Rocket looks at the code first", oauth.Inconclusive},
		{"code first, doors after login: wrong id", &vendor{order: codeFirst, doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive inconclusive ok", "Not decided: Rocket looks at the code first", oauth.Inconclusive},
		{"code first: wrong redirect URI", &vendor{order: codeFirst}, "post", redirect, "ok inconclusive inconclusive wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"request refused first", &vendor{order: requestFirst, doors: afterLogin}, "post", nil, "inconclusive inconclusive inconclusive not-checked ok", "Not decided: Rocket refuses the request as such", oauth.Inconclusive},
		{"HTTP 200 with an error: all right", &vendor{envelope: ok200}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"HTTP 200 with an error: wrong secret", &vendor{envelope: ok200}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"error.list: all right", &vendor{envelope: errorList}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"error.list: wrong secret", &vendor{envelope: errorList}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"form-encoded: wrong secret", &vendor{envelope: encoded}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"plain text, one status: nothing to read", &vendor{envelope: plainText, doors: afterLogin}, "post", nil, "inconclusive inconclusive inconclusive not-checked ok", "Not decided: Rocket answers everything in the same way", oauth.Inconclusive},
		{"basic only, definition says post: all else right", &vendor{auth: "basic"}, "post", nil, "ok ok wrong not-checked ok", "Client authentication is wrong", oauth.Wrong},
		{"basic only, definition says basic", &vendor{auth: "basic"}, "basic", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"basic only, definition says basic: wrong secret", &vendor{auth: "basic"}, "basic", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"post only, definition says basic: all else right", &vendor{auth: "post"}, "basic", nil, "ok ok wrong not-checked ok", "Client authentication is wrong", oauth.Wrong},
		{"post only, definition says post: wrong secret", &vendor{auth: "post"}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"redirect mismatch as a redirect: all right", &vendor{doors: redirects}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"redirect mismatch as a redirect", &vendor{doors: redirects}, "post", redirect, "ok ok ok wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"one error page for all: wrong redirect URI", &vendor{doors: oneErrorPage}, "post", redirect, "ok ok ok wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"random wording and ids: all right", &vendor{noise: true}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"random wording and ids: wrong secret", &vendor{noise: true}, "post", secret, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"random wording and ids, code first", &vendor{noise: true, order: codeFirst, doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive inconclusive ok", "Not decided: Rocket looks at the code first", oauth.Inconclusive},
		{"login route that decides: all right", &vendor{doors: loginRoute}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"login route that decides: wrong redirect URI", &vendor{doors: loginRoute}, "post", redirect, "ok ok ok wrong ok", "Redirect URI is wrong", oauth.Wrong},
		{"login route that decides, one error: wrong secret", &vendor{doors: loginRoute, words: oneCode}, "post", secret, "ok wrong inconclusive not-checked ok", "Client secret is wrong", oauth.Wrong},
		{"any redirect URI", &vendor{doors: anyRedirect}, "post", nil, "ok ok ok warning ok", "Client ID and secret are right; Rocket takes any redirect URI", oauth.Warning},
		{"doors after login: all right", &vendor{doors: afterLogin}, "post", nil, "ok ok ok inconclusive ok", "Client ID and secret are right; the redirect URI is not decided", oauth.Inconclusive},
		{"a challenge at the door", &vendor{doors: blocked}, "post", nil, "ok ok ok inconclusive ok", "Client ID and secret are right; the redirect URI is not decided", oauth.Inconclusive},
		{"grant not allowed", &vendor{grant: "unauthorized_client"}, "post", nil, "ok ok ok ok ok", "Rocket does not allow this app the authorization code", oauth.Wrong},
		{"secret expired", &vendor{expired: true, words: distinctWords}, "post", nil, "ok wrong inconclusive ok ok", "Client secret is wrong", oauth.Wrong},
		{"format checked first: wrong id of the right form", &vendor{format: true, words: oneCode}, "post", id, "wrong inconclusive inconclusive inconclusive ok", "Client ID is wrong", oauth.Wrong},
		{"two servers that differ: wrong secret", &vendor{nodes: true, doors: afterLogin}, "post", secret, "inconclusive inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"answers the same question differently", &vendor{fickle: 3}, "post", nil, "ok inconclusive inconclusive not-checked ok", "Not decided: Rocket contradicts itself", oauth.Inconclusive},
		{"words at random that blame this and that", &vendor{script: []string{"No luck", "No luck", "Unknown client id", "The secret does not match", "Nothing here"}, doors: afterLogin}, "post", nil,
			"inconclusive inconclusive inconclusive not-checked ok", "Not decided: Rocket answers everything in the same way", oauth.Inconclusive},
		{"words at random, once more", &vendor{script: []string{"No luck", "Nothing here", "Unknown client id", "The secret does not match", "Oh dear"}, doors: afterLogin}, "post", nil,
			"inconclusive inconclusive inconclusive not-checked ok", "Not decided: Rocket answers everything in the same way", oauth.Inconclusive},
		{"form of the secret first, then the code: stale secret", &vendor{checksum: true, order: codeFirst, doors: afterLogin}, "post", secret, "inconclusive inconclusive inconclusive inconclusive ok", "", oauth.Inconclusive},
		{"form of the secret first, then the client: stale secret", &vendor{checksum: true}, "post", secret, "ok inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"a limit in other words, from the second call on", &vendor{throttle: 1, order: codeFirst}, "post", secret, "inconclusive inconclusive inconclusive inconclusive warning", "Rocket asks for a pause", oauth.Inconclusive},
		{"a new error code for every answer", &vendor{incident: true, order: codeFirst, doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive inconclusive ok", "", oauth.Inconclusive},
		{"a request without a client goes to the code: wrong secret", &vendor{auth: "post", lax: true, words: oneCode}, "post", secret, "ok inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"the app is switched off", &vendor{disabled: true}, "post", nil, "ok inconclusive inconclusive not-checked ok", "Rocket refuses the app; its values are not decided", oauth.Inconclusive},
		{"the authorize address fails", &vendor{doorDown: 1}, "post", nil, "ok ok ok inconclusive ok", "Client ID and secret are right; the redirect URI is not decided", oauth.Inconclusive},
		{"a made-up id is malformed, wrong id", &vendor{says: malformed(wrongID, "invalid_client: Client authentication failed"), doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"a made-up id is malformed, code first, wrong id", &vendor{says: malformed(wrongID, "invalid_grant: Bad code"), doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive inconclusive ok", "", oauth.Inconclusive},
		{"the door knows the form of an id, wrong id", &vendor{words: oneCode, door: doorForm, doors: afterLogin}, "post", id, "inconclusive inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"the door refuses a form of redirect URI, wrong one", &vendor{door: doorURIForm, doors: afterLogin}, "post", redirect, "ok ok ok inconclusive ok", "", oauth.Inconclusive},
		{"the method is another one altogether", &vendor{says: known("invalid_client: This method is not supported, use private_key_jwt")}, "post", nil, "ok inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"the app is pending review", &vendor{says: known("invalid_client: This app is pending review")}, "post", nil, "ok inconclusive inconclusive not-checked ok", "", oauth.Inconclusive},
		{"the redirect URI is looked at before the secret", &vendor{says: known("invalid_client: The client has no such redirect URI")}, "post", nil, "ok inconclusive inconclusive ok ok", "", oauth.Inconclusive},
		{"words that speak of an expired code and a password", &vendor{says: func(id, secret string) string {
			if id == goodID && secret == goodSecret {
				return "invalid_grant: The authorization code, refresh token or password is invalid or expired"
			}
			return "invalid_client: Client authentication failed"
		}}, "post", nil, "ok ok ok ok ok", "Client ID, secret and redirect URI are right", oauth.OK},
		{"the door says that a scope is invalid", &vendor{door: func(string, string) string { return "A requested scope is invalid" }}, "post", nil, "ok ok ok inconclusive ok", "", oauth.Inconclusive},
		{"rate-limited at the second call", &vendor{limit: 1}, "post", nil, "inconclusive inconclusive inconclusive inconclusive warning", "Rocket asks for a pause", oauth.Inconclusive},
		{"down in the middle", &vendor{down: 2}, "post", nil, "inconclusive inconclusive inconclusive inconclusive inconclusive", "The answer of Rocket is cut off", oauth.Inconclusive},
		{"a token for any code", &vendor{generous: true}, "post", nil, "inconclusive inconclusive inconclusive not-checked wrong", "The token address takes any code", oauth.Wrong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := vendorRig(t, tt.vendor, tt.auth, tt.values)
			rep := r.diagnose(1)
			got := strings.TrimSuffix(fieldsOfKind(rep), " inconclusive")
			if got != tt.fields {
				t.Errorf("fields  %s\nwant    %s\n%s", got, tt.fields, explain(rep))
			}
			if tt.headline != "" && rep.Headline != tt.headline || rep.Verdict != tt.verdict {
				t.Errorf("%q, %s; want %q, %s", rep.Headline, rep.Verdict, tt.headline, tt.verdict)
			}
			r.restrained(rep, tt.vendor)
			if found := leaks(fmt.Sprintf("%+v %s", rep, r.dump()), goodSecret, wrongSecret); len(found) > 0 {
				t.Errorf("it holds %q", found)
			}
		})
	}
}

// malformed is a provider that knows the form of ids, and says the same to all that
// have it. Only some made-up ones have it.
func malformed(sound, otherwise string) func(id, secret string) string {
	return func(id, _ string) string {
		if id != sound && id != goodID {
			return "invalid_request: client_id is malformed"
		}
		return otherwise
	}
}

// known is a provider that says one thing to every client that it knows.
func known(words string) func(id, secret string) string {
	return func(id, _ string) string {
		if id == goodID {
			return words
		}
		return ""
	}
}

func doorForm(id, _ string) string {
	if id != goodID && id != wrongID {
		return "Malformed client_id"
	}
	return ""
}

func doorURIForm(_, redirect string) string {
	if strings.Contains(redirect, ".invalid") {
		return "Malformed redirect URI"
	}
	return ""
}

// restrained holds a run to the limits, and to its record.
func (r *rig) restrained(rep oauth.Report, v *vendor) {
	r.t.Helper()
	asked := 0
	for _, s := range rep.Steps {
		if s.Probe != "" {
			asked++
		}
	}
	if rep.Calls > 6 || rep.Calls != asked || rep.Kind != oauth.Diagnosis {
		r.t.Errorf("%d calls, %d questions in the report, kind %s", rep.Calls, asked, rep.Kind)
	}
	if len(v.codes) != 1 {
		r.t.Errorf("the codes %v were sent, want one that was made up", v.codes)
	}
	for code := range v.codes {
		if !strings.HasPrefix(code, "probe-") || len(code) != 38 {
			r.t.Errorf("the code %q was sent", code)
		}
	}
	for action, outcome := range map[audit.Action]audit.Outcome{audit.Diagnosing: audit.Done, audit.Diagnosed: ""} {
		events := r.events(action)
		if len(events) != 1 || events[0].Target != string(id) || events[0].Version != 1 || events[0].Actor != by || outcome != "" && events[0].Outcome != outcome {
			r.t.Errorf("events of %s: %+v", action, events)
		}
	}
	for _, f := range rep.Fields {
		for _, i := range f.Evidence {
			if i < 0 || i >= len(rep.Steps) {
				r.t.Errorf("%s rests on step %d of %d", f.Field, i, len(rep.Steps))
			}
		}
		if f.Verdict == oauth.Wrong && (f.Remedy == "" || f.Reason == "" || len(f.Evidence) == 0) {
			r.t.Errorf("%s is wrong without a reason, a remedy or evidence: %+v", f.Field, f)
		}
		if strings.Contains(f.Reason+f.Remedy, "%") {
			r.t.Errorf("%s has a mark left: %+v", f.Field, f)
		}
	}
}

// fieldsOfKind is the verdict of every field of the run, in order.
func fieldsOfKind(rep oauth.Report) string {
	words := make([]string, len(rep.Fields))
	for i, f := range rep.Fields {
		words[i] = f.Verdict.String()
		if f.Field != rep.Kind.Fields()[i] {
			words[i] = "out of order"
		}
	}
	return strings.Join(words, " ")
}

func explain(rep oauth.Report) string {
	var b strings.Builder
	for _, f := range rep.Fields {
		fmt.Fprintf(&b, "  %s: %s (%s) %s\n", f.Field, f.Verdict, f.Confidence, f.Reason)
	}
	for _, s := range rep.Steps {
		fmt.Fprintf(&b, "  %s %s: %s %q\n", s.Probe, s.Name, s.Verdict, s.Hint)
		for _, l := range s.Received {
			fmt.Fprintf(&b, "      %s %s\n", l.Name, l.Value)
		}
	}
	return b.String()
}
