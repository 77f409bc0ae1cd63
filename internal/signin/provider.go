package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"backoffice/internal/egress"
	"backoffice/internal/errs"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// algorithms are those with which a provider may sign: with a key of its own, that
// nobody else has. None is not among them, nor is one that would take our secret
// for a key.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// metadata is what a provider says of itself (OpenID Connect Discovery 1.0).
type metadata struct {
	Issuer      string   `json:"issuer"`
	Authorize   string   `json:"authorization_endpoint"`
	Token       string   `json:"token_endpoint"`
	Keys        string   `json:"jwks_uri"`
	UserInfo    string   `json:"userinfo_endpoint"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	Challenges  []string `json:"code_challenge_methods_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// tokenOrigin is where the secret goes.
func (m metadata) tokenOrigin() string { return originOf(m.Token) }

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// signing are the algorithms that both sides take.
func (m metadata) signing() (out []string) {
	for _, a := range m.Algorithms {
		if slices.Contains(algorithms, a) {
			out = append(out, a)
		}
	}
	if len(m.Algorithms) == 0 {
		return []string{oidc.RS256} // which every provider has
	}
	return out
}

// style is how the client proves itself at the token address. Without a word of
// the provider it is basic, as the specification says.
func (m metadata) style() oauth2.AuthStyle {
	if len(m.AuthMethods) > 0 && !slices.Contains(m.AuthMethods, "client_secret_basic") && slices.Contains(m.AuthMethods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// check refuses metadata that cannot be used, in words.
func (m metadata) check(issuer string) error {
	if m.Issuer != issuer {
		return errs.Newf(errs.Invalid, "The provider calls itself %q. Enter that as issuer, to the letter: a slash at the end counts.", shorten(m.Issuer))
	}
	for _, e := range []struct{ name, address string }{{"authorization_endpoint", m.Authorize}, {"token_endpoint", m.Token}, {"jwks_uri", m.Keys}} {
		if e.address == "" {
			return errs.Newf(errs.Invalid, "The provider names no %s, so nobody can sign in through it.", e.name)
		}
	}
	for _, e := range []struct{ name, address string }{{"authorization_endpoint", m.Authorize}, {"token_endpoint", m.Token}, {"jwks_uri", m.Keys}, {"userinfo_endpoint", m.UserInfo}} {
		u, err := url.Parse(e.address)
		if e.address != "" && (err != nil || u.Host == "" || !safeScheme(u) || u.Scheme == "http" && strings.HasPrefix(issuer, "https://")) {
			return errs.Newf(errs.Invalid, "The %s of the provider is no https address, so it is not used.", e.name)
		}
	}
	if len(m.signing()) == 0 {
		return errs.New(errs.Invalid, "The provider signs with none of the algorithms that are accepted here: RS, ES and PS with 256, 384 or 512, and EdDSA.")
	}
	return nil
}

// shorten is text of somebody else as a page and an event may show it.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// discover reads what the provider says of itself. It returns an errs.Invalid or
// errs.Unavailable with what is wrong.
func (s *Service) discover(ctx context.Context, issuer string) (m metadata, err error) {
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	if err := s.fetch(ctx, address, &m); err != nil {
		return metadata{}, err
	}
	return m, m.check(issuer)
}

// fetch reads JSON from an address.
func (s *Service) fetch(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errs.Wrap(errs.Invalid, "The address cannot be asked.", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := egress.Do(s.client, req)
	if err != nil {
		return unreachable(req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return unreachable(req.URL.Host, egress.Clean(err))
	case resp.StatusCode != http.StatusOK:
		return errs.Newf(errs.Invalid, "%s answers %d instead of 200 at %s.", req.URL.Host, resp.StatusCode, req.URL.Path)
	case json.Unmarshal(body, into) != nil:
		return errs.Newf(errs.Invalid, "%s does not answer with JSON at %s.", req.URL.Host, req.URL.Path)
	}
	return nil
}

// unreachable says why a call did not come about, in the words of egress.
func unreachable(host string, err error) error {
	var e *egress.Error
	if errors.As(err, &e) {
		return errs.Wrap(errs.Unavailable, e.Msg, err)
	}
	return errs.Wrap(errs.Unavailable, host+" does not answer.", err)
}

// A provider is what was found about one, with its keys.
type provider struct {
	metadata
	oidc  *oidc.Provider
	keys  *oidc.RemoteKeySet
	found time.Time
}

// providers remembers what was found about the last few issuers for an hour. Keys
// that it does not know are asked for when they are met.
type providers struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*provider
}

const (
	rememberFor  = time.Hour
	maxProviders = 8
)

func (p *providers) get(issuer string) *provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.all[issuer]
	if found == nil || p.now().Sub(found.found) >= rememberFor {
		return nil
	}
	return found
}

func (p *providers) put(issuer string, found *provider) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil || len(p.all) >= maxProviders {
		p.all = map[string]*provider{}
	}
	p.all[issuer] = found
}

// provider returns what is known about the issuer, and asks if nothing is.
func (s *Service) provider(ctx context.Context, issuer string) (*provider, error) {
	if p := s.providers.get(issuer); p != nil {
		return p, nil
	}
	return s.refresh(ctx, issuer)
}

// refresh asks what the provider says now.
func (s *Service) refresh(ctx context.Context, issuer string) (*provider, error) {
	m, err := s.discover(ctx, issuer)
	if err != nil {
		return nil, err
	}
	outward := oidc.ClientContext(context.WithoutCancel(ctx), s.client)
	p := &provider{metadata: m, found: s.now(), keys: oidc.NewRemoteKeySet(outward, m.Keys),
		oidc: (&oidc.ProviderConfig{IssuerURL: m.Issuer, AuthURL: m.Authorize, TokenURL: m.Token, JWKSURL: m.Keys, UserInfoURL: m.UserInfo, Algorithms: m.signing()}).NewProvider(outward)}
	s.providers.put(issuer, p)
	return p, nil
}

// config is the client of the setting at the provider. Only the exchange of a code
// needs the secret.
func (s *Service) config(k kept, m metadata) oauth2.Config {
	return oauth2.Config{ClientID: k.ClientID, RedirectURL: s.redirect, Scopes: k.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: m.Authorize, TokenURL: m.Token, AuthStyle: m.style()}}
}

// open returns the secret of the setting, for the provider whose token address has
// the origin that it was typed for.
func (s *Service) open(k kept, m metadata) (string, error) {
	if k.Origin != m.tokenOrigin() {
		return "", errMoved
	}
	b, err := s.box.Open(k.Sealed, k.sealedFor())
	if err != nil {
		return "", fmt.Errorf("opening the secret of the provider: %w", err)
	}
	return string(b), nil
}

var errMoved = errs.New(errs.Refused, "The provider's token address has moved to another host since the client secret was typed, so the secret is not sent there. An owner has to type it again under Settings, Sign-in.")
