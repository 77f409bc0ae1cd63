package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/oauth"
)

// A fault of our own address joins what the provider was found to say, and never
// makes a field of the entry wrong.
func TestOwnAddressAsAStep(t *testing.T) {
	for _, tt := range []struct {
		name     string
		own      oauth.OwnAddress
		err      error
		values   map[string]string
		step     oauth.Verdict // of the step; -1: there is none
		verdict  oauth.Verdict
		headline string
	}{
		{"good", oauth.OwnAddress{Verdict: oauth.OK, Headline: "It works"}, nil, nil, oauth.OK, oauth.OK, "Client ID, secret and redirect URI are right"},
		{"a fault", oauth.OwnAddress{Verdict: oauth.Wrong, Headline: "The public address has a fault: query"}, nil, nil, oauth.Wrong, oauth.Warning,
			"Client ID, secret and redirect URI are right, but our own address has a fault"},
		{"a fault, and a wrong secret", oauth.OwnAddress{Verdict: oauth.Wrong, Headline: "The public address has a fault: query"}, nil, map[string]string{"clientSecret": wrongSecret}, oauth.Wrong, oauth.Wrong,
			"Client secret is wrong"},
		{"not decided", oauth.OwnAddress{Verdict: oauth.Inconclusive, Headline: "Who knows"}, nil, nil, oauth.Inconclusive, oauth.OK, "Client ID, secret and redirect URI are right"},
		{"not to be had", oauth.OwnAddress{}, errors.New("another check is under way"), nil, oauth.NotChecked, oauth.OK, "Client ID, secret and redirect URI are right"},
		{"a redirect URI that is not ours", oauth.OwnAddress{Verdict: oauth.Wrong}, nil, map[string]string{"callbackUrl": wrongRedirect}, oauth.NotChecked, oauth.Wrong, "Redirect URI is wrong"},
	} {
		asked := 0
		v := &vendor{auth: "both"}
		all := map[string]string{"clientId": goodID, "clientSecret": goodSecret}
		for k, val := range tt.values {
			all[k] = val
		}
		r := newRig(t, setup{authorize: "%s/authorize", definition: "  clientAuth: post\n  apiUrl: \"{authorizeBase}/api\"", values: all,
			own: func(_ context.Context, who audit.Actor) (oauth.OwnAddress, error) {
				asked++
				if who != by {
					t.Errorf("%s: asked for %+v", tt.name, who)
				}
				return tt.own, tt.err
			}})
		r.provider.token, r.provider.pages = v.token, v.page
		rep := r.diagnose(1)
		got := oauth.Verdict(-1)
		for _, s := range rep.Steps {
			if strings.Contains(s.Name, "our own public address") {
				got = s.Verdict
			}
		}
		if got != tt.step || rep.Verdict != tt.verdict || rep.Headline != tt.headline || (asked == 1) != (tt.values["callbackUrl"] == "") {
			t.Errorf("%s: step %d, %s, %q, asked %d times", tt.name, got, rep.Verdict, rep.Headline, asked)
		}
		if tt.own.Verdict == oauth.Wrong && asked == 1 && !strings.Contains(strings.Join(rep.Remedies, " "), "Check from outside") {
			t.Errorf("%s: remedies %q", tt.name, rep.Remedies)
		}
	}
}

