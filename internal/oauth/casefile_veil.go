package oauth

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"backoffice/internal/egress"
	"backoffice/internal/secret"
)

// A veil makes of a report what a stranger may read, as somebody at a provider
// who gets it with a ticket: names that are known keep their value, and any other
// value is [removed]. It trusts nothing that the report says of itself.
type veil struct {
	box *secret.Box
	ids []string // client ids, the longest first
}

// minMasked is how long a client id must be to be looked for in running text.
const minMasked = 6

// newVeil hides the client ids given and those that r sent.
func newVeil(box *secret.Box, r Report, ids ...string) veil {
	v := veil{box: box}
	for _, st := range r.Steps {
		for _, l := range st.Sent {
			if field(l) == "client_id" && !l.Redacted {
				ids = append(ids, printable(l.Value))
			}
		}
	}
	for _, id := range ids {
		if len(id) >= minMasked && !slices.Contains(v.ids, id) {
			v.ids = append(v.ids, id)
		}
	}
	slices.SortFunc(v.ids, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return v
}

// report returns r as it may be shown. r stays as it is.
func (v veil) report(r Report) Report {
	r.By, r.Consent = "", 0 // a person's name and time are nothing for a ticket
	r.Provider, r.Region, r.Headline = v.text(r.Provider), v.text(r.Region), v.text(r.Headline)
	r.Remedies = each(r.Remedies, v.text)
	r.Fields = each(r.Fields, func(f FieldVerdict) FieldVerdict {
		f.Reason, f.Remedy = v.text(f.Reason), v.text(f.Remedy)
		return f
	})
	r.Identity = each(r.Identity, func(f Fact) Fact {
		f.Label, f.Note = v.text(f.Label), v.text(f.Note)
		if f.Value != "" {
			f.Value = removed // whose token it was is between the admin and the provider
		}
		return f
	})
	if l := r.RateLimit; l != nil {
		r.RateLimit = &RateLimit{Limit: v.text(l.Limit), Remaining: v.text(l.Remaining), Reset: v.text(l.Reset), ResetAt: l.ResetAt}
	}
	r.Steps = each(r.Steps, v.step)
	r.Unprobed = v.text(r.Unprobed)
	r.Grants = each(r.Grants, func(g Grant) Grant {
		g.Permission, g.Evidence, g.Call = v.text(g.Permission), v.text(g.Evidence), v.text(g.Call)
		return g
	})
	return r
}

func (v veil) step(st Step) Step {
	st.Name, st.Probe, st.Hint, st.Why = v.text(st.Name), v.text(st.Probe), v.text(st.Hint), v.text(st.Why)
	p := placer{method: st.method(), called: st.Exchange != nil, media: st.mediaType()}
	st.Sent = each(st.Sent, func(l Line) Line { return v.line(p.sent(l), true, p.called) })
	st.Received = each(st.Received, func(l Line) Line { return v.line(p.received(l), false, p.called) })
	if st.Exchange == nil {
		return st
	}
	x := *st.Exchange
	x.Method, x.URL, x.Remote = v.text(x.Method), v.text(withoutQuery(x.URL)), v.text(x.Remote)
	x.Protocol, x.ContentType, x.Problem = v.text(x.Protocol), v.text(x.ContentType), v.text(x.Problem)
	x.RequestHeaders, x.ResponseHeaders = each(x.RequestHeaders, v.header(true)), each(x.ResponseHeaders, v.header(false))
	if x.TLS != nil {
		t := *x.TLS
		t.Version, t.Issuer, t.Names, t.Chain = v.text(t.Version), v.text(t.Issuer), each(t.Names, v.text), nil
		x.TLS = &t
	}
	st.Exchange = &x
	return st
}

func (v veil) header(sent bool) func(egress.Header) egress.Header {
	return func(h egress.Header) egress.Header {
		l := v.line(Line{Name: h.Name, Value: h.Value, In: InHeader}, sent, true)
		return egress.Header{Name: l.Name, Value: l.Value}
	}
}

// text is a text of which nothing but client ids has to be hidden.
func (v veil) text(s string) string {
	s = printable(s)
	for _, id := range v.ids {
		for _, form := range []string{id, url.QueryEscape(id), url.PathEscape(id)} {
			if strings.Contains(s, form) {
				s = strings.ReplaceAll(s, form, v.masked(id))
			}
		}
	}
	return s
}

// masked tells a client id by its beginning and its fingerprint.
func (v veil) masked(id string) string {
	runes := []rune(id)
	return string(runes[:min(4, len(runes)/2)]) + "… (" + v.box.Fingerprint(id).String() + ")"
}

// line is what of a line may be shown, by the name and the place of its value.
func (v veil) line(l Line, sent, called bool) Line {
	name, value := field(l), printable(l.Value)
	l.Name, l.Note = v.text(l.Name), v.text(l.Note)
	switch {
	case l.In == AtStart:
		l.Value = v.text(withoutQuery(value))
	case name == "authorization":
		if fingerprintForm.MatchString(value) {
			l.Note = strings.TrimSpace(l.Note + " (fingerprint " + value + ")")
		}
		l.Value = removed
	case (fingerprintForm.MatchString(value) || value == "[made up]" || value == "[corrupted]") && (name == "client_id" || name == "client_secret"):
		l.Value = value
	case name == "client_id" && value != "" && !strings.Contains(value, removed):
		l.Value = v.masked(value)
	case name == "code" && (sent || !called || l.In == InQuery || l.In == InHeader):
		l.Value = removed // elsewhere it is the code of an error
	case name == "location" || name == "error_uri":
		l.Value = v.text(withoutQuery(value))
	case l.In == Beside && !credentialNames[name]:
		l.Value = v.text(value)
	case shownNames[name] || l.In == InHeader && strings.HasSuffix(name, "-version"):
		l.Value = v.text(value)
	default:
		l.Value = removed
	}
	l.Redacted = strings.HasPrefix(l.Value, "[")
	return l
}

// fingerprintForm is how secret.Fingerprint prints.
var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4}$`)

// shownNames are the names whose values a provider's support needs and nobody
// can use. What is not here is removed: codes, states, tokens and cookies, and
// whatever a later version of this program may put into a report.
var shownNames = set(
	// of a request
	"grant_type", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "access_type", "audience", "resource", "code_challenge_method",
	"accept", "content-type", "user-agent", "page", "per_page",
	// of an answer: errors
	"error", "error_description", "error_code", "errorcode", "error_message", "message", "description", "detail", "type", "status", "title", "code",
	"request_id", "requestid", "trace_id", "token_type", "expires_in",
	// of an answer: headers
	"x-request-id", "request-id", "x-correlation-id", "retry-after", "date", "server", "content-length",
	// of a metadata document
	"issuer", "authorization_endpoint", "token_endpoint", "scopes_supported", "response_types_supported", "grant_types_supported",
	"token_endpoint_auth_methods_supported", "code_challenge_methods_supported",
)

// credentialNames are removed even from a remark.
var credentialNames = set("state", "nonce", "code_verifier", "code_challenge", "client_secret", "client_assertion", "assertion", "password",
	"token", "access_token", "refresh_token", "id_token", "cookie", "set-cookie", "proxy-authorization")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// field is the name of a line without the path that leads to it, in lower case:
// "errors[0].code" is a "code", "Authorization: Basic" an "authorization".
func field(l Line) string {
	name, _, _ := strings.Cut(lower(printable(l.Name)), ":")
	return name[strings.LastIndexByte(name, '.')+1:]
}

func each[T any](in []T, f func(T) T) []T {
	out := make([]T, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}
