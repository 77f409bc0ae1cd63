package oauth

import (
	"net/http"
	"regexp"
	"strings"
)

// A reading is what an answer says once everything that changes from one call to
// the next is out of it. Two readings are compared; one alone decides nothing.
type reading struct {
	class  class
	form   form
	status int
	code   string  // lower case, without ids
	vendor string  // a code inside of the description: "aadsts7000215"
	about  mention // whom the words blame
	words  string  // the description, for people and to see that it changed
	www    bool    // it has a WWW-Authenticate header
}

// A mention is a set of things that a text speaks of.
type mention int

const (
	mentionsID mention = 1 << iota
	mentionsSecret
	mentionsClient
	mentionsCode
	mentionsRedirect
	mentionsExpiry
	mentionsState // the app is switched off, or not allowed from here
	mentionsForm  // a value has not the form of one
	mentionsHaste // too many requests
	mentionsScope // the scopes, or another parameter of the authorize request

	mentionsCredentials = mentionsID | mentionsSecret | mentionsClient
)

func (m mention) has(any mention) bool { return m&any != 0 }

// phrases are the words by which a text speaks of something. A text is taken
// apart into words of letters and digits first.
var phrases = []struct {
	what  mention
	words []string
}{
	{mentionsID, []string{"client id", "clientid", "app id", "appid", "application id", "consumer key", "unknown client", "unknown app", "unknown application",
		"client not found", "app not found", "application not found", "no such client", "no such app", "no such application", "client does not exist",
		"application does not exist", "app does not exist", "not a registered client", "unregistered client"}},
	{mentionsSecret, []string{"secret", "clientsecret", "consumer secret"}},
	{mentionsClient, []string{"client", "clients", "credential", "credentials"}},
	{mentionsCode, []string{"code", "grant"}},
	{mentionsRedirect, []string{"redirect", "redirecturi", "redirect uri", "redirect url", "callback", "callbackurl", "reply url"}},
	{mentionsExpiry, []string{"expired", "expiry", "outdated"}},
	{mentionsState, []string{"disabled", "suspended", "inactive", "deactivated", "not active", "revoked", "blocked", "banned", "deleted", "not enabled", "not allowed",
		"not permitted", "ip address", "allowlist", "whitelist", "pending", "review", "approval", "not supported", "unsupported", "method", "private key jwt", "assertion",
		"public", "confidential", "presented"}},
	{mentionsForm, []string{"malformed", "format", "length", "not a valid uuid", "syntax", "checksum", "could not be parsed", "cannot be parsed"}},
	{mentionsScope, []string{"scope", "scopes", "state", "pkce", "code challenge", "response type", "nonce"}},
	{mentionsHaste, []string{"rate limit", "rate limited", "ratelimit", "rate limit exceeded", "throttle", "throttled", "slow down", "slowdown", "quota", "too many requests", "too many attempts"}},
}

var notAWord = regexp.MustCompile(`[^a-z0-9]+`)

func mentions(text string) (out mention) {
	padded := " " + strings.Trim(notAWord.ReplaceAllString(strings.ToLower(text), " "), " ") + " "
	for _, p := range phrases {
		for _, w := range p.words {
			if strings.Contains(padded, " "+w+" ") {
				out |= p.what
				break
			}
		}
	}
	return out
}

// changing are the parts of a text that differ from call to call.
var changing = []*regexp.Regexp{
	regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`),
	regexp.MustCompile(`\b(?:request|trace|correlation|reference|ref|session|event|incident|support)[ _-]?(?:id|no|number|code)?\s*[:=#]?\s*[a-z0-9]*[0-9][a-z0-9._-]*`),
	regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z| ?[+-]\d{2}:?\d{2})?)?`),
	regexp.MustCompile(`\b\d{1,2}:\d{2}(?::\d{2})?\b`),
	regexp.MustCompile(`[0-9a-f]{12,}`),
	regexp.MustCompile(`[0-9]{6,}`),
}

var (
	vendorCode = regexp.MustCompile(`\b[A-Z]{3,10}[-_]?[0-9]{3,10}\b`) // a code that providers put into their words
	queryOf    = regexp.MustCompile(`(https?://[^\s?#"'<>]+)[?#][^\s"'<>]*`)
	spaces     = regexp.MustCompile(`\s+`)
)

// maxCompared is how much of a text is looked at, in bytes.
const maxCompared = 4 << 10

// maxReading is how many characters of a description are compared.
const maxReading = 200

