package oauth

import (
	"time"

	"backoffice/internal/egress"
)

var sampled = time.Date(2026, 11, 22, 10, 15, 0, 0, time.UTC)

func sampleExchange(method, url string, after time.Duration, status int) *egress.Exchange {
	return &egress.Exchange{Started: sampled.Add(after), Method: method, URL: url, Total: 95 * time.Millisecond, Status: status, Protocol: "HTTP/2.0",
		Phases:      egress.Phases{DNS: time.Millisecond, Connect: 4 * time.Millisecond, TLS: 6 * time.Millisecond, Send: time.Millisecond, Wait: 80 * time.Millisecond, Receive: time.Millisecond},
		ContentType: "application/json", Sent: 210, Received: 90, Unpacked: 130, Remote: "public IPv4", Done: true,
		TLS:            &egress.Security{Version: "TLS 1.3", NotBefore: sampled.AddDate(0, -1, 0), NotAfter: sampled.AddDate(0, 2, 0), Issuer: "Test CA", Names: []string{"api.rocket.example"}},
		RequestHeaders: []egress.Header{{Name: "X-Unknown", Value: "kept by mistake"}}, ResponseHeaders: []egress.Header{{Name: "Date", Value: "Sun, 22 Nov 2026 10:15:00 GMT"}}}
}

// sampleDiagnosis has what a diagnosis may have: probes, a chain of redirects, a
// call without an answer, and a step without a call.
func sampleDiagnosis() Report {
	sent := func(id string) []Line {
		return append([]Line{{Name: "POST", Value: "https://api.rocket.example/token"}}, placed(InForm,
			Line{Name: "grant_type", Value: "authorization_code"}, Line{Name: "code", Value: removed, Redacted: true, Note: "made up"},
			Line{Name: "redirect_uri", Value: "https://backoffice.example.com/auth/rocket/callback"}, Line{Name: "client_id", Value: id},
			Line{Name: "client_secret", Value: "0a1b 2c3d 4e5f", Redacted: true, Note: "40 characters"})...)
	}
	refused := []Line{{Name: "Status", Value: "401 Unauthorized"}, {Name: "X-Request-Id", In: InHeader, Value: "r-01"},
		{Name: "error", In: InJSON, Value: "invalid_client"}, {Name: "error_description", In: InJSON, Value: `Unknown <b>client</b> | see https://evil.example`},
		{Name: "hint", In: InJSON, Value: "a member that nobody expected"}}
	r := Report{ID: "20261122-101500.000-0badcafe", Entry: "acme:rocket", Version: 3, ContentHash: "ab", Kind: Diagnosis, Provider: "Rocket", Region: "Europe",
		Started: sampled, Took: 1500 * time.Millisecond, By: "owner@acme.example", Calls: 3, Verdict: Wrong, Headline: "Client secret is wrong",
		Remedies: []string{"Copy the Client Secret again from https://app.rocket.example/apps."}}
	for _, f := range Diagnosis.Fields() {
		r.Fields = append(r.Fields, FieldVerdict{Field: f, Reason: "The run did not get that far."})
	}
	r.set(FieldVerdict{Field: ClientSecret, Verdict: Wrong, Confidence: High, Reason: "It answers the same with a corrupted secret.", Remedy: "Copy it again.", Evidence: []int{1, 2}})
	r.Steps = []Step{
		{Name: "Look at the values", Verdict: OK, Hint: "nothing odd", Why: "No spaces, no quotes."},
		{Name: "Ask the token address", Probe: "S", Start: 20 * time.Millisecond, Took: 95 * time.Millisecond, Verdict: Wrong, Hint: "client refused", Why: "The subject.",
			Sent: sent("rocket-client-1"), Received: refused, Exchange: sampleExchange("POST", "https://api.rocket.example/token", 20*time.Millisecond, 401)},
		{Name: "Ask with another secret", Probe: "B", Start: 620 * time.Millisecond, Took: 95 * time.Millisecond, Verdict: Wrong, Hint: "client refused", Why: "A control.",
			Sent: sent("random-client-9"), Received: refused, Exchange: sampleExchange("POST", "https://api.rocket.example/token", 620*time.Millisecond, 401)},
		{Name: "Open the authorize address", Probe: "D", Start: 900 * time.Millisecond, Took: 95 * time.Millisecond, Verdict: OK, Hint: "login page",
			Sent: []Line{{Name: "GET", Value: "https://auth.rocket.example/authorize"}, {Name: "client_id", In: InQuery, Value: "rocket-client-1"}, {Name: "state", In: InQuery, Value: "CANARY-state"},
				{Name: "GET", Value: "https://auth.rocket.example/login?back=rocket-client-1"}},
			Received: []Line{{Name: "Status", Value: "302 Found"}, {Name: "Location", In: InHeader, Value: "https://auth.rocket.example/login?back=rocket-client-1"}, {Name: "Status", Value: "200 OK"}, {Name: "title", In: Beside, Value: "Sign in"}},
			Exchange: sampleExchange("GET", "https://auth.rocket.example/authorize", 900*time.Millisecond, 302)},
		{Name: "Open it with another redirect URI", Probe: "E", Start: 1300 * time.Millisecond, Took: 10 * time.Millisecond, Verdict: Inconclusive, Hint: "no answer",
			Sent:     []Line{{Name: "GET", Value: "https://auth.rocket.example/authorize"}},
			Exchange: &egress.Exchange{Started: sampled.Add(1300 * time.Millisecond), Method: "GET", URL: "https://auth.rocket.example/authorize", Total: 10 * time.Millisecond, Phases: egress.Phases{DNS: 10 * time.Millisecond}, Class: egress.DNS, Problem: "The name has no address."}},
	}
	return r
}

