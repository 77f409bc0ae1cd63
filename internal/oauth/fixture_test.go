package oauth_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/egress"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
	"backoffice/internal/store/storetest"
)

// The canaries have characters that every encoding changes.
const (
	clientID     = "rocket-client-1"
	clientSecret = "CANARY+secret/7f3a=&%zz"
	code         = "CANARY+code/%2F-9b=="
	accessToken  = "CANARY.token-51c8~xyz+/=="
)

const (
	publicURL = "https://backoffice.example.com"
	id        = config.ID("acme:rocket")
	session   = oauth.Binding("session-one")
)

var by = audit.Actor{ID: "u1", Name: "owner@acme.example", Addr: "203.0.113.7", RequestID: "r1"}

// A provider is a scriptable one: an HTTPS server of the test's own.
type provider struct {
	*httptest.Server
	token    http.HandlerFunc
	identity http.HandlerFunc
	pages    http.HandlerFunc // everything else: the authorize address, and where it leads

	mu    sync.Mutex
	forms []url.Values  // of the token requests
	heads []http.Header // of all requests
}

func newProvider(t testing.TB) *provider {
	p := &provider{}
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		p.forms, p.heads = append(p.forms, form), append(p.heads, r.Header.Clone())
		p.mu.Unlock()
		r.Form = form
		token, _ := p.acting()
		token(w, r)
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.heads = append(p.heads, r.Header.Clone())
		p.mu.Unlock()
		p.identity(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, pages := p.acting()
		if pages == nil {
			http.NotFound(w, r)
			return
		}
		pages(w, r)
	})
	p.Server = httptest.NewUnstartedServer(mux)
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.StartTLS()
	t.Cleanup(p.Close)
	p.token, p.identity = answer(200, `{"access_token":"`+accessToken+`","token_type":"Bearer"}`), answer(200, me)
	return p
}

// play has the provider behave as v from now on.
func (p *provider) play(v *vendor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token, p.pages = v.token, v.page
}

func (p *provider) acting() (token, pages http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token, p.pages
}

const me = `{"name":"Ada","email":"ada@acme.example","email_verified":true,"app":{"name":"Acme","region":"US"}}`

// answer is a provider that always says the same.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func (p *provider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.heads)
}

func (p *provider) form(t testing.TB) url.Values {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.forms) != 1 {
		t.Fatalf("the provider got %d token requests, want 1", len(p.forms))
	}
	return p.forms[0]
}

// A setup says what differs from the usual entry and provider.
type setup struct {
	definition string            // lines under oauth:; "" is clientAuth: post
	identity   string            // the identity section, with %s for the provider's origin; "-" for none
	values     map[string]string // replaces or adds values; "" removes
	scopes     []string
	untrusted  bool          // the provider's certificate is not trusted
	tokenURL   string        // instead of the provider's
	meURL      string        // instead of the provider's
	timeout    time.Duration // of a call
	rehearse   bool          // the provider is a sandbox, over plain http
	authorize  string        // the authorize address, with %s for the provider's origin
	limits     *oauth.Limits // of diagnoses; nil for ones without waiting
	probes     oauth.ProbeLimits
	own        oauth.CheckOwn
	panicked   func(run, what string, stack []byte)
}

const identityYAML = `
identity:
  url: "%s"
  headers: {Rocket-Version: "7"}
  permission: read_me
  facts:
    - {label: Workspace, path: app.name}
    - {label: Region, path: app.region}
    - {label: Admin, path: email}
    - {label: Email verified, path: email_verified}
`