// steady takes out of a text what changes from call to call, and what was sent.
func steady(text string, sent []string) (plain, vendor string) {
	text = printable(text)
	vendor = strings.ToLower(vendorCode.FindString(text))
	for _, s := range sent {
		if len(s) >= 3 {
			text = removeAll(text, s)
		}
	}
	text = queryOf.ReplaceAllString(strings.ToLower(text), "$1")
	if vendor != "" {
		text = strings.ReplaceAll(text, vendor, " ")
	}
	for _, re := range changing {
		text = re.ReplaceAllString(text, " ")
	}
	return cut(strings.TrimSpace(spaces.ReplaceAllString(text, " ")), maxReading), vendor
}

// removeAll takes s out of text in either case, with a mark that is no word.
func removeAll(text, s string) string {
	return strings.ReplaceAll(removeFold(text, lower(s)), hole, " … ")
}

// read is the reading of an answer to a question with these values.
func read(got *capture, a answer, sent []string) reading {
	r := reading{class: classify(got, a), form: a.form, status: got.status, www: got.header.Get("WWW-Authenticate") != ""}
	a.code, a.description = a.code[:min(len(a.code), maxCompared)], a.description[:min(len(a.description), maxCompared)]
	r.code, _ = steady(a.code, sent)
	r.words, r.vendor = steady(a.description, sent)
	if r.vendor == "" {
		r.vendor = strings.ToLower(vendorCode.FindString(a.code))
	}
	if r.words == "" && strings.Contains(r.code, " ") { // a sentence in the place of a code
		r.words = r.code
	}
	r.about = mentions(r.words + " " + strings.NewReplacer("_", " ", "-", " ").Replace(r.code))
	if r.class == nowhere && a.form == formJSON && (a.code != "" || a.description != "") {
		r.class = otherRefusal // something answers there that speaks of errors as an API does
	}
	if r.about.has(mentionsHaste) && r.class != issued {
		r.class = tooMany // whatever the status says
	}
	if r.class == issued {
		r.code, r.words, r.vendor, r.about = "", "", "", 0
	}
	return r
}

// sameForm reports whether two answers are the same in all but their words: some
// servers choose those at random.
func (r reading) sameForm(o reading) bool {
	return (r.class == issued) == (o.class == issued) && r.form == o.form && r.status == o.status && r.code == o.code && r.vendor == o.vendor
}

// same reports whether two answers say the same: in form, and in which of the
// credentials their words blame. Other words do not count.
func (r reading) same(o reading) bool {
	return r.sameForm(o) && r.about&mentionsCredentials == o.about&mentionsCredentials
}

// refusesClient reports whether the answer is a refusal of the client, as far as
// its own words go.
func (r reading) refusesClient() bool {
	switch r.class {
	case clientRefused:
		return true
	case codeRefused:
		return r.about.has(mentionsID | mentionsSecret)
	case unauthorized:
		return r.www || r.about.has(mentionsCredentials)
	case forbidden, otherRefusal, requestRefused:
		return r.about.has(mentionsCredentials) && !r.about.has(mentionsCode|mentionsRedirect)
	}
	return false
}

// saysExpired reports whether the client is refused because its secret is too old.
func (r reading) saysExpired() bool {
	return r.class != codeRefused && r.refusesClient() && r.about.has(mentionsExpiry) && r.about.has(mentionsSecret) && !r.about.has(mentionsCode)
}

// isControl reports whether the answer to a control refuses the client for what
// was made up: a value that has not the form of one proves nothing about another
// that has.
func (r reading) isControl() bool {
	return (r.refusesClient() || r.class == unauthorized) && !r.about.has(mentionsForm|mentionsState)
}

// looksRefused is refusesClient, or a bare 401 or 403: it may be one.
func (r reading) looksRefused() bool {
	return r.refusesClient() || r.class == unauthorized || r.class == forbidden
}

// maybeMethod reports whether the client authentication method can be what the
// answer refuses.
func (r reading) maybeMethod() bool {
	return r.looksRefused() || r.class == requestRefused || r.class == otherRefusal
}

// pastClient reports whether the answer is one that is given after the client
// was accepted, or before it was looked at; it is no refusal of the client.
func (r reading) pastClient() bool {
	return (r.class == codeRefused || r.class == redirectRefused || r.class == grantRefused) && !r.refusesClient()
}

// isAnswer reports whether there is anything to compare.
func (r reading) isAnswer() bool {
	switch r.class {
	case tooMany, serverError, aPage, nowhere, redirected, tooLarge, timedOut, cutOff, noName, noConnection, noTLS, notAllowed, unreadable:
		return false
	}
	return true
}

// lockedOut reports whether the provider may be about to lock the client.
func (r reading) lockedOut() bool {
	return r.class == tooMany || r.status == http.StatusTooManyRequests || r.status == http.StatusLocked || strings.Contains(r.words, "locked") || strings.Contains(r.words, "too many")
}