// What a definition knows of a provider's error codes explains a verdict, with
// its own remedy. It never makes one: a code that speaks of good credentials
// leaves an inconclusive comparison as it is.
func TestKnownErrors(t *testing.T) {
	const known = `  knownErrors:
    - {code: AADSTS7000222, field: clientSecret, means: The secret is too old., remedy: Make a new one in the portal.}
    - {code: invalid_grant, field: code, means: All is well with the app.}
    - {code: bad_credentials, field: clientId, means: Nobody knows this app.}`
	for _, tt := range []struct {
		name           string
		vendor         *vendor
		secret         oauth.Verdict
		secretSays, id string
		remedy         string
	}{
		{"explains what is wrong", &vendor{expired: true, words: oneCode}, oauth.Wrong, "About AADSTS7000222: The secret is too old.", "", "Make a new one in the portal."},
		{"makes nothing right", &vendor{order: codeFirst, doors: afterLogin}, oauth.Inconclusive, "About invalid_grant: All is well", "About invalid_grant: All is well", ""},
		{"is silent about what is right", &vendor{}, oauth.OK, "", "", ""},
	} {
		r := vendorRig(t, tt.vendor, "post", nil, known)
		rep := r.diagnose(1)
		s, id := rep.Field(oauth.ClientSecret), rep.Field(oauth.ClientID)
		if s.Verdict != tt.secret || !strings.Contains(s.Reason, tt.secretSays) || !strings.Contains(id.Reason, tt.id) || s.Remedy != tt.remedy ||
			tt.secretSays == "" && strings.Contains(s.Reason+id.Reason, "About") {
			t.Errorf("%s: %+v\n%+v", tt.name, s, id)
		}
	}
}

// A remedy says where the value is to be found, what is odd about the stored one,
// and the redirect URI to the letter.
func TestRemedies(t *testing.T) {
	r := vendorRig(t, &vendor{}, "post", map[string]string{"clientSecret": `"` + wrongSecret + `"`, "callbackUrl": wrongRedirect})
	rep := r.diagnose(1)
	secret, redirect := rep.Field(oauth.ClientSecret).Remedy, rep.Field(oauth.RedirectURI).Remedy
	for text, want := range map[string][]string{secret: {"Copy the client secret again", "quotation mark"}, redirect: {"Register " + wrongRedirect + " with Rocket, character by character"}} {
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q lacks %q", text, w)
			}
		}
	}
	if len(rep.Remedies) != 3 || rep.Remedies[0] != secret || rep.Remedies[1] != redirect {
		t.Errorf("remedies %q", rep.Remedies)
	}
	if first := rep.Steps[0]; first.Verdict != oauth.Warning || !strings.Contains(first.Why, "clientSecret: There is a quotation mark") {
		t.Errorf("the first step: %+v", first)
	}
}

// A public client has no secret: its ID is told apart all the same.
func TestDiagnosePublicClient(t *testing.T) {
	for _, tt := range []struct {
		id, fields string
	}{
		{goodID, "ok not-checked not-checked ok ok"},
		{wrongID, "wrong not-checked not-checked inconclusive ok"},
	} {
		v := &vendor{auth: "post"}
		r := newRig(t, setup{authorize: "%s/authorize", definition: "  clientAuth: post\n  pkce: true\n  apiUrl: \"{authorizeBase}/api\"",
			values: map[string]string{"clientId": tt.id, "clientSecret": ""}})
		r.provider.pages = v.page
		r.provider.token = func(w http.ResponseWriter, req *http.Request) {
			if req.Form.Get("code_verifier") == "" || req.Form.Has("client_secret") {
				t.Errorf("sent %v", req.Form)
			}
			if req.Form.Get("client_id") != goodID {
				v.fail(w, 401, "invalid_client", "Unknown client")
				return
			}
			v.fail(w, 400, "invalid_grant", "")
		}
		rep := r.diagnose(1)
		if got := strings.TrimSuffix(fieldsOfKind(rep), " inconclusive"); got != tt.fields {
			t.Errorf("%s: %s\n%s", tt.id, got, explain(rep))
		}
	}
}