func (u setup) yaml(base string) string {
	tokenURL, meURL, identity := base+"/token", base+"/me", identityYAML
	if u.tokenURL != "" {
		tokenURL = u.tokenURL
	}
	if u.meURL != "" {
		meURL = u.meURL
	}
	switch u.identity {
	case "":
		identity = fmt.Sprintf(identity, meURL)
	case "-":
		identity = ""
	default:
		identity = strings.ReplaceAll(u.identity, "%s", base)
	}
	more := ""
	if u.rehearse {
		more = `, tokenBase: "https://api.rocket.example"`
	}
	authorizeURL := "{authorizeBase}/authorize?prompt=always"
	if u.authorize != "" {
		authorizeURL = strings.ReplaceAll(u.authorize, "%s", base)
	}
	lines := "  clientAuth: post"
	if u.definition != "" {
		lines = u.definition
	}
	return fmt.Sprintf(`
key: rocket
name: Rocket
initial: Ro
summary: A provider for tests.
fields:
  - {key: clientId, label: Client ID}
  - {key: clientSecret, label: Client secret, secret: true}
  - key: region
    label: Region
    default: US
    options:
      - {value: US, label: United States, set: {authorizeBase: "https://auth.rocket.example"%[1]s}}
      - {value: EU, label: Europe, set: {authorizeBase: "https://auth.eu.rocket.example"%[1]s}}
oauth:
  authorizeUrl: "%[5]s"
  tokenUrl: "%[2]s"
  tokenFields: [access_token, token]
%[3]s
%[4]s
permissions:
  - {name: read_me, label: Read one admin, meaning: Who am I.}
  - {name: write_all, label: Write all, meaning: Everything.}
  - {label: Nameless, meaning: Has no machine name.}
rateLimit: {limit: X-RateLimit-Limit, remaining: X-RateLimit-Remaining, reset: X-RateLimit-Reset}
`, more, tokenURL, lines, identity, authorizeURL)
}

// A rig is the whole room over a real store, with an entry acme:rocket whose
// version 1 is in force.
type rig struct {
	t        testing.TB
	raw      store.Store
	box      *secret.Box
	config   *config.Service
	oauth    *oauth.Service
	provider *provider
	clock    *clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newRig(t testing.TB, u setup) *rig {
	t.Helper()
	r := &rig{t: t, provider: newProvider(t), clock: &clock{at: time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)}}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "data.db"))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	r.raw = storetest.Replay(db)
	keys, err := secret.Generate()
	must(t, err)
	_, r.box, err = keys.NewInstallation()
	must(t, err)
	definitions := catalogue(t, u.yaml(r.provider.URL))
	if u.rehearse {
		sandbox := httptest.NewServer(r.provider.Config.Handler)
		t.Cleanup(sandbox.Close)
		definitions, err = definitions.Rehearse("rocket", sandbox.URL)
		must(t, err)
	}
	r.config = config.New(config.Options{Store: r.raw, Box: r.box, Catalogue: definitions, Now: r.clock.now})
	r.oauth = r.service(u, publicURL)
	r.save(0, u.values, u.scopes, config.PutInForce)
	return r
}

var builtin = sync.OnceValues(connector.Builtin)

// service is a room of its own over the same records.
func (r *rig) service(u setup, publicURL string) *oauth.Service {
	limits := oauth.Limits{Calls: 6, Budget: 1000, Pause: func() time.Duration { return 0 }, Whole: time.Minute}
	if u.limits != nil {
		limits = *u.limits
	}
	return oauth.New(oauth.Options{Limits: limits, ProbeLimits: u.probes, CheckOwn: u.own, Panicked: u.panicked, Store: r.raw, Box: r.box, Config: r.config, Guard: r.guard(u), PublicURL: publicURL, Now: r.clock.now, CallTimeout: u.timeout})
}

func catalogue(t testing.TB, yaml string) *connector.Catalogue {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "rocket.yaml"), []byte(yaml), 0o600))
	base, err := builtin()
	must(t, err)
	c, err := base.With(dir)
	must(t, err)
	return c
}

// guard lets the loopback through and asks no name server.
func (r *rig) guard(u setup) *egress.Guard {
	r.t.Helper()
	pool := x509.NewCertPool()
	if !u.untrusted {
		pool.AddCert(r.provider.Certificate())
	}
	g, err := egress.New(egress.Options{Allow: []string{"127.0.0.1"}, RootCAs: pool, Resolver: &net.Resolver{PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no name server in tests")
		}}})
	must(r.t, err)
	return g
}

