// Package signin signs people in through one OpenID Connect provider: its setting,
// the way there and back, and what a verified ID token says of somebody. What that
// means for accounts is internal/auth's to decide ([auth.Service.SignInVouched]).
//
// A sign-in: [Service.Start] keeps a flow and returns the provider's address with
// state, nonce and a PKCE challenge (S256); the browser comes back, and
// [Service.Return] uses the flow up, sends the code with the secret, and verifies
// the token.
//
// What holds here:
//
//   - A state is accepted once, within ten minutes, by the browser that started.
//   - A token counts if the provider's key signed it with a public-key algorithm,
//     and if issuer, audience, authorised party, nonce and times are right, with a
//     minute of clock skew.
//   - A changed setting takes effect only once the owner who saved it has come back
//     through it, within ten minutes, by a one-time link ([Service.Save]). Until
//     then the one before holds.
//   - The secret is sealed for its issuer, client ID and the origin of the token
//     address that was found when it was typed, and goes to no other.
//   - Nothing of a token goes into pages, events, logs or errors, but the e-mail
//     address, and that for who confirms a setting.
//   - What nobody signed in can do is bounded: starts and returns by address, flows
//     in number.
//
// Records, by store key:
//
//	auth/oidc/current           the setting in force
//	auth/oidc/pending           a saved setting that is not in force
//	auth/oidc/flow/<hash>       a sign-in under way, or used up, by the hash of its state
//	auth/oidc/flows             which flows there are, oldest first
package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/egress"
	"backoffice/internal/secret"
	"backoffice/internal/store"
)

// Options are what a Service needs. All but Now and Timeout are required.
type Options struct {
	Store     store.Store
	Box       *secret.Box
	Auth      *auth.Service
	Guard     *egress.Guard
	PublicURL string           // origin, without a slash at its end
	Now       func() time.Time // time.Now if nil
	Timeout   time.Duration    // of one call to the provider; 8 seconds if 0
}

// A Service signs people in through the provider of its setting. It is safe for
// concurrent use.
type Service struct {
	store     store.Store
	box       *secret.Box
	auth      *auth.Service
	client    *http.Client
	redirect  string
	now       func() time.Time
	limit     *limiter
	tests     *limiter
	providers providers
}

// CallbackPath is where the provider sends browsers back.
const CallbackPath = "/login/callback"

// The times.
const (
	confirmFor = 10 * time.Minute // how long a saved setting waits for its owner
	flowFor    = 10 * time.Minute // how long a browser may be away
	leeway     = time.Minute      // by which the provider's clock may differ
)

// New returns the service over o.Store.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 8 * time.Second
	}
	now := func() time.Time { return o.Now().UTC() }
	return &Service{store: o.Store, box: o.Box, auth: o.Auth, now: now, redirect: o.PublicURL + CallbackPath,
		client: o.Guard.Client(egress.CallOptions{Timeout: o.Timeout}),
		limit:  newLimiter(now, 120, time.Minute), tests: newLimiter(now, 6, time.Minute), providers: providers{now: now}}
}

// RedirectURI is what the provider has to know.
func (s *Service) RedirectURI() string { return s.redirect }

// An Offer is what the sign-in page shows of the setting in force.
type Offer struct {
	Button     string // what the button says
	Issuer     string
	OwnersOnly bool // only owners sign in with a password
}

// Offered returns the Offer, and whether there is a provider at all.
func (s *Service) Offered(ctx context.Context) (o Offer, ok bool, err error) {
	c, err := s.current(ctx)
	if err != nil {
		return o, false, fmt.Errorf("reading how people sign in: %w", err)
	}
	return Offer{c.Button, c.Issuer, c.OwnersOnly}, c.Issuer != "", nil
}

// A State is a setting as pages show it.
type State struct {
	Setting
	Fingerprint secret.Fingerprint // of the secret
	Length      int                // of the secret, in characters
	By          string             // e-mail address of who saved it
	At          time.Time          // since when it is in force, or when it was saved
}

// A Pending is a saved setting that is not in force.
type Pending struct {
	State
	Running bool      // the owner may come back through it
	Until   time.Time // when that ends or ended; zero if it never began
	Problem string    // why it could not begin
	Came    string    // what came back instead of the owner, in words; "" for nothing yet
	CameAt  time.Time
}

// A View is what the page of the setting shows. Nil is none.
type View struct {
	Current *State
	Pending *Pending
}

// View returns both settings.
func (s *Service) View(ctx context.Context) (v View, err error) {
	now := s.now()
	err = s.store.View(ctx, func(r store.Reader) error {
		c, err := orZero(currents.Get(r, ""))
		if err != nil {
			return err
		}
		p, err := orZero(pendings.Get(r, ""))
		if err != nil {
			return err
		}
		if c.Issuer != "" {
			v.Current = &State{c.Setting, c.Fingerprint, c.Length, c.ByName, c.At}
		}
		if p.Issuer != "" {
			v.Pending = &Pending{State: State{p.Setting, p.Fingerprint, p.Length, p.ByName, p.At}, Running: p.running(now), Problem: p.Problem, Came: p.Came, CameAt: p.CameAt}
			if !p.Begun.IsZero() {
				v.Pending.Until = p.Begun.Add(confirmFor)
			}
		}
		return nil
	})
	if err != nil {
		return View{}, fmt.Errorf("reading how people sign in: %w", err)
	}
	return v, nil
}

func (s *Service) current(ctx context.Context) (k kept, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		k, err = orZero(currents.Get(r, ""))
		return err
	})
	return k, err
}

func (s *Service) pending(ctx context.Context) (p pending, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		p, err = orZero(pendings.Get(r, ""))
		return err
	})
	return p, err
}

// orZero returns the record, or the zero one if there is none.
func orZero[T any](v T, err error) (T, error) {
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return v, err
}

// newToken is 256 random bits, as text for an address.
func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
