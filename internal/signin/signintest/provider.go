// Package signintest is an OpenID provider for tests: discovery, a page to sign in
// on, codes that are good once with PKCE, signed tokens, userinfo and keys that
// rotate. What a test wants wrong it changes by a hook.
package signintest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Person has an account at the provider.
type Person struct {
	Subject, Email, Name string
	Unverified           bool
	Groups               []string
	AMR                  []string
}

// A Provider is one. Its fields are set before it serves; its hooks by Set.
type Provider struct {
	Issuer           string // its own address
	ClientID, Secret string
	Redirects        []string
	People           []Person
	Now              func() time.Time

	mu    sync.Mutex
	hooks Hooks
	keys  []key
	codes map[string]grant
	calls []string
}

// Hooks change what the provider says. A nil one changes nothing.
type Hooks struct {
	Discovery func(map[string]any)
	Answer    func(url.Values)                       // of the authorize address
	Claims    func(map[string]any)                   // of an ID token
	Sign      func(payload []byte, ok string) string // instead of the signed token ok
	UserInfo  func(map[string]any)
	Token     func(http.ResponseWriter) bool // answers in its place if true
}

type key struct {
	id      string
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

type grant struct {
	person                     Person
	redirect, challenge, nonce string
	scopes                     []string
	asked                      bool // it was made to sign in anew
	used                       bool
}

// New is a provider with a key for ES256.
func New(now func() time.Time) *Provider {
	p := &Provider{ClientID: "backoffice-at-idp", Secret: "idp-s3cret/with+signs=", Now: now, codes: map[string]grant{}}
	p.Rotate(jose.ES256)
	return p
}

// Set puts hooks in place of those before.
func (p *Provider) Set(h Hooks) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks = h
}

func (p *Provider) hook() Hooks {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hooks
}

// Rotate makes a new key, which is the only one from now on.
func (p *Provider) Rotate(alg jose.SignatureAlgorithm) {
	var k crypto.Signer
	var err error
	if strings.HasPrefix(string(alg), "ES") {
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []key{{strings.ToLower(rand.Text())[:8], alg, k}}
}

// Calls are the paths that were asked for since the last time.
func (p *Provider) Calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.calls
	p.calls = nil
	return out
}

// ServeHTTP answers.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.calls = append(p.calls, r.URL.Path)
	p.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.discovery(w)
	case "/keys":
		p.jwks(w)
	case "/authorize":
		p.authorize(w, r)
	case "/token":
		p.token(w, r)
	case "/userinfo":
		p.userinfo(w, r)
	case "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) discovery(w http.ResponseWriter) {
	m := map[string]any{"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
		"userinfo_endpoint": p.Issuer + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256", "ES256"}, "code_challenge_methods_supported": []string{"S256"},
		"authorization_response_iss_parameter_supported": true}
	if f := p.hook().Discovery; f != nil {
		f(m)
	}
	reply(w, http.StatusOK, m)
}