// save makes the next version of the entry.
func (r *rig) save(base int, values map[string]string, scopes []string, then config.Then) config.Version {
	r.t.Helper()
	all := map[string]string{"clientId": clientID, "clientSecret": clientSecret, "region": "US"}
	for k, v := range values {
		all[k] = v
	}
	d := config.Draft{ID: id, Base: base, Scopes: scopes, Then: then}
	if base > 0 {
		e, err := r.config.Get(r.t.Context(), id)
		must(r.t, err)
		d.Revision = e.Revision
	}
	for k, v := range all {
		if v != "" {
			d.Values = append(d.Values, config.Input{Key: k, Secret: k == "clientSecret", Value: config.TextValue(secret.NewText(v))})
		}
	}
	saved, err := r.config.Save(r.t.Context(), by, d)
	must(r.t, err)
	return saved.Version
}

// start begins a run of version n and returns its state.
func (r *rig) start(n int) (state string, authorize *url.URL) {
	r.t.Helper()
	address, provider, err := r.oauth.Start(r.t.Context(), by, session, id, n)
	must(r.t, err)
	if provider != "Rocket" {
		r.t.Errorf("the provider is %q", provider)
	}
	u, err := url.Parse(address)
	must(r.t, err)
	return u.Query().Get("state"), u
}

// query is what a provider sends the browser back with.
func query(code, state string) string {
	return url.Values{"code": {code}, "state": {state}}.Encode()
}

func (r *rig) callback(rawQuery string) (oauth.Ref, error) {
	return r.oauth.Callback(r.t.Context(), by, session, "rocket", rawQuery)
}

// run is a whole consent run of version 1.
func (r *rig) run() oauth.Report {
	r.t.Helper()
	state, _ := r.start(1)
	return r.report(r.callback(query(code, state)))
}

func (r *rig) report(ref oauth.Ref, err error) oauth.Report {
	r.t.Helper()
	must(r.t, err)
	rep, err := r.oauth.Report(r.t.Context(), ref.Entry, ref.Report)
	must(r.t, err)
	return rep
}

func (r *rig) events(action audit.Action) []audit.Event {
	r.t.Helper()
	page, err := audit.NewLog(r.raw).List(r.t.Context(), audit.Filter{Action: action, Limit: 500})
	must(r.t, err)
	return page.Events
}

// dump is the whole data file as text, keys and values.
func (r *rig) dump() string {
	r.t.Helper()
	var b strings.Builder
	must(r.t, r.raw.View(r.t.Context(), func(rd store.Reader) error {
		items, err := rd.Scan(store.Range{})
		for _, it := range items {
			fmt.Fprintf(&b, "%s=%s\n", it.Key, it.Value)
		}
		return err
	}))
	return b.String()
}

func (r *rig) keys(prefix string) (keys []string) {
	r.t.Helper()
	for line := range strings.Lines(r.dump()) {
		if key, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

// leaks returns the canaries that are in text, in any form.
func leaks(text string, canaries ...string) (found []string) {
	text = strings.ToLower(text)
	for _, c := range append(canaries, clientSecret, code, accessToken) {
		for _, form := range []string{c, url.QueryEscape(c), url.PathEscape(c), base64.StdEncoding.EncodeToString([]byte(c)),
			base64.RawURLEncoding.EncodeToString([]byte(c)), hex.EncodeToString([]byte(c)), strings.ReplaceAll(c, "&", `\u0026`)} {
			if strings.Contains(text, strings.ToLower(form)) {
				found = append(found, form)
			}
		}
	}
	return found
}

// fieldsOf is the verdict of every field, in order.
func fieldsOf(rep oauth.Report) string {
	words := make([]string, len(rep.Fields))
	for i, f := range rep.Fields {
		words[i] = f.Verdict.String()
		if f.Field != oauth.Field(i) {
			words[i] = "out of order"
		}
	}
	return strings.Join(words, " ")
}

func identityOf(rep oauth.Report) string {
	var words []string
	for _, f := range rep.Identity {
		w := f.Label + "=" + f.Value
		if f.Verdict != oauth.NotChecked {
			w += "(" + f.Verdict.String() + ")"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
