package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
)

// maxMetadata bounds a metadata document, in bytes.
const maxMetadata = 256 << 10

// A metadata is what a provider publishes about itself: RFC 8414, or OpenID
// Connect Discovery, whose names are the same.
type metadata struct {
	Issuer    string   `json:"issuer"`
	Authorize string   `json:"authorization_endpoint"`
	Token     string   `json:"token_endpoint"`
	Methods   []string `json:"token_endpoint_auth_methods_supported"`
	PKCE      []string `json:"code_challenge_methods_supported"`
	Scopes    []string `json:"scopes_supported"`
	Grants    []string `json:"grant_types_supported"`
}

// parseMetadata reads a document. ok is false for anything that is none: a page,
// an error, another JSON.
func parseMetadata(body []byte) (m metadata, ok bool) {
	if json.Unmarshal(body, &m) != nil {
		return metadata{}, false
	}
	return m, m.Issuer != "" && (m.Token != "" || m.Authorize != "")
}

// discover reads the metadata document, once. Where the definition names none it
// looks where RFC 8414 section 3 puts it.
func (d *diagnosis) discover(ctx context.Context) {
	address := d.ends.Metadata
	if address == "" {
		address = config.OriginOf(d.ends.Authorize) + "/.well-known/oauth-authorization-server"
	}
	name := "Read what the provider publishes about itself"
	d.tell(name)
	st := Step{Name: name, Sent: []Line{d.line("GET", withoutQuery(address))}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	trace, got := &egress.Trace{}, &capture{}
	d.timed(&st, func() {
		c := d.guard.Client(egress.CallOptions{Timeout: d.timeout, MaxBody: maxMetadata})
		got.next = c.Transport
		got.get(req.WithContext(egress.WithTrace(ctx, trace)))
	})
	if x := trace.Exchanges(); len(x) > 0 {
		st.Exchange = d.shown(x[0])
	}
	d.heard(address, got)
	m, ok := parseMetadata(got.body)
	if got.err != nil || got.status != http.StatusOK || !ok {
		st.Verdict, st.Hint = NotChecked, "none published"
		st.Why = "There is no metadata document at this address. Many providers have none; the test goes on without it."
		st.Received = d.head(got)
		d.add(st)
		return
	}
	d.weigh(m, &st)
	d.add(st)
}

// weigh compares a document with the definition, and keeps its methods.
func (d *diagnosis) weigh(m metadata, st *Step) {
	if len(m.Methods) > 0 {
		d.method.published = m.Methods
	}
	st.Verdict, st.Hint = OK, "agrees with the definition"
	st.Why = "What the provider publishes is what the connector's definition says."
	if doubts := m.against(d.subject, d.declared()); len(doubts) > 0 {
		st.Verdict, st.Hint = Warning, "differs from the definition"
		for i := range doubts {
			doubts[i] = d.scrub.foreign(doubts[i])
		}
		st.Why = strings.Join(doubts, " ")
		d.differs = st.Why
	}
	for _, l := range []struct{ name, value string }{{"issuer", m.Issuer}, {"authorization_endpoint", m.Authorize}, {"token_endpoint", m.Token},
		{"token_endpoint_auth_methods_supported", strings.Join(m.Methods, " ")}, {"code_challenge_methods_supported", strings.Join(m.PKCE, " ")},
		{"scopes_supported", strings.Join(m.Scopes, " ")}} {
		if l.value != "" {
			line := d.foreignLine(l.name, l.value)
			line.In = InJSON
			st.Received = append(st.Received, line)
		}
	}
}

// declared is the scopes that the version asks for.
func (d *diagnosis) declared() []string {
	scopes, err := d.scopes()
	if err != nil || scopes == "" {
		return nil
	}
	return strings.Split(scopes, d.def.OAuth.ScopeDelimiter)
}

// against lists, in whole sentences, where the document contradicts what we use.
func (m metadata) against(s subject, declared []string) (doubts []string) {
	say := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	if !hostOfIssuer(m.Issuer, s.ends) {
		say("It is the document of another issuer: %s.", m.Issuer)
	}
	if m.Authorize != "" && !sameAddress(m.Authorize, s.ends.Authorize) {
		say("It names another authorize address: %s.", withoutQuery(m.Authorize))
	}
	if m.Token != "" && !sameAddress(m.Token, s.ends.Token) {
		say("It names another token address: %s.", withoutQuery(m.Token))
	}
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, methodName(s.def.OAuth.ClientAuth)) && !s.secret.IsZero() {
		say("It lists %s as the ways in which a client authenticates; the definition says %s.", strings.Join(m.Methods, ", "), methodName(s.def.OAuth.ClientAuth))
	}
	if s.def.OAuth.PKCE && len(m.PKCE) > 0 && !slices.Contains(m.PKCE, "S256") {
		say("It does not list S256 as a method of PKCE, which the definition asks for.")
	}
	if len(m.Grants) > 0 && !slices.Contains(m.Grants, "authorization_code") {
		say("It does not list the authorization-code grant.")
	}
	if len(m.Scopes) > 0 {
		for _, scope := range declared {
			if !slices.Contains(m.Scopes, scope) {
				say("It does not list the scope %s, which this entry asks for.", scope)
			}
		}
	}
	return doubts
}

func hostOfIssuer(issuer string, ends connector.Endpoints) bool {
	origin := config.OriginOf(issuer)
	return origin == config.OriginOf(ends.Authorize) || origin == config.OriginOf(ends.Token) || origin == config.OriginOf(ends.Metadata)
}

// sameAddress compares without the query, in which a definition may have more.
func sameAddress(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && strings.EqualFold(ua.Scheme, ub.Scheme) && strings.EqualFold(ua.Host, ub.Host) && strings.TrimRight(ua.Path, "/") == strings.TrimRight(ub.Path, "/")
}

// methodName is the method as RFC 8414 and RFC 7591 call it.
func methodName(a connector.ClientAuth) string { return "client_secret_" + a.String() }

// metadataAllows reports whether the provider lists the method.
func (d *diagnosis) metadataAllows(a connector.ClientAuth) bool {
	return slices.Contains(d.method.published, methodName(a))
}
