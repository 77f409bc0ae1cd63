package oauth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/connector"
)

// maxRetryAfter is a year of seconds: a longer pause is no answer.
const maxRetryAfter = 365 * 24 * 60 * 60

// A finding is what a class of answer proves, as data. In its texts %P is the
// provider's name, %A how the client authenticates, %O the other way, %C the error code in
// brackets, if it is fit to be shown, %Q a sentence that quotes the answer, %Y
// " without saying why" if there is nothing to quote, %E what the call itself
// says, %W how long to wait, and %N the permission that the identity call needs.
type finding struct {
	verdict  Verdict // of the run
	headline string
	hint     string // of the step
	step     Verdict
	fields   map[Field]told
	remedies []string
}

type told struct {
	verdict Verdict
	reason  string
}

// conclude writes the finding of c into the report and its step.
func (r *run) conclude(c class, st *Step) {
	r.report.apply(findings[c], st, r.words(&capture{}, answer{}))
}

// judgeExchange writes what the answer to the code proves.
func (r *run) judgeExchange(got *capture, a answer, st *Step) {
	c := classify(got, a)
	r.report.apply(findings[c], st, r.words(got, a))
	if c == issued {
		st.Why = "A token is issued only for the right client ID, secret, redirect URI and authentication method together. So all four are proven."
	}
	if c == issued && r.secret.IsZero() {
		r.judge(ClientSecret, NotChecked, "This entry has none: the client is public and protected by PKCE.")
	}
}

// apply puts f into the report. Fields that f does not name stay as they are.
func (rep *Report) apply(f finding, st *Step, words *strings.Replacer) {
	rep.Verdict, rep.Headline = f.verdict, words.Replace(f.headline)
	rep.Remedies = nil
	for _, text := range f.remedies {
		rep.Remedies = append(rep.Remedies, words.Replace(text))
	}
	for field, t := range f.fields {
		rep.set(FieldVerdict{Field: field, Verdict: t.verdict, Reason: strings.TrimSpace(words.Replace(t.reason))})
	}
	st.Verdict, st.Hint = f.step, words.Replace(f.hint)
}

func (r *run) words(got *capture, a answer) *strings.Replacer {
	code, why := r.shortCode(a.code), ""
	quote := r.quote(code, a)
	if quote == "" {
		quote, why = fmt.Sprintf("The answer is %d and gives no reason.", got.status), " without saying why"
	}
	if code != "" {
		code = " (" + code + ")"
	}
	method, other := "in the form fields of the request (post)", "in the Authorization header (basic)"
	if r.def.OAuth.ClientAuth == connector.ClientSecretBasic {
		method, other = other, method
	}
	permission := "a permission that the call needs"
	if r.def.Identity != nil && r.def.Identity.Permission != "" {
		permission = fmt.Sprintf("the permission %q", r.permissionLabel())
	}
	return strings.NewReplacer("%P", r.provider(), "%A", method, "%O", other, "%C", code, "%Q", quote, "%Y", why, "%E", problem(got), "%W", r.wait(got.header), "%N", permission)
}

// quote is a sentence with the provider's own words, or "" if it had none.
func (r *run) quote(code string, a answer) string {
	said := a.description
	if said == "" && code == "" {
		said = a.code
	}
	description := strings.NewReplacer("“", "'", "”", "'").Replace(r.scrub.foreign(said))
	switch {
	case description != "" && code != "":
		return fmt.Sprintf("%s answered: “%s” (%s).", r.provider(), description, code)
	case description != "":
		return fmt.Sprintf("%s answered: “%s”.", r.provider(), description)
	case code != "":
		return fmt.Sprintf("%s answered: “%s”.", r.provider(), code)
	}
	return ""
}

// wait says when a provider that asks for a pause may be asked again, if its
// answer tells that of a time to come.
func (r *run) wait(h http.Header) string {
	at, _ := r.retryAt(h)
	switch from := r.now(); {
	case !at.After(from):
		return "Wait some minutes"
	case at.Sub(from) < 12*time.Hour:
		return "Wait until " + at.UTC().Format("15:04:05") + " UTC"
	default:
		return "Wait until " + at.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
}

// retryAt is when a provider that asks for a pause says that it may be asked again.
func (r *run) retryAt(h http.Header) (at time.Time, told bool) {
	limit, _ := r.rateLimit(h)
	at = limit.ResetAt
	if n, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After"))); err == nil && n > 0 && n <= maxRetryAfter { // RFC 9110 section 10.2.3
		at = r.now().Add(time.Duration(n) * time.Second)
	} else if t, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		at = t
	}
	return at, !at.IsZero()
}

// permissionLabel is the name under which the admin finds the permission that
// the identity call needs.
func (r *run) permissionLabel() string {
	if p, ok := r.def.Permission(r.def.Identity.Permission); ok && p.Label != "" {
		return p.Label
	}
	return r.def.Identity.Permission
}

// problem is what egress says about a call without an answer. It names the host
// at most.
func problem(got *capture) string {
	if got.err == nil {
		return ""
	}
	return got.err.Msg
}
