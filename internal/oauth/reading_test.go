package oauth

import (
	"net/http"
	"strings"
	"testing"
)

func readingOf(status int, contentType, body string, sent ...string) reading {
	got := &capture{status: status, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
	return read(got, parseAnswer(contentType, got.body, []string{"access_token"}), sent)
}

func rfcError(code, description string) string {
	return `{"error":"` + code + `","error_description":"` + description + `"}`
}

// Pairs of answers that must be taken as the same, or as different.
func TestReadings(t *testing.T) {
	const media = "application/json"
	for _, tt := range []struct {
		name       string
		a, b       reading
		same, form bool
	}{
		{"reference in the words", readingOf(401, media, rfcError("invalid_client", "Client authentication failed (ref 81af03c2e9b4d1)")),
			readingOf(401, media, rfcError("invalid_client", "Client authentication failed (ref 2c77be01f4a9e5)")), true, true},
		{"request id, UUID and time", readingOf(400, media, rfcError("invalid_grant", "Bad code. Trace ID: 3f2504e0-4f89-41d3-9a0c-0305e82c3301 2026-11-22 10:00:01Z")),
			readingOf(400, media, rfcError("invalid_grant", "Bad code. Trace ID: aa2504e0-4f89-41d3-9a0c-0305e82c3302 2026-11-22 10:00:03Z")), true, true},
		{"random words", readingOf(400, media, rfcError("invalid_grant", "Oh dear")), readingOf(400, media, rfcError("invalid_grant", "Please try again")), true, true},
		{"the id that was sent", readingOf(400, media, rfcError("x", "No app 'crm_1' here"), "crm_1"), readingOf(400, media, rfcError("x", "No app 'crm_2' here"), "crm_2"), true, true},
		{"another status", readingOf(400, media, rfcError("x", "")), readingOf(401, media, rfcError("x", "")), false, false},
		{"another code", readingOf(400, media, rfcError("x", "")), readingOf(400, media, rfcError("y", "")), false, false},
		{"another case of the code", readingOf(400, media, rfcError("X", "")), readingOf(400, media, rfcError("x", "")), true, true},
		{"a vendor's code in the words", readingOf(401, media, rfcError("invalid_client", "AADSTS7000215: Invalid client secret")),
			readingOf(401, media, rfcError("invalid_client", "AADSTS700016: Application not found")), false, false},
		{"words that blame another thing", readingOf(401, media, rfcError("invalid_client", "Unknown client")), readingOf(401, media, rfcError("invalid_client", "The secret does not match")), false, true},
		{"an envelope", readingOf(401, media, `{"type":"error.list","request_id":"r-01","errors":[{"code":"unauthorized","message":"Unauthorized Code"}]}`),
			readingOf(401, media, `{"type":"error.list","request_id":"r-02","errors":[{"code":"unauthorized","message":"Unauthorized Code"}]}`), true, true},
		{"another form", readingOf(400, media, rfcError("x", "")), readingOf(400, "application/x-www-form-urlencoded", "error=x"), false, false},
		{"a token", readingOf(200, media, `{"access_token":"abc"}`), readingOf(200, media, rfcError("x", "")), false, false},
	} {
		if got := tt.a.same(tt.b); got != tt.same || tt.b.same(tt.a) != tt.same {
			t.Errorf("%s: same %t, want %t\n%+v\n%+v", tt.name, got, tt.same, tt.a, tt.b)
		}
		if got := tt.a.sameForm(tt.b); got != tt.form {
			t.Errorf("%s: the same form %t, want %t", tt.name, got, tt.form)
		}
	}
}

func TestReadingsOfOneAnswer(t *testing.T) {
	const media = "application/json"
	for _, tt := range []struct {
		name                        string
		r                           reading
		refuses, past, answer, lock bool
	}{
		{"invalid_client", readingOf(401, media, rfcError("invalid_client", "")), true, false, true, false},
		{"invalid_grant", readingOf(400, media, rfcError("invalid_grant", "The code is invalid")), false, true, true, false},
		{"invalid_grant with the words of RFC 6749", readingOf(400, media, rfcError("invalid_grant", "The grant is invalid or was issued to another client")), false, true, true, false},
		{"invalid_grant that speaks of the secret", readingOf(400, media, rfcError("invalid_grant", "The secret is wrong")), true, false, true, false},
		{"Unauthorized Code", readingOf(401, media, `{"errors":[{"code":"unauthorized","message":"Unauthorized Code"}]}`), false, true, true, false},
		{"bare 401", readingOf(401, media, `{}`), false, false, true, false},
		{"401 that names the client", readingOf(401, media, rfcError("denied", "Unknown client credentials")), true, false, true, false},
		{"redirect_uri_mismatch", readingOf(400, media, rfcError("redirect_uri_mismatch", "")), false, true, true, false},
		{"unauthorized_client", readingOf(400, media, rfcError("unauthorized_client", "")), false, true, true, false},
		{"invalid_request", readingOf(400, media, rfcError("invalid_request", "audience is missing")), false, false, true, false},
		{"429", readingOf(429, media, `{}`), false, false, false, true},
		{"503", readingOf(503, media, `{}`), false, false, false, false},
		{"locked", readingOf(401, media, rfcError("invalid_client", "This client is locked")), true, false, true, true},
		{"a page", readingOf(403, "text/html", "<title>Just a moment</title>"), false, false, false, false},
		{"404 of an API", readingOf(404, media, rfcError("not_found", "no such client")), true, false, true, false},
		{"404 of a web server", readingOf(404, media, ""), false, false, false, false},
		{"a token", readingOf(200, media, `{"access_token":"abc"}`), false, false, true, false},
	} {
		if got := []bool{tt.r.refusesClient(), tt.r.pastClient(), tt.r.isAnswer(), tt.r.lockedOut()}; got[0] != tt.refuses || got[1] != tt.past || got[2] != tt.answer || got[3] != tt.lock {
			t.Errorf("%s: refuses the client %t, is past it %t, is an answer %t, locks %t: %+v", tt.name, got[0], got[1], got[2], got[3], tt.r)
		}
	}
}

// FuzzReading reads two answers that differ only in an id of the request. They
// are the same, whatever stands around the id.
func FuzzReading(f *testing.F) {
	f.Add(401, "invalid_client", "Client authentication failed")
	f.Add(400, "invalid_grant", "error 12 in request of 2026-01-02")
	f.Add(200, "", "AADSTS70002: x")
	f.Fuzz(func(t *testing.T, status int, code, words string) {
		if status < 100 || status > 999 {
			return
		}
		a := answer{form: formJSON, failed: true, code: code, description: words + " 3f2504e0-4f89-41d3-9a0c-0305e82c3301"}
		b := answer{form: formJSON, failed: true, code: code, description: words + " aa25bbe0-4f89-41d3-9a0c-0305e82c3302"}
		got := &capture{status: status}
		ra, rb := read(got, a, []string{"secret-canary"}), read(got, b, []string{"secret-canary"})
		if !ra.same(rb) {
			t.Errorf("%+v and %+v differ", ra, rb)
		}
		if len([]rune(ra.words)) > maxReading+1 || strings.Contains(ra.words, "secret-canary") {
			t.Errorf("%q", ra.words)
		}
	})
}