// sampleConsent is a report as they were kept before lines said their place.
func sampleConsent() Report {
	r := Report{ID: "20261122-101500.000-0badcafe", Entry: "acme:rocket", Version: 2, Kind: ConsentRun, Provider: "Rocket", Started: sampled, Took: 800 * time.Millisecond,
		Consent: 9 * time.Second, By: "owner@acme.example", Verdict: OK, Headline: "Works",
		Identity:  []Fact{{Label: "Admin", Value: "ada@acme.example"}, {Label: "Region", Value: "US", Verdict: Warning, Note: "This entry has Region: Europe."}, {Label: "Plan"}},
		RateLimit: &RateLimit{Limit: "1000", Remaining: "999", Reset: "1795342560"}}
	for _, f := range ConsentRun.Fields() {
		r.Fields = append(r.Fields, FieldVerdict{Field: f, Verdict: OK, Reason: "Proven."})
	}
	r.Steps = []Step{
		{Name: "Ask for consent at Rocket", Verdict: OK, Hint: "code received",
			Sent: []Line{{Name: "GET", Value: "https://auth.rocket.example/authorize"}, {Name: "client_id", Value: "rocket-client-1"}, {Name: "redirect_uri", Value: "https://backoffice.example.com/auth/rocket/callback"},
				{Name: "state", Value: removed, Redacted: true}, {Name: "odd_one", Value: "some odd value"}},
			Received: []Line{{Name: "code", Value: "CANARY-code"}, {Name: "state", Value: "CANARY-state"}}},
		{Name: "Exchange the code for a token", Start: 10 * time.Millisecond, Took: 95 * time.Millisecond, Verdict: OK, Hint: "token issued",
			Sent: []Line{{Name: "POST", Value: "https://api.rocket.example/token"}, {Name: "Authorization: Basic", Value: "0a1b 2c3d 4e5f", Redacted: true, Note: "client ID and secret; the secret has 40 characters"},
				{Name: "grant_type", Value: "authorization_code"}, {Name: "code", Value: "CANARY-code"}, {Name: "redirect_uri", Value: "https://backoffice.example.com/auth/rocket/callback"}},
			Received: []Line{{Name: "Status", Value: "200 OK"}, {Name: "Content-Type", Value: "application/json"}, {Name: "access_token", Value: "CANARY-token"}, {Name: "token_type", Value: "Bearer"}},
			Exchange: sampleExchange("POST", "https://api.rocket.example/token", 10*time.Millisecond, 200)},
		{Name: "Ask whose token it is", Start: 200 * time.Millisecond, Took: 95 * time.Millisecond, Verdict: OK,
			Sent:     []Line{{Name: "GET", Value: "https://api.rocket.example/me"}, {Name: "Authorization: Bearer", Value: "CANARY-token"}, {Name: "Rocket-Version", Value: "7"}, {Name: "X-Api-Key", Value: "CANARY-key"}},
			Received: []Line{{Name: "Status", Value: "200 OK"}}, Exchange: sampleExchange("GET", "https://api.rocket.example/me", 200*time.Millisecond, 200)},
	}
	r.Grants = []Grant{{Permission: "read_me", State: Granted, Basis: Reading, Evidence: "GET /me gave 200.", Call: "GET /me", Step: 2}, {Permission: "Write | all", Evidence: "Not probed: the provider asked for a pause.", Step: 2}}
	r.Unprobed = "Not probed: the provider asked for a pause."
	return r
}

// sampleToken has an error in an envelope, of values that were not saved.
func sampleToken() Report {
	r := Report{ID: "20261122-101500.000-0badcafe", Entry: "acme:rocket:eu", Kind: TokenRun, Provider: "Rocket", Started: sampled, Took: 100 * time.Millisecond,
		By: "owner@acme.example", Unsaved: true, Rehearsal: true, Verdict: Wrong, Headline: "The token is not accepted"}
	for _, f := range TokenRun.Fields() {
		r.Fields = append(r.Fields, FieldVerdict{Field: f})
	}
	r.set(FieldVerdict{Field: Permission, Verdict: Wrong, Reason: `The provider says "unauthorized".`})
	r.Steps = []Step{{Name: "Ask whose token it is", Took: 95 * time.Millisecond, Verdict: Wrong, Hint: "token refused",
		Sent: []Line{{Name: "GET", Value: "https://api.rocket.example/me"}, {Name: "Authorization: Bearer", In: InHeader, Value: removed, Redacted: true, Note: "25 characters"}},
		Received: []Line{{Name: "Status", Value: "401 Unauthorized"}, {Name: "errors[0].code", In: InJSON, Value: "unauthorized"}, {Name: "errors[0].message", In: InJSON, Value: "Unauthorized Code"},
			{Name: "request_id", In: InJSON, Value: "r-02"}},
		Exchange: sampleExchange("GET", "https://api.rocket.example/me", 0, 401)}}
	return r
}
