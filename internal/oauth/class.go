package oauth

import (
	"net/http"
	"slices"
	"strings"

	"backoffice/internal/egress"
)

// A class is what sort of answer came. What it means depends on the question:
// see findings.go.
type class int

const (
	issued          class = iota // a token, or the identity
	clientRefused                // the client id, its secret, or the method
	codeRefused                  // the authorization code
	redirectRefused              // the redirect URI, by name
	grantRefused                 // the client may not use the authorization-code grant
	requestRefused               // the request as such
	unauthorized                 // 401 without a code that says what was refused
	forbidden                    // 403, likewise
	scopeMissing                 // 403 that names a scope or permission
	otherRefusal                 // any other answer that is an error
	noToken                      // success without what was asked for
	unreadable                   // success that cannot be read
	tooMany                      // 429
	serverError                  // 5xx
	aPage                        // HTML instead of the answer of an API
	nowhere                      // 404 and the like: nothing is at this address
	redirected                   // 3xx, not followed
	tooLarge
	timedOut
	cutOff
	noName
	noConnection
	noTLS
	notAllowed // the guard does not call this address
	unsendable // a token that no request can carry

	// The answers that the browser brought back.
	consentDenied
	consentClient // the client is refused
	consentGrant  // the client is known, but not allowed this sign-in
	consentScope
	consentFailed // any other error
	codeMissing
	codeTwice

	outOfTime // we stopped: the whole test has its time, and the program may end
)

// classOfEgress is the class of a call without a whole answer.
var classOfEgress = map[egress.Class]class{
	egress.Refused: notAllowed, egress.DNS: noName, egress.Connect: noConnection, egress.TLS: noTLS, egress.Timeout: timedOut,
	egress.TooLarge: tooLarge, egress.Redirect: redirected, egress.Protocol: cutOff, egress.Cancelled: cutOff,
}

// classOfCode has the error codes of RFC 6749 section 5.2 and the spellings of
// them that are found elsewhere. It only sorts words: no code makes a field OK.
var classOfCode = map[string]class{
	"invalid_client":               clientRefused,
	"incorrect_client_credentials": clientRefused,
	"invalid_client_credentials":   clientRefused,
	"invalid_client_id":            clientRefused,
	"invalid_client_secret":        clientRefused,
	"bad_client_secret":            clientRefused,
	"unauthorized_client":          grantRefused,
	"invalid_grant":                codeRefused,
	"bad_verification_code":        codeRefused,
	"unauthorized_code":            codeRefused,
	"invalid_code":                 codeRefused,
	"redirect_uri_mismatch":        redirectRefused,
	"invalid_redirect_uri":         redirectRefused,
	"bad_redirect_uri":             redirectRefused,
	"invalid_request":              requestRefused,
	"unsupported_grant_type":       requestRefused,
	"invalid_scope":                requestRefused,
	"rate_limit_exceeded":          tooMany,
	"too_many_requests":            tooMany,
	"server_error":                 serverError,
	"temporarily_unavailable":      serverError,
}

// classOfConsentError has the codes of RFC 6749 section 4.1.2.1.
var classOfConsentError = map[string]class{
	"access_denied":             consentDenied,
	"invalid_client":            consentClient,
	"unauthorized_client":       consentGrant,
	"unsupported_response_type": consentGrant,
	"invalid_scope":             consentScope,
	"invalid_request":           consentFailed,
	"server_error":              consentFailed,
	"temporarily_unavailable":   consentFailed,
}

// classify sorts the answer of a token endpoint.
func classify(got *capture, a answer) class {
	if c, bad := noAnswer(got, a); bad {
		return c
	}
	success := got.status >= 200 && got.status < 300
	if success && !a.failed && a.isToken() {
		return issued
	}
	if c, known := classOfCode[strings.ToLower(strings.TrimSpace(a.code))]; known && (a.failed || !success) {
		return c
	}
	switch {
	case success && a.form == formUnreadable:
		return unreadable
	case success && !a.failed:
		return noToken
	case namesCode(a.description):
		return codeRefused
	case got.status == http.StatusUnauthorized:
		return unauthorized
	case got.status == http.StatusForbidden:
		return forbidden
	}
	return otherRefusal
}

// isToken reports whether the answer has a token, and nothing beside it that says
// no: a bot challenge or a gateway's page may have a member of that name too.
func (a answer) isToken() bool {
	token := a.token.Reveal()
	_, refused := classOfCode[strings.ToLower(strings.TrimSpace(a.code))]
	empty := slices.Contains([]string{"null", "undefined", "none", "false"}, strings.ToLower(token))
	return printable(token) != "" && !refused && !empty && !strings.HasPrefix(token, "<")
}

// classifyIdentity sorts the answer of an identity call.
func classifyIdentity(got *capture, a answer) class {
	if c, bad := noAnswer(got, a); bad {
		return c
	}
	success := got.status >= 200 && got.status < 300
	switch {
	case success && a.form == formJSON && !a.failed:
		return issued
	case success && a.form == formUnreadable:
		return unreadable
	case success && !a.failed:
		return noToken
	case classOfCode[strings.ToLower(a.code)] == tooMany:
		return tooMany
	case got.status == http.StatusUnauthorized:
		return unauthorized
	case got.status == http.StatusForbidden && namesScope(a):
		return scopeMissing
	case got.status == http.StatusForbidden:
		return forbidden
	}
	return otherRefusal
}

// namesScope reports whether a refusal says that a scope or permission is what
// the token lacks (RFC 6750 section 3.1 calls it insufficient_scope).
func namesScope(a answer) bool {
	if namesPlan(a) {
		return false
	}
	words := strings.ToLower(a.code + " " + a.description)
	return strings.Contains(words, "scope") || strings.Contains(words, "permission")
}

// namesPlan reports whether the code of a refusal says that what the customer pays
// for is the reason, whatever its text speaks of: "api_plan_restricted".
func namesPlan(a answer) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(a.code), func(c rune) bool { return c < 'a' || c > 'z' }), func(word string) bool {
		return slices.Contains([]string{"plan", "subscription", "billing", "payment"}, word)
	})
}

// noAnswer finds what is no answer to any question.
func noAnswer(got *capture, a answer) (class, bool) {
	status := got.status
	gone := slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}, status)
	_, known := classOfCode[strings.ToLower(strings.TrimSpace(a.code))]
	switch {
	case got.err != nil:
		return classOfEgress[got.err.Class], true
	case status == http.StatusTooManyRequests:
		return tooMany, true
	case status >= 500:
		return serverError, true
	case status >= 300 && status < 400:
		return redirected, true
	case gone && !known:
		return nowhere, true
	case a.form == formPage:
		return aPage, true
	}
	return 0, false
}

// namesCode reports whether a description speaks of a bad code. It only leads to
// Inconclusive, as every refused code does.
func namesCode(description string) bool {
	d := strings.ToLower(description)
	if !strings.Contains(d, "code") {
		return false
	}
	for _, w := range []string{"unauthorized", "invalid", "expired", "incorrect", "already", "used"} {
		if strings.Contains(d, w) {
			return true
		}
	}
	return false
}