// What a provider publishes about itself is read once, and spares a question.
func TestDiagnoseWithMetadata(t *testing.T) {
	v := &vendor{words: oneCode}
	reads := 0
	plain := vendorRig(t, v, "post", map[string]string{"clientSecret": wrongSecret})
	plain.provider.pages = func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/.well-known/oauth-authorization-server" {
			reads++
			answer(200, `{"issuer":"`+plain.provider.URL+`","token_endpoint":"`+plain.provider.URL+`/token","token_endpoint_auth_methods_supported":["client_secret_post"]}`)(w, req)
			return
		}
		v.page(w, req)
	}
	rep := plain.diagnose(1)
	probes := ""
	for _, s := range rep.Steps {
		probes += s.Probe
	}
	if reads != 1 || probes != "SBADEF" || fieldsOfKind(rep) != "ok wrong inconclusive ok ok inconclusive" {
		t.Errorf("%d reads, questions %s, %s\n%s", reads, probes, fieldsOfKind(rep), explain(rep))
	}
}

// Addresses that cannot be reached are named, and nothing else is judged.
func TestDiagnoseUnreachable(t *testing.T) {
	for _, tt := range []struct {
		name     string
		setup    setup
		headline string
		verdict  oauth.Verdict
		says     string
		step     string
	}{
		{"no such name", setup{authorize: "https://nowhere.example/authorize"}, "The authorize address has no known host", oauth.Wrong, "nowhere.example", "Reach the authorize address"},
		{"nothing listens", setup{authorize: "%s/authorize", tokenURL: "https://127.0.0.1:1/token"}, "No connection to the token address", oauth.Wrong, "127.0.0.1 refused the connection", "Reach the token address"},
		{"certificate of nobody", setup{authorize: "%s/authorize", untrusted: true}, "No secure connection to the token address", oauth.Wrong, "signed by nobody", "Reach the authorize and token addresses"},
		{"an address that is not called", setup{authorize: "%s/authorize", tokenURL: "https://10.1.2.3/token"}, "The token address must not be called from here", oauth.Wrong, "not called", "Reach the token address"},
	} {
		tt.setup.values = map[string]string{"clientId": goodID, "clientSecret": goodSecret}
		tt.setup.definition = "  clientAuth: post\n  apiUrl: \"{authorizeBase}/api\""
		r := newRig(t, tt.setup)
		rep := r.diagnose(1)
		f := rep.Field(oauth.Reachability)
		if rep.Headline != tt.headline || rep.Verdict != tt.verdict || f.Verdict != oauth.Wrong || !strings.Contains(f.Reason, tt.says) || f.Remedy == "" || len(f.Evidence) != 1 ||
			rep.Steps[f.Evidence[0]].Name != tt.step || rep.Calls != 0 {
			t.Errorf("%s: %q, %s, %d calls, %+v", tt.name, rep.Headline, rep.Verdict, rep.Calls, f)
		}
		for _, field := range []oauth.Field{oauth.ClientID, oauth.ClientSecret, oauth.ClientAuth, oauth.RedirectURI} {
			if v := rep.Field(field); v.Verdict != oauth.NotChecked || v.Reason == "" {
				t.Errorf("%s: %+v", tt.name, v)
			}
		}
		if n := r.provider.requests(); n != 0 {
			t.Errorf("%s: %d requests were sent", tt.name, n)
		}
	}
}

// A run has an end, whatever the provider does.
func TestWholeRunIsBounded(t *testing.T) {
	limits := oauth.Limits{Calls: 6, Budget: 100, Whole: 200 * time.Millisecond, Pause: func() time.Duration { return time.Hour }}
	v := &vendor{auth: "both"}
	r := newRig(t, setup{limits: &limits, authorize: "%s/authorize", definition: "  clientAuth: post\n  apiUrl: \"{authorizeBase}/api\"",
		values: map[string]string{"clientId": goodID, "clientSecret": goodSecret}})
	r.provider.token, r.provider.pages = v.token, v.page
	rep := r.diagnose(1)
	if rep.Verdict != oauth.Inconclusive || rep.Calls != 1 || rep.Field(oauth.ClientID).Verdict != oauth.Inconclusive {
		t.Errorf("%s, %d calls\n%s", rep.Headline, rep.Calls, explain(rep))
	}
}
