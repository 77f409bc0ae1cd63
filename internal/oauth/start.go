package oauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/oauth2"
)

// stateBytes is 256 bits of randomness.
const stateBytes = 32

// Start begins a consent run of version n for the browser session and returns
// the address to send the browser to, with the provider's name. It returns an
// errs.NotFound, or an errs.Invalid with a remedy if the version cannot be
// tested.
func (s *Service) Start(ctx context.Context, by audit.Actor, session Binding, id config.ID, n int) (authorizeURL, provider string, err error) {
	if session == "" {
		return "", "", errors.New("starting a consent run without a browser session")
	}
	sub, err := s.subject(ctx, id, n)
	if err != nil {
		return "", "", err
	}
	scopes, err := sub.scopes()
	if err := errors.Join(sub.ready(), err); err != nil {
		return "", "", err
	}
	raw := make([]byte, stateBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", "", fmt.Errorf("making a state: %w", err)
	}
	state, verifier := base64.RawURLEncoding.EncodeToString(raw), ""
	if sub.def.OAuth.PKCE {
		verifier = oauth2.GenerateVerifier()
	}
	f, err := s.newFlow(sub, session, state, verifier)
	if err != nil {
		return "", "", err
	}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(present(tx, id, n, sub.version.ContentHash), flows.Put(tx, hash(state), f), starteds.Put(tx, string(id), f.started(hash(state), by.Name)), audit.Append(tx, audit.Event{Time: f.Started, Actor: by,
			Action: audit.TestStarted, Target: string(id), Version: n, Outcome: audit.Done}))
	})
	if err != nil {
		return "", "", fmt.Errorf("starting a consent run of %s: %w", id, err)
	}
	return sub.authorizeURL(state, verifier, scopes), sub.def.Name, nil
}

// authorizeURL is the address of RFC 6749 section 4.1.1.
func (s subject) authorizeURL(state, verifier, scopes string) string {
	conf := oauth2.Config{ClientID: s.clientID, RedirectURL: s.redirect, Endpoint: oauth2.Endpoint{AuthURL: s.ends.Authorize}}
	var opts []oauth2.AuthCodeOption
	for _, name := range slices.Sorted(maps.Keys(s.ends.AuthorizeParams)) {
		opts = append(opts, oauth2.SetAuthURLParam(name, s.ends.AuthorizeParams[name]))
	}
	if scopes != "" {
		opts = append(opts, oauth2.SetAuthURLParam("scope", scopes))
	}
	if verifier != "" {
		opts = append(opts, oauth2.S256ChallengeOption(verifier))
	}
	return conf.AuthCodeURL(state, opts...)
}

// scopes is the scope parameter: what the version declares, else the
// definition's defaults; "" if the definition sends none. A declared permission
// for which the provider has no machine name cannot be sent.
func (s subject) scopes() (string, error) {
	asked, delimiter := s.def.Asked(s.version.Scopes), s.def.OAuth.ScopeDelimiter
	for _, name := range asked {
		if strings.Contains(name, delimiter) {
			return "", errs.Newf(errs.Invalid, "The declared scope %q would be read as two, because %q stands between scopes. Edit the scopes of the entry.", name, delimiter)
		}
	}
	return strings.Join(asked, delimiter), nil
}
