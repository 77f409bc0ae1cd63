// Package sandbox is an OAuth provider in the shape of Intercom, to rehearse
// against: an authorize page, a token endpoint, a few reads of the API, a sender
// of notifications, and a control page that sets how they behave and shows what
// they were sent and what they sent.
//
// It is responsible for behaving as Intercom documents, and for nothing else:
// nothing in it is Intercom. Its invariants:
//
//   - What Intercom does not document is a switch (see [Faults]), never a claim.
//   - The zero Faults behaves as documented; where nothing is documented it
//     makes a choice, and the control page says so.
//   - A code is used once, lives five minutes, and is bound to the redirect URI
//     that it was sent to.
//   - It redirects to no redirect URI that it does not accept.
//   - The log of requests holds no credential, only fingerprints and lengths.
//   - It calls nobody but the receiver of notifications: the address that its
//     operator named or set on the control page, on this machine or on the host
//     that the operator named, with the client that it was given, and only when
//     somebody asks for it.
//   - All state is in memory and bounded; it ends with the process.
//
// A test starts one in two lines:
//
//	p, err := sandbox.New(sandbox.Options{})
//	srv := httptest.NewServer(p)
package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"
	"time"

	"backoffice/internal/errs"
)

// DefaultRedirectURI is registered unless Options name others.
const DefaultRedirectURI = "http://localhost:8080/auth/intercom/callback"

// Options are what a Provider is made of. The zero value is usable.
type Options struct {
	// BaseURL is the origin that the control page shows in the addresses to
	// copy. Empty: the origin that the page was asked at.
	BaseURL string

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	// Seed decides client id and client secret: the same seed gives the same
	// pair, so that a stored configuration survives a restart. Empty: random.
	Seed string

	// RedirectURIs are registered from the start, and again after Reset.
	// Nil: DefaultRedirectURI.
	RedirectURIs []string

	// NotifyURL is where notifications are sent at first, and again after Reset.
	// Its host may be sent to wherever it is; other hosts only on this machine.
	// Empty: nowhere until somebody sets an address.
	NotifyURL string

	// Client sends the notifications. It follows no redirects. Nil: none is sent.
	Client *http.Client
}

// A Provider is the sandbox: an http.Handler with its state in memory. It is
// safe for concurrent use.
type Provider struct {
	base      string
	now       func() time.Time
	sleep     func(r *http.Request, d time.Duration)
	id        string
	secret    string
	second    string // the secret that replaces it
	key       []byte // of form tokens and fingerprints; random, ends with the process
	registers []string
	notifies  string // NotifyURL at first
	sender    *sender
	pages     *template.Template
	cross     *http.CrossOriginProtection
	control   http.Handler
	routes    map[string]route

	mu        sync.Mutex
	faults    Faults
	seen      [endpoints]int // requests an endpoint got since the faults were set
	redirects []string
	ledger    ledger
	window    window
	journal   journal
	testToken string
}

// New returns a Provider. It returns an errs.Invalid if an option is no usable
// URL.
func New(o Options) (*Provider, error) {
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
			return nil, errs.New(errs.Invalid, "The sandbox's base URL must be an origin, such as http://localhost:8081.")
		}
		o.BaseURL = u.Scheme + "://" + u.Host
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RedirectURIs == nil {
		o.RedirectURIs = []string{DefaultRedirectURI}
	}
	for _, uri := range o.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			return nil, fmt.Errorf("redirect URI %q: %w", uri, err)
		}
	}
	pages, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("parsing the sandbox's pages: %w", err)
	}
	p := &Provider{
		base: o.BaseURL, now: o.Now, sleep: sleep, key: random(32), registers: o.RedirectURIs,
		pages: pages, cross: http.NewCrossOriginProtection(),
	}
	if p.sender, err = newSender(o); err != nil {
		return nil, fmt.Errorf("notifications: %w", err)
	}
	p.notifies = o.NotifyURL
	p.id, p.secret, p.second = credentials(o.Seed)
	p.routes = p.productRoutes()
	p.control = p.controlRoutes()
	p.Reset()
	return p, nil
}

// credentials derives the client's id and its two secrets. The id has the shape of a
// UUID, as Intercom's have.
func credentials(seed string) (id, secret, second string) {
	key := []byte(seed)
	if seed == "" {
		key = random(32)
	}
	return uuidOf(derive(key, "client id")), hex.EncodeToString(derive(key, "client secret"))[:40], hex.EncodeToString(derive(key, "second client secret"))[:40]
}

func derive(key []byte, what string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("backoffice sandbox: " + what))
	return m.Sum(nil)
}

// ClientID is the id of the one client that the sandbox knows.
func (p *Provider) ClientID() string { return p.id }

// ClientSecret is that client's secret.
func (p *Provider) ClientSecret() string { return p.secret }

// SecondSecret is the secret that can hold beside it, or instead of it: see
// [Faults].
func (p *Provider) SecondSecret() string { return p.second }

// Faults returns the switches as they stand.
func (p *Provider) Faults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// Set replaces all switches and starts every Trouble's count of requests anew.
// A value out of range counts as the zero value.
func (p *Provider) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f.inRange()
	p.seen = [endpoints]int{}
}

// Reset brings back the state after New: no faults, the first redirect URIs,
// no codes, no tokens, empty logs, and nothing under way. Client id and secret stay.
func (p *Provider) Reset() {
	p.sender.reset(p.notifies)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.seen = Faults{}, [endpoints]int{}
	p.redirects = append([]string(nil), p.registers...)
	p.ledger, p.window, p.journal, p.testToken = ledger{}, window{}, journal{}, ""
}

// TestToken issues an access token for the sandbox's first workspace, as if its
// app had been installed there, and shows it on the control page.
func (p *Provider) TestToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.testToken = p.ledger.issueToken(0)
	return p.testToken
}

// ServeHTTP answers for the provider and for its control page.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isControl(r.URL.Path) {
		p.control.ServeHTTP(w, r)
		return
	}
	x := p.begin(w, r)
	defer p.finish(x)
	p.serve(x)
}

// random returns n random bytes. crypto/rand.Read never fails.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// uuidOf writes the first 16 bytes of b, a fresh slice, as a version 4 UUID.
func uuidOf(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// newCode returns 32 random bytes in base64: 43 characters and a "=" that is
// lost on the way if somebody handles the query carelessly.
func newCode() string { return base64.StdEncoding.EncodeToString(random(32)) }

// newToken returns an access token with the look of Intercom's: base64 of text
// that starts with "tok:".
func newToken() string {
	return base64.StdEncoding.EncodeToString([]byte("tok:" + hex.EncodeToString(random(20)) + ":1:0"))
}