func (p *Provider) jwks(w http.ResponseWriter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"})
	}
	reply(w, http.StatusOK, set)
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Sign in at Example ID</title><h1>Example ID</h1>
<ul>{{range .}}<li><a href="{{.URL}}">{{.Name}}</a></li>{{end}}</ul></html>`))

type choice struct{ URL, Name string }

// authorize signs in the person of the parameter as, or asks who it is.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	redirect := q.Get("redirect_uri")
	if q.Get("client_id") != p.ClientID || !slices.Contains(p.Redirects, redirect) {
		http.Error(w, "This application or its address is not known here.", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {p.Issuer}}
	at := slices.IndexFunc(p.People, func(x Person) bool { return x.Subject == q.Get("as") })
	switch {
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "":
		answer.Set("error", "invalid_request")
	case q.Get("prompt") == "none":
		answer.Set("error", "login_required")
	case q.Get("as") == "deny":
		answer.Set("error", "access_denied")
	case at < 0:
		var all []choice
		for _, x := range p.People {
			q.Set("as", x.Subject)
			all = append(all, choice{"/authorize?" + q.Encode(), "Go on as " + x.Name})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, all) // the browser may be gone
		return
	default:
		code := strings.ToLower(rand.Text())
		p.mu.Lock()
		p.codes[code] = grant{person: p.People[at], redirect: redirect, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), scopes: strings.Fields(q.Get("scope")),
			asked: q.Get("prompt") == "login" || q.Get("max_age") == "0"}
		p.mu.Unlock()
		answer.Set("code", code)
	}
	if f := p.hook().Answer; f != nil {
		f(answer)
	}
	http.Redirect(w, r, redirect+"?"+answer.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if f := p.hook().Token; f != nil && f(w) {
		return
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != p.ClientID || secret != p.Secret {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	p.mu.Lock()
	g, ok := p.codes[r.FormValue("code")]
	spent := g.used
	g.used = true
	if ok {
		p.codes[r.FormValue("code")] = g
	}
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || spent || g.redirect != r.FormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	access := "at-" + r.FormValue("code")
	reply(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": p.idToken(g, access)})
}

// claims are what the provider says of a person.
func (x Person) claims(scopes []string) map[string]any {
	m := map[string]any{"sub": x.Subject, "name": x.Name}
	if x.Email != "" && slices.Contains(scopes, "email") {
		m["email"], m["email_verified"] = x.Email, !x.Unverified
	}
	if x.Groups != nil {
		m["groups"] = x.Groups
	}
	return m
}

func (p *Provider) idToken(g grant, access string) string {
	now := p.Now()
	m := g.person.claims(g.scopes)
	m["iss"], m["aud"], m["iat"], m["exp"], m["nonce"] = p.Issuer, p.ClientID, now.Unix(), now.Add(5*time.Minute).Unix(), g.nonce
	m["auth_time"] = now.Add(-time.Hour).Unix() // it knew them already
	if g.asked {
		m["auth_time"] = now.Unix()
	}
	if g.person.AMR != nil {
		m["amr"] = g.person.AMR
	}
	half := sha256.Sum256([]byte(access))
	m["at_hash"] = base64.RawURLEncoding.EncodeToString(half[:16])
	h := p.hook()
	if h.Claims != nil {
		h.Claims(m)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	text := p.Sign(payload)
	if h.Sign != nil {
		return h.Sign(payload, text)
	}
	return text
}

// Sign signs a payload with the key that is in use.
func (p *Provider) Sign(payload []byte) string {
	p.mu.Lock()
	k := p.keys[0]
	p.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}}, nil)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	code, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer at-")
	p.mu.Lock()
	g, known := p.codes[code]
	p.mu.Unlock()
	if !ok || !known {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	m := g.person.claims(g.scopes)
	if f := p.hook().UserInfo; f != nil {
		f(m)
	}
	reply(w, http.StatusOK, m)
}

// Unsigned is a token with algorithm none.
func Unsigned(payload []byte) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

// Symmetric is a token that is signed with a secret that both sides know.
func Symmetric(payload []byte, secret string) string {
	padded := secret + strings.Repeat("x", max(0, 32-len(secret)))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(padded)}, nil)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		fmt.Println("signintest:", err)
	}
}

// Visit is what a browser does that somebody sends to address: it chooses the
// person with the subject, or denies with "deny", and returns where it is sent
// back to.
func (p *Provider) Visit(address, as string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Set("as", as)
	r, err := http.NewRequest(http.MethodGet, u.Path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	w := &header{h: http.Header{}}
	p.ServeHTTP(w, r)
	if w.status != http.StatusFound {
		return nil, fmt.Errorf("the provider answers %d", w.status)
	}
	return url.Parse(w.h.Get("Location"))
}

// header is an answer of which only the head counts.
type header struct {
	h      http.Header
	status int
}

func (h *header) Header() http.Header         { return h.h }
func (h *header) Write(b []byte) (int, error) { return len(b), nil }
func (h *header) WriteHeader(s int)           { h.status = s }
